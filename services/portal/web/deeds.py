"""What is done with somebody's part in a programme: a pause, its end, leaving, coming back.

Always holds: whoever asks for what is so already is told that it is; nothing is sent a second time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.base import Command
from schemas.matching import PauseMentor, ResumeMentor, WithdrawManager, WithdrawMentor
from schemas.taking_part import PauseManager, ResumeManager, ReturnManager, ReturnMentor
from services.portal.views import Participant


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done. `done`: whether it has been; `said`: what its notice is called.

    `own`: what its notice is called where somebody does it of themselves.
    """

    command: Command
    done: Callable[[Participant], bool]
    said: str
    own: str = ""


def deeds_of(person: Participant) -> dict[str, Deed]:
    """What can be done with somebody's part, by the name of its button."""
    mentor = {"cohort_id": person.cohort_id, "mentor_id": person.id}
    manager = {"cohort_id": person.cohort_id, "manager_id": person.id}
    gone = (None, "withdrawn")
    paused, resumed = ("pause-pour", "pause"), ("reprise-pour", "reprise")
    left, back = ("parti-pour", "parti"), ("revenu", "retour")
    return {
        "pause": Deed(PauseMentor(**mentor), lambda p: p.mentor_state == "paused", *paused),
        "reprise": Deed(
            ResumeMentor(**mentor), lambda p: p.mentor_state not in (*gone, "paused"), *resumed
        ),
        "quitter-mentor": Deed(
            WithdrawMentor(**mentor), lambda p: p.mentor_state == "withdrawn", *left
        ),
        "revenir-mentor": Deed(ReturnMentor(**mentor), lambda p: p.mentor_state not in gone, *back),
        "pause-manager": Deed(PauseManager(**manager), lambda p: p.paused, *paused),
        "reprise-manager": Deed(
            ResumeManager(**manager),
            lambda p: p.manager_state not in gone and not p.paused,
            *resumed,
        ),
        "quitter-manager": Deed(
            WithdrawManager(**manager), lambda p: p.manager_state == "withdrawn", *left
        ),
        "revenir-manager": Deed(
            ReturnManager(**manager), lambda p: p.manager_state not in gone, *back
        ),
    }
