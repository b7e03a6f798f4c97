"""Invents rosters that look like the French economic and finance ministries in 2017.

    python -m deploy.trial.pilot.generate

writes the pilot of this folder, `mentors.csv` (60 volunteers) and `managers.csv` (40 managers);
`--mentors`, `--managers`, `--seed` and `--into` make others.

Always holds: the same three numbers give the same rows on every machine and Python; the last
names are made up and the addresses are in a reserved domain; there is no age and no rank.
"""

import argparse
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from deploy.operating.rosters import MANAGER_COLUMNS, MENTOR_COLUMNS, write_roster
from deploy.trial.pilot import MANAGERS, MENTORS
from schemas.values import WEEKDAYS

T = TypeVar("T")
Row = dict[str, str]

SEED = 2017
PILOT_MENTORS = 60
PILOT_MANAGERS = 40

# Directorate: how many come from it, where it sits, what its managers are in charge of.
_DIRECTORATES: dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    "DGFiP": (
        26,
        (
            "Paris Bercy",
            "Montreuil",
            "Noisy-le-Grand",
            "Lyon",
            "Marseille",
            "Lille",
            "Nantes",
            "Rennes",
            "Bordeaux",
            "Toulouse",
            "Strasbourg",
            "Clermont-Ferrand",
        ),
        ("tax-audit", "tax-audit", "budget", "it-operations", "human-resources", "real-estate"),
    ),
    "DGDDI": (
        16,
        ("Montreuil", "Marseille", "Lille", "Lyon", "Nantes", "Le Havre"),
        ("customs-operations", "customs-operations", "it-operations", "human-resources"),
    ),
    "INSEE": (
        12,
        ("Malakoff", "Malakoff", "Lille", "Nantes", "Rennes", "Lyon", "Orléans"),
        ("statistics", "statistics", "statistics", "press-office", "it-operations"),
    ),
    "DGCCRF": (
        10,
        ("Paris Bercy", "Lyon", "Bordeaux", "Rennes", "Marseille"),
        ("consumer-protection", "consumer-protection", "legal-affairs", "press-office"),
    ),
    "DG Trésor": (
        10,
        ("Paris Bercy",),
        ("economic-diplomacy", "economic-diplomacy", "press-office", "legal-affairs"),
    ),
    "SG": (
        20,
        ("Paris Bercy", "Paris Bercy", "Noisy-le-Grand"),
        ("human-resources", "press-office", "real-estate", "public-procurement", "it-operations"),
    ),
    "DAE": (12, ("Paris Bercy",), ("public-procurement",)),
    "DGE": (9, ("Ivry-sur-Seine", "Paris Bercy"), ("economic-diplomacy", "legal-affairs")),
    "Direction du budget": (5, ("Paris Bercy",), ("budget",)),
    "DAJ": (4, ("Paris Bercy",), ("legal-affairs", "public-procurement")),
    "IGF": (2, ("Paris Bercy",), ("budget",)),
    "AIFE": (4, ("Noisy-le-Grand",), ("it-operations", "public-procurement")),
}

# Job family: what the work always asks for, and what it may ask for besides.
_NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "public-procurement": (
        ("linkedin", "shared-documents"),
        ("newsletter", "wiki", "video-calls", "spreadsheets"),
    ),
    "press-office": (
        ("twitter", "instagram"),
        ("youtube", "facebook", "newsletter", "instant-messaging"),
    ),
    "statistics": (("spreadsheets", "twitter"), ("wiki", "presentation", "shared-documents")),
    "tax-audit": (
        ("shared-documents", "spreadsheets"),
        ("password-manager", "linkedin", "instant-messaging", "mind-mapping"),
    ),
    "customs-operations": (
        ("instant-messaging", "video-calls"),
        ("twitter", "agenda", "facebook", "password-manager"),
    ),
    "consumer-protection": (
        ("twitter", "facebook"),
        ("newsletter", "youtube", "shared-documents", "wiki"),
    ),
    "economic-diplomacy": (
        ("linkedin", "twitter"),
        ("video-calls", "newsletter", "presentation", "mind-mapping"),
    ),
    "human-resources": (
        ("linkedin", "agenda"),
        ("video-calls", "sharepoint", "presentation", "youtube"),
    ),
    "it-operations": (
        ("wiki", "instant-messaging"),
        ("sharepoint", "password-manager", "video-calls", "mind-mapping"),
    ),
    "legal-affairs": (
        ("shared-documents", "linkedin"),
        ("mind-mapping", "wiki", "password-manager", "agenda"),
    ),
    "budget": (
        ("spreadsheets", "presentation"),
        ("shared-documents", "sharepoint", "agenda", "video-calls"),
    ),
    "real-estate": (
        ("sharepoint", "agenda"),
        ("video-calls", "presentation", "shared-documents", "instagram"),
    ),
}

# What volunteers are at home in. Nobody is at home in everything.
_PROFILES: tuple[tuple[str, ...], ...] = (
    ("twitter", "facebook", "instagram", "youtube", "linkedin", "instant-messaging"),
    ("linkedin", "twitter", "newsletter", "presentation", "mind-mapping", "video-calls"),
    ("sharepoint", "shared-documents", "wiki", "spreadsheets", "agenda", "video-calls"),
    ("spreadsheets", "shared-documents", "presentation", "password-manager", "linkedin", "wiki"),
    ("instant-messaging", "video-calls", "agenda", "password-manager", "twitter", "sharepoint"),
)
_TOOLS = tuple(sorted({tool for profile in _PROFILES for tool in profile}))

_MORNINGS = ("09:00-12:00", "09:30-12:30", "08:30-11:30", "10:00-12:30")
_AFTERNOONS = ("14:00-17:00", "13:30-16:30", "14:00-18:00", "15:00-17:30", "12:30-14:00")

_FIRST_NAMES = (
    *("Adèle", "Agathe", "Alice", "Aminata", "Anaïs", "Anne-Laure", "Aurélie", "Béatrice"),
    *("Camille", "Capucine", "Chloé", "Claire", "Élise", "Fatou", "Florence", "Gaëlle"),
    *("Hélène", "Inès", "Jeanne", "Leïla", "Louise", "Maëlys", "Marie-Odile", "Nadia"),
    *("Noémie", "Rose", "Salomé", "Solène", "Yasmine", "Zoé"),
    *("Adrien", "Alexis", "Antoine", "Baptiste", "Benoît", "Cédric", "Clément", "Driss"),
    *("Étienne", "Félix", "François", "Gaël", "Grégoire", "Hugo", "Ibrahim", "Jean-Luc"),
    *("Jérôme", "Kévin", "Loïc", "Mathieu", "Mehdi", "Nicolas", "Olivier", "Pascal"),
    *("Quentin", "Rémi", "Sébastien", "Théo", "Victor", "Yann"),
)
_LAST_NAMES = (
    *("Aubrelin", "Barsolles", "Beaunoyard", "Belcassère", "Bonnechaume", "Bréhémal"),
    *("Castérolle", "Chalvignet", "Charpenel-Vaux", "Clairembault", "Courtefève", "Crouzelin"),
    *("Dauberive", "Delmarquoy", "Desvignolles", "Dorgevault", "Duchemard", "Escoubac"),
    *("Fauvernel", "Fontrezac", "Fougeraud-Lys", "Garrivel", "Ginestoux", "Grandcolin"),
    *("Haudrecourt", "Hennevelle", "Jalabrun", "Jourdeuil", "Kerambrunec", "Kervadelan"),
    *("Labrousselle", "Lanneguy", "Le Quémarec", "Lestrugeon", "Lormelin", "Maisonvert"),
    *("Malvoisel", "Marchevel", "Méricamp", "Montaubrac", "Nérondeau", "Noirclair"),
    *("Ombredor", "Pérignaud", "Peyrolande", "Pontarcel", "Quercinois", "Rambervoise"),
    *("Roquebelle", "Rouvignac", "Saint-Alvère", "Sauveplane", "Ségurelle", "Tournevault"),
    *("Trémazan", "Urrugoyen", "Valbrègue", "Vergnolac", "Villardoux", "Yvernault"),
)


class _Dice:
    """Chance, made of `Random.random` only: nothing else promises to stay the same."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311

    def happens(self, chance: float) -> bool:
        return self._random.random() < chance

    def number(self, least: int, most: int) -> int:
        return least + int(self._random.random() * (most - least + 1))

    def one(self, options: Sequence[T]) -> T:
        return options[self.number(0, len(options) - 1)]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        ranked = sorted((self._random.random(), i) for i in range(len(options)))
        return [options[i] for _, i in ranked]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different ones, or all if there are fewer; in the order of the options."""
        chosen = self.shuffled(range(len(options)))[:count]
        return [options[i] for i in sorted(chosen)]


def generate(mentors: int, managers: int, seed: int) -> tuple[list[Row], list[Row]]:
    """(rows of mentors, rows of managers) as cells of the rosters; ids are m-001…, g-001…."""
    dice = _Dice(seed)
    names = dice.shuffled([(first, last) for first in _FIRST_NAMES for last in _LAST_NAMES])
    people = [_person(dice, i + 1, *names[i % len(names)]) for i in range(mentors + managers)]
    bosses = [_manager(dice, number, person) for number, person in enumerate(people[mentors:], 1)]
    for place, row in enumerate(bosses):
        if dice.happens(0.2):  # only upwards in the file, so there is no circle
            above = [b["id"] for b in bosses[:place] if b["directorate"] == row["directorate"]]
            row["line_manager"] = dice.one(above) if above else ""
    volunteers = [
        _mentor(dice, number, person, bosses) for number, person in enumerate(people[:mentors], 1)
    ]
    for row, others in [(r, bosses) for r in volunteers] + [(r, volunteers) for r in bosses]:
        if others and dice.happens(0.08):
            row["excludes"] = dice.one(others)["id"]
    return volunteers, bosses


def _manager(dice: _Dice, number: int, person: Row) -> Row:
    directorate = _directorate(dice)
    _, sites, families = _DIRECTORATES[directorate]
    family = dice.one(families)
    always, besides = _NEEDS[family]
    needs = [*always, *dice.some(besides, dice.number(1, 2))]
    return {
        "id": f"g-{number:03}",
        **person,
        "directorate": directorate,
        "site": dice.one(sites),
        "job_family": family,
        "needs": ";".join(f"{tool}:{dice.number(2, 4)}" for tool in needs),
        "availability": _availability(dice),
        "line_manager": "",
        "excludes": "",
    }


def _mentor(dice: _Dice, number: int, person: Row, bosses: Sequence[Row]) -> Row:
    """A volunteer; one in three works under a manager who is coached too, and on the same site."""
    boss = dice.one(bosses) if bosses and dice.happens(0.33) else None
    directorate = boss["directorate"] if boss else _directorate(dice)
    site = boss["site"] if boss else dice.one(_DIRECTORATES[directorate][1])
    profile = dice.one(_PROFILES)
    further = [tool for tool in _TOOLS if tool not in profile]
    skills = {tool: dice.number(3, 5) for tool in dice.some(profile, dice.number(3, 5))}
    skills |= {tool: dice.number(2, 4) for tool in dice.some(further, dice.number(1, 3))}
    return {
        "id": f"m-{number:03}",
        **person,
        "directorate": directorate,
        "site": site,
        "skills": ";".join(f"{tool}:{level}" for tool, level in skills.items()),
        "capacity": "2" if dice.happens(0.15) else "1",
        "availability": _availability(dice),
        "line_manager": boss["id"] if boss else "",
        "excludes": "",
    }


def _person(dice: _Dice, number: int, first: str, last: str) -> Row:
    return {
        "name": f"{first} {last}",
        "email": f"{_ascii(first)}.{_ascii(last)}.{number:03}@pilote.example",
        "language": "en" if dice.happens(0.06) else "fr",
    }


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", "-")


def _directorate(dice: _Dice) -> str:
    return dice.one([name for name, (share, *_) in _DIRECTORATES.items() for _ in range(share)])


def _availability(dice: _Dice) -> str:
    """Two to four half days of the week."""
    halves = [(day, hours) for day in WEEKDAYS for hours in (_MORNINGS, _AFTERNOONS)]
    chosen = dice.some(halves, dice.number(2, 4))
    return ";".join(f"{day} {dice.one(hours)}" for day, hours in chosen)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.trial.pilot.generate", description=__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--mentors", type=int, default=PILOT_MENTORS)
    parser.add_argument("--managers", type=int, default=PILOT_MANAGERS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--into", type=Path, default=MENTORS.parent, help="a folder")
    asked = parser.parse_args(arguments)
    mentors, managers = generate(asked.mentors, asked.managers, asked.seed)
    write_roster(asked.into / MENTORS.name, MENTOR_COLUMNS, mentors)
    write_roster(asked.into / MANAGERS.name, MANAGER_COLUMNS, managers)


if __name__ == "__main__":
    main()
