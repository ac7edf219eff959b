"""SecureVideo's Login API, to the byte: what the vendor's article and recorded exchanges say, over HTTP.

What the vendor does not say is our choice, and is marked [ours] where it is shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.portal import PORTAL_URL, cookie_of
from tests.support.proxy import calls_of
from tests.support.securevideo import HEADERS, SecureVideo, headers_of, refusal
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

pytestmark = pytest.mark.req("D01")

HANDLED = f"{PORTAL_URL}/HandleSecureVideoLoginExpiration"
BODY = {"RedirectToUriOnExpiry": HANDLED}

DENIED = '{"Message": "Authorization has been denied for this request."}'
NO_USER = '{"Message": "User not found"}'
NO_LOGIN = '{"Message": "Login not found"}'
NO_ROUTE = '{"Message": "There is no such route."}'
INVALID = '{"Message": "The request is invalid."}'
NOT_ON_THE_LIST = (
    '{"Message": "The request is invalid.", "MessageDetail": '
    '"RedirectToUriOnExpiry: must be an address that the account\'s redirect_uris cover."}'
)
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account for all tests that change nothing about it."""
    return open_portal()


@pytest.fixture(scope="module")
def user(clinic: Portal) -> str:
    """A SecureVideo.com User ID."""
    return str(clinic.create_user(external_id="12345")["id"])


@pytest.fixture(scope="module")
def securevideo(clinic: Portal) -> SecureVideo:
    """The vendor's API for the shared account: another base URL, API Identifier and API Secret Key."""
    return SecureVideo(clinic.api)


def guid_of(answer: httpx.Response) -> str:
    """Give the LoginGuid of an issued login."""
    assert answer.status_code == 201, answer.text
    return str(answer.json()["LoginGuid"])


def a_login(portal: Portal, user_id: str | None = None) -> tuple[str, str]:
    """Issue a login over the dialect; give its GUID and its URI."""
    answer = SecureVideo(portal.api).post(f"/login/{user_id or portal.create_user()['id']}", json=BODY)
    return guid_of(answer), answer.json()["LoginUri"]


# --- Get Login URI ----------------------------------------------------------------------------------------


@pytest.mark.req("L04")
def test_get_login_uri_answers_these_bytes(securevideo: SecureVideo, clinic: Portal, user: str) -> None:
    """The three members in the documented order and nothing else. 201 is [ours]."""
    answer = securevideo.post(f"/login/{user}", json=BODY)

    guid = guid_of(answer)
    assert re.fullmatch(r"[0-9a-f]{32}", guid)
    assert answer.text == (
        f'{{"LoginGuid": "{guid}", "RedirectToUriOnExpiry": "{HANDLED}", '
        f'"LoginUri": "{clinic.hub_url}/Account/AutoLogin/{guid}"}}'
    )
    assert headers_of(answer) == HEADERS


@pytest.mark.parametrize(
    "route",
    [
        "/login/0?externalId=12345",
        "/login/0?ExternalId=12345",
        "/Login/0?EXTERNALID=12345",
        "/LOGIN/0?externalid=12345",
        "/login/0/?externalId=12345",
        "/login/0?externalId=12345&somethingNew=1",
    ],
)
def test_a_user_is_found_by_the_portals_own_id(securevideo: SecureVideo, clinic: Portal, user: str, route: str) -> None:
    """Paths and query names match without regard to case; parameters that nobody knows do no harm."""
    answer = securevideo.post(route, json=BODY)

    assert clinic.api.get(f"/v1/login-uris/{guid_of(answer)}").json()["user_id"] == user
    assert headers_of(answer) == HEADERS


def test_an_external_id_is_compared_to_the_letter(securevideo: SecureVideo, clinic: Portal) -> None:
    """Percent-encoding is undone, case is kept."""
    user = clinic.create_user(external_id="Zoë & Ada/Ω #7")

    exact = securevideo.post("/login/0", params={"externalId": "Zoë & Ada/Ω #7"}, json=BODY)
    other = securevideo.post("/login/0", params={"externalId": "zoë & Ada/Ω #7"}, json=BODY)

    assert clinic.api.get(f"/v1/login-uris/{guid_of(exact)}").json()["user_id"] == user["id"]
    assert refusal(other) == (404, NO_USER)


@pytest.mark.parametrize("path", ["/Login/{}", "/LOGIN/{}", "/login/{}/", "/lOgIn/{}"])
def test_the_path_matches_without_regard_to_case(securevideo: SecureVideo, user: str, path: str) -> None:
    """The vendor's own pages write /login/5 and /Login/33445566."""
    assert guid_of(securevideo.post(path.format(user), json=BODY))


@pytest.mark.parametrize(
    "request_body",
    [
        {"content": b""},
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
        {"json": {}},
        {"json": {"RedirectToUriOnExpiry": None}},
        {"json": {"RedirectToUriOnExpiry": ""}},
        {"json": {"RedirectToUriOnExpiry": "  "}},
    ],
)
def test_a_login_without_an_address_shows_an_empty_one(
    securevideo: SecureVideo, user: str, request_body: dict[str, Any]
) -> None:
    """[ours]; the vendor's own objects show what is not set as an empty text."""
    answer = securevideo.post(f"/login/{user}", **request_body)

    assert guid_of(answer)
    assert answer.json()["RedirectToUriOnExpiry"] == ""


@pytest.mark.parametrize(
    "request_body",
    [
        {"json": {**BODY, "SomethingNew": {"a": [1, None]}, "LoginGuid": "mine"}},
        {"json": {"redirecttourionexpiry": HANDLED}},
        {"content": f'{{"RedirectToUriOnExpiry": "{HANDLED}"}}'.encode()},  # without a Content-Type
        {
            "content": f'\r\n {{"RedirectToUriOnExpiry" : "{HANDLED}"}}\n'.encode(),
            "headers": {"Content-Type": "text/json"},
        },
    ],
)
def test_an_easy_going_reader(securevideo: SecureVideo, user: str, request_body: dict[str, Any]) -> None:
    """Members that are not known do no harm, and neither does how a client spells or labels its JSON."""
    answer = securevideo.post(f"/login/{user}", **request_body)

    assert guid_of(answer) != "mine"
    assert list(answer.json()) == ["LoginGuid", "RedirectToUriOnExpiry", "LoginUri"]
    assert answer.json()["RedirectToUriOnExpiry"] == HANDLED


@pytest.mark.parametrize("route", ["/login/{guid}", "/Account/AutoLogin/{guid}", "/Account/AutoLogin/auto={guid}"])
@pytest.mark.req("L06")
def test_the_login_uri_signs_in_under_every_documented_spelling(clinic: Portal, route: str) -> None:
    """The first is ours, the others are the vendor's."""
    guid, _ = a_login(clinic)

    answer = clinic.follow(route.format(guid=guid))

    assert answer.status_code == 303
    assert answer.headers["location"] == "/dashboard"
    assert cookie_of(answer)


# --- Delete Login URI -------------------------------------------------------------------------------------


@pytest.mark.req("L03")
@pytest.mark.parametrize("path", ["/login/{}", "/Login/{}", "/login/{}/"])
def test_delete_answers_204_without_a_body(clinic: Portal, securevideo: SecureVideo, path: str) -> None:
    """And the URI is dead."""
    guid, uri = a_login(clinic)

    answer = securevideo.delete(path.format(guid))

    assert (answer.status_code, answer.content) == (204, b"")
    assert headers_of(answer) == HEADERS
    assert clinic.follow(uri).status_code == 403


def test_a_guid_matches_without_regard_to_case_and_deleting_twice_is_no_error(
    clinic: Portal, securevideo: SecureVideo
) -> None:
    """A client that repeats a lost answer's call is told the same."""
    guid, _ = a_login(clinic)

    answers = [securevideo.delete(f"/login/{spelling}").status_code for spelling in (guid.upper(), guid)]

    assert answers == [204, 204]


@pytest.mark.req("L03")
def test_delete_ends_the_sign_in_that_the_login_became(clinic: Portal, securevideo: SecureVideo) -> None:
    """Here, unlike there, unless the account chose otherwise."""
    guid, uri = a_login(clinic)
    cookie = cookie_of(clinic.follow(uri))
    assert cookie
    assert clinic.is_signed_in(cookie)

    securevideo.delete(f"/login/{guid}")

    assert not clinic.is_signed_in(cookie)
    assert clinic.follow("/dashboard", cookie=cookie).headers["location"] == HANDLED


@pytest.mark.req("L03")
def test_delete_spares_the_sign_in_when_the_account_says_so(open_portal: Callable[..., Portal]) -> None:
    """With revoke_ends_sign_in off it is the vendor's own way: only what nobody has used yet expires."""
    sparing = open_portal(revoke_ends_sign_in=False)
    used_guid, used = a_login(sparing)
    new_guid, new = a_login(sparing)
    cookie = cookie_of(sparing.follow(used))
    assert cookie

    answers = [SecureVideo(sparing.api).delete(f"/login/{guid}").status_code for guid in (used_guid, new_guid)]

    assert answers == [204, 204]
    assert sparing.is_signed_in(cookie)
    assert sparing.follow(new).status_code == 403


# --- Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ???",
        "Basic bm8tY29sb24=",  # no-colon
        "Basic OjpvbmU=",  # ::one
        "Basic /////w==",  # not UTF-8
        "Bearer",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Digest username=a",
        f"Basic {'QUFB' * 1_500}",
    ],
)
def test_without_good_credentials_nothing_is_said(clinic: Portal, user: str, authorization: str | None) -> None:
    """One answer for all, also where there is no route and no user. The text is [ours]."""
    anybody = SecureVideo(clinic.anonymous())
    headers = {} if authorization is None else {"Authorization": authorization}

    answers = [
        anybody.request(method, path, headers=headers)
        for method, path in (("POST", f"/login/{user}"), ("DELETE", f"/login/{'0' * 32}"), ("GET", "/nowhere"))
    ]

    assert [refusal(answer) for answer in answers] == [(401, DENIED)] * 3
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Basic realm="SecureVideo"'}


def test_wrong_credentials_are_refused_like_none(clinic: Portal, portal: Portal, user: str) -> None:
    """A wrong secret, an unknown identifier, another account's secret, an identifier of absurd length."""
    pairs = [
        (clinic.client_id, "wrong"),
        (clinic.client_id, portal.client_secret),
        (f"{clinic.account_id}-nobody", clinic.client_secret),
        ("nobody", clinic.client_secret),
        (f"{'1' * 3_000}-a", "x"),
        (f"{clinic.account_id}-{'a' * 1_500}", "x"),
    ]

    answers = [refusal(SecureVideo(clinic.basic(*pair)).post(f"/login/{user}", json=BODY)) for pair in pairs]

    assert answers == [(401, DENIED)] * len(pairs)


def test_a_client_may_do_here_what_it_may_do_in_the_native_api(clinic: Portal, user: str) -> None:
    """A scope that was not granted there is not granted by another spelling. Status and text are [ours]."""
    guid, _ = a_login(clinic, user)
    reader = SecureVideo(clinic.basic(*clinic.create_client(scopes.USERS_READ, scopes.LOGIN_URIS_READ)))
    issuer = SecureVideo(clinic.basic(*clinic.create_client(scopes.LOGIN_URIS_WRITE)))

    answers = [reader.post(f"/login/{user}", json=BODY), reader.delete(f"/login/{guid}")]

    needed = '{"Message": "This call needs the scope login_uris:write."}'
    assert [refusal(answer) for answer in answers] == [(403, needed)] * 2
    assert issuer.delete(f"/login/{guid}").status_code == 204
    assert guid_of(issuer.post(f"/login/{user}", json=BODY))


def test_a_bearer_is_as_good_as_basic(clinic: Portal, user: str) -> None:
    """[ours]; and it is bound to its scopes just so."""
    full = SecureVideo(clinic.bearer())
    narrow = SecureVideo(clinic.bearer(clinic.access_token(scope=scopes.USERS_READ)))

    assert guid_of(full.post(f"/login/{user}", json=BODY))
    assert narrow.post(f"/login/{user}", json=BODY).status_code == 403


@pytest.mark.req("L16")
@pytest.mark.parametrize(
    "route",
    [
        "/login/5",
        "/login/0",
        "/login/0?externalId=",
        "/login/0?externalId=nobody",
        "/login/-1",
        "/login/1e3",
        "/login/%00",
        "/login/Zo%C3%AB",
        f"/login/{'9' * 3_000}",
        f"/login/0?externalId={'9' * 3_000}",
        f"/login/0?externalId={'%F0%9F%99%82' * 600}",
        "/login/0?externalId=%00",
        "/login/0?externalId=%ED%A0%80",
    ],
)
def test_an_unknown_user_is_not_found(securevideo: SecureVideo, route: str) -> None:
    """In the words that were seen; whatever is asked for is unknown rather than an outage."""
    assert refusal(securevideo.post(route, json=BODY)) == (404, NO_USER)


@pytest.mark.req("L16", "P05")
def test_another_accounts_user_and_login_are_unknown(portal: Portal, clinic: Portal) -> None:
    """By id, by the portal's own id, by GUID."""
    foreign = clinic.create_user(external_id="theirs")
    guid, uri = a_login(clinic, foreign["id"])
    here = SecureVideo(portal.api)

    answers = [
        here.post(f"/login/{foreign['id']}", json=BODY),
        here.post("/login/0?externalId=theirs", json=BODY),
        here.delete(f"/login/{guid}"),
    ]

    assert [refusal(answer) for answer in answers] == [(404, NO_USER), (404, NO_USER), (404, NO_LOGIN)]
    assert clinic.follow(uri).status_code == 303


@pytest.mark.req("L16")
def test_a_disabled_user_gets_no_login(securevideo: SecureVideo, clinic: Portal) -> None:
    """[ours]."""
    user = clinic.create_user(external_id="gone")
    clinic.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})

    answers = [securevideo.post(route, json=BODY) for route in (f"/login/{user['id']}", "/login/0?externalId=gone")]

    assert [refusal(answer) for answer in answers] == [(403, '{"Message": "The user is disabled."}')] * 2


@pytest.mark.parametrize("guid", ["0" * 32, "0" * 31, "g" * 32, "5", "auto=" + "0" * 32, "0" * 5_000, "%00"])
def test_an_unknown_login_is_not_found(securevideo: SecureVideo, guid: str) -> None:
    """[ours]."""
    assert refusal(securevideo.delete(f"/login/{guid}")) == (404, NO_LOGIN)


@pytest.mark.req("L07")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http://www.yahoo.com",
        "//evil.example",
        "/\\evil.example",
        f"{PORTAL_URL}.evil.example/",
        f"{PORTAL_URL.replace('portal', 'portal@evil')}/",
        f"{PORTAL_URL}@evil.example/",
        "javascript:alert(1)",
        f"{PORTAL_URL}/\r\nSet-Cookie: a=b",
        "http://portal。localhost:8000/",
        "relative",
        5,
        True,
    ],
)
def test_an_address_that_is_not_on_the_list_is_refused(
    securevideo: SecureVideo, aws: AwsProxy, user: str, target: object
) -> None:
    """There any address goes; here it would make every login URI a way to anywhere. [ours]."""
    with aws.recording() as calls:
        answer = securevideo.post(f"/login/{user}", json={"RedirectToUriOnExpiry": target})

    assert refusal(answer) == (400, NOT_ON_THE_LIST)
    assert not [call for call in calls if call.action in WRITES]


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b"[]",
        b'"text"',
        b"5",
        b"null",
        b'{"RedirectToUriOnExpiry": ["http://portal.localhost:8000"]}',
        b'{"RedirectToUriOnExpiry": {}}',
        b'{"RedirectToUriOnExpiry": 1.5}',
        b'{"RedirectToUriOnExpiry": NaN}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": "' + b"x" * 1_048_000 + b'"',
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_cannot_be_used_is_a_400(securevideo: SecureVideo, aws: AwsProxy, user: str, body: bytes) -> None:
    """Text that is no JSON, JSON that is no object, the wrong types, a document made to exhaust its reader."""
    with aws.recording() as calls:
        answer = securevideo.post(f"/login/{user}", content=body, headers={"Content-Type": "application/json"})

    assert refusal(answer) == (400, INVALID)
    assert not [call for call in calls if call.action in WRITES]


@pytest.mark.req("P04")
def test_a_body_of_more_than_a_megabyte_is_a_413(securevideo: SecureVideo, aws: AwsProxy, user: str) -> None:
    """Good JSON or not."""
    body = b'{"RedirectToUriOnExpiry": "", "a": "' + b"x" * 1_048_576 + b'"}'

    with aws.recording() as calls:
        answer = securevideo.post(f"/login/{user}", content=body)

    assert refusal(answer) == (413, '{"Message": "The body is too large."}')
    assert not [call for call in calls if call.action in WRITES]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/login/5"),
        ("PUT", "/login/5"),
        ("PATCH", "/login/5"),
        ("POST", "/login"),
        ("POST", "/login/5/6"),
        ("DELETE", "/login"),
        ("POST", "/loginx/5"),
        ("POST", "/v1/login-uris"),
        ("GET", "/v1/account"),
        ("GET", "/nowhere"),
        ("GET", "/"),
        ("GET", ""),
        ("OPTIONS", "/login/5"),
    ],
)
def test_an_unknown_route_is_refused_in_the_vendors_shape(securevideo: SecureVideo, method: str, path: str) -> None:
    """By the function, and by API Gateway where no function is asked."""
    answer = securevideo.request(method, path)

    assert refusal(answer) == (404, NO_ROUTE)


@pytest.mark.req("R01")
@pytest.mark.parametrize("action", ["GetItem", "PutItem"])
def test_an_outage_is_a_503_in_the_vendors_shape(
    securevideo: SecureVideo, aws: AwsProxy, user: str, action: str
) -> None:
    """With nothing of its cause, and when to come back."""
    failing = calls_of(service="dynamodb", action=action, function="SecureVideoFunction")

    with aws.fail(failing, "InternalServerError", status=500, times=3):
        answer = securevideo.post(f"/login/{user}", json=BODY)

    assert refusal(answer) == (503, '{"Message": "The service is briefly unavailable. Please try again."}')
    assert answer.headers["retry-after"] == "1"


def test_a_client_that_is_told_a_host_alone_has_one(clinic: Portal, user: str) -> None:
    """A name of the dialect's own, with the vendor's path behind it."""
    host = clinic.api.base_url.replace("//api.", "//securevideo.")

    assert clinic.api.post(f"{host}/login/{user}").status_code == 201
