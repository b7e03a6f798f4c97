"""For coordinators: a list of people from a file or pasted cells, previewed, corrected, entered.

Always holds: nothing is entered while there is a fault; entering again changes nothing, and goes on
where it stopped.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import UploadFile

from schemas.values import Side
from services.chassis.store.contract import Row
from services.portal import refusals
from services.portal.owners import digest
from services.portal.roster import COLUMNS, Cells, Fault, check, headings_known, listed
from services.portal.tables import NoTable, read_table
from services.portal.taken_ids import of_others
from services.portal.views import Cohort
from services.portal.web.coordinating import tasks_of
from services.portal.web.entering import Entering
from services.portal.web.rendering import onward, page
from services.portal.web.site import DRAFT, DRAFT_LASTS, NotHere
from services.portal.web.visit import Visit

SHOWN_ROWS = 200
"""Rows of a preview: all that are to be corrected first."""
PATIENCE = 4.0
"""Seconds that somebody waits for a list to be entered before they are told how far it is."""
LABELS: Mapping[str, tuple[str, str]] = {
    "id": ("Identifiant", "Id"),
    "role": ("Rôle", "Role"),
    "name": ("Nom", "Name"),
    "email": ("Adresse", "Address"),
    "language": ("Langue", "Language"),
    "directorate": ("Direction", "Directorate"),
    "organisation": ("Organisme", "Organisation"),
    "site": ("Site", "Site"),
    "job_family": ("Poste", "Job"),
    "tools": ("Outils", "Tools"),
    "capacity": ("Places", "Places"),
    "availability": ("Disponibilités", "Availability"),
    "line_manager": ("Responsable", "Line manager"),
    "excludes": ("Exclusions", "Excludes"),
}


async def form(visit: Visit) -> Response:
    """Choose a file, or paste cells."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return page(visit, "import.html", **await tasks_of(visit, cohort), pasted="", side="")


async def read(visit: Visit) -> Response:
    """Read the file; on to the preview."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    given, pasted = visit.form.get("fichier"), visit.typed("cellules")
    content = await given.read() if isinstance(given, UploadFile) else b""
    try:
        # Away from the loop: a file of thousands of people takes a moment.
        source = content or pasted.encode()
        table = await asyncio.to_thread(read_table, source, headings_known)
        found = listed(table.rows)
        if (wrong := _headings(found.missing, found.doubled)) is not None:
            raise wrong
        if not found.rows:
            raise NoTable("Il n’y a personne sous les titres.", "Nobody is below the headings.")
    except NoTable as error:
        errors = {"fichier": visit.say(error.fr, error.en)}
        given_again = {"pasted": pasted, "side": visit.typed("role"), "errors": errors}
        given_again |= await tasks_of(visit, cohort)
        return page(visit, "import.html", 422, **given_again)
    for _, cells in found.rows:
        _as_a_partner_may(visit, cohort, cells)
    draft = await visit.site.keep_draft(
        {
            "cohort": cohort.id,
            "by": visit.address,
            "side": visit.typed("role"),
            "rows": [[number, cells] for number, cells in found.rows],
            "unknown": list(found.unknown),
        },
        visit.address,
    )
    return onward(f"/coordonner/{cohort.id}/importer/{draft}")


def _as_a_partner_may(visit: Visit, cohort: Cohort, cells: dict[str, str]) -> None:
    """Whoever coordinates an organisation enters its people, whose ids nobody chooses."""
    theirs = visit.organisations_in(cohort.id)
    if theirs is not None:
        cells.pop("id", None)
        if len(theirs) == 1 and not cells.get("organisation"):
            (cells["organisation"],) = theirs


def _headings(missing: Sequence[str], doubled: Sequence[str]) -> NoTable | None:
    def named(columns: Sequence[str], place: int) -> str:
        return ", ".join(LABELS[column][place] for column in columns)

    if missing:
        return NoTable(
            f"Il manque des colonnes. Ajoutez une ligne de titres avec : {named(missing, 0)}.",
            f"Columns are missing. Add a row of headings with: {named(missing, 1)}.",
        )
    if doubled:
        return NoTable(
            f"Une colonne est là deux fois : {named(doubled, 0)}. Gardez-en une.",
            f"A column is there twice: {named(doubled, 1)}. Keep one.",
        )
    return None


async def preview(visit: Visit) -> Response:
    """Every row, with every fault in its cell."""
    cohort, draft = await _draft(visit)
    entering: Entering | None = None

    async def over() -> bool:
        nonlocal entering
        entering = await visit.entry.seen(visit.path["draft"])
        return entering is None or entering.stage != "going-on"

    # A page that loads itself again takes a screen reader back to its beginning.
    await visit.site.shown(over)
    if entering is None:
        return await _preview(visit, cohort, draft, {})
    if entering.stage == "going-on":
        given = await tasks_of(visit, cohort)
        return page(visit, "import_going_on.html", **given, entering=entering)
    if entering.stage == "over" and not entering.refused:
        return onward(f"/coordonner/{cohort.id}/participants", "importe")
    rules = entering.refused.items()
    refused = {place: refusals.refused(rule, visit.language) for place, rule in rules}
    return await _preview(visit, cohort, draft, refused, stopped=entering.stage == "stopped")


async def _draft(visit: Visit) -> tuple[Cohort, Row]:
    cohort = await visit.site.cohort(visit.path["cohort"])
    found = await visit.site.draft(visit.path["draft"])
    if found is None or found.get("cohort") != cohort.id or "rows" not in found:
        raise NotHere
    if visit.role == "partner" and found.get("by") != visit.address:
        raise NotHere  # it may be of people who are not theirs
    return cohort, found


def _side(draft: Row) -> Side | None:
    return {"mentor": "mentor", "manager": "manager"}.get(draft["side"])  # type: ignore[return-value]


async def _checked(
    visit: Visit, cohort: Cohort, draft: Row
) -> tuple[list[tuple[Side, Cells]], dict[int, dict[str, Fault]]]:
    """Which side each row is of, and what is wrong with it, in itself and beside who is there."""
    rows = [cells for _, cells in draft["rows"]]
    sided, faults = check(rows, _side(draft), visit.organisations_in(cohort.id))
    ids = {cells["id"] for cells in rows if cells.get("id")}
    if ids:
        hidden = await visit.hidden(cohort.id)  # of whom a fault would tell: they stay as they are
        people = await visit.site.people(cohort.id, sorted(ids - hidden))
        there = {known.id: known.address for known in people.values() if known.address}
        for place, column, fault in of_others(rows, there):
            faults.setdefault(place, {}).setdefault(column, fault)
    return sided, faults


async def _preview(
    visit: Visit,
    cohort: Cohort,
    draft: Row,
    refused: Mapping[int, str],
    *,
    stopped: bool = False,
) -> Response:
    rows = [cells for _, cells in draft["rows"]]
    _, faults = await _checked(visit, cohort, draft)
    order = sorted(range(len(rows)), key=lambda n: (n not in faults and n not in refused, n))
    present = [column for column in COLUMNS if any(column in cells for cells in rows)]
    wanted = {column for wrong in faults.values() for column in wrong}
    columns = [column for column in COLUMNS if column in present or column in wanted]
    shown: list[dict[str, Any]] = [
        {
            "place": place,
            "number": draft["rows"][place][0],
            "cells": rows[place],
            "faults": faults.get(place, {}),
            "refused": refused.get(place, ""),
        }
        for place in order[:SHOWN_ROWS]
    ]
    return page(
        visit,
        "import_preview.html",
        **await tasks_of(visit, cohort),
        rows=shown,
        columns=columns,
        labels={name: both[visit.language != "fr"] for name, both in LABELS.items()},
        total=len(rows),
        wrong=len(faults),
        refused=len(refused),
        stopped=stopped,
        unknown=draft["unknown"],
    )


async def correct_or_enter(visit: Visit) -> Response:
    """Take the corrections; enter everybody if there is no fault and it is asked for."""
    cohort, draft = await _draft(visit)
    for place, (_, cells) in enumerate(draft["rows"]):
        for column in COLUMNS:
            name = f"c-{place}-{column}"
            if name in visit.form:
                cells[column] = visit.typed(name)
        _as_a_partner_may(visit, cohort, cells)
    key, until = digest(visit.path["draft"]), visit.site.sessions.now() + DRAFT_LASTS
    await visit.site.kept.put(DRAFT, key, draft, until, visit.address)
    here = f"/coordonner/{cohort.id}/importer/{visit.path['draft']}"
    sided, faults = await _checked(visit, cohort, draft)
    if faults or visit.typed("action") != "inscrire":
        return onward(here)
    actor = await visit.actor(cohort.id, "roster")
    hidden = await visit.hidden(cohort.id)
    await visit.entry.begin(visit.path["draft"], cohort.id, sided, actor, PATIENCE, hidden)
    return onward(here)
