"""What a service can be asked is on one page, which needs nothing from elsewhere."""

import json
from html.parser import HTMLParser

import pytest

from schemas.topics import COMMANDS, Service
from services.chassis.http.reference import rendered
from tests.chassis.http.site import Site
from tests.test_shell import KINDS, openapi


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.examples: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.tags and self.tags[-1][0] == "pre" and data.strip():
            self.examples.append(data)

    def values(self, name: str) -> list[str]:
        return [str(found[name]) for _, found in self.tags if name in found]


@pytest.mark.parametrize("service", COMMANDS)
def test_every_operation_and_every_field_of_a_body_is_on_the_page(service: Service) -> None:
    document = openapi(service)
    page = Page(rendered(document))
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page.texts
    for schema in document["components"]["schemas"].values():
        assert set(schema.get("properties", ())) <= set(page.texts)


@pytest.mark.parametrize("service", COMMANDS)
def test_the_page_loads_nothing_and_every_link_of_it_leads_somewhere(service: Service) -> None:
    page = Page(rendered(openapi(service)))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "form"}
    assert page.values("src") == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {f"#{name}" for name in ids} | {"openapi.json", "asyncapi"}
    assert set(page.values("href")) <= targets


@pytest.mark.parametrize("service", COMMANDS)
def test_the_example_of_a_command_is_one_that_can_be_sent(service: Service) -> None:
    document = openapi(service)
    commands = [path for path in document["paths"] if path.startswith("/commands/")]
    page = Page(rendered({**document, "paths": {p: document["paths"][p] for p in commands}}))
    assert len(page.examples) == len(commands)
    for path, example in zip(commands, page.examples, strict=True):
        KINDS[path.rpartition("/")[2]].model_validate(json.loads(example), context="record")


async def test_the_page_is_served_with_leave_to_load_nothing(site: Site) -> None:
    async with site.client(None) as client:
        answer = await client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "ConfirmSession" in answer.text


def test_what_a_document_says_is_text_and_never_a_tag() -> None:
    page = rendered(
        {
            "info": {"title": "<b>", "description": ""},
            "paths": {"/x": {"get": {"tags": ["t"], "summary": "<script>", "responses": {}}}},
        }
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
