"""When answers that wait are counted: many people's at once, as sums of all of them.

Always holds: a count speaks of at least `policy.smallest_group` people who have answered all that
was asked; what cannot be opened now is kept.
"""

from schemas.feedback import AnswersCounted, Counted
from schemas.values import Side
from services.feedback.questionnaire import Kind
from services.feedback.sealing import Seal
from services.feedback.views import Group, Scores, Turnout

MOST_WAITING = 50
"""Answers of a group that wait for the next measure; with one more they are counted at once, so
that the document in which they wait stays small."""


def count(
    group: Group, turnout: Turnout, kind: Kind, side: Side, smallest: int, seal: Seal
) -> list[AnswersCounted]:
    """The count of all answers of a group that wait, if enough people are behind them.

    Where some cannot be opened, they are put aside: who is behind the others is not known apart, so
    those wait for as many people again.
    """
    if len(turnout.waiting_for) < smallest:
        return []
    waiting = {sealed: seal.open(sealed) for sealed in group.waiting}
    if lost := [sealed for sealed, scores in waiting.items() if scores is None]:
        return [_counted(group, kind, side, {}, (*group.unopened, *lost))]
    found = {**waiting, **{sealed: seal.open(sealed) for sealed in group.unopened}}
    opened = [scores for scores in found.values() if scores is not None]
    sums: dict[str, Counted] = {}
    for question in sorted({question for scores in opened for question in scores}):
        said = [scores[question] for scores in opened if question in scores]
        sums[question] = Counted(answers=len(said), total=sum(said))
    lost = [sealed for sealed, scores in found.items() if scores is None]
    return [_counted(group, kind, side, sums, tuple(lost))]


def _counted(
    group: Group, kind: Kind, side: Side, sums: dict[str, Counted], unopened: tuple[str, ...]
) -> AnswersCounted:
    return AnswersCounted(
        cohort_id=group.cohort_id, kind=kind, side=side, sums=sums, unopened=unopened
    )


def counted(group: Group, event: AnswersCounted) -> Group:
    """The group with what was counted, and what waits on."""
    scores = dict(group.scores)
    for question, more in event.sums.items():
        old = scores.get(question, Scores())
        scores[question] = Scores(answers=old.answers + more.answers, total=old.total + more.total)
    aside = frozenset(event.unopened)
    waiting = () if event.sums else tuple(one for one in group.waiting if one not in aside)
    update = {"scores": scores, "waiting": waiting, "unopened": event.unopened}
    return group.model_copy(update=update)


def answered(group: Group, sealed: str, replaces: str | None = None) -> Group:
    """The group with one more answer that waits, or with another in the place of one that did."""
    if replaces is None:
        return group.model_copy(update={"waiting": (*group.waiting, sealed)})
    waiting, unopened = (
        tuple(sealed if one == replaces else one for one in those)
        for those in (group.waiting, group.unopened)
    )
    return group.model_copy(update={"waiting": waiting, "unopened": unopened})
