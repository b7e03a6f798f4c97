"""A programme from its opening to a held session, by pages alone, over real services."""

import pytest

pytestmark = pytest.mark.journey

COORDINATOR = "coordination@programme.example"
SETTINGS = {"CONNECTE_COORDINATORS": COORDINATOR, "CONNECTE_SIGN_IN_DOMAINS": "ministere.example"}
