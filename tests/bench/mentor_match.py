"""What mentor-match makes of some people. Runs in an environment of its own, and prints JSON.

`python mentor_match.py PEOPLE.json`: `{mentors, mentees}`, each a list of its own kind of rows.
"""

import json
import operator
import sys
import time
from pathlib import Path

from matching.mentee import Mentee
from matching.mentor import Mentor
from matching.process import process_data
from matching.rules.rule import Disqualify, Equivalent, Generic, Grade

RULES = [
    Grade(2, operator.eq, {True: 2, False: 0}),
    Generic({True: 3, False: 0}, lambda m: m.mentor.organisation != m.mentee.organisation),
    Equivalent("profession", {True: 4, False: 0}),
    Disqualify(lambda m: m.mentor.grade <= m.mentee.grade),
]
SCARCE = [*RULES, Disqualify(lambda m: m.mentor.role != m.mentee.role)]

if __name__ == "__main__":
    with Path(sys.argv[1]).open() as file:
        people = json.load(file)
    start = time.perf_counter()
    mentors = [Mentor(**row) for row in people["mentors"]]
    mentees = [Mentee(**row) for row in people["mentees"]]
    process_data(mentors, mentees, [SCARCE if people["scarce"] else RULES])
    pairs = [(mentor.email, mentee.email) for mentor in mentors for mentee in mentor.mentees]
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text().splitlines()
    [most] = [row for row in status if row.startswith("VmHWM:")]
    memory = int(most.split()[1]) / 1024
    print(json.dumps({"pairs": pairs, "seconds": seconds, "memory": memory}))  # noqa: T201
