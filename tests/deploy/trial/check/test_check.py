"""What the independent check says of a whole run: of a clean one nothing, and its figures."""

from deploy.trial.check import Evidence, check
from tests.deploy.trial.check.builder import COHORT, PARTITIONS
from tests.deploy.trial.check.stories import judged, whole_run


def test_of_a_clean_run_nothing_is_said() -> None:
    findings = judged(whole_run())
    assert findings.lost == []
    assert findings.doubled == []
    assert findings.clean


def test_the_figures_are_counted_from_the_facts() -> None:
    run = whole_run()
    findings = judged(run)
    course = findings.figures.pop("letters_per_course")
    assert (course["courses"], course["of"], course["median"]) == (0, 2, None)
    assert findings.figures == {
        "cohorts": 1,
        "mentors": 2,
        "managers": 3,
        "pairs_formed": 2,
        "pairs_graduated": 1,
        "pairs_dissolved": 1,
        "sessions_completed": 2,
        "sessions_missed": 1,
        "surveys_answered": 1,
        "letters_sent": len(run.mails),
        "parked": 0,
        "refused": 1,
        "events": findings.events,
        "rollout": {
            COHORT: {"verdict": "withheld", "criteria": [{"name": "satisfaction"}]},
        },
    }
    assert findings.letters == len(run.mails) > 40
    assert findings.events == len([r for r in run.records if r.topic not in NOT_EVENTS])


NOT_EVENTS = ("mentoring.people", "mentoring.matching.commands")


def test_a_run_that_has_not_begun_is_clean() -> None:
    findings = check(Evidence(PARTITIONS))
    assert findings.clean
    assert findings.events == 0
