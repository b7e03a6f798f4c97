"""`connecte up`: the platform on this machine, from a checkout."""

import json
import math
import shlex
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, output, run, scratch

if TYPE_CHECKING:
    from deploy.local.stack import Stack

COORDINATOR = "coordination@programme.example"


def up(
    coordinator: Annotated[
        str, typer.Option(help="E-mail address of who coordinates in the portal.")
    ] = COORDINATOR,
    clock_rate: Annotated[
        float,
        typer.Option(
            min=1, max=86_400, help="Seconds of the programme's time in a second; 3600: an hour."
        ),
    ] = 1.0,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Begin with the pilot half-way through, and say who can look around."
        ),
    ] = False,
    json_: Json = False,
) -> None:
    """Start the platform on this machine until Ctrl-C, with the real clock or a faster one.

    What can wait is told within the hour, and nothing at night: with a faster clock letters come
    while somebody looks.

    Everybody may sign in to the portal: by the link in the letter that it sends. The address of the
    mailbox, which shows every letter, is printed, and where they lie as files.

    With --demo a programme's past of five weeks leaps by first, which takes some minutes; from
    then on it goes at real speed, and three addresses are printed with which to sign in.

    Example: connecte up --clock-rate 3600

    Example: connecte up --demo
    """
    from deploy.local.mailbox_page import mailbox_page
    from deploy.local.stack import WITH_PORTAL, Terms, running_stack
    from services.chassis.addresses import an_address

    settings = {"CONNECTE_COORDINATORS": coordinator, "CONNECTE_SIGN_IN_DOMAINS": "*"}
    try:
        an_address(coordinator)
    except ValueError as error:
        raise BadInput(f"--coordinator: {error}") from None
    if demo and clock_rate != 1:
        raise BadInput("--demo goes at real speed from now on: leave out --clock-rate")
    terms = Terms(rate=clock_rate, services=WITH_PORTAL, settings=settings)
    if demo:
        from deploy.trial.half_way import beginning

        terms = replace(terms, rate=math.inf, start=beginning(datetime.now(UTC)))

    async def stay(directory: Path) -> None:
        async with (
            running_stack(directory, terms) as stack,
            mailbox_page(stack.mailbox) as mailbox,
            AsyncExitStack() as going,
        ):
            addresses = {**stack.addresses, "mailbox": mailbox}
            if demo:
                addresses["sign_in"] = await _half_way(stack, coordinator, going)
            if json_:
                print(json.dumps({**addresses, "settings": stack.settings}), flush=True)  # noqa: T201
            else:
                table = Table("what", "where", title="Ready; Ctrl-C ends it")
                for name, address in addresses.items():
                    if isinstance(address, dict):
                        for what, url in address.items():
                            docs = name == "services" and what != "portal"
                            of = "" if name == "services" else "sign in as "
                            table.add_row(f"{of}{what}", f"{url}/docs" if docs else url)
                    else:
                        table.add_row(name, str(address))
                output.print(table)
                lines = ["For connecte in another terminal:", *exports(stack.settings)]
                output.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)
                if clock_rate == 1 and (waiting := quiet_until(datetime.now(UTC))):
                    output.print(waiting, markup=False, highlight=False)
            await stack.failed

    with scratch("up") as directory:
        run(stay(directory))


async def _half_way(stack: "Stack", coordinator: str, going: AsyncExitStack) -> dict[str, str]:
    """Live through the past; then time goes on until `going` is closed. Who can sign in."""
    from deploy.trial.coordinator import Plan
    from deploy.trial.demonstration import COHORT, NAME, POLICY, View, pilot_roster
    from deploy.trial.half_way import at_real_speed, lived_until_now

    roster = pilot_roster()
    view = View(len(roster.managers), Console(stderr=True))
    visitors = await lived_until_now(
        stack, Plan({COHORT: roster}, {COHORT: NAME}, POLICY), view.show
    )
    assert stack.hand is not None
    await going.enter_async_context(at_real_speed(stack.hand))
    return {"coordinator": coordinator, "mentor": visitors.mentor, "manager": visitors.manager}


def exports(settings: Mapping[str, str]) -> list[str]:
    """Lines for a shell, which let the other commands reach this platform."""
    return [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]


def quiet_until(now: datetime) -> str | None:
    """When the next letter leaves, if none does now: at night, on a Sunday, on a public holiday."""
    from schemas.saying import day_and_time
    from schemas.values import QuietHours
    from services.notify.calendar import next_sending_time

    leaves = next_sending_time(now, QuietHours())
    if leaves <= now:
        return None
    return (
        f"No letter leaves now: it is night, a weekend or a public holiday in Paris. The next one "
        f"leaves on {day_and_time(leaves, 'en')}, unless a cohort has other quiet hours."
    )
