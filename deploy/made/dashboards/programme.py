"""The dashboard for those who run the programme: in French, its descriptions in English too."""

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.models import dashboard as dm

from deploy.made.dashboards import words
from deploy.made.dashboards.cohorts import BEGAN, COHORT, OURS, by, mean, total
from deploy.made.dashboards.panels import (
    Levels,
    Panel,
    Query,
    Section,
    Text,
    chosen,
    data_source,
    figure,
    fixed,
    gauges,
    lines,
    rows,
    written,
)

WEEK = "$week"

_HELP = "La coordination peut l'aider : voir les binômes à risque de l'API du service feedback."


def dashboard() -> str:
    """`programme.json`."""
    started = (
        d.Dashboard("Connecte ton manager · le programme")
        .uid("connecte-programme")
        .description("Pour qui conduit le programme. For those who run the programme.")
        .tags(["connecte-ton-manager", "programme"])
        .time("now-90d", "now")
        .timezone("Europe/Paris")
        .week_start("monday")
        .refresh("5m")
        .readonly()
        .tooltip(dm.DashboardCursorSync.CROSSHAIR)
        .with_variable(data_source("Source"))
        .with_variable(
            chosen(
                "job",
                "Déploiement",
                "mentoring_build_info",
                hint="Un ministère par déploiement. One release for each ministry.",
            )
        )
        .with_variable(
            chosen(
                "cohort",
                "Cohorte",
                f"mentoring_rollout_ready{{{OURS}}}",
                hint="Un cycle du programme pour une population. One run for one population.",
            )
        )
        .with_variable(
            fixed(
                "week",
                "Semaine",
                "1w",
                hint="Ce que dure une semaine du programme. Shorter where its clock runs faster.",
            )
        )
    )
    return written(started, _sections())


def _sections() -> list[Section]:
    return [
        Section("Où en est le programme", _standing()),
        Section("Des volontaires aux parcours terminés", _funnel()),
        Section("Les séances", _sessions()),
        Section("Ce qu'en disent les participants", _surveys()),
        Section("Peut-on généraliser ?", _gate()),
        Section("Les personnes et les lettres", _people()),
    ]


def _text(title: str, french: str, english: str, unit: str = "short") -> Text:
    return Text(title, f"{french}\n\n{english}", unit)


# --- sections -----------------------------------------------------------------------------------


def _standing() -> list[Panel]:
    return [
        figure(
            _text(
                "Rodé ?",
                "« Prêt » quand chaque critère est atteint, dans toutes les cohortes choisies. "
                "Sinon, voir les critères plus bas.",
                "*Run in?* Ready once every criterion is met in all chosen cohorts.",
                "bool_yes_no",
            ),
            Query(f"min(max by (job, cohort) (mentoring_rollout_ready{{{COHORT}}}))", "verdict"),
            width=4,
            levels=Levels((1,), ("orange", "green")),
            texts={"0": "pas encore", "1": "prêt"},
        ),
        _count(
            "Volontaires",
            "Agents qui se sont proposés comme mentors.",
            "*Volunteers.*",
            total("mentoring_mentors"),
        ),
        _count(
            "Managers inscrits",
            "Managers qui ont demandé un mentor.",
            "*Managers enrolled.*",
            total("mentoring_managers"),
        ),
        _count(
            "Sans binôme",
            "Managers qui en attendent un. S'il en reste après une ronde : inviter d'autres "
            "volontaires, ou en lancer une autre (`connecte round`).",
            "*Managers waiting.* If any are left after a round, invite volunteers or run another.",
            total("mentoring_managers", 'state="waiting"'),
            Levels((1,), ("green", "orange")),
        ),
        _count(
            "Binômes en cours",
            "Binômes formés dont le parcours n'est pas terminé.",
            "*Pairs under way.*",
            total("mentoring_pairs", 'state="formed"'),
        ),
        _count(
            "Parcours terminés",
            "Binômes qui ont tenu toutes leurs séances.",
            "*Pairs graduated:* those that held all their sessions.",
            total("mentoring_pairs", 'state="graduated"'),
            width=4,
            levels=Levels((), ("green",)),
        ),
        _count(
            "Séances tenues",
            "Depuis le début.",
            "*Sessions held* since the beginning.",
            total("mentoring_sessions", 'outcome="completed"'),
            width=4,
        ),
    ]


def _count(
    title: str, french: str, english: str, expr: str, levels: Levels | None = None, width: int = 3
) -> Panel:
    return figure(
        _text(title, french, english),
        Query(expr, title.lower()),
        width=width,
        levels=levels or Levels((), ("blue",)),
    )


def _funnel() -> list[Panel]:
    held = [
        Query(total("mentoring_pairs_by_sessions", f'sessions!~"{few}"'), name)
        for few, name in (
            ("0", "1ʳᵉ séance tenue"),
            ("[0-1]", "2ᵉ séance"),
            ("[0-2]", "3ᵉ séance"),
            ("[0-3]", "4ᵉ séance"),
            ("[0-4]", "5ᵉ séance"),
        )
    ]
    return [
        gauges(
            _text(
                "Du volontariat au parcours terminé",
                "Combien sont arrivés jusqu'à chaque étape. Une marche haute montre où l'on perd "
                "du monde : propositions restées sans réponse, premières séances qui tardent.",
                "*From volunteering to graduation.* A steep step is where people are lost.",
            ),
            Query(total("mentoring_mentors"), "volontaires"),
            Query(total("mentoring_pairs"), "binômes proposés"),
            Query(total("mentoring_pairs", BEGAN), "binômes formés"),
            *held,
            Query(total("mentoring_pairs", 'state="graduated"'), "parcours terminés"),
            height=10,
        ),
        lines(
            _text(
                "Binômes par état",
                "« Sans réponse » et « déclinés » libèrent les deux personnes pour la ronde "
                "suivante. Beaucoup de binômes dissous : demander pourquoi.",
                "*Pairs by state.* Expired and declined proposals free both for the next round.",
            ),
            Query(by("state", "mentoring_pairs"), "{{state}}"),
            width=12,
            height=10,
            stacked=True,
            names=words.PAIR,
            colours=words.COLOUR,
        ),
    ]


def _sessions() -> list[Panel]:
    ended = by("outcome", "mentoring_sessions")
    before = ended.replace("})", f"}} offset {WEEK})")
    held, missed = (
        f'sum by (cohort) (mentoring_sessions{{{COHORT},outcome="{outcome}"}})'
        for outcome in ("completed", "missed")
    )
    return [
        lines(
            _text(
                "Séances par semaine",
                "Ce qu'il est advenu des séances, semaine par semaine. Une semaine creuse hors "
                "vacances mérite une relance.",
                "*Sessions per week, by outcome.* A slack week outside holidays needs a nudge.",
            ),
            Query(f"{ended} - ({before} or 0 * {ended})", "{{outcome}}", WEEK),
            width=12,
            stacked=True,
            bars=True,
            names=words.OUTCOME,
            colours=words.COLOUR,
        ),
        lines(
            _text(
                "Assiduité",
                "Séances tenues, de toutes celles qui l'ont été ou qui ont été manquées. Bien : "
                f"trois sur quatre et plus. {_HELP}",
                "*Attendance:* sessions held of those held or missed. Good: three in four or more.",
                "percentunit",
            ),
            Query(f"{held} / ({held} + ({missed} or 0 * {held}))", "{{cohort}}"),
            width=6,
            limits=(0, 1),
        ),
        gauges(
            _text(
                "Séances, en tout",
                "Chaque tentative compte une fois : une séance manquée puis tenue est dans les "
                "deux.",
                "*Sessions in all.* Each attempt counts once.",
            ),
            *(
                Query(total("mentoring_sessions", f'outcome="{outcome}"'), name)
                for outcome, name in words.OUTCOME.items()
            ),
            width=6,
        ),
    ]


def _surveys() -> list[Panel]:
    useful = f'mentoring_survey_mean{{{COHORT},kind="session",question="usefulness"}}'
    answered, closed = (
        f'sum by (cohort) (mentoring_surveys{{{COHORT},outcome="{outcome}"}})'
        for outcome in ("answered", "closed")
    )
    return [
        gauges(
            _text(
                "Les managers, avant et après",
                "Moyennes de 1 (pas du tout) à 5 (tout à fait), avant la première séance et "
                "après la dernière : à l'aise avec les outils de leur métier, et capables de les "
                "choisir. Rien ne paraît tant que trop peu ont répondu.",
                "*Managers' confidence before and after,* 1 to 5: at ease with the digital tools "
                "of the job; able to choose them. Nothing is shown while too few have answered.",
            ),
            Query(mean("at_ease", "start"), "à l'aise, avant"),
            Query(mean("at_ease", "end"), "à l'aise, après"),
            Query(mean("choosing", "start"), "savent choisir, avant"),
            Query(mean("choosing", "end"), "savent choisir, après"),
            width=8,
            limits=(1, 5),
        ),
        lines(
            _text(
                "Utilité des séances",
                "Moyenne de 1 à 5, telle que publiée. Le seuil habituel est 3,5. En dessous : "
                "demander aux binômes ce qui leur manque.",
                "*Usefulness of sessions,* 1 to 5, as published; 3.5 is usually asked for.",
            ),
            Query(f"avg by (side) ({useful})", "{{side}}"),
            limits=(1, 5),
            names=words.SIDE,
        ),
        lines(
            _text(
                "Taux de réponse",
                "Questionnaires répondus, de tous ceux qui sont clos, tels que publiés. Répondre "
                "est facultatif ; sous la moitié, les figures disent peu. Rien ne paraît tant que "
                "trop peu ont répondu.",
                "*Response:* surveys answered of those closed, as published: nothing is shown "
                "while too few have answered. Answering is optional.",
                "percentunit",
            ),
            Query(f"{answered} / ({closed} > 0)", "{{cohort}}"),
            limits=(0, 1),
        ),
    ]


def _gate() -> list[Panel]:
    value, threshold = (
        f"max by (cohort, criterion) (mentoring_rollout_{what}{{{COHORT}}})"
        for what in ("criterion", "threshold")
    )
    return [
        gauges(
            _text(
                "Critères, en part du seuil",
                "100 % et plus : atteint. De plusieurs cohortes, la plus faible compte.",
                "*Criteria as a share of their threshold.* 100% or more is met; of several "
                "cohorts the weakest counts.",
                "percentunit",
            ),
            Query(f"min by (criterion) ({value} / ({threshold} > 0))", "{{criterion}}"),
            levels=Levels((1,), ("orange", "green")),
            limits=(0, 1.5),
            names=words.CRITERION,
        ),
        rows(
            _text(
                "Critères, mesurés et demandés",
                "Ce que demande la politique de la cohorte, et ce qui a été mesuré à la dernière "
                "publication. Sans mesure : trop peu de réponses.",
                "*Criteria, measured and asked for,* as last published; without a measure, too "
                "few have answered.",
            ),
            {
                "cohort": "cohorte",
                "criterion": "critère",
                "Value #A": "mesuré",
                "Value #B": "demandé",
                "Value #C": "atteint",
            },
            Query(value, "mesuré"),
            Query(threshold, "demandé"),
            Query(f"{value} >= bool {threshold}", "atteint"),
            texts={"critère": words.CRITERION, "atteint": {"0": "non", "1": "oui"}},
        ),
    ]


def _people() -> list[Panel]:
    letters = "sum by (outcome) (mentoring_letters{" + OURS + "})"
    failed = "sum(mentoring_letters{" + OURS + ',outcome="failed"}) or vector(0)'
    return [
        lines(
            _text(
                "Volontaires par état",
                "« Complets » : autant de managers qu'ils en acceptent.",
                "*Volunteers by state.* Engaged: with as many managers as they take.",
            ),
            Query(by("state", "mentoring_mentors"), "{{state}}"),
            width=7,
            stacked=True,
            names=words.MENTOR,
            colours=words.COLOUR,
        ),
        lines(
            _text(
                "Managers par état",
                "Ceux qui attendent savent pourquoi : une lettre le leur dit après chaque ronde.",
                "*Managers by state.* Those who wait were told why.",
            ),
            Query(by("state", "mentoring_managers"), "{{state}}"),
            width=7,
            stacked=True,
            names=words.MANAGER,
            colours=words.COLOUR,
        ),
        lines(
            _text(
                "Lettres par état",
                "De tout le déploiement, quelle que soit la cohorte. Rien ne part la nuit, le "
                "week-end ni les jours fériés : la file se vide le matin.",
                "*Letters by state,* of the whole release. None leaves at night, at weekends or "
                "on holidays.",
            ),
            Query(letters, "{{outcome}}"),
            width=7,
            names=words.LETTER,
            colours=words.COLOUR,
        ),
        figure(
            _text(
                "Lettres échouées",
                "Jamais remises, malgré huit essais ou faute d'adresse. Corriger le contact, puis "
                "`RetryLetter`.",
                "*Letters failed.* Correct the contact, then send `RetryLetter`.",
            ),
            Query(failed, "échouées"),
            height=8,
            levels=Levels((1,), ("green", "red")),
        ),
    ]
