"""How letters speak: plain, short, in one language; and what comes next, at the end of each."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy.operating.letter_examples import WRITTEN_AT
from deploy.operating.letters_preview import every_letter, people_of_example
from schemas import saying
from schemas.known.tools import tools
from schemas.values import Language
from services.notify.letters import TELLINGS
from services.notify.rendering import render
from services.notify.views import Letter
from tests.notify.facts import HEAD, PORTAL_LINKS, cohort
from tests.notify.test_rendering import part

LONGEST = 30
OTHERS: dict[Language, Language] = {"fr": "en", "en": "fr"}
SAME = {"agenda"}  # what the other language says, too, of something else


def letters() -> Iterator[tuple[str, Letter]]:
    for branch, letter in every_letter():
        yield f"{letter.template}-{branch}-{letter.side}", letter


ALL = [
    pytest.param(letter, language, id=f"{name}-{language}")
    for name, letter in letters()
    for language in ("fr", "en")
]


def told(letter: Letter, language: Language) -> list[str]:
    """The lines that somebody reads, the subject first; links and addresses are left out."""
    reader, others = people_of_example(letter, language)
    message = render(letter, reader, others, PORTAL_LINKS, cohort(), HEAD, WRITTEN_AT).as_message()
    lines = [str(message["Subject"]), *part(message, "text/plain").splitlines()]
    return [line for line in lines if not re.match(r"\s*\S*(https?:|@)\S*$", line)]


def sentences(line: str) -> list[str]:
    return re.split(r"(?<=[.!?…])\s+(?=\S)", line)


def of_the_other_language(language: Language) -> list[str]:
    """What the catalogue says in the other language, and not in this one."""
    ours = {getattr(tool, language).casefold() for tool in tools().values()} | SAME
    theirs = {getattr(tool, OTHERS[language]).casefold() for tool in tools().values()}
    return sorted(theirs - ours)


@pytest.mark.parametrize(("letter", "language"), ALL)
def test_a_letter_speaks_one_language_in_short_sentences_without_anything_left_open(
    letter: Letter, language: Language
) -> None:
    lines = told(letter, language)
    for line in lines:
        assert not re.search(r"\{\{|\}\}|\{%|%\}|\bNone\b|\[\w+\]|\b[mg]-0\d\d\b", line), line
        for foreign in of_the_other_language(language):
            assert not re.search(rf"\b{re.escape(foreign)}\b", line.casefold()), (foreign, line)
        for sentence in sentences(line):
            assert len(re.findall(r"\w[\w’'-]*", sentence)) <= LONGEST, sentence
    text = " ".join(lines)
    assert not re.search(r"cohorte?\b|round\b|projection|(erreur|niveau|level|points?) \d", text)


@pytest.mark.parametrize(("letter", "language"), ALL)
def test_every_letter_ends_with_what_happens_next(letter: Letter, language: Language) -> None:
    lines = [line for line in told(letter, language) if line]
    if letter.side and TELLINGS[letter.template].invitation is not None:
        assert len(lines) <= 4, "its subject, a line, what can be done, who writes"
        return
    [place] = [n for n, line in enumerate(lines) if line.startswith(("Et ensuite", "What next?"))]
    assert len(lines[place].split()) >= 6
    signature = saying.typeset("L’équipe de « ", "fr") if language == "fr" else "The “"
    assert lines[place + 1].startswith(signature)


def test_every_branch_of_an_event_is_among_the_examples() -> None:
    found = {(letter.template, name) for name, letter in letters()}
    for template, branch in (
        ("ManagerWaitlisted", "ManagerWaitlisted-competition-3-manager"),
        ("PairDissolved", "PairDissolved-cause-mentor-withdrew-manager"),
        ("SessionCancelled", "SessionCancelled-cause-request-by-none-mentor"),
        ("SessionPlanned", "SessionPlanned-attempt-2-manager"),
        ("SurveyOpened", "SurveyOpened-kind-end-mentor"),
    ):
        assert (template, branch) in found
    assert len({letter.template for _, letter in letters()}) == len({t for t, _ in found})


def test_whoever_waits_reads_no_mathematics_and_no_reproach() -> None:
    for name, letter in letters():
        text = " ".join(told(letter, "fr"))
        if letter.template == "ManagerWaitlisted":
            assert not re.search(r"\d+ (managers?|mentors?|places?)\b", text), name
        assert not re.search(r"(?i)sanction|manqué|retard|oubli|défaut|faute", text), name


def test_a_date_says_its_day_its_hour_and_its_time_zone() -> None:
    start = WRITTEN_AT + timedelta(days=1)
    said = saying.span(start, start + timedelta(hours=1), "fr").replace("\u00a0", " ")
    assert said == "mardi 7 mars 2017, de 10 h à 11 h (heure de Paris)"
