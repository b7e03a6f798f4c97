"""What the services tell of the programme, as figures over processes.

These figures stand in the databases, and each process tells those of the partitions that it owns.
So they are summed over processes first, and only then compared with what they were: `rate` and
`increase` would take a partition that changes hands for a loss here and a gain there.
"""

OURS = 'job=~"$job"'
COHORT = f'{OURS},cohort=~"$cohort"'
BEGAN = 'state=~"formed|graduated|dissolved"'


def total(measure: str, *conditions: str) -> str:
    """Over the chosen cohorts; 0 where there is nothing yet."""
    return f"sum({measure}{{{','.join((COHORT, *conditions))}}}) or vector(0)"


def by(label: str, measure: str, *conditions: str) -> str:
    """Over the chosen cohorts, for each value of a label."""
    return f"sum by ({label}) ({measure}{{{','.join((COHORT, *conditions))}}})"


def mean(question: str, kind: str) -> str:
    """What managers answered to a question, as published, over the chosen cohorts."""
    asked = f'side="manager",question="{question}",kind="{kind}"'
    return f"avg(mentoring_survey_mean{{{COHORT},{asked}}})"
