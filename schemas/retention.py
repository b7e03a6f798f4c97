"""How long what is kept where: the one table, and the days with which deadlines are counted.

The table of `docs/privacy.md` and those of the papers are made from it. Always holds: every topic
stands in it, with the days for which the broker keeps it.
"""

from dataclasses import dataclass

from schemas.values import Words

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
SUBJECT_DAYS = 90
"""For how long an address counts that was confirmed by a link for an account at a provider."""
WAY_MINUTES = 10
"""For how long somebody may be at their identity provider before they come back to the portal."""
FEED_DAYS = 3 * 365
"""The address of a feed: longer than any programme."""


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


def _words(fr: str, en: str) -> Words:
    return Words(fr=fr, en=en)


FOREVER = _words("sans limite, sous un identifiant", "for ever, by id")
_SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
_BY_ID = _words("bases des services, sous un identifiant", "databases, by id")
_PORTAL = _words("base du portail, en empreintes", "the portal's database, as hashes")

RETENTION: tuple[Kept, ...] = (
    Kept(
        _words(
            "nom, adresse, langue, poste, présentation, assistant",
            "name, address, language, post, presentation, assistant",
        ),
        ("mentoring.people",),
        _words("bases de notify et du portail", "notify's and the portal's databases"),
        _words(
            f"l’effacement de la personne, ou {KEPT_DAYS} jours après la fermeture du programme ; "
            f"puis {COMPACTED_DAYS} jours dans le journal",
            f"the person is erased, or {KEPT_DAYS} days after the close of the cohort; on the "
            f"topic {COMPACTED_DAYS} days more",
        ),
    ),
    Kept(
        _words(
            "situation au travail : direction, site, métier, compétences, besoins, semaine, ligne",
            "who somebody is at work: directorate, site, job, skills, needs, week, line",
        ),
        ("mentoring.matching.events", "mentoring.matching.private"),
        _words(
            "bases, et journaux des services qui l’apprennent",
            "databases, and the journals of who learns it, notify among them for the wall",
        ),
        FOREVER,
    ),
    Kept(
        _words(
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
        _words("qui a demandé quoi", "who asked for what"),
        tuple(f"mentoring.{service}.private" for service in _SERVICES),
        _words("en-têtes des mêmes messages", "headers of the same records"),
        _words("aussi longtemps que le message", "as long as the record"),
    ),
    Kept(
        _words("qui a quel rôle, et qui l’a donné", "who has which role, and who gave it"),
        ("mentoring.notify.private", "mentoring.portal.private"),
        _BY_ID,
        _words(
            "le rôle est retiré, ou la personne effacée ; dans le journal, sans limite, sous un "
            "identifiant",
            "the role is taken, or the person erased; on the topics for ever, by id",
        ),
    ),
    Kept(
        _words("quels liens de lettres n’ont plus cours", "which links of letters were revoked"),
        (
            *("mentoring.matching.events", "mentoring.scheduling.private"),
            *("mentoring.feedback.private", "mentoring.notify.private"),
        ),
        _BY_ID,
        FOREVER,
    ),
    Kept(
        _words(
            "ce qui a été demandé, tel que demandé ; le lien qui prouve une réponse",
            "what was asked, as it was asked; the link that proves an answer",
        ),
        tuple(f"mentoring.{service}.commands" for service in _SERVICES),
        _words("rien d’autre", "nothing else"),
        _words(f"{ASKED_DAYS} jours", f"{ASKED_DAYS} days"),
        ASKED_DAYS,
    ),
    Kept(
        _words("réponses aux questionnaires", "answers to surveys"),
        ("mentoring.feedback.events", "mentoring.feedback.private"),
        _words("base de feedback", "feedback's database"),
        _words(
            "sans limite, sans personne ni binôme ; publiées en chiffres de groupes",
            "for ever, without person, pair or survey; published as figures of groups",
        ),
    ),
    Kept(
        _words(
            "lettres : laquelle, quand, et ce qu’elle est devenue ; pas leur texte",
            "letters: which one, when, and what became of it; not their text",
        ),
        ("mentoring.notify.private", "mentoring.portal.private"),
        _words("bases de notify et du portail, sous un identifiant", "databases, by id"),
        FOREVER,
    ),
    Kept(
        _words(
            "messages qui n’ont pu être lus ou traités, tels quels",
            "records that could not be read or handled, with their bytes",
        ),
        ("mentoring.parked",),
        _words("base du service", "the service's database"),
        _words(
            "un exploitant s’en occupe ; dans le journal, sans limite",
            "an operator sees to them; on the topic, for ever",
        ),
    ),
    Kept(
        _words(
            "liens de connexion, sessions, essais, passages chez le fournisseur d’identité",
            "sign-in links, sessions, tries, ways to the identity provider",
        ),
        (),
        _PORTAL,
        _words(
            f"{LINK_MINUTES} minutes ; {SESSION_HOURS} heures au plus ; {TRIES_MINUTES} minutes ; "
            f"{WAY_MINUTES} minutes",
            f"{LINK_MINUTES} minutes; {SESSION_HOURS} hours at most; {TRIES_MINUTES} minutes; "
            f"{WAY_MINUTES} minutes",
        ),
    ),
    Kept(
        _words(
            "adresse confirmée par un lien pour un compte chez le fournisseur d’identité",
            "address confirmed by a link for an account at the identity provider",
        ),
        (),
        _words("base du portail, sous scellé", "the portal's database, sealed"),
        _words(
            f"{SUBJECT_DAYS} jours, la déconnexion de tous les appareils, ou l’effacement",
            f"{SUBJECT_DAYS} days, signing out everywhere, or being erased",
        ),
    ),
    Kept(
        _words("adresses d’agenda", "addresses of calendar feeds"),
        (),
        _PORTAL,
        _words(
            f"{FEED_DAYS} jours ; rien ne s’y lit une fois la personne effacée",
            f"{FEED_DAYS} days; nothing is to be read there once the person is erased",
        ),
    ),
    Kept(
        _words("formulaires commencés, listes en cours", "half-filled forms, lists being entered"),
        (),
        _words("base du portail", "the portal's database"),
        _words(f"{DRAFT_DAYS} jour", f"{DRAFT_DAYS} day"),
    ),
    Kept(
        _words("traces techniques, sans nom ni adresse", "logs, metrics, traces: ids at most"),
        (),
        _words("là où votre plateforme les garde", "where your platform keeps them"),
        _words("selon votre plateforme", "as your platform is set"),
    ),
)
"""By kind of data, what most concerns people first."""
