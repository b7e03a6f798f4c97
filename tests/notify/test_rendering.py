"""What a letter looks like: in both languages, as text, as HTML and in a calendar."""

import email
import re
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from icalendar import Calendar

from schemas import saying
from schemas.base import Event
from schemas.charter import CHARTER, Charter
from schemas.cohorts import PolicyChanged
from schemas.feedback import SurveyOpened
from schemas.matching import PairDissolved, PairProposed
from schemas.places import MeetingPlace
from schemas.scheduling import (
    SessionCancelled,
    SessionConfirmed,
    SessionEvent,
    SessionPlanned,
    SessionPostponed,
    SessionWithdrawn,
)
from schemas.values import CohortPolicy, Language
from services.notify.letters import LETTERS, TELLINGS, Told, event_of
from services.notify.mail_policy import MAIL_POLICY
from services.notify.proof import is_proof
from services.notify.rendering import Letterhead, UnusableAddress, render
from services.notify.views import Cohort, Letter
from tests.notify.facts import (
    ALEX,
    ATTENDANCE,
    CAMILLE,
    CANCELLED,
    COHORT,
    FACTS,
    FORMED,
    GAVE_WAY,
    HEAD,
    LINKS,
    MANAGER,
    MENTOR,
    OPENED,
    PAIR,
    PLANNED,
    PORTAL_LINKS,
    PROPOSED,
    RESCHEDULED,
    STARTS,
    VERIFIER,
    WAITLISTED,
    WAITS_FOR_ELSEWHERE,
    cohort,
    letters_for,
    person,
    session,
    survey,
)
from tests.scenario import NOW

ALL = [
    pytest.param(letter, language, other, id=f"{letter.id}-{language}{'' if other else '-alone'}")
    for event in FACTS
    for letter in letters_for(event)
    for language in ("fr", "en")
    for other in ((True,) if LETTERS[type(event)].introduces else (True, False))
]


def written(
    letter: Letter,
    language: Language = "fr",
    other: bool = True,
    of: Cohort | None = None,
    **change: Any,
) -> EmailMessage:
    """The letter as it is read at the other end."""
    people = {MENTOR: person(CAMILLE), MANAGER: person(ALEX)}
    me = people.pop(letter.person_id).model_copy(update={"language": language} | change)
    [them] = people.values()
    its, others = of or cohort(), {them.id: them} if other else {}
    message = render(letter, me, others, LINKS, its, HEAD, NOW).as_message()
    return email.message_from_bytes(message.as_bytes(policy=MAIL_POLICY), policy=policy.default)  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    (found,) = [p for p in message.walk() if p.get_content_type() == kind]
    content = found.get_content()  # type: ignore[attr-defined]
    return content.decode() if isinstance(content, bytes) else str(content)


def entry(message: EmailMessage) -> Any:
    (found,) = Calendar.from_ical(part(message, "text/calendar")).walk("VEVENT")
    return found


class Page(HTMLParser):
    """Counts what an HTML page opens and closes, and gathers its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.language: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag != "meta":
            self.open.append(tag)
        if tag == "html":
            self.language = found.get("lang")
        if tag == "a":
            self.links.append(found["href"] or "")
        self.loads += [
            value for name, value in found.items() if name in ("src", "srcset") and value
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("letter", "language", "other"), ALL)
def test_every_letter_can_be_read_in_both_languages(
    letter: Letter, language: Language, other: bool
) -> None:
    message = written(letter, language, other)
    text, page = part(message, "text/plain"), Page(part(message, "text/html"))
    name = "Camille Roux" if letter.side == "mentor" else "Alex O'Neil <b>"
    greeting = f"{'Bonjour' if language == 'fr' else 'Dear'} {name},"
    invitation = TELLINGS[letter.template].invitation is not None
    assert text.startswith(greeting) is not invitation
    assert (greeting in page.text) is not invitation
    assert message["Subject"]
    assert message["Subject"] in page.text
    assert (page.language, message["Content-Language"]) == (language, language)
    assert (page.open, page.loads) == ([], [])
    for shown in (text, page.text, message["Subject"]):
        assert "{{" not in shown
        assert "None" not in shown
        assert "\n\n\n" not in shown.replace("\r\n", "\n") or shown == page.text
    assert all(defect == [] for defect in (p.defects for p in message.walk()))


@pytest.mark.parametrize(("letter", "language", "other"), ALL)
def test_no_sentence_runs_into_the_next(letter: Letter, language: Language, other: bool) -> None:
    text = part(written(letter, language, other), "text/plain")
    prose = " ".join(line for line in text.splitlines() if "://" not in line and "@" not in line)
    assert not re.search(r"[a-zà-ÿ)»][.:!?][A-Za-zÀ-ÿ]{2,}|:[A-Za-zÀ-ÿ]{3,}", prose), prose


@pytest.mark.parametrize(("letter", "language", "other"), ALL)
def test_what_the_reader_can_do_is_a_url_on_a_line_of_its_own(
    letter: Letter, language: Language, other: bool
) -> None:
    message = written(letter, language, other)
    purpose = LETTERS[{type(e).__name__: type(e) for e in FACTS}[letter.template]].link
    urls = [
        line for line in part(message, "text/plain").splitlines() if line.startswith("https://")
    ]
    links = [url for url in Page(part(message, "text/html")).links if not url.startswith("mailto:")]
    assert links == urls
    assert [bool(purpose)] == [bool(urls)]
    if purpose:
        token = urls[0].split("/links/")[1].removesuffix(f"?lang={language}")
        link = VERIFIER.verify(token, NOW)
        assert (link.purpose, link.person_id, link.side) == (
            purpose,
            letter.person_id,
            letter.side,
        )
        assert link.cohort_id == COHORT


def first_told(letter: Letter) -> Told:
    first = next(letter.parts())
    return first, event_of(first)


def url_of(event: Event) -> tuple[str, Any]:
    letter = letters_for(event)[0]
    url = LINKS.of(letter, first_told(letter), "fr")
    assert url is not None
    base, token = url.removesuffix("?lang=fr").split("/links/")
    return base, VERIFIER.verify(token, NOW)


def test_a_link_leads_to_the_service_that_is_to_answer() -> None:
    base, link = url_of(PROPOSED)
    assert (base, link.id, link.attempt) == ("https://pairs.example.org", PAIR, None)
    base, link = url_of(session(SessionPlanned, attempt=2))
    assert (base, link.id, link.attempt) == ("https://sessions.example.org", f"{PAIR}~3", 2)
    base, link = url_of(ATTENDANCE)
    assert (base, link.purpose, link.attempt) == ("https://sessions.example.org", "attendance", 1)
    base, link = url_of(survey("end"))
    assert (base, link.id) == ("https://surveys.example.org", f"{PAIR}~end~manager")


# --- headers ----------------------------------------------------------------------------------


def test_the_headers_say_what_the_letter_is_and_when_it_was_written() -> None:
    letter = letters_for(PROPOSED)[0]
    message = written(letter)
    assert message["From"] == "Connecte ton manager <programme@example.org>"
    assert message["To"] == "Camille Roux <camille.roux@example.org>"
    assert message["Reply-To"] == "help@example.org"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["X-Connecte-Letter"], message["X-Connecte-Cohort"]) == (letter.id, COHORT)


def test_a_letter_has_the_word_by_which_it_is_known_when_it_comes_back() -> None:
    letter = letters_for(PROPOSED)[0]
    head = replace(HEAD, secret="hush")
    others = {MANAGER: person(ALEX)}
    message = render(letter, person(CAMILLE), others, LINKS, cohort(), head, NOW).as_message()
    assert is_proof(message["X-Connecte-Proof"], "hush", letter.key)
    assert not is_proof(message["X-Connecte-Proof"], "another", letter.key)
    assert written(letter)["X-Connecte-Proof"] is None


def test_long_ids_travel_whole() -> None:
    letter = letters_for(PROPOSED)[0].model_copy(update={"id": "x" * 240})
    message = render(
        letter, person(CAMILLE), {MANAGER: person(ALEX)}, LINKS, cohort(), HEAD, NOW
    ).as_message()
    assert f"X-Connecte-Letter: {'x' * 240}\r\n".encode() in message.as_bytes(policy=MAIL_POLICY)


def test_a_letter_written_twice_is_the_same_to_the_byte() -> None:
    letter = letters_for(PLANNED)[0]
    assert written(letter).as_bytes() == written(letter).as_bytes()


def test_a_message_id_is_that_of_one_letter_and_tells_nothing() -> None:
    ids = [
        written(letter)["Message-ID"]
        for event in (PROPOSED, PLANNED)
        for letter in letters_for(event)
    ]
    assert len(set(ids)) == 4
    for found in ids:
        assert re.fullmatch(r"<[0-9a-f]{40}@letters\.example\.org>", found)


@pytest.mark.parametrize(
    "name",
    ["Eve\r\nBcc: all@example.org", "Eve\nBcc: all@example.org", 'Eve "x", <y@z.org>', "Ève\x00"],
)
def test_a_name_cannot_add_a_header(name: str) -> None:
    message = written(letters_for(PROPOSED)[0], name=name)
    assert message["Bcc"] is None
    assert "\x00" not in part(message, "text/plain")
    assert [a.addr_spec for a in message["To"].addresses] == ["camille.roux@example.org"]


def test_a_name_cannot_add_html() -> None:
    html = part(written(letters_for(FORMED)[0]), "text/html")
    assert "O&#39;Neil &lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("address", ["a..b@example.org", "é@example.org", ".a@example.org"])
def test_an_address_that_no_e_mail_can_carry_is_said_to_be_unusable(address: str) -> None:
    with pytest.raises(UnusableAddress):
        written(letters_for(PROPOSED)[0], email=address)


def test_a_person_is_written_to_in_a_language_of_the_cohort() -> None:
    opened = OPENED.model_copy(update={"policy": CohortPolicy(languages=("fr",))})
    letter = letters_for(PLANNED)[1]
    message = render(
        letter, person(ALEX), {MENTOR: person(CAMILLE)}, LINKS, cohort(opened), HEAD, NOW
    ).as_message()
    assert message["Content-Language"] == "fr"


# --- words ------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Without typographic spaces."""
    return text.replace(saying.NBSP, " ").replace(saying.NARROW_NBSP, " ")


def test_a_proposal_is_about_a_person_and_says_why_in_three_sentences_at_most() -> None:
    mentor, manager = letters_for(PROPOSED)
    text = plain(part(written(mentor), "text/plain"))
    assert "Nous vous proposons d’accompagner Alex O'Neil <b>." in text
    assert "Achats publics · DAE · Bercy" in text
    assert "jusqu’au jeudi 16 mars 2017 à 10 h" in text
    [why] = re.findall(r"Pourquoi ce binôme \?\r\n((?:- .*\r\n)+)", text)
    assert why.splitlines() == [
        "- Vous maîtrisez ce que recherche Alex O'Neil <b> : LinkedIn et les documents partagés.",
        "- Vous travaillez dans deux directions différentes : DGFiP et DAE.",
        "- Vous avez 2 h libres en commun par semaine.",
    ]
    assert "Pour commencer :\r\n- LinkedIn : pour" in text
    assert "- LinkedIn : pour connaître les fournisseurs d’un marché" in text
    assert "points" not in text
    text = part(written(manager, "en"), "text/plain")
    assert "We propose Camille Roux as your mentor." in text
    assert "until Thursday 16\u00a0March 2017 at 10:00" in text
    assert "- Camille Roux masters what you want to learn: LinkedIn and shared documents." in text


def test_somebody_is_introduced_in_their_own_words_where_there_are_any() -> None:
    introduced = person(CAMILLE, post="Chargée de projet", presentation="J’aime expliquer.")
    [_, letter] = letters_for(PROPOSED)
    message = render(
        letter, person(ALEX), {MENTOR: introduced}, LINKS, cohort(), HEAD, NOW
    ).as_message()
    text = part(message, "text/plain")
    assert "Chargée de projet · DGFiP · Bercy\n“J’aime expliquer.”" in text.replace("\r", "")


def test_an_introduction_is_text_whatever_is_in_it() -> None:
    introduced = person(CAMILLE, presentation="<script>{{ name }}</script>")
    [_, letter] = letters_for(PROPOSED)
    message = render(
        letter, person(ALEX), {MENTOR: introduced}, LINKS, cohort(), HEAD, NOW
    ).as_message()
    assert "&lt;script&gt;{{ name }}&lt;/script&gt;" in part(message, "text/html")


def test_a_pair_made_by_hand_says_so_with_the_coordinators_reason_and_no_score() -> None:
    change = {"round_id": "by-hand", "chosen_because": "demandé par les deux"}
    [letter, _] = letters_for(PROPOSED.model_copy(update=change))
    text = plain(part(written(letter), "text/plain"))
    assert "La coordination du programme vous propose d’accompagner" in text
    assert "Raison donnée par la coordination : « demandé par les deux »." in text
    assert "Pourquoi ce binôme" not in text


def test_the_whole_calculation_is_one_link_away_for_a_year() -> None:
    [letter, _] = letters_for(PROPOSED)
    url = LINKS.explaining(letter, first_told(letter), "fr")
    assert url is not None and url in part(written(letter), "text/plain")
    link = VERIFIER.verify(
        url.split("/links/")[1].removesuffix("?lang=fr"), PROPOSED.expires_at + timedelta(days=364)
    )
    assert (link.purpose, link.id, link.person_id) == ("explanation", PAIR, MENTOR)
    planned = letters_for(PLANNED)[0]
    assert LINKS.explaining(planned, first_told(planned), "fr") is None


def test_whoever_waits_on_learns_why_and_their_place_on_the_list() -> None:
    [letter] = letters_for(WAITLISTED)
    text = plain(part(written(letter), "text/plain"))
    assert "Plus personne n’est libre.\r\n" in text
    assert "en 3e place sur la liste d’attente" in text
    assert "you are number 3 on the waiting list" in part(written(letter, "en"), "text/plain")


def test_a_new_pair_learns_each_others_addresses() -> None:
    mentor, manager = letters_for(FORMED)
    assert "\nalex@example.org\n" in part(written(mentor), "text/plain").replace("\r", "")
    page = Page(part(written(manager), "text/html"))
    assert page.links == ["mailto:camille.roux@example.org"]


def test_a_new_pair_is_told_the_charter_of_its_cohort() -> None:
    [letter, _] = letters_for(FORMED)
    assert CHARTER.fr in part(written(letter), "text/plain").replace("\xa0", " ")
    assert CHARTER.en in part(written(letter, "en"), "text/plain")
    ours = Charter(version="2017-01", fr="Nous nous\nécoutons.", en="We listen.")
    before, after = CohortPolicy(), CohortPolicy(charter=ours)
    for history in (
        [OPENED.model_copy(update={"policy": after})],
        [OPENED, PolicyChanged(cohort_id=COHORT, before=before, after=after)],
    ):
        told = part(written(letter, of=cohort(*history)), "text/plain")
        assert "Nous nous écoutons." in told
        assert CHARTER.fr not in told


def test_before_a_pair_is_formed_no_address_is_told() -> None:
    message = written(letters_for(PROPOSED)[0])
    assert "alex@example.org" not in message.as_string()


def test_the_reason_of_a_dissolution_is_not_passed_on() -> None:
    event = PairDissolved(
        cohort_id=COHORT,
        pair_id=PAIR,
        mentor_id=MENTOR,
        manager_id=MANAGER,
        cause="request",
        reason="cannot stand him",
    )
    for letter in letters_for(event):
        assert "cannot stand him" not in part(written(letter), "text/plain")


def test_whoever_asked_for_a_change_is_not_told_that_somebody_else_did() -> None:
    mentor, manager = letters_for(RESCHEDULED)
    assert "Comme vous l’avez demandé" in part(written(mentor), "text/plain")
    assert "Camille Roux a déplacé votre séance" in part(written(manager), "text/plain")


@pytest.mark.parametrize("event", [GAVE_WAY, WAITS_FOR_ELSEWHERE], ids=["moves", "waits"])
def test_who_gives_way_to_another_cohort_is_told_why_and_not_whose_session_it_is(
    event: SessionEvent,
) -> None:
    for letter in letters_for(event):
        french = part(written(letter, "fr"), "text/plain")
        assert "L’un de vous deux avait déjà une autre séance à la même heure" in french
        english = part(written(letter, "en"), "text/plain")
        assert "One of you already had another session at the same time" in english


def test_french_typography_keeps_high_punctuation_on_its_line() -> None:
    text = part(written(letters_for(ATTENDANCE)[0]), "text/plain")
    assert "a-t-elle eu lieu\u202f?" in text.lower()
    assert not re.search(r" [;:!?»]", text)


def test_attendance_says_until_when_it_can_be_told() -> None:
    text = plain(part(written(letters_for(ATTENDANCE)[0]), "text/plain"))
    assert "jusqu’au mardi 28 mars 2017 à 11 h" in text


def test_dates_are_written_out_in_paris_time() -> None:
    assert plain(saying.span(STARTS, STARTS.replace(minute=45), "fr")) == (
        "mardi 14 mars 2017, de 10 h à 10 h 45 (heure de Paris)"
    )
    assert plain(saying.day(STARTS.replace(day=1), "fr")) == "mercredi 1er mars 2017"
    assert plain(saying.day_and_time(STARTS.replace(month=7), "en")) == (
        "Friday 14 July 2017 at 11:00"
    )


# --- calendar ---------------------------------------------------------------------------------


INVITATIONS = [e for e in FACTS if isinstance(e, SessionEvent) and LETTERS[type(e)].invitation]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("event", INVITATIONS, ids=lambda e: f"{type(e).__name__}-{e.revision}")
def test_a_session_keeps_its_uid_and_counts_its_changes(
    event: SessionEvent, language: Language
) -> None:
    gone = isinstance(event, SessionCancelled | SessionPostponed | SessionWithdrawn)
    method = "CANCEL" if gone else "REQUEST"
    for letter in letters_for(event):
        message = written(letter, language)
        (found,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(part(message, "text/calendar"))
        invited = entry(message)
        assert calendar["METHOD"] == found.get_param("method") == method
        assert invited["UID"] == f"{COHORT}/{PAIR}~3@letters.example.org"
        assert invited["SEQUENCE"] == event.revision
        agreed = "CONFIRMED" if isinstance(event, SessionConfirmed) else "TENTATIVE"
        assert invited["STATUS"] == ("CANCELLED" if method == "CANCEL" else agreed)
        assert (invited["DTSTART"].dt, invited["DTEND"].dt) == (event.starts_at, event.ends_at)
        assert invited["DTSTART"].params["TZID"] == "Europe/Paris"
        assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]
        assert invited["DTSTAMP"].dt == NOW
        assert invited["ORGANIZER"] == "mailto:programme@example.org"
        assert {str(a) for a in invited["ATTENDEE"]} == {
            "mailto:camille.roux@example.org",
            "mailto:alex@example.org",
        }
        assert not calendar.errors


def invited_by(event: Event, answers: str | None) -> Any:
    head = Letterhead(HEAD.address, HEAD.domain, HEAD.contact, answers)
    letter = letters_for(event)[0]
    others = {MANAGER: person(ALEX)}
    return entry(render(letter, person(CAMILLE), others, LINKS, cohort(), head, NOW).as_message())


def test_an_answer_is_asked_for_where_somebody_reads_it() -> None:
    asked = invited_by(PLANNED, "answers@example.org")
    assert asked["ORGANIZER"] == "mailto:answers@example.org"
    assert {who.params["RSVP"] for who in asked["ATTENDEE"]} == {"TRUE"}
    not_asked = invited_by(PLANNED, None)
    assert {who.params["RSVP"] for who in not_asked["ATTENDEE"]} == {"FALSE"}


def test_a_session_is_tentative_until_both_have_confirmed_it() -> None:
    some = invited_by(PLANNED.model_copy(update={"confirmed_by": ("manager",)}), None)
    assert some["STATUS"] == "TENTATIVE"
    assert [who.params["PARTSTAT"] for who in some["ATTENDEE"]] == ["NEEDS-ACTION", "ACCEPTED"]
    both = invited_by(session(SessionConfirmed, by="mentor", both=True), None)
    assert both["STATUS"] == "CONFIRMED"
    assert {who.params["PARTSTAT"] for who in both["ATTENDEE"]} == {"ACCEPTED"}


def test_calendar_programs_remind_of_a_session_and_not_of_one_that_is_cancelled() -> None:
    [alarm] = invited_by(PLANNED, None).walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(minutes=-15)
    assert not invited_by(CANCELLED, None).walk("VALARM")


def test_the_invitation_leads_to_the_same_page_as_the_letter() -> None:
    letter = letters_for(PLANNED)[0]
    assert LINKS.of(letter, first_told(letter), "fr") in entry(written(letter))["DESCRIPTION"]


def test_a_cancellation_reaches_whoever_is_left() -> None:
    message = written(letters_for(CANCELLED)[0], other=False)
    assert str(entry(message)["ATTENDEE"]) == "mailto:camille.roux@example.org"


@pytest.mark.parametrize(
    "event", [e for e in FACTS if not LETTERS[type(e)].invitation], ids=lambda e: type(e).__name__
)
def test_other_letters_have_no_calendar_part(event: Event) -> None:
    for letter in letters_for(event):
        kinds = [p.get_content_type() for p in written(letter).walk()]
        assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_a_survey_says_that_it_is_optional_and_until_when() -> None:
    event = survey("session", "mentor")
    assert isinstance(event, SurveyOpened)
    text = plain(part(written(letters_for(event)[0]), "text/plain"))
    assert "Répondre est facultatif" in text
    assert "jusqu’au mardi 28 mars 2017 à 11 h" in text


def test_a_link_ends_with_what_it_is_about() -> None:
    assert isinstance(PROPOSED, PairProposed)
    letter = letters_for(PROPOSED)[0]
    url = LINKS.of(letter, first_told(letter), "en")
    assert url is not None
    with pytest.raises(Exception, match="expired"):
        VERIFIER.verify(url.split("/links/")[1].removesuffix("?lang=en"), PROPOSED.expires_at)


def calendar_at(place: MeetingPlace | None) -> Any:
    letter = letters_for(PLANNED)[0]
    assert isinstance(PLANNED, SessionPlanned)
    places = {} if place is None else {PLANNED.pair_id: place}
    me, them = person(CAMILLE), person(ALEX)
    message = render(letter, me, {them.id: them}, LINKS, cohort(), HEAD, NOW, places).as_message()
    [part] = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    plain = message.get_body(("plain",))
    assert plain is not None
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    return calendar.walk("VEVENT")[0], plain.get_content()


def test_where_a_session_takes_place_stands_in_the_letter_and_in_the_calendar() -> None:
    link = "https://visio.example/xyz"
    entry, text = calendar_at(MeetingPlace(at="link", link=link))
    assert link in text
    assert entry["LOCATION"] == link
    assert entry["CONFERENCE"] == link
    assert entry["CONFERENCE"].params["VALUE"] == "URI"


def test_an_office_is_a_location_and_no_conference() -> None:
    entry, text = calendar_at(MeetingPlace(at="manager_office"))
    assert "Lieu : au bureau du manager" in text.replace("\xa0", " ")
    assert entry["LOCATION"] == "au bureau du manager"
    assert "CONFERENCE" not in entry


def test_of_a_place_that_nobody_knows_nothing_is_said() -> None:
    entry, text = calendar_at(None)
    assert "Lieu" not in text
    assert "LOCATION" not in entry


def test_at_the_end_of_a_letter_are_the_ways_to_pause_to_leave_and_to_another_partner() -> None:
    part_page = f"https://portal.example.org/mon-espace/{COHORT}/participation"
    another = f"https://portal.example.org/mon-espace/{COHORT}/binomes/{PAIR}/autre"
    for event, ways in ((FORMED, {part_page, another}), (PROPOSED, {part_page})):
        [letter, _] = letters_for(event)
        others = {ALEX.person_id: person(ALEX)}
        message = render(
            letter, person(CAMILLE), others, PORTAL_LINKS, cohort(), HEAD, NOW
        ).as_message()
        for kind in ("text/plain", "text/html"):
            assert {url for url in (part_page, another) if url in part(message, kind)} == ways
