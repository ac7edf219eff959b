"""What texts and numbers from outside must look like."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.domain import rules
from vestibule.domain.rules import Checks, RuleError
from vestibule.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable

LINE_BREAKERS = "\n\r\x00\x07\x1b\x7f\x85\u2028\u2029"
DIRECTION_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@pytest.mark.parametrize(
    ("rule", "value", "clean"),
    [
        (rules.name, "Ada Lovelace", "Ada Lovelace"),
        (rules.name, "  Ada \t", "Ada"),
        (rules.name, "\ufeffAda\ufeff", "Ada"),  # pasted from the beginning of a file
        (rules.name, "Zoe\u0308", "Zo\u00eb"),  # NFC: one letter, not a letter and a mark
        (rules.name, "李小龍", "李小龍"),
        (rules.name, "مريم", "مريم"),
        (rules.name, "क्‍ष", "क्‍ष"),  # a zero-width joiner belongs to the script
        (rules.name, "👩‍⚕️ Dr. Ng", "👩‍⚕️ Dr. Ng"),
        (rules.name, "O'Brien <b>", "O'Brien <b>"),  # escaped where it is shown, not forbidden here
        (rules.name, "x" * 200, "x" * 200),
        (rules.external_id, "X-17/a b", "X-17/a b"),
        (rules.external_id, "x" * 256, "x" * 256),
        (rules.email, "Ada@Example.org", "Ada@Example.org"),
        (rules.email, " ada@example.org ", "ada@example.org"),
        (rules.email, "jos\u00e9@b\u00fccher.example", "jos\u00e9@b\u00fccher.example"),
        (rules.email, "a+b.c_d@sub.example.co.uk", "a+b.c_d@sub.example.co.uk"),
        (rules.time_zone, "Europe/Berlin", "Europe/Berlin"),
        (rules.time_zone, "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        (rules.time_zone, "UTC", "UTC"),
        (rules.locale, "en", "en"),
        (rules.locale, "de-CH", "de-CH"),
        (rules.locale, "zh-Hant-TW", "zh-Hant-TW"),
        (rules.username, "ada", "ada"),
        (rules.username, "Ada.Lovelace+1@example.org", "Ada.Lovelace+1@example.org"),
        (rules.password, "x" * 8, "x" * 8),
        (rules.password, " pass phrase with blanks " + "y" * 103, " pass phrase with blanks " + "y" * 103),
        (rules.password, "\U0001f510" * 8, "\U0001f510" * 8),
        (rules.slug, "abc", "abc"),
        (rules.slug, "north-side-9", "north-side-9"),
        (rules.slug, "a" * 63, "a" * 63),
        (rules.color, "#0F5C8c", "#0f5c8c"),
        (rules.web_address, "https://portal.example", "https://portal.example"),
        (rules.web_address, "https://portal.example:8443/a/b?c=d#e", "https://portal.example:8443/a/b?c=d#e"),
        (rules.web_address, "http://localhost:3000/", "http://localhost:3000/"),
        (rules.web_address, "http://app.localhost/", "http://app.localhost/"),
        (rules.web_address, "http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        (rules.web_address, "https://10.1.2.3/logo.png", "https://10.1.2.3/logo.png"),
        (rules.web_address, "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ],
)
@pytest.mark.req("P04")
def test_what_is_accepted_comes_back_clean(rule: Callable[[str], str], value: str, clean: str) -> None:
    assert rule(value) == clean


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        (rules.name, "", "invalid_length"),
        (rules.name, "   ", "invalid_length"),
        (rules.name, "\ufeff", "invalid_length"),
        (rules.name, "x" * 201, "invalid_length"),
        *((rules.name, f"Ada{character}Lovelace", "invalid_character") for character in LINE_BREAKERS),
        *((rules.name, f"Ada{character}Lovelace", "invalid_character") for character in DIRECTION_OVERRIDES),
        (rules.name, "Ada\ud800", "invalid_character"),  # half of a surrogate pair
        (rules.name, "Ada\ue000", "invalid_character"),  # private use
        (rules.name, "Ada\uffff", "invalid_character"),  # no character
        (rules.name, "Zo\ufffd", "invalid_character"),  # what is left of Latin-1 that was read as UTF-8
        (rules.external_id, "", "invalid_length"),
        (rules.external_id, "x" * 257, "invalid_length"),
        (rules.external_id, "a\x00b", "invalid_character"),
        (rules.email, "", "invalid_length"),
        (rules.email, "ada", "invalid_email"),
        (rules.email, "ada@localhost", "invalid_email"),
        (rules.email, "ada@@example.org", "invalid_email"),
        (rules.email, "a b@example.org", "invalid_email"),
        (rules.email, "ada@example.org,eve@example.org", "invalid_email"),
        (rules.email, "Ada <ada@example.org>", "invalid_email"),
        (rules.email, "ada@example.org\r\nBcc: eve@example.org", "invalid_character"),
        (rules.email, "x" * 65 + "@example.org", "invalid_email"),
        (rules.email, "a@" + "b" * 251 + ".c", "invalid_length"),
        (rules.time_zone, "", "unknown_time_zone"),
        (rules.time_zone, "Mars/Olympus", "unknown_time_zone"),
        (rules.time_zone, "localtime", "unknown_time_zone"),
        (rules.time_zone, "Factory", "unknown_time_zone"),
        (rules.time_zone, "../../etc/passwd", "unknown_time_zone"),
        (rules.time_zone, "Pacific Standard Time", "unknown_time_zone"),
        (rules.locale, "", "invalid_locale"),
        (rules.locale, "e", "invalid_locale"),
        (rules.locale, "de_CH", "invalid_locale"),
        (rules.locale, "en\n", "invalid_locale"),
        (rules.username, "ab", "invalid_username"),
        (rules.username, "x" * 129, "invalid_username"),
        (rules.username, "a b c", "invalid_username"),
        (rules.username, "аdmin", "invalid_username"),  # noqa: RUF001 - a Cyrillic look-alike is the point
        (rules.password, "x" * 7, "invalid_length"),
        (rules.password, "x" * 129, "invalid_length"),
        (rules.slug, "ab", "invalid_slug"),
        (rules.slug, "a" * 64, "invalid_slug"),
        (rules.slug, "-abc", "invalid_slug"),
        (rules.slug, "abc-", "invalid_slug"),
        (rules.slug, "xn--abc", "invalid_slug"),
        (rules.slug, "Abc", "invalid_slug"),
        (rules.slug, "a.b", "invalid_slug"),
        (rules.slug, "abc\n", "invalid_slug"),
        (rules.color, "red", "invalid_color"),
        (rules.color, "#fff", "invalid_color"),
        (rules.color, "#0f5c8c;background:url(//evil)", "invalid_color"),
        (rules.color, "#0f5c8c\n", "invalid_color"),
        (rules.web_address, "", "invalid_url"),
        (rules.web_address, "portal.example", "invalid_url"),
        (rules.web_address, "//portal.example", "invalid_url"),
        (rules.web_address, "http://portal.example", "invalid_url"),
        (rules.web_address, "ftp://portal.example", "invalid_url"),
        (rules.web_address, "javascript:alert(1)", "invalid_url"),
        (rules.web_address, "data:text/html,x", "invalid_url"),
        (rules.web_address, "https:portal.example", "invalid_url"),
        (rules.web_address, "https:/portal.example", "invalid_url"),
        (rules.web_address, "https:///portal.example", "invalid_url"),
        (rules.web_address, "https://portal.example@evil.example", "invalid_url"),
        (rules.web_address, "https://:pw@portal.example", "invalid_url"),
        (rules.web_address, "https://portal.example\\@evil.example", "invalid_url"),
        (rules.web_address, "https://portal.example\r\nLocation: https://evil.example", "invalid_url"),
        (rules.web_address, "https://portal.example/\x00", "invalid_url"),
        (rules.web_address, " https://portal.example", "invalid_url"),
        (rules.web_address, "https://portal。example", "invalid_url"),
        (rules.web_address, "https://b\u00fccher.example", "invalid_url"),
        (rules.web_address, "https://%70ortal.example", "invalid_url"),
        (rules.web_address, "https://portal.example;evil.example", "invalid_url"),
        (rules.web_address, "https://.portal.example", "invalid_url"),
        (rules.web_address, "https://[::1]/", "invalid_url"),
        (rules.web_address, "https://[::1", "invalid_url"),
        (rules.web_address, "https://portal.example:99999/", "invalid_url"),
        (rules.web_address, "https://portal.example:eighty/", "invalid_url"),
        # What a browser reads as an IP address, whatever it looks like (WHATWG URL, "ends in a number").
        (rules.web_address, "https://2130706433/", "invalid_url"),
        (rules.web_address, "https://0x7f.1/", "invalid_url"),
        (rules.web_address, "https://0177.0.0.1/", "invalid_url"),
        (rules.web_address, "https://127.1/", "invalid_url"),
        (rules.web_address, "https://portal.example/" + "x" * 2_048, "invalid_url"),
    ],
)
@pytest.mark.req("P04", "L07")
def test_what_is_refused_says_why(rule: Callable[[str], str], value: str, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        rule(value)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")


@given(st.text())
@pytest.mark.req("P04")
def test_a_clean_text_is_one_line_and_stays_as_it_is(value: str) -> None:
    try:
        clean = rules.text(value, most=20)
    except RuleError:
        return

    assert 1 <= len(clean) <= 20
    assert clean == clean.strip() == unicodedata.normalize("NFC", clean)
    assert len(clean.splitlines()) == 1
    assert not {unicodedata.category(c) for c in clean} & {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert clean.encode()
    assert rules.text(clean, most=20) == clean


@given(st.text(alphabet=LINE_BREAKERS + DIRECTION_OVERRIDES + "ab ", min_size=1, max_size=8))
@pytest.mark.req("P04")
def test_no_place_in_a_text_hides_a_forbidden_character(value: str) -> None:
    inner = f"a{value}b"
    if set(inner) <= set("ab "):
        assert rules.text(inner, most=20) == inner
    else:
        with pytest.raises(RuleError):
            rules.text(inner, most=20)


def test_every_broken_rule_is_reported_at_once() -> None:
    # given
    checks = Checks()

    # when
    checks.apply("full_name", rules.name, "")
    checks.apply("email", rules.email, "ada@example.org")
    checks.apply("time_zone", rules.time_zone, "Mars/Olympus")
    with pytest.raises(InvalidError) as refused:
        checks.finish()

    # then
    assert [(e.field, e.code) for e in refused.value.errors] == [
        ("full_name", "invalid_length"),
        ("time_zone", "unknown_time_zone"),
    ]
    assert refused.value.errors[1].detail == "time_zone: must be an IANA time zone, such as Europe/Berlin."


def test_nothing_is_reported_when_every_rule_holds() -> None:
    checks = Checks()
    assert checks.apply("full_name", rules.name, " Ada ") == "Ada"
    checks.finish()
