"""Stages: what an account may set, what stays secret of it, and the grants that each kind of stage reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from livekit.api import TokenVerifier, VideoGrants

from tests.support.events import CONTEXT, json_of, native_event
from tests.support.house import API_ORIGIN, START, add_user, open_account
from vestibule import tokens
from vestibule.clock import MINUTE, SECOND, system_clock
from vestibule.domain.entrances import Arrival
from vestibule.domain.people import Person
from vestibule.domain.sessions import HostRef
from vestibule.domain.stages import GRANT_LIFETIME, audience_of
from vestibule.errors import InvalidError, UnauthenticatedError
from vestibule.model import ParticipantRole, Session, Stage

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, MotoAws
    from vestibule.model import Account
    from vestibule.wiring import House

SECRET = "a-stage-secret-of-more-than-32-characters"
BACK = "https://clinic.hub.vestibule.example/s/1"
OWN = {"kind": "url", "url": "https://stage.example/room/{session_id}#grant={grant}"}
LIVEKIT = {
    "kind": "livekit",
    "url": "https://meet.example/custom?liveKitUrl={server_url}&token={grant}",
    "server_url": "wss://live.example",
    "key_id": "APIabc",
    "secret": SECRET,
}
JITSI = {"kind": "jitsi", "url": "https://meet.example/{room}?jwt={grant}", "app_id": "clinic", "secret": SECRET}


@pytest.fixture(scope="module")
def rsa_key() -> str:
    return _pem(rsa.generate_private_key(public_exponent=65_537, key_size=2_048))


def _pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


def with_stage(house: House, account: Account, **stage: Any) -> tuple[Account, Stage]:
    changed = house.accounts.change(account.account_id, {"stage": stage})
    assert changed.stage is not None
    return changed, changed.stage


@pytest.fixture
def session(house: House, account: Account) -> Session:
    host = add_user(house, account)
    fields = {"title": "Consultation", "starts_at": START}
    return house.sessions.create(account.account_id, HostRef(host.user_id), fields)[0]


def arrive(session: Session, role: ParticipantRole = ParticipantRole.ATTENDEE) -> Arrival:
    return Arrival(session, Person(own_id="participant:7", name="Zoë & Søn/é", role=role))


def go(house: House, account: Account, stage: Stage, arrival: Arrival) -> str:
    return house.stages.launch(account, stage, arrival, return_url=BACK).url


# --- what an account may set ---


@pytest.mark.parametrize(
    "stage",
    [
        OWN,
        {"kind": "url", "url": "http://localhost:3000/?g={grant}&n={name}&r={role}&back={return_url}"},
        {"kind": "url", "url": "zoommtg://zoom.example/join?grant={grant}"},
        {"kind": "url", "url": "https://stage.example/{grant}", "opens_application": True},
        LIVEKIT,
        LIVEKIT | {"server_url": "ws://localhost:7880", "attendees_publish": False},
        JITSI,
    ],
)
def test_a_stage_is_set_and_shown_without_its_secret(
    function: LoadFunction, account: Account, stage: dict[str, Any]
) -> None:
    # when
    answer = function("account")(
        native_event("PATCH", "/v1/account", account_id=account.account_id, body={"stage": stage}), CONTEXT
    )
    # then
    assert answer["statusCode"] == 200, answer["body"]
    shown = json_of(answer)["stage"]
    assert {name: shown[name] for name in stage if name != "secret"} == {
        n: v for n, v in stage.items() if n != "secret"
    }
    assert shown["secret_set"] is ("secret" in stage)
    assert SECRET not in answer["body"]
    again = function("account")(native_event("GET", "/v1/account", account_id=account.account_id), CONTEXT)
    assert json_of(again)["stage"] == shown


@pytest.mark.req("L04")
def test_a_stages_secret_lies_sealed_in_the_table(house: House, account: Account, moto_aws: MotoAws) -> None:
    _, stage = with_stage(house, account, **LIVEKIT)
    assert SECRET not in str(moto_aws.stored("DirectoryTable"))
    assert SECRET not in repr(stage)


def test_a_stage_is_taken_away(house: House, account: Account) -> None:
    with_stage(house, account, **OWN)
    assert house.accounts.change(account.account_id, {"stage": None}).stage is None
    assert house.accounts.current(account.account_id).stage is None


def test_a_stage_keeps_its_secret_as_long_as_its_key_is_the_same(
    house: House, account: Account, session: Session
) -> None:
    with_stage(house, account, **LIVEKIT)
    without = {name: value for name, value in LIVEKIT.items() if name != "secret"}
    # when
    changed, stage = with_stage(house, account, **without, attendees_publish=False)
    # then
    assert go(house, changed, stage, arrive(session))
    with pytest.raises(InvalidError, match="needs its secret"):
        with_stage(house, account, **without | {"key_id": "APIother"})
    with pytest.raises(InvalidError, match="needs its secret"):
        with_stage(house, account, kind="jitsi", url="https://meet.example/{grant}", app_id="x")


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"kind": "url"}, "required"),
        ({"kind": "url", "url": "https://stage.example/room"}, "required"),
        ({"kind": "url", "url": "https://stage.example/{grant}", "secret": SECRET}, "unknown_member"),
        ({"kind": "url", "url": "https://stage.example/{grant}", "app_id": "x"}, "unknown_member"),
        ({"kind": "url", "url": "https://stage.example/{grant}{email}"}, "unknown_placeholder"),
        ({"kind": "url", "url": "https://stage.example/{grant}{}"}, "unknown_placeholder"),
        ({"kind": "url", "url": "https://{name}.example/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "https://stage.example{name}/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "https://user@stage.example/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "http://stage.example/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "//stage.example/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "/room/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "javascript:alert('{grant}')"}, "invalid_url"),
        ({"kind": "url", "url": "JavaScript:alert('{grant}')"}, "invalid_url"),
        ({"kind": "url", "url": "java\tscript:{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "data:text/html,{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "intent://x/{grant}"}, "invalid_url"),
        ({"kind": "url", "url": "{grant}:x"}, "invalid_url"),
        ({"kind": "url", "url": "zoommtg://x\\{grant}"}, "invalid_url"),
        ({k: v for k, v in LIVEKIT.items() if k != "server_url"}, "required"),
        (LIVEKIT | {"server_url": "https://live.example"}, "invalid_url"),
        (LIVEKIT | {"server_url": "wss://user@live.example"}, "invalid_url"),
        (LIVEKIT | {"secret": "short"}, "invalid_length"),
        (LIVEKIT | {"key_id": "a b"}, "invalid_id"),
        ({k: v for k, v in JITSI.items() if k != "secret"}, "required"),
        (JITSI | {"key_id": "vpaas/1"}, "invalid_key"),
    ],
)
@pytest.mark.req("L07")
def test_a_stage_that_would_not_open_is_refused(
    house: House, account: Account, stage: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        with_stage(house, account, **stage)
    assert [(error.field, error.code) for error in refused.value.errors] == [("stage", code)]
    assert house.accounts.current(account.account_id).stage is None


def test_a_key_for_jaas_is_an_rsa_key_that_is_long_enough(house: House, account: Account) -> None:
    small = _pem(rsa.generate_private_key(public_exponent=65_537, key_size=1_024))  # noqa: S505 - it is refused
    elliptic = _pem(ec.generate_private_key(ec.SECP256R1()))
    for wrong in (small, elliptic, SECRET):
        with pytest.raises(InvalidError, match="RSA"):
            with_stage(house, account, kind="jitsi", app_id="vpaas", key_id="vpaas/1", secret=wrong)


def test_an_applications_scheme_is_known_to_need_a_click(house: House, account: Account) -> None:
    assert with_stage(house, account, kind="url", url="msteams:/l/x?g={grant}")[1].opens_application
    assert not with_stage(house, account, **OWN)[1].opens_application
    asked = with_stage(house, account, **OWN, opens_application=True)[1]
    assert asked.opens_application


# --- grants ---


@pytest.mark.req("E01")
def test_our_own_grant_is_a_token_that_the_published_keys_prove(
    house: House, account: Account, session: Session
) -> None:
    house.key_rotation.run()
    changed, stage = with_stage(house, account, **OWN)
    # when
    url = go(house, changed, stage, arrive(session, ParticipantRole.PRESENTER))
    # then
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("stage.example", f"/room/{session.session_id}")
    token = parts.fragment.removeprefix("grant=")
    kind = tokens.Kind(typ=tokens.STAGE_GRANT, issuer=API_ORIGIN, audience="https://stage.example")
    claims = tokens.verify(kind, token, house.verifier.find, now=house.clock())
    assert claims == {
        "iss": API_ORIGIN,
        "aud": "https://stage.example",
        "sub": "participant:7",
        "iat": START // SECOND,
        "exp": START // SECOND + GRANT_LIFETIME // SECOND,
        "jti": claims["jti"],
        "account_id": account.account_id,
        "session_id": session.session_id,
        "name": "Zoë & Søn/é",
        "role": "presenter",
        "return_url": BACK,
    }
    # and it is no access token, and over in five minutes
    with pytest.raises(UnauthenticatedError):
        house.access_token_reader.read(token)
    with pytest.raises(UnauthenticatedError):
        tokens.verify(kind, token, house.verifier.find, now=house.clock() + GRANT_LIFETIME)


def test_placeholders_are_filled_in_and_can_break_out_of_nothing(
    house: House, account: Account, session: Session
) -> None:
    house.key_rotation.run()
    url = "https://stage.example/{session_id}/{room}?n={name}&r={role}&b={return_url}#{grant}"
    changed, stage = with_stage(house, account, kind="url", url=url)
    parts = urlsplit(go(house, changed, stage, arrive(session)))
    assert parts.path == f"/{session.session_id}/vestibule-{account.account_id}-{session.session_id}"
    assert parse_qs(parts.query) == {"n": ["Zoë & Søn/é"], "r": ["attendee"], "b": [BACK]}


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://Stage.Example/x?{grant}", "https://stage.example"),
        ("http://localhost:3000/{grant}", "http://localhost:3000"),
        ("zoommtg://zoom/{grant}", "zoommtg:"),
    ],
)
def test_the_audience_is_the_stages_own(url: str, audience: str) -> None:
    assert audience_of(url) == audience


@pytest.mark.parametrize(
    ("role", "attendees", "video"),
    [
        ("host", True, {"roomAdmin": True, "canPublish": True, "canPublishData": True, "hidden": False}),
        ("organizer", False, {"roomAdmin": True, "canPublish": True, "canPublishData": True, "hidden": False}),
        ("presenter", False, {"roomAdmin": False, "canPublish": True, "canPublishData": True, "hidden": False}),
        ("attendee", True, {"roomAdmin": False, "canPublish": True, "canPublishData": True, "hidden": False}),
        ("attendee", False, {"roomAdmin": False, "canPublish": False, "canPublishData": False, "hidden": False}),
        ("observer", True, {"roomAdmin": False, "canPublish": False, "canPublishData": False, "hidden": True}),
    ],
)
def test_livekits_token_says_what_a_role_may(
    house: House, account: Account, session: Session, *, role: str, attendees: bool, video: dict[str, bool]
) -> None:
    changed, stage = with_stage(house, account, **LIVEKIT, attendees_publish=attendees)
    # when
    query = parse_qs(urlsplit(go(house, changed, stage, arrive(session, ParticipantRole(role)))).query)
    # then
    assert query["liveKitUrl"] == ["wss://live.example"]
    claims = jwt.decode(query["token"][0], SECRET, algorithms=["HS256"], options=_NO_TIMES)
    room = f"vestibule-{account.account_id}-{session.session_id}"
    assert claims["video"] == {"room": room, "roomJoin": True, "canSubscribe": True, **video}
    assert (claims["iss"], claims["sub"], claims["name"]) == ("APIabc", "participant:7", "Zoë & Søn/é")
    assert claims["exp"] - claims["iat"] == GRANT_LIFETIME // SECOND


def livekits_token(house: House, account: Account, session: Session, role: ParticipantRole) -> str:
    changed, stage = with_stage(house, account, **LIVEKIT, attendees_publish=False)
    return parse_qs(urlsplit(go(house, changed, stage, arrive(session, role))).query)["token"][0]


@pytest.mark.parametrize(
    ("role", "admin", "speaks"),
    [
        (ParticipantRole.HOST, True, True),
        (ParticipantRole.PRESENTER, False, True),
        (ParticipantRole.ATTENDEE, False, False),
    ],
)
def test_livekits_own_verifier_takes_the_token(
    house: House,
    account: Account,
    session: Session,
    clock: FakeClock,
    *,
    role: ParticipantRole,
    admin: bool,
    speaks: bool,
) -> None:
    # given: now, as the verifier reads it
    clock.now = system_clock()
    token = livekits_token(house, account, session, role)
    # when
    claims = TokenVerifier("APIabc", SECRET).verify(token)
    # then
    assert (claims.identity, claims.name, claims.attributes) == ("participant:7", "Zoë & Søn/é", {"role": role.value})
    assert claims.video == VideoGrants(
        room=f"vestibule-{account.account_id}-{session.session_id}",
        room_join=True,
        room_admin=admin,
        can_subscribe=True,
        can_publish=speaks,
        can_publish_data=speaks,
        hidden=False,
    )
    # and only with the secret and the key that it was made with
    with pytest.raises(jwt.InvalidSignatureError):
        TokenVerifier("APIabc", f"another-{SECRET}").verify(token)
    with pytest.raises(jwt.InvalidIssuerError):
        TokenVerifier("APIother", SECRET).verify(token)


def test_livekits_own_verifier_refuses_a_token_whose_time_is_over(
    house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    # given
    verifier = TokenVerifier("APIabc", SECRET, leeway=timedelta(0))
    clock.now = system_clock() - GRANT_LIFETIME + MINUTE
    in_time = livekits_token(house, account, session, ParticipantRole.HOST)
    clock.now = system_clock() - GRANT_LIFETIME
    over = livekits_token(house, account, session, ParticipantRole.HOST)
    # then
    assert verifier.verify(in_time).identity == "participant:7"
    with pytest.raises(jwt.ExpiredSignatureError):
        verifier.verify(over)


_NO_TIMES: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}


@pytest.mark.parametrize(("role", "moderates"), [("host", True), ("organizer", True), ("attendee", False)])
def test_a_jitsi_of_ones_own_gets_its_token(
    house: House, account: Account, session: Session, *, role: str, moderates: bool
) -> None:
    changed, stage = with_stage(house, account, **JITSI)
    parts = urlsplit(go(house, changed, stage, arrive(session, ParticipantRole(role))))
    claims = jwt.decode(parse_qs(parts.query)["jwt"][0], SECRET, algorithms=["HS256"], options=_NO_TIMES)
    assert parts.path == f"/{claims['room']}"
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("clinic", "clinic", "meet.example")
    assert claims["context"]["user"] == {
        "id": "participant:7",
        "name": "Zoë & Søn/é",
        "affiliation": "owner" if moderates else "member",
        "moderator": moderates,
    }


def test_jaas_gets_its_token(house: House, account: Account, session: Session, rsa_key: str) -> None:
    changed, stage = with_stage(
        house, account, kind="jitsi", app_id="vpaas-magic-1", key_id="vpaas-magic-1/ab12", secret=rsa_key
    )
    # when
    parts = urlsplit(go(house, changed, stage, arrive(session, ParticipantRole.HOST)))
    # then
    token = parse_qs(parts.query)["jwt"][0]
    public = serialization.load_pem_private_key(rsa_key.encode(), None).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    claims = jwt.decode(token, public, algorithms=["RS256"], audience="jitsi", options=_NO_TIMES | {"verify_aud": True})
    assert (parts.netloc, parts.path) == ("8x8.vc", f"/vpaas-magic-1/{claims['room']}")
    assert jwt.get_unverified_header(token)["kid"] == "vpaas-magic-1/ab12"
    assert (claims["iss"], claims["sub"]) == ("chat", "vpaas-magic-1")
    assert claims["context"]["user"]["moderator"] == "true"
    assert claims["context"]["features"] == {"livestreaming": "true", "recording": "true", "transcription": "true"}


@pytest.mark.req("L20")
def test_another_accounts_secret_cannot_be_unsealed_here(house: House, account: Account, session: Session) -> None:
    _, stage = with_stage(house, account, **LIVEKIT)
    other = open_account(house, "school")
    with pytest.raises(Exception, match="cannot be read"):
        go(house, other, stage, arrive(session))
