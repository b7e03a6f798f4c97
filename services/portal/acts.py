"""What was done, in plain words, for whoever has to see that rules are kept. Pure.

Always holds: whatever the journals tell of somebody's wishes has its words, as something that one
does: so they fit what was done and what was refused.
"""

from collections.abc import Mapping

from services.portal.phrases import Said, told

SAID: tuple[tuple[tuple[str, ...], Said], ...] = (
    # the programme
    (("OpenCohort", "CohortOpened"), told("ouvrir le programme", "open the programme")),
    (
        ("ChangePolicy", "PolicyChanged"),
        told("changer les règles du programme", "change the programme’s rules"),
    ),
    (("CloseCohort", "CohortClosed"), told("fermer le programme", "close the programme")),
    (("RetentionEnded",), told("fixer l’effacement des noms", "set when names are erased")),
    (
        ("TellCommunity", "CommunityTold"),
        told("annoncer un salon ou une rencontre", "announce a room or a meeting"),
    ),
    (("WriteSheet", "SheetWritten"), told("écrire une fiche", "write a sheet")),
    (("TakeSheetBack", "SheetTakenBack"), told("retirer une fiche", "take a sheet back")),
    # people
    (("VolunteerAsMentor", "MentorVolunteered"), told("inscrire un mentor", "enter a mentor")),
    (("EnrolManager", "ManagerEnrolled"), told("inscrire un manager", "enter a manager")),
    (
        ("ChangeMentor", "MentorChanged"),
        told("changer ce que dit un mentor", "change what a mentor says"),
    ),
    (
        ("ChangeManager", "ManagerChanged"),
        told("changer ce que dit un manager", "change what a manager says"),
    ),
    (("PauseMentor", "MentorPaused"), told("mettre un mentor en pause", "pause a mentor")),
    (("PauseManager", "ManagerPaused"), told("mettre un manager en pause", "pause a manager")),
    (("ResumeMentor", "MentorResumed"), told("finir la pause d’un mentor", "resume a mentor")),
    (("ResumeManager", "ManagerResumed"), told("finir la pause d’un manager", "resume a manager")),
    (("WithdrawMentor", "MentorWithdrew"), told("retirer un mentor", "withdraw a mentor")),
    (("WithdrawManager", "ManagerWithdrew"), told("retirer un manager", "withdraw a manager")),
    (
        ("ReturnMentor", "MentorReturned"),
        told("faire revenir un mentor", "bring a mentor back"),
    ),
    (
        ("ReturnManager", "ManagerReturned"),
        told("faire revenir un manager", "bring a manager back"),
    ),
    (
        ("ChangeAvailability", "AvailabilityChanged"),
        told("changer des disponibilités", "change when somebody is free"),
    ),
    (
        ("NameLineManager", "LineManagerNamed"),
        told("indiquer un responsable", "name somebody’s line manager"),
    ),
    (
        ("StandInDirectory", "DirectoryChanged"),
        told("entrer dans l’annuaire ou en sortir", "enter the directory or leave it"),
    ),
    (
        ("RevokeLinks", "LinksRevoked"),
        told("désactiver des liens de lettres", "switch links of letters off"),
    ),
    (("ManagerWaitlisted",), told("mettre en liste d’attente", "put on the waiting list")),
    (("PersonContact",), told("enregistrer un contact", "record a contact")),
    (("PersonErased",), told("effacer une personne", "erase somebody")),
    (("GiveRole", "RoleGiven"), told("donner un rôle", "give a role")),
    (("TakeRole", "RoleTaken"), told("retirer un rôle", "take a role away")),
    # rounds and pairs
    (("RunRound", "RoundRequested"), told("lancer un tour", "run a round")),
    (("RoundCompleted",), told("terminer un tour", "complete a round")),
    (("RoundSimulated", "PairsSimulated"), told("simuler un tour", "simulate a round")),
    (
        ("CallOffRound", "RoundCalledOff"),
        told("annuler la publication d’un tour", "call off the publication of a round"),
    ),
    (("ProposePair", "PairProposed"), told("proposer un binôme", "propose a pair")),
    (("PairChosenByHand",), told("choisir un binôme à la main", "choose a pair by hand")),
    (
        ("KeepApart", "PairKeptApart"),
        told("ne pas réunir deux personnes", "keep two people apart"),
    ),
    (
        ("AcceptProposal", "ProposalAccepted"),
        told("accepter une proposition", "accept a proposal"),
    ),
    (
        ("DeclineProposal", "ProposalDeclined"),
        told("décliner une proposition", "decline a proposal"),
    ),
    (("ProposalExpired",), told("clore une proposition", "close a proposal")),
    (("PairFormed",), told("former un binôme", "form a pair")),
    (("DissolvePair", "PairDissolved"), told("mettre fin à un binôme", "end a pair")),
    (
        ("AskForAnotherPartner", "AnotherPartnerAsked"),
        told("demander un autre binôme", "ask for another partner"),
    ),
    (("KeepPartner", "PartnerKept"), told("garder son binôme", "keep the partner")),
    # sessions
    (("SessionPlanned",), told("donner une date à une séance", "give a session a date")),
    (("ConfirmSession", "SessionConfirmed"), told("confirmer une séance", "confirm a session")),
    (("RescheduleSession", "SessionRescheduled"), told("déplacer une séance", "move a session")),
    (("SessionMoveProposed",), told("proposer une autre date", "propose another date")),
    (
        ("AcceptMove", "SessionMoveAccepted"),
        told("accepter une autre date", "accept another date"),
    ),
    (
        ("DeclineMove", "SessionMoveDeclined"),
        told("refuser une autre date", "decline another date"),
    ),
    (
        ("SessionMoveRefused",),
        told("proposer un moment qui n’est pas possible", "propose a time that cannot be"),
    ),
    (
        ("AnswerInvitation",),
        told("répondre à une invitation par courriel", "answer an invitation by mail"),
    ),
    (("CancelSession", "SessionCancelled"), told("annuler une séance", "cancel a session")),
    (("SessionShifted",), told("changer la date d’une séance", "change a session’s date")),
    (("SessionPostponed",), told("remettre une séance", "put a session off")),
    (("SessionWithdrawn",), told("retirer une date de rattrapage", "withdraw a date in its stead")),
    (
        ("SetMeetingPlace", "MeetingPlaceSet"),
        told("choisir le lieu des séances", "choose where sessions are"),
    ),
    (("SessionRelocated",), told("changer le lieu d’une séance", "change a session’s place")),
    (
        ("AttendanceRequested", "AttendanceReminded"),
        told("demander si une séance a eu lieu", "ask whether a session was held"),
    ),
    (("ReportAttendance",), told("dire si une séance a eu lieu", "report a session")),
    (("SessionCompleted",), told("dire qu’une séance a eu lieu", "report a session as held")),
    (("SessionMissed",), told("dire qu’une séance n’a pas eu lieu", "report a session as missed")),
    (("SessionDisputed",), told("contredire l’autre sur une séance", "dispute a session")),
    (
        ("CorrectAttendance", "AttendanceCorrected"),
        told("corriger une présence", "correct attendance"),
    ),
    (("DeclareAbsence", "AbsenceDeclared"), told("déclarer une absence", "declare an absence")),
    (
        ("WithdrawAbsence", "AbsenceWithdrawn"),
        told("annuler une absence", "take an absence back"),
    ),
    (("OfferHours", "HoursOffered"), told("proposer des heures", "offer hours")),
    (
        ("NoteHoursElsewhere", "HoursElsewhereNoted"),
        told("noter des heures prises ailleurs", "note hours taken elsewhere"),
    ),
    (
        ("PlanningBegan", "PlanningPostponed"),
        told("chercher une heure commune", "look for a common hour"),
    ),
    (("PairStalled",), told("constater un binôme à l’arrêt", "find a pair at a standstill")),
    (("PairGraduated",), told("terminer un parcours", "complete the sessions of a pair")),
    (("GraduationWithdrawn",), told("rouvrir un parcours", "reopen the sessions of a pair")),
    # letters
    (("RetryLetter", "LetterDeferred"), told("renvoyer une lettre", "send a letter again")),
    (
        ("ReportBounce", "LetterFailed"),
        told("signaler une lettre revenue", "report a letter that came back"),
    ),
)
ACTS: Mapping[str, Said] = {name: said for names, said in SAID for name in names}
"""Each command that people may ask for, and what comes of them, in words."""

UPKEEP = frozenset(
    {
        *("NewsHeld", "NewsDropped", "LetterQueued", "LetterSent", "RoleLetterQueued"),
        *("AttentionWanted", "AttentionSettled", "AttentionGathered", "DigestQueued"),
        *("ContactsErased", "HoursTold", "AddressChanged", "Heartbeat"),
    }
)
"""What a service does about an act beside it: nobody's wish, and so no act of anybody."""
