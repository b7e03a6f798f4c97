"""The check of invitations says what is wrong with them, and nothing of those that are right."""

from email.message import EmailMessage

import pytest

from deploy.trial.check.calendars import check_calendars

UID = "c/m~g~1@example.org"


def mail(
    reader: str = "m",
    sequence: int = 0,
    at: str = "20170314T100000",
    status: str = "TENTATIVE",
    method: str = "REQUEST",
    says: str = "",
) -> EmailMessage:
    message = EmailMessage()
    message["X-Connecte-Cohort"] = "c"
    message["X-Connecte-Letter"] = f"SessionPlanned:m~g~1:1.{sequence}:{reader}"
    message.set_content("text")
    calendar = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:{says or method}\r\n"
        f"BEGIN:VEVENT\r\nUID:{UID}\r\nSEQUENCE:{sequence}\r\nDTSTAMP:20170301T100000Z\r\n"
        f"DTSTART:{at}Z\r\nSTATUS:{status}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    params = {"method": method}
    message.add_alternative(calendar, subtype="calendar", cte="base64", params=params)
    return message


BOTH = [mail("m"), mail("g")]


@pytest.mark.parametrize(
    "mails",
    [
        [],
        BOTH,
        [*BOTH, mail("m", 2, "20170315T100000"), mail("g", 2, "20170315T100000")],
        [*BOTH, mail("g", 1, method="CANCEL"), mail("m", 1, method="CANCEL")],
    ],
)
def test_of_sound_invitations_nothing_is_said(mails: list[EmailMessage]) -> None:
    assert check_calendars(mails) == []


@pytest.mark.parametrize(
    ("mails", "said"),
    [
        ([mail("m"), mail("g", at="20170314T110000")], "SEQUENCE 0 says two things"),
        ([*BOTH, mail("m", at="20170315T100000")], "SEQUENCE 0 says two things"),
        ([*BOTH, mail("m", status="CONFIRMED")], "SEQUENCE 0 says two things"),
        ([*BOTH, mail("m", 1)], "not told the same last: [0, 1]"),
        ([mail("m")], "not told the same last"),
        ([mail("m", says="CANCEL"), mail("g")], "another method"),
        ([mail("m", at="nonsense"), mail("g")], "cannot be read"),
    ],
)
def test_what_is_wrong_with_invitations_is_found(mails: list[EmailMessage], said: str) -> None:
    assert any(said in finding for finding in check_calendars(mails))


def test_what_the_mail_server_refused_to_tell_one_of_them_is_no_fault() -> None:
    told = [*BOTH, mail("m", 1)]
    assert check_calendars(told, {"c/SessionRescheduled:m~g~1:1.1:g"}) == []
    of_another = {"c/SessionRescheduled:m~g~2:1.1:g", "d/SessionRescheduled:m~g~1:1.1:g"}
    assert check_calendars(told, of_another) != []
    came_back = {"c/SessionPlanned:m~g~1:1.0:g"}  # it is in the mailbox all the same
    assert check_calendars(told, came_back) != []
    two_things = [*BOTH, mail("m", at="20170315T100000")]
    assert check_calendars(two_things, {"c/SessionRescheduled:m~g~1:1.1:g"}) != []
