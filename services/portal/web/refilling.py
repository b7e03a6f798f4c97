"""The forms of a page, as HTML: which of them somebody types into, and what was typed put back.

Pure. Always holds: of a page only its forms are changed, and of those only what somebody could have
typed, ticked or chosen, and what their form bore unseen, its token excepted; what was typed is
escaped. A file is never put back: a browser lets nobody but its user choose one.
"""

import html as markup
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

Pairs = Sequence[tuple[str, str]]
OF_VISIT = "jeton"
"""The field that is of this browser, and never put back."""
_TYPED = re.compile(r'<(?:textarea|select|input type="(?!hidden))')
_BUTTON = re.compile(r'<button\b((?:\s+[\w-]+(?:="[^"]*")?)*)>')
_BEARS = re.compile(r'\s(?:name|value)="[^"]*"')


@dataclass(frozen=True, slots=True)
class Place:
    """A form that somebody types into: where its tags begin in the page."""

    start: int
    end: int
    method: str

    def button(self, html: str) -> str:
        """Name and value of the button that the Enter key presses, as they stand there."""
        found = _BUTTON.search(html, self.start, self.end)
        return "".join(_BEARS.findall(found[1])) if found else ""


def forms_in(html: str) -> list[Place]:
    """Those of the page's content, those that send something first."""
    found, at = [], html.find("<main")
    while (at := html.find("<form", at + 1)) > 0:
        end = html.find("</form>", at)
        if _TYPED.search(html, at, end):
            tag = html[at : html.index(">", at)]
            found.append(Place(at, end, "post" if 'method="post"' in tag else "get"))
    return sorted(found, key=lambda one: one.method, reverse=True)


@dataclass
class _Form:
    """What a form of a page has: its names, and what it bears unseen."""

    names: set[str] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)

    def likeness(self, pairs: Pairs) -> int:
        """How much it is the form in which this was typed; -1 for not at all."""
        if not {name for name, _ in pairs} <= self.names:
            return -1
        return len(self.hidden & set(pairs))


class _Reader(HTMLParser):
    """Goes through a page, tag by tag. `edits`: (from, to, instead)."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self._html = html
        self._lines = [0, *(found.end() for found in re.finditer("\n", html))]
        self.number = -1
        self.inside = False
        self.feed(html)
        self.close()

    @property
    def place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self.number, self.inside = self.number + 1, True
        elif self.inside:
            self.control(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif self.inside:
            self.closed(tag)

    def control(self, tag: str, has: Mapping[str, str]) -> None:
        raise NotImplementedError

    def closed(self, tag: str) -> None:
        pass


class _Forms(_Reader):
    def __init__(self, html: str) -> None:
        self.forms: dict[int, _Form] = {}
        super().__init__(html)

    def control(self, tag: str, has: Mapping[str, str]) -> None:
        form = self.forms.setdefault(self.number, _Form())
        if tag in ("input", "select", "textarea", "button") and has.get("name"):
            form.names.add(has["name"])
            if has.get("type") == "hidden":
                form.hidden.add((has["name"], has.get("value", "")))


class _Refilled(_Reader):
    def __init__(
        self,
        html: str,
        typed: Mapping[int, Pairs],
        files: Mapping[str, str],
        about_file: Callable[[str], str],
    ) -> None:
        self._left = {number: list(pairs) for number, pairs in typed.items()}
        self._given = {number: {*pairs} for number, pairs in typed.items()}
        self._files, self._about_file = files, about_file
        self._select = self._textarea = ""
        self._text_from = -1
        self.edits: list[tuple[int, int, str]] = []
        super().__init__(html)

    def _next(self, name: str) -> str | None:
        """The next value that was typed under a name, of several in the order of the page."""
        left = self._left[self.number]
        for place, (known, value) in enumerate(left):
            if known == name:
                del left[place]
                return value
        return None

    def control(self, tag: str, has: Mapping[str, str]) -> None:
        name, kind = has.get("name", ""), has.get("type", "text")
        if tag == "input" and kind == "file" and name in self._files:
            self._say_of_file(name, has)
        if self.number not in self._left or name == OF_VISIT:
            return
        chosen = (self._select or name, self._value(tag, has)) in self._given[self.number]
        match tag:
            case "select":
                self._select = name
            case "option" if self._select in {known for known, _ in self._given[self.number]}:
                self._tag(tag, _with(has, "selected", chosen))
            case "textarea":
                self._textarea = name
                self._text_from = self.place + len(self.get_starttag_text() or "")
            case "input" if kind in ("checkbox", "radio"):
                self._tag(tag, _with(has, "checked", chosen))
            case "input" if kind not in ("file", "submit", "button", "image"):
                if (value := self._next(name)) is not None:
                    self._tag(tag, {**has, "value": value})

    def _value(self, tag: str, has: Mapping[str, str]) -> str:
        if "value" in has or tag != "option":
            return has.get("value", "on")
        start = self.place + len(self.get_starttag_text() or "")
        return markup.unescape(self._html[start : self._html.index("<", start)]).strip()

    def closed(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea" and self._text_from >= 0:
            if (value := self._next(self._textarea)) is not None:
                # A browser takes away the first line's end.
                self.edits.append((self._text_from, self.place, f"\n{markup.escape(value)}"))
            self._text_from = -1

    def _tag(self, tag: str, has: Mapping[str, str], before: str = "") -> None:
        said = "".join(
            f" {name}"
            if not value and name in ("checked", "selected")
            else f' {name}="{markup.escape(value)}"'
            for name, value in has.items()
        )
        start = self.place
        end = start + len(self.get_starttag_text() or "")
        self.edits.append((start, end, f"{before}<{tag}{said}>"))

    def _say_of_file(self, name: str, has: Mapping[str, str]) -> None:
        said = f"{name}-repris"
        words = markup.escape(self._about_file(self._files[name]))
        described = f"{has.get('aria-describedby', '')} {said}".strip()
        before = f'<span class="error" id="{said}">{words}</span>'
        self._tag("input", {**has, "aria-describedby": described}, before)


def _with(has: Mapping[str, str], name: str, so: bool) -> dict[str, str]:
    others = {known: value for known, value in has.items() if known != name}
    return {**others, name: ""} if so else others


def refilled(
    html: str,
    typed: Sequence[Pairs],
    files: Mapping[str, str],
    about_file: Callable[[str], str],
) -> str:
    """The page with what was typed into some of its forms, each put into the one most alike.

    `files`: the names of those that were chosen, by field, of which `about_file` makes a sentence.
    """
    forms, into = _Forms(html).forms, dict[int, Pairs]()
    for pairs in typed:
        likes = {n: form.likeness(pairs) for n, form in forms.items() if n not in into}
        best = max(likes, key=lambda n: (likes[n], -n), default=None)
        if best is not None and likes[best] >= 0:
            into[best] = pairs
    for start, end, instead in reversed(_Refilled(html, into, files, about_file).edits):
        html = html[:start] + instead + html[end:]
    return html
