"""SecureVideo's calls for users, sessions, participants and history, to the byte, over HTTP.

The members and their order are the vendor's; what the vendor does not say is our choice, and is marked [ours].
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.support.proxy import calls_of
from tests.support.securevideo import HEADERS, SecureVideo, headers_of, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

pytestmark = pytest.mark.req("D01")

ADA = {
    "FullName": "Ada Lovelace",
    "EmailAddress": "ada@clinic.example",
    "SmsNumber": "",
    "DefaultResolution": "high",
    "TimeZoneWindowsId": "Pacific Standard Time",
    "HelpNumber": "111-334-8512",
    "ExternalId": "",
    "SystemRoles": "H,P",
}
USER_MEMBERS = [
    "SystemUserId",
    "FullName",
    "EmailAddress",
    "SmsNumber",
    "DefaultResolution",
    "TimeZoneWindowsId",
    "HelpNumber",
    "VideoId",
    "ExternalId",
    "SystemRoles",
    "NewPassword",
]
SESSION_MEMBERS = [
    "SessionId",
    "ScheduleTs",
    "BillableTs",
    "BillableStatusCd",
    "UserId",
    "IsRecorded",
    "Participants",
    "DurationMinutes",
    "WaitTime",
    "ScheduleType",
    "ExternalSessionId",
    "Topic",
]
PARTICIPANT_MEMBERS = [
    "ParticipationId",
    "ParticipantFullName",
    "SecureVideoUserId",
    "ParticipantEmailAddress",
    "ParticipantSmsNumber",
    "ParticipantDefaultResolution",
    "ParticipantTimeZoneWindowsId",
    "ConnectCode",
    "ShouldAutoDeliverCode",
    "ConnectionTs",
    "ExpiresTs",
    "RSVP",
    "ParticipantExternalId",
    "Passkey",
]
START = "2199-04-16T15:00:00"
GUEST = {
    "ParticipantFullName": "Test User",
    "SecureVideoUserId": None,
    "ParticipantEmailAddress": "test@test.example",
    "ParticipantSmsNumber": "",
    "ParticipantDefaultResolution": "high",
    "ParticipantTimeZoneWindowsId": "Eastern Standard Time",
    "ShouldAutoDeliverCode": "N",
}
NO_USER = '{"Message": "User not found"}'
NO_SESSION = '{"Message": "Session not found"}'
INVALID = '{"Message": "The request is invalid."}'


def invalid(detail: str) -> tuple[int, str]:
    """Give a 400 with what is wrong."""
    return 400, json.dumps({"Message": "The request is invalid.", "MessageDetail": detail}, ensure_ascii=False)


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account for all tests that change nothing about it and look at nothing but what they made."""
    return open_portal()


@pytest.fixture(scope="module")
def api(clinic: Portal) -> SecureVideo:
    return SecureVideo(clinic.api)


@pytest.fixture(scope="module")
def host(api: SecureVideo) -> dict[str, Any]:
    return created(api, FullName="Dr. Grace Hopper", EmailAddress="grace@clinic.example", ExternalId="EHR-1")


@pytest.fixture(scope="module")
def neighbour(open_portal: Callable[..., Portal]) -> SecureVideo:
    """The API of another account, whose people and sessions are nobody's business here."""
    return SecureVideo(open_portal().api)


@pytest.fixture
def own(portal: Portal) -> SecureVideo:
    """The API of a fresh account."""
    return SecureVideo(portal.api)


def created(api: SecureVideo, **members: Any) -> dict[str, Any]:
    answer = api.post("/user", json={**ADA, **members})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def planned(api: SecureVideo, host: dict[str, Any], *guests: dict[str, Any], **members: Any) -> dict[str, Any]:
    body = {"UserId": host["SystemUserId"], "ScheduleTs": START, "Participants": list(guests), **members}
    answer = api.post(f"/session/{host['SystemUserId']}", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


# --- users ------------------------------------------------------------------------------------------------


def test_a_user_is_created_with_these_bytes(api: SecureVideo) -> None:
    answer = api.post("/user", json={**ADA, "VideoId": "theirs", "SystemUserId": "5", "NewPassword": None})

    user_id = answer.json()["SystemUserId"]
    assert re.fullmatch(r"\d{8,10}", user_id)
    assert (answer.status_code, headers_of(answer)) == (201, HEADERS)
    assert answer.text == (
        f'{{"SystemUserId": "{user_id}", "FullName": "Ada Lovelace", "EmailAddress": "ada@clinic.example", '
        '"SmsNumber": "", "DefaultResolution": "high", "TimeZoneWindowsId": "Pacific Standard Time", '
        f'"HelpNumber": "111-334-8512", "VideoId": "securevideo+sv{user_id.zfill(10)}", "ExternalId": "", '
        '"SystemRoles": "H,P", "NewPassword": null}'
    )
    assert list(answer.json()) == USER_MEMBERS
    read = api.get(f"/User/{user_id}")
    assert (read.status_code, headers_of(read), read.text) == (200, HEADERS, answer.text)


def test_what_came_back_changes_nothing_but_what_was_changed(api: SecureVideo, clinic: Portal) -> None:
    """Clients send the whole object back; of several zones of one Windows name the finer stays."""
    native = clinic.create_user(full_name="Eva", time_zone="Europe/Vienna", external_id="vienna", role="provider")
    whole = api.get("/user/0?externalId=vienna").json()
    assert (whole["TimeZoneWindowsId"], whole["HelpNumber"]) == ("W. Europe Standard Time", "")

    answer = api.put(f"/user/{native['id']}", json={**whole, "FullName": "Eva Novak", "SmsNumber": "+43 1 5550100"})

    assert answer.status_code == 200
    assert answer.json() == {**whole, "FullName": "Eva Novak", "SmsNumber": "+43 1 5550100"}
    kept = clinic.api.get(f"/v1/users/{native['id']}").json()
    assert (kept["time_zone"], kept["external_id"], kept["role"]) == ("Europe/Vienna", "vienna", "provider")


def test_members_that_are_left_out_stay_and_empty_ones_are_cleared(api: SecureVideo) -> None:
    user = created(api, ExternalId="E-5", SmsNumber="+1 555 0100")

    changed = api.put(f"/user/{user['SystemUserId']}", json={"ExternalId": "", "helpnumber": 5550199}).json()

    assert changed == {**user, "ExternalId": "", "HelpNumber": "5550199"}
    assert refusal(api.get("/user/0?externalId=E-5")) == (404, NO_USER)


@pytest.mark.parametrize(
    ("letters", "role", "shown"), [("H,P", "provider", "H,P"), ("p", "member", "P"), ("I", "guest", "I")]
)
def test_the_letters_of_a_role(api: SecureVideo, clinic: Portal, letters: str, role: str, shown: str) -> None:
    """[ours]."""
    user = created(api, SystemRoles=letters)

    assert user["SystemRoles"] == shown
    assert clinic.api.get(f"/v1/users/{user['SystemUserId']}").json()["role"] == role


def test_all_users_are_an_array(own: SecureVideo) -> None:
    assert own.get("/user").text == "[]"
    users = [created(own, FullName=name) for name in ("A One", "B Two", "C Three")]

    answer = own.get("/User/")

    assert (answer.status_code, headers_of(answer)) == (200, HEADERS)
    assert sorted(answer.json(), key=lambda user: user["FullName"]) == users


@pytest.mark.parametrize("name", ["FullName", "EmailAddress", "TimeZoneWindowsId", "HelpNumber"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_new_user_needs_these(api: SecureVideo, name: str, value: str | None) -> None:
    assert refusal(api.post("/user", json={**ADA, name: value})) == invalid(f"{name}: is required.")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EmailAddress", "nobody", "EmailAddress: must be an e-mail address."),
        ("TimeZoneWindowsId", "Europe/Berlin",
         "TimeZoneWindowsId: must be a time zone's name on Windows, such as Pacific Standard Time."),
        ("FullName", "a\nb", "FullName: must not hold U+000A."),
        ("FullName", "x" * 201, "FullName: must have 1 to 200 characters."),
        ("HelpNumber", "x" * 2_049, "HelpNumber: must have 1 to 2048 characters."),
        ("SmsNumber", "+1\x0055", "SmsNumber: must not hold U+0000."),
    ],
)  # fmt: skip
def test_members_that_break_a_rule(api: SecureVideo, name: str, value: str, said: str) -> None:
    assert refusal(api.post("/user", json={**ADA, name: value})) == invalid(said)


def test_a_name_may_be_in_any_script(api: SecureVideo) -> None:
    user = created(api, FullName="Zoë Ωmega 🙂")

    answer = api.get(f"/user/{user['SystemUserId']}")

    assert '"FullName": "Zoë Ωmega 🙂"'.encode() in answer.content


def test_an_external_id_that_is_taken_is_a_409(api: SecureVideo) -> None:
    created(api, ExternalId="E-7")

    answer = api.post("/user", json={**ADA, "ExternalId": "E-7"})

    assert refusal(answer) == (409, '{"Message": "Another user of the account has this ExternalId."}')


def test_a_deleted_user_is_gone(api: SecureVideo) -> None:
    user = created(api, ExternalId="E-8")

    answer = api.delete(f"/user/{user['SystemUserId']}", content=b"{}")

    assert (answer.status_code, answer.content, headers_of(answer)) == (204, b"", HEADERS)
    assert refusal(api.get(f"/user/{user['SystemUserId']}")) == (404, NO_USER)
    assert refusal(api.delete(f"/user/{user['SystemUserId']}")) == (404, NO_USER)


@pytest.mark.parametrize("password", ["Passw0rd!", "aA1#aA1#", "Ünïcode1 A*"])
def test_a_password_is_set(api: SecureVideo, clinic: Portal, password: str) -> None:
    clinic.handed_out.note("password", password)
    user = created(api)

    answer = api.put(f"/password/{user['SystemUserId']}", json={"NewPassword": password})

    assert (answer.status_code, answer.content, headers_of(answer)) == (204, b"", HEADERS)
    assert api.get(f"/user/{user['SystemUserId']}").json()["NewPassword"] is None


@pytest.mark.parametrize(
    "password", ["aA1!aA1", "passw0rd!", "PASSW0RD!", "Password!", "Passw0rds", "Passw0rd?", "", None, "        "]
)
def test_a_weak_password_is_a_409(api: SecureVideo, host: dict[str, Any], password: str | None) -> None:
    """8 or more characters, an upper, a lower, a digit, one of ! @ # $ & *."""
    answer = api.put(f"/Password/{host['SystemUserId']}", json={"NewPassword": password})

    status, text = refusal(answer)
    assert status == 409
    assert list(json.loads(text)) == ["Message"]


@pytest.mark.req("P05")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/user/{}"), ("PUT", "/user/{}"), ("DELETE", "/user/{}"), ("PUT", "/password/{}"),
        ("POST", "/session/{}"), ("GET", "/session/{}"), ("GET", "/history/{}?month=2016-04-01"),
    ],
)  # fmt: skip
def test_an_unknown_user_is_not_found(api: SecureVideo, neighbour: SecureVideo, method: str, path: str) -> None:
    foreign = created(neighbour)["SystemUserId"]
    for user_id in ("5", "10000001", "-1", "%00", "9" * 2_000, foreign):
        answer = api.request(method, path.format(user_id), json={"ScheduleTs": START})
        assert refusal(answer) == (404, NO_USER), user_id


# --- sessions ---------------------------------------------------------------------------------------------


@pytest.mark.req("S03")
def test_a_session_is_created_with_these_bytes(api: SecureVideo) -> None:
    host = created(api)

    answer = api.post(
        f"/Session/{host['SystemUserId']}?UserId={host['SystemUserId']}",
        json={"UserId": int(host["SystemUserId"]), "ScheduleTs": START, "Participants": [GUEST]},
    )

    assert (answer.status_code, headers_of(answer)) == (201, HEADERS)
    session = answer.json()
    first, guest = session["Participants"]
    codes = [first["ConnectCode"], guest["ConnectCode"]]
    assert all(isinstance(code, int) and 100_000_000 <= code <= 999_999_999 for code in codes)
    assert len(set(codes)) == 2
    assert answer.text == (
        f'{{"SessionId": {session["SessionId"]}, "ScheduleTs": "2199-04-16T15:00:00", "BillableTs": null, '
        f'"BillableStatusCd": null, "UserId": {host["SystemUserId"]}, "IsRecorded": false, "Participants": ['
        f'{{"ParticipationId": {first["ParticipationId"]}, "ParticipantFullName": "Ada Lovelace", '
        f'"SecureVideoUserId": {host["SystemUserId"]}, "ParticipantEmailAddress": "ada@clinic.example", '
        '"ParticipantSmsNumber": "", "ParticipantDefaultResolution": "high", '
        '"ParticipantTimeZoneWindowsId": "Pacific Standard Time", '
        f'"ConnectCode": {codes[0]}, "ShouldAutoDeliverCode": "E", "ConnectionTs": null, "ExpiresTs": null, '
        '"RSVP": "Unknown", "ParticipantExternalId": "", "Passkey": ""}, '
        f'{{"ParticipationId": {guest["ParticipationId"]}, "ParticipantFullName": "Test User", '
        '"SecureVideoUserId": null, "ParticipantEmailAddress": "test@test.example", '
        '"ParticipantSmsNumber": "", "ParticipantDefaultResolution": "high", '
        '"ParticipantTimeZoneWindowsId": "Eastern Standard Time", '
        f'"ConnectCode": {codes[1]}, "ShouldAutoDeliverCode": "N", "ConnectionTs": null, "ExpiresTs": null, '
        '"RSVP": "Unknown", "ParticipantExternalId": "", "Passkey": ""}], '
        '"DurationMinutes": 60, "WaitTime": null, "ScheduleType": null, "ExternalSessionId": "", '
        '"Topic": "Video session"}'
    )
    assert list(session) == SESSION_MEMBERS
    assert list(guest) == PARTICIPANT_MEMBERS
    assert api.get(f"/session/{host['SystemUserId']}").text == f"[{answer.text}]"


def test_everything_that_later_pages_add_is_kept(api: SecureVideo, clinic: Portal) -> None:
    host, other = created(api, ExternalId="EHR-9"), created(api, FullName="Bo Two", EmailAddress="bo@clinic.example")
    body = {
        "ScheduleTs": START,
        "DurationMinutes": "30",
        "WaitTime": 15,
        "ScheduleType": "S",
        "ExternalSessionId": "visit-7",
        "Topic": "Annual review",
        "IsRecorded": "false",
        "SomethingNew": {"a": [1]},
        "Participants": [
            {"SecureVideoUserId": other["SystemUserId"]},
            {**GUEST, "ParticipantExternalId": "mrn-1", "ParticipantDefaultResolution": "default"},
        ],
    }

    session = api.post("/session/0?externalId=EHR-9", json=body).json()

    kept = ["DurationMinutes", "WaitTime", "ScheduleType", "ExternalSessionId", "Topic"]
    assert [session[name] for name in kept] == [30, "15", "S", "visit-7", "Annual review"]
    assert session["UserId"] == int(host["SystemUserId"])
    _, user, guest = session["Participants"]
    assert (user["SecureVideoUserId"], user["ParticipantFullName"]) == (int(other["SystemUserId"]), "Bo Two")
    assert (guest["ParticipantExternalId"], guest["ParticipantDefaultResolution"]) == ("mrn-1", "default")
    native = clinic.api.get(f"/v1/sessions/{session['SessionId']}").json()
    assert (native["external_id"], native["duration_minutes"]) == ("visit-7", 30)
    assert [p["role"] for p in native["participants"]] == ["host", "attendee", "attendee"]


def test_a_session_of_more_people_than_one_transaction_takes(api: SecureVideo) -> None:
    guests = [{"ParticipantFullName": f"Guest {number}"} for number in range(60)]

    session = planned(api, created(api), *guests)

    assert [p["ParticipantFullName"] for p in session["Participants"][1:]] == [g["ParticipantFullName"] for g in guests]


@pytest.mark.req("S03")
def test_passkeys_come_when_the_account_requires_them(open_portal: Callable[..., Portal]) -> None:
    clinic = open_portal(require_passkey=True)
    api = SecureVideo(clinic.api)

    session = planned(api, created(api), GUEST)

    passkeys = [p["Passkey"] for p in session["Participants"]]
    assert len({UUID(passkey) for passkey in passkeys}) == 2
    clinic.handed_out.note("passkey", *passkeys)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2199-04-16T15:00:45", START),
        ("2199-04-16T15:00:00Z", START),
        ("2199-04-16T17:00:00+02:00", START),
        ("2199-04-16 15:00", START),
        ("2199-04-16T15:00:00.123", START),
    ],
)
@pytest.mark.req("S07")
def test_times_are_utc_of_whole_minutes(api: SecureVideo, text: str, shown: str) -> None:
    assert planned(api, created(api), ScheduleTs=text)["ScheduleTs"] == shown


def test_a_session_without_a_time_begins_now_and_comes_back_as_it_was(api: SecureVideo) -> None:
    """An unchanged start is nobody's mistake, seconds and all."""
    session = planned(api, created(api), ScheduleTs=None)
    begun = datetime.fromisoformat(session["ScheduleTs"] + "Z")
    assert abs(datetime.now(UTC) - begun) < timedelta(minutes=2)

    shown = session["ScheduleTs"]
    for spelling in (shown, f"{shown}Z", f"{shown}.0000000", shown.replace("T", " "), f"{shown}+00:00"):
        answer = api.put(f"/session/{session['SessionId']}", json={**session, "ScheduleTs": spelling})
        assert (answer.status_code, answer.json()) == (200, session), spelling


@pytest.mark.req("S07")
def test_a_session_is_moved(api: SecureVideo) -> None:
    session = planned(api, created(api), GUEST)

    answer = api.put(f"/session/{session['SessionId']}", json={"ScheduleTs": "2199-05-01T08:30:00"})

    assert (answer.status_code, headers_of(answer)) == (200, HEADERS)
    assert answer.json() == {**session, "ScheduleTs": "2199-05-01T08:30:00"}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ScheduleTs": "2016-04-16T15:00:00"}, "ScheduleTs: must not lie in the past."),
        ({"ScheduleTs": "tomorrow"}, "ScheduleTs: must be a time such as 2027-01-31T09:00:00."),
        ({"ScheduleTs": 5}, "ScheduleTs: must be a time such as 2027-01-31T09:00:00."),
        ({"ExternalSessionId": "x" * 257}, "ExternalSessionId: must have 1 to 256 characters."),
        ({"Topic": "x" * 301}, "Topic: must have 1 to 300 characters."),
        ({"DurationMinutes": 525_601}, "DurationMinutes: must be 1 to 525600 minutes."),
        ({"Participants": [{"ParticipantFullName": "X"}]}, "ParticipantFullName: must have 2 or more characters."),
        ({"Participants": [{}]}, "ParticipantFullName: must have 2 or more characters."),
        (
            {"Participants": [{"ParticipantFullName": "No Mail", "ShouldAutoDeliverCode": "E"}]},
            "Participants[0].ParticipantEmailAddress: is required for ShouldAutoDeliverCode E.",
        ),
        (
            {"Participants": [{"ParticipantFullName": "No Phone", "ShouldAutoDeliverCode": "S"}]},
            "Participants[0].ParticipantSmsNumber: is required for ShouldAutoDeliverCode S.",
        ),
        ({"WaitTime": "x" * 2_049}, "WaitTime: must have 1 to 2048 characters."),
        (
            {"Participants": [{**GUEST, "ParticipantDefaultResolution": "high\nlow"}]},
            "Participants[0].ParticipantDefaultResolution: must not hold U+000A.",
        ),
        ({"Participants": [{**GUEST, "ShouldAutoDeliverCode": "X"}]}, "ShouldAutoDeliverCode: must be E, S or N."),
        ({"Participants": [GUEST, GUEST]}, "Test User takes part in the session already."),
        (
            {"Participants": [GUEST, {**GUEST, "ParticipantEmailAddress": "another@test.example"}]},
            "Test User takes part in the session already.",
        ),
        (
            {"Participants": [{**GUEST, "ParticipantFullName": "dr. grace hopper"}]},
            "dr. grace hopper takes part in the session already.",
        ),
        (
            {"Participants": [{**GUEST, "ParticipantEmailAddress": "GRACE@clinic.example"}]},
            "Test User takes part in the session already.",
        ),
    ],
)
def test_a_session_that_cannot_be_made(
    api: SecureVideo, host: dict[str, Any], members: dict[str, Any], said: str
) -> None:
    answer = api.post(f"/session/{host['SystemUserId']}", json={"ScheduleTs": START, **members})

    assert refusal(answer) == invalid(said)


def test_a_sessions_own_id_is_given_once(api: SecureVideo, host: dict[str, Any]) -> None:
    planned(api, host, ExternalSessionId="once")

    answer = api.post(f"/session/{host['SystemUserId']}", json={"ScheduleTs": START, "ExternalSessionId": "once"})

    assert refusal(answer) == (409, '{"Message": "Another session of the account has this ExternalSessionId."}')


@pytest.mark.parametrize("participants", [5, "x", [5], {"0": 5}])
def test_participants_that_are_no_list_of_objects(api: SecureVideo, host: dict[str, Any], participants: Any) -> None:
    answer = api.post(f"/session/{host['SystemUserId']}", json={"Participants": participants})

    assert refusal(answer) == (400, INVALID)


def test_recording_is_not_offered(api: SecureVideo, host: dict[str, Any]) -> None:
    """Said rather than passed over: a portal that records has to know. [ours]."""
    answer = api.post(f"/session/{host['SystemUserId']}", json={"ScheduleTs": START, "IsRecorded": True})

    assert refusal(answer) == (501, '{"Message": "Recording is not offered; leave IsRecorded false."}')


def test_lists_hold_what_is_to_come(own: SecureVideo) -> None:
    """Of everybody, of a host, of somebody's e-mail address, by the portal's own id; each an array, maybe empty."""
    ada, bo = created(own, ExternalId="a"), created(own, FullName="Bo Two", EmailAddress="bo@clinic.example")
    assert own.get("/session").text == "[]"
    first = planned(own, ada, GUEST, ExternalSessionId="visit-1")
    second = planned(own, bo, ScheduleTs="2199-04-17T15:00:00")
    gone = planned(own, bo, ScheduleTs="2199-04-18T15:00:00")
    own.delete(f"/session/{gone['SessionId']}")

    lists = {
        "/session": [first, second],
        f"/session/{bo['SystemUserId']}": [second],
        "/session?participantEmail=TEST@test.example": [first],
        "/SESSION?PARTICIPANTEMAIL=bo@clinic.example": [second],
        "/session?participantEmail=nobody": [],
        "/session/0?externalId=a": [first],
        "/session/0?externalId=visit-1": [first],
        "/session/0?externalId=nobody": [],
        f"/session/{ada['SystemUserId']}?participantEmail=test@test.example": [first],
        f"/session/{bo['SystemUserId']}?participantEmail=test@test.example": [],
        "/session/0?externalId=a&participantEmail=test@test.example": [first],
        "/session/0?externalId=a&participantEmail=bo@clinic.example": [],
        "/session?externalId=&participantEmail=": [first, second],
    }

    for path, expected in lists.items():
        answer = own.get(path)
        assert (answer.status_code, answer.json()) == (200, expected), path
        assert headers_of(answer) == HEADERS


def test_a_deleted_session_is_gone(api: SecureVideo) -> None:
    """The path's id is the session's for DELETE and PUT, which may carry `{}`.

    That deleting twice is no error is [ours]: a client that repeats a lost answer's call is told the same.
    """
    host = created(api)
    session = planned(api, host, GUEST)

    answers = [api.delete(f"/session/{session['SessionId']}", content=b"{}") for _ in range(2)]

    assert [(one.status_code, one.content, headers_of(one)) for one in answers] == [(204, b"", HEADERS)] * 2
    assert api.get(f"/session/{host['SystemUserId']}").json() == []
    moved = api.put(f"/session/{session['SessionId']}", json={"ScheduleTs": START})
    assert refusal(moved) == (404, NO_SESSION)
    for guest in (GUEST, {**GUEST, "ParticipantFullName": "Somebody Else", "ParticipantEmailAddress": ""}):
        assert refusal(api.post(f"/participant/{session['SessionId']}", json=guest)) == (404, NO_SESSION)


@pytest.mark.req("P05")
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/session/{}"), ("DELETE", "/session/{}"), ("PUT", "/sessionhost/{}"), ("POST", "/participant/{}")],
)
def test_an_unknown_session_is_not_found(
    api: SecureVideo, host: dict[str, Any], neighbour: SecureVideo, method: str, path: str
) -> None:
    foreign = planned(neighbour, created(neighbour))["SessionId"]
    body = {**GUEST, "UserId": host["SystemUserId"], "ScheduleTs": START}
    for session_id in ("5", "0", "10000001", "x" * 3_000, "%00", foreign):
        answer = api.request(method, path.format(session_id), json=body)
        assert refusal(answer) == (404, NO_SESSION), session_id


def test_a_session_gets_another_host(api: SecureVideo, clinic: Portal) -> None:
    ada = created(api)
    bo = created(api, FullName="Bo Two", EmailAddress="bo@clinic.example", ExternalId="bo")
    session = planned(api, ada, GUEST, {"SecureVideoUserId": bo["SystemUserId"]})

    answer = api.put(f"/sessionhost/{session['SessionId']}", json={"UserId": int(bo["SystemUserId"])})

    assert (answer.status_code, headers_of(answer)) == (200, HEADERS)
    whole = answer.json()
    assert list(whole) == SESSION_MEMBERS
    assert whole["UserId"] == int(bo["SystemUserId"])
    people = [p["ParticipantFullName"] for p in whole["Participants"]]
    assert people == ["Bo Two", "Test User"]
    assert [one["SessionId"] for one in api.get("/session/0?externalId=bo").json()] == [session["SessionId"]]
    assert api.get(f"/session/{ada['SystemUserId']}").json() == []

    again = api.put(f"/SessionHost/{session['SessionId']}", json={"ExternalUserId": "bo"})
    assert (again.status_code, again.json()) == (200, whole)
    back = api.put(f"/sessionhost/{session['SessionId']}", json={"UserId": ada["SystemUserId"]}).json()
    assert [p["ParticipantFullName"] for p in back["Participants"]] == ["Ada Lovelace", "Test User"]
    native = clinic.api.get(f"/v1/sessions/{session['SessionId']}").json()
    assert native["host"] == {"user_id": ada["SystemUserId"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"UserId": 5}, (404, NO_USER)),
        ({"ExternalUserId": "nobody"}, (404, NO_USER)),
        ({}, invalid("UserId: or ExternalUserId is required.")),
    ],
)
def test_a_host_that_there_is_not(
    api: SecureVideo, host: dict[str, Any], body: dict[str, Any], said: tuple[int, str]
) -> None:
    session = planned(api, host)

    assert refusal(api.put(f"/sessionhost/{session['SessionId']}", json=body)) == said


# --- participants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/participant/{id}", "/Participant/0?externalSessionId={name}"])
def test_participants_come_and_go(api: SecureVideo, path: str) -> None:
    host = created(api)
    name = f"visit {len(path)}"
    session = planned(api, host, ExternalSessionId=name)

    answer = api.post(path.format(id=session["SessionId"], name=name), json=GUEST)

    assert (answer.status_code, headers_of(answer)) == (201, HEADERS)
    added = answer.json()
    assert list(added) == PARTICIPANT_MEMBERS
    (listed,) = api.get(f"/session/{host['SystemUserId']}").json()
    assert listed["Participants"][1:] == [added]

    removed = api.delete(f"/participant/{added['ParticipationId']}")
    assert (removed.status_code, removed.content, headers_of(removed)) == (204, b"", HEADERS)
    again = api.delete(f"/participant/{added['ParticipationId']}")
    assert refusal(again) == (404, '{"Message": "Participant not found"}')


def test_a_registered_user_is_added_by_id_alone(api: SecureVideo) -> None:
    """With the user's own name, address, number, zone and resolution."""
    session = planned(api, created(api))
    bo = created(
        api, FullName="Bo Two", EmailAddress="bo@clinic.example", SmsNumber="+15550100", DefaultResolution="default"
    )

    added = api.post(f"/participant/{session['SessionId']}", json={"SecureVideoUserId": bo["SystemUserId"]}).json()

    names = ["ParticipantFullName", "ParticipantEmailAddress", "ParticipantSmsNumber", "ParticipantDefaultResolution"]
    assert [added[name] for name in names] == ["Bo Two", "bo@clinic.example", "+15550100", "default"]
    assert added["SecureVideoUserId"] == int(bo["SystemUserId"])


def test_nobody_is_added_twice(api: SecureVideo, host: dict[str, Any]) -> None:
    """Same person as the host, or a duplicate name: 400 (vendor)."""
    session = planned(api, host, GUEST)
    path = f"/participant/{session['SessionId']}"

    answers = [
        api.post(path, json={"SecureVideoUserId": host["SystemUserId"]}),
        api.post(path, json={"ParticipantFullName": "TEST user", "ParticipantEmailAddress": "b@test.example"}),
        api.post(path, json={**GUEST, "ParticipantFullName": "Somebody Else"}),
    ]

    assert [refusal(answer)[0] for answer in answers] == [400, 400, 400]
    assert all("takes part in the session already." in answer.json()["MessageDetail"] for answer in answers)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ParticipantEmailAddress": "nobody"}, "ParticipantEmailAddress: must be an e-mail address."),
        ({"ParticipantEmailAddress": "", "ShouldAutoDeliverCode": "E"},
         "ParticipantEmailAddress: is required for ShouldAutoDeliverCode E."),
        ({"ParticipantDefaultResolution": "x" * 2_049},
         "ParticipantDefaultResolution: must have 1 to 2048 characters."),
    ],
)  # fmt: skip
def test_a_participant_who_cannot_be_added(
    api: SecureVideo, host: dict[str, Any], members: dict[str, Any], said: str
) -> None:
    """In the names of the one object that was sent."""
    session = planned(api, host)

    assert refusal(api.post(f"/participant/{session['SessionId']}", json={**GUEST, **members})) == invalid(said)


def test_an_unknown_user_cannot_take_part(api: SecureVideo, host: dict[str, Any]) -> None:
    session = planned(api, host)

    answer = api.post(f"/participant/{session['SessionId']}", json={"SecureVideoUserId": "1122"})

    assert refusal(answer) == (404, NO_USER)


@pytest.mark.req("P05")
def test_an_unknown_participant_is_not_found(api: SecureVideo, neighbour: SecureVideo) -> None:
    foreign = planned(neighbour, created(neighbour))["Participants"][0]["ParticipationId"]

    for participant_id in ("5", "0", "10000001", "x" * 3_000, "%00", foreign):
        answer = api.delete(f"/participant/{participant_id}")
        assert refusal(answer) == (404, '{"Message": "Participant not found"}'), participant_id


def test_the_host_cannot_be_removed(api: SecureVideo, host: dict[str, Any]) -> None:
    """[ours]: another host is given to the session instead."""
    session = planned(api, host)

    answer = api.delete(f"/participant/{session['Participants'][0]['ParticipationId']}")

    assert refusal(answer) == invalid("The host takes part as long as the session is theirs.")


# --- history ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["/history", "/History/{host}", "/usage"])
def test_history_lists_what_has_begun(own: SecureVideo, route: str) -> None:
    """None, some or all of the parameters; a month stands before days. The shape is [ours]: sessions as elsewhere."""
    host = created(own)
    now = datetime.now(UTC)
    past = planned(own, host, GUEST, DurationMinutes=1, ScheduleTs=(now - timedelta(minutes=3)).isoformat())
    planned(own, host)
    path = route.format(host=host["SystemUserId"])
    begun = datetime.fromisoformat(past["ScheduleTs"])
    day, month = f"{begun:%Y-%m-%d}", f"{begun:%Y-%m-01}"

    found = {
        "": [past],
        "?month=": [past],
        f"?month={month}": [past],
        f"?MONTH={day}&startDt=2016-04-01&endDt=2016-04-02": [past],
        f"?startDt={day}&endDt={day}": [past],
        f"?STARTDT={day}T00:00:00&enddt={day}": [past],
        f"?startDt={day}": [past],
        f"?endDt={day}&participantEmail=test@test.example": [past],
        f"?month={month}&participantEmail=test@test.example": [past],
        f"?month={month}&participantEmail=somebody@test.example": [],
        "?participantEmail=nobody": [],
        "?month=2016-04-01": [],
        "?startDt=2016-04-01&endDt=2016-04-30": [],
        "?startDt=2016-04-30&endDt=2016-04-01": [],
        "?startDt=2199-01-01": [],
        "?endDt=0001-01-01": [],
    }

    for query, sessions in found.items():
        answer = own.get(path + query)
        assert (answer.status_code, answer.json()) == (200, sessions), query
        assert headers_of(answer) == HEADERS


def test_what_began_within_a_day_is_active_still(own: SecureVideo) -> None:
    host = created(own)
    past = planned(own, host, DurationMinutes=1, ScheduleTs=(datetime.now(UTC) - timedelta(minutes=3)).isoformat())

    assert own.get("/session").json() == [past]
    own.delete(f"/session/{past['SessionId']}")
    assert (own.get("/session").json(), own.get("/history").json()) == ([], [])


@pytest.mark.parametrize(
    "query",
    ["month=april", "month=0001-13-01", "month=9999-12-01", "startDt=x&endDt=y", "startDt=5", "endDt=9999-12-31"],
)
def test_history_of_no_day(api: SecureVideo, query: str) -> None:
    said = "month: must be a month such as 2027-01-01, startDt and endDt days such as 2027-01-31."

    assert refusal(api.get(f"/history?{query}")) == invalid(said)


# --- bodies, scopes, outages ------------------------------------------------------------------------------


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"5", b"\xff", BOMB, b"FullName=Ada", b"[" * 100_000, b'{"a":' * 100_000,
     b'{"FullName": {}}', b'{"FullName": [1]}', b'{"FullName": "A", "a": 1e999}',
     b'{"FullName": "\\ud83d"}', b'{"DurationMinutes": "ten"}',
     b'{"IsRecorded": "maybe"}', b'{"ScheduleTs": 1.5}'],
    ids=lambda body: body[:24].decode("latin-1"),
)  # fmt: skip
def test_a_body_that_cannot_be_used_is_a_400(api: SecureVideo, host: dict[str, Any], body: bytes) -> None:
    path = "/user" if b"FullName" in body else f"/session/{host['SystemUserId']}"

    assert refusal(api.post(path, content=body)) == (400, INVALID)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/user/5"), ("PUT", "/user"), ("POST", "/session"), ("PUT", "/participant/5"), ("POST", "/history"),
     ("GET", "/sessionhost/5"), ("GET", "/password/5"), ("GET", "/participant/5")],
)  # fmt: skip
def test_other_routes_are_none(api: SecureVideo, method: str, path: str) -> None:
    assert refusal(api.request(method, path)) == (404, '{"Message": "There is no such route."}')


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/StoredRecording"), ("GET", "/storedrecording/5?startDt=2017-02-22"), ("GET", "/StoredRecordingView/5"),
     ("DELETE", "/StoredRecording/5"), ("GET", "/status/5"), ("GET", "/status/0?externalSessionId=visit-1"),
     ("POST", "/Contacts/5"), ("PUT", "/contacts/0"), ("GET", "/groupuser/5"), ("GET", "/usergroup/5")],
)  # fmt: skip
def test_what_the_vendor_documents_and_is_not_here_is_a_501(api: SecureVideo, method: str, path: str) -> None:
    said = '{"Message": "This call of the vendor\'s API is not offered here."}'

    assert refusal(api.request(method, path)) == (501, said)


def test_a_byte_order_mark_is_passed_over(api: SecureVideo) -> None:
    """Clients on Windows write one."""
    answer = api.post("/user", content=json.dumps({**ADA, "FullName": "Zoë"}, ensure_ascii=False).encode("utf-8-sig"))

    assert (answer.status_code, answer.json()["FullName"]) == (201, "Zoë")


@pytest.mark.parametrize("base_path", ["", "/", "/securevideo", "/securevideo/"])
def test_a_client_that_knows_a_host_alone(api: SecureVideo, base_path: str) -> None:
    """At the root of the dialect's own host; the base path does no harm there."""
    user = created(api)
    host = api.web.base_url.replace("://api.", "://securevideo.")

    answer = api.web.get(f"{host}{base_path}/User/{user['SystemUserId']}")

    assert (answer.status_code, answer.json()) == (200, user)
    assert refusal(api.web.get(f"{host}/nowhere")) == (404, '{"Message": "There is no such route."}')


def test_a_client_may_do_here_what_it_may_do_in_the_native_api(clinic: Portal) -> None:
    nobody = SecureVideo(clinic.basic(*clinic.create_client("rooms:read")))

    answers = [
        nobody.get("/user"),
        nobody.post("/user", json=ADA),
        nobody.get("/session"),
        nobody.delete("/session/12345678"),
        nobody.get("/history?month=2016-04-01"),
    ]

    needed = ["users:read", "users:write", "sessions:read", "sessions:write", "sessions:read"]
    assert [refusal(one) for one in answers] == [
        (403, f'{{"Message": "This call needs the scope {scope}."}}') for scope in needed
    ]


@pytest.mark.req("R01")
def test_an_outage_is_a_503_in_the_vendors_shape(api: SecureVideo, host: dict[str, Any], aws: AwsProxy) -> None:
    failing = calls_of(service="dynamodb", action="TransactWriteItems", function="SecureVideoFunction")

    with aws.fail(failing, "InternalServerError", status=500, times=3):
        answer = api.post(f"/session/{host['SystemUserId']}", json={"ScheduleTs": START})

    assert refusal(answer) == (503, '{"Message": "The service is briefly unavailable. Please try again."}')
    assert answer.headers["retry-after"] == "1"
