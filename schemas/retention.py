"""How long what is kept where: the one table, and the days with which deadlines are counted.

The table of `docs/privacy.md` and those of the papers are made from it. Always holds: every topic
stands in it, with the days for which the broker keeps it.
"""

from dataclasses import dataclass

KEPT_DAYS = 365
"""Days from a cohort's close until the names and addresses of its people are erased, unless whoever
closes it says otherwise."""
LEAST_DAYS, MOST_DAYS = 30, 3650
TOLD_DAYS = 7
"""So many days before, what still stands ends: a letter about that needs an address."""
COMPACTED_DAYS = 7
"""Within so many days of the next contact the broker drops what a tombstone has erased."""
ASKED_DAYS = 7
"""What was asked is kept as it was asked for so long, until it surely has been handled."""
LINK_MINUTES, SESSION_HOURS, DRAFT_DAYS, TRIES_MINUTES = 30, 12, 1, 15
"""The portal's links, sessions, half-filled forms and tries, where settings say nothing else."""
FEED_DAYS = 3 * 365
"""The address of a feed: longer than any programme."""


@dataclass(frozen=True, slots=True)
class Words:
    """The same in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Data of one kind: on which topics it lies, what `beside` them holds it, and `until` when.

    `days`: how long the broker keeps these topics; None: for ever. Databases hold nothing that
    topics do not, but where `beside` is all that there is.
    """

    what: Words
    topics: tuple[str, ...]
    beside: Words
    until: Words
    days: int | None = None


FOREVER = Words("sans limite, sous un identifiant", "for ever, by id")
_SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
_BY_ID = Words("bases des services, sous un identifiant", "databases, by id")
_PORTAL = Words("base du portail, en empreintes", "the portal's database, as hashes")

RETENTION: tuple[Kept, ...] = (
    Kept(
        Words(
            "nom, adresse, langue, poste, présentation, assistant",
            "name, address, language, post, presentation, assistant",
        ),
        ("mentoring.people",),
        Words("bases de notify et du portail", "notify's and the portal's databases"),
        Words(
            f"l’effacement de la personne, ou {KEPT_DAYS} jours après la fermeture du programme ; "
            f"puis {COMPACTED_DAYS} jours dans le journal",
            f"the person is erased, or {KEPT_DAYS} days after the close of the cohort; on the "
            f"topic {COMPACTED_DAYS} days more",
        ),
    ),
    Kept(
        Words(
            "situation au travail : direction, site, métier, compétences, besoins, semaine, ligne",
            "who somebody is at work: directorate, site, job, skills, needs, week, line",
        ),
        ("mentoring.matching.events", "mentoring.matching.private"),
        Words(
            "bases, et journaux des services qui l’apprennent",
            "databases, and the journals of who learns it, notify among them for the wall",
        ),
        FOREVER,
    ),
    Kept(
        Words(
            "binômes, avec le calcul de chacun ; séances, absences, et ce qu’elles sont devenues",
            "pairs, with the calculation of each; sessions, absences, and how they ended",
        ),
        (
            "mentoring.matching.events",
            "mentoring.scheduling.events",
            "mentoring.scheduling.private",
        ),
        _BY_ID,
        FOREVER,
    ),
    Kept(
        Words("qui a demandé quoi", "who asked for what"),
        tuple(f"mentoring.{service}.private" for service in _SERVICES),
        Words("en-têtes des mêmes messages", "headers of the same records"),
        Words("aussi longtemps que le message", "as long as the record"),
    ),
    Kept(
        Words(
            "ce qui a été demandé, tel que demandé ; le lien qui prouve une réponse",
            "what was asked, as it was asked; the link that proves an answer",
        ),
        tuple(f"mentoring.{service}.commands" for service in _SERVICES),
        Words("rien d’autre", "nothing else"),
        Words(f"{ASKED_DAYS} jours", f"{ASKED_DAYS} days"),
        ASKED_DAYS,
    ),
    Kept(
        Words("réponses aux questionnaires", "answers to surveys"),
        ("mentoring.feedback.events", "mentoring.feedback.private"),
        Words("base de feedback", "feedback's database"),
        Words(
            "sans limite, sans personne ni binôme ; publiées en chiffres de groupes",
            "for ever, without person, pair or survey; published as figures of groups",
        ),
    ),
    Kept(
        Words(
            "lettres : laquelle, quand, et ce qu’elle est devenue ; pas leur texte",
            "letters: which one, when, and what became of it; not their text",
        ),
        ("mentoring.notify.private", "mentoring.portal.private"),
        Words("bases de notify et du portail, sous un identifiant", "databases, by id"),
        FOREVER,
    ),
    Kept(
        Words(
            "messages qui n’ont pu être lus ou traités, tels quels",
            "records that could not be read or handled, with their bytes",
        ),
        ("mentoring.parked",),
        Words("base du service", "the service's database"),
        Words(
            "un exploitant s’en occupe ; dans le journal, sans limite",
            "an operator sees to them; on the topic, for ever",
        ),
    ),
    Kept(
        Words("liens de connexion, sessions, essais", "sign-in links, sessions, tries"),
        (),
        _PORTAL,
        Words(
            f"{LINK_MINUTES} minutes ; {SESSION_HOURS} heures au plus ; {TRIES_MINUTES} minutes",
            f"{LINK_MINUTES} minutes; {SESSION_HOURS} hours at most; {TRIES_MINUTES} minutes",
        ),
    ),
    Kept(
        Words("adresses d’agenda", "addresses of calendar feeds"),
        (),
        _PORTAL,
        Words(
            f"{FEED_DAYS} jours ; rien ne s’y lit une fois la personne effacée",
            f"{FEED_DAYS} days; nothing is to be read there once the person is erased",
        ),
    ),
    Kept(
        Words("formulaires commencés, listes en cours", "half-filled forms, lists being entered"),
        (),
        Words("base du portail", "the portal's database"),
        Words(f"{DRAFT_DAYS} jour", f"{DRAFT_DAYS} day"),
    ),
    Kept(
        Words("traces techniques, sans nom ni adresse", "logs, metrics, traces: ids at most"),
        (),
        Words("là où votre plateforme les garde", "where your platform keeps them"),
        Words("selon votre plateforme", "as your platform is set"),
    ),
)
"""By kind of data, what most concerns people first."""
