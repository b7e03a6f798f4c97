"""Administrer: who has which role from where, and the roles that are given and taken here.

Always holds: administrators see and change what concerns their programmes, and nothing of others. A
role is no part in a programme: whoever has one is told by name, on either side of the wall, and
whether they take part as well is told nowhere here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.appointments import GIVEN_ROLES, GiveRole, TakeRole
from schemas.organisations import MOST_NAMED, organisations_in
from schemas.people import PersonContact
from schemas.roles import Role
from services.chassis.store.contract import Where
from services.portal import refusals
from services.portal.views import Cohort, HeldRole, Participant
from services.portal.web.engine import Outcome
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.signing_in import address_of
from services.portal.web.site import Site
from services.portal.web.visit import Visit

MOST = 500
HERE = "/administrer"
Source = Literal["settings", "provider", "list", "given"]


@dataclass(frozen=True, slots=True)
class Row:
    """A role of somebody, and where they have it from. `letters`: it is to be written to alone.

    `programmes`: by name; None: all. `organisations`: of a partner. `address`: where they are known
    by one; `moved`: it is another one by now than that to which the role was given. `way`: where it
    is taken.
    """

    who: str
    role: Role
    source: Source
    programmes: tuple[str, ...] | None
    organisations: tuple[str, ...] = ()
    address: str = ""
    moved: bool = False
    by: str = ""
    at: datetime | None = None
    way: str = ""


async def roles(visit: Visit) -> Response:
    """Everybody who has one in the visitor's programmes."""
    return await _shown(visit, {})


async def role_given(visit: Visit) -> Response:
    """Give somebody a role, in each programme that was ticked."""
    cohorts = {cohort.id: cohort for cohort in await _theirs(visit)}
    chosen = [cohorts[one] for one in visit.ticked("programme") if one in cohorts]
    address, role = address_of(visit.typed("adresse")), visit.typed("role")
    organisations = organisations_in(visit.typed("organismes").splitlines()) or ()
    errors = _wrong(visit, address, role, organisations, chosen)
    if errors or address is None:
        return await _shown(visit, errors)
    for cohort in chosen:
        try:
            outcome = await _give(visit, cohort.id, address, role, organisations)
        except ValidationError:
            wrong = visit.say("Écrivez un nom, 64 caractères au plus.", "Type a name, 64 at most.")
            return await _shown(visit, {"nom": wrong})
        if outcome.rule is not None:
            said = refusals.refused(outcome.rule, visit.language)
            return await _shown(visit, {"programme": f"{cohort.name} : {said}"})

    async def shows() -> bool:
        mine = [one for one in await visit.entry.site.given(address) if one.role == role]
        return {cohort.id for cohort in chosen} <= {one.cohort_id for one in mine}

    return onward(HERE, "role-donne" if await visit.site.shown(shows) else "en-cours")


async def taking(visit: Visit) -> Response:
    """What it means to take this role."""
    cohort, held = await _held(visit)
    if held is None:
        return onward(HERE, "deja")
    names = await _names(visit.entry.site, [held])
    return page(visit, "role.html", held=held, cohort=cohort, who=_who(visit, held, names).who)


async def role_taken(visit: Visit) -> Response:
    """Take it."""
    cohort, held = await _held(visit)
    if held is None:  # the second of two presses, or somebody else was here
        return onward(HERE, "deja")
    command = TakeRole(cohort_id=cohort.id, person_id=held.person_id, role=held.role)
    outcome = await visit.send(command)
    if outcome.rule not in (None, "unknown-role"):  # the second: it is gone already
        return refusal(visit, str(outcome.rule), HERE)

    async def shows() -> bool:
        return await visit.entry.site.store.one(HeldRole, cohort.id, held.id) is None

    mine = held.holder == visit.site.pseudonym(visit.address)
    here = "/mon-espace" if mine else HERE
    return onward(here, "role-retire" if await visit.site.shown(shows) else "en-cours")


async def _held(visit: Visit) -> tuple[Cohort, HeldRole | None]:
    """The programme, and the role that the address names; None once nobody holds it."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    return cohort, await visit.entry.site.store.one(HeldRole, cohort.id, visit.path["held"])


def _wrong(
    visit: Visit,
    address: str | None,
    role: str,
    organisations: Collection[str],
    chosen: Sequence[Cohort],
) -> dict[str, str]:
    errors: dict[str, str] = {}
    if address is None:
        errors["adresse"] = visit.say(
            "Écrivez une adresse complète, par exemple prenom.nom@ministere.gouv.fr.",
            "Type a whole address, as first.last@ministry.example.",
        )
    if not visit.typed("nom"):
        errors["nom"] = visit.say("Écrivez son nom.", "Type their name.")
    if role not in GIVEN_ROLES:
        errors["role"] = visit.say("Choisissez un rôle.", "Choose a role.")
    elif (role == "partner") != bool(organisations):
        errors["organismes"] = refusals.refused("organisations-of-a-partner", visit.language)
    if len(organisations) > MOST_NAMED or any(len(name) > 64 for name in organisations):
        errors["organismes"] = visit.say(
            f"Un organisme par ligne, {MOST_NAMED} au plus, de 64 caractères au plus.",
            f"An organisation a line, {MOST_NAMED} at most, of 64 characters at most.",
        )
    if not chosen:
        errors["programme"] = visit.say("Cochez un programme.", "Tick a programme.")
    return errors


async def _give(
    visit: Visit, cohort_id: str, address: str, role: str, organisations: tuple[str, ...]
) -> Outcome:
    """The command, after a contact of whoever is not known there yet. Raises `ValidationError`."""
    site = visit.entry.site  # whoever reports to the visitor is no stranger
    person_id = await site.person_id(cohort_id, address)
    about = {"cohort_id": cohort_id, "person_id": person_id}
    contact = {"name": visit.typed("nom"), "email": address, "language": visit.language}
    command = PersonContact.model_validate({**about, **contact})
    if await site.store.one(Participant, cohort_id, person_id) is None:
        outcome = await visit.send(command)
        if outcome.rule is not None:
            return outcome
    asked = {**about, "role": role, "organisations": organisations}
    return await visit.send(GiveRole.model_validate(asked))


# --- who has which ----------------------------------------------------------------------------


async def _theirs(visit: Visit) -> list[Cohort]:
    """The programmes that the visitor administers, by name."""
    return [one for one in await visit.site.cohorts() if visit.administers_in(one.id)]


async def _shown(visit: Visit, errors: Mapping[str, str]) -> Response:
    cohorts = await _theirs(visit)
    only = visit.query.get("programme", "")
    listed = [one for one in cohorts if only in ("", one.id)]
    names = {cohort.id: cohort.name for cohort in listed}
    held = await _all_held(visit, names, whole=visit.administers and not only)
    people = await _names(visit.entry.site, held)
    known = {visit.site.pseudonym(one): one for one in visit.site.rules.coordinators}
    known |= {one.holder: _who(visit, one, people).who for one in held}
    rows = [
        *_by_settings(visit, names),
        *_by_provider(visit, names),
        *[row for one in listed for row in await _by_lists(visit.entry.site, one)],
        *(_row(visit, one, people, names, known) for one in held),
    ]
    return page(
        visit,
        "roles.html",
        422 if errors else 200,
        rows=rows,
        cohorts=cohorts,
        only=only,
        more=len(held) >= MOST,
        offered=GIVEN_ROLES,
        provider=visit.site.provider.client.name if visit.site.provider else "",
        errors=errors,
        given={name: visit.typed(name) for name in ("adresse", "nom", "role", "organismes")},
        ticked=visit.ticked("programme"),
    )


async def _all_held(visit: Visit, cohorts: Collection[str], *, whole: bool) -> list[HeldRole]:
    where = Where() if whole else Where(among={"cohort_id": frozenset(cohorts)})
    found = await visit.entry.site.store.page(HeldRole, where, MOST)
    return sorted((one for one in found if one.cohort_id in cohorts), key=lambda one: one.key)


People = Mapping[tuple[str, str], Participant]


async def _names(site: Site, held: Iterable[HeldRole]) -> People:
    """Everybody who holds one of these, by cohort and id."""
    ids: dict[str, list[str]] = {}
    for one in held:
        ids.setdefault(one.cohort_id, []).append(one.person_id)
    found: dict[tuple[str, str], Participant] = {}
    for cohort_id, some in ids.items():
        there = await site.people(cohort_id, some)
        found |= {(cohort_id, person_id): person for person_id, person in there.items()}
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as they are told of here."""

    who: str
    address: str
    moved: bool


def _who(visit: Visit, held: HeldRole, people: People) -> Known:
    person = people.get((held.cohort_id, held.person_id))
    if person is None or person.name is None or person.address is None:
        nobody = visit.say("personne sans nom connu", "somebody without a name")
        return Known(nobody, "", moved=False)
    moved = visit.site.pseudonym(person.address) != held.holder
    return Known(person.name, "" if moved else person.address, moved)


def _row(
    visit: Visit, held: HeldRole, people: People, names: Mapping[str, str], known: Mapping[str, str]
) -> Row:
    who = _who(visit, held, people)
    return Row(
        who.who,
        held.role,
        "given",
        (names[held.cohort_id],),
        held.organisations,
        who.address,
        who.moved,
        _asker(visit, held.asker, known),
        held.given_at,
        f"{HERE}/{held.cohort_id}/{held.id}",
    )


def _asker(visit: Visit, asker: str | None, known: Mapping[str, str]) -> str:
    """Who gave a role, as far as that is known here."""
    if asker is None:
        return ""
    if asker == visit.site.pseudonym(visit.address):
        return visit.say("vous", "you")
    if asker in known:
        return known[asker]
    if asker.startswith("s-"):
        return visit.say("une personne de l’administration", "an administrator")
    return visit.say("un outil d’exploitation", "a tool of operators")


def _by_settings(visit: Visit, names: Mapping[str, str]) -> Iterator[Row]:
    for address, cohorts in sorted(visit.site.rules.coordinators.items()):
        role: Role = "administrator" if cohorts is None else "coordinator"
        if (where := _among(cohorts, names)) != ():
            yield Row(address, role, "settings", where)
    for one in sorted(visit.site.rules.partners, key=lambda one: one.address):
        if (where := _among(one.cohorts, names)) != ():
            yield Row(one.address, "partner", "settings", where, tuple(sorted(one.organisations)))


def _by_provider(visit: Visit, names: Mapping[str, str]) -> Iterator[Row]:
    """What the claims of the provider give, whoever it is that has them: nobody can list these."""
    if visit.site.provider is None:
        return
    tells = visit.site.provider.tells
    everybody = visit.say("toute personne qui s’y identifie", "everybody who signs in there")
    told = [(everybody, tells.role)] if tells.role else list(tells.roles.items())
    cohorts = None if tells.cohorts is None or "*" in tells.cohorts else frozenset(tells.cohorts)
    organisations = tuple(sorted(set(tells.organisations.values())))
    for who, role in told:
        where = _among(cohorts, names)
        if role in GIVEN_ROLES and where != ():
            yield Row(who, role, "provider", where, organisations if role == "partner" else ())


async def _by_lists(site: Site, cohort: Cohort) -> list[Row]:
    """Who is written to as a coordinator: it opens no page."""
    told = Where(cohort.id, {"role": "coordinator"})
    found = await site.store.page(Participant, told, MOST)
    return [
        Row(one.name or "", "coordinator", "list", (cohort.name,), address=one.address or "")
        for one in found
    ]


def _among(cohorts: Collection[str] | None, names: Mapping[str, str]) -> tuple[str, ...] | None:
    """The programmes by name, of those that are listed; None: all."""
    return None if cohorts is None else tuple(sorted(names[one] for one in cohorts if one in names))
