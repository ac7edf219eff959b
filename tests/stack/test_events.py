"""The events in events/: each is what its function is really asked, and there is one for every route."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.proxy import is_write
from tests.support.template import resources
from tools.local import samples
from tools.local.paths import ROOT
from tools.operate import local_site
from vestibule.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import HandedOut
    from tests.support.proxy import AwsProxy
    from tools.local import Stack

EVENTS = ROOT / "events"
FRESH_FOR = 3 * SECOND
"""A fifth of a login URI's life."""

# What each event is answered: a status, and something that the answer says. No status: not a front door.
EXPECTED: dict[str, tuple[int | None, str]] = {
    "access_token-basic": (200, '"token_type": "Bearer"'),
    "account-change": (200, '"accent": "#0f5c8c"'),
    "account-show": (200, '"name": "Sample Clinic"'),
    "api_clients-create": (201, '"client_secret":'),
    "api_clients-delete": (204, ""),
    "api_clients-index": (200, samples.CLIENT_ID),
    "api_clients-rotate": (200, '"client_secret":'),
    "app_secrets-create": (201, '"app_secret":'),
    "app_secrets-delete": (204, ""),
    "app_secrets-index": (200, f'"kid": "{samples.APP_SECRET_ID}.1"'),
    "app_secrets-rotate": (200, f'"kid": "{samples.APP_SECRET_ID}.2"'),
    "attendance-csv": (200, "Mary Somerville,"),
    "attendance-presence": (200, '"state": "in"'),
    "attendance-show": (200, '"name": "Mary Somerville"'),
    "attendance-summary": (200, '"people": 1'),
    "authorizer-basic": (None, '"Effect": "Allow"'),
    "authorizer-refused": (None, '"errorMessage": "Unauthorized"'),
    "check-head": (200, ""),
    "check-page": (200, "Test camera and microphone"),
    "dashboard-head": (200, ""),
    "dashboard-ok": (200, "Ada Lovelace"),
    "dashboard-providers": (303, "Location: /sign-in?next=%2Fdashboard"),
    "dashboard-providers_head": (200, ""),
    "dashboard-somebody_elses": (200, "This is yours."),
    "dashboard-somebody_elses_head": (200, ""),
    "doorway-alias": (303, f"Location: /login/{samples.guid(4)}"),
    "doorway-alias_head": (303, "Location: /sign-in"),
    "doorway-root": (303, "Location: /dashboard"),
    "doorway-root_head": (303, "Location: /dashboard"),
    "doorway-unknown": (404, "There is no page here"),
    "join-form": (200, "Join with your code"),
    "join-form_head": (200, ""),
    "join-head": (200, ""),
    "join-ok": (200, "Katherine Johnson"),
    "join-pass_join": (200, "Katherine Johnson"),
    "join-pass_join_head": (200, ""),
    "join-start": (303, f"Location: /join/{samples.CONNECT_CODE}"),
    "embed_page-head": (200, ""),
    "embed_page-ok": (200, "Live session"),
    "embed_page-token": (403, "can no longer let you in"),
    "embed_create-ok": (201, f"/embed/{samples.SESSION_ID}#token=eyJ"),
    "jwks-published": (200, '"crv": "P-256"'),
    "key_rotation-schedule": (None, "null"),
    "login_uri_issue-ok": (201, '"login_uri":'),
    "login_uri_revoke-ok": (204, ""),
    "login_uri_state-redeemed": (200, '"state": "redeemed"'),
    "logout-form": (200, "You are signed out"),
    "logout-head": (403, ""),
    "logout-log_off_and_redirect": (303, f"Location: {samples.PORTAL}/signed-out"),
    "logout-log_off_and_redirect_head": (403, ""),
    "logout-ok": (303, f"Location: {samples.PORTAL}/welcome-back"),
    "mail_reports-bounce": (None, "null"),
    "mailed_links-ask": (200, "Send me a link"),
    "mailed_links-ask_form": (303, "Location: /sign-in/link?next=%2Fdashboard&scrollTo=40718806&launch=1&sent=1"),
    "mailed_links-ask_head": (200, ""),
    "mailed_links-link": (200, "One click, and you are signed in"),
    "mailed_links-link_form": (303, "Location: /dashboard?scrollTo=40718806&launch=1"),
    "mailed_links-link_head": (200, ""),
    "mailed_links-password_ask": (200, "With it you choose a password"),
    "mailed_links-password_ask_form": (303, "Location: /sign-in/password?next=%2Fdashboard"),
    "mailed_links-password_ask_head": (200, ""),
    "mailed_links-password_link": (200, "New password"),
    "mailed_links-password_link_form": (303, "Location: /dashboard?scrollTo=40718806&launch=1"),
    "mailed_links-password_link_head": (200, ""),
    "mailer-change": (None, '{"batchItemFailures": []}'),
    "onsync-authverify": (200, "<xml><status>1</status></xml>"),
    "onsync-invitees": (200, '"personal_session_link":'),
    "onsync-session_add": (201, "<message>Session added</message>"),
    "onsync-session_delete": (200, '{"message": "Session was deleted"}'),
    "onsync-session_show": (200, "<session_link>"),
    "onsync-session_update": (200, '"message": "Session updated"'),
    "onsync-unknown_patch": (404, "<error>Unknown method.</error>"),
    "onsync-user_invitee": (200, '"personal_session_link":'),
    "participants-add": (201, '"full_name": "Annie Easley"'),
    "participants-change": (200, '"role": "observer"'),
    "participants-index": (200, '"role": "host"'),
    "participants-remind": (202, '"full_name": "Katherine Johnson"'),
    "participants-remove": (204, ""),
    "participants-rotate": (200, '"personal_link":'),
    "participants-show": (200, '"full_name": "Katherine Johnson"'),
    "personal-head": (403, ""),
    "personal-refused": (403, "This link no longer works"),
    "personal-registrant": (403, "This link no longer works"),
    "personal-registrant_head": (403, ""),
    "personal-registrant_start": (403, "This link no longer works"),
    "personal-start": (403, "This link no longer works"),
    "redeem-autologin": (303, "Location: /dashboard"),
    "redeem-autologin_head": (403, ""),
    "redeem-head": (403, ""),
    "redeem-ok": (303, "Location: /dashboard?scrollTo=40718806&launch=1"),
    "registrant_create-batch": (200, '"code": "invalid_request"'),
    "registrant_create-ok": (201, f"/r/{samples.SESSION_ID}-"),
    "registrants-cancel": (204, ""),
    "registrants-index": (200, "Mary Somerville"),
    "registrants-rotate": (200, f"/r/{samples.SESSION_ID}-{samples.REGISTRANT_ID}-"),
    "registrants-show": (200, f"/r/{samples.SESSION_ID}-{samples.REGISTRANT_ID}-"),
    "plan-add": (303, f"Location: /plan/{samples.SESSION_ID}?done=added&page=1"),
    "plan-ask": (200, "Remove this person?"),
    "plan-ask_head": (200, ""),
    "plan-cancel": (303, f"Location: /plan/{samples.SESSION_ID}?done=cancelled"),
    "plan-change": (200, "Change the session"),
    "plan-change_head": (200, ""),
    "plan-form": (200, "Schedule a session"),
    "plan-head": (200, ""),
    "plan-manage": (200, "Katherine Johnson"),
    "plan-manage_head": (200, ""),
    "plan-remind": (303, f"Location: /plan/{samples.SESSION_ID}?done=reminded&page=1"),
    "plan-remove": (303, f"Location: /plan/{samples.SESSION_ID}?done=removed&page=1"),
    "plan-schedule": (303, "?done=planned"),
    "registration-form": (403, "Registration is not open"),
    "registration-head": (403, ""),
    "registration-page": (403, "Registration is not open"),
    "router-change": (None, "null"),
    "room_door-head": (200, ""),
    "room_door-ok": (200, "Wait here"),
    "room_door-session": (200, '"state": "gone"'),
    "room_door-state": (200, '"state": "waiting"'),
    "room_door-wait": (303, "Location: /u/front"),
    "rooms-assign": (204, ""),
    "rooms-change": (200, '"name": "Front desk"'),
    "rooms-create": (201, f'"code": "{samples.CREATED_ROOM_CODE}"'),
    "rooms-delete": (204, ""),
    "rooms-find": (200, samples.ROOM_ID),
    "rooms-index": (200, '"items":'),
    "rooms-of_user": (200, samples.LEAVING_ROOM_ID),
    "rooms-show": (200, '"name": "Walk-ins"'),
    "rooms-unassign": (204, ""),
    "seat-beat": (200, '"reason": "left"'),
    "seat-leave": (200, '"state": "left"'),
    "securevideo-delete_login": (204, ""),
    "securevideo-history": (200, "[]"),
    "securevideo-login": (201, '"LoginGuid":'),
    "securevideo-login_by_external_id": (201, '"LoginUri":'),
    "securevideo-participant_add": (201, '"ParticipantFullName": "Annie Easley"'),
    "securevideo-participant_remove": (204, ""),
    "securevideo-password_too_weak": (409, '"Message":'),
    "securevideo-session_create": (201, '"ParticipantFullName": "Katherine Johnson"'),
    "securevideo-session_delete": (204, ""),
    "securevideo-session_host": (200, '"ConnectCode":'),
    "securevideo-session_move": (200, '"ScheduleTs": "2199-01-01T00:00:00"'),
    "securevideo-sessions": (200, '"ConnectCode":'),
    "securevideo-unknown_patch": (404, '"Message":'),
    "securevideo-user_change": (200, '"FullName": "Ada Lovelace"'),
    "securevideo-user_create": (201, '"FullName": "Grace Hopper"'),
    "securevideo-users": (200, '"FullName": "Ada Lovelace"'),
    "sequel-activity": (200, '"userName": "Mary Somerville"'),
    "sequel-embed_code": (200, f"/embed/{samples.SESSION_ID}#token=eyJ"),
    "sequel-event_show": (200, '"name": "Consultation"'),
    "sequel-not_offered_patch": (501, '"hasError": true'),
    "sequel-preflight": (204, f"Access-Control-Allow-Origin: {samples.PORTAL}"),
    "sequel-presenter_add": (200, '["ada@sample.example"]'),
    "sequel-registrant_remove": (404, '"errorMessage": "Registrant not found"'),
    "sequel-token": (200, '"token_type": "Bearer"'),
    "session_create-ok": (201, '"title": "Consultation"'),
    "session_page-friendly": (404, "There is no such session"),
    "session_page-friendly_head": (404, ""),
    "session_page-head": (200, ""),
    "session_page-left": (200, "You have left the session"),
    "session_page-left_head": (200, ""),
    "session_page-name": (303, f"Location: /s/{samples.SESSION_ID}?launch=1"),
    "session_page-ok": (200, "You come in as"),
    "session_page-state": (200, '"phase": "upcoming"'),
    "sessions-cancel": (204, ""),
    "sessions-change": (200, '"title": "Follow-up"'),
    "sessions-index": (200, samples.SESSION_ID),
    "sessions-show": (200, '"title": "Consultation"'),
    "sign_in-form": (303, "Location: /dashboard?scrollTo=40718806&launch=1"),
    "sign_in-head": (200, ""),
    "sign_in-page": (200, "User name or e-mail address"),
    "sign_in-state": (200, '"state": "here"'),
    "sso-head": (403, ""),
    "sso-ok": (303, "Location: /dashboard"),
    "static-script": (200, "visibilitychange"),
    "static-script_head": (200, ""),
    "users-change": (200, "Countess of Lovelace"),
    "users-create": (201, '"full_name": "Grace Hopper"'),
    "users-delete": (204, ""),
    "users-find": (200, samples.USER_ID),
    "users-index": (200, '"items":'),
    "users-show": (200, '"full_name": "Ada Lovelace"'),
    "users-sign_out": (204, ""),
    "vsee-not_offered_delete": (501, '"code": 501'),
    "vsee-not_offered_patch": (501, '"code": 501'),
    "vsee-not_offered_put": (501, '"code": 501'),
    "vsee-rooms": (200, '"total_count": 2'),
    "vsee-sso": (200, '"full_name": "Ada Lovelace"'),
    "waiting_rooms-admit": (303, "Location: /s/"),
    "waiting_rooms-head": (200, ""),
    "waiting_rooms-presence": (200, ""),
    "waiting_rooms-ok": (200, "Dorothy Vaughan"),
}
SHOWN_ONCE = re.compile(r'"(?:client_secret|app_secret|access_token|token|login_guid|LoginGuid)": "([^"]+)"')
REST_MEMBERS = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
}


def event_of(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def folders() -> dict[str, str]:
    """Give each function's folder name by its logical id."""
    return {
        logical_id: one["Properties"]["CodeUri"].rpartition("/")[2]
        for logical_id, one in resources("AWS::Serverless::Function").items()
    }


def routes() -> set[tuple[str, str, str]]:
    """Give every route of the template: function's folder, method, path."""
    return {
        (folders()[logical_id], event["Properties"]["Method"].upper(), event["Properties"]["Path"])
        for logical_id, one in resources("AWS::Serverless::Function").items()
        for event in one["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }


ALL_EVENTS = sorted(path.stem for path in EVENTS.glob("*.json"))


def test_every_event_is_expected_to_be_answered_somehow() -> None:
    assert set(ALL_EVENTS) == set(EXPECTED)


def test_every_function_has_an_event() -> None:
    assert {name.partition("-")[0] for name in ALL_EVENTS} == set(folders().values())


def test_every_route_has_an_event_of_its_function() -> None:
    # Given
    events = {name: event_of(name) for name in ALL_EVENTS}
    # When
    asked = {
        (name.partition("-")[0], event["httpMethod"], event["resource"])
        for name, event in events.items()
        if "httpMethod" in event and "methodArn" not in event
    }
    # Then
    assert asked == routes()


@pytest.mark.parametrize("name", [name for name in ALL_EVENTS if "httpMethod" in event_of(name)])
def test_an_event_agrees_with_itself(name: str) -> None:
    event, context = event_of(name), event_of(name)["requestContext"]
    assert event.keys() >= REST_MEMBERS
    # What API Gateway says twice is the same both times.
    assert event["multiValueHeaders"] == {header: [value] for header, value in event["headers"].items()}
    query = event["queryStringParameters"]
    repeated = None if query is None else {parameter: [value] for parameter, value in query.items()}
    assert event["multiValueQueryStringParameters"] == repeated
    assert context["resourcePath"] == event["resource"]
    assert context["httpMethod"] == event["httpMethod"]
    assert context["path"] == event["path"]
    assert context["domainName"] == event["headers"]["Host"]
    # The path is what the route makes of its variables, behind the base path that a custom domain leaves in.
    route = event["resource"].replace("{proxy+}", "{proxy}").format(**event["pathParameters"] or {})
    dialect = name.partition("-")[0]
    base = f"/{dialect}" if dialect in {"onsync", "securevideo", "sequel", "vsee"} else ""
    assert event["path"] == base + route


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_the_function_answers_its_event(
    name: str, fresh_samples: Callable[[], None], invoke: Callable[[str, dict[str, Any]], Any], handed_out: HandedOut
) -> None:
    # Given
    fresh_samples()
    # When
    answer = invoke(name.partition("-")[0], event_of(name))
    # Then
    status, said = EXPECTED[name]
    whole = _as_text(answer)
    handed_out.note("answer to an event", *SHOWN_ONCE.findall(whole))
    assert said in whole
    if status is not None:
        assert answer["statusCode"] == status
        assert isinstance(answer["body"], str)
        assert all(isinstance(value, str) for value in answer.get("headers", {}).values())
    if status == 204 or event_of(name).get("httpMethod") == "HEAD":
        assert answer["body"] == ""


@pytest.fixture(scope="module")
def fresh_samples(stack: Stack, aws: AwsProxy) -> Callable[[], None]:
    """A function that puts back what events speak of, where a function has written since, or time has passed."""
    house = local_site(stack).house
    seen, written_at = 0, 0

    def put_back() -> None:
        nonlocal seen, written_at
        calls, now = aws.calls, house.clock()
        if any(is_write(call) for call in calls[seen:]) or now - written_at > FRESH_FOR:
            samples.write_into(house)
            written_at = now
        seen = len(calls)

    return put_back


@pytest.fixture(scope="module")
def invoke(stack: Stack, handed_out: HandedOut) -> Callable[[str, dict[str, Any]], Any]:
    """A function that invokes a deployed function by its folder's name, and gives what it returned or raised."""
    handed_out.note("sample secret", samples.CLIENT_SECRET, samples.SIGN_IN_SECRET, samples.PASSWORD)
    handed_out.note("sample mailed link", samples.LINK_TOKEN, samples.PASSWORD_TOKEN)
    handed_out.note("sample SSO token", samples.SSO_TOKEN)
    handed_out.note("sample login GUID", *map(samples.guid, (*samples.ISSUED, *samples.SIGNED_IN)))
    functions = stack.functions()
    deployed = {folder: functions[logical_id]["FunctionName"] for logical_id, folder in folders().items()}
    client = stack.client("lambda")

    def call(folder: str, event: dict[str, Any]) -> Any:
        answer = client.invoke(FunctionName=deployed[folder], Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    return call


def _as_text(answer: Any) -> str:
    """Write an answer down: a front door's headers as lines and its body, anything else as JSON."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return json.dumps(answer)
    lines = [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
    lines += [f"{name}: {one}" for name, values in answer.get("multiValueHeaders", {}).items() for one in values]
    return "\n".join([*lines, answer["body"]])
