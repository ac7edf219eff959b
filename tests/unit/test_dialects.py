"""What vendors' clients send, read patiently, and what is told them in XML and in time zones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.dom.minidom import parseString

import pytest

from vestibule.dialects import windows_zones
from vestibule.dialects.onsync import zones
from vestibule.dialects.reading import Members, form_object, json_object, leading_json_object
from vestibule.dialects.xml import xml
from vestibule.domain.rules import RuleError
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.req("D01", "D03")

WINTER, SUMMER = datetime(2199, 1, 15, tzinfo=UTC), datetime(2199, 7, 15, tzinfo=UTC)


def refused(read: Callable[[], object]) -> str:
    """Give the words of the 400 that reading ends with."""
    with pytest.raises(RequestError) as raised:
        read()
    assert raised.value.status == 400
    return raised.value.detail


# --- members ---


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (" x ", "x"), (5, "5"), (5.0, "5"), (0, "0"), ("", None), (None, None), ("  ", None), (True, "True")],
)
def test_a_text(value: Any, text: str | None) -> None:
    assert Members({"Name": value}).text("nAME") == text


@pytest.mark.parametrize("value", [[], ["x"], {}, 1.5, float("nan"), float("inf")])
def test_what_is_no_text(value: Any) -> None:
    assert refused(lambda: Members({"name": value}).text("Name")) == "Name must be a text."


def test_a_password_is_taken_to_the_letter() -> None:
    assert Members({"password": " a b "}).verbatim("password") == " a b "


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (" -5 ", -5), ("5.0", 5), (5.0, 5), ("", None), (None, None), ("1" * 15, int("1" * 15))],
)
def test_a_number(value: Any, number: int | None) -> None:
    assert Members({"n": value}).number("n") == number


@pytest.mark.parametrize("value", ["five", "5.5", 5.5, "1e3", "\u0665", "--5", "1" * 16, [5], True, float("nan")])
def test_what_is_no_whole_number(value: Any) -> None:
    assert refused(lambda: Members({"n": value}).number("n")) == "n must be a whole number."


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (1, True), ("1", True), ("TRUE", True), ("yes", True), ("on", True), (1.0, True),
     (False, False), (0, False), ("0", False), ("false", False), ("no", False), ("off", False),
     ("", False), (None, False)],
)  # fmt: skip
def test_a_truth_value(value: Any, flag: bool) -> None:  # noqa: FBT001 - the value is what is tested
    assert Members({"flag": value}).flag("flag") is flag


def test_a_truth_value_that_is_not_set_is_the_default() -> None:
    assert Members({}).flag("flag", default=True) is True


@pytest.mark.parametrize("value", ["maybe", 2, [], 0.5])
def test_what_is_no_truth_value(value: Any) -> None:
    assert refused(lambda: Members({"flag": value}).flag("flag")) == "flag must be true or false."


@pytest.mark.parametrize("value", [[{"a": 1}], {"0": {"a": 1}}])
def test_a_list_of_objects(value: Any) -> None:
    (one,) = Members({"people": value}).objects("people")
    assert one.number("A") == 1


@pytest.mark.parametrize("value", [None, "", [], {}, 0, False])
def test_an_empty_list(value: Any) -> None:
    members = Members({"people": value})
    assert members.objects("people") == []
    assert members.is_set("People") is (value not in (None, ""))
    assert "PEOPLE" in members
    assert "others" not in members


@pytest.mark.parametrize("value", [5, "x", [5], [[]], {"a": 5}])
def test_what_is_no_list_of_objects(value: Any) -> None:
    assert refused(lambda: Members({"people": value}).objects("people")) == "people must be a list of objects."


# --- bodies ---

UNREADABLE = "The body cannot be read."


@pytest.mark.parametrize("text", ["", " \r\n", b"", "{}", b"\xef\xbb\xbf{}"])
def test_an_empty_object(text: str | bytes) -> None:
    assert json_object(text) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_in_any_of_its_encodings(encoding: str) -> None:
    assert json_object('{"name": "Zoë 🙂"}'.encode(encoding)) == {"name": "Zoë 🙂"}


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "text",
    ["{", "[]", "5", "null", '"x"', b"\xff", "[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5_000 + "}",
     r'{"a": "\ud83d"}', r'{"a": [{"\udc00": 1}]}', b'{"a": "\xed\xa0\xbd"}'],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_no_json_object(text: str | bytes) -> None:
    """Half a character (a lone surrogate) is none: no table and no answer could hold it."""
    assert refused(lambda: json_object(text)) == UNREADABLE
    if isinstance(text, str):
        assert refused(lambda: leading_json_object(text)) == UNREADABLE


def test_what_stands_behind_an_object_is_passed_over() -> None:
    assert leading_json_object(' {"a": "}&b=1"}&input_type=json') == {"a": "}&b=1"}


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", {}),
        ("a=1&b=&a=2", {"a": "2", "b": ""}),
        ("a=%C3%A9+%26", {"a": "é &"}),
        ("a=100%", {"a": "100%"}),
        ("p[0][email]=x&p[0][role]=1&p[1][email]=y", {"p": {"0": {"email": "x", "role": "1"}, "1": {"email": "y"}}}),
        ("p%5B0%5D%5Bemail%5D=x", {"p": {"0": {"email": "x"}}}),
        ("p[]=x&p[]=y", {"p": {"0": "x", "1": "y"}}),
        ("[]=x", {"": "x"}),
    ],
)
def test_the_fields_of_a_form(text: str, document: dict[str, Any]) -> None:
    assert form_object(text) == document


def test_a_form_nests_no_deeper_than_any_client_does() -> None:
    document = form_object("a" + "[b]" * 10_000 + "=1")
    assert json.dumps(document).count("{") <= 6


@pytest.mark.req("P04")
@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a=%FF", "a=%ED%A0%80", "&".join(["a=1"] * 10_001)], ids=len)
def test_what_is_no_form(text: str) -> None:
    assert refused(lambda: form_object(text)) == UNREADABLE


# --- XML ---


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"id": 5, "message": "Session added"}, "<xml><id>5</id><message>Session added</message></xml>"),
        ({"status": False, "error": "a < b & c"}, "<xml><status>0</status><error>a &lt; b &amp; c</error></xml>"),
        ({"a": [], "b": None, "c": "", "d": {}}, "<xml><a/><b/><c/><d/></xml>"),
        ({"a": [{"b": 1}, {"b": 2}]}, "<xml><a><item><b>1</b></item><item><b>2</b></item></a></xml>"),
        ({"a": "]]>"}, "<xml><a>]]&gt;</a></xml>"),
        ({"a": "\x00x\x0b\ufffe\ud83dy"}, "<xml><a>xy</a></xml>"),
        ({}, "<xml/>"),
    ],
)  # fmt: skip
def test_xml(value: Any, written: str) -> None:
    assert xml(value) == written
    assert parseString(written.encode())  # noqa: S318 - our own text


# --- time zones ---


@pytest.mark.req("S07")
@pytest.mark.parametrize("code", zones.CODES)
def test_every_code_is_a_distance_that_comes_back(code: str) -> None:
    zone = zones.zone_of(code.lower())

    assert zones.code_of(WINTER.astimezone(zone)) == zones.code_of(SUMMER.astimezone(zone)) == code


@pytest.mark.req("S07")
@pytest.mark.parametrize("code", zones.CODES)
@pytest.mark.parametrize("moment", [WINTER, SUMMER])
def test_the_zone_that_is_kept_shows_the_same_clock_or_utc(code: str, moment: datetime) -> None:
    local = moment.astimezone(zones.zone_of(code))

    kept = local.astimezone(zones.zone_of(zones.name_of(zones.zone_of(code), local))).utcoffset()

    is_whole_hours = not (local.utcoffset() or timedelta()) % timedelta(hours=1)
    assert kept == local.utcoffset() or (kept == timedelta() and not is_whole_hours)


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("UTC", "Etc/UTC"),
    ],
)
def test_windows_zones(windows: str, iana: str) -> None:
    assert windows_zones.iana_of(windows) == iana
    assert windows_zones.name_of(iana) == windows


def test_zones_that_windows_does_not_know() -> None:
    assert [windows_zones.name_of(zone) for zone in (None, "", "Mars/Olympus")] == ["", "", ""]
    for name in ("Europe/Berlin", ""):
        with pytest.raises(RuleError):
            windows_zones.iana_of(name)
