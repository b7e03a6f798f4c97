"""The site that all tests of HTTP share."""

import pytest

from schemas.people import PersonContact
from schemas.roles import Rights
from schemas.topics import COMMANDS, PEOPLE
from services.chassis.clock import Clock
from services.chassis.http.answering import Answering
from services.chassis.http.application import create_app
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.effects import Effects
from services.chassis.http.foresight import Foresight
from services.chassis.http.forms import LinkPage, Text
from services.chassis.http.guards import protected
from services.chassis.http.identity import Principal, static
from services.chassis.http.links import LinkVerifier
from services.chassis.http.pages import link_routes
from services.chassis.http.projections import projection_routes
from services.chassis.store.memory import MemoryStore
from services.chassis.watch.metrics import Metrics
from tests.chassis.http.site import (
    HSTS,
    NARROW,
    OLD_TOKEN,
    PUBLIC_KEY,
    TOKEN,
    Site,
    WorkedOnAtOnce,
    link_about,
    link_command,
    link_form,
)
from tests.chassis.toy import (
    NOW,
    PARTITIONS,
    TOY,
    Tally,
    World,
    formed,
)

REFUSALS = {"complete": Text("Ils se sont assez vus.", "They have met as often as there is.")}


def table(_: str, path: str) -> Rights | None:
    """Of the toy; `OfferHours` is in nobody's rights."""
    if path == "/commands/OfferHours":
        return None
    if path == "/parked":
        return {"operator": "all", "machine": "cohorts"}
    own: Rights = {"participant": "own"} if path == "/commands/ConfirmSession" else {}
    return {"machine": "cohorts", "coordinator": "cohorts", **own}


@pytest.fixture
async def site() -> Site:
    store = MemoryStore()
    log = WorkedOnAtOnce()
    world = World(log=log, store=store)
    world.publish(formed("m~g"))
    log.stepper = await world.run()
    clock = Clock(1.0, NOW, NOW, wall=world.hand)
    effects = Effects(TOY.name, store)
    commands = Commands(CommandTopic(TOY.name, log, clock, PARTITIONS), effects)
    metrics = Metrics(TOY.name)
    app = create_app("toy", "A toy.", metrics, hsts_seconds=HSTS)
    topics = {PersonContact: PEOPLE}
    kinds = [*COMMANDS["scheduling"], PersonContact]
    anything = Principal("api_key", "token", ("machine",), None)
    known = [(TOKEN, anything), (OLD_TOKEN, anything), *NARROW.items()]
    guard = protected([static(known)], table)
    app.include_router(command_routes(commands, kinds, topics, guard))
    listed = {Tally: ("count",)}
    app.include_router(projection_routes(store, listed, (), TOY.documents, guard))
    link_pages = {"session": LinkPage(link_form, link_command, link_about, refusals=REFUSALS)}
    answering = Answering(commands, Foresight(TOY, store), clock)
    app.include_router(link_routes(link_pages, LinkVerifier(PUBLIC_KEY), answering))
    return Site(world, log, app, metrics, answering)
