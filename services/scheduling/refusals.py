"""What a rule of scheduling did not allow, for whoever sent the form of a link. Pure.

Always holds: a sentence says why, and what to do instead.
"""

from collections.abc import Mapping

from services.chassis.http.forms import Text

REFUSALS: Mapping[str, Text] = {
    "not-in-future": Text(
        "Cette heure est déjà passée. Choisissez-en une à venir.",
        "This time is past. Choose one that is to come.",
    ),
    "too-far-ahead": Text(
        "Cette date est à plus de 26 semaines. Choisissez-en une plus proche.",
        "This date is more than 26 weeks ahead. Choose an earlier one.",
    ),
    "off-the-quarter": Text(
        "Choisissez une heure, un quart, une demie ou moins le quart.",
        "Choose a time on a quarter of an hour.",
    ),
    "not-a-working-day": Text(
        "Choisissez un jour ouvré, du lundi au vendredi.",
        "Choose a working day, Monday to Friday.",
    ),
    "outside-working-hours": Text(
        "Choisissez une heure de 7 h à 20 h, heure de Paris.",
        "Choose a time between 7:00 and 20:00 in Paris.",
    ),
    "slot-taken": Text(
        "L’une de vous deux est déjà en séance à cette heure. Choisissez-en une autre.",
        "One of you has another session then. Choose another time.",
    ),
    "out-of-order": Text(
        "Une séance reste entre la précédente et la suivante : déplacez d’abord celle-là.",
        "A session stays between the one before and the one after: move that one first.",
    ),
    "no-common-slot": Text(
        "Vous n’avez aucune heure libre en commun d’ici la séance suivante. Proposez une date.",
        "You have no free hour in common before your next session. Propose a date.",
    ),
    "too-late-to-propose": Text(
        "À moins d’un jour de la séance, choisissez une heure libre pour vous deux, ou annulez.",
        "Within a day of the session, choose a time that you both have free, or cancel.",
    ),
    "former-date-gone": Text(
        "La date d’avant n’est plus libre. Proposez-en une autre, ou annulez.",
        "The date before is no longer free. Propose another, or cancel.",
    ),
    "session-started": Text(
        "La séance a commencé : dites plutôt si elle a eu lieu.",
        "The session has begun: report whether it took place instead.",
    ),
    "not-started": Text("La séance n’a pas encore commencé.", "The session has not begun yet."),
    "outdated-answer": Text(
        "La séance a désormais une autre date. Rouvrez le lien de votre lettre pour la voir.",
        "The session has another date by now. Open the link of your letter again to see it.",
    ),
    "own-proposal": Text(
        "C’est à l’autre personne de répondre.", "It is for the other person to answer."
    ),
}
"""Of all others the page says that the request is closed or has its answer, which is so."""
