"""What letters are about, in a line each, for whom they were sent to. Pure.

Always holds: every letter that the platform writes has its words; no line holds a name.
"""

from collections.abc import Mapping

from schemas.values import Language


def _said(fr: str, en: str) -> Mapping[Language, str]:
    return {"fr": fr, "en": en}


SUBJECTS: Mapping[str, Mapping[Language, str]] = {
    "MentorVolunteered": _said("Votre inscription comme mentor", "You joined as a mentor"),
    "ManagerEnrolled": _said("Votre demande d’accompagnement", "You asked to be coached"),
    "MentorReturned": _said("Votre retour parmi les mentors", "You came back as a mentor"),
    "ManagerReturned": _said("Votre retour dans le programme", "You came back"),
    "ManagerWaitlisted": _said("La liste d’attente", "The waiting list"),
    "PairProposed": _said("Un binôme vous est proposé", "A pair is proposed to you"),
    "ProposalDeclined": _said("Le binôme proposé ne se fait pas", "The pair will not be"),
    "ProposalExpired": _said("La proposition de binôme est close", "The proposal is closed"),
    "PairFormed": _said("Votre binôme est formé", "Your pair is formed"),
    "PairDissolved": _said("Votre binôme prend fin", "Your pair ends"),
    "PairStalled": _said("Et si vous repreniez vos séances ?", "Shall you begin again?"),
    "PairGraduated": _said("Votre parcours est terminé", "Your sessions are all held"),
    "GraduationWithdrawn": _said("Votre parcours continue", "Your sessions go on"),
    "PlanningPostponed": _said("Aucune heure commune pour l’instant", "No common hour yet"),
    "SessionPlanned": _said("La date d’une séance", "The date of a session"),
    "SessionRescheduled": _said("Une séance est déplacée", "A session has moved"),
    "SessionRelocated": _said("Le lieu d’une séance change", "A session's place changes"),
    "SessionShifted": _said("Une séance change de date", "A session has another date"),
    "SessionPostponed": _said("Une séance attend une date", "A session waits for a date"),
    "SessionMoveProposed": _said("Une autre date vous est proposée", "Another date is proposed"),
    "SessionMoveDeclined": _said("Quelle date tient", "Which date stands"),
    "SessionMoveRefused": _said("Un moment qui n’est pas possible", "A time that cannot be"),
    "SessionCancelled": _said("Une séance est annulée", "A session is cancelled"),
    "SessionMissed": _said("Une séance n’a pas eu lieu", "A session was not held"),
    "SessionWithdrawn": _said("Une date de rattrapage tombe", "A date is not needed any more"),
    "SessionDisputed": _said("Vos réponses diffèrent", "Your answers differ"),
    "AttendanceRequested": _said("La séance a-t-elle eu lieu ?", "Was the session held?"),
    "ProposalReminder": _said("Rappel : un binôme vous attend", "Reminder: a pair awaits you"),
    "SessionMoveReminder": _said(
        "Rappel : une autre date vous est proposée", "Reminder: another date is proposed"
    ),
    "SessionReminder": _said("Rappel : votre séance approche", "Reminder: your session is near"),
    "SessionConfirmed": _said("Une séance est confirmée", "A session is confirmed"),
    "SurveyReminder": _said("Rappel : votre avis", "Reminder: your opinion"),
    "AttendanceReminded": _said("Rappel : la séance a-t-elle eu lieu ?", "Reminder: was it held?"),
    "AttendanceCorrected": _said("Une séance est corrigée", "A session is corrected"),
    "SurveyOpened": _said("Votre avis", "Your opinion"),
    "RoleGiven": _said("Un rôle vous est donné", "You were given a role"),
    "RoleTaken": _said("Un rôle vous est retiré", "A role was taken from you"),
}


def subject(template: str, language: Language) -> str:
    """What a letter is about; a plain word for one that is not known here yet."""
    said = SUBJECTS.get(template)
    if said is not None:
        return said[language]
    return "Une lettre du programme" if language == "fr" else "A letter of the programme"
