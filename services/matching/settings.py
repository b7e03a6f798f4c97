"""Matching's own settings: what jobs ask for is said in catalogues that a deployment can add to."""

from schemas.known.whole import CatalogueFolder
from services.chassis.settings import Settings


class MatchingSettings(Settings):
    """What matching needs beside what every service needs."""

    catalogue_dir: CatalogueFolder = None
