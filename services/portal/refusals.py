"""What pages say of what a rule did not allow, and what to do instead. Pure.

Auditors read the same words as whoever was refused. Always holds: every rule of the services that
people ask for something has its own; everything stands in both languages, and no sentence holds an
id.
"""

from collections.abc import Mapping

from schemas.values import Language
from services.portal.phrases import Said, told

REFUSALS: Mapping[str, Said] = {
    "already-answered": told(
        "La réponse à cette proposition est déjà donnée.", "This proposal is answered already."
    ),
    "line-not-agreed": told(
        "L’un de vous est dans la ligne hiérarchique de l’autre : il faut dire que cela vous "
        "convient.",
        "One of you stands in the other's reporting line: say that you agree to it.",
    ),
    "unknown-pair": told(
        "Ce binôme n’est pas connu dans ce programme.", "This programme knows no such pair."
    ),
    "unknown-cohort": told(
        "Ce programme n’est pas encore ouvert.", "This programme has not been opened yet."
    ),
    "unknown-role": told("Ce rôle est déjà retiré.", "This role is taken away already."),
    "formed-already": told(
        "Vous avez accepté tous les deux : ce binôme est formé. Vous pouvez demander un autre "
        "binôme dans votre espace, en confidence.",
        "Both of you have accepted: this pair is formed. You can ask for another partner in your "
        "space, in confidence.",
    ),
    "already-reported": told(
        "L’autre personne a déjà répondu le contraire. Écrivez à l’équipe du programme.",
        "The other person has reported the opposite. Please write to the programme's team.",
    ),
    "already-volunteered": told(
        "Vous êtes déjà inscrit·e comme mentor, avec d’autres réponses. Changez-les dans votre "
        "espace.",
        "You are a mentor already, with other answers. Change them in your space.",
    ),
    "already-enrolled": told(
        "Vous êtes déjà inscrit·e, avec d’autres réponses. Changez-les dans votre espace.",
        "You have joined already, with other answers. Change them in your space.",
    ),
    "id-of-another": told(
        "Quelqu’un d’autre a déjà cet identifiant. Donnez-en un autre, ou corrigez d’abord "
        "l’adresse si c’est la même personne.",
        "Somebody else has this id already. Give another, or change the address first if it is the "
        "same person.",
    ),
    "organisation-not-named": told(
        "Ce programme n’a pas cet organisme.", "This programme has no such organisation."
    ),
    "last-administrator": told(
        "C’est la dernière personne à qui l’administration de ce programme a été donnée. Donnez-la "
        "d’abord à quelqu’un d’autre.",
        "They are the last to whom the administration of this programme was given. Give it to "
        "somebody else first.",
    ),
    "unknown-person": told(
        "Cette personne n’est pas encore enregistrée. Recommencez dans un instant.",
        "This person has not been recorded yet. Try again in a moment.",
    ),
    "organisations-of-a-partner": told(
        "Nommez un organisme pour ce rôle, et pour aucun autre.",
        "Name an organisation for this role, and for no other.",
    ),
    "too-many-links": told(
        "Trop de liens ont été désactivés un par un. Désactivez-les tous.",
        "Too many links were switched off one by one. Switch all of them off.",
    ),
    "cohort-exists": told(
        "Un programme avec cet identifiant est déjà ouvert, avec d’autres règles.",
        "A programme with this id is open already, with other rules.",
    ),
    "too-many-sheets": told(
        "Un programme a cent fiches au plus, fiches retirées comprises. Changez-en une.",
        "A programme has a hundred sheets at most, with those taken back. Change one of them.",
    ),
    "sheet-changed": told(
        "Quelqu’un d’autre a changé cette fiche entre-temps.",
        "Somebody else has changed this sheet meanwhile.",
    ),
    "unknown-sheet": told(
        "Cette fiche n’est pas encore enregistrée.", "This sheet has not been recorded yet."
    ),
    "kept-apart": told(
        "Ces deux personnes ne doivent pas former un binôme.", "These two are kept apart."
    ),
    "retention-ended": told(
        "Les noms et les adresses de ce programme sont déjà effacés.",
        "The names and addresses of this programme are erased already.",
    ),
    "cohort-closed": told(
        "Ce programme est fermé : plus personne ne s’y inscrit, et aucun tour n’est lancé.",
        "This programme is closed: nobody joins any more, and no round runs.",
    ),
    "policy-fixed": told(
        "Cette règle ne change plus une fois le programme ouvert.",
        "This rule does not change once the programme is open.",
    ),
    "charter-version": told(
        "Cette version de la charte a déjà un autre texte.",
        "This version of the charter has another text already.",
    ),
    "round-begun": told(
        "Il est trop tard : le tour a commencé, des personnes sont prévenues.",
        "It is too late: the round has begun, and people are being told.",
    ),
    "reserved-round": told(
        "Ce nom de tour est réservé aux binômes formés à la main.",
        "This name of a round is kept for pairs formed by hand.",
    ),
    "unknown-round": told("Ce tour n’a pas été demandé.", "No such round was asked for."),
    "round-not-waiting": told(
        "Ce tour n’attend pas d’être publié.", "This round does not wait to be published."
    ),
    "pair-known": told(
        "Ces deux personnes ont déjà été proposées l’une à l’autre.",
        "These two have been proposed to each other before.",
    ),
    "pair-standing": told(
        "Ces deux personnes forment un binôme, ou y sont invitées. Arrêtez-le d’abord.",
        "These two are a pair, or are asked to be one. End it first.",
    ),
    "not-waiting": told(
        "Ce manager n’attend plus de mentor.", "This manager no longer waits for a mentor."
    ),
    "no-place": told(
        "Ce mentor n’a plus de place. Choisissez-en un autre.",
        "This mentor has no place left. Choose another one.",
    ),
    "letter-not-failed": told(
        "Cette lettre est déjà repartie.", "This letter is on its way already."
    ),
    "letter-not-sent": told(
        "Cette lettre n’est pas encore partie : elle ne peut pas être revenue.",
        "This letter has not been sent yet: it cannot have come back.",
    ),
    "unknown-letter": told(
        "Cette lettre n’est pas connue dans ce programme.", "This programme knows no such letter."
    ),
    "absence-over": told("Cette absence est déjà passée.", "This absence is over."),
    "absence-overlaps": told(
        "Vous avez déjà dit être absent·e ces jours-là. Annulez d’abord cette absence.",
        "You are away on these days already. Take that absence back first.",
    ),
    "unknown-absence": told("Cette absence est déjà annulée.", "It has been taken back already."),
    "too-many-dates": told(
        "Cent dates à venir au plus. Annulez-en d’abord une.",
        "A hundred dates to come at most. Take one back first.",
    ),
    "date-over": told("Cette date est déjà passée.", "This date is past."),
    "unknown-hours": told(
        "Ces heures ne sont pas, ou plus, proposées.", "These hours are not offered, or no longer."
    ),
    "outdated-hours": told(
        "Une liste plus récente de ces heures est déjà notée.",
        "A newer list of these hours is noted already.",
    ),
    "too-many-calendars": told(
        "Trop d’autres agendas sont déjà notés pour cette personne.",
        "Too many other calendars are noted for this person already.",
    ),
    "pair-not-standing": told("Ce binôme a pris fin.", "This pair has ended."),
    "not-asked": told("Cette demande est déjà close.", "This request is closed already."),
    "no-common-slot": told(
        "Vous n’avez aucune heure libre en commun dans les 26 semaines à venir.",
        "You have no free hour in common in the next 26 weeks.",
    ),
    "no-needs": told(
        "Cochez au moins un outil, ou choisissez un poste de la liste.",
        "Tick at least one tool, or choose a job from the list.",
    ),
    "not-in-future": told(
        "Cette heure est déjà passée. Choisissez-en une à venir.",
        "This time is past. Choose one that is to come.",
    ),
    "not-started": told("La séance n’a pas encore commencé.", "The session has not begun yet."),
    "not-planned": told(
        "La séance attend une date qui convienne aux deux.",
        "The session waits for a date that suits both.",
    ),
    "unknown-session": told(
        "Cette séance n’est pas connue dans ce programme.", "This programme knows no such session."
    ),
    "other-attempt": told(
        "La séance a changé de date entre-temps.", "The session has another date by now."
    ),
    "outdated-answer": told(
        "La séance a désormais une autre date. Voyez-la dans votre espace.",
        "The session has another date by now. See it in your space.",
    ),
    "pair-ended": told("Ce binôme a pris fin.", "This pair has ended."),
    "proposal-expired": told(
        "Le temps pour répondre est passé. Vous restez inscrit·e : nous vous écrirons dès qu’un "
        "autre binôme vous est proposé.",
        "The time to answer has run out. You are still enrolled: we shall write to you as soon as "
        "another pair is proposed.",
    ),
    "proposal-declined": told(
        "La proposition a été refusée : ce binôme ne se fera pas. Vous restez inscrit·e : nous "
        "vous écrirons dès qu’un autre vous est proposé.",
        "The proposal was declined: this pair will not be formed. You are still enrolled: we "
        "shall write to you as soon as another is proposed.",
    ),
    "session-started": told(
        "La séance a commencé : dites plutôt si elle a eu lieu.",
        "The session has begun: report whether it took place instead.",
    ),
    "session-cancelled": told("La séance a été annulée.", "The session was cancelled."),
    "slot-taken": told(
        "L’une de vous deux est déjà en séance à cette heure. Choisissez-en une autre.",
        "One of you has another session then. Choose another time.",
    ),
    "too-far-ahead": told("Cette date est trop lointaine.", "This date is too far ahead."),
    "not-a-working-day": told(
        "Choisissez un jour ouvré, du lundi au vendredi.", "Choose a working day."
    ),
    "off-the-quarter": told(
        "Choisissez une heure, un quart, une demie ou moins le quart.",
        "Choose a time on a quarter of an hour.",
    ),
    "outside-working-hours": told("Choisissez une heure de 7 h à 20 h.", "Choose 7:00 to 20:00."),
    "report-too-late": told(
        "Il est trop tard pour changer la réponse. Écrivez à l’équipe du programme.",
        "It is too late to change the answer. Please write to the programme's team.",
    ),
    "already-settled": told(
        "L’équipe du programme a déjà établi ce qu’il en est.",
        "The programme's team has settled it already.",
    ),
    "counts-already": told("Elle compte déjà ainsi.", "It counts like that already."),
    "not-reported": told(
        "Personne n’a encore rien dit de cette séance.", "Nothing is told yet of this session."
    ),
    "held-since": told(
        "La séance a eu lieu à une autre date depuis.",
        "The session has been held on another date since.",
    ),
    "pair-dissolved": told("Ce binôme a pris fin.", "This pair has ended."),
    "session-completed": told("Cette séance a déjà eu lieu.", "This session has taken place."),
    "out-of-order": told(
        "Une séance reste entre la précédente et la suivante : déplacez d’abord celle-là.",
        "A session stays between the one before and the one after: move that one first.",
    ),
    "too-late-to-propose": told(
        "À moins d’un jour de la séance, choisissez une heure libre pour vous deux, ou annulez.",
        "Within a day of the session, choose a time that you both have free, or cancel.",
    ),
    "former-date-gone": told(
        "La date d’avant n’est plus libre. Proposez-en une autre, ou annulez.",
        "The date before is no longer free. Propose another, or cancel.",
    ),
    "no-proposal": told(
        "Cette date n’est plus proposée, ou a déjà sa réponse.",
        "This date is no longer proposed, or has been answered.",
    ),
    "own-proposal": told(
        "C’est à l’autre personne de répondre.", "It is for the other person to answer."
    ),
    "withdrawn": told(
        "Cette personne a quitté le programme.", "This person has left the programme."
    ),
    "parked": told(
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
