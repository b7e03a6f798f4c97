"""The mailbox of a platform on this machine as pages: every letter that came, newest first.

Always holds: a letter is shown as it came, and loads nothing from anywhere; its links work.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from deploy.local.mail import Mailbox
from deploy.local.process import free_port
from services.chassis.http.connections import server_of

HOST = "127.0.0.1"
SHOWN = 500
"""Letters on the page; older ones are in the mailbox's directory."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"

_TEMPLATES = Environment(
    loader=PackageLoader("deploy.local", "."), autoescape=True, undefined=StrictUndefined
)


@asynccontextmanager
async def mailbox_page(mailbox: Mailbox) -> AsyncIterator[str]:
    """Serve it on a free loopback port; the address of the page."""
    port = free_port()
    server = server_of(mailbox_app(mailbox), HOST, port)
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://{HOST}:{port}/"
    finally:
        server.should_exit = True
        await serving


def mailbox_app(mailbox: Mailbox) -> FastAPI:
    """`/` lists the letters; `/letters/N` is one of them, `/letters/N.txt` its text."""
    app = FastAPI(openapi_url=None)

    def one(number: int) -> EmailMessage | None:
        held = mailbox.held()
        return held[number] if 0 <= number < len(held) else None

    @app.get("/")
    def index() -> Response:
        letters = list(enumerate(mailbox.held()))[-SHOWN:]
        page = _TEMPLATES.get_template("mailbox.html").render(letters=reversed(letters))
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    @app.get("/letters/{number}.txt")
    def text(number: int) -> Response:
        return PlainTextResponse(_part(one(number), "plain"))

    @app.get("/letters/{number}")
    def letter(number: int) -> Response:
        page = _part(one(number), "html")
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    return app


def _part(message: EmailMessage | None, kind: str) -> str:
    found = message.get_body((kind,)) if message is not None else None
    return str(found.get_content()) if found is not None else "There is no such letter."
