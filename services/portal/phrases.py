"""What pages say of states, of what was done, and of what a rule did not allow. Pure.

Always holds: everything stands in both languages, and no sentence holds an id.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.saying import PARIS
from schemas.values import Language

Said = Mapping[Language, str]


def _said(fr: str, en: str) -> Said:
    return {"fr": fr, "en": en}


STATES: Mapping[str, Said] = {
    # of people
    "available": _said("disponible", "available"),
    "paused": _said("en pause", "paused"),
    "withdrawn": _said("parti·e", "left"),
    "waiting": _said("en attente", "waiting"),
    "paired": _said("en binôme", "paired"),
    # of pairs, and of people in them
    "proposed": _said("proposé", "proposed"),
    "formed": _said("formé", "formed"),
    "declined": _said("refusé", "declined"),
    "expired": _said("resté sans réponse", "not answered"),
    "dissolved": _said("arrêté", "stopped"),
    "graduated": _said("terminé", "completed"),
    # of sessions
    "planned": _said("à confirmer", "to be confirmed"),
    "confirmed": _said("confirmée", "confirmed"),
    "completed": _said("tenue", "held"),
    "presumed": _said("présumée tenue", "presumed held"),
    "missed": _said("manquée", "missed"),
    "postponed": _said("en attente d’une date", "waits for a date"),
    "cancelled": _said("annulée", "cancelled"),
    "to-report": _said("à raconter", "to be reported"),
    "to-come": _said("à venir", "to come"),
}
ICONS: Mapping[str, str] = {
    **dict.fromkeys(("available", "formed", "paired", "confirmed"), "●"),
    **dict.fromkeys(("graduated", "completed", "presumed"), "✔"),
    **dict.fromkeys(("waiting", "proposed", "planned", "postponed", "to-report"), "◔"),
    **dict.fromkeys(("declined", "expired", "dissolved", "missed", "withdrawn", "cancelled"), "✕"),
    "paused": "‖",
}

NOTICES: Mapping[str, Said] = {
    "connecte": _said("Vous êtes connecté·e.", "You are signed in."),
    "deconnecte": _said("Vous êtes déconnecté·e.", "You are signed out."),
    "inscrit": _said(
        "Votre inscription est enregistrée. Nous vous écrirons dès qu’un binôme vous est proposé.",
        "You have joined. We shall write to you as soon as a pair is proposed.",
    ),
    "accepte": _said(
        "Vous avez accepté. Si l’autre personne accepte aussi, vos séances seront planifiées.",
        "You have accepted. If the other person does too, your sessions will be planned.",
    ),
    "refuse": _said(
        "Vous avez refusé ce binôme. Il ne vous sera plus proposé.",
        "You have declined this pair. It will not be proposed again.",
    ),
    "confirme": _said("La date est confirmée.", "The date is confirmed."),
    "deplace": _said(
        "La séance est déplacée. L’autre personne reçoit la nouvelle date.",
        "The session has moved. The other person is sent the new date.",
    ),
    "propose": _said(
        "La date est proposée à l’autre personne. Sans réponse de sa part, la date prévue tient.",
        "The date is proposed to the other person. Unanswered, the date planned stands.",
    ),
    "date-acceptee": _said("La séance est déplacée.", "The session has moved."),
    "date-gardee": _said("La date prévue tient.", "The date planned stands."),
    "annule": _said(
        "La séance est annulée ; une autre date est cherchée.",
        "The session is cancelled; another date is sought.",
    ),
    "lieu": _said(
        "C’est noté. L’autre personne apprend le nouveau lieu par une lettre.",
        "It is recorded. The other person learns of the place by letter.",
    ),
    "raconte": _said("Merci, c’est noté.", "Thank you, it is recorded."),
    "semaine": _said(
        "Votre semaine est enregistrée. Les séances déjà fixées ne changent pas.",
        "Your week is recorded. Sessions that have a date keep it.",
    ),
    "pause": _said(
        "Vous êtes en pause : aucun nouveau binôme ne vous sera proposé.",
        "You are paused: no new pair will be proposed to you.",
    ),
    "reprise": _said("Bon retour : vous êtes à nouveau disponible.", "Welcome back."),
    "retour": _said(
        "Bon retour ! Vous retrouvez ce que vous aviez dit.",
        "Welcome back! What you had said is there.",
    ),
    "dit": _said("C’est enregistré.", "It is recorded."),
    "rien-de-neuf": _said("Rien n’a changé.", "Nothing has changed."),
    "absence": _said(
        "Votre absence est enregistrée. Les séances de ces jours-là sont déplacées.",
        "Your absence is recorded. Sessions of these days are moved.",
    ),
    "absence-annulee": _said("C’est noté : vous êtes là.", "Noted: you are there."),
    "assistant": _said(
        "C’est enregistré : votre assistant·e reçoit une copie des lettres sur vos séances.",
        "Recorded: your assistant is sent a copy of the letters about your sessions.",
    ),
    "assistant-retire": _said(
        "C’est noté : vous n’avez plus d’assistant·e ici.", "Noted: you have no assistant here."
    ),
    "autre-binome": _said(
        "Votre demande est transmise à la coordination, et à elle seule. Elle vous écrira.",
        "Your request has gone to the coordinators alone. They will write to you.",
    ),
    "binome-garde": _said("C’est noté : ce binôme continue.", "Noted: this pair goes on together."),
    "annuaire": _said("Vous êtes dans la liste.", "You are in the list."),
    "annuaire-quitte": _said("Vous n’êtes plus dans la liste.", "You are no longer in the list."),
    "annonce": _said("C’est annoncé.", "It is announced."),
    "parti": _said("Vous avez quitté le programme.", "You have left the programme."),
    "ouvert": _said("Le programme est ouvert.", "The programme is open."),
    "importe": _said("Tout le monde est inscrit.", "Everybody has been entered."),
    "simule": _said("Voici ce que donnerait le tour.", "This is what the round would give."),
    "publie": _said(
        "Le tour est publié : les personnes concernées reçoivent une lettre.",
        "The round is published: the people concerned are sent a letter.",
    ),
    "regle": _said(
        "Les règles sont enregistrées, pour la suite.", "The rules are recorded, for what follows."
    ),
    "ferme": _said("Le programme est fermé.", "The programme is closed."),
    "deja": _said("C’était déjà réglé.", "It was settled already."),
    "traite": _said(
        "C’est noté. Cela revient dans une semaine, ou plus tôt s’il y a du nouveau.",
        "Recorded. It comes back in a week, or sooner if there is news.",
    ),
    "revu": _said("Tout est à nouveau affiché.", "Everything is shown again."),
    "arrete": _said(
        "Le binôme est arrêté ; les deux personnes reçoivent une lettre.",
        "The pair has been ended; both are sent a letter.",
    ),
    "retenu": _said(
        "C’est prêt. Personne n’est prévenu avant l’heure dite : vous pouvez encore annuler.",
        "All is ready. Nobody is told before the time given: you can still call it off.",
    ),
    "rappele": _said(
        "La publication est annulée : personne n’a été prévenu.",
        "It will not be published: nobody has been told.",
    ),
    "ecarte": _said(
        "Ce binôme est écarté. Voici ce que donne le tour sans lui.",
        "This pair is left out. This is what the round gives without it.",
    ),
    "a-la-main": _said(
        "Le binôme est proposé : les deux personnes reçoivent une lettre, avec votre raison.",
        "The pair is proposed: both are sent a letter, with your reason.",
    ),
    "separe": _said(
        "C’est noté : aucun tour ne formera ce binôme.",
        "It is recorded: no round will form this pair.",
    ),
    "corrige": _said("C’est corrigé.", "It has been corrected."),
    "pause-pour": _said(
        "Cette personne est en pause : aucun nouveau binôme ne lui sera proposé.",
        "This person is paused: no new pair will be proposed to them.",
    ),
    "reprise-pour": _said(
        "Cette personne est à nouveau disponible.", "This person is available again."
    ),
    "parti-pour": _said(
        "Cette personne a quitté le programme.", "This person has left the programme."
    ),
    "revenu": _said("Cette personne est réinscrite.", "This person is back."),
    "presence": _said(
        "C’est établi ; les deux personnes reçoivent une lettre.",
        "It is settled; both are sent a letter.",
    ),
    "relance": _said("La lettre est renvoyée.", "The letter is being sent again."),
    "en-cours": _said(
        "C’est envoyé ; le résultat s’affichera ici dans un instant.",
        "It has been sent; the result will show here in a moment.",
    ),
}
"""What a page says after something was done, by the name in its address."""

REFUSALS: Mapping[str, Said] = {
    "already-answered": _said("Cette proposition a déjà sa réponse.", "It has been answered."),
    "already-reported": _said(
        "L’autre personne a déjà répondu le contraire. Écrivez à l’équipe du programme.",
        "The other person has reported the opposite. Please write to the programme's team.",
    ),
    "already-volunteered": _said(
        "Vous êtes déjà inscrit·e comme mentor, avec d’autres réponses. Changez-les dans votre "
        "espace.",
        "You are a mentor already, with other answers. Change them in your space.",
    ),
    "already-enrolled": _said(
        "Vous êtes déjà inscrit·e, avec d’autres réponses. Changez-les dans votre espace.",
        "You have joined already, with other answers. Change them in your space.",
    ),
    "cohort-exists": _said(
        "Un programme avec cet identifiant est déjà ouvert, avec d’autres règles.",
        "A programme with this id is open already, with other rules.",
    ),
    "kept-apart": _said(
        "Ces deux personnes ne doivent pas former un binôme.", "These two are kept apart."
    ),
    "retention-ended": _said(
        "Les noms et les adresses de ce programme sont déjà effacés.",
        "The names and addresses of this programme are erased already.",
    ),
    "cohort-closed": _said(
        "Ce programme est fermé : plus personne ne s’y inscrit, et aucun tour n’est lancé.",
        "This programme is closed: nobody joins any more, and no round runs.",
    ),
    "policy-fixed": _said(
        "Cette règle ne change plus une fois le programme ouvert.",
        "This rule does not change once the programme is open.",
    ),
    "charter-version": _said(
        "Cette version de la charte a déjà un autre texte.",
        "This version of the charter has another text already.",
    ),
    "round-begun": _said(
        "Il est trop tard : le tour a commencé, des personnes sont prévenues.",
        "It is too late: the round has begun, and people are being told.",
    ),
    "round-not-waiting": _said(
        "Ce tour n’attend pas d’être publié.", "This round does not wait to be published."
    ),
    "pair-known": _said(
        "Ces deux personnes ont déjà été proposées l’une à l’autre.",
        "These two have been proposed to each other before.",
    ),
    "pair-standing": _said(
        "Ces deux personnes forment un binôme, ou y sont invitées. Arrêtez-le d’abord.",
        "These two are a pair, or are asked to be one. End it first.",
    ),
    "not-waiting": _said(
        "Ce manager n’attend plus de mentor.", "This manager no longer waits for a mentor."
    ),
    "no-place": _said(
        "Ce mentor n’a plus de place. Choisissez-en un autre.",
        "This mentor has no place left. Choose another one.",
    ),
    "letter-not-failed": _said(
        "Cette lettre est déjà repartie.", "This letter is on its way already."
    ),
    "absence-over": _said("Cette absence est déjà passée.", "This absence is over."),
    "absence-overlaps": _said(
        "Vous avez déjà dit être absent·e ces jours-là. Annulez d’abord cette absence.",
        "You are away on these days already. Take that absence back first.",
    ),
    "unknown-absence": _said("Cette absence est déjà annulée.", "It has been taken back already."),
    "too-many-dates": _said(
        "Cent dates à venir au plus. Annulez-en d’abord une.",
        "A hundred dates to come at most. Take one back first.",
    ),
    "pair-not-standing": _said("Ce binôme a pris fin.", "This pair has ended."),
    "not-asked": _said("Cette demande est déjà close.", "This request is closed already."),
    "no-common-slot": _said(
        "Vous n’avez aucune heure libre en commun dans les 26 semaines à venir.",
        "You have no free hour in common in the next 26 weeks.",
    ),
    "no-needs": _said(
        "Cochez au moins un outil, ou choisissez un poste de la liste.",
        "Tick at least one tool, or choose a job from the list.",
    ),
    "not-in-future": _said(
        "Cette heure est déjà passée. Choisissez-en une à venir.",
        "This time is past. Choose one that is to come.",
    ),
    "not-started": _said("La séance n’a pas encore commencé.", "The session has not begun yet."),
    "other-attempt": _said(
        "La séance a changé de date entre-temps.", "The session has another date by now."
    ),
    "outdated-answer": _said(
        "La séance a désormais une autre date. Voyez-la dans votre espace.",
        "The session has another date by now. See it in your space.",
    ),
    "pair-ended": _said("Ce binôme a pris fin.", "This pair has ended."),
    "proposal-expired": _said(
        "Cette proposition n’est plus valable.", "This proposal has expired."
    ),
    "proposal-declined": _said("Cette proposition a été refusée.", "It has been declined."),
    "session-started": _said(
        "La séance a commencé : dites plutôt si elle a eu lieu.",
        "The session has begun: report whether it took place instead.",
    ),
    "session-cancelled": _said("La séance a été annulée.", "The session was cancelled."),
    "slot-taken": _said(
        "L’une de vous deux est déjà en séance à cette heure. Choisissez-en une autre.",
        "One of you has another session then. Choose another time.",
    ),
    "too-far-ahead": _said("Cette date est trop lointaine.", "This date is too far ahead."),
    "not-a-working-day": _said(
        "Choisissez un jour ouvré, du lundi au vendredi.", "Choose a working day."
    ),
    "off-the-quarter": _said(
        "Choisissez une heure, un quart, une demie ou moins le quart.",
        "Choose a time on a quarter of an hour.",
    ),
    "outside-working-hours": _said("Choisissez une heure de 7 h à 20 h.", "Choose 7:00 to 20:00."),
    "report-too-late": _said(
        "Il est trop tard pour changer la réponse. Écrivez à l’équipe du programme.",
        "It is too late to change the answer. Please write to the programme's team.",
    ),
    "already-settled": _said(
        "L’équipe du programme a déjà établi ce qu’il en est.",
        "The programme's team has settled it already.",
    ),
    "counts-already": _said("Elle compte déjà ainsi.", "It counts like that already."),
    "not-reported": _said(
        "Personne n’a encore rien dit de cette séance.", "Nothing is told yet of this session."
    ),
    "held-since": _said(
        "La séance a eu lieu à une autre date depuis.",
        "The session has been held on another date since.",
    ),
    "pair-dissolved": _said("Ce binôme a pris fin.", "This pair has ended."),
    "session-completed": _said("Cette séance a déjà eu lieu.", "This session has taken place."),
    "out-of-order": _said(
        "Une séance reste entre la précédente et la suivante : déplacez d’abord celle-là.",
        "A session stays between the one before and the one after: move that one first.",
    ),
    "too-late-to-propose": _said(
        "À moins d’un jour de la séance, choisissez une heure libre pour vous deux, ou annulez.",
        "Within a day of the session, choose a time that you both have free, or cancel.",
    ),
    "former-date-gone": _said(
        "La date d’avant n’est plus libre. Proposez-en une autre, ou annulez.",
        "The date before is no longer free. Propose another, or cancel.",
    ),
    "no-proposal": _said(
        "Cette date n’est plus proposée, ou a déjà sa réponse.",
        "This date is no longer proposed, or has been answered.",
    ),
    "own-proposal": _said(
        "C’est à l’autre personne de répondre.", "It is for the other person to answer."
    ),
    "withdrawn": _said(
        "Cette personne a quitté le programme.", "This person has left the programme."
    ),
    "parked": _said(
        "La demande est arrivée, mais l’équipe technique doit intervenir. Elle n’est pas perdue : "
        "inutile de la renvoyer.",
        "The request has arrived, but needs the technical team. It is not lost: there is no need "
        "to send it again.",
    ),
}


def refused(rule: str, language: Language) -> str:
    """What a rule did not allow, as a sentence."""
    said = REFUSALS.get(rule)
    if said is not None:
        return said[language]
    return (
        "Le programme n’a pas accepté cette demande : la situation a changé entre-temps."
        if language == "fr"
        else "The programme did not accept this: the situation has changed meanwhile."
    )


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
