"""Embed tokens: made by the house or by a portal, read by strangers' libraries, refused for every fault (RFC 8725)."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import playwright
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt

from tests.support.events import CONTEXT, json_of, native_event
from tests.support.house import API_ORIGIN, START, open_account, plan_lecture
from tools.local.paths import ROOT
from vestibule import tokens
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.domain import people
from vestibule.domain.embeds import LONGEST_TEXT, audience_of
from vestibule.domain.people import Person
from vestibule.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError
from vestibule.model import ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, Session
    from vestibule.settings import Settings
    from vestibule.wiring import House

NOW = START // SECOND
ADA = {
    "user_id": "mrn-7",
    "user_name": "Ada Lovelace",
    "user_email": "Ada@Example.org",
    "user_avatar": "https://portal.example/ada.png",
}


@pytest.fixture
def account(house: House) -> Account:
    house.key_rotation.run()
    return open_account(house)


@pytest.fixture
def session(house: House, account: Account) -> Session:
    return plan_lecture(house, account)


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def hs256(secret: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign whatever is wanted, with nobody's rules in the way."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def es256(house: House, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign with the house's own key, again without rules."""
    key = house.embed_issuer._signer.key()  # noqa: SLF001 - a forger inside the house
    head = {name: value for name, value in ({"kid": key.kid} | header).items() if value is not ...}
    kind = tokens.Kind(typ=head["typ"], issuer=claims["iss"], audience=claims["aud"])
    return tokens.sign(
        kind,
        key,
        subject=claims["sub"],
        token_id="01",
        now=claims["iat"] * SECOND,
        lifetime=(claims["exp"] - claims["iat"]) * SECOND,
        claims={name: claims[name] for name in ("session_id", "session_only") if name in claims},
    )


def enters(house: House, account: Account, session: Session, token: str) -> bool:
    return house.embed_reader.read(account, session, token).user_id == "mrn-7"


def portals_claims(account: Account, session: Session, **changed: Any) -> dict[str, Any]:
    claims = {
        "iss": audience_of(account.account_id),
        "aud": audience_of(account.account_id),
        "sub": "mrn-7",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "1",
        "session_id": session.session_id,
        "name": "Ada Lovelace",
        "email": "ada@example.org",
    } | changed
    return {name: value for name, value in claims.items() if value is not ...}


# --- made by the house ----------------------------------------------------------------------------------


@pytest.mark.req("E01")
def test_a_token_brings_its_person_into_its_session(house: House, account: Account, session: Session) -> None:
    # when
    embed = house.embed_issuer.create(account, session.session_id, ADA)

    # then
    assert embed.url == f"https://clinic.hub.vestibule.example/embed/{session.session_id}#token={embed.token}"
    assert embed.expires_at == (START + HOUR) // SECOND * SECOND
    assert house.embed_reader.read(account, session, embed.token) == Person(
        user_id="mrn-7", name="Ada Lovelace", email="Ada@Example.org", avatar="https://portal.example/ada.png"
    )


@pytest.mark.req("E01")
def test_pyjwt_and_joserfc_accept_it_with_the_published_keys(
    house: House, function: LoadFunction, account: Account, session: Session
) -> None:
    # given
    token = house.embed_issuer.create(account, session.session_id, ADA).token
    published = json_of(function("jwks")(native_event("GET", "/.well-known/jwks.json"), CONTEXT))
    expected: dict[str, Any] = {
        "iss": API_ORIGIN,
        "aud": f"urn:vestibule:account:{account.account_id}",
        "sub": "mrn-7",
        "iat": NOW,
        "exp": NOW + 3_600,
        "session_id": session.session_id,
        "session_only": True,
        "name": "Ada Lovelace",
        "email": "Ada@Example.org",
        "picture": "https://portal.example/ada.png",
    }

    # when
    by_joserfc = jose_jwt.decode(token, jose_jwk.KeySet.import_key_set(published), algorithms=["ES256"])
    key = jwt.PyJWKSet.from_dict(published)[by_joserfc.header["kid"]]
    by_pyjwt = jwt.decode(
        token, key, algorithms=["ES256"], audience=expected["aud"], options={"verify_exp": False, "verify_iat": False}
    )

    # then
    assert by_joserfc.claims == by_pyjwt
    assert {name: value for name, value in by_pyjwt.items() if name != "jti"} == expected
    assert by_joserfc.header["typ"] == "embed+jwt"


@pytest.mark.req("E01")
def test_it_lets_nobody_enter_from_the_moment_it_expires(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    account = house.accounts.change(account.account_id, {"embed_token_minutes": 5})
    embed = house.embed_issuer.create(account, session.session_id, ADA)
    clock.now = embed.expires_at - 1
    assert enters(house, account, session, embed.token)
    clock.now = embed.expires_at
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, embed.token)


@pytest.mark.req("E01")
def test_it_opens_its_own_session_unless_it_is_for_all_of_the_account(
    house: House, account: Account, session: Session
) -> None:
    # given
    another = plan_lecture(house, account)
    stranger = open_account(house, "other")
    strangers = plan_lecture(house, stranger)
    narrow = house.embed_issuer.create(account, session.session_id, ADA).token
    wide = house.embed_issuer.create(account, session.session_id, ADA, session_only=False).token

    # then
    assert enters(house, account, another, wide)
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, another, narrow)
    for at, where in ((stranger, strangers), (account, strangers), (stranger, session)):
        with pytest.raises(UnauthenticatedError):
            house.embed_reader.read(at, where, wide)


@pytest.mark.parametrize(
    ("header", "changed"),
    [
        ({"typ": "at+jwt"}, {}),
        ({"typ": "JWT"}, {}),
        ({"kid": "unknown"}, {}),
        ({}, {"aud": API_ORIGIN}),
        ({}, {"aud": "urn:vestibule:account:99999999"}),
        ({}, {"iss": "https://evil.example"}),
        ({}, {"session_id": "10000001"}),
        ({}, {"session_only": "no"}),
        ({}, {"session_only": 0}),
        ({}, {"iat": NOW - 600, "exp": NOW}),
        ({}, {"iat": NOW + 600, "exp": NOW + 1_200}),
        ({}, {"iat": NOW, "exp": NOW + 86_401}),
    ],
    ids=str,
)
@pytest.mark.req("E01")
def test_with_one_fault_it_is_refused_though_the_houses_key_signed_it(
    house: House, account: Account, session: Session, header: dict[str, Any], changed: dict[str, Any]
) -> None:
    claims = portals_claims(account, session, iss=API_ORIGIN)
    assert enters(house, account, session, es256(house, {"typ": "embed+jwt"}, claims))
    key_id = {"kid": header["kid"]} if "kid" in header else {}
    forged = es256(house, {"typ": "embed+jwt"} | header, claims | changed)
    if key_id:
        head, _, rest = forged.partition(".")
        renamed = json.loads(urlsafe_b64decode(head + "==")) | key_id
        forged = f"{b64(json.dumps(renamed).encode())}.{rest}"
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, forged)


@pytest.mark.req("E01")
def test_an_access_token_is_no_embed_token_nor_the_other_way_round(
    house: House, account: Account, session: Session
) -> None:
    client, secret = house.clients.create(account.account_id, "portal", ["embeds:write"])
    access = house.access_token_issuer.issue(house.clients.authenticate(client.client_id, secret)).token
    embed = house.embed_issuer.create(account, session.session_id, ADA).token
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, access)
    with pytest.raises(UnauthenticatedError):
        house.access_token_reader.read(embed)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES384"])
@pytest.mark.req("E01")
def test_the_key_fixes_the_algorithm_never_the_token(
    house: House, account: Account, session: Session, algorithm: str
) -> None:
    # given: the published key, which everybody has, taken for a shared secret
    (key,) = house.verifier.all()
    header = {"alg": algorithm, "typ": "embed+jwt", "kid": key.kid}
    claims = portals_claims(account, session, iss=API_ORIGIN)
    for secret in (json.dumps(dict(key.public_key)), key.public_key["x"], ""):
        token = hs256(secret, header, claims)
        for forged in (token, token.rpartition(".")[0] + "."):
            with pytest.raises(UnauthenticatedError):
                house.embed_reader.read(account, session, forged)


@given(text=st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True)))
@pytest.mark.req("E01")
def test_no_text_is_a_token_by_chance(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.verify_shared(tokens.Kind(typ="embed+jwt", issuer="a", audience="a"), text, lambda _: "s" * 43, now=0)


def test_the_longest_of_everything_still_fits(house: House, account: Account, session: Session) -> None:
    # given: characters that JSON spells in twelve
    long = {
        "user_id": "\U0001f600" * 256,
        "user_name": "\U0001f600" * 200,
        "user_email": f"{'\U0001f600' * 64}@{'\U0001f600' * 170}.org",
        "user_avatar": "https://a.example/" + "a" * 2_030,
    }
    token = house.embed_issuer.create(account, session.session_id, long).token
    assert len(token) <= LONGEST_TEXT
    assert house.embed_reader.read(account, session, token).user_id == long["user_id"]


@pytest.mark.parametrize(
    "fields",
    [{"user_id": ""}, {"user_id": "x" * 257}, {"user_id": "a\x00b"}, {"user_name": "x" * 201}, {"user_email": "ada"},
     {"user_avatar": "javascript:alert(1)"}, {"user_avatar": "http://portal.example/a.png"}],
    ids=str,
)  # fmt: skip
@pytest.mark.req("P04")
def test_a_broken_member_is_named(house: House, account: Account, session: Session, fields: dict[str, str]) -> None:
    with pytest.raises(InvalidError) as refused:
        house.embed_issuer.create(account, session.session_id, ADA | fields)
    assert [error.field for error in refused.value.errors] == list(fields)


@pytest.mark.req("P05")
def test_only_a_session_of_the_account_that_takes_place_has_embeds(
    house: House, account: Account, session: Session
) -> None:
    for session_id in (plan_lecture(house, open_account(house, "other")).session_id, "99999999", "x" * 3_000):
        with pytest.raises(NotFoundError):
            house.embed_issuer.create(account, session_id, ADA)
    house.sessions.cancel(account.account_id, session.session_id)
    with pytest.raises(ConflictError, match="session_cancelled"):
        house.embed_issuer.create(account, session.session_id, ADA)


def test_making_one_is_no_write_and_one_read(
    function: LoadFunction, wire: Wire, account: Account, session: Session
) -> None:
    # given: a worker that knows the account's settings
    path = f"/v1/sessions/{session.session_id}/embeds"
    event = native_event("POST", path, body=ADA, account_id=account.account_id)
    handler = function("embed_create")
    assert handler(event, CONTEXT)["statusCode"] == 201
    # when
    with wire.counting() as calls:
        assert handler(event, CONTEXT)["statusCode"] == 201
    # then
    assert [(call.operation, call.read_units, call.write_units) for call in calls] == [("GetItem", 0.5, 0)]


# --- made by a portal -----------------------------------------------------------------------------------


@pytest.fixture
def mint(house: House, account: Account, session: Session) -> Callable[..., str]:
    """Make tokens with a new application secret of the account; `header` and claims as they are wanted."""
    made = house.app_secrets.create(account.account_id, "portal")

    def sign(header: dict[str, Any] | None = None, secret: str = made.secret, **changed: Any) -> str:
        head = {"alg": "HS256", "typ": "embed+jwt", "kid": made.kid} | (header or {})
        return hs256(secret, head, portals_claims(account, session, **changed))

    return sign


@pytest.mark.req("E02")
def test_a_portals_own_token_brings_its_person_in(
    house: House, account: Account, session: Session, mint: Callable[..., str]
) -> None:
    assert house.embed_reader.read(account, session, mint()) == Person(
        user_id="mrn-7", name="Ada Lovelace", email="ada@example.org"
    )
    assert enters(house, account, plan_lecture(house, account), mint(session_only=False))
    assert house.embed_reader.read(account, session, mint(name="", email=None, picture=...)).email is None
    assert enters(house, account, session, mint(iat=NOW + 30)), "a portal's clock may be a little ahead"
    assert enters(house, account, session, mint(nbf=NOW + 30))


@pytest.mark.parametrize(
    ("header", "changed"),
    [
        ({"alg": "none"}, {}),
        ({"alg": "ES256"}, {}),
        ({"alg": "HS512"}, {}),
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"kid": None}, {}),
        ({"kid": ""}, {}),
        ({"kid": 7}, {}),
        ({"kid": "10000000-abcdefghjk.1"}, {}),
        ({}, {"secret": "another secret that is long enough"}),
        ({}, {"iss": API_ORIGIN}),
        ({}, {"aud": "urn:vestibule:account:10000000"}),
        ({}, {"sub": ...}),
        ({}, {"sub": ""}),
        ({}, {"sub": 7}),
        ({}, {"jti": ...}),
        ({}, {"iat": ...}),
        ({}, {"exp": ...}),
        ({}, {"exp": NOW}),
        ({}, {"exp": NOW + 86_401}),
        ({}, {"exp": str(NOW + 60)}),
        ({}, {"nbf": NOW + 300}),
        ({}, {"nbf": None}),
        ({}, {"nbf": str(NOW)}),
        ({}, {"session_id": ...}),
        ({}, {"session_id": "10000001"}),
        ({}, {"session_only": "false"}),
        ({}, {"name": 7}),
        ({}, {"email": ["ada@example.org"]}),
        ({}, {"picture": {"url": "x"}}),
    ],
    ids=str,
)
@pytest.mark.req("E01", "E02")
def test_a_portals_token_with_one_fault_is_refused(
    house: House,
    account: Account,
    session: Session,
    mint: Callable[..., str],
    header: dict[str, Any],
    changed: dict[str, Any],
) -> None:
    assert enters(house, account, session, mint())
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, mint(header, **changed))


@pytest.mark.req("E02")
def test_a_rotated_secret_works_on_for_its_overlap_and_no_longer(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    first = house.app_secrets.create(account.account_id, "portal")

    def token(made: Any) -> str:
        head = {"alg": "HS256", "typ": "embed+jwt", "kid": made.kid}
        now = clock() // SECOND
        return hs256(made.secret, head, portals_claims(account, session, iat=now, exp=now + 60))

    # when
    second = house.app_secrets.rotate(account.account_id, first.record.secret_id, overlap=HOUR)

    # then
    assert (second.secret, second.kid) != (first.secret, first.kid)
    for made in (first, second):
        assert enters(house, account, session, token(made))
    clock.advance(HOUR)
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, token(first))
    assert enters(house, account, session, token(second))

    # when
    house.app_secrets.delete(account.account_id, first.record.secret_id)

    # then
    with pytest.raises(UnauthenticatedError):
        house.embed_reader.read(account, session, token(second))


@pytest.mark.req("E02")
def test_another_worker_takes_a_rotated_secret_at_once(
    house: House, make_house: MakeHouse, clock: FakeClock, account: Account, session: Session, mint: Callable[..., str]
) -> None:
    # given: it remembers the secret as it was
    other = make_house(seed=2)
    assert enters(other, account, session, mint())
    now = clock() // SECOND
    secret_id = house.app_secrets.list_of(account.account_id)[0].secret_id
    # when
    made = house.app_secrets.rotate(account.account_id, secret_id)
    # then
    head = {"alg": "HS256", "typ": "embed+jwt", "kid": made.kid}
    token = hs256(made.secret, head, portals_claims(account, session, iat=now, exp=now + 60))
    assert enters(other, account, session, token)


@pytest.mark.req("E02")
def test_another_worker_forgets_a_deleted_secret_within_a_minute(
    house: House, make_house: MakeHouse, clock: FakeClock, account: Account, session: Session, mint: Callable[..., str]
) -> None:
    other = make_house(seed=2)
    assert enters(other, account, session, mint())
    house.app_secrets.delete(account.account_id, house.app_secrets.list_of(account.account_id)[0].secret_id)
    clock.advance(MINUTE)
    with pytest.raises(UnauthenticatedError):
        other.embed_reader.read(account, session, mint())


@pytest.mark.req("L04", "P07")
def test_a_secret_is_shown_once_and_stored_nowhere(
    function: LoadFunction, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    def call(method: str, path: str, body: Any = None) -> Any:
        answer = function("app_secrets")(native_event(method, path, body=body, account_id=account.account_id), CONTEXT)
        return json_of(answer) if answer["body"] else answer["statusCode"]

    # when
    made = call("POST", "/v1/account/app-secrets", {"name": "portal"})
    path = f"/v1/account/app-secrets/{made['id']}"
    rotated = call("POST", f"{path}/rotate", {"overlap_minutes": 60})

    # then
    assert made["kid"] == f"{made['id']}.1"
    assert rotated["kid"] == f"{made['id']}.2"
    assert [key["kid"] for key in rotated["keys"]] == [made["kid"], rotated["kid"]]
    listed = call("GET", "/v1/account/app-secrets")
    assert listed["items"] == [{name: rotated[name] for name in ("id", "name", "keys", "created_at")}]
    held = json.dumps([moto_aws.stored(settings.directory_table), listed])
    for secret in (made["app_secret"], rotated["app_secret"]):
        assert len(secret) == 43
        assert secret not in held

    # when
    assert call("POST", f"{path}/rotate", {"overlap_minutes": 0})["keys"][0]["kid"] == f"{made['id']}.3"
    assert call("DELETE", path) == 204
    assert call("DELETE", path)["code"] == "app_secret_not_found"
    assert call("GET", "/v1/account/app-secrets") == {"items": []}


def test_an_account_has_at_most_five_secrets(house: House, account: Account) -> None:
    for _ in range(5):
        house.app_secrets.create(account.account_id, "portal")
    with pytest.raises(ConflictError, match="too_many_app_secrets"):
        house.app_secrets.create(account.account_id, "portal")


@pytest.mark.req("P05")
def test_another_accounts_secret_is_none(house: House, account: Account) -> None:
    made = house.app_secrets.create(open_account(house, "other").account_id, "portal")
    for act in (house.app_secrets.rotate, house.app_secrets.delete):
        with pytest.raises(NotFoundError):
            act(account.account_id, made.record.secret_id)
    assert house.app_secrets.find(account.account_id, made.kid) is None


# --- who joins, and as what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({}, "attendee"),
        ({"presenters": ("ADA@example.ORG",)}, "presenter"),
        ({"organizers": ("mrn-7",)}, "organizer"),
        ({"presenters": ("MRN-7",)}, "attendee"),
        ({"presenters": ("bob@example.org", "mrn-70")}, "attendee"),
    ],
)
@pytest.mark.req("E03")
def test_the_role_is_decided_at_join_from_the_sessions_lists(
    house: House, account: Account, session: Session, lists: dict[str, Any], expected: str
) -> None:
    # given: a token that was made before
    token = house.embed_issuer.create(account, session.session_id, ADA).token
    # when
    session, _ = house.sessions.change(account.account_id, session.session_id, lists)
    # then
    assert people.role_of(session, house.embed_reader.read(account, session, token)) == expected


@pytest.mark.req("E03")
def test_the_sessions_lists_come_before_an_invitation_and_the_host_stays_the_host(session: Session) -> None:
    def named(**who: Any) -> Session:
        from dataclasses import replace  # noqa: PLC0415

        return replace(session, **who)

    observer = Person(email="eve@bücher.example", role=ParticipantRole.OBSERVER)
    assert people.role_of(session, observer) is ParticipantRole.OBSERVER
    assert people.role_of(named(presenters=("Eve@XN--BCHER-KVA.example",)), observer) is ParticipantRole.PRESENTER
    host = Person(email="h@example.org", role=ParticipantRole.HOST)
    assert people.role_of(named(organizers=("h@example.org",)), host) is ParticipantRole.HOST


@pytest.mark.req("E03")
def test_a_blank_avatar_is_gravatars() -> None:
    address = hashlib.sha256(b"ada@example.org").hexdigest()
    assert Person(email="Ada@example.org").picture == f"https://gravatar.com/avatar/{address}?d=mp"
    assert Person(email="Ada@example.org", avatar="https://a.example/x").picture == "https://a.example/x"
    assert "mrn" not in Person(user_id="mrn-7").picture


@pytest.mark.req("E06")
def test_a_person_has_one_key_at_every_entrance() -> None:
    by_token = Person(user_id="mrn-7", email="Ada@BÜCHER.example")
    by_link = Person(own_id="registrant:1", email="ada@xn--bcher-kva.example")
    assert by_token.key == by_link.key
    assert Person(user_id="mrn-7").key == Person(user_id="mrn-7", own_id="user:1").key
    keys = {Person(user_id="x").key, Person(own_id="x").key, Person(email="x@y.org").key, Person(user_id="x@y.org").key}
    assert len(keys) == 4


# --- the documentation's own programs -------------------------------------------------------------------


def program(language: str) -> str:
    """Give the program that docs/embeds.md shows for a language."""
    _, found, rest = (ROOT / "docs" / "embeds.md").read_text().partition(f"```{language}\n")
    assert found
    return rest.partition("\n```")[0]


def node() -> str:
    """Give the path of the Node that Playwright brings along."""
    return str(Path(playwright.__file__).parent / "driver" / "node")


@pytest.mark.parametrize(
    ("language", "command"), [("python", [sys.executable, "-c"]), ("javascript", [node(), "-e"])], ids=["py", "js"]
)
@pytest.mark.req("E02")
def test_the_programs_of_the_documentation_make_tokens_that_are_accepted(
    house: House, clock: FakeClock, account: Account, session: Session, language: str, command: list[str]
) -> None:
    # given
    made = house.app_secrets.create(account.account_id, "portal")
    given = {
        "HUB_URL": house.settings.hub_url(account.slug),
        "ACCOUNT_ID": account.account_id,
        "SESSION_ID": session.session_id,
        "APP_KID": made.kid,
        "APP_SECRET": made.secret,
    }
    # when
    said = subprocess.run(  # noqa: S603 - our own documentation's program
        [*command, program(language)], env=given, capture_output=True, text=True, check=True
    ).stdout.strip()
    # then: the programs take the machine's own time
    address, _, token = said.partition("#token=")
    clock.now = jwt.decode(token, options={"verify_signature": False})["iat"] * SECOND
    assert address == f"https://clinic.hub.vestibule.example/embed/{session.session_id}"
    assert house.embed_reader.read(account, session, token) == Person(
        user_id="mrn-1009", name="Grace Hopper", email="grace@lakeside.example"
    )


@pytest.mark.parametrize("language", ["python", "javascript", "php"])
def test_a_program_is_short(language: str) -> None:
    assert len([line for line in program(language).splitlines() if line]) <= 22
