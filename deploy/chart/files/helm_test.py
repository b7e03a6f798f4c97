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
PATIENCE = 90.0
"""Seconds for all of it: what passes has to pass within them."""
SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
PAGES = {"feedback": "/cohorts", "portal": "/inscription"}
COMMANDS: dict[str, tuple[str, dict[str, object]]] = {
    "matching": ("WithdrawMentor", {"mentor_id": "nobody"}),
    "scheduling": ("CancelSession", {"session_id": "nobody~nobody~1", "by": "mentor"}),
    "notify": ("RetryLetter", {"letter_id": "nobody"}),
}


def answered(
    client: httpx.Client, until: float, method: str, url: str, body: object = None, also: int = 0
) -> httpx.Response:
    """What a service answers, asked again `until` then while it says that it cannot now (503).

    Right after an upgrade its partitions are still being handed over. `also` passes, too.
    """
    passing = (httpx.codes.SERVICE_UNAVAILABLE, also)
    while True:
        answer = client.request(method, url, json=body)
        if answer.status_code not in passing or time.monotonic() >= until:
            return answer
        time.sleep(0.5)


def refused(
    client: httpx.Client, until: float, url: str, kind: str, fields: dict[str, object]
) -> str:
    """The rule by which the service refused the command, as its projection has it."""
    body = {"cohort_id": COHORT, **fields}
    answer = answered(client, until, "POST", f"{url}/commands/{kind}", body)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RuntimeError(f"{kind} was not taken: {answer.status_code} {answer.text[:300]}")
    command = answer.json()["command_id"]
    where = f"{url}/refusals/{COHORT}/{command}"
    shown = answered(client, until, "GET", where, also=httpx.codes.NOT_FOUND)
    if not shown.is_success:
        raise RuntimeError(f"{kind} was taken and does not show: {shown.status_code}")
    return str(shown.json()["rule"])


def unknown(client: httpx.Client, until: float, url: str, where: str) -> str:
    """What a service says of a cohort that there is not, once it says that it is ready."""
    ready = answered(client, until, "GET", f"{url}/health/ready")
    if not ready.is_success:
        raise RuntimeError(f"it is not ready: {ready.text[:300]}")
    answer = answered(client, until, "GET", f"{url}{where}/{COHORT}")
    if answer.status_code != httpx.codes.NOT_FOUND:
        raise RuntimeError(f"it shows nothing: {answer.status_code} {answer.text[:300]}")
    return answer.reason_phrase.lower()


def seen(client: httpx.Client, until: float, service: str, url: str) -> str:
    """What a service did, in a few words."""
    if service not in COMMANDS:
        return f"refused to show {COHORT} ({unknown(client, until, url, PAGES[service])})"
    kind, fields = COMMANDS[service]
    return f"refused {kind} ({refused(client, until, url, kind, fields)}), and shows it"


def main() -> int:
    """0 if every service that CONNECTE_TEST_… names did its part."""
    wrong = 0
    until = time.monotonic() + PATIENCE
    headers = {"authorization": f"Bearer {os.environ['CONNECTE_HTTP_TOKEN'].rstrip()}"}
    with httpx.Client(headers=headers, timeout=15) as client:
        for service in SERVICES:
            url = os.environ.get(f"CONNECTE_TEST_{service.upper()}")
            if url is None:
                continue
            try:
                told = seen(client, until, service, url)
            except (httpx.HTTPError, RuntimeError) as error:
                wrong += 1
                told = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"{service}: {told}\n")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
