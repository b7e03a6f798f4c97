"""What the pages of a session show: which one, when, and what comes next."""

from datetime import timedelta

from schemas.scheduling import ConfirmSession
from schemas.values import CohortPolicy
from services.chassis.http.links import Link
from services.scheduling.pages import LINK_PAGES
from services.scheduling.views import Cohort, Session
from tests.scenario import NOW

LINK = Link(
    purpose="session", cohort_id="c", person_id="g-1", side="manager", id="m-1~g-1~3", attempt=1
)


def test_a_session_is_told_with_its_number_its_date_and_its_hours():
    session = Session(
        id=LINK.id,
        cohort_id="c",
        pair_id="m-1~g-1",
        mentor_id="m-1",
        manager_id="g-1",
        number=3,
        attempt=1,
        revision=0,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        due_at=None,
    )
    cohort = Cohort(id="c", cohort_id="c", name="C", policy=CohortPolicy())
    for page in LINK_PAGES.values():
        said = {what.fr: how.fr for what, how in page.about(LINK, [session, cohort]).lines}
        assert said["Séance"] == "3 sur 5"
        assert said["Quand"].startswith("lundi 6") and "(heure de Paris)" in said["Quand"]


def test_of_a_session_that_cannot_be_read_only_whom_it_is_with_is_shown():
    assert [what.en for what, _ in LINK_PAGES["session"].about(LINK, []).lines] == ["With"]


def test_every_answer_has_what_comes_next():
    page = LINK_PAGES["session"]
    for answer in ("confirm", "reschedule", "cancel"):
        assert page.after(LINK, page.command(LINK, {"answer": answer}, "")) is not None
    told = page.after(LINK, ConfirmSession(cohort_id="c", session_id=LINK.id, by="manager"))
    assert told is not None and "si elle a eu lieu" in told.fr
