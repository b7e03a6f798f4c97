"""What the search for a round's pairs tells the round: not records, but outcomes to decide on."""

from collections.abc import Mapping
from typing import ClassVar

from schemas.base import Message
from schemas.lines import LineRelation
from schemas.values import Waiting


class SearchReport(Message):
    """Of the search for one round."""

    subject_field: ClassVar[str] = "round_id"
    round_id: str


class PairsFound(SearchReport):
    """Some pairs, (mentor, manager); `part` counts these messages from 1."""

    part: int
    pairs: tuple[tuple[str, str], ...]
    related: Mapping[str, LineRelation] = {}
    """Of these pairs, by id: those in one reporting line who both have to agree to it."""


class PlacesFound(SearchReport):
    """Managers who stay on the waiting list, with their places; counted on from the pairs."""

    part: int
    waiting: tuple[tuple[str, Waiting], ...]


class SearchEnded(SearchReport):
    """There is nothing more to find. `proposed`: pairs that were handed over, whatever came of
    them; the other figures are those of a simulation.

    `optimal`: every pair that was found is proven to belong to a best pairing.
    """

    proposed: int
    managers_waiting: int
    places_free: int
    score: float
    optimal: bool
