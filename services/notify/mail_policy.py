"""How an e-mail is written to bytes: lines, names and subjects as mail servers like them. Pure."""

import re
from binascii import b2a_base64
from collections.abc import Iterator
from email import policy
from email.headerregistry import Address, HeaderRegistry
from functools import lru_cache
from typing import Any

LINE = 76
_WORD = len("=?utf-8?b??=")
"""What an encoded word has beside what it says."""

_OF_PARTS = {"content-type", "content-transfer-encoding", "mime-version"}
"""Headers that say the same in nearly every letter."""
_OF_MANY = {*_OF_PARTS, "auto-submitted", "content-language", "reply-to"}
"""These, and others that do in whole letters."""


class _Headers(HeaderRegistry):
    """As Python's own, which makes a class anew for every header, and reads the same ones again."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}
        self._known = lru_cache(64)(super().__call__)

    def __getitem__(self, name: str) -> Any:
        name = name.lower()
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]

    def __call__(self, name: str, value: Any) -> Any:
        read = self._known if name.lower() in _OF_PARTS else super().__call__
        return read(name, value)


class _Mail(policy.EmailPolicy):
    """Lines as RFC 2045, 2047 and 5322 have them: 76 at most where they are folded or encoded.

    Names and subjects are folded here, for Python's own policy loses the quotes of a name that it
    folds. An id or an address stays whole, for it has no place to fold it at: as an encoded word
    not every reader would know it. It is shorter than the 998 that a line may have.

    A header is kept as it was given: it is taken to its parts when somebody reads it, which takes
    longer than all the rest of a letter, and whoever only sends one never does.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if isinstance(value, str) and len(value.splitlines()) > 1:
            raise ValueError(f"{name} has more than one line")
        return name, value

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        if isinstance(value, Address):
            return self.header_factory(name, value)
        return super().header_fetch_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        match name.lower():
            case "from" | "to":
                [one] = [value] if isinstance(value, Address) else value.addresses
                folded = _mailbox(name, one.display_name, one.addr_spec)
            case "subject":
                folded = f"{name}: {_said(name, str(value))}"
            case "x-connecte-tells" if value.isascii():
                folded = "\r\n ".join([f"{name}:", *value.split()])
            case "message-id" | "x-connecte-letter" | "x-connecte-cohort" if value.isascii():
                folded = f"{name}: {value}"
            case _ if isinstance(value, str) and not value.isascii():
                folded = (
                    self.header_factory(name, value).fold(policy=self).removesuffix(self.linesep)
                )
            case _:
                folded = str(super().fold(name, value)).removesuffix(self.linesep)
        return folded + self.linesep

    def fold_binary(self, name: str, value: Any) -> bytes:
        fold = _folded_once if name.lower() in _OF_MANY else self.fold
        return fold(name, value).encode("ascii")  # as it is without SMTPUTF8


@lru_cache(maxsize=64)
def _folded_once(name: str, value: str) -> str:
    return MAIL_POLICY.fold(name, value)


def _mailbox(header: str, name: str, address: str) -> str:
    """A header with a name and an address; the address has a line of its own if it has to."""
    if not name:
        return f"{header}: {address}"
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    simple = name if re.fullmatch(r"[\w'*+/ -]+", name, re.ASCII) else quoted
    said = f"{header}: {_said(header, name, simple)}"
    space = " " if len(said.rpartition("\r\n")[2]) + len(address) + 3 <= LINE else "\r\n "
    return f"{said}{space}<{address}>"


def _said(header: str, text: str, plain: str | None = None) -> str:
    """A text in a header: as it is, if it can be, or as encoded words on lines of their own."""
    plain = text if plain is None else plain
    fits = len(header) + 2 + len(plain) <= LINE
    if fits and plain.isascii() and plain.isprintable() and "=?" not in plain:
        return plain
    return "\r\n ".join(_words(text.encode(), len(header) + 2))


def _words(octets: bytes, taken: int) -> Iterator[str]:
    """Encoded words (RFC 2047) in base64, each a line; `taken` of the first one already is.

    As Python's own `Header` has them, which encodes a word anew for every character of it. No
    character is parted.
    """
    start = 0
    while start < len(octets):
        end = start + (LINE - taken - _WORD) // 4 * 3
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        said = b2a_base64(octets[start:end], newline=False).decode()
        yield f"=?utf-8?b?{said}?="
        start, taken = end, 1


MAIL_POLICY = _Mail(max_line_length=LINE, linesep="\r\n", header_factory=_Headers())
