"""What the programme's labels are called in French, and their colours, on its dashboard."""

PAIR = {
    "proposed": "proposés",
    "formed": "en cours",
    "graduated": "parcours terminé",
    "dissolved": "dissous",
    "declined": "déclinés",
    "expired": "sans réponse",
}
GOOD, UNDER_WAY, OFFERED, WAITS, BAD, ASIDE = (
    *("green", "blue", "light-blue", "orange", "red"),
    "#9aa0a6",
)
COLOUR = {
    **dict.fromkeys(("completed", "graduated", "sent", "available"), GOOD),
    **dict.fromkeys(("formed", "paired", "engaged"), UNDER_WAY),
    **dict.fromkeys(("waiting", "queued", "paused"), WAITS),
    **dict.fromkeys(("missed", "dissolved", "failed"), BAD),
    **dict.fromkeys(("cancelled", "declined", "withdrawn"), ASIDE),
    "proposed": OFFERED,
    "expired": "#5f6368",
}
"""What a state looks like, the same wherever it is shown."""

OUTCOME = {"completed": "tenues", "missed": "manquées", "cancelled": "annulées"}
MENTOR = {
    "available": "disponibles",
    "engaged": "complets",
    "paused": "en pause",
    "withdrawn": "retirés",
}
MANAGER = {
    "waiting": "en attente",
    "proposed": "binôme proposé",
    "paired": "en binôme",
    "graduated": "parcours terminé",
    "withdrawn": "retirés",
}
SURVEY = {"answered": "répondus", "expired": "sans réponse", "open": "en cours"}
LETTER = {"sent": "envoyées", "queued": "en attente", "failed": "échouées"}
CRITERION = {
    "pairs_graduated": "parcours terminés",
    "graduation_rate": "part des parcours terminés",
    "completion_rate": "part des séances tenues",
    "response_rate": "taux de réponse",
    "satisfaction": "utilité des séances (1 à 5)",
}
SIDE = {"mentor": "mentors", "manager": "managers"}
