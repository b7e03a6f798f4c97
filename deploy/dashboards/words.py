"""What the programme's labels are called in French, for those who read its dashboard."""

PAIR = {
    "proposed": "proposés",
    "formed": "en cours",
    "graduated": "parcours terminé",
    "dissolved": "dissous",
    "declined": "déclinés",
    "expired": "sans réponse",
}
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
