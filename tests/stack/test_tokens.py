"""Access tokens: how they are given (RFC 6749), what they are (RFC 9068), and which ones are refused (RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt as jose
from joserfc.jwk import KeySet

from tests.support.problems import assert_problem
from tests.support.proxy import is_write
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tools.local import Stack

TOKEN = "/v1/oauth/token"
FORM = "application/x-www-form-urlencoded"


# --- the token endpoint ----------------------------------------------------------------------------------------


def test_a_token_is_given_to_every_way_of_asking(portal: Portal) -> None:
    # given
    grant = {"grant_type": "client_credentials"}
    credentials = {"client_id": portal.client_id, "client_secret": portal.client_secret}
    anyone = portal.anonymous()
    charset = {"Content-Type": f"{FORM}; charset=UTF-8"}
    ways = {
        "form, Basic": portal.api.post(TOKEN, data=grant),
        "JSON, Basic": portal.api.post(TOKEN, json=grant),
        "form, body": anyone.post(TOKEN, data={**grant, **credentials}),
        "JSON, body": anyone.post(TOKEN, json={**grant, **credentials}),
        "form with a charset": portal.api.post(TOKEN, content=urlencode(grant), headers=charset),
        "unknown parameters": portal.api.post(TOKEN, data={**grant, "audience": "x", "resource": "y"}),
        "unknown JSON members": portal.api.post(TOKEN, json={**grant, "nested": {"x": [1]}, "audience": None}),
        "client_id in the body too": portal.api.post(TOKEN, data={**grant, "client_id": portal.client_id}),
        "an empty scope": portal.api.post(TOKEN, data={**grant, "scope": ""}),
    }

    # then
    for way, answer in ways.items():
        assert answer.status_code == 200, (way, answer.text)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        given = answer.json()
        assert given.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert given["token_type"] == "Bearer"
        assert given["expires_in"] == 900
        assert given["scope"].split() == list(scopes.ALL)
        assert portal.bearer(given["access_token"]).get("/v1/account").status_code == 200, way


def test_a_token_may_have_fewer_scopes_and_never_more(portal: Portal) -> None:
    # given
    reader = portal.basic(*portal.create_client(scopes.USERS_READ, scopes.ACCOUNT_READ))
    grant = {"grant_type": "client_credentials"}

    # then
    less = reader.post(TOKEN, data={**grant, "scope": "users:read"}).json()
    assert less["scope"] == "users:read"
    assert portal.bearer(less["access_token"]).get("/v1/users").status_code == 200
    assert portal.bearer(less["access_token"]).get("/v1/account").status_code == 403
    for scope in ("users:write", "users:read users:write", "*", "openid", "users:read\x00"):
        refused(reader.post(TOKEN, data={**grant, "scope": scope}), 400, "invalid_scope")


@pytest.mark.req("P01", "P04")
def test_the_token_endpoint_refuses_as_rfc_6749_says(portal: Portal, aws: AwsProxy) -> None:
    # given
    grant = {"grant_type": "client_credentials"}
    credentials = {"client_id": portal.client_id, "client_secret": portal.client_secret}
    anyone, known = portal.anonymous(), portal.api
    json_type = {"Content-Type": "application/json"}

    # when
    with aws.recording() as calls:
        answers = {
            "nothing": (anyone.post(TOKEN), 400, "invalid_request"),
            "no grant_type": (known.post(TOKEN, data={"scope": "users:read"}), 400, "invalid_request"),
            "an empty grant_type": (known.post(TOKEN, data={"grant_type": ""}), 400, "invalid_request"),
            "a grant_type that is no text": (known.post(TOKEN, json={"grant_type": 1}), 400, "invalid_request"),
            "credentials twice": (known.post(TOKEN, data={**grant, **credentials}), 400, "invalid_request"),
            "not JSON": (known.post(TOKEN, content="{", headers=json_type), 400, "invalid_request"),
            "JSON, but a list": (known.post(TOKEN, json=[1]), 400, "invalid_request"),
            "another grant": (known.post(TOKEN, data={"grant_type": "password"}), 400, "unsupported_grant_type"),
            "an odd grant": (known.post(TOKEN, data={"grant_type": "\u202e\x00"}), 400, "unsupported_grant_type"),
            "nobody": (anyone.post(TOKEN, data=grant), 401, "invalid_client"),
            "an id alone": (anyone.post(TOKEN, data={**grant, "client_id": "x"}), 401, "invalid_client"),
            "a secret alone": (anyone.post(TOKEN, data={**grant, "client_secret": "x"}), 401, "invalid_client"),
            "a wrong secret": (anyone.post(TOKEN, data={**grant, **credentials, "client_secret": "x"}), 401, None),
            "a wrong secret by Basic": (portal.basic(portal.client_id, "x").post(TOKEN, data=grant), 401, None),
            "an unknown client": (portal.basic("1-x", "x").post(TOKEN, data=grant), 401, None),
            "a bearer": (portal.bearer("x.y.z").post(TOKEN, data=grant), 401, None),
            "1 MB": (known.post(TOKEN, data={**grant, "x": "x" * 1_000_000}), 413, "invalid_request"),
            "a thousand fields": (known.post(TOKEN, content="&".join(f"f{n}=1" for n in range(1000))), 400, None),
        }

    # then
    for what, (answer, status, error) in answers.items():
        refused(answer, status, error or ("invalid_client" if status == 401 else "invalid_request"), what)
    assert not any(map(is_write, calls))


def refused(answer: httpx.Response, status: int, error: str, what: str = "") -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), (what, answer.text)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401), what


# --- what a token is ---------------------------------------------------------------------------------------------


def test_a_strangers_library_verifies_a_token_by_the_published_keys(portal: Portal) -> None:
    # given
    published = portal.anonymous().get("/.well-known/jwks.json")
    token = portal.access_token(scope="users:read")

    # then: the key set holds public keys alone
    assert published.headers["content-type"] == "application/jwk-set+json"
    assert published.headers["cache-control"] == "public, max-age=300"
    keys = published.json()["keys"]
    assert all(key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)

    # when
    read = jose.decode(token, KeySet.import_key_set(published.json()), algorithms=["ES256"])

    # then
    origin = portal.api.base_url
    claims = read.claims
    assert read.header["typ"] == "at+jwt"
    assert read.header["kid"] in {key["kid"] for key in keys}
    assert claims["iss"] == claims["aud"] == origin
    assert claims["sub"] == claims["client_id"] == portal.client_id
    assert claims["account_id"] == portal.account_id
    assert claims["scope"] == "users:read"
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["jti"] != jwt.decode(portal.access_token(), options={"verify_signature": False})["jti"]


def test_a_token_ends_with_the_secret_that_it_was_given_for(portal: Portal) -> None:
    # given: a former secret with one more minute to live
    client_id, former = portal.create_client()
    portal.api.post(f"/v1/account/clients/{client_id}/rotate", json={"overlap_minutes": 1})

    # when
    given = portal.basic(client_id, former).post(TOKEN, data={"grant_type": "client_credentials"}).json()

    # then
    assert 0 < given["expires_in"] <= 60


# --- what is no token of ours -------------------------------------------------------------------------------------


class Forger:
    """Makes tokens with the stack's own key, or with what a forger has."""

    def __init__(self, genuine: str, private_key: str, public_key: dict[str, str]) -> None:
        self.genuine = genuine
        self.header = jwt.get_unverified_header(genuine)
        self.claims = jwt.decode(genuine, options={"verify_signature": False})
        self._key = private_key
        self.public_key = public_key

    def sign(self, claims: dict[str, Any] | None = None, key: Any = None, **header: Any) -> str:
        """Sign claims, the genuine ones but for those given; None leaves a member out."""
        merged = {**self.claims, "jti": "f" * 24, **(claims or {})}
        return compact(
            {name: value for name, value in {**self.header, **header}.items() if value is not None},
            {name: value for name, value in merged.items() if value is not None},
            lambda text: _es256(text, key or self._key),
        )


@pytest.fixture
def forger(portal: Portal, stack: Stack) -> Forger:
    genuine = portal.access_token()
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SigningKeysSecret"])
    kid = jwt.get_unverified_header(genuine)["kid"]
    key = next(one for one in json.loads(secret["SecretString"])["keys"] if one["kid"] == kid)
    return Forger(genuine, key["private_key"], key["public_key"])


AT_THE_AUTHORIZER = (
    "alg none",
    "HS256 with the public PEM",
    "own key under our kid",
    "unknown kid",
    "typ JWT",
    "another audience",
    "another issuer",
    "expired",
)


def forgeries(forger: Forger) -> dict[str, str]:
    """Give tokens that must be refused, each wrong in one way."""
    now, public = int(time.time()), forger.public_key
    own = ec.generate_private_key(ec.SECP256R1())
    own_jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(own.public_key()))
    pem = jwt.PyJWK(public).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, signature = forger.genuine.split(".")
    others = _part({**forger.claims, "account_id": "12345678"})
    return {
        "alg none": compact({**forger.header, "alg": "none"}, forger.claims, lambda _: b""),
        "alg NONE": compact({**forger.header, "alg": "NoNe"}, forger.claims, lambda _: b""),
        "alg none, signature kept": f"{_part({**forger.header, 'alg': 'none'})}.{body}.{signature}",
        "HS256 with the public PEM": compact({**forger.header, "alg": "HS256"}, forger.claims, _hs256(pem)),
        "HS256 with the public JWK": compact(
            {**forger.header, "alg": "HS256"}, forger.claims, _hs256(json.dumps(public).encode())
        ),
        "HS256 with the kid": compact(
            {**forger.header, "alg": "HS256"}, forger.claims, _hs256(str(public["kid"]).encode())
        ),
        "RS256": jwt.encode(forger.claims, rsa_key, "RS256", headers={**forger.header, "alg": "RS256"}),
        "ES256 said, HS256 done": compact(forger.header, forger.claims, _hs256(pem)),
        "no alg": forger.sign(alg=None),
        "own key under our kid": forger.sign(key=own),
        "own key under its own kid": forger.sign(key=own, kid="mine"),
        "own key in the header": forger.sign(key=own, jwk=own_jwk),
        "own key by address": forger.sign(key=own, jku="https://evil.example/jwks.json", kid="mine"),
        "unknown kid": forger.sign(kid="nobody's"),
        "no kid": forger.sign(kid=None),
        "a kid that is a path": forger.sign(kid="../../etc/passwd"),
        "a kid that is a number": forger.sign(kid=1),
        "typ JWT": forger.sign(typ="JWT"),
        "typ of an embed token": forger.sign(typ="embed+jwt"),
        "no typ": forger.sign(typ=None),
        "a critical extension": forger.sign(crit=["exp"]),
        "another audience": forger.sign({"aud": "https://api.other.example"}),
        "no audience": forger.sign({"aud": None}),
        "another issuer": forger.sign({"iss": "https://api.other.example"}),
        "no issuer": forger.sign({"iss": None}),
        "no subject": forger.sign({"sub": None}),
        "no jti": forger.sign({"jti": None}),
        "no iat": forger.sign({"iat": None}),
        "no exp": forger.sign({"exp": None}),
        "expired": forger.sign({"exp": now - 1}),
        "expired this second": forger.sign({"exp": now}),
        "from the future": forger.sign({"iat": now + 60}),
        "exp as text": forger.sign({"exp": str(now + 600)}),
        "exp as a fraction": forger.sign({"exp": now + 600.5}),
        "exp true": forger.sign({"exp": True}),
        "no account": forger.sign({"account_id": None}),
        "an account that is a list": forger.sign({"account_id": [forger.claims["account_id"]]}),
        "no scope": forger.sign({"scope": None}),
        "a scope that is a list": forger.sign({"scope": ["users:read"]}),
        "another account under the old signature": f"{head}.{others}.{signature}",
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "a signature of zeros": f"{head}.{body}.{_encoded(bytes(64))}",
        "two parts": f"{head}.{body}",
        "four parts": f"{forger.genuine}.x",
        "not base64": f"{head}.!{body}.{signature}",
        "too long": forger.sign({"filler": "x" * 5_000}),
        "claims that are a list": compact(forger.header, [1], lambda text: _es256(text, own)),
    }


@pytest.mark.req("P01")
def test_forged_and_expired_tokens_are_refused_alike(portal: Portal, forger: Forger, aws: AwsProxy) -> None:
    # given: what the forger signs is good, as long as nothing is wrong with it
    issue = f"/securevideo/login/{portal.create_user()['id']}"
    assert portal.bearer(forger.sign()).post(issue).status_code == 201
    assert portal.bearer(forger.sign()).get("/v1/account").status_code == 200
    tokens = forgeries(forger)

    # when: every one at a door that judges by itself, and some at the authorizer, whose judge is the same
    # (after each of its refusals the emulator starts a new process)
    with aws.recording() as calls:
        at_dialect = {what: portal.bearer(token).post(issue) for what, token in tokens.items()}
        at_native = [portal.bearer(tokens[what]).get("/v1/account") for what in AT_THE_AUTHORIZER]

    # then
    assert {what: answer.status_code for what, answer in at_dialect.items()} == dict.fromkeys(tokens, 401)
    assert {answer.text for answer in at_dialect.values()} == {
        '{"Message": "Authorization has been denied for this request."}'
    }
    for answer in at_native:
        assert_problem(answer, 401, "invalid_credentials")
    assert not any(map(is_write, calls))


def test_a_yes_that_is_remembered_ends_with_the_token(portal: Portal, forger: Forger) -> None:
    # given: a token that a slow machine answers in time; the authorizer's yes outlives it
    for seconds in (2, 8, 32):
        end = int(time.time()) + seconds
        caller = portal.bearer(forger.sign({"exp": end}))
        if caller.get("/v1/account").status_code == 200:
            break
    else:
        pytest.fail("no token was good for as long as an answer takes")

    # when
    asked = time.time()
    while caller.get("/v1/account").status_code == 200:
        assert asked < end + 1, "the token still counts a second after its end"
        time.sleep(0.2)
        asked = time.time()

    # then
    assert_problem(caller.get("/v1/account"), 401, "invalid_credentials")


def compact(header: dict[str, Any], claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """Give a JWS in its compact form, however wrong."""
    text = f"{_part(header)}.{_part(claims)}"
    return f"{text}.{_encoded(sign(text.encode()))}"


def _part(value: Any) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _es256(text: bytes, key: Any) -> bytes:
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    private: Any = algorithm.prepare_key(key)
    return algorithm.sign(text, private)


def _hs256(key: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()
