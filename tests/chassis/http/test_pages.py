"""The pages behind the links of letters."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from schemas.links import LinksRevoked, OneLink
from services.chassis.http.forms import Choice, Field, Form, Option, Text
from services.chassis.http.links import Link, LinkSigner, generate_keys
from services.chassis.store.contract import NoAnswer
from tests.chassis.http.site import (
    Site,
    problem,
    token,
)
from tests.chassis.toy import (
    NOW,
    types,
)

HTML, JSON = "text/html,application/xhtml+xml", "application/json"


def others_token() -> str:
    private, _ = generate_keys()
    link = Link(purpose="session", cohort_id="c", person_id="m", side="mentor", id="m~g~1")
    return LinkSigner(private).sign(link, NOW + timedelta(days=1))


async def test_looking_at_a_link_shows_its_form_and_changes_nothing(site: Site) -> None:
    async with site.client(None, HTML) as client:
        answers = [await client.get(f"/links/{token()}") for _ in range(3)]
        await client.head(f"/links/{token()}")

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "Une question" in answer.text
        assert "A question" not in answer.text, "one language on a page"
        assert "Non &lt;b&gt;" in answer.text, "texts are escaped"
        assert "Répondez à ce que vous voulez." in answer.text
    assert site.sent == []
    assert await site.world.tallies() == {"c/m~g": 0}


@pytest.mark.parametrize("accept", [HTML, JSON])
async def test_a_link_needs_no_other_token_and_sends_its_answer(site: Site, accept: str) -> None:
    async with site.client(None, accept) as client:
        path = f"/links/{token()}"
        if accept == HTML:
            answer = await client.post(path, data={"answer": "yes"})
        else:
            answer = await client.post(path, json={"answer": "yes"})

    assert answer.status_code == 200
    if accept == HTML:
        assert "C’est noté" in answer.text
    else:
        assert answer.json()["done"] is True
    assert await site.world.tallies() == {"c/m~g": 1}


@pytest.mark.parametrize(("role", "status"), [("assistant", 200), ("partner", 403)])
async def test_a_link_on_behalf_is_good_for_what_its_role_may_ask_for(
    site: Site, role: str, status: int
) -> None:
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token(role=role)}", json={"answer": "yes"})

    assert answer.status_code == status
    actors = [dict(row.headers)["ce_authrole"].decode() for row in site.sent]
    assert actors == ([role] if status == 200 else [])


LINKS = {
    "forged by a stranger": (others_token, 403, "link-forged", "n’est pas valable"),
    "with a letter changed": (
        lambda: token()[:-3] + ("AAA" if token()[-3:] != "AAA" else "BBB"),
        *(403, "link-forged", "n’est pas valable"),
    ),
    "no token at all": (lambda: "no-token", 403, "link-forged", "n’est pas valable"),
    "of another service": (
        *(lambda: token(purpose="survey"), 403, "link-forged", "n’est pas valable"),
    ),
    "expired": (lambda: token(NOW), 410, "link-expired", "a expiré"),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_allows_nothing_has_its_own_clear_answer(
    site: Site, kind: str, method: str
) -> None:
    make, status, rule, text = LINKS[kind]
    path, data = f"/links/{make()}", {"answer": "yes"} if method == "POST" else None
    async with site.client(None, HTML) as client:
        page = await client.request(method, path, data=data)
    async with site.client(None, JSON) as client:
        found = problem(await client.request(method, path, json=data), status)

    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert text in page.text
    assert "Et ensuite" in page.text, "what to do is told, too"
    assert found["rule"] == rule
    assert site.sent == []


LINK = OneLink(purpose="session", id="m~g~1")


async def _revoked(site: Site, *links: OneLink | None) -> None:
    """Matching has told so, and it was read."""
    for number, link in enumerate(links, 1):
        site.world.publish(LinksRevoked(cohort_id="c", person_id="m", number=number, link=link))
    await site.world.run(site.log.stepper)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("which", "language", "text"),
    [(None, "fr", "Ce lien a été désactivé"), (LINK, "en", "This link has been switched off.")],
)
async def test_a_link_that_was_revoked_does_nothing_and_says_so_in_its_language(
    site: Site, method: str, which: OneLink | None, language: str, text: str
) -> None:
    await _revoked(site, which)
    path, data = f"/links/{token()}", {"answer": "yes"} if method == "POST" else None
    async with site.client(None, HTML) as client:
        page = await client.request(method, f"{path}?lang={language}", data=data)
    async with site.client(None, JSON) as client:
        found = problem(await client.request(method, path, json=data), 410)
        others = [await client.get(f"/links/{token(**of)}") for of in ({"person_id": "g"},)]

    assert (page.status_code, found["rule"]) == (410, "link-revoked")
    assert text in page.text
    assert f"<h1>{text}" in page.text
    following = {"fr": "Votre prochain courriel", "en": "The next e-mail from the programme"}
    assert following[language] in page.text
    assert "<form" not in page.text
    assert [answer.status_code for answer in others] == [200], "of somebody else"
    assert site.sent == []


async def test_a_link_that_was_written_after_a_revocation_works(site: Site) -> None:
    await _revoked(site, LINK, None)
    async with site.client(None, JSON) as client:
        before = await client.post(f"/links/{token(after=1)}", json={"answer": "yes"})
        after = await client.post(f"/links/{token(after=2)}", json={"answer": "yes"})
    assert (before.status_code, after.status_code) == (410, 200)


async def test_of_one_link_that_was_revoked_the_others_of_the_person_go_on(site: Site) -> None:
    await _revoked(site, OneLink(purpose="session", id="m~g~2"))
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token()}", json={"answer": "yes"})
    assert answer.status_code == 200


async def test_a_link_used_when_its_moment_has_gone_is_a_conflict(site: Site) -> None:
    # given a pair that has met as often as there is
    async with site.client(None, JSON) as client:
        for _ in range(5):
            assert (await client.post(f"/links/{token()}", json={"answer": "yes"})).is_success
        found = problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})

    assert found["rule"] == "complete"
    # the rule says why, and not that there was an answer already
    assert (page.status_code, "Ils se sont assez vus." in page.text) == (409, True)
    # and how to answer is nothing to whoever cannot
    assert "Répondez à ce que vous voulez." not in page.text
    # and beside it stands what holds now
    assert "<dt>Rencontres</dt>\n<dd>5</dd>" in page.text
    assert await site.world.tallies() == {"c/m~g": 5}


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"answer": "perhaps"}, "answer"),
        ({}, "answer"),
        ({"answer": "no", "by": "x"}, "by"),
    ],
)
async def test_an_answer_that_is_none_is_refused_by_its_name(
    site: Site, answers: dict[str, str], named: str
) -> None:
    async with site.client(None, JSON) as client:
        found = problem(await client.post(f"/links/{token()}", json=answers), 422)
        problem(await client.post(f"/links/{token()}", data=answers), 422)

    assert f"{named}:" in found["title"]
    assert site.sent == []


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
async def test_an_answer_that_is_no_json_object_is_a_problem(site: Site, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token()}", content=content, headers=headers)

    problem(answer, 422)
    assert site.sent == []


async def test_while_an_answer_waits_to_be_decided_on_the_page_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.02)
    site.log.stepper = None
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token(side='manager')}", json={"answer": "yes"})

    assert "en cours d’enregistrement" in page.text
    assert (answer.status_code, answer.json()["done"]) == (202, False)


async def test_a_form_whose_answer_was_set_aside_says_that_it_did_not_work_yet(site: Site) -> None:
    # given that an earlier command about the same session stands aside
    async with site.client() as client:
        broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
        await client.post("/commands/CancelSession?wait=5", json=broken)
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})
    async with site.client(None, JSON) as client:
        found = problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)

    assert page.status_code == 409
    assert "n’a pas encore pu être enregistrée" in page.text
    assert "C’est noté" not in page.text
    assert (found["rule"], found["parked"]["reason"]) == ("parked", "behind")


async def _refusals(site: Site) -> int:
    return types(site.world.written()).count("CommandRefused")


async def test_a_link_that_was_used_leaves_nothing_behind_however_often_it_is_sent(
    site: Site,
) -> None:
    async with site.client(None, JSON) as client:
        for _ in range(5):
            assert (await client.post(f"/links/{token()}", json={"answer": "yes"})).is_success
        sent = len(site.sent)
        for _ in range(60):
            problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)

    assert len(site.sent) == sent
    assert await _refusals(site) == 0


async def test_by_one_link_one_answer_at_a_time_is_under_way(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.02)
    reader, site.log.stepper = site.log.stepper, None
    path = f"/links/{token()}"
    async with site.client(None, JSON) as client:
        many = [client.post(path, json={"answer": "yes"}) for _ in range(20)]
        answers = await asyncio.gather(*many)
        other = await client.post(f"/links/{token(side='manager')}", json={"answer": "yes"})
        again = await client.post(path, json={"answer": "yes"})
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [202, *[429] * 19]
        assert (other.status_code, again.status_code) == (202, 429)
        assert again.headers["retry-after"] == "1"
        assert again.json()["rule"] == "link-under-way"
        assert len(site.sent) == 2

        await site.world.run(reader)
        assert (await client.post(path, json={"answer": "yes"})).status_code == 202


async def test_with_the_database_away_an_answer_is_taken_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise NoAnswer

    for name in ("one", "positions"):
        monkeypatch.setattr(site.world.store, name, away)
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token()}", json={"answer": "yes"})
        again = await client.post(f"/links/{token()}", json={"answer": "yes"})
    assert (answer.status_code, answer.json()["done"]) == (202, False)
    assert again.status_code == 429
    assert len(site.sent) == 1


async def test_links_are_forgotten_once_they_are_done_with(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.001)
    monkeypatch.setattr("services.chassis.http.answering.KEPT", 2)
    reader, site.log.stepper = site.log.stepper, None
    async with site.client(None, JSON) as client:
        for number in range(3):
            path = f"/links/{token(person_id=f'm-{number}')}"
            await client.post(path, json={"answer": "yes"})
        assert len(site.answering._under_way) == 3
        await site.world.run(reader)
        await client.post(f"/links/{token(person_id='m-9')}", json={"answer": "yes"})
    assert len(site.answering._under_way) == 1


async def test_a_page_speaks_the_language_of_its_letter_and_can_be_switched(site: Site) -> None:
    async with site.client(None, HTML) as client:
        english = await client.get(f"/links/{token()}?lang=en")
        browser = await client.get(f"/links/{token()}", headers={"accept-language": "de, en;q=0.5"})
        other = await client.get(f"/links/{token()}?lang=de")
        done = await client.post(f"/links/{token()}?lang=en", data={"answer": "yes"})
    for page in (english, browser):
        assert '<html lang="en">' in page.text
        assert "A question" in page.text and "Une question" not in page.text
        assert 'formaction="?lang=fr"' in page.text
    assert '<html lang="fr">' in other.text and 'formaction="?lang=en"' in other.text
    assert "Your answer has been recorded" in done.text
    assert '<a href="?lang=fr"' in done.text, "where nothing is asked, it is a link"


async def test_a_page_in_the_other_language_keeps_what_was_answered_and_sends_nothing(
    site: Site,
) -> None:
    async with site.client(None, HTML) as client:
        path = f"/links/{token()}?lang=en"
        page = await client.post(path, data={"answer": "yes", "lang": "en"})
        blank = await client.post(path, data={"lang": "en"})
    assert (page.status_code, blank.status_code) == (200, 200)
    assert '<html lang="en">' in page.text
    assert 'value="yes" required checked' in page.text
    assert "checked" not in blank.text and "An answer is missing" not in blank.text
    assert site.sent == []
    assert await site.world.tallies() == {"c/m~g": 0}


async def test_a_form_that_is_sent_empty_says_which_answer_is_missing(site: Site) -> None:
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}?lang=fr", data={})
    assert page.status_code == 422
    assert "Il manque une réponse" in page.text
    assert '<a href="#answer">Où et quand ?</a>' in page.text, "the summary leads to the question"
    assert 'id="answer" class="missing"' in page.text
    assert "a déjà sa réponse" not in page.text
    assert site.sent == []


def test_what_was_answered_stays_and_an_optional_question_may_stay_open() -> None:
    either = (Option("yes", Text("Oui", "Yes")), Option("no", Text("Non", "No")))
    form = Form(
        Text("Titre", "Title"),
        (Choice("a", Text("A", "A"), either), Choice("b", Text("B", "B"), either, required=False)),
    )
    assert [choice.name for choice in form.missing({"b": "yes"})] == ["a"]
    assert form.missing({"a": "yes"}) == []
    assert [choice.name for choice in form.missing({})] == ["a", "b"]


def test_what_is_entered_counts_with_its_answer_alone_and_has_to_be_of_its_kind() -> None:
    day = Field("day", Text("Un jour", "A day"), "date")
    own = Option("own", Text("Un autre", "Another"), fields=(day,))
    choice = Choice("a", Text("A", "A"), (Option("yes", Text("Oui", "Yes")), own))
    form = Form(Text("Titre", "Title"), (choice,))
    assert form.missing({"a": "yes", "day": "nonsense"}) == []
    assert form.missing({"a": "own"}) == form.missing({"a": "own", "day": "soon"}) == [day]
    assert form.missing({"a": "own", "day": "2017-03-14"}) == []
