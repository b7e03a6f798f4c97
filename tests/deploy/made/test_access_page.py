"""What docs/access.md says of who may do what is what the code says."""

from deploy.made.access_page import PAGE, page


def test_the_committed_table_of_rights_is_that_of_today() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python -m deploy.made.access_page"
