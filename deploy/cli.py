"""`connecte`: the command of the people who operate the platform.

Every subcommand has `--help` with an example and `--json` for machines: one JSON document on
standard output, progress on standard error. Exit code 2 and one clear line for bad input.

This is the door and nothing else. What operators need is always behind it; what runs or tries the
platform on one machine only in a checkout, since the image has neither what does it nor a need.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

import typer

from deploy.errors import BadInput, explained
from deploy.operating.audit_commands import audit
from deploy.operating.console import progress
from deploy.operating.coordinator_commands import coordinator_commands
from deploy.operating.erase_commands import erase
from deploy.operating.letter_commands import letter_commands
from deploy.operating.link_commands import link_commands
from deploy.operating.match_commands import match_
from deploy.operating.parked_commands import parked_commands
from deploy.operating.person_commands import person
from deploy.operating.programme_commands import import_, round_
from deploy.operating.rebuild_commands import rebuild
from deploy.operating.role_commands import role_commands
from deploy.operating.schema_commands import schema_commands
from deploy.operating.topic_commands import topic_commands

IN_A_CHECKOUT = {
    "demo": "deploy.trial.trial_commands",
    "chaos": "deploy.trial.trial_commands",
    "up": "deploy.trial.up_commands",
}
"""Subcommand: the module that has it, under the same name."""

app = typer.Typer(
    name="connecte",
    help="Runs and operates the reverse-mentoring platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(topic_commands, name="topics")
app.add_typer(schema_commands, name="schemas")
app.add_typer(parked_commands, name="parked")
app.add_typer(letter_commands, name="letters")
app.add_typer(link_commands, name="links")
app.add_typer(coordinator_commands, name="coordinators")
app.add_typer(role_commands, name="roles")
app.command("import")(import_)
app.command("match")(match_)
app.command("round")(round_)
app.command("rebuild")(rebuild)
app.command("erase")(erase)
app.command("audit")(audit)
app.command("person")(person)


def _add_from_a_checkout(name: str, module: str) -> None:
    """The subcommand, or where there is no checkout what says so."""
    if find_spec(module.rpartition(".")[0]):
        app.command(name)(getattr(import_module(module), name))
        return
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}

    @app.command(
        name, help="Not here: it needs a checkout of the project.", context_settings=anything
    )
    def _missing(_: typer.Context) -> NoReturn:
        raise BadInput(f"this command needs a checkout of the project, and here is none: {name}")


for _name, _module in IN_A_CHECKOUT.items():
    _add_from_a_checkout(_name, _module)


def main() -> None:
    """The entry point."""
    try:
        app()
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        line, code = known
        progress.print(
            f"connecte: {line}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(code)


if __name__ == "__main__":
    main()
