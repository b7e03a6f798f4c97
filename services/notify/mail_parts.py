"""The parts of an e-mail in the encodings in which they travel, and the whole of it as bytes. Pure.

Always holds: the bytes are those that Python's own generator writes of the same message. It finds
out anew of every letter what is known of all of them: which encoding is shorter, whether a boundary
stands in a part, where lines end.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from functools import lru_cache
from typing import Any

from services.notify.mail_policy import LINE, MAIL_POLICY

_ATOMS = r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*"
_PLAIN_ADDRESS = re.compile(f"{_ATOMS}@{_ATOMS}")
_BOUNDARY = "=_connecte"
"""No part contains it: of what is encoded, an equals sign is followed by something else."""


@dataclass(frozen=True, slots=True)
class Part:
    """One way to say what a letter says; its payload is encoded, and has bare line feeds."""

    kind: str
    encoding: str
    payload: str


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail: its headers in their order, and the same said in several ways, the plainest first.

    A header of two lines is a `ValueError` when it is written (`as_bytes`, `as_message`).
    """

    headers: Sequence[tuple[str, str | Address]]
    parts: Sequence[Part]

    def as_bytes(self) -> bytes:
        """As it is handed over: what Python's own generator makes of `as_message`."""
        return b"".join(self._written())

    def _written(self) -> Iterator[bytes]:
        for name, value in self.headers:
            yield MAIL_POLICY.fold_binary(*MAIL_POLICY.header_store_parse(name, value))
        yield b"\r\n"
        for part in self.parts:
            yield _head(part.kind, part.encoding)
            yield part.payload.replace("\n", "\r\n").encode("ascii")
            yield b"\r\n"
        yield f"--{_BOUNDARY}--\r\n".encode()

    def as_message(self) -> EmailMessage:
        """To be looked into."""
        parts = [_message(_headers(part.kind, part.encoding), part.payload) for part in self.parts]
        return _message(self.headers, parts)


def _message(headers: Iterable[tuple[str, Any]], payload: Any) -> EmailMessage:
    message = EmailMessage(policy=MAIL_POLICY)
    for name, value in headers:
        message[name] = value
    message.set_payload(payload)
    return message


ALTERNATIVES = (
    ("MIME-Version", "1.0"),
    ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
)
"""What tells that the parts of a mail say the same."""


def readable(subtype: str, text: str) -> Part:
    """A text that people read: most of it can be read as it travels."""
    return Part(f'text/{subtype}; charset="utf-8"', "quoted-printable", quoted(text))


def quoted(text: str) -> str:
    """A text as quoted-printable (RFC 2045), in the lines of Python's own encoder.

    That one looks up every character; `b2a_qp` does not, but breaks long lines elsewhere.
    """
    octets = ("\n".join(text.splitlines()) + "\n").encode()
    # An equals sign before the end of a line is a break of its own; a full stop is no harm here.
    encoded = b2a_qp(octets).replace(b"=\n", b"").replace(b"=2E", b".").decode("ascii")
    return "\n".join([line if len(line) <= LINE else _broken(line) for line in encoded.split("\n")])


def _broken(line: str) -> str:
    """A line in several; no octet is parted from its equals sign."""
    parts, start = [], 0
    while len(line) - start > LINE:
        end = start + LINE - 1
        if line[end - 1] == "=":
            end -= 1
        elif line[end - 2] == "=":
            end -= 2
        parts.append(line[start:end])
        start = end
    return "=\n".join((*parts, line[start:]))


def for_programs(method: str, calendar: str) -> Part:
    """A calendar, whose line ends and lengths count (RFC 6047)."""
    kind = f'text/calendar; charset="utf-8"; method="{method}"'
    return Part(kind, "base64", encodebytes(calendar.encode()).decode())


def _headers(kind: str, encoding: str) -> tuple[tuple[str, str], ...]:
    return ("Content-Type", kind), ("Content-Transfer-Encoding", encoding)


@lru_cache(maxsize=16)
def _head(kind: str, encoding: str) -> bytes:
    """What stands before a part; of a kind it is the same in every letter."""
    headers = (MAIL_POLICY.fold_binary(*header) for header in _headers(kind, encoding))
    return b"".join((f"--{_BOUNDARY}\r\n".encode(), *headers, b"\r\n"))


def address_of(name: str, email: str) -> Address:
    """Somebody's address. One as plain as nearly all of them need not be taken to its parts."""
    if not _PLAIN_ADDRESS.fullmatch(email):
        return Address(name, addr_spec=email)
    user, _, domain = email.partition("@")
    return Address(name, user, domain)
