"""Links of letters that are revoked: by whom, which, and what is kept of it."""

import pytest

from schemas.links import MOST_SINGLE, LinksRevoked, OneLink, RevokeLinks
from schemas.rights import rights
from services.chassis.documents import RevokedLinks
from services.matching.views import Manager
from tests.matching.given import decided, manager, mentor, scenario, the
from tests.scenario import refusal

SESSION = OneLink(purpose="session", id="m1~g1~1")
SURVEY = OneLink(purpose="survey", id="m1~g1~s1~mentor")


def revoke(link: OneLink | None = None, who: str = "m1") -> RevokeLinks:
    return RevokeLinks(cohort_id="c", person_id=who, link=link)


def test_each_revocation_of_a_person_has_the_next_number_be_it_of_one_link_or_of_all() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    wishes = [revoke(SESSION), revoke(), revoke(), revoke(SURVEY), revoke(who="g1")]
    events = [event for wish in wishes for event in decided(found.when(wish))]
    assert [(e.person_id, e.number, e.link) for e in events if isinstance(e, LinksRevoked)] == [
        ("m1", 1, SESSION),
        ("m1", 2, None),
        ("m1", 3, None),
        ("m1", 4, SURVEY),
        ("g1", 1, None),
    ]


def test_what_was_written_before_counts_no_more_and_what_was_written_after_does() -> None:
    found = scenario(mentor("m1"))
    found.when(revoke(SESSION))
    known = the(found, RevokedLinks, "m1")
    assert not known.counts(SESSION.name, 0), "it was revoked"
    assert known.counts(SESSION.name, 1), "it is in a letter of after"
    assert known.counts(SURVEY.name, 0), "others go on"

    found.when(revoke())
    known = the(found, RevokedLinks, "m1")
    assert not any(known.counts(link.name, 1) for link in (SESSION, SURVEY))
    assert all(known.counts(link.name, 2) for link in (SESSION, SURVEY))

    found.when(revoke(SURVEY))
    known = the(found, RevokedLinks, "m1")
    assert known.counts(SESSION.name, 2) and not known.counts(SURVEY.name, 2)


def test_nobody_who_takes_no_part_has_links() -> None:
    assert refusal(scenario(mentor("m1")).when(revoke(who="m2"))) == "unknown-person"


def test_whoever_has_left_can_still_revoke_theirs() -> None:
    gone = scenario(manager("g1"))
    left = the(gone, Manager, "g1").model_copy(update={"state": "withdrawn"})
    gone.state.apply([left])
    assert len(decided(gone.when(revoke(who="g1")))) == 1


def test_so_many_single_links_are_kept_and_all_of_them_make_room_again() -> None:
    found = scenario(mentor("m1"))
    some = [OneLink(purpose="session", id=f"m1~g{n}~2") for n in range(MOST_SINGLE)]
    for link in some:
        found.when(revoke(link))
    assert refusal(found.when(revoke(SESSION))) == "too-many-links"
    assert len(decided(found.when(revoke(some[0])))) == 1, "it has its place"
    found.when(revoke())
    assert the(found, RevokedLinks, "m1").single == ()
    assert len(decided(found.when(revoke(SESSION)))) == 1


@pytest.mark.parametrize(
    ("role", "rows"),
    [
        *(("participant", "own"), ("coordinator", "cohorts"), ("administrator", "cohorts")),
        *(("partner", None), ("assistant", None), ("operator", None)),
    ],
)
def test_who_may_ask_for_it(role: str, rows: str | None) -> None:
    table = rights("matching", "POST", "/commands/RevokeLinks")
    assert table is not None
    assert dict(table).get(role) == rows  # type: ignore[call-overload]
