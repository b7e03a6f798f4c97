"""The pilot as data: 60 volunteers and 40 managers, all of them invented.

`python -m deploy.trial.pilot.generate` writes the two files; they say nothing that it does not.
"""

from pathlib import Path

MENTORS = Path(__file__).with_name("mentors.csv")
MANAGERS = Path(__file__).with_name("managers.csv")
