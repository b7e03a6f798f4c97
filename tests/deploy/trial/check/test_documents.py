"""What the check says of documents that do not say what the log says."""

from dataclasses import replace

import pytest

from tests.deploy.trial.check.builder import COHORT
from tests.deploy.trial.check.stories import judged, only_lost, whole_run


@pytest.mark.parametrize(
    ("service", "collection", "id", "field", "value"),
    [
        ("matching", "pairs", "m-1~g-1", "state", "formed"),
        ("matching", "mentors", "m-1", "engaged", ["m-1~g-2"]),
        ("scheduling", "sessions", "m-1~g-1~2", "state", "planned"),
        ("scheduling", "outcomes", "m-1~g-1~1~1", "outcome", "completed"),
        ("feedback", "surveys", "m-1~g-1~end~mentor", "state", "answered"),
        ("feedback", "cohorts", COHORT, "sessions_completed", 3),
        ("feedback", "turnouts", "all", "opened", 1),
        ("notify", "letters", "PairFormed:m-1~g-1:m-1", "state", "queued"),
    ],
)
def test_a_document_that_disagrees_with_the_log_is_lost(
    service: str, collection: str, id: str, field: str, value: object
) -> None:
    run = whole_run()
    run.row(service, collection, id, **{field: value})
    only_lost(judged(run), service, f"{field} of {COHORT}/{id} in {collection}")


@pytest.mark.parametrize(
    ("service", "collection", "id"),
    [
        ("matching", "rounds", "r-1"),
        ("matching", "refusals", "sent-177"),
        ("scheduling", "pairs", "m-1~g-2"),
        ("feedback", "pairs", "m-1~g-2"),
        ("notify", "people", "g-3"),
    ],
)
def test_a_document_that_is_missing_is_lost(service: str, collection: str, id: str) -> None:
    run = whole_run()
    del run.rows[service][collection][id]
    only_lost(judged(run), service, f"no document {COHORT}/{id} in {collection}")


def test_a_document_that_nothing_in_the_log_accounts_for_is_lost() -> None:
    run = whole_run()
    run.row("matching", "managers", "g-9")
    only_lost(judged(run), "matching has a document", "g-9", "no cause")


def test_a_service_without_its_database_has_lost_all() -> None:
    findings = judged(
        whole_run(),
        lambda evidence: replace(evidence, databases={**evidence.databases, "feedback": {}}),
    )
    only_lost(findings, "feedback", "the database has no place, and the log has a journal")


def test_an_erased_person_is_not_missing() -> None:
    run = whole_run()
    run.put("people", None, {}, key=f"{COHORT}/g-3")
    del run.rows["notify"]["people"]["g-3"]
    assert judged(run).clean
