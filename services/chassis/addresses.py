"""What addresses and tokens in settings look like: checked at the start, in words that say how.

Always holds: no word of it is what was given, which may hold a password.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr


def an_address(given: str) -> str:
    """The text, if a letter could go there; ValueError says what one looks like."""
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", given):
        raise ValueError("an e-mail address looks like contact@programme.example")
    return given


def _url(given: str) -> str:
    if not re.fullmatch(r"https?://[^\s]*[^/\s]", given):
        raise ValueError("an address looks like https://mentorat.example, no slash at its end")
    return given


def _brokers(given: str) -> str:
    broker = r"\s*(\[[0-9A-Fa-f:.]+\]|[^\s:,/\[\]]+)(:[0-9]{1,5})?\s*"
    if given and not re.fullmatch(rf"{broker}(,{broker})*", given):
        raise ValueError("brokers look like kafka-1:9092,kafka-2:9092")
    return given


def _mongodb(given: SecretStr) -> SecretStr:
    address = given.get_secret_value()
    if address and not address.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("an address begins with mongodb:// or mongodb+srv://")
    return given


def a_token(given: str) -> str:
    """A token as a header carries it; ValueError where none could.

    The end of the line, which a file or an `echo` leaves in a Secret, is no part of it.
    """
    token = given.rstrip("\r\n")
    if not token.isascii() or not token.isprintable() or token != token.strip():
        raise ValueError("no header carries it: signs of ASCII alone, in one line, no space around")
    return token


def _token(given: SecretStr) -> SecretStr:
    return SecretStr(a_token(given.get_secret_value()))


MailAddress = Annotated[str, AfterValidator(an_address)]
Url = Annotated[str, AfterValidator(_url)]
"""Where a service is reached: no slash at the end."""
Brokers = Annotated[str, AfterValidator(_brokers)]
MongoDb = Annotated[SecretStr, AfterValidator(_mongodb)]
Token = Annotated[SecretStr, AfterValidator(_token)]
