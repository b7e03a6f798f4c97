"""What calendar programs and mail servers send back: answers to an invitation, delivery reports.

Always holds: an answer is made from the invitation that it answers, as the mail brought it.
"""

import smtplib
from datetime import timedelta
from email.message import EmailMessage, Message
from email.policy import SMTP
from typing import Any

from icalendar import Calendar, Component, Event, vCalAddress

HOST = "127.0.0.1"
LATER = timedelta(days=1)
"""How much later somebody would rather meet who proposes another time."""
TIMEOUT = 20.0  # seconds


def invitation_of(mail: Message) -> Calendar | None:
    """The calendar part of a letter."""
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            return Calendar.from_ical(content.decode()) if isinstance(content, bytes) else None
    return None


def reply_to(mail: EmailMessage, says: str) -> bytes:
    """What a program sends when a button is pressed: ACCEPTED, DECLINED, TENTATIVE or COUNTER."""
    calendar = invitation_of(mail)
    if calendar is None:
        raise ValueError("the letter has no invitation")
    asked: Any = next(iter(calendar.walk("VEVENT")))
    me = mail["To"].addresses[0].addr_spec
    method = "COUNTER" if says == "COUNTER" else "REPLY"
    answer = Calendar()
    answer.add("prodid", "-//calendar program//FR")
    answer.add("version", "2.0")
    answer.add("method", method)
    for zone in calendar.walk("VTIMEZONE"):
        answer.add_component(zone)
    answer.add_component(_answer(asked, me, says))
    reply = EmailMessage(policy=SMTP)
    reply["From"] = mail["To"]
    reply["To"] = str(asked["ORGANIZER"]).removeprefix("mailto:")
    reply["Subject"] = f"{says}: {asked['SUMMARY']}"
    reply.set_content(".")
    text = answer.to_ical().decode()
    reply.add_alternative(text, subtype="calendar", cte="base64", params={"method": method})
    return reply.as_bytes()


def _answer(asked: Any, me: str, says: str) -> Component:
    later = LATER if says == "COUNTER" else timedelta()
    answer = Event()
    for name in ("UID", "SEQUENCE", "DTSTAMP", "SUMMARY", "ORGANIZER"):
        answer.add(name, asked[name])
    for name in ("DTSTART", "DTEND"):
        answer.add(name, asked[name].dt + later)
    attendee = vCalAddress(f"mailto:{me}")
    attendee.params["PARTSTAT"] = "TENTATIVE" if says == "COUNTER" else says
    answer.add("attendee", attendee)
    return answer


def bounced(mail: EmailMessage) -> bytes:
    """What a mail server reports whose user's mailbox is full for good (RFC 3464)."""
    to = mail["To"].addresses[0].addr_spec
    ours = [name for name in mail if name.startswith("X-Connecte-")]
    headers = "\r\n".join(f"{name}: {mail[name]}" for name in ("Message-ID", *ours))
    lines = (
        "From: MAILER-DAEMON@mx.example.org",
        f"To: {mail['From'].addresses[0].addr_spec}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="report"',
        "",
        "--report",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.org",
        "",
        f"Final-Recipient: rfc822; {to}",
        "Action: failed",
        "Status: 5.2.2",
        "",
        "--report",
        "Content-Type: text/rfc822-headers",
        "",
        headers,
        "",
        "--report--",
        "",
    )
    return "\r\n".join(lines).encode()


def hand_over(port: int, sender: str, mail: bytes, to: str = "") -> int:
    """Bring a mail to a mailbox by LMTP; the reply's code, 0 where nobody answers."""
    try:
        with smtplib.LMTP(HOST, port, timeout=TIMEOUT) as client:
            client.ehlo("mx.example.org")
            client.mail(sender)
            code, _ = client.rcpt(to or _recipient(mail))
            if code == 250:
                code, _ = client.data(mail)
            return code
    except (OSError, smtplib.SMTPException):
        return 0


def _recipient(mail: bytes) -> str:
    head = mail.partition(b"\r\n\r\n")[0].decode()
    line = next(line for line in head.splitlines() if line.lower().startswith("to:"))
    return line.partition(":")[2].strip().strip("<>")
