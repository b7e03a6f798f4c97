"""What was released stays, and nobody's word is taken for more than it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.gate import contract, seal
from schemas.gate.findings import Finding, NotReleased, agreed, still_open
from schemas.gate.gate import here, sealable
from schemas.gate.generate import text
from schemas.gate.wording import WEIGHTY, is_said_still
from tests.schemas.mutating import BREAKING, ROOT, Change, copied, made

# Words

WORDS = st.lists(st.sampled_from(["answers", "counted", "not", "days", "of", "5"]), min_size=1)
LIGHT = st.lists(st.sampled_from(["whole", "published", "here", "of"]))


@given(WORDS, LIGHT, st.randoms())
def test_words_may_come_between_and_none_may_go(
    words: list[str], more: list[str], chance: object
) -> None:
    longer = list(words)
    for place, word in enumerate(more):
        longer.insert((place * 7) % (len(longer) + 1), word)
    assert is_said_still(" ".join(words), " ".join(longer))
    for place in range(len(words)):
        fewer = [*words[:place], *words[place + 1 :]]
        assert not is_said_still(" ".join(words), " ".join(fewer))


@pytest.mark.parametrize("word", [*sorted(WEIGHTY), "5", "10%", "1.5"])
def test_a_word_of_weight_that_was_not_there_is_found(word: str) -> None:
    assert not is_said_still("Answers counted.", f"Answers {word} counted.")


def test_the_same_unit_may_be_named_again_and_a_second_no_turns_the_sense() -> None:
    assert is_said_still("Minutes of a session.", "Minutes of a session: whole minutes.")
    assert is_said_still("A pair that\nended.", "A pair that ended.")
    assert not is_said_still("Not before noon.", "Not before noon, not on Mondays.")


# What was agreed on

ENTRY = '[[change]]\nof = "{of}"\nwas = "{was}"\nnow = "{now}"\nbecause = "b"\nothers = "o"\n'


def test_agreed_changes_lead_from_what_was_to_what_is_and_no_further() -> None:
    words = {("T.a", "1"): "2", ("T.a", "2"): "3", ("T.b", "1"): "3", ("T.c", "1"): "1"}
    known = [Finding("T.a", "w", "r", "o", "1", "3"), Finding("T.a", "w", "r", "o", "1", "2")]
    others = [
        Finding("T.a", "w", "r", "o", "1", "4"),
        Finding("T.b", "w", "r", "o", "2", "3"),
        Finding("T.c", "w", "r", "o", "1", "5"),
        Finding("T.a", "w", "r", "o"),
    ]
    assert list(still_open([*known, *others, *others], words)) == others


@pytest.mark.parametrize(
    "content",
    [
        "[[change]",
        "change = 1",
        '[[change]]\nof = "T"\n',
        ENTRY.format(of="T", was="", now="n"),
        ENTRY.format(of="T", was="w", now="n") + "more = 1\n",
    ],
)
def test_a_word_that_is_none_is_named_with_its_file(content: str, tmp_path: Path) -> None:
    file = tmp_path / "agreed.toml"
    file.write_text(content)
    with pytest.raises(NotReleased, match=r"agreed\.toml"):
        agreed(file)


def test_every_change_that_was_agreed_on_is_about_something_that_there_is() -> None:
    places = {of.partition(".")[0] for of, _ in agreed()}
    known = {*here().versions, "mentoring", "headers", "ids", "promises", "partition function"}
    assert places <= known


# What was released


def test_all_that_is_released_is_sealed() -> None:
    listed = seal.sealed()
    assert listed.keys() == sealable(here()).keys()
    assert seal.SEAL.read_text() == "".join(f"{listed[name]}  {name}\n" for name in sorted(listed))


def test_the_released_contract_is_as_release_writes_it() -> None:
    assert contract.CONTRACT.read_text(encoding="utf-8") == text(contract.released())


class Tree:
    """A copy of the sources with `connecte`, under git."""

    def __init__(self, home: Path) -> None:
        self.home = copied(home)
        (home / "services").symlink_to(ROOT / "services")
        ignore = shutil.ignore_patterns("__pycache__", "chart", "trial", "local", "made")
        shutil.copytree(ROOT / "deploy", home / "deploy", ignore=ignore)
        self.environment = {
            "PYTHONPATH": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.environ["PATH"],
        }

    def python(self, *words: str) -> tuple[int, str]:
        command = (sys.executable, "-P", *words)
        done = subprocess.run(
            command,
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def connecte(self, *words: str) -> tuple[int, str]:
        return self.python("-m", "deploy.cli", "schemas", *words)

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=A test", "-c", "user.email=a.test@example.org")
        subprocess.run(("git", "-C", self.home, *who, *words), check=True, capture_output=True)


def change(what: str) -> Change:
    [found] = [one for one in BREAKING if one.what == what]
    return found


ALL_AT_ONCE = "and the list of golden records with them"


def test_what_was_edited_is_not_released(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    made(change("a released schema is edited together with the code"), tree.home)
    before = (tree.home / "schemas/released.json").read_bytes()

    code, said = tree.connecte("release")

    assert code == 1
    assert "RoundCompleted.v1: was changed after it was released" in said
    assert (tree.home / "schemas/released.json").read_bytes() == before


def test_what_is_new_is_released_and_sealed(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    file = tree.home / "schemas/scheduling.py"
    new = (
        'class PairRevived(PairEvent):\n    """Sessions again."""\n\n    audience = "public"\n\n\n'
    )
    file.write_text(file.read_text().replace("class PairStalled(", f"{new}class PairStalled("))

    code, said = tree.connecte("release")
    sealed = seal.sealed(tree.home / "schemas/released.sha256")

    assert (code, "released: PairRevived.v1" in said) == (0, True), said
    assert "PairRevived.v1" in sealed
    assert tree.connecte("check") == (0, "nothing breaks\n")


def test_who_edits_the_hashes_too_is_found_by_the_last_tag(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    tree.git("init", "--quiet")
    tree.git("add", "schemas", "tests", "deploy")
    tree.git("commit", "--quiet", "--message", "A release")
    made(change(ALL_AT_ONCE), tree.home)
    forge = "from schemas.gate import gate, seal; seal.write(gate.sealable(gate.here()))"
    assert tree.python("-c", forge) == (0, "")

    assert tree.connecte("check")[0] == 0, "nothing in the tree tells"
    code, said = tree.connecte("check", "--since", "HEAD")
    assert code == 1
    tree.git("tag", "v0.1.0")
    assert tree.connecte("check") == (1, said.replace("HEAD", "v0.1.0"))
    assert "RoundCompleted.managers_waiting: is gone, or is called managers_left now" in said
    assert "golden/2026-11-23/mentoring.matching.events.jsonl: is not what HEAD says" in said


def test_a_tag_that_is_none_is_one_line(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree")
    code, said = tree.connecte("check", "--since", "v9")
    assert code == 2
    assert "v9 has no released.json" in said
