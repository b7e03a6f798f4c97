"""Whatever people write in Markdown, the page that shows it is safe, and can be used by ear."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.sheets import WriteSheet
from schemas.text import tidied
from services.portal.markdown import html_of, minutes_of
from tests.portal.browser import parsed

ALLOWED = {
    *("p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "a", "code", "pre"),
    *("blockquote", "hr", "br"),
}
PIECES = (
    *("# a", "## b", "###", "###### d", "a\n===", "- e", "1. f", "    g", "> h", "```", "---"),
    *("<script>i()</script>", "<b onclick=j()>", "<!-- k -->", "&lt;", "[l](https://m.example)"),
    *("[n](javascript:o())", "[](https://p.example)", "[ ](/q)", "![r](https://s.example/t.png)"),
    *("[![u](v)](w)", "<https://x.example>", "<javascript:y>", "[z]: javascript:a", "[z]", "**b**"),
    *("&nbsp;", "&#8203;", "[&#8203;](/e)", "# &nbsp;\n"),
    *("[c](data:text/html,d)", "`<img src=e>`", "\n", "\n\n", " ", "\\"),
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join))
@example("\n".join(PIECES))
def test_whatever_is_written_the_page_is_safe_and_can_be_used_by_ear(text: str) -> None:
    page = parsed(str(html_of(text, "fr")))
    tags = set(re.findall(r"<([a-z0-9]+)", str(html_of(text, "fr"))))
    assert tags <= ALLOWED
    for link in page.all("a"):
        assert not re.match(r"\s*(javascript|vbscript|data|file):", link.get("href"), re.IGNORECASE)
        assert set(link.attributes) <= {"href", "title"}
        assert tidied(link.text), "a link without words"
    headings = page.all("h1", "h2", "h3", "h4", "h5", "h6")
    levels = [1, *(int(one.tag[1]) for one in headings)]
    assert all(1 < after <= before + 1 for before, after in pairwise(levels))
    assert all(tidied(one.text) for one in headings), "a heading without words"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# Titre", "<h2>Titre</h2>"),
        ("#### Titre", "<h2>Titre</h2>"),
        ("## Un\n#### Deux", "<h2>Un</h2>\n<h3>Deux</h3>"),
        ("[](https://a.example)", '<p><a href="https://a.example">https://a.example</a></p>'),
        ("<b>", "<p>&lt;b&gt;</p>"),
    ],
)
def test_it_is_shown_as_a_part_of_its_page(written: str, shown: str) -> None:
    assert str(html_of(written, "en")).strip() == shown


def test_a_text_takes_a_minute_for_two_hundred_words_and_one_at_least() -> None:
    assert [minutes_of("mot " * n) for n in (0, 1, 200, 201, 401)] == [1, 1, 1, 2, 3]


def test_the_form_asks_for_as_much_as_the_command_takes() -> None:
    from services.portal.web.programme_sheets import TEXT, TITLE  # noqa: PLC0415

    text = WriteSheet.model_json_schema()["$defs"]["SheetText"]["properties"]
    assert (text["title"]["minLength"], text["title"]["maxLength"]) == TITLE
    assert (text["body"]["minLength"], text["body"]["maxLength"]) == TEXT
