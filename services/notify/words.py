"""Reasons, tools and names in the words of a language. Pure."""

import unicodedata
from collections.abc import Sequence

from schemas.known import jobs
from schemas.known.tools import label
from schemas.saying import typeset
from schemas.values import REMOTE, FirstTool, Language, Profile, ScoreReason, Words

MOST_REASONS = 3


def card(post: str | None, profile: Profile | None, language: Language) -> str | None:
    """What somebody does, and where: `Cheffe de bureau · DAE · Paris Bercy`; None if unknown."""
    job = profile.job_family if profile else None
    what = post or (said(jobs.said(job), language) if job else None)
    where = (profile.directorate, site(profile.site, language)) if profile else ()
    return " · ".join(one_line(part) for part in (what, *where) if part) or None


def site(name: str, language: Language) -> str:
    """Where somebody works, or that they meet at a distance."""
    if name != REMOTE:
        return name
    return "à distance" if language == "fr" else "at a distance"


def best(reasons: Sequence[ScoreReason], language: Language) -> list[tuple[str, str]]:
    """The criteria that speak most for a pair, with what each comes from, the strongest first."""
    told = [reason for reason in reasons if reason.contribution > 0 and reason.words]
    told.sort(key=lambda reason: -reason.contribution)
    return [(r.criterion, said(r.words, language)) for r in told[:MOST_REASONS] if r.words]


def said(words: Words, language: Language) -> str:
    """A sentence that came in both languages."""
    return words.fr if language == "fr" else words.en


def sentence(text: str) -> str:
    """With a capital and a full stop: what was told when less was asked of it may have neither."""
    closed = text if text.endswith((".", "!", "?")) else f"{text}."
    return closed[:1].upper() + closed[1:]


def tools(begin: Sequence[FirstTool], language: Language) -> list[str]:
    """One line per tool to begin with: which, and why."""
    colon = " :" if language == "fr" else ":"
    lines = (f"{label(t.tool, language)}{colon} {said(t.words, language)}" for t in begin)
    return [typeset(line, language) for line in lines]


def one_line(text: str) -> str:
    """Text of unknown origin, made safe for a header: no control characters, no line breaks.

    Neither in disguise: a header's reader, and Python's own writer, decode `=?utf-8?q?=0D=0A?=`.
    """
    if text.isprintable():  # then its only space is a plain one
        return " ".join(text.split()).replace("=?", "= ?")
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return " ".join(spaced.split()).replace("=?", "= ?")
