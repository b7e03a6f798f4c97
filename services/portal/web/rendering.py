"""From a template to an answer: words, dates, and the heads that every page has.

Always holds: everything that people typed is escaped; a page asks nobody else for anything.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any
from urllib.parse import quote

import jinja2
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from schemas import saying
from schemas.known.jobs import said
from schemas.known.tools import label
from schemas.places import where
from schemas.values import WEEKDAYS, Language, Tools, Window
from services.chassis.store.contract import Row
from services.portal import letters, phrases, refusals, weeks
from services.portal.acts import ACTS
from services.portal.tools import LEVELS
from services.portal.views import Participant
from services.portal.web import refilling, switch
from services.portal.web.look import kept_path
from services.portal.web.visit import Visit

SCRIPT = (resources.files(__package__) / "templates" / "portal.js").read_bytes()
SCRIPT_PATH = f"{kept_path(SCRIPT)}.js"

HEADS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}
FOLLOWING = {
    **HEADS,
    "Content-Security-Policy": HEADS["Content-Security-Policy"]
    + "; script-src 'self'; connect-src 'self'",
}
"""The heads of a page that shows by itself what has changed, or has several forms to type into:
these alone have a script, of ours."""

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader(__package__, "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(visit: Visit, template: str, status: int = 200, **given: Any) -> Response:
    """A page, in the visitor's language."""
    given["can_follow"] = "follow" in given
    common = _common(visit)
    html = _templates.get_template(template).render(common | given)
    if visit.half_filled:
        html = _put_back(visit, html, visit.half_filled)
    forms, way = refilling.forms_in(html), visit.in_other_language
    html = switch.keeping(html, forms, common["switch"], way, visit.language)
    several = len([form for form in forms if form.method == "post"]) > 1
    if several and not given.get("follow"):
        html = html.replace("</head>", f'<script src="{SCRIPT_PATH}" defer></script>\n</head>', 1)
    scripted = several or given.get("follow")
    return HTMLResponse(html, status, headers=FOLLOWING if scripted else HEADS)


def _put_back(visit: Visit, html: str, found: Row) -> str:
    def about_file(name: str) -> str:
        return visit.say(
            f"Choisissez à nouveau ce fichier : « {name} ». Un fichier n’est pas gardé.",
            f"Choose this file again: “{name}”. A file is not kept.",
        )

    typed = [found["fields"], *found["others"]]
    pairs = [[(name, value) for name, value in one] for one in typed]
    return refilling.refilled(html, pairs, found["files"], about_file)


def message(
    visit: Visit,
    title: str,
    *paragraphs: str,
    status: int = 200,
    way: tuple[str, str] | None = None,
) -> Response:
    """A page that says what happened and what comes next; `way`: address and words of a link."""
    given = {"title": title, "paragraphs": paragraphs, "way": way}
    return page(visit, "message.html", status, **given)


def refusal(visit: Visit, rule: str, here: str) -> Response:
    """A page that says why a service did not do what was asked; `here`: the way back."""
    return message(
        visit,
        visit.say("Ce n’est plus possible", "This is no longer possible"),
        refusals.refused(rule, visit.language),
        status=409,
        way=(here, visit.say("Revenir", "Back")),
    )


def onward(path: str, said: str = "") -> Response:
    """To another page, which says (by name) what has been done."""
    query = f"{'&' if '?' in path else '?'}fait={quote(said)}" if said else ""
    return RedirectResponse(f"{path}{query}", 303, headers=HEADS)


def _common(visit: Visit) -> dict[str, Any]:
    language = visit.language

    def t(fr: str, en: str) -> str:
        return saying.typeset(fr, language) if language == "fr" else en

    def when(start: datetime, end: datetime | None = None) -> str:
        if end is None:
            return saying.day_and_time(start, language)
        first, last = saying.clock(start, language), saying.clock(end, language)
        return f"{saying.day(start, language)}, {first} – {last}"

    def many(n: int, one: tuple[str, str], more: tuple[str, str]) -> str:
        """A number with its words: French counts nought and one alike."""
        alone = n in (0, 1) if language == "fr" else n == 1
        words = (one if alone else more)[language != "fr"]
        return saying.typeset(f"{n}{saying.NBSP}{words}", language)

    def field_token() -> Markup:
        return Markup('<input type="hidden" name="jeton" value="{}">').format(visit.token)

    return {
        "t": t,
        "visit": visit,
        "switch": switch.link(visit.in_other_language, visit.language),
        "language": language,
        "style": visit.site.look.style_path,
        "foot": visit.site.look.foot.links(language),
        "script": SCRIPT_PATH,
        "follow": "",
        "field_token": field_token,
        "many": many,
        "domains": sorted(visit.site.rules.domains - {"*"}),
        "when": when,
        "hour": lambda moment: saying.clock(moment, language),
        "day": lambda moment: saying.day(moment, language),
        "soon": lambda moment: phrases.from_now(moment, visit.now, language),
        "number": lambda value: saying.number(value, language),
        "listed": lambda texts: saying.listed(list(texts), language),
        "job": lambda name: getattr(said(name), language),
        "tool": lambda name: label(name, language),
        "tools_in_words": lambda tools: _tools(tools, language),
        "levels": [(level, words[language]) for level, words in LEVELS.items()],
        "week_in_words": lambda windows: weeks.told(windows, language),
        "half_days": [(day, part) for day in WEEKDAYS for part in weeks.PARTS],
        "weekday": lambda day: weeks.day_name(day, language),
        "ticked_half_days": _ticked,
        "state": lambda name: phrases.STATES[name][language],
        "role_named": lambda name: phrases.ROLES.get(name, {}).get(language, name),
        "act_named": lambda name: ACTS.get(name, {}).get(language, ""),
        "refused_for": lambda rule: saying.typeset(refusals.refused(rule, language), language),
        "address": _address,
        "through": lambda name: phrases.VIAS.get(name, {}).get(language, name),
        "part_named": lambda name: phrases.PARTS[name][language],
        "absence": lambda one: weeks.absence_told(one, language),
        "letter": lambda template: letters.subject(template, language),
        "cause": lambda text: phrases.cause(text, language),
        "icon": lambda name: phrases.ICONS.get(name, "○"),
        "name_of": _name_of(language),
        "where": lambda place: where(place, language),
        "done": phrases.NOTICES.get(visit.query.get("fait", ""), {}).get(language, ""),
        "here": visit.request.url.path,
        "errors": {},
        "why": "",
        "only_link": False,
        "account": "",
    }


def _address(given: str) -> Markup:
    """An address that breaks at its marks, where its column is narrow, and within no word."""
    parts = re.split(r"(?<=@)|(?=\.)", given)
    return Markup('<span class="address">{}</span>').format(Markup("<wbr>").join(parts))


def _name_of(language: Language) -> Any:
    def name_of(person: Participant | None) -> str:
        if person is None or person.name is None:
            return "personne sans nom connu" if language == "fr" else "somebody without a name"
        return person.name

    return name_of


def _tools(tools: Tools, language: Language) -> str:
    said = [
        f"{label(tool, language)} ({LEVELS[level][language]})"
        for tool, level in sorted(tools.items(), key=lambda item: (-item[1], item[0]))
    ]
    return saying.listed(said, language)


def _ticked(windows: Sequence[Window]) -> Mapping[str, bool]:
    return dict.fromkeys(weeks.half_days_of(windows), True)
