"""A programme's own sheets: who coordinates writes them, its people read them.

Always holds: a sheet that somebody else has changed meanwhile is shown as it is now, with what was
typed, and not written over; what was taken back is read by nobody, and can be shown again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.known.tools import label, tools
from schemas.sheets import TakeSheetBack, WriteSheet
from schemas.text import tidied, tidied_lines
from schemas.values import Language
from services.chassis.store.contract import Where
from services.portal.jobs import jobs_by_name
from services.portal.markdown import html_of
from services.portal.readings import OWN_FIELDS, Own, own
from services.portal.spelling import folded
from services.portal.views import ProgrammeSheet
from services.portal.web.community_pages import there
from services.portal.web.coordinating import tasks_of
from services.portal.web.own_space import MANY_SHEETS
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

TITLE, TEXT = (3, 80), (1, 8000)
"""How many characters each has, as `schemas.sheets` says."""
LONG = ("texte", "texte-en")
FIELDS = ("outil", "titre", "titre-en", *LONG)


async def read(visit: Visit) -> Response:
    """One of them, for whoever takes part."""
    _, cohort = await there(visit)
    sheet = await visit.site.store.one(ProgrammeSheet, cohort.id, visit.path["sheet"])
    if sheet is None or sheet.taken_back:
        raise NotHere
    shown = own(sheet.model_dump(include=set(OWN_FIELDS)), visit.language).reading
    text = html_of(sheet.bodies[shown.language], shown.language)
    back = (f"/mon-espace/{cohort.id}/communaute", visit.say("Communauté", "Community"))
    return page(visit, "guide.html", reading=shown, text=text, all=back)


# --- coordinators -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Typed:
    """A sheet's form: what is in its fields, and over which edition it was written."""

    id: str
    fields: Mapping[str, str]
    jobs: tuple[str, ...]
    edition: int


async def listed(visit: Visit) -> Response:
    """Those that are read, by tool; then those that were taken back."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    fields = (*OWN_FIELDS, "taken_back")
    where = Where(cohort.id)
    rows = await visit.site.store.extract(ProgrammeSheet, fields, where, limit=MANY_SHEETS)
    found = sorted(
        ((row["id"], own(row, visit.language), row["taken_back"]) for row in rows),
        key=lambda one: (folded(label(one[1].tool, visit.language)), folded(one[1].reading.title)),
    )
    lists: dict[bool, list[tuple[str, Own]]] = {False: [], True: []}
    for id_, one, back in found:
        lists[back].append((id_, one))
    tasks = await tasks_of(visit, cohort)
    return page(visit, "sheets.html", **tasks, shown=lists[False], taken_back=lists[True])


async def form(visit: Visit) -> Response:
    """One of them, to be changed; or an empty form."""
    if visit.path.get("sheet") is None:
        empty = Typed("", dict.fromkeys(FIELDS, ""), (), 0)
        return await _shown(visit, empty)
    return await _shown(visit, _as_typed(await _sheet(visit, visit.path["sheet"])))


async def sent(visit: Visit) -> Response:
    """Look at it first, show it, or take it back."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    typed = _typed(visit)
    if visit.typed("action") == "retirer":
        return await _take_back(visit, cohort.id, typed)
    errors = _faults(visit, typed)
    if errors or visit.typed("action") == "relire":
        return await _shown(visit, typed, errors, preview=not errors)
    try:
        command = _command(cohort.id, typed)
    except ValidationError:  # no form of these pages holds it
        raise NotHere from None
    outcome = await visit.send(command)
    if outcome.rule == "sheet-changed":
        return await _changed(visit, typed)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, f"/coordonner/{cohort.id}/fiches")

    async def shows() -> bool:
        now = await visit.site.store.one(ProgrammeSheet, cohort.id, typed.id)
        return now is not None and not now.taken_back and _says(now) == _says(typed)

    shown = await visit.site.shown(shows)
    return onward(f"/coordonner/{cohort.id}/fiches", "fiche" if shown else "en-cours")


async def _take_back(visit: Visit, cohort_id: str, typed: Typed) -> Response:
    command = TakeSheetBack(cohort_id=cohort_id, sheet_id=typed.id, follows=typed.edition)
    outcome = await visit.send(command)
    if outcome.rule == "sheet-changed":
        return await _changed(visit, typed)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, f"/coordonner/{cohort_id}/fiches")

    async def shows() -> bool:
        now = await visit.site.store.one(ProgrammeSheet, cohort_id, typed.id)
        return now is not None and now.taken_back

    shown = await visit.site.shown(shows)
    return onward(f"/coordonner/{cohort_id}/fiches", "fiche-retiree" if shown else "en-cours")


async def _changed(visit: Visit, typed: Typed) -> Response:
    """Somebody else was here: what they wrote, and what was typed, which follows it from now on."""
    now = await _sheet(visit, typed.id)
    again = Typed(typed.id, typed.fields, typed.jobs, now.edition)
    wrong = visit.say(
        "Quelqu’un d’autre a changé cette fiche entre-temps. Son texte est sous le vôtre : rien "
        "n’est perdu. Enregistrez à nouveau pour le remplacer.",
        "Somebody else has changed this sheet meanwhile. Their text is below yours: nothing is "
        "lost. Save again to replace it.",
    )
    return await _shown(visit, again, {"texte": wrong}, stands=now)


async def _shown(
    visit: Visit,
    typed: Typed,
    errors: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    stands: ProgrammeSheet | None = None,
) -> Response:
    cohort = await visit.site.cohort(visit.path["cohort"])
    language = visit.language
    chosen = typed.fields["outil"]
    names = sorted(tools(), key=lambda name: folded(label(name, language)))
    known = await visit.site.store.one(ProgrammeSheet, cohort.id, typed.id)
    texts: list[tuple[Language, str, Any]] = []
    if preview:
        texts.append(("fr", typed.fields["titre"], html_of(typed.fields["texte"], "fr")))
        if typed.fields["texte-en"]:
            texts.append(("en", typed.fields["titre-en"], html_of(typed.fields["texte-en"], "en")))
    elif stands is not None:
        texts = [(la, stands.titles[la], html_of(stands.bodies[la], la)) for la in stands.titles]
    return page(
        visit,
        "sheet_form.html",
        409 if stands else 422 if errors else 200,
        **await tasks_of(visit, cohort),
        typed=typed,
        read=known is not None and not known.taken_back,
        known=known is not None,
        tool_names=names if chosen in ("", *names) else [chosen, *names],
        jobs=jobs_by_name(language),
        texts=texts,
        errors=errors or {},
    )


async def _sheet(visit: Visit, id_: str) -> ProgrammeSheet:
    found = await visit.site.store.one(ProgrammeSheet, visit.path["cohort"], id_)
    if found is None:
        raise NotHere
    return found


def _as_typed(sheet: ProgrammeSheet) -> Typed:
    fields = {
        "outil": sheet.tool,
        "titre": sheet.titles["fr"],
        "texte": sheet.bodies["fr"],
        "titre-en": sheet.titles.get("en", ""),
        "texte-en": sheet.bodies.get("en", ""),
    }
    return Typed(sheet.id, fields, sheet.jobs, sheet.edition)


def _says(sheet: ProgrammeSheet | Typed) -> tuple[Any, ...]:
    """All that people read of it."""
    typed = sheet if isinstance(sheet, Typed) else _as_typed(sheet)
    return typed.fields, typed.jobs


def _typed(visit: Visit) -> Typed:
    """What was typed, as it is kept."""
    fields = {
        name: (tidied_lines if name in LONG else tidied)(visit.typed(name)) for name in FIELDS
    }
    edition, jobs = visit.typed("edition"), tuple(sorted(set(visit.ticked("metier"))))
    seen = int(edition) if edition.isascii() and edition.isdigit() and len(edition) < 10 else 0
    id_ = visit.path.get("sheet") or (seen and visit.typed("fiche")) or _id_of(fields, jobs)
    return Typed(id_, fields, jobs, seen)


def _id_of(fields: Mapping[str, str], jobs: tuple[str, ...]) -> str:
    """The id of a new sheet: the same one for whoever presses twice, or goes back and sends the
    form again, which a browser gives back filled in."""
    about = "\n".join((fields["outil"], fields["titre"], *jobs))
    return f"f-{hashlib.sha256(about.encode()).hexdigest()[:10]}"


def _faults(visit: Visit, typed: Typed) -> dict[str, str]:
    """What is wrong, by field."""
    fields, wrong = typed.fields, {}
    if not fields["outil"]:
        wrong["outil"] = visit.say("Choisissez un outil.", "Choose a tool.")
    both = bool(fields["titre-en"] or fields["texte-en"])
    for name, (least, most), asked in (
        ("titre", TITLE, True),
        ("texte", TEXT, True),
        ("titre-en", TITLE, both),
        ("texte-en", TEXT, both),
    ):
        if asked and not least <= len(fields[name]) <= most:
            has = len(fields[name])
            wrong[name] = visit.say(
                f"Écrivez de {least} à {most} caractères ; il y en a {has}.",
                f"Write {least} to {most} characters; there are {has}.",
            )
    return wrong


def _command(cohort_id: str, typed: Typed) -> WriteSheet:
    """Raises `ValidationError`."""
    fields = typed.fields
    english = {"title": fields["titre-en"], "body": fields["texte-en"]}
    return WriteSheet.model_validate(
        {
            "cohort_id": cohort_id,
            "sheet_id": typed.id,
            "tool": fields["outil"],
            "jobs": typed.jobs,
            "fr": {"title": fields["titre"], "body": fields["texte"]},
            "en": english if fields["texte-en"] else None,
            "follows": typed.edition,
        }
    )
