"""What was typed is put back into the form of its page, and nowhere else."""

from services.portal.web.refilling import forms_in, refilled

PAGE = """<form method="post"><button>Sign out</button></form><main>
<form method="post"><input type="hidden" name="jeton" value="mine"><input type="hidden" name="of"
 value="1"><input type="text" name="a" value=""><button name="action" value="go">Go</button></form>
<form method="post"><input type="hidden" name="of" value="2"><input type="text" name="a" value="">
<select name="s"><option>1</option><option selected>2</option></select>
<input type="checkbox" name="t" value="x" checked><input type="checkbox" name="t" value="y">
<textarea name="text">old</textarea></form>
<form method="get"><input type="search" name="q"></form></main>"""


def put_back(*typed: tuple[str, str], **files: str) -> str:
    return refilled(PAGE, [typed], files, lambda name: f"again: {name}")


def test_of_two_alike_it_is_the_form_that_bears_the_same_unseen() -> None:
    html = put_back(("of", "2"), ("a", "typed"))
    assert html.count('value="typed"') == 1
    assert html.index('value="typed"') > html.index('name="of" value="2"')


def test_what_was_typed_is_escaped_and_what_was_unticked_is_so() -> None:
    html = put_back(("of", "2"), ("a", '"><b>'), ("s", "1"), ("t", "y"), ("text", "<i>\n& co"))
    assert 'value="&quot;&gt;&lt;b&gt;"' in html
    assert "<option selected>1</option><option>2</option>" in html
    assert 'value="x"><input type="checkbox" name="t" value="y" checked>' in html
    assert '<textarea name="text">\n&lt;i&gt;\n&amp; co</textarea>' in html


def test_a_token_is_never_put_back_and_a_form_with_another_field_is_no_form_of_the_page() -> None:
    assert 'value="mine"' in put_back(("of", "1"), ("jeton", "theirs"))
    assert put_back(("of", "1"), ("a", "typed"), ("no-such-field", "x")) == PAGE


def test_forms_are_those_that_somebody_types_into_those_that_send_first() -> None:
    post, other, get = forms_in(PAGE)
    assert (post.method, other.method, get.method) == ("post", "post", "get")
    assert post.button(PAGE) == ' name="action" value="go"'
