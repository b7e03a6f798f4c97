"""What scheduling's pages say of what is over, and of what comes next. Pure.

Always holds: everything stands in both languages, and no sentence holds an id.
"""

from schemas.base import Command
from schemas.calendars import DeclareAbsence
from schemas.meeting import SetMeetingPlace
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
)
from services.chassis.http.forms import Text
from services.scheduling.views import SessionState

NEXT: dict[type[Command], Text] = {
    ConfirmSession: Text(
        "Après la séance, nous vous demanderons simplement si elle a eu lieu.",
        "After the session we will simply ask whether it took place.",
    ),
    RescheduleSession: Text(
        "Une lettre vous dit à tous les deux la nouvelle date, ou à l’autre personne celle que "
        "vous lui proposez.",
        "A letter tells both of you the new date, or the other person the one that you propose.",
    ),
    AcceptMove: Text(
        "Vous recevez tous les deux la nouvelle date, avec une invitation pour votre agenda.",
        "Both of you are sent the new date, with an invitation for your calendar.",
    ),
    DeclineMove: Text(
        "Une lettre vous rappelle à tous les deux la date qui tient.",
        "A letter tells both of you which date stands.",
    ),
    DeclareAbsence: Text(
        "Les séances qui tombent ces jours-là changent de date ; une lettre vous les dit à tous "
        "les deux.",
        "Sessions that lie in those days get other dates; letters tell both of you.",
    ),
    SetMeetingPlace: Text(
        "L’autre personne l’apprend par une lettre, et l’invitation de votre prochaine séance est "
        "mise à jour.",
        "The other person learns of it by letter, and the invitation to your next session is "
        "brought up to date.",
    ),
    CancelSession: Text(
        "La séance quitte vos agendas, et nous vous proposons une nouvelle date à tous les deux.",
        "The session leaves your calendars, and we propose a new date to both of you.",
    ),
    ReportAttendance: Text(
        "Si la séance a eu lieu, nous vous demanderons votre avis ; sinon, une nouvelle date "
        "arrive. Vous n’avez rien d’autre à faire.",
        "If the session took place, we will ask for your view; if not, a new date is coming. There "
        "is nothing else to do.",
    ),
}
"""What comes next, by what was sent."""

OVER: dict[SessionState, Text] = {
    "completed": Text("Cette séance a eu lieu.", "This session took place."),
    "missed": Text("Cette séance n’a pas eu lieu.", "This session did not take place."),
    "cancelled": Text("Cette date ne tient plus.", "This date no longer stands."),
}
BEGUN = Text("Cette séance a commencé.", "This session has begun.")

COUNTS: dict[tuple[str, str], Text] = {
    ("", "completed"): Text("Elle compte comme tenue.", "It counts as held."),
    ("", "missed"): Text("Elle compte comme manquée.", "It counts as missed."),
    ("", "cancelled"): Text("Elle a été annulée.", "It was cancelled."),
    ("presumed", "completed"): Text(
        "Sans réponse, elle est présumée tenue : vous l’aviez confirmée tous les deux.",
        "Without an answer it is presumed held: both of you had confirmed it.",
    ),
    ("disputed", "completed"): Text(
        "Vos réponses diffèrent. Elle compte comme tenue pour l’instant.",
        "Your answers differ. It counts as held for now.",
    ),
    ("disputed", "missed"): Text(
        "Vos réponses diffèrent. Elle compte comme manquée pour l’instant.",
        "Your answers differ. It counts as missed for now.",
    ),
}
"""What an attempt counts as, by cause and outcome; where the cause says no more, by the outcome."""
