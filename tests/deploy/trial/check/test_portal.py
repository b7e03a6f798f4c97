"""What the check says of a portal, which need not be there, and once it is has to be whole."""

from deploy.trial.check.services import readers_of
from schemas.topics import PEOPLE
from tests.deploy.trial.check.builder import COHORT, Run, id_of
from tests.deploy.trial.check.stories import first, judged, names, short_run


def learned(run: Run, kind: str, **changes: object) -> None:
    """The portal notes a fact; `changes`: what it notes otherwise."""
    fact = first(run.records, kind)
    data = {"cohort_id": COHORT, "name": "Pilot", "policy": {"sessions": 2}, **changes}
    run.write("portal", kind, COHORT, data, cause=id_of(fact), copy=True)


def test_a_run_without_a_portal_is_judged_without_one() -> None:
    findings = judged(short_run())
    assert findings.clean
    assert readers_of(PEOPLE, ("matching", "notify")) == ("notify",)


def test_a_portal_with_a_journal_has_to_have_its_places_and_all_that_it_reads() -> None:
    run = short_run()
    learned(run, "CohortOpened")
    lost = judged(run).lost
    assert names(lost, "portal, partition", "no place, and the log has a journal")
    assert names(lost, "portal has not handled mentoring.matching.events")
    assert names(lost, f"portal has not handled {PEOPLE}")
    assert names(lost, f"portal has no document {COHORT}/{COHORT} in cohorts")


def test_what_a_portal_notes_is_what_was_published_once() -> None:
    run = short_run()
    learned(run, "CohortOpened", name="Another")
    learned(run, "CohortOpened")
    doubled = judged(run).doubled
    assert names(doubled, "is another version of CohortOpened")
    assert names(doubled, "was learned 2 times by portal")


def test_a_record_that_nobody_can_read_is_set_aside_by_the_portal_too() -> None:
    run = short_run()
    learned(run, "CohortOpened")
    stray = run.put("people", b"no contact", {}, key=f"{COHORT}/m-1")
    assert names(judged(run).lost, stray.origin, "was not set aside by portal")
