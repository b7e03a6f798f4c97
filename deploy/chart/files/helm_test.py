"""Sends every service a command that it has to refuse, and sees the refusal in its projection.

That goes the whole way (HTTP, Kafka, the step, MongoDB, HTTP) and leaves nothing in the programme:
no cohort, no person, no public event. Feedback takes commands by the links of letters alone: it is
asked whether it is ready (Kafka, MongoDB) and what it knows of a cohort that there is not (the
token, MongoDB). The portal takes none and lists nothing: it is asked whether it is ready, and for
the page of a cohort that there is not (MongoDB).
"""

import os
import sys
import time

import httpx

COHORT = "helm-test"
PATIENCE = 60.0
SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
PAGES = {"feedback": "/cohorts", "portal": "/inscription"}
COMMANDS: dict[str, tuple[str, dict[str, object]]] = {
    "matching": ("WithdrawMentor", {"mentor_id": "nobody"}),
    "scheduling": ("CancelSession", {"session_id": "nobody~nobody~1", "by": "mentor"}),
    "notify": ("RetryLetter", {"letter_id": "nobody"}),
}


def refused(client: httpx.Client, url: str, kind: str, fields: dict[str, object]) -> str:
    """The rule by which the service refused the command, as its projection has it."""
    answer = client.post(f"{url}/commands/{kind}", json={"cohort_id": COHORT, **fields})
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RuntimeError(f"{kind} was not taken: {answer.status_code} {answer.text[:300]}")
    command = answer.json()["command_id"]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        seen = client.get(f"{url}/refusals/{COHORT}/{command}")
        if seen.is_success:
            return str(seen.json()["rule"])
        time.sleep(0.5)
    raise RuntimeError(f"{kind} was taken and does not show within {PATIENCE:.0f} seconds")


def unknown(client: httpx.Client, url: str, where: str) -> str:
    """What a service says of a cohort that there is not, once it says that it is ready."""
    ready = client.get(f"{url}/health/ready")
    if not ready.is_success:
        raise RuntimeError(f"it is not ready: {ready.text[:300]}")
    answer = client.get(f"{url}{where}/{COHORT}")
    if answer.status_code != httpx.codes.NOT_FOUND:
        raise RuntimeError(f"it shows nothing: {answer.status_code} {answer.text[:300]}")
    return answer.reason_phrase.lower()


def seen(client: httpx.Client, service: str, url: str) -> str:
    """What a service did, in a few words."""
    if service not in COMMANDS:
        return f"refused to show {COHORT} ({unknown(client, url, PAGES[service])})"
    kind, fields = COMMANDS[service]
    return f"refused {kind} ({refused(client, url, kind, fields)}), and shows it"


def main() -> int:
    """0 if every service that CONNECTE_TEST_… names did its part."""
    wrong = 0
    headers = {"authorization": f"Bearer {os.environ['CONNECTE_HTTP_TOKEN']}"}
    with httpx.Client(headers=headers, timeout=15) as client:
        for service in SERVICES:
            url = os.environ.get(f"CONNECTE_TEST_{service.upper()}")
            if url is None:
                continue
            try:
                told = seen(client, service, url)
            except (httpx.HTTPError, RuntimeError) as error:
                wrong += 1
                told = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"{service}: {told}\n")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
