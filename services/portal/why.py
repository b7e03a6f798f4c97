"""Why two people would be paired, in one sentence, for a proposal as for a simulation. Pure."""

from collections.abc import Sequence

from schemas.known.tools import label
from schemas.saying import listed
from schemas.values import Language
from services.portal.tools import LEVELS
from services.portal.views import Participant


def sentence(
    mentor: Participant | None,
    manager: Participant | None,
    tools: Sequence[str],
    language: Language,
) -> str:
    """`LinkedIn (je sais l’expliquer) ; même site ; d’une autre direction`."""
    if mentor is None or manager is None:
        return ""
    fr = language == "fr"
    taught = []
    for tool in tools:
        level = mentor.skills.get(tool)
        words = f" ({LEVELS[level][language]})" if level else ""
        taught.append(f"{label(tool, language)}{words}")
    said = [listed(taught, language)] if taught else []
    if mentor.site and mentor.site == manager.site:
        said.append(f"tous deux à {mentor.site}" if fr else f"both at {mentor.site}")
    else:
        said.append("à distance" if fr else "at a distance")
    if mentor.directorate and mentor.directorate != manager.directorate:
        bridge = (mentor.directorate, manager.directorate)
        said.append(
            f"{bridge[0]} et {bridge[1]} se rencontrent"
            if fr
            else f"{bridge[0]} and {bridge[1]} meet"
        )
    return " ; ".join(said) if fr else "; ".join(said)
