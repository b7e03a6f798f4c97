"""Answers to an invitation, in the shapes in which calendar programs write them; and reports.

The shapes follow RFC 5546, RFC 6047 and RFC 3464, and what the programs are documented to do:
Exchange writes `MAILTO:`, zones of its own and base64; Thunderbird attaches the calendar; Google
adds it a second time, and says that the mail is automatic; Apple leaves the organizer's name out.
"""

from base64 import encodebytes
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from schemas.saying import PARIS
from services.notify.proof import proof

SECRET = "by which letters are known"
ADDRESS = "connecte@programme.example"
UID = "bercy-2017/m-017~g-004~3@programme.example"
ANNE = "anne@example.org"

STARTS = datetime(2017, 3, 14, 10, 0)  # noqa: DTZ001 - as a calendar says it, beside its zone
HOUR = timedelta(hours=1)


def _times(starts: datetime) -> tuple[str, str]:
    """DTSTART and DTEND of an hour."""
    return f"{starts:%Y%m%dT%H%M%S}", f"{starts + HOUR:%Y%m%dT%H%M%S}"


_EXCHANGE_ZONE = """BEGIN:VTIMEZONE
TZID:Romance Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def outlook(
    says: str = "ACCEPTED",
    *,
    uid: str = UID,
    by: str = ANNE,
    sequence: int = 0,
    method: str = "",
    starts: datetime = STARTS,
) -> bytes:
    """Outlook with Exchange; with COUNTER, a new time: the day after, an hour later."""
    method = method or "REPLY"
    start, end = _times(starts + timedelta(days=1, hours=1) if method == "COUNTER" else starts)
    calendar = f"""BEGIN:VCALENDAR
METHOD:{method}
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
{_EXCHANGE_ZONE}BEGIN:VEVENT
ATTENDEE;PARTSTAT={says};CN=Anne Roy:MAILTO:{by}
COMMENT;LANGUAGE=fr-FR:\\n
UID:{uid}
SUMMARY;LANGUAGE=fr-FR:Réponse : Séance 3
DTSTART;TZID=Romance Standard Time:{start}
DTEND;TZID=Romance Standard Time:{end}
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20170306T101500Z
TRANSP:OPAQUE
SEQUENCE:{sequence}
X-MICROSOFT-CDO-APPT-SEQUENCE:{sequence}
END:VEVENT
END:VCALENDAR
"""
    encoded = encodebytes(_crlf(calendar)).decode()
    return _crlf(f"""From: Anne Roy <{by}>
To: Programme <{ADDRESS}>
Subject: =?utf-8?Q?Accept=C3=A9_:_S=C3=A9ance_3?=
Thread-Topic: Seance 3
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="_000_x_"

--_000_x_
Content-Type: text/plain; charset="iso-8859-1"

--_000_x_
Content-Type: text/calendar; charset="utf-8"; method={method}
Content-Transfer-Encoding: base64

{encoded}
--_000_x_--
""")


def thunderbird(
    says: str = "ACCEPTED",
    *,
    uid: str = UID,
    by: str = ANNE,
    sequence: int = 0,
    starts: datetime = STARTS,
) -> bytes:
    """Thunderbird: text, and the calendar as another part."""
    start, end = _times(starts)
    return _crlf(f"""From: Anne Roy <{by}>
To: {ADDRESS}
Subject: Event Invitation Reply
User-Agent: Mozilla Thunderbird
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="------------mix"

--------------mix
Content-Type: text/plain; charset=UTF-8; format=flowed

Anne Roy has answered.
--------------mix
Content-Type: text/calendar; method=REPLY; charset=UTF-8; name="invite.ics"
Content-Transfer-Encoding: 8bit

BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
METHOD:REPLY
BEGIN:VEVENT
LAST-MODIFIED:20170306T101500Z
DTSTAMP:20170306T101500Z
UID:{uid}
SUMMARY:Séance 3
ORGANIZER;CN=Programme:mailto:{ADDRESS}
ATTENDEE;CN=Anne Roy;PARTSTAT={says};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT:
 mailto:{by}
DTSTART;TZID=Europe/Paris:{start}
DTEND;TZID=Europe/Paris:{end}
SEQUENCE:{sequence}
END:VEVENT
END:VCALENDAR
--------------mix--
""")


def apple(
    says: str = "ACCEPTED",
    *,
    uid: str = UID,
    by: str = ANNE,
    sequence: int = 0,
    starts: datetime = STARTS,
) -> bytes:
    """Apple's Mail and Calendar: the calendar in quoted-printable, the address said twice."""
    start, end = _times(starts)
    return _crlf(f"""From: Anne Roy <{by}>
To: {ADDRESS}
Subject: Seance 3
X-Mailer: Apple Mail
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="Apple-Mail=_1"

--Apple-Mail=_1
Content-Type: text/plain; charset=us-ascii

Anne Roy
--Apple-Mail=_1
Content-Type: text/calendar; charset=UTF-8; method=REPLY
Content-Transfer-Encoding: quoted-printable

BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:REPLY
PRODID:-//Apple Inc.//macOS 14//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN=3D"Anne Roy";CUTYPE=3DINDIVIDUAL;EMAIL=3D"{by}";PARTSTAT=3D{says}:=
mailto:{by}
DTSTAMP:20170306T101500Z
DTSTART;TZID=3DEurope/Paris:{start}
DTEND;TZID=3DEurope/Paris:{end}
ORGANIZER:mailto:{ADDRESS}
SEQUENCE:{sequence}
SUMMARY:S=C3=A9ance 3
UID:{uid}
END:VEVENT
END:VCALENDAR
--Apple-Mail=_1--
""")


def google(
    says: str = "ACCEPTED",
    *,
    uid: str = UID,
    by: str = ANNE,
    sequence: int = 0,
    starts: datetime = STARTS,
) -> bytes:
    """Google Calendar: sent by a machine for the person, with the calendar a second time."""
    start, end = _times(starts.replace(tzinfo=PARIS).astimezone(UTC))
    calendar = f"""BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:{start}Z
DTEND:{end}Z
DTSTAMP:20170306T101500Z
ORGANIZER;CN=Programme:mailto:{ADDRESS}
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={says};CN=Anne Roy;
 X-NUM-GUESTS=0:mailto:{by}
SEQUENCE:{sequence}
STATUS:CONFIRMED
SUMMARY:Seance 3
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
    encoded = encodebytes(_crlf(calendar)).decode()
    return _crlf(f"""Sender: Google Calendar <calendar-notification@google.com>
From: Anne Roy <{by}>
Reply-To: Anne Roy <{by}>
To: {ADDRESS}
Auto-Submitted: auto-generated
Subject: Accepted: Seance 3
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="0000000x"

--0000000x
Content-Type: multipart/alternative; boundary="0000000y"

--0000000y
Content-Type: text/plain; charset="UTF-8"

Anne Roy
--0000000y
Content-Type: text/calendar; charset="UTF-8"; method=REPLY
Content-Transfer-Encoding: 7bit

{calendar}
--0000000y--
--0000000x
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

{encoded}
--0000000x--
""")


PROGRAMS: dict[str, Callable[..., bytes]] = {
    "outlook": outlook,
    "thunderbird": thunderbird,
    "apple": apple,
    "google": google,
}


def report(
    letter: str = "SessionPlanned:m-017~g-004~3:1.0:m-017",
    *,
    action: str = "failed",
    whole: bool = True,
    proves: str = "",
) -> bytes:
    """A delivery report, with the letter that came back or (`whole` false) its headers alone.

    `proves`: a header instead of the one by which the letter is known to be ours.
    """
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    return _crlf(f"""From: MAILER-DAEMON@mx.example.org
To: {ADDRESS}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r
Content-Type: text/plain

Sorry.
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {ANNE}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--r
Content-Type: {kind}

From: Programme <{ADDRESS}>
To: {ANNE}
Subject: Seance 3
Message-ID: <a@programme.example>
X-Connecte-Letter: {letter}
X-Connecte-Cohort: bercy-2017
{proves or f"X-Connecte-Proof: {proof(SECRET, f'bercy-2017/{letter}')}"}

--r--
""")


def vacation() -> bytes:
    """Somebody is away, and says so to everybody (RFC 3834)."""
    return _crlf(f"""From: Anne Roy <{ANNE}>
To: {ADDRESS}
Subject: Absente
Auto-Submitted: auto-replied (vacation)

De retour lundi.
""")


def by_hand() -> bytes:
    """A person writes to a mailbox that no person reads."""
    return _crlf(f"""From: Anne Roy <{ANNE}>
To: {ADDRESS}
Subject: Une question

Bonjour, comment changer de mentor ?
""")


def nested(depth: int) -> bytes:
    """A mail in a mail in a mail, and so on."""
    parts = [f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth)]
    return _crlf(f"From: {ANNE}\nMIME-Version: 1.0\n" + "".join(parts))


def _crlf(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
