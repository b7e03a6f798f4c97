"""What pages say of states, and of what was done. Pure.

Always holds: everything stands in both languages, and no sentence holds an id.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.saying import PARIS
from schemas.values import Language

Said = Mapping[Language, str]


def told(fr: str, en: str) -> Said:
    return {"fr": fr, "en": en}


STATES: Mapping[str, Said] = {
    # of people
    "available": told("disponible", "available"),
    "paused": told("en pause", "paused"),
    "withdrawn": told("parti·e", "left"),
    "waiting": told("en attente", "waiting"),
    "paired": told("en binôme", "paired"),
    # of pairs, and of people in them
    "proposed": told("proposé", "proposed"),
    "formed": told("formé", "formed"),
    "declined": told("refusé", "declined"),
    "expired": told("resté sans réponse", "not answered"),
    "dissolved": told("arrêté", "stopped"),
    "graduated": told("terminé", "completed"),
    # of sessions
    "planned": told("à confirmer", "to be confirmed"),
    "confirmed": told("confirmée", "confirmed"),
    "completed": told("tenue", "held"),
    "presumed": told("présumée tenue", "presumed held"),
    "missed": told("manquée", "missed"),
    "postponed": told("en attente d’une date", "waits for a date"),
    "cancelled": told("annulée", "cancelled"),
    "to-report": told("à raconter", "to be reported"),
    "to-come": told("à venir", "to come"),
}
ROLES: Mapping[str, Said] = {
    "administrator": told("administration", "administrator"),
    "coordinator": told("coordination", "coordinator"),
    "partner": told(
        "coordination d’un organisme partenaire", "coordinator of a partner organisation"
    ),
    "auditor": told("contrôle", "auditor"),
    "participant": told("participation", "participant"),
    "assistant": told("assistanat", "assistant"),
    "operator": told("exploitation", "operator"),
    "subscriber": told("abonnement", "subscriber"),
    "machine": told("programme informatique", "machine"),
}
VIAS: Mapping[str, Said] = {
    "link": told("lien d’une lettre", "link of a letter"),
    "mail": told("réponse par courriel", "answer by mail"),
    "portal": told("portail", "portal"),
    "api": told("programme informatique", "program"),
    "roster": told("liste de personnes", "list of people"),
    "connecte": told("commande d’exploitation", "operators’ command"),
}
PARTS: Mapping[str, Said] = {
    "matching": told("programme, personnes et binômes", "programme, people and pairs"),
    "scheduling": told("séances", "sessions"),
    "notify": told("adresses, rôles et lettres", "addresses, roles and letters"),
}
"""Words for what a journal tells auditors; a newer version may know more of each."""
ICONS: Mapping[str, str] = {
    **dict.fromkeys(("available", "formed", "paired", "confirmed"), "●"),
    **dict.fromkeys(("graduated", "completed", "presumed"), "✔"),
    **dict.fromkeys(("waiting", "proposed", "planned", "postponed", "to-report"), "◔"),
    **dict.fromkeys(("declined", "expired", "dissolved", "missed", "withdrawn", "cancelled"), "✕"),
    "paused": "‖",
}

NOTICES: Mapping[str, Said] = {
    "connecte": told("Vous êtes connecté·e.", "You are signed in."),
    "repris": told(
        "Votre connexion avait pris fin. Ce que vous aviez écrit est là, non envoyé.",
        "Your session had ended. What you had typed is here, not sent yet.",
    ),
    "deconnecte": told("Vous êtes déconnecté·e.", "You are signed out."),
    "inscrit": told(
        "Votre inscription est enregistrée. Nous vous écrirons dès qu’un binôme vous est proposé.",
        "You have joined. We shall write to you as soon as a pair is proposed.",
    ),
    "role-donne": told(
        "Le rôle est donné. Il vaut dès la prochaine page que cette personne ouvre.",
        "The role is given. It holds from the next page on that they open.",
    ),
    "role-retire": told(
        "Le rôle est retiré. Il ne vaut plus, même dans une session ouverte.",
        "The role is taken. It holds no more, not even in a session that is open.",
    ),
    "accepte": told(
        "Vous avez accepté. Si l’autre personne accepte aussi, vos séances seront planifiées.",
        "You have accepted. If the other person does too, your sessions will be planned.",
    ),
    "accepte-deja": told(
        "Vous aviez déjà accepté ce binôme ; voici où il en est.",
        "You had accepted this pair already; this is how it stands.",
    ),
    "refuse": told(
        "Vous avez refusé ce binôme. Il ne vous sera plus proposé.",
        "You have declined this pair. It will not be proposed again.",
    ),
    "confirme": told("La date est confirmée.", "The date is confirmed."),
    "deplace": told(
        "La séance est déplacée. L’autre personne reçoit la nouvelle date.",
        "The session has moved. The other person is sent the new date.",
    ),
    "propose": told(
        "La date est proposée à l’autre personne. Sans réponse de sa part, la date prévue tient.",
        "The date is proposed to the other person. Unanswered, the date planned stands.",
    ),
    "date-acceptee": told("La séance est déplacée.", "The session has moved."),
    "date-gardee": told("La date prévue tient.", "The date planned stands."),
    "annule": told(
        "La séance est annulée ; une autre date est cherchée.",
        "The session is cancelled; another date is sought.",
    ),
    "lieu": told(
        "C’est noté. L’autre personne apprend le nouveau lieu par une lettre.",
        "It is recorded. The other person learns of the place by letter.",
    ),
    "raconte": told("Merci, c’est noté.", "Thank you, it is recorded."),
    "semaine": told(
        "Votre semaine est enregistrée. Les séances déjà fixées ne changent pas.",
        "Your week is recorded. Sessions that have a date keep it.",
    ),
    "pause": told(
        "Vous êtes en pause : aucun nouveau binôme ne vous sera proposé.",
        "You are paused: no new pair will be proposed to you.",
    ),
    "reprise": told("Bon retour : vous êtes à nouveau disponible.", "Welcome back."),
    "retour": told(
        "Bon retour ! Vous retrouvez ce que vous aviez dit.",
        "Welcome back! What you had said is there.",
    ),
    "dit": told("C’est enregistré.", "It is recorded."),
    "rien-de-neuf": told("Rien n’a changé.", "Nothing has changed."),
    "absence": told(
        "Votre absence est enregistrée. Les séances de ces jours-là sont déplacées.",
        "Your absence is recorded. Sessions of these days are moved.",
    ),
    "absence-annulee": told("C’est noté : vous êtes là.", "Noted: you are there."),
    "assistant": told(
        "C’est enregistré : votre assistant·e reçoit une copie des lettres sur vos séances.",
        "Recorded: your assistant is sent a copy of the letters about your sessions.",
    ),
    "assistant-retire": told(
        "C’est noté : vous n’avez plus d’assistant·e ici.", "Noted: you have no assistant here."
    ),
    "autre-binome": told(
        "Votre demande est transmise à la coordination, et à elle seule. Elle vous écrira.",
        "Your request has gone to the coordinators alone. They will write to you.",
    ),
    "liens": told(
        "C’est fait : les liens de vos lettres reçues jusqu’ici n’ouvrent plus rien.",
        "Done: the links of your letters so far open nothing any more.",
    ),
    "liens-pour": told(
        "C’est fait : les liens de ses lettres n’ouvrent plus rien ; les prochaines lettres en "
        "auront de nouveaux.",
        "Done: the links of their letters open nothing any more; the next letters will have new "
        "ones.",
    ),
    "binome-garde": told("C’est noté : ce binôme continue.", "Noted: this pair goes on together."),
    "annuaire": told("Vous êtes dans la liste.", "You are in the list."),
    "annuaire-quitte": told("Vous n’êtes plus dans la liste.", "You are no longer in the list."),
    "annonce": told("C’est annoncé.", "It is announced."),
    "fiche": told(
        "La fiche est publiée : les personnes du programme la lisent.",
        "The sheet is published: the programme's people read it.",
    ),
    "fiche-retiree": told(
        "La fiche est retirée : personne ne la lit plus.",
        "The sheet was taken back: nobody reads it any more.",
    ),
    "parti": told("Vous avez quitté le programme.", "You have left the programme."),
    "ouvert": told("Le programme est ouvert.", "The programme is open."),
    "importe": told("Tout le monde est inscrit.", "Everybody has been entered."),
    "simule": told("Voici ce que donnerait le tour.", "This is what the round would give."),
    "publie": told(
        "Le tour est publié : les personnes concernées reçoivent une lettre.",
        "The round is published: the people concerned are sent a letter.",
    ),
    "regle": told(
        "Les règles sont enregistrées, pour la suite.", "The rules are recorded, for what follows."
    ),
    "ferme": told("Le programme est fermé.", "The programme is closed."),
    "deja": told("C’était déjà réglé.", "It was settled already."),
    "traite": told(
        "C’est noté. Cela revient dans une semaine, ou plus tôt s’il y a du nouveau.",
        "Recorded. It comes back in a week, or sooner if there is news.",
    ),
    "revu": told("Tout est à nouveau affiché.", "Everything is shown again."),
    "arrete": told(
        "Le binôme est arrêté ; les deux personnes reçoivent une lettre.",
        "The pair has been ended; both are sent a letter.",
    ),
    "retenu": told(
        "C’est prêt. Personne n’est prévenu avant l’heure dite : vous pouvez encore annuler.",
        "All is ready. Nobody is told before the time given: you can still call it off.",
    ),
    "rappele": told(
        "La publication est annulée : personne n’a été prévenu.",
        "It will not be published: nobody has been told.",
    ),
    "ecarte": told(
        "Ce binôme est écarté. Voici ce que donne le tour sans lui.",
        "This pair is left out. This is what the round gives without it.",
    ),
    "a-la-main": told(
        "Le binôme est proposé : les deux personnes reçoivent une lettre, avec votre raison.",
        "The pair is proposed: both are sent a letter, with your reason.",
    ),
    "separe": told(
        "C’est noté : aucun tour ne formera ce binôme.",
        "It is recorded: no round will form this pair.",
    ),
    "corrige": told("C’est corrigé.", "It has been corrected."),
    "pause-pour": told(
        "Cette personne est en pause : aucun nouveau binôme ne lui sera proposé.",
        "This person is paused: no new pair will be proposed to them.",
    ),
    "reprise-pour": told(
        "Cette personne est à nouveau disponible.", "This person is available again."
    ),
    "parti-pour": told(
        "Cette personne a quitté le programme.", "This person has left the programme."
    ),
    "revenu": told("Cette personne est réinscrite.", "This person is back."),
    "presence": told(
        "C’est établi ; les deux personnes reçoivent une lettre.",
        "It is settled; both are sent a letter.",
    ),
    "relance": told("La lettre est renvoyée.", "The letter is being sent again."),
    "en-cours": told(
        "C’est envoyé ; le résultat s’affichera ici dans un instant.",
        "It has been sent; the result will show here in a moment.",
    ),
}
"""What a page says after something was done, by the name in its address."""


def cause(text: str, language: Language) -> str:
    """Why a letter failed, from what notify says of it."""
    fr = language == "fr"
    if text in ("no contact", "address"):
        return "adresse manquante ou illisible" if fr else "the address is missing or unreadable"
    if text.startswith("smtp 5"):
        return (
            f"la messagerie refuse l’adresse ({text})"
            if fr
            else f"the mail server refuses the address ({text})"
        )
    return f"la messagerie n’a pas répondu ({text})" if fr else f"no answer to mail ({text})"


def from_now(moment: datetime, now: datetime, language: Language) -> str:
    """`aujourd’hui`, `demain`, `dans 3 jours`, `il y a 2 jours`: by the days of the calendar."""
    days = (moment.astimezone(PARIS).date() - now.astimezone(PARIS).date()).days
    fr = {0: "aujourd’hui", 1: "demain", -1: "hier"}
    en = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in fr:
        return fr[days] if language == "fr" else en[days]
    if language == "fr":
        return f"dans {days} jours" if days > 0 else f"il y a {-days} jours"
    return f"in {days} days" if days > 0 else f"{-days} days ago"
