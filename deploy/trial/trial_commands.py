"""`connecte demo` and `connecte chaos`: the proof, from a checkout."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from deploy.operating.console import Json


def demo(
    json_: Json = False,
    scenario: Annotated[
        Literal["pilot", "ministries"],
        typer.Option(help="The pilot of 2017, or sixty cohorts of every size."),
    ] = "pilot",
    scale: Annotated[
        float | None,
        typer.Option(
            help="Of the ministries: 1 is 8,000 managers and 9,000 volunteers; without it 0.1."
        ),
    ] = None,
    kafka: Annotated[
        bool,
        typer.Option("--kafka", help="On Apache Kafka (Java, Maven), not the embedded broker."),
    ] = False,
    through: Annotated[
        Literal["http", "kafka", "portal"],
        typer.Option(
            help="How the rosters are entered; with `portal` everybody acts at its pages."
        ),
    ] = "http",
    managers: Annotated[int | None, typer.Option(help="Managers; a roster is made up.")] = None,
    mentors: Annotated[int | None, typer.Option(help="Mentors; a roster is made up.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    days_per_second: Annotated[
        float | None,
        typer.Option(help="Let time fly so fast, instead of waiting for what is under way."),
    ] = None,
    kill_every: Annotated[
        float | None,
        typer.Option(help="Kill a service at random, about every so many seconds that all work."),
    ] = None,
    maildir: Annotated[Path | None, typer.Option(help="Keep every letter here.")] = None,
) -> None:
    """Run the 2017 pilot from nothing to its verdict, on this machine, and check it.

    Example: connecte demo --managers 400 --mentors 600 --seed 7

    Example: connecte demo --scenario ministries --scale 0.1
    """
    from deploy.trial.demonstration import demonstrate

    sys.exit(
        demonstrate(
            as_json=json_,
            scenario=scenario,
            scale=scale,
            real_kafka=kafka,
            through=through,
            managers=managers,
            mentors=mentors,
            seed=seed,
            days_per_second=days_per_second,
            kill_every=kill_every,
            maildir=maildir,
        )
    )


def chaos(
    json_: Json = False,
    seed: Annotated[int, typer.Option(help="The same seed plans the same faults.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="How long faults come.")] = 2.0,
    faults: Annotated[
        str | None, typer.Option(help="Kinds with commas between; `help` lists them.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show which fault would come when.")
    ] = False,
    keep: Annotated[Path | None, typer.Option(help="Leave logs and data here.")] = None,
) -> None:
    """Run programmes on a real Kafka and a replica set under faults, then check (Java, Maven).

    Example: connecte chaos --seed 1 --minutes 2 --faults kill-service,step-down
    """
    from deploy.trial.chaos.command import wreak

    sys.exit(wreak(seed=seed, minutes=minutes, faults=faults, plan=plan, keep=keep, as_json=json_))
