"""How simulated people decide: one population, however what they decide is carried out.

Those of the demo, the drills and the chaos run act through pages, those of the bulk cohorts through
commands, those of the simulation inside its one process. What differs between these, such as when
somebody gets round to it and what nobody should ever send, is theirs.

Always holds: what somebody does depends on the seed, on who they are and on what it is about, never
on when or how often it is asked. Nothing is remembered here, and there is no clock.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["mentor", "manager"]
SIDES: tuple[Side, Side] = ("mentor", "manager")

_LIKES = (0.03, 0.07, 0.15, 0.4, 0.35)
"""People like the programme, mostly: how likely each score is, from the lowest."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody says to something, and after how many days."""

    days: float
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """Everybody's, of one seed. A `subject` is the id of a pair, a session or a survey."""

    seed: int

    def chance(self, *about: str) -> random.Random:
        """Fate: always the same for the same thing."""
        return random.Random(":".join((str(self.seed), *about)))  # noqa: S311  # no secret

    def proposal(self, cohort: str, subject: str, person: str) -> Reaction | None:
        """accept or decline; None: they never answer, and it expires."""
        chance = self.chance("proposal", cohort, subject, person)
        mood = chance.random()
        if mood < 0.02:
            return None
        return Reaction(chance.uniform(0.1, 3), "decline" if mood < 0.06 else "accept")

    def session(self, cohort: str, subject: str, person: str) -> Reaction | None:
        """confirm, reschedule, to (a time they are offered), propose (one of their own) or cancel.

        None: they just come; but the first date, on which all others rest, most confirm.
        """
        chance = self.chance("session", cohort, subject, person)
        mood = chance.random()
        is_first = subject.rpartition("~")[2].partition(".")[0] == "1"
        if mood > (0.95 if is_first else 0.5):
            return None
        answer = "confirm"
        for most, other in ((0.02, "cancel"), (0.04, "reschedule"), (0.06, "to"), (0.1, "propose")):
            if mood < most:
                answer = other
                break
        return Reaction(chance.uniform(0.1, 2), answer)

    def move(self, cohort: str, subject: str, person: str) -> Reaction | None:
        """accept, decline or propose, to a date that the other proposes; None: no answer."""
        chance = self.chance("move", cohort, subject, person)
        mood = chance.random()
        if mood > 0.9:
            return None
        answer = "propose" if mood < 0.1 else "decline" if mood < 0.35 else "accept"
        return Reaction(chance.uniform(0.1, 1), answer)

    def objects(self, cohort: str, subject: str, person: str) -> bool:
        """Whether they object to a move that took effect without them."""
        return self.chance("object", cohort, subject, person).random() < 0.15

    def misses(self, cohort: str, subject: str) -> int:
        """How often a session does not take place before it does."""
        mood = self.chance("held", cohort, subject).random()
        return 2 if mood < 0.02 else 1 if mood < 0.12 else 0

    def reporters(self, cohort: str, subject: str) -> Sequence[Side]:
        """Who of the two says whether a session took place: one of them, now and then both."""
        chance = self.chance("held", cohort, subject)
        chance.random()  # whether it does
        mentor, manager = SIDES
        return chance.choice(((mentor,), (manager,), SIDES))

    def is_silent(self, cohort: str, subject: str) -> bool:
        """Whether neither of the two says whether a session took place."""
        return self.chance("silent", cohort, subject).random() < 0.04

    def errs(self, cohort: str, subject: str, person: str) -> bool:
        """Whether they say the contrary first, and correct it when they are told what it led to."""
        return self.chance("errs", cohort, subject, person).random() < 0.04

    def report_days(self, cohort: str, subject: str, person: str) -> float:
        """After how many days they say so."""
        return self.chance("report", cohort, subject, person).uniform(0.1, 3)

    def survey(self, cohort: str, subject: str) -> Reaction | None:
        """Whether they answer at all, which nobody has to."""
        chance = self.chance("survey", cohort, subject)
        if chance.random() > 0.8:
            return None
        return Reaction(chance.uniform(0.1, 3))

    def scores(
        self, cohort: str, subject: str, questions: Mapping[str, Sequence[str]], again: str = ""
    ) -> dict[str, str]:
        """An answer to each question, out of what can be answered, the lowest first."""
        chance = self.chance("scores", cohort, subject, *([again] if again else []))
        return {
            question: chance.choices(values, _LIKES[-len(values) :])[0]
            for question, values in questions.items()
        }

    def thinks_again(self, cohort: str, subject: str) -> Reaction | None:
        """Whether they change what they answered, so many days after that; None: they do not."""
        chance = self.chance("again", cohort, subject)
        return Reaction(chance.uniform(0, 2)) if chance.random() < 0.15 else None

    def leaves(self, cohort: str, person: str) -> bool:
        """Whether they leave the programme once they have been paired."""
        return self.chance("leave", cohort, person).random() < 0.02

    def goes_away(self, cohort: str, subject: str, person: str) -> bool:
        """Whether they learn that they are on leave when a session is planned."""
        return self.chance("away", cohort, subject, person).random() < 0.03

    def changes_week(self, cohort: str, subject: str, person: str) -> bool:
        """Whether another week suits them better from then on."""
        return self.chance("week", cohort, subject, person).random() < 0.05

    def by_calendar(self, cohort: str, subject: str, person: str) -> str | None:
        """What they answer by the buttons of their calendar program; None: they use the letter."""
        mood = self.chance("calendar", cohort, subject, person).random()
        for most, says in ((0.06, "ACCEPTED"), (0.08, "DECLINED"), (0.1, "COUNTER")):
            if mood < most:
                return says
        return "TENTATIVE" if mood < 0.11 else None

    def is_full(self, cohort: str, subject: str, person: str) -> bool:
        """Whether their mailbox is full when a letter comes, so that it comes back."""
        return self.chance("full", cohort, subject, person).random() < 0.01

    def has_assistant(self, cohort: str, person: str) -> bool:
        """Whether somebody keeps their calendar for them."""
        return self.chance("assistant", cohort, person).random() < 0.1

    def assists(self, cohort: str, subject: str, person: str) -> Reaction | None:
        """confirm, to (a time they are offered) or cancel, on behalf; None: nothing."""
        chance = self.chance("assists", cohort, subject, person)
        mood = chance.random()
        if mood > 0.6:
            return None
        answer = "to" if mood < 0.1 else "cancel" if mood < 0.13 else "confirm"
        return Reaction(chance.uniform(0.1, 1), answer)
