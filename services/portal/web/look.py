"""How the portal looks: its own style, the State's for sites that may use it, and the foot's links.

Always holds: a page asks nobody else for anything; the address of what a browser keeps changes with
what is in it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

from schemas.values import Language
from services.portal.phrases import Said, told

Theme = Literal["neutral", "state"]
Conformity = Literal["none", "partial", "full"]

_OWN = resources.files(__package__) / "templates"
STYLE = (_OWN / "portal.css").read_bytes()
STATE = (_OWN / "state.css").read_bytes()

TYPE = {"Marianne-Regular.woff2": 400, "Marianne-Bold.woff2": 700}
"""The files of the State's type, as its design system's package has them, and their weights."""

_CONFORMITY: Mapping[Conformity, Said] = {
    "none": told("Accessibilité : non conforme", "Accessibility: not compliant"),
    "partial": told("Accessibilité : partiellement conforme", "Accessibility: partly compliant"),
    "full": told("Accessibilité : totalement conforme", "Accessibility: fully compliant"),
}
_LEGAL = told("Mentions légales", "Legal notice")
_PERSONAL = told("Données personnelles", "Personal data")


@dataclass(frozen=True, slots=True)
class Foot:
    """Addresses of what a public site has to tell, None for none; and how accessible it is."""

    legal: str | None = None
    personal: str | None = None
    accessibility: str | None = None
    conformity: Conformity = "none"

    def links(self, language: Language) -> Iterator[tuple[str, str]]:
        """Words and address, in the order in which they stand."""
        linked = (
            (_CONFORMITY[self.conformity], self.accessibility),
            (_LEGAL, self.legal),
            (_PERSONAL, self.personal),
        )
        return ((words[language], address) for words, address in linked if address)


@dataclass(frozen=True, slots=True)
class Look:
    """A stylesheet, the type that comes with it (file to bytes), and the foot."""

    style: bytes = STYLE
    fonts: Mapping[str, bytes] = field(default_factory=dict)
    foot: Foot = field(default_factory=Foot)

    @property
    def style_path(self) -> str:
        """Where the stylesheet is."""
        return f"{kept_path(self.style)}.css"


def kept_path(content: bytes) -> str:
    """An address for what a browser may keep for ever, without what the file ends in."""
    return f"/style/{hashlib.sha256(content).hexdigest()[:12]}"


def look_of(theme: Theme, fonts: Path | None, foot: Foot) -> Look:
    """The look of a theme, with type from a folder that has been looked at (`missing_type`)."""
    if theme == "neutral":
        return Look(foot=foot)
    found = {} if fonts is None else {name: (fonts / name).read_bytes() for name in TYPE}
    named = {f"{kept_path(content)}.woff2": content for content in found.values()}
    faces = "".join(
        "@font-face { font-family: Marianne; font-display: swap; "
        f'font-weight: {weight}; src: url("{path}") format("woff2"); }}\n'
        for path, weight in zip(named, TYPE.values(), strict=False)
    )
    return Look(STYLE + STATE + faces.encode(), named, foot)


def missing_type(folder: Path) -> Sequence[str]:
    """The files of the State's type that a folder does not have."""
    return [name for name in TYPE if not (folder / name).is_file()]
