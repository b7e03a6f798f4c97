"""Markdown that people write, as HTML of a page. Pure.

Always holds: nothing of it is markup of its own, a script or a picture from elsewhere; whatever is
written, headings begin under the page's and skip no level, and every heading and link has words.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from schemas.saying import typeset
from schemas.text import tidied
from schemas.values import Language

WORDS_A_MINUTE = 200
_READER = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).disable("image")


def html_of(text: str, language: Language) -> Markup:
    """What stands under the title of a page."""
    tokens = _READER.parse(typeset(text, language))
    for token in tokens:
        token.children = _named(token.children or [])
    html = _READER.renderer.render(_levelled(tokens), _READER.options, {})
    return Markup(html)  # noqa: S704  (no markup of its own passes)


def minutes_of(text: str) -> int:
    """How long it takes to read, 1 at least."""
    return max(1, -(-len(re.findall(r"\w+", text)) // WORDS_A_MINUTE))


def _seen(text: str) -> bool:
    """Whether there is anything to be read in it."""
    return bool(tidied(text))


def _levelled(tokens: list[Token]) -> list[Token]:
    """Headings from the second level on, each at most one below the one before; empty ones go."""
    kept: list[Token] = []
    level = 1
    at = 0
    while at < len(tokens):
        if tokens[at].type != "heading_open":
            kept.append(tokens[at])
            at += 1
            continue
        opened, words, closed = tokens[at : at + 3]
        if _seen("".join(child.content for child in words.children or ())):
            level = min(max(2, int(opened.tag[1])), level + 1)
            opened.tag = closed.tag = f"h{level}"
            kept += [opened, words, closed]
        at += 3
    return kept


def _named(children: list[Token]) -> list[Token]:
    """A link without words says where it leads."""
    named: list[Token] = []
    link: Token | None = None
    said = ""
    for child in children:
        if child.type == "link_open":
            link, said = child, ""
        elif child.type == "link_close" and link is not None and not _seen(said):
            named.append(Token("text", "", 0, content=str(link.attrGet("href"))))
        else:
            said += child.content
        named.append(child)
    return named
