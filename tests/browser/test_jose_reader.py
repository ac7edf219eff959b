"""Embed tokens read by somebody else's program: jose, in a page of Chromium, with the keys that the API publishes.

The invariant: a token can be checked by nothing but the published keys, and one with any fault fails there too.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tools import npm
from vestibule.domain.embeds import audience_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Route

    from tests.support.portal import Portal

LIBRARY = npm.PACKAGES["jose"].folder / "dist" / "webapi"

READ = """async ([token, keys, expected]) => {
  const { createRemoteJWKSet, jwtVerify } = await import("/jose/index.js");
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(keys)), expected);
    return { claims: payload, header: protectedHeader };
  } catch (error) {
    return { refused: error.code || String(error) };
  }
}"""


@pytest.fixture
def reads(browser: Browser, portal: Portal) -> Generator[Callable[..., Any]]:
    """A function that reads a token with jose, and expects what it is told of it."""
    if not LIBRARY.exists():
        pytest.fail(npm.HOW_TO_GET_THEM)
    context = browser.new_context()
    page = context.new_page()

    keys = f"{portal.api.base_url}/.well-known/jwks.json"

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/jose/")[2]
        route.fulfill(content_type="text/javascript", body=(LIBRARY / name).read_text())

    # The API's own origin, so that the page may ask it from a loopback address; jose comes from the disk.
    context.route("**/jose/**", answer)
    page.goto(keys)
    expected = {"issuer": portal.api.base_url, "audience": audience_of(portal.account_id), "typ": "embed+jwt"}

    def read(token: str, **otherwise: str) -> Any:
        return page.evaluate(READ, [token, keys, expected | otherwise])

    yield read
    context.close()


@pytest.fixture
def token(portal: Portal) -> str:
    host = portal.create_user(full_name="Dr. Mia Lindqvist")
    session = portal.api.post("/v1/sessions", json={"title": "Lecture", "host": {"user_id": host["id"]}}).json()
    made = portal.api.post(f"/v1/sessions/{session['id']}/embeds", json={"user_id": "mrn-7", "user_name": "Zoë"})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def with_header(token: str, **changed: str) -> str:
    head, _, rest = token.partition(".")
    header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))) | changed
    return f"{urlsafe_b64encode(json.dumps(header).encode()).rstrip(b'=').decode()}.{rest}"


@pytest.mark.req("E01")
def test_another_program_accepts_a_token_by_the_published_keys(reads: Callable[..., Any], token: str) -> None:
    # when
    read = reads(token)

    # then
    assert "refused" not in read, read
    assert (read["claims"]["sub"], read["claims"]["name"]) == ("mrn-7", "Zoë")
    assert (read["header"]["alg"], read["header"]["typ"]) == ("ES256", "embed+jwt")


@pytest.mark.req("E01")
def test_it_refuses_a_token_with_a_fault(reads: Callable[..., Any], token: str) -> None:
    claim, signature, header = "ERR_JWT_CLAIM_VALIDATION_FAILED", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "ERR_JWS"
    body, _, mac = token.rpartition(".")
    assert reads(token, issuer="https://evil.example")["refused"] == claim
    assert reads(token, audience=audience_of("10000000"))["refused"] == claim
    assert reads(token, typ="at+jwt")["refused"] == claim
    assert reads(f"{body}.{'A' * len(mac)}")["refused"] == signature
    assert reads(with_header(token, typ="embed+jwt", jku="https://evil.example"))["refused"] == signature
    assert reads(with_header(token, kid="unknown"))["refused"] == "ERR_JWKS_NO_MATCHING_KEY"
    for algorithm in ("HS256", "RS256", "none"):
        assert reads(with_header(token, alg=algorithm))["refused"].startswith(("ERR_JOSE", header, "ERR_JWKS"))
