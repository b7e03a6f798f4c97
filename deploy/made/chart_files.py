"""Writes what the chart takes from elsewhere: topics, accounts, pages, settings, its values' words.

These files are generated and committed. Always holds: the same tables give the same bytes, and
nothing of them is secret. (The alerts are written by hand, the dashboards by `made.dashboards`.)
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import yaml

from deploy.made.chart_schema import CHART, schema
from deploy.made.chart_settings import settings
from deploy.made.chart_values import commented, readme
from deploy.made.dashboards import WRITTEN
from deploy.operating.access import rows
from schemas.access import OPERATOR, service_account, subscriber
from schemas.topics import COMMANDS, TOPICS
from services.portal.pages import ROUTES
from services.portal.web.look import Look

NAME = "name"
"""Stands for a subscriber's name in the accounts."""

_HEAD = "# Made by `python -m deploy.made.chart_files`; do not edit.\n"


def files() -> dict[str, str]:
    """Path within the chart to content, as it has to be."""
    return {
        "files/topics.yaml": _HEAD + _yaml({"topics": _topics()}),
        "files/users.yaml": _HEAD + _yaml(_users()),
        "files/portal.yaml": _HEAD + _yaml({"pages": _pages()}),
        "files/settings.yaml": _HEAD + _yaml(settings()),
        "files/panels.yaml": _HEAD + _yaml(_panels()),
        "values.schema.json": schema(),
        "values.yaml": commented(),
        "README.md": readme(),
    }


def differing() -> list[str]:
    """Names of the files that are missing or not current."""
    return [
        name
        for name, content in files().items()
        if not (CHART / name).exists() or (CHART / name).read_bytes() != content.encode()
    ]


def _panels() -> dict[str, int]:
    """By alert, the panel of the dashboard of the machine that shows it: of those that lead to its
    runbook the first, and of a budget the objective's own. Without any it is 0."""
    board = json.loads((WRITTEN / "machine.json").read_text(encoding="utf-8"))
    shown = [
        (panel["title"], link["url"].rpartition("/")[2], panel["id"])
        for row in board["panels"]
        for panel in (row, *row.get("panels", ()))
        for link in panel.get("links") or ()
    ]
    rules = yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule):
        page = rule["annotations"]["runbook_url"].rpartition("/")[2]
        of_page = [(title, number) for title, its, number in shown if its == page]
        budget = rule["alert"].endswith("BudgetBurn")
        own = [one for one in of_page if one[0].startswith("Burn rate") is budget]
        first = (own or of_page)[:1]
        found[rule["alert"]] = first[0][1] if first else 0
    return found


def _topics() -> list[dict[str, Any]]:
    return [
        {"name": topic.name, "config": topic.config | topic.forgetting} for topic in TOPICS.values()
    ]


def _pages() -> dict[str, str]:
    """Where the portal's pages are, and how an Ingress matches that: nothing else is led to.

    Of each address its first part, so that a page more in a place is no change of the chart.
    """
    paths = (*(route.path for route in ROUTES), Look().style_path)
    firsts = {"/" + path.split("/")[1] for path in paths}
    return {first: "Exact" if first == "/" else "Prefix" for first in sorted(firsts)}


def _users() -> dict[str, Any]:
    """Accounts by the name that the release puts its own before."""
    deployed = yaml.safe_load((CHART / "values.yaml").read_text())["services"]
    services = {name: _acls(service_account(name)) for name in COMMANDS if name in deployed}
    return {
        "accounts": {**services, "operator": _acls(OPERATOR)},
        "subscriber": _acls(subscriber(NAME)),
    }


def _acls(account: Any) -> list[dict[str, Any]]:
    (row,) = rows([account])
    return [
        {
            "resource": {
                "type": grant["resource"],
                "name": grant["name"],
                "patternType": grant["pattern"],
            },
            "operations": grant["operations"],
        }
        for grant in row["grants"]
    ]


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; with --check only say which are not current (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m deploy.made.chart_files", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    wrong = differing()
    for name in wrong:
        if not check:
            (CHART / name).parent.mkdir(parents=True, exist_ok=True)
            (CHART / name).write_text(files()[name], encoding="utf-8", newline="\n")
        sys.stdout.write(f"{'not current' if check else 'written'}: deploy/chart/{name}\n")
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
