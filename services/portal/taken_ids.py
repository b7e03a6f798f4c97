"""What in a list is somebody else's already. Pure.

Always holds: a list makes nobody's contact somebody else's.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.portal.roster import Cells, Fault


def of_others(rows: Sequence[Cells], there: Mapping[str, str]) -> Iterable[tuple[int, str, Fault]]:
    """Ids that somebody else has already. `there`: id to the small address of who has it."""
    for place, cells in enumerate(rows):
        known = there.get(cells.get("id", ""))
        if known is not None and known != cells.get("email", "").casefold():
            yield (
                place,
                "id",
                Fault(
                    "un identifiant libre : celui-ci est à quelqu’un d’inscrit avec une autre "
                    "adresse. Si c’est la même personne, corrigez d’abord son adresse",
                    "an id that is free: somebody who is there has this one, with another address. "
                    "If it is the same person, change their address first",
                ),
            )
