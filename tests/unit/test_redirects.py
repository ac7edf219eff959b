"""Where a browser may be sent: by the account's list, and by every browser's reading of an address."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vestibule.domain.redirects import allowed_target, hub_path, is_allowed
from vestibule.domain.rules import RuleError

ENTRIES = (
    "https://portal.example",
    "https://apps.example:8443/clinic/",
    "https://xn--bcher-kva.example/a",
    "http://localhost:3000",
)
DEFAULT_PORTS = {"https": "443", "http": "80"}
HUB = "https://clinic.hub.vestibule.example"


def browsers_reading(address: str, base: str | None = None) -> tuple[str, str] | None:
    """Return origin and path as a browser's parser reads them (WHATWG URL), None when it refuses.

    Only what matters for http and https: blanks and line breaks that vanish, any number and kind of slashes,
    backslashes as slashes, user names, percent-encoded hosts, ideographic dots, ports, dot segments.
    """
    text = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(0x21)))))
    found = re.match(r"(?i)(https?):[/\\]*", text)
    if found is None:
        if base is None or re.match(r"(?i)[a-z][a-z0-9+.-]*:", text):
            return None
        if re.match(r"[/\\]{2}", text):
            return browsers_reading(f"{base.partition(':')[0]}:{text}")
        return base, _without_dots(re.split(r"[?#]", text)[0])
    scheme, rest = found[1].lower(), text[found.end() :]
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    path = re.split(r"[?#]", rest[len(authority) :], maxsplit=1)[0]
    host, _, port = authority.rpartition("@")[2].partition(":")
    host = re.sub("[\u3002\uff0e\uff61]", ".", unquote(host)).lower()
    if not host or re.search(r"[\x00-\x20#/:<>?@\[\\\]^|%\x7f]", host) or not re.fullmatch(r"[0-9]{0,5}", port):
        return None
    shown = "" if not port or int(port) == int(DEFAULT_PORTS[scheme]) else f":{int(port)}"
    return f"{scheme}://{host}{shown}", _without_dots(path)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for segment in re.split(r"[/\\]", path)[1:]:
        plain = re.sub("(?i)%2e", ".", segment)
        if plain == "..":
            kept = kept[:-1]
        elif plain != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("https:evil.example", ("https://evil.example", "/")),
        ("https:\\\\evil.example/a", ("https://evil.example", "/a")),
        ("https://portal.example@evil.example", ("https://evil.example", "/")),
        ("https://portal。example/", ("https://portal.example", "/")),
        ("ht\ntps://portal.example:443/a/../b", ("https://portal.example", "/b")),
        ("https://%65vil.example", ("https://evil.example", "/")),
        ("https://portal.example/a/%2e%2E/b", ("https://portal.example", "/b")),
        ("javascript:alert(1)", None),
        ("https://", None),
    ],
)
def test_the_yardstick_itself_reads_like_a_browser(address: str, read: tuple[str, str] | None) -> None:
    assert browsers_reading(address) == read


@pytest.mark.parametrize(
    "target",
    [
        "https://portal.example",
        "https://portal.example/",
        "https://portal.example/after?a=1&b=%2F#top",
        "https://portal.example:443/after",
        "https://portal.example:/after",
        "HTTPS://PORTAL.EXAMPLE/After",
        "https://portal.example//twice",
        "https://portal.example/back%5Cslash",
        "https://apps.example:8443/clinic",
        "https://apps.example:8443/clinic/",
        "https://apps.example:8443/clinic/a/b",
        "https://xn--bcher-kva.example/a?x",
        "http://localhost:3000/x",
    ],
)
@pytest.mark.req("L07")
def test_addresses_that_the_list_covers(target: str) -> None:
    assert is_allowed(target, ENTRIES)
    assert allowed_target(target, ENTRIES) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/relative",
        "%2f%2fevil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https:\\\\evil.example",
        "https:/\\evil.example",
        "https://evil.example",
        # user names
        "https://portal.example@evil.example",
        "https://portal.example:443@evil.example",
        "https://portal.example%40evil.example",
        "https://evil.example\\@portal.example",
        "https://evil.example#@portal.example",
        "https://user@portal.example",
        # line breaks and other invisible things
        "https://portal.example\r\nSet-Cookie: a=b",
        "https://portal.example/\r\n",
        "https://portal.example\t.evil.example",
        "\thttps://portal.example",
        "https://portal.example\x00.evil.example",
        "https://portal.example/\u2028",
        "https://portal.example /",
        # other schemes
        "javascript:alert(1)",
        "javascript://portal.example/%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file://portal.example/etc/passwd",
        "ftp://portal.example",
        "http://portal.example",
        "blob:https://portal.example/x",
        # dots and letters that only look alike
        "https://portal。example",
        "https://portal．example",  # noqa: RUF001
        "https://portal｡example",
        "https://p\u043ertal.example",
        "https://xn--prtal-j4a.example",
        "https://b\u00fccher.example/a",
        # prefixes and suffixes
        "https://portal.example.evil.example",
        "https://portal.exampleevil.example",
        "https://portal.example-evil.example",
        "https://evilportal.example",
        "https://evil.example/portal.example",
        "https://evil.example?https://portal.example",
        "https://sub.portal.example",
        "https://portal.example.",
        "https://portalXexample",
        # ports
        "https://portal.example:444",
        "https://portal.example:0",
        "https://portal.example:80",
        "https://portal.example:443evil.example",
        "https://portal.example:99999999999",
        "https://apps.example/clinic",
        "http://localhost/",
        "http://localhost:3001/",
        # IP addresses in every coat
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[portal.example]/",
        "https://[portal.example",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        # paths that climb out of the entry
        "https://apps.example:8443/",
        "https://apps.example:8443/clinics",
        "https://apps.example:8443/clinic.evil",
        "https://apps.example:8443/clinic/../admin",
        "https://apps.example:8443/clinic/%2e%2e/admin",
        "https://apps.example:8443/clinic/.%2E/admin",
        "https://apps.example:8443/clinic/..%2fadmin",
        "https://apps.example:8443/clinic/%252e%252e/admin",
        "https://apps.example:8443/clinic/..\\admin",
        "https://apps.example:8443/clinic/./x",
        "https://apps.example:8443/CLINIC/x",
        "https://portal.example/..",
        # length
        "https://portal.example/" + "a" * 2_048,
    ],
)
@pytest.mark.req("L07")
def test_addresses_that_the_list_does_not_cover(target: str) -> None:
    assert not is_allowed(target, ENTRIES)
    with pytest.raises(RuleError) as refused:
        allowed_target(target, ENTRIES)
    assert refused.value.code == "redirect_not_allowed"


@pytest.mark.req("L07")
def test_an_empty_list_allows_nothing() -> None:
    assert not is_allowed("https://portal.example", ())


_PIECES = st.sampled_from([
    "https:", "http:", "javascript:", "//", "/", "\\", "\\\\", "portal.example", "evil.example", "apps.example",
    "PORTAL.EXAMPLE", "@", ":", ":443", ":8443", ":0", ":80", ".", "..", "%2f", "%2F", "%5c", "%2e", "%252e", "%40",
    "%00", "?", "#", ";", "&", "=", "clinic", "/clinic/", "/clinic", "user", "localhost", ":3000", "[::1]", "[",
    "]", "127.0.0.1", "2130706433", "0x7f", "xn--", "--", "a", "A", "%0d%0a", "%09", "%20", "|", "^", "<", ">", '"',
    "'", "`", "{", "}", "*", ",", "\u3002", "\uff0e", "\uff61", "\xfc", "\t", "\n", "\r", " ", "\x00", "\x7f",
    "\u2028", "\u202e",
])  # fmt: skip
_TARGETS = st.builds(
    lambda head, pieces: head + "".join(pieces),
    st.sampled_from(["", "https://", "https://portal.example", "https://apps.example:8443/clinic", "//", "/"]),
    st.lists(_PIECES, max_size=6),
)


@given(_TARGETS | st.text(max_size=40).map("https://portal.example{}".format))
@example("https://portal.example:/")
@example("https://apps.example:8443/clinic/..;/admin")
@pytest.mark.req("L07")
def test_whatever_is_accepted_every_parser_reads_as_the_lists_own(target: str) -> None:
    if not is_allowed(target, ENTRIES):
        return

    # then: by Python's parser
    parts = urlsplit(target)
    origin = f"{parts.scheme}://{parts.hostname}" + (
        f":{parts.port}" if parts.port is not None and str(parts.port) != DEFAULT_PORTS[parts.scheme] else ""
    )
    covering = [entry for entry in ENTRIES if origin == "/".join(entry.split("/")[:3])]
    assert covering
    # then: by a browser's
    read = browsers_reading(target)
    assert read is not None
    browsers_origin, path = read
    assert browsers_origin == origin
    base = urlsplit(covering[0]).path.rstrip("/")
    assert not base or path == base or path.startswith(f"{base}/")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/dashboard",
        "/dashboard?scrollTo=17&launch=1",
        "/join/400119037?passkey=a%2Fb",
        "/Dashboard/P/23487",
        "/s/1?next=//evil.example",  # a query leads nowhere by itself
        "/u/a%20b",
        "/u/caf%C3%A9",
        "/a.b/c..d/~e",
    ],
)
@pytest.mark.req("L07")
def test_paths_of_the_hub(path: str) -> None:
    assert hub_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "dashboard",
        "?a=1",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/dash\\board",
        "/?x=\\",
        "%2f%2fevil.example",
        "/%2fevil.example",
        "/%2Fevil.example",
        "/%252fevil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "/a//b",
        "/a%2f/b",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/dashboard\r\nLocation: https://evil.example",
        "/dashboard%0d%0aLocation:x",
        "/dashboard%250d%250aLocation:x",
        "/\t/evil.example",
        "/%09/evil.example",
        "/%00",
        "/a b",
        " /dashboard",
        "/caf\u00e9",
        "/。。/",
        "/..",
        "/../evil",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2e",
        "/a/%252e%252e/b",
        "/dashboard#//evil.example",
        "/" + "a" * 2_048,
    ],
)
@pytest.mark.req("L07")
def test_what_is_no_path_of_the_hub(path: str) -> None:
    with pytest.raises(RuleError) as refused:
        hub_path(path)
    assert refused.value.code == "invalid_path"


@given(_TARGETS | st.text(max_size=30).map("/{}".format))
@example("/%2f")
@pytest.mark.req("L07")
def test_whatever_is_accepted_as_a_path_stays_on_the_hub(value: str) -> None:
    try:
        path = hub_path(value)
    except RuleError:
        return

    # then: as a browser resolves a Location header, once and after a decoding somewhere on the way
    for followed in (path, unquote(path.partition("?")[0]), unquote(unquote(path.partition("?")[0]))):
        read = browsers_reading(followed, HUB)
        assert read is not None
        assert read[0] == HUB
    assert path.isascii()
    assert path.isprintable()
