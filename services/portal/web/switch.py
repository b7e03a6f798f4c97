"""The switch to the other language: a link; on a page with a form, a button that keeps what was
typed.

Pure. Always holds: the Enter key presses the button that it would press without the switch; a page
of several forms has it beside each of them where there is no script.
"""

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from schemas.values import Language
from services.portal.web.refilling import Place

PATH = "/langue"
"""Where forms go that are shown again in the other language."""
_NAMES: dict[Language, tuple[Language, str]] = {"fr": ("en", "English"), "en": ("fr", "Français")}
_BESIDE = {"fr": "English, en gardant ce qui est écrit", "en": "Français, keeping what is typed"}


def link(way: str, language: Language) -> Markup:
    """The switch of a page without a form; `way`: the page in the other language."""
    other, name = _NAMES[language]
    return Markup('<a href="{}" lang="{}" hreflang="{}">{}</a>').format(way, other, other, name)


def keeping(html: str, forms: Sequence[Place], plain: Markup, way: str, language: Language) -> str:
    """The page, with the switch as a button of its forms in the place of the link `plain`."""
    if not forms or not way.startswith("/"):
        return html
    other, name = _NAMES[language]
    first, places = forms[0], sorted(forms, key=lambda form: -form.start)
    if first.method == "get":
        sends, places = f'name="langue" value="{other}"', [first]
    else:
        sends = f'formaction="{PATH}?vers={quote(way, safe="")}"'
        places = [form for form in places if form.method == "post"]
    sends = f'class="quiet" {sends} formnovalidate data-langue="{other}"'
    unseen = 'class="hidden" tabindex="-1" aria-hidden="true"'
    enter = f'<button form="saisie"{first.button(html)} {unseen}></button>'
    for form in places:
        if form is first:
            at = form.start + len("<form")
            html = f'{html[:at]} id="saisie"{html[at:]}'
        else:
            beside = f"<noscript><button {sends}>{_BESIDE[language]}</button></noscript>"
            html = html[: form.end] + beside + html[form.end :]
    button = f'{enter}<button form="saisie" {sends} lang="{other}">{name}</button>'
    return html.replace(str(plain), button, 1)
