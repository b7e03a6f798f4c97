"""The mailbox as pages: what came is listed, and shown as it came."""

from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx

from deploy.local.mail import Mailbox
from deploy.local.mailbox_page import mailbox_page


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "programme@example.org", "camille@example.org"
    message["Subject"], message["Message-ID"] = subject, f"<{subject}@example.org>"
    message.set_content(f"text of {subject}")
    message.add_alternative(f"<p>page of {subject}</p>", subtype="html")
    return message


async def test_letters_are_listed_newest_first_and_shown_as_page_and_text(tmp_path: Path) -> None:
    async with Mailbox(tmp_path) as mailbox, mailbox_page(mailbox) as url:
        transport = httpx.AsyncHTTPTransport(retries=20)
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            assert "No letter has come yet" in (await client.get("/")).text
            for subject in ("older", "newer<b>"):
                await aiosmtplib.send(
                    letter(subject), hostname=mailbox.host, port=mailbox.port, use_tls=False
                )
            index = (await client.get("/")).text
            assert 0 < index.index("newer&lt;b&gt;") < index.index("older")
            page = await client.get("/letters/0")
            assert "<p>page of older</p>" in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert (await client.get("/letters/0.txt")).text.strip() == "text of older"
            assert (await client.get("/letters/7")).text == "There is no such letter."
