"""The texts of letters: the programme's own, and those that a deployment has changed for a cohort.

Changed texts are files `COHORT.fr.toml` and `COHORT.en.toml` in one folder, with the keys of
`templates/letters.*.toml`. Always holds: what is wrong with any of them ends the start, in words
that name the file, the key and the fix; no letter is written with a text that was not checked.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from schemas.saying import LANGUAGES
from schemas.values import Language
from services.notify.letters import ROLE_LETTERS

_NAME = re.compile(r"(?P<cohort>[A-Za-z0-9][A-Za-z0-9._-]{0,47})\.(?P<language>fr|en)\.toml")
_JINJA = Environment(autoescape=False)  # noqa: S701 - it only reads what a text asks for
_ANYWHERE = {"name", "other", "cohort", "contact", "me", "alone", "where"}
"""What every text of a fact can speak of."""
_OF_ROLES = {"name", "cohort", "contact"}
"""And every text of a role."""

Section = Mapping[str, Any]
Path_ = tuple[str, ...]


class WrongTexts(ValueError):
    """What is wrong with a folder of texts, a line each."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What letters say. `changed`: by cohort and language, whole, where it is not the standard."""

    changed: Mapping[tuple[str, Language], Mapping[str, Section]] = field(default_factory=dict)

    def of(self, cohort_id: str, language: Language) -> Mapping[str, Section]:
        """All texts of a cohort in a language, by the letter's template."""
        return self.changed.get((cohort_id, language)) or standard(language)


STANDARD = Texts()
"""Nothing is changed."""


@lru_cache
def standard(language: Language) -> Mapping[str, Section]:
    """The programme's own texts."""
    file = resources.files("services.notify") / "templates" / f"letters.{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def checked(files: Mapping[str, str]) -> Texts:
    """The texts of these files, by their names. Raises `WrongTexts` with all that is wrong."""
    found: dict[tuple[str, Language], dict[str, Any]] = {}
    wrong: list[str] = []
    for file, text in files.items():
        name = _NAME.fullmatch(file)
        if name is None:
            wrong.append(f"{file}: call it COHORT.fr.toml or COHORT.en.toml, or take it away")
            continue
        language: Language = "fr" if name["language"] == "fr" else "en"
        try:
            given = tomllib.loads(text)
        except ValueError as error:
            wrong.append(f"{file}: it cannot be read as TOML: {error}")
            continue
        wrong += (f"{file}: {said}" for said in _wrong_with(given, language))
        found[name["cohort"], language] = given
    wrong += _one_sided(found)
    if wrong:
        raise WrongTexts("; ".join(wrong))
    return Texts({key: _over(standard(key[1]), given) for key, given in found.items()})


def _one_sided(found: Mapping[tuple[str, Language], Mapping[str, Any]]) -> Iterator[str]:
    """What is changed in one language is changed in the other, for a pair may read both."""
    for cohort in sorted({cohort for cohort, _ in found}):
        keys = {lang: set(_leaves(found.get((cohort, lang), {}))) for lang in LANGUAGES}
        for language, other in (("fr", "en"), ("en", "fr")):
            for path in sorted(keys[language] - keys[other]):  # type: ignore[index]
                yield f"{cohort}.{other}.toml: {'.'.join(path)} is missing, which {language} has"


def _leaves(given: Mapping[str, Any], path: Path_ = ()) -> Iterator[Path_]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


def _wrong_with(given: Mapping[str, Any], language: Language) -> Iterator[str]:
    for path in _leaves(given):
        key, ours, theirs = ".".join(path), _at(standard(language), path), _at(given, path)
        if ours is None:
            yield f"{key} is no text of a letter; the keys are those of letters.{language}.toml"
        elif _is_text(theirs) != _is_text(ours) or not _strings(theirs):
            kind = "a text" if _is_text(ours) else "a list of texts"
            yield f"{key} has to be {kind}" if _strings(ours) else f"{key} cannot be changed"
        else:
            yield from (f"{key}: {said}" for said in _wrong_placeholders(path, theirs, language))


def _wrong_placeholders(path: Path_, given: Any, language: Language) -> Iterator[str]:
    try:
        asked, told = _asked(given), _printed(given)
    except TemplateSyntaxError as error:
        yield f"it is no template: {error.message}"
        return
    for name in sorted(asked - _known(path)):
        known = ", ".join(sorted(_known(path)))
        yield f"there is no placeholder {name} here; there are: {known}"
    for name in sorted(_printed(_at(standard(language), path)) - told):
        yield f"the placeholder {{{{ {name} }}}} is missing"


def _known(path: Path_) -> set[str]:
    """The placeholders of a text: those of its letter; of what all letters share, its own."""
    section = path[0]
    if section == "_common":
        return {name for lang in LANGUAGES for name in _asked(_at(standard(lang), path))}
    used = {
        name
        for lang in LANGUAGES
        for leaf in _leaves({section: standard(lang)[section]})
        for name in _asked(_at(standard(lang), leaf))
    }
    if section in ROLE_LETTERS:
        return used | _OF_ROLES
    return used if section == "AttentionGathered" else used | _ANYWHERE


def _asked(text: Any) -> set[str]:
    """The placeholders that a text looks at. Raises TemplateSyntaxError."""
    return {
        name for one in _strings(text) for name in meta.find_undeclared_variables(_JINJA.parse(one))
    }


def _printed(text: Any) -> set[str]:
    """The placeholders that a text shows to its reader."""
    return {
        shown.name
        for one in _strings(text)
        for output in _JINJA.parse(one).find_all(nodes.Output)
        for part in output.nodes
        for shown in ([part] if isinstance(part, nodes.Name) else part.find_all(nodes.Name))
    }


def _at(texts: Mapping[str, Any], path: Path_) -> Any:
    found: Any = texts
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return None if isinstance(found, Mapping) else found


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _strings(value: Any) -> list[str]:
    """The texts of a key; none where it is something else."""
    many = value if isinstance(value, list) else [value]
    return many if all(isinstance(one, str) and one.strip() for one in many) else []


def _over(ours: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _over(value, given.get(key, {}))
        if isinstance(value, Mapping)
        else given.get(key, value)
        for key, value in ours.items()
    }
