"""The parts of an e-mail in the encodings in which they travel, and the whole of it as bytes. Pure.

Always holds: the bytes are those that Python's own generator writes of the same message. It finds
out anew of every letter what is known of all of them: which encoding is shorter, whether a boundary
stands in a part, where lines end.
"""

import re
from base64 import encodebytes
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.quoprimime import body_encode

from services.notify.mail_policy import LINE, MAIL_POLICY

_ATOMS = r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*"
_PLAIN_ADDRESS = re.compile(f"{_ATOMS}@{_ATOMS}")
_BOUNDARY = "=_connecte"
"""No part contains it: of what is encoded, an equals sign is followed by something else."""


def alternatives(message: EmailMessage, *parts: EmailMessage) -> None:
    """Make these the body of a message, the plainest first."""
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = f'multipart/alternative; boundary="{_BOUNDARY}"'
    message.set_payload(list(parts))


def readable(subtype: str, text: str) -> EmailMessage:
    """A text that people read: most of it can be read as it travels."""
    octets = "\n".join(text.splitlines()) + "\n"
    encoded = body_encode(octets.encode().decode("latin-1"), LINE)
    return _part(f'text/{subtype}; charset="utf-8"', "quoted-printable", encoded)


def for_programs(method: str, calendar: str) -> EmailMessage:
    """A calendar, whose line ends and lengths count (RFC 6047)."""
    kind = f'text/calendar; charset="utf-8"; method="{method}"'
    return _part(kind, "base64", encodebytes(calendar.encode()).decode())


def _part(kind: str, encoding: str, payload: str) -> EmailMessage:
    part = EmailMessage(policy=MAIL_POLICY)
    part["Content-Type"] = kind
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(payload)
    return part


def as_bytes(message: EmailMessage) -> bytes:
    """A message that has `alternatives`, as it is handed over."""
    return b"".join(_written(message))


def _written(message: EmailMessage) -> Iterator[bytes]:
    yield _head(message)
    for part in message.iter_parts():
        yield f"--{_BOUNDARY}\r\n".encode()
        yield _head(part)
        yield str(part.get_payload()).replace("\n", "\r\n").encode("ascii")
        yield b"\r\n"
    yield f"--{_BOUNDARY}--\r\n".encode()


def _head(message: MIMEPart) -> bytes:
    headers = (MAIL_POLICY.fold_binary(name, value) for name, value in message.raw_items())
    return b"".join((*headers, b"\r\n"))


def address_of(name: str, email: str) -> Address:
    """Somebody's address. One as plain as nearly all of them need not be taken to its parts."""
    if not _PLAIN_ADDRESS.fullmatch(email):
        return Address(name, addr_spec=email)
    user, _, domain = email.partition("@")
    return Address(name, user, domain)
