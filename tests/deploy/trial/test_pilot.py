"""The pilot's people are invented, always the same, and there is a round in them."""

import re
from pathlib import Path

import pytest

from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.trial.pilot import MANAGERS, MENTORS
from deploy.trial.pilot.generate import PILOT_MANAGERS, PILOT_MENTORS, SEED, generate, main
from schemas.values import CohortPolicy
from services.matching.search.alone import solve
from services.matching.search.question import People
from services.matching.views import Manager, Mentor


def pairs(roster: Roster) -> list[tuple[str, str]]:
    """(mentor, manager) as the real round finds them, under the default policy."""
    mentors = [
        Mentor(id=m.mentor_id, **m.model_dump(exclude={"mentor_id"})) for m in roster.mentors
    ]
    managers = [
        Manager(id=m.manager_id, **m.model_dump(exclude={"manager_id"})) for m in roster.managers
    ]
    return list(solve(People(CohortPolicy(), mentors, managers, {})).pairs)


def generated(folder: Path, mentors: int, managers: int) -> Roster:
    rows = generate(mentors, managers, SEED)
    write_roster(folder / "a.csv", MENTOR_COLUMNS, rows[0])
    write_roster(folder / "b.csv", MANAGER_COLUMNS, rows[1])
    return read_rosters(folder / "a.csv", folder / "b.csv", "c")


@pytest.fixture(scope="module")
def pilot() -> Roster:
    return read_rosters(MENTORS, MANAGERS, "c")


def test_the_committed_files_are_what_the_generator_gives(tmp_path: Path) -> None:
    main(["--into", str(tmp_path)])
    for committed in (MENTORS, MANAGERS):
        again = (tmp_path / committed.name).read_text(encoding="utf-8")
        assert committed.read_text(encoding="utf-8") == again


def test_the_pilot_has_sixty_volunteers_and_forty_managers(pilot: Roster) -> None:
    assert (len(pilot.mentors), len(pilot.managers)) == (PILOT_MENTORS, PILOT_MANAGERS) == (60, 40)
    assert len(pilot.contacts) == 100


def test_a_round_of_the_pilot_pairs_nearly_every_manager(pilot: Roster) -> None:
    assert len(pairs(pilot)) >= 38


@pytest.mark.parametrize(("mentors", "managers"), [(150, 120), (600, 400)])
def test_a_round_of_a_larger_programme_pairs_nine_managers_of_ten(
    tmp_path: Path, mentors: int, managers: int
) -> None:
    assert len(pairs(generated(tmp_path, mentors, managers))) >= 0.9 * managers


@pytest.mark.parametrize(("mentors", "managers"), [(1, 1), (1, 30), (30, 1), (2100, 1900)])
def test_rosters_of_any_size_can_be_read(tmp_path: Path, mentors: int, managers: int) -> None:
    roster = generated(tmp_path, mentors, managers)
    assert (len(roster.mentors), len(roster.managers)) == (mentors, managers)


def test_nobody_is_invented_when_nobody_is_asked_for() -> None:
    assert generate(0, 0, SEED) == ([], [])


def test_another_seed_invents_other_people() -> None:
    assert generate(5, 5, 1) == generate(5, 5, 1)
    assert generate(5, 5, 1) != generate(5, 5, 2)


def test_some_volunteers_work_under_a_manager_who_is_coached_too(pilot: Roster) -> None:
    managers = {manager.manager_id for manager in pilot.managers}
    bosses = [m.line_manager for m in pilot.mentors if m.line_manager in managers]
    assert len(bosses) >= 10
    assert not {(m.mentor_id, m.line_manager) for m in pilot.mentors} & set(pairs(pilot))


def test_the_pilot_has_every_kind_of_case(pilot: Roster) -> None:
    assert {m.capacity for m in pilot.mentors} == {1, 2}
    assert {contact.language for contact in pilot.contacts} == {"fr", "en"}
    assert any(m.excludes for m in pilot.mentors)
    assert any(m.excludes for m in pilot.managers)
    assert any(m.line_manager for m in pilot.managers)
    assert {"public-procurement", "press-office"} <= {m.job_family for m in pilot.managers}
    weeks = [m.availability for m in pilot.mentors] + [m.availability for m in pilot.managers]
    assert all(2 <= len(week) <= 4 for week in weeks)


def test_what_a_manager_needs_depends_on_the_job(pilot: Roster) -> None:
    always = {
        "public-procurement": {"linkedin", "shared-documents"},
        "press-office": {"twitter", "instagram"},
    }
    for manager in pilot.managers:
        assert always.get(manager.job_family, set()) <= manager.needs.keys()


def test_addresses_are_plain_different_and_in_a_domain_that_is_nobodys(pilot: Roster) -> None:
    addresses = {contact.email for contact in pilot.contacts}
    assert len(addresses) == len({contact.name for contact in pilot.contacts}) == 100
    pattern = r"[a-z-]+\.[a-z-]+\.[0-9]{3}@pilote\.example"
    assert all(re.fullmatch(pattern, address) for address in addresses)
