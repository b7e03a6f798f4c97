"""What a check has found, in sentences that name what they speak of by id.

`lost`: something is missing that ought to be there, the cause of an effect included. `doubled`:
something is there twice, in two versions, or beyond what there may be.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Report:
    """The findings as they come up."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Findings:
    """The answer: was anything lost, was anything doubled; and how much was looked at.

    - `parked`: records that a service set aside; what they would have led to is not missed.
    - `events`: events in the log, each counted once; `redelivered`: how often one was there again.
    - `letters`: letters in the mailbox, each counted once; `redelivered_letters`: how often one
      was handed over again under its first Message-ID, which mail systems drop.
    - `figures`: cohorts, mentors, managers, pairs_formed, pairs_graduated, pairs_dissolved,
      sessions_completed, sessions_missed, surveys_answered, letters_sent, parked, refused, events
      (all int), `letters_per_course`: {"courses", "of", "median", "maximum", "disturbed"} of the
      letters that somebody reads in a course that nothing disturbs (`courses` are), and `rollout`:
      cohort to {"verdict": "recommended" | "withheld", "criteria": […]}.
    """

    lost: list[str]
    doubled: list[str]
    parked: int
    events: int
    redelivered: int
    letters: int
    redelivered_letters: int
    figures: dict[str, Any]

    @property
    def clean(self) -> bool:
        """Nothing lost and nothing doubled."""
        return not self.lost and not self.doubled
