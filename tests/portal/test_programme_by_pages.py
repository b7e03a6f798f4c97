"""A programme from its opening to a session that is moved, by pages alone, over real services."""

from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import WITH_PORTAL, Stack, Terms, running_stack
from deploy.trial.check import check, read_evidence
from tests.conftest import eventually
from tests.deploy.operating.commands import connecte
from tests.portal.browser import Person
from tests.portal.test_roster import PEOPLE, as_xlsx

pytestmark = pytest.mark.journey

COORDINATOR = "coordination@programme.example"
LISE, PAUL, NOUR = "lise@m.example", "paul@m.example", "nour@m.example"
SETTINGS = {"CONNECTE_COORDINATORS": COORDINATOR, "CONNECTE_SIGN_IN_DOMAINS": "m.example"}


def person(stack: Stack, address: str) -> Person:
    client = httpx.AsyncClient(base_url=stack.services["portal"].url, timeout=60)
    return Person(client, address, stack.mailbox.held)


async def opens_imports_and_publishes(anne: Person) -> None:
    await anne.signs_in()
    await anne.follows("Ouvrir un programme")
    await anne.presses("Ouvrir ce programme", nom="Pilote")
    rows = [PEOPLE[0], [*PEOPLE[1][:-1], "lundi 9h-8h"], PEOPLE[2]]
    file = {"fichier": ("liste.xlsx", BytesIO(as_xlsx(rows)))}
    await anne.presses("Vérifier la liste", files=file, role="")
    assert anne.heading == "1 ligne à corriger sur 2"
    await anne.presses("Vérifier à nouveau", **{"c-0-availability": "lundi 9h-18h"})
    await anne.presses("Inscrire ces personnes")
    assert "Tout le monde est inscrit." in anne.says
    await anne.follows("Tour")
    await anne.presses("Simuler un tour")
    assert anne.heading == "Tour simulé"
    await anne.presses("Publier ce tour")
    await anne.presses("Annuler la publication")
    await anne.presses("Publier ce tour")
    await anne.presses("Publier sans attendre")
    assert "Lise Œuvrard" in anne.says


async def test_a_programme_is_run_by_pages_and_the_portal_s_database_is_rebuilt_as_it_was(
    tmp_path: Path,
) -> None:
    terms = Terms(services=WITH_PORTAL, settings=SETTINGS)
    async with running_stack(tmp_path, terms) as stack:
        anne = person(stack, COORDINATOR)
        await opens_imports_and_publishes(anne)
        lise, paul = person(stack, LISE), person(stack, PAUL)
        for one in (lise, paul):
            await one.signs_in()
            await one.presses("Accepter ce binôme et la charte")

        async def has_dates() -> bool:
            await paul.goes_to("/mon-espace")
            return "Confirmer, déplacer ou annuler" in paul.says

        await eventually(has_dates)
        await paul.follows("Confirmer, déplacer")
        await paul.presses("Prendre notre prochaine heure libre commune")
        assert "La séance est déplacée." in paul.says
        await lise.follows("Changer ma semaine")
        await lise.presses("Enregistrer ma semaine", heures="lundi 9h-18h, mardi")
        assert "Votre semaine est enregistrée." in lise.says

        nour = person(stack, NOUR)
        await nour.goes_to("/inscription/pilote/mentor")
        about = {"nom": "Nour Benali", "direction": "DGE", "site": "Lyon", "heures": "lundi"}
        await nour.presses("M’inscrire", adresse=NOUR, outil=["wiki"], **about)
        await nour.opens_the_letter()
        await nour.presses("Confirmer mon inscription")
        assert "Votre inscription est enregistrée." in nour.says

        await the_rest_runs_on_without_the_portal(stack, lise)
        await it_is_rebuilt(stack)
        await eventually(partial(nothing_is_lost_or_doubled, stack))
        await paul.goes_to("/mon-espace")
        assert "Lise Œuvrard" in paul.says, "signed in still: sessions are no projection"
        for one in (anne, lise, paul, nour):
            await one.client.aclose()


async def the_rest_runs_on_without_the_portal(stack: Stack, lise: Person) -> None:
    """Killed, it comes back, and shows what happened meanwhile."""
    portal = stack.services["portal"]
    assert portal.child is not None
    portal.child.kill()
    async with httpx.AsyncClient(timeout=60) as client:
        body = {"cohort_id": "pilote", "mentor_id": await mentor_id(stack)}
        url = f"{stack.services['matching'].url}/commands/PauseMentor?wait=20"
        assert (await client.post(url, json=body)).status_code == 200

    async def shows() -> bool:
        try:
            await lise.goes_to("/mon-espace/pilote/participation")
        except httpx.TransportError:
            return False
        return lise.status == 200 and "Je suis à nouveau disponible" in lise.says

    await eventually(shows)


async def nothing_is_lost_or_doubled(stack: Stack) -> bool:
    """What the independent check says, of the portal too, once all has come to rest."""
    evidence = await read_evidence(
        {"bootstrap_servers": stack.kafka},
        stack.mongodb,
        stack.mailbox.held,
        stack.terms.partitions,
    )
    assert evidence.databases["portal"]["pairs"]
    findings = check(evidence, over=False)
    assert findings.doubled == []
    return findings.lost == []


async def mentor_id(stack: Stack) -> str:
    """Lise's: she has a pair."""
    async with httpx.AsyncClient(timeout=60) as client:
        url = f"{stack.services['matching'].url}/cohorts/pilote/pairs"
        (pair,) = (await client.get(url)).json()["items"]
    return str(pair["mentor_id"])


async def it_is_rebuilt(stack: Stack) -> None:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": stack.kafka,
        "MONGODB_URI": stack.mongodb,
        "CONNECTE_PARTITIONS": str(stack.terms.partitions),
        "CONNECTE_KAFKA_IDEMPOTENT": "false",
    }
    verified = await connecte("rebuild", "portal", "--verify", "--json", **settings)
    assert verified.code == 0, verified.err + verified.out
    rebuilt = await connecte("rebuild", "portal", "--json", **settings)
    assert rebuilt.code == 0, rebuilt.err + rebuilt.out
