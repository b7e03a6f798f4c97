"""Sends every service a command that it has to refuse, and sees the refusal in its projection.

That goes the whole way (HTTP, Kafka, the step, MongoDB, HTTP) and leaves nothing in the programme:
no cohort, no person, no public event.
"""

import os
import sys
import time

import httpx

COHORT = "helm-test"
PATIENCE = 60.0
COMMANDS: dict[str, tuple[str, dict[str, object]]] = {
    "matching": ("WithdrawMentor", {"mentor_id": "nobody"}),
    "scheduling": ("CancelSession", {"session_id": "nobody~nobody~1", "by": "mentor"}),
    "feedback": (
        "AnswerSurvey",
        {"survey_id": "nobody~nobody~s1~mentor", "scores": {"usefulness": 3}},
    ),
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


def main() -> int:
    """0 if every service that CONNECTE_TEST_… names did its part."""
    wrong = 0
    headers = {"authorization": f"Bearer {os.environ['CONNECTE_HTTP_TOKEN']}"}
    with httpx.Client(headers=headers, timeout=15) as client:
        for service, (kind, fields) in COMMANDS.items():
            url = os.environ.get(f"CONNECTE_TEST_{service.upper()}")
            if url is None:
                continue
            try:
                seen = f"refused {kind} ({refused(client, url, kind, fields)}), and shows it"
            except (httpx.HTTPError, RuntimeError) as error:
                wrong += 1
                seen = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"{service}: {seen}\n")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
