# ruff: noqa: E501  # texts of other files stand here as they are
"""The tree as a next version would be, with a change of every kind that an upgrade has to bear.

Always holds: each text that is changed stands exactly once in today's tree.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("services", "schemas", "deploy")

CHANGES: tuple[tuple[str, str, str], ...] = (
    # A field more in a public event, which today's readers do not know.
    (
        "schemas/scheduling.py",
        '''    """A session has its time: the first, or a new one after it was missed or cancelled."""
''',
        '''    """A session has its time: the first, or a new one after it was missed or cancelled."""

    room: Annotated[str | None, described("Where.", "B-12")] = None
''',
    ),
    (
        "services/scheduling/planning.py",
        "                SessionPlanned,\n                line,\n",
        '                SessionPlanned,\n                line,\n                room="B-12",\n',
    ),
    # A second version of an event's type, published in both for a period.
    (
        "schemas/scheduling.py",
        '''    """A session took place."""

''',
        '''    """A session took place."""

    version: ClassVar[int] = 2
    minutes: Annotated[int, described("How long it took.", 60)]
''',
    ),
    (
        "services/scheduling/attendance.py",
        "    events: list[Event] = [agenda.session_event(SessionCompleted, line, **more)]\n",
        """    events: list[Event] = [
        agenda.session_event(SessionCompleted, line, **more, minutes=60),
        PairPraised(cohort_id=agenda.pair.cohort_id, pair_id=agenda.pair.id),
    ]
""",
    ),
    (
        "schemas/upcasting.py",
        "UPCASTS: dict[tuple[str, int], Upcast] = {\n",
        """UPCASTS: dict[tuple[str, int], Upcast] = {
    ("SessionCompleted", 1): Upcast(
        lambda old: {**old, "minutes": 60},
        lambda new: {name: new[name] for name in new if name != "minutes"},
        date(2018, 3, 1),
    ),
""",
    ),
    # A type more on a public topic.
    (
        "schemas/scheduling.py",
        "class PlanningBegan(PairEvent):\n",
        '''class PairPraised(Event):
    """A pair held a session: well done."""

    audience = "public"
    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId


class PlanningBegan(PairEvent):
''',
    ),
    (
        "services/scheduling/evolution.py",
        "    PairGraduated,\n    PairStalled,\n",
        "    PairGraduated,\n    PairPraised,\n    PairStalled,\n",
    ),
    (
        "services/scheduling/evolution.py",
        "EVOLUTION: Evolution = {\n",
        "EVOLUTION: Evolution = {\n    PairPraised: lambda *_: (),\n",
    ),
    (
        "services/scheduling/attendance.py",
        "    SessionCompleted,\n",
        "    PairPraised,\n    SessionCompleted,\n",
    ),
    # A field more in a document, and an index over it.
    (
        "services/scheduling/views.py",
        "    asked: bool = False\n",
        "    asked: bool = False\n    weekday: str | None = None\n",
    ),
    (
        "services/scheduling/views.py",
        '        ("cohort_id", "state", "starts_at"),\n',
        '        ("cohort_id", "state", "starts_at"),\n        ("cohort_id", "weekday"),\n',
    ),
    (
        "services/scheduling/evolution.py",
        "        state=state,\n        **more,\n",
        '        state=state,\n        weekday=event.starts_at.strftime("%A"),\n        **more,\n',
    ),
    # A field more in a command, which the pages of letters send.
    (
        "schemas/scheduling.py",
        '    by: Side\n    held: Annotated[bool, described("Whether it took place.", True)]\n',
        '    by: Side\n    held: Annotated[bool, described("Whether it took place.", True)]\n'
        '    remark: Annotated[str | None, described("What was learned.", "Tags")] = None\n',
    ),
)


def write_next_version(directory: Path) -> dict[str, str]:
    """Make the tree in a directory; the settings with which a process runs it."""
    for name in COPIED:
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, directory / name, ignore=unwanted)
    for file, before, after in CHANGES:
        path = directory / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"its text stands {text.count(before)} times in {file}"
        path.write_text(text.replace(before, after), encoding="utf-8")
    return {"PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
