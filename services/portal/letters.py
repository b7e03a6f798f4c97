"""What the programme's letters are about, for whoever coordinates. Pure.

A letter is named by the event that it tells; no word of its text is here, nor of a survey's answer.
"""

from collections.abc import Mapping

from schemas.values import Language

LETTERS: Mapping[str, tuple[str, str]] = {
    "MentorVolunteered": ("Inscription comme mentor", "Joined as a mentor"),
    "ManagerEnrolled": ("Inscription comme manager", "Joined as a manager"),
    "MentorReturned": ("Retour parmi les mentors", "Back among the mentors"),
    "ManagerReturned": ("Retour dans le programme", "Back in the programme"),
    "ManagerWaitlisted": ("Liste d’attente", "Waiting list"),
    "PairProposed": ("Binôme proposé", "Pair proposed"),
    "ProposalDeclined": ("Binôme refusé", "Pair declined"),
    "ProposalExpired": ("Proposition close", "Proposal closed"),
    "PairFormed": ("Binôme formé", "Pair formed"),
    "PairDissolved": ("Binôme arrêté", "Pair ended"),
    "PairStalled": ("Reprendre les séances", "To resume sessions"),
    "PairGraduated": ("Parcours terminé", "All sessions held"),
    "GraduationWithdrawn": ("Le parcours continue", "The sessions go on"),
    "SessionPlanned": ("Séance planifiée", "Session planned"),
    "SessionRescheduled": ("Séance déplacée", "Session moved"),
    "SessionShifted": ("Nouvelle date de séance", "New date of a session"),
    "SessionPostponed": ("Séance sans date", "Session without a date"),
    "SessionRelocated": ("Autre lieu de séance", "Another place of a session"),
    "SessionCancelled": ("Séance annulée", "Session cancelled"),
    "SessionMissed": ("Séance manquée", "Session missed"),
    "SessionWithdrawn": ("Rattrapage annulé", "Extra date dropped"),
    "SessionMoveProposed": ("Autre date proposée", "Another date proposed"),
    "SessionMoveDeclined": ("Autre date refusée", "Another date declined"),
    "SessionDisputed": ("Réponses qui diffèrent", "Answers that differ"),
    "AttendanceRequested": ("La séance a-t-elle eu lieu ?", "Did the session take place?"),
    "AttendanceReminded": ("Rappel sur la séance", "Reminder of the session"),
    "AttendanceCorrected": ("Présence établie", "Attendance settled"),
    "PlanningPostponed": ("Aucune heure commune", "No common hour"),
    "SurveyOpened": ("Questionnaire", "Survey"),
}


def about(template: str, language: Language) -> str:
    """What a letter is about; one of a kind that is not known here is a letter."""
    fr, en = LETTERS.get(template, ("Lettre du programme", "The programme's letter"))
    return fr if language == "fr" else en
