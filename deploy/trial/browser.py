"""A browser without script: it follows links and fills forms in, as somebody at one does.

Always holds: a form is sent as a browser would send it, hidden fields and ticked boxes included;
what a page does not offer cannot be pressed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import httpx

VOID = {"input", "meta", "link", "br", "wbr", "img", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join("".join(parts).split())

    def all(self, *tags: str) -> list["Element"]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag in tags:
                    found.append(child)
                found += child.all(*tags)
        return found

    def within(self, tag: str) -> "Element | None":
        """The nearest element of this kind around it."""
        at = self.parent
        while at is not None and at.tag != tag:
            at = at.parent
        return at

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {})
        self._at = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.children.append(made)
        if tag not in VOID:
            self._at = made

    def handle_endtag(self, tag: str) -> None:
        assert self._at.tag == tag, f"</{tag}> closes <{self._at.tag}>"
        assert self._at.parent is not None
        self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.children.append(data)


def parsed(html: str) -> Element:
    """The elements of a page; every one of them is closed where it should be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader._at is reader.root
    return reader.root


class NotOffered(LookupError):
    """A page has no such link, button or field; the text says what it has."""


@dataclass
class Browser:
    """A browser at a page. `answer`: what it was last told."""

    client: httpx.AsyncClient
    answer: httpx.Response | None = field(default=None, kw_only=True)

    @property
    def page(self) -> Element:
        assert self.answer is not None
        return parsed(self.answer.text)

    @property
    def status(self) -> int:
        assert self.answer is not None
        return self.answer.status_code

    @property
    def heading(self) -> str:
        (found,) = self.page.all("h1")
        return found.text

    @property
    def says(self) -> str:
        (found,) = self.page.all("main")
        return found.text.replace("\u202f", " ").replace("\u00a0", " ")

    async def goes_to(self, path: str) -> Self:
        self.answer = await self.client.get(path, follow_redirects=True)
        return self

    async def follows(self, words: str) -> Self:
        for link in self.page.all("a"):
            if words in link.text:
                assert self.answer is not None
                return await self.goes_to(urljoin(str(self.answer.url), link.get("href")))
        raise NotOffered(f"no link says {words!r}: {[a.text for a in self.page.all('a')]}")

    async def presses(self, words: str, files: dict[str, Any] | None = None, **typed: Any) -> Self:
        """Press a button, with what is typed into its form by field name.

        A list ticks these boxes of a name and no others.
        """
        return await self._sent(*self._button(words), typed, files)

    async def chooses(self, name: str, value: str, typed: Mapping[str, Any], **about: str) -> Self:
        """Press the button of this name and value, of the form whose hidden fields are `about`."""
        for form in self.page.all("form"):
            hidden = {one.get("name"): one.get("value") for one in form.all("input")}
            for button in form.all("button"):
                mine = (button.get("name"), button.get("value")) == (name, value)
                if mine and about.items() <= hidden.items():
                    return await self._sent(button, form, typed)
        raise NotOffered(f"no button is {name}={value} about {about}")

    async def _sent(
        self,
        button: Element,
        form: Element,
        typed: Mapping[str, Any],
        files: dict[str, Any] | None = None,
    ) -> Self:
        data = self._filled(form, typed)
        if button.get("name"):
            data[button.get("name")] = [button.get("value")]
        assert self.answer is not None
        path = button.get("formaction") or form.get("action") or str(self.answer.url)
        if form.get("method") == "get":
            url = httpx.URL(str(self.answer.url)).copy_with(params=data)
            return await self.goes_to(str(url))
        self.answer = await self.client.post(path, data=data, files=files, follow_redirects=True)
        return self

    def _button(self, words: str) -> tuple[Element, Element]:
        page = self.page
        named = {form.get("id"): form for form in page.all("form")}
        for button in page.all("button"):
            form = named.get(button.get("form")) if button.get("form") else button.within("form")
            if words in button.text and form is not None:
                return button, form
        said = [button.text for button in self.page.all("button")]
        raise NotOffered(f"no button says {words!r}: {said}")

    def _filled(self, form: Element, typed: Mapping[str, Any]) -> dict[str, list[str]]:
        data: dict[str, list[str]] = {}
        for one in form.all("input", "select", "textarea"):
            name, value = one.get("name"), one.get("value")
            if one.tag == "select":
                options = one.all("option")
                chosen = [o for o in options if "selected" in o.attributes] or options[:1]
                value = chosen[0].get("value", chosen[0].text) if chosen else ""
            elif one.tag == "textarea":
                value = "".join(str(line) for line in one.children).removeprefix("\n")
            elif one.get("type") == "file" or (
                one.get("type") in ("checkbox", "radio") and "checked" not in one.attributes
            ):
                continue
            data.setdefault(name, []).append(value)
        names = {one.get("name") for one in form.all("input", "select", "textarea")}
        for name, value in typed.items():
            if name not in names:
                raise NotOffered(f"no field is called {name}: {sorted(names)}")
            data[name] = value if isinstance(value, list) else [value]
        return data
