"""What the page of a proposal shows, and of whom."""

from schemas.base import people_of
from schemas.charter import CHARTER, Charter
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    PairProposed,
    ProposalAccepted,
    ProposePair,
    RunRound,
)
from schemas.saying import number
from services.chassis.http.foresight import Unread
from services.chassis.http.forms import About, Form
from services.chassis.http.links import Link
from services.matching.pages import LINK_PAGES
from services.matching.views import Cohort, Pair
from tests.matching.given import decided, formed, manager, mentor, proposed, scenario, the
from tests.scenario import NOW, Scenario, kinds, refusal

PROPOSAL = LINK_PAGES["proposal"]
PAIR = "m1~g1"


def link(side: str = "manager", purpose: str = "proposal") -> Link:
    mentor_id, manager_id = people_of(PAIR)
    person = mentor_id if side == "mentor" else manager_id
    return Link(purpose=purpose, cohort_id="c", person_id=person, side=side, id=PAIR)


def shown(found: Scenario, side: str = "manager") -> About:
    """What the one on this side is shown."""
    return PROPOSAL.about(found.state, link(side))


def asked(found: Scenario, side: str = "manager") -> Form:
    """What the one on this side is asked."""
    return PROPOSAL.form(found.state, link(side), found.now)


def said(about: About) -> str:
    return " | ".join(f"{what.fr} : {how.fr}" for what, how in about.lines)


def test_each_side_sees_where_the_other_works_what_they_begin_with_and_until_when() -> None:
    to_manager, to_mentor = (said(shown(proposed(), side)) for side in ("manager", "mentor"))
    assert "La personne nommée dans votre lettre : DGFiP, Bercy" in to_manager
    assert "La personne nommée dans votre lettre : Statistiques ; INSEE, Bercy" in to_mentor
    for text in (to_manager, to_mentor):
        assert "Pour commencer : LinkedIn" in text
        assert "Répondre jusqu’au : " in text


def test_whoever_has_accepted_sees_so_and_can_still_change_their_mind() -> None:
    found = proposed()
    found.when(AcceptProposal(cohort_id="c", pair_id="m1~g1", by="manager"))
    assert "vous avez accepté" in said(shown(found, "manager"))
    assert "vous avez accepté" not in said(shown(found, "mentor"))
    assert asked(found, "manager").choices


def test_a_proposal_that_has_its_answers_says_what_became_of_it() -> None:
    closed = asked(formed())
    assert closed.choices == () and closed.notice is not None
    assert "vous avez accepté tous les deux" in closed.notice.fr
    found = proposed()
    found.when(DeclineProposal(cohort_id="c", pair_id="m1~g1", by="manager"))
    closed = asked(found, "mentor")
    assert closed.choices == () and closed.notice is not None
    assert "ne se fera pas" in closed.notice.fr


def test_a_yes_that_comes_twice_is_told_that_it_is_recorded() -> None:
    found = proposed()
    yes = AcceptProposal(cohort_id="c", pair_id=PAIR, by="manager")
    found.when(yes)
    words = PROPOSAL.refusals[refusal(found.when(yes))]
    assert "Vous avez déjà accepté ce binôme" in words.fr
    assert "already" in words.en
    assert "vous pouvez encore changer d’avis" in said(shown(found))


def test_whoever_accepts_last_is_told_that_the_pair_is_formed() -> None:
    accepting = AcceptProposal(cohort_id="c", pair_id=PAIR, by="manager")
    found = proposed()
    found.when(accepting)
    first = PROPOSAL.after(found.state, link(), accepting)
    last = PROPOSAL.after(formed().state, link(), accepting)
    assert first is not None and "Si l’autre personne accepte aussi" in first.fr
    assert last is not None and "Ce binôme est formé" in last.fr


def test_of_a_pair_that_cannot_be_read_nothing_is_shown_and_it_can_be_answered() -> None:
    assert shown(scenario()) == PROPOSAL.about(Unread(), link()) == About()
    assert PROPOSAL.form(Unread(), link(), NOW).choices
    page = LINK_PAGES["explanation"]
    away = page.form(Unread(), link(purpose="explanation"), NOW)
    assert away.notice is not None and "réessayer plus tard" in away.notice.fr


def explained(found: Scenario) -> About:
    """The page of the calculation."""
    return LINK_PAGES["explanation"].about(found.state, link(purpose="explanation"))


def test_the_calculation_is_told_whole_with_its_data_parameters_weights_and_operations() -> None:
    found = proposed()
    pair = the(found, Pair, "m1~g1")
    about = explained(found)
    told = said(about)
    for part in ("Rôle du calcul", "Données utilisées", "Opérations"):
        assert part in told
    [table] = about.tables
    *rows, (_, total) = table.rows
    assert [cells[3].fr for _, cells in rows] == [
        number(reason.contribution, "fr", 2) for reason in pair.reasons
    ]
    assert total[-1].fr == number(pair.score, "fr", 2)
    assert about.facts["Parameters"] == [reason.model_dump() for reason in pair.reasons]


def test_of_a_pair_made_by_hand_the_calculation_says_that_it_did_not_count() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(ProposePair(cohort_id="c", pair_id="m1~g1", reason="asked for by both"))
    told = said(explained(found))
    assert "le calcul n’a pas compté" in told
    assert "Raison donnée : asked for by both" in told


def test_both_people_are_told_why_a_coordinator_chose_them() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    [_, event] = decided(
        found.when(ProposePair(cohort_id="c", pair_id="m1~g1", reason="asked for by both"))
    )
    assert isinstance(event, PairProposed)
    assert (event.round_id, event.chosen_because) == ("by-hand", "asked for by both")


def test_whoever_was_not_shown_the_line_is_told_to_look_again() -> None:
    found = scenario(mentor("m1", line_manager="g1"), manager("g1"), reporting_line="both_consent")
    found.when(RunRound(cohort_id="c", round_id="r1"))
    unseen = PROPOSAL.command(link(), {"answer": "accept"}, "")
    rule = refusal(found.when(unseen))
    assert "Rouvrez la page" in PROPOSAL.refusals[rule].fr


def test_two_of_one_line_are_told_so_and_asked_for_that_in_particular() -> None:
    people = (mentor("m1", line_manager="g1"), manager("g1"))
    found = scenario(*people, reporting_line="both_consent")
    found.when(RunRound(cohort_id="c", round_id="r1"))
    for side in ("mentor", "manager"):
        assert "au-dessus de son mentor dans la ligne hiérarchique" in said(shown(found, side))
        [question] = asked(found, side).choices
        [yes, _] = question.options
        assert "ce lien hiérarchique me convient" in yes.text.fr
        command = PROPOSAL.command(link(side), {"answer": yes.value}, "")
        assert "ProposalAccepted" in kinds(found.when(command))
    assert the(found, Pair, PAIR).state == "formed"


# --- the charter ------------------------------------------------------------------------------

OWN = Charter(version="ours-2", fr="Nous restons polis.", en="We stay polite.")


def test_the_charter_is_read_before_it_is_accepted_with_the_proposal() -> None:
    found = proposed()
    assert CHARTER.fr in said(shown(found))
    [answer] = asked(found).choices
    yes, _ = answer.options
    assert "la charte" in yes.text.fr
    command = PROPOSAL.command(link(), {"answer": yes.value}, "")
    assert isinstance(command, AcceptProposal)
    [accepted, *_] = decided(found.when(command))
    assert isinstance(accepted, ProposalAccepted)
    assert accepted.charter == CHARTER.version


def test_a_cohort_can_have_a_charter_of_its_own() -> None:
    found = proposed()
    cohort = the(found, Cohort, "c")
    policy = cohort.policy.model_copy(update={"charter": OWN})
    found.state.apply([cohort.model_copy(update={"policy": policy})])
    assert "La charte : Nous restons polis." in said(shown(found))
    assert asked(found).choices[0].options[0].value == "accept:ours-2"


def test_whoever_has_not_seen_the_charter_can_accept_the_proposal_and_no_text_of_it() -> None:
    command = PROPOSAL.command(link(), {"answer": "accept"}, "")
    assert isinstance(command, AcceptProposal)
    assert command.charter is None
