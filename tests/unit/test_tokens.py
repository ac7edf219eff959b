"""Tokens: made in one way, and refused for every other (RFC 7519, RFC 8725)."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as jose_jwk
from joserfc import jwt as jose_jwt

from tests.support.house import START
from vestibule import tokens
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.errors import UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.model import SigningKey

KIND = tokens.Kind(typ="at+jwt", issuer="https://api.vestibule.example", audience="https://api.vestibule.example")
NOW = START // SECOND
KEY = tokens.new_key(published_at=START, signs_from=START)
OTHER_KEY = tokens.new_key(published_at=START, signs_from=START)
RING = {KEY.kid: KEY, OTHER_KEY.kid: OTHER_KEY}
CLAIMS = {
    "iss": KIND.issuer,
    "aud": KIND.audience,
    "sub": "10000000-abc",
    "iat": NOW,
    "exp": NOW + 900,
    "jti": "0102",
    "scope": "users:read",
}
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def made(*, key: SigningKey = KEY, drop: str | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Sign whatever is wanted, with nobody's rules in the way."""
    payload = {name: value for name, value in (CLAIMS | claims).items() if name != drop}
    head = {name: value for name, value in (HEADER | (header or {})).items() if value is not ...}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}"
    private = serialization.load_pem_private_key((key.private_key or "").encode(), None)
    signature = jwt.get_algorithm_by_name("ES256").sign(signed.encode(), private)
    return f"{signed}.{b64(signature)}"


def verify(token: str, now: int = START) -> dict[str, Any]:
    return tokens.verify(KIND, token, RING.get, now=now)


def sign(lifetime: int = 15 * MINUTE) -> str:
    return tokens.sign(
        KIND, KEY, subject="c-1", token_id="t-1", now=START, lifetime=lifetime, claims={"scope": "users:read"}
    )


def test_a_token_comes_back_with_every_claim() -> None:
    claims = verify(sign())
    assert claims == {
        "iss": KIND.issuer,
        "aud": KIND.audience,
        "sub": "c-1",
        "iat": NOW,
        "exp": NOW + 900,
        "jti": "t-1",
        "scope": "users:read",
    }
    assert jwt.get_unverified_header(sign()) == {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}


def test_further_claims_cannot_replace_the_tokens_own() -> None:
    forged = {"iss": "x", "aud": "x", "sub": "x", "iat": 0, "exp": 2**40, "jti": "x"}
    token = tokens.sign(KIND, KEY, subject="c-1", token_id="t-1", now=START, lifetime=HOUR, claims=forged)
    assert verify(token)["exp"] == NOW + 3_600
    assert verify(token)["sub"] == "c-1"


def test_another_library_reads_our_tokens_and_we_read_its() -> None:
    # given
    public = jose_jwk.import_key(dict(KEY.public_key))
    private = jose_jwk.import_key((KEY.private_key or "").encode(), "EC")

    # when: ours, by joserfc
    read = jose_jwt.decode(sign(), public, algorithms=["ES256"])
    # then
    assert read.header == HEADER
    assert read.claims["sub"] == "c-1"

    # when: joserfc's, by ours
    claims = verify(jose_jwt.encode(HEADER, CLAIMS, private))
    # then
    assert claims == CLAIMS


def test_a_new_key_is_named_by_its_thumbprint_and_published_without_its_secret() -> None:
    public = jose_jwk.import_key(dict(KEY.public_key))
    assert public.thumbprint() == KEY.kid == KEY.public_key["kid"]
    assert set(KEY.public_key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (KEY.public_key["alg"], KEY.public_key["use"], KEY.public_key["crv"]) == ("ES256", "sig", "P-256")
    assert KEY.kid != OTHER_KEY.kid


@pytest.mark.parametrize(
    ("now", "is_accepted"),
    [
        (START, True),
        (NOW * SECOND, True),
        ((NOW + 900) * SECOND - 1, True),
        ((NOW + 900) * SECOND, False),
        ((NOW + 900) * SECOND + 1, False),
    ],
)
def test_a_token_ends_at_its_exp_and_not_a_moment_later(now: int, is_accepted: bool) -> None:  # noqa: FBT001
    if is_accepted:
        assert verify(made(), now)
    else:
        with pytest.raises(UnauthenticatedError):
            verify(made(), now)


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    assert verify(made(iat=NOW + 5))
    with pytest.raises(UnauthenticatedError):
        verify(made(iat=NOW + 7))


def _hmac_with(secret: bytes, alg: str = "HS256") -> str:
    signed = f"{b64(json.dumps(HEADER | {'alg': alg}).encode())}.{b64(json.dumps(CLAIMS).encode())}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _public_pem() -> bytes:
    private = serialization.load_pem_private_key((KEY.private_key or "").encode(), None)
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _unsigned(alg: str, signature: str = "") -> str:
    return f"{b64(json.dumps(HEADER | {'alg': alg}).encode())}.{b64(json.dumps(CLAIMS).encode())}.{signature}"


def _of_rsa() -> str:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return jwt.encode(CLAIMS, private, algorithm="RS256", headers=HEADER | {"alg": "RS256"})


def _of_p384() -> str:
    return jwt.encode(
        CLAIMS, ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", headers=HEADER | {"alg": "ES384"}
    )


def _with_own_key(member: str) -> str:
    brought = OTHER_KEY.public_key if member == "jwk" else "https://evil.example/jwks.json"
    return made(key=OTHER_KEY, header={member: dict(brought) if isinstance(brought, dict) else brought})


def _parts(order: Callable[[list[str]], list[str]]) -> str:
    return ".".join(order(made().split(".")))


FORGERIES: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "dots": lambda: "..",
    "words": lambda: "not.a.token",
    "two parts": lambda: _parts(lambda p: p[:2]),
    "four parts": lambda: _parts(lambda p: [*p, "x"]),
    "five parts, as of a JWE": lambda: _parts(lambda p: [*p, "x", "y"]),
    "no signature": lambda: _parts(lambda p: [*p[:2], ""]),
    "parts in another order": lambda: _parts(lambda p: [p[1], p[0], p[2]]),
    "signature of another token": lambda: ".".join([*made().split(".")[:2], made(jti="2").split(".")[2]]),
    "payload of another token": lambda: ".".join(
        [made().split(".")[0], made(sub="x").split(".")[1], made().split(".")[2]]
    ),
    "header that is no object": lambda: b64(b"[]") + ".e30.x",
    "header that is no JSON": lambda: b64(b"{") + ".e30.x",
    "payload that is no object": lambda: _parts(lambda p: [p[0], b64(b"[]"), p[2]]),
    "a deep header": lambda: b64(b"[" * 1_400 + b"]" * 1_400) + ".e30.x",
    "unicode": lambda: made() + "\u00e9",
    "a line break inside": lambda: made()[:20] + "\n" + made()[20:],
    "longer than any of ours": lambda: made(scope="x" * 4_096),
    "huge": lambda: "a" * 5_000_000,
    "alg none": lambda: _unsigned("none"),
    "alg None": lambda: _unsigned("None", "x"),
    "alg nOnE with our signature": lambda: ".".join([_unsigned("nOnE").split(".")[0], *made().split(".")[1:]]),
    "HS256 with the public key's PEM": lambda: _hmac_with(_public_pem()),
    "HS256 with the public key's JWK": lambda: _hmac_with(json.dumps(dict(KEY.public_key)).encode()),
    "HS256 with the public x": lambda: _hmac_with(urlsafe_b64decode(KEY.public_key["x"] + "=")),
    "HS256 with nothing": lambda: _hmac_with(b""),
    "ES256 in the header, HMAC inside": lambda: _hmac_with(_public_pem(), "ES256"),
    "RS256": _of_rsa,
    "ES384": _of_p384,
    "another key, our kid": lambda: made(key=OTHER_KEY),
    "our key, another kid": lambda: made(header={"kid": OTHER_KEY.kid}),
    "unknown kid": lambda: made(header={"kid": "unknown"}),
    "no kid": lambda: made(header={"kid": ...}),
    "empty kid": lambda: made(header={"kid": ""}),
    "kid that is a path": lambda: made(header={"kid": "../../dev/null"}),
    "kid that is no text": lambda: made(header={"kid": [KEY.kid]}),
    "a key brought along": lambda: _with_own_key("jwk"),
    "a key's address brought along": lambda: _with_own_key("jku"),
    "another certificate": lambda: _with_own_key("x5u"),
    "typ JWT": lambda: made(header={"typ": "JWT"}),
    "typ of another kind": lambda: made(header={"typ": "embed+jwt"}),
    "no typ": lambda: made(header={"typ": ...}),
    "an extension that must be understood": lambda: made(header={"crit": ["exp2"], "exp2": 1}),
    "another issuer": lambda: made(iss="https://api.evil.example"),
    "an issuer that begins like ours": lambda: made(iss=KIND.issuer + ".evil.example"),
    "another audience": lambda: made(aud="https://api.evil.example"),
    "a list of other audiences": lambda: made(aud=["https://api.evil.example", "x"]),
    "an empty audience": lambda: made(aud=""),
    "expired": lambda: made(iat=NOW - 900, exp=NOW),
    "exp as text": lambda: made(exp=str(NOW + 900)),
    "exp as a fraction": lambda: made(exp=NOW + 900.5),
    "exp as true": lambda: made(exp=True),
    "exp null": lambda: made(exp=None),
    "exp negative": lambda: made(exp=-1),
    "iat in the future": lambda: made(iat=NOW + 60),
    "iat as text": lambda: made(iat=str(NOW)),
    "sub as a number": lambda: made(sub=7),
    "jti as a number": lambda: made(jti=7),
    **{f"no {name}": partial(made, drop=name) for name in ("iss", "aud", "sub", "iat", "exp", "jti")},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_every_other_token_is_refused(forgery: Callable[[], str]) -> None:
    with pytest.raises(UnauthenticatedError):
        verify(forgery())


def test_the_forgeries_fail_for_their_own_reason_alone() -> None:
    # The same hand makes good ones.
    assert verify(made()) == CLAIMS
    assert verify(made(aud=["x", KIND.audience]))


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    # given: the last character of a part may hold bits that nobody reads
    token = sign()
    ends = {index - 1 for index, character in enumerate(token + ".") if character == "."}
    index = data.draw(st.sampled_from([i for i in range(len(token)) if i not in ends]))
    other = data.draw(st.sampled_from("ABCabc019-_.=+ ").filter(lambda c: c != token[index]))

    # when, then
    with pytest.raises(UnauthenticatedError):
        verify(token[:index] + other + token[index + 1 :])


def test_keys_that_cannot_be_read_are_no_refusal() -> None:
    def unreadable(_: str) -> SigningKey | None:
        raise UnavailableError("dynamodb")

    with pytest.raises(UnavailableError):
        tokens.verify(KIND, made(), unreadable, now=START)


def test_a_key_is_looked_for_only_when_the_header_is_ours() -> None:
    asked: list[str] = []

    def ask(kid: str) -> SigningKey | None:
        asked.append(kid)
        return KEY

    for header in ({"alg": "HS256"}, {"typ": "JWT"}, {"kid": ""}):
        with pytest.raises(UnauthenticatedError):
            tokens.verify(KIND, made(header=header), ask, now=START)
    assert asked == []
