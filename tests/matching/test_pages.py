"""What the page of a proposal shows, and of whom."""

from schemas.base import people_of
from schemas.matching import AcceptProposal, DeclineProposal, PairProposed, ProposePair
from schemas.saying import number
from services.chassis.http.forms import About
from services.chassis.http.links import Link
from services.matching.pages import LINK_PAGES
from services.matching.views import Pair
from tests.matching.given import decided, formed, manager, mentor, proposed, scenario, the
from tests.scenario import Scenario

PROPOSAL = LINK_PAGES["proposal"]


def shown(found: Scenario, side: str = "manager", pair_id: str = "m1~g1") -> About:
    """The page of the one on this side, with the documents that it needs and there are."""
    mentor_id, manager_id = people_of(pair_id)
    person = mentor_id if side == "mentor" else manager_id
    link = Link(purpose="proposal", cohort_id="c", person_id=person, side=side, id=pair_id)
    needed = [found.state.get(one.kind, one.cohort_id, one.id) for one in PROPOSAL.needs(link)]
    return PROPOSAL.about(link, [document for document in needed if document is not None])


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
    assert shown(found, "manager").closed is None


def test_a_proposal_that_has_its_answers_says_what_became_of_it() -> None:
    closed = shown(formed()).closed
    assert closed is not None and "vous avez accepté tous les deux" in closed.fr
    found = proposed()
    found.when(DeclineProposal(cohort_id="c", pair_id="m1~g1", by="manager"))
    closed = shown(found, "mentor").closed
    assert closed is not None and "ne se fera pas" in closed.fr


def test_of_a_pair_that_cannot_be_read_nothing_is_shown() -> None:
    assert shown(scenario()) == About()


def explained(found: Scenario, pair_id: str = "m1~g1") -> About:
    """The page of the calculation."""
    page = LINK_PAGES["explanation"]
    link = Link(purpose="explanation", cohort_id="c", person_id="g1", side="manager", id=pair_id)
    needed = [found.state.get(one.kind, one.cohort_id, one.id) for one in page.needs(link)]
    return page.about(link, [document for document in needed if document is not None])


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
