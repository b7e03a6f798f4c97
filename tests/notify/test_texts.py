"""A cohort's own words: a folder of TOML, checked before any letter is written with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.saying import LANGUAGES
from services.chassis.settings import WrongSetting
from services.notify.app import build
from services.notify.rendering import render
from services.notify.settings import read_texts
from services.notify.texts import STANDARD, WrongTexts, standard
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    COHORT,
    HEAD,
    LINKS,
    VOLUNTEERED,
    cohort,
    letters_for,
    person,
)
from tests.scenario import NOW
from tests.test_starts import OWN, REQUIRED


def folder(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, language = name.rpartition("_")
        (directory / f"{stem.replace('_', '-')}.{language}.toml").write_text(text, "utf-8")
    return directory


WELCOME = '[MentorVolunteered]\nsubject = "{}"\n'


def subject_of(directory: Path, cohort_id: str, language: str) -> str:
    head = replace(HEAD, texts=read_texts(directory))
    [letter] = letters_for(VOLUNTEERED)
    its = cohort().model_copy(update={"id": cohort_id})
    reader = person(CAMILLE, language=language)
    return str(render(letter, reader, {}, LINKS, its, head, NOW).as_message()["Subject"])


def test_a_cohorts_letter_says_what_its_file_says_and_all_else_stays(tmp_path: Path) -> None:
    folder(
        tmp_path,
        bercy_2017_fr=WELCOME.format("Bienvenue parmi nous"),
        bercy_2017_en=WELCOME.format("Welcome to us"),
    )
    assert subject_of(tmp_path, COHORT, "fr") == "Bienvenue parmi nous"
    assert subject_of(tmp_path, COHORT, "en") == "Welcome to us"
    assert subject_of(tmp_path, "another", "fr") == "Merci de vous proposer comme mentor"
    changed, ours = read_texts(tmp_path).of(COHORT, "fr"), standard("fr")
    assert changed["MentorVolunteered"]["body"] == ours["MentorVolunteered"]["body"]
    assert {**changed, "MentorVolunteered": 0} == {**ours, "MentorVolunteered": 0}


WRONG = [
    ('[MentorVoluntered]\nsubject = "a"\n', r"MentorVoluntered\.subject is no text of a letter"),
    ('[MentorVolunteered]\nsubjet = "a"\n', r"MentorVolunteered\.subjet is no text"),
    ("[MentorVolunteered]\nsubject = 3\n", r"MentorVolunteered\.subject has to be a text"),
    ('[MentorVolunteered]\nbody = "a"\n', r"MentorVolunteered\.body has to be a list of texts"),
    ('[MentorVolunteered]\nsubject = " "\n', r"MentorVolunteered\.subject has to be a text"),
    ("[PairFormed]\nwrite_to = false\n", r"PairFormed\.write_to cannot be changed"),
    ('[RoleGiven]\naction = "{{ other }}"\n', r"no placeholder other here; there are: .*role"),
    ('[MentorVolunteered]\nsubject = "{{ nom }}"\n', r"no placeholder nom here; there are: .*name"),
    ('[MentorVolunteered]\nsubject = "{{ name"\n', r"it is no template"),
    ('[PairFormed]\nsubject = "Bravo"\n', r"PairFormed\.subject: the placeholder {{ other }} is"),
    ("[MentorVolunteered\n", r"it cannot be read as TOML"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_with_a_text_is_told_with_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    folder(tmp_path, bercy_2017_fr=text, bercy_2017_en=text)
    with pytest.raises(WrongTexts, match=said) as error:
        read_texts(tmp_path)
    assert "bercy-2017.fr.toml" in str(error.value) and "bercy-2017.en.toml" in str(error.value)


def test_what_is_changed_in_one_language_has_to_be_in_both(tmp_path: Path) -> None:
    folder(tmp_path, bercy_2017_fr=WELCOME.format("Bienvenue"))
    with pytest.raises(WrongTexts, match=r"bercy-2017\.en\.toml: MentorVolunteered\.subject is mi"):
        read_texts(tmp_path)


def test_a_file_of_another_name_is_no_text_that_is_silently_left_out(tmp_path: Path) -> None:
    (tmp_path / "bercy-2017.de.toml").write_text("", "utf-8")
    with pytest.raises(WrongTexts, match=r"call it COHORT\.fr\.toml"):
        read_texts(tmp_path)
    with pytest.raises(WrongTexts, match="no folder"):
        read_texts(tmp_path / "nowhere")


def test_what_a_volume_of_a_cluster_keeps_beside_its_files_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    assert read_texts(tmp_path) == STANDARD


def test_every_text_of_the_programme_could_stand_in_such_a_file(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "services/notify/templates"
    for language in LANGUAGES:
        whole = (source / f"letters.{language}.toml").read_text("utf-8")
        kept = "\n".join(line for line in whole.splitlines() if not line.startswith("write_to"))
        (tmp_path / f"c.{language}.toml").write_text(kept, "utf-8")
    assert read_texts(tmp_path).of("c", "fr") == standard("fr")


def test_wrong_texts_end_the_start_with_the_name_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path, bercy_2017_fr=WELCOME.format("Bienvenue"))
    for name, value in {**REQUIRED, **OWN["notify"], "CONNECTE_LETTERS_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=r"CONNECTE_LETTERS_DIR: bercy-2017\.en\.toml"):
        build()


def test_a_changed_letter_reads_as_well_to_the_other_of_the_pair(tmp_path: Path) -> None:
    folder(tmp_path, bercy_2017_fr=WELCOME.format("a"), bercy_2017_en=WELCOME.format("b"))
    assert person(ALEX).language == "en"
    assert subject_of(tmp_path, COHORT, person(ALEX).language) == "b"
