"""What texts and numbers from outside must look like, wherever they come in.

A rule takes a value and returns its clean form or raises `RuleError`; `Checks`
runs several and reports every broken one at once.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vestibule.errors import FieldError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_TEXTS = _BIDIRECTIONAL | {"\ufffd"}
_BYTE_ORDER_MARK = "\ufeff"
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[^\s@<>,;:\"\\()\[\]]{1,190}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NO_ZONES = frozenset({"Factory", "localtime"})
"""Names in the zones' folders that are no place's: a clock nobody has set, and whatever the machine runs on."""
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{4,28}[0-9]")
_FRIENDLY_URL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_USERNAME = re.compile(r"[A-Za-z0-9._@+-]{3,128}")
_HOST = re.compile(r"[a-z0-9-][a-z0-9.-]*")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)\.?")
"""Hosts that a browser takes for an IPv4 address, in whatever notation (WHATWG URL, 3.5)."""
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")

NAME_LENGTH = 200
PHONE_LENGTH = 31
EXTERNAL_ID_LENGTH = 256
LAST_MOMENT = 7_258_118_400_000
"""2200-01-01T00:00:00Z in milliseconds."""
METADATA_BYTES = 8 * 1_024
EXTRA_LENGTH = 2_048
URL_LENGTH = 2_048
PASSWORD_LENGTHS = range(8, 129)


class RuleError(Exception):
    """A value breaks a rule.

    Attributes
    ----------
    code
        Stable reason, snake_case.
    detail
        One sentence that tells a person what would be right.
    member
        Which member of the value breaks it, when the value is an object.
    """

    def __init__(self, code: str, detail: str, *, member: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.member = member


class Checks:
    """Collects the broken rules of one input.

    Examples
    --------
    >>> checks = Checks()
    >>> checks.apply("full_name", name, "  Ada ")
    'Ada'
    >>> checks.finish()
    """

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def apply[V, R](self, field: str, rule: Callable[[V], R], value: V) -> R:
        """Return the clean value, or remember what is wrong and return it as it came."""
        try:
            return rule(value)
        except RuleError as error:
            self.refuse(f"{field}.{error.member}" if error.member else field, error.code, error.detail)
            return value  # type: ignore[return-value]  # never used: finish() raises

    def refuse(self, field: str, code: str, detail: str) -> None:
        """Remember that a member cannot be used."""
        self._errors.append(FieldError(field, code, f"{field}: {detail}"))

    def finish(self) -> None:
        """Raise for everything remembered.

        Raises
        ------
        InvalidError
            At least one rule was broken.
        """
        if self._errors:
            raise InvalidError(*self._errors)


def sought[R](rule: Callable[[str], R], value: str) -> R | None:
    """Return the form in which a rule would have stored what somebody looks for.

    None when the rule would have refused it: then nothing of that name exists.
    """
    try:
        return rule(value)
    except RuleError:
        return None


def text(value: str, *, most: int, least: int = 1) -> str:
    """Return one line of text: NFC, trimmed, without controls, direction overrides or byte order marks.

    Direction overrides and line separators would let a name rearrange or forge
    the text around it, on a page as in a mail's header.  Characters that were lost
    on the way (U+FFFD) are refused too: a name in Latin-1 would be kept mangled.
    """
    clean = _normal(value).strip()
    for character in clean:
        if unicodedata.category(character) in _CONTROL_CATEGORIES or character in _NOT_IN_TEXTS:
            raise RuleError("invalid_character", f"must not hold U+{ord(character):04X}.")
    if not least <= len(clean) <= most:
        raise RuleError("invalid_length", f"must have {least} to {most} characters.")
    return clean


def one_line(value: str) -> str:
    """Return any text as one line that `text` would let through: what it refuses is a blank here.

    For places where a forged line does harm, such as a mail's header, and where
    refusing comes too late: whoever the text is meant for still gets it.
    """
    harmless = (
        " " if unicodedata.category(character) in _CONTROL_CATEGORIES or character in _NOT_IN_TEXTS else character
        for character in _normal(value)
    )
    return " ".join(word for word in "".join(harmless).split(" ") if word).strip()


def _normal(value: str) -> str:
    """Return a text in NFC, without the mark that files begin with and that people paste along, unseen."""
    return unicodedata.normalize("NFC", value.replace(_BYTE_ORDER_MARK, ""))


def name(value: str) -> str:
    """Return the name of a person or of an account."""
    return text(value, most=NAME_LENGTH)


def external_id(value: str) -> str:
    """Return a portal's own id; compared to the letter."""
    return text(value, most=EXTERNAL_ID_LENGTH)


def email(value: str) -> str:
    """Return an e-mail address in the form that is stored (case kept)."""
    clean = text(value, most=254)
    if not _ADDRESS.fullmatch(clean) or "." not in clean.rpartition("@")[2]:
        raise RuleError("invalid_email", "must be an e-mail address.")
    return clean


def phone(value: str) -> str:
    """Return a telephone number as people write it, with its digits kept in order."""
    if not _PHONE.fullmatch(value.strip()):
        raise RuleError("invalid_phone", "must be a telephone number, such as +49 30 1234567.")
    return value.strip()


def e164(value: str) -> str:
    """Return a telephone number as a carrier takes it (E.164): a plus, the country, and digits alone."""
    number = "+" + "".join(character for character in value if character.isdigit())
    if not value.strip().startswith("+") or not _E164.fullmatch(number):
        raise RuleError("invalid_phone", "must be a number with its country, such as +49 30 1234567.")
    return number


def friendly_url(value: str) -> str:
    """Return the readable last segment of a session's link; compared to the letter."""
    if not _FRIENDLY_URL.fullmatch(value):
        raise RuleError(
            "invalid_friendly_url", "must have 1 to 128 letters, digits, inner dots, hyphens or underscores."
        )
    return value


def json_object(value: dict[str, Any]) -> str:
    """Return a portal's own JSON object as the text that is kept: at most 8 KB of it."""
    try:
        text_form = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text_form.encode())
    except UnicodeEncodeError:
        raise RuleError("invalid_character", "must not hold half a character (a lone surrogate).") from None
    except ValueError:
        raise RuleError("out_of_range", "must not hold a number beyond those that JSON can spell.") from None
    if size > METADATA_BYTES:
        raise RuleError("too_large", f"must have at most {METADATA_BYTES} bytes as JSON.")
    return text_form


def extras(value: Mapping[str, str]) -> dict[str, str]:
    """Return what a dialect's client keeps with an object, without what is empty."""
    clean: dict[str, str] = {}
    for name, kept in value.items():
        try:
            clean |= {name: text(kept, most=EXTRA_LENGTH)} if kept else {}
        except RuleError as error:
            raise RuleError(error.code, error.detail, member=name) from None
    return clean


def moment(value: int) -> int:
    """Return a time in milliseconds since the epoch that a calendar can still show."""
    if not 0 <= value < LAST_MOMENT:
        raise RuleError("out_of_range", "must be a time between 1970 and 2200.")
    return value


@cache
def time_zones() -> frozenset[str]:
    """Return the names of the IANA time zones that there are here; the first call reads the folders that hold them."""
    # Imported with the first zone: every function has these rules, few are ever told a zone.
    from zoneinfo import available_timezones  # noqa: PLC0415

    return frozenset(available_timezones()) - _NO_ZONES


def time_zone(value: str) -> str:
    """Return an IANA time zone's name."""
    if value not in time_zones():
        raise RuleError("unknown_time_zone", "must be an IANA time zone, such as Europe/Berlin.")
    return value


def locale(value: str) -> str:
    """Return a language tag (BCP 47), such as ``de-CH``."""
    if not _LOCALE.fullmatch(value):
        raise RuleError("invalid_locale", "must be a language tag, such as en or de-CH.")
    return value


def username(value: str) -> str:
    """Return a sign-in name; unique without regard to case."""
    if not _USERNAME.fullmatch(value):
        raise RuleError("invalid_username", "must have 3 to 128 letters, digits and . _ @ + - only.")
    return value


def password(value: str) -> str:
    """Return a password unchanged (OWASP ASVS 5.0, 6.2: length is the only rule)."""
    if len(value) not in PASSWORD_LENGTHS:
        raise RuleError("invalid_length", "must have 8 to 128 characters.")
    return value


def slug(value: str) -> str:
    """Return the first label of a hub host: 3 to 63 of a-z, 0-9 and inner hyphens."""
    if not _SLUG.fullmatch(value) or "--" in value:
        raise RuleError("invalid_slug", "must have 3 to 63 of a-z, 0-9 and single hyphens between them.")
    return value


def color(value: str) -> str:
    """Return a colour as ``#rrggbb`` in lower case."""
    if not _COLOR.fullmatch(value.lower()):
        raise RuleError("invalid_color", "must be a colour such as #0f5c8c.")
    return value.lower()


def web_origin(value: str) -> str:
    """Return an https origin as a browser writes it: scheme, host and, unless it is 443, port."""
    parts = urlsplit(web_address(value.lower()))
    if parts.path not in ("", "/") or "?" in value or "#" in value:
        raise RuleError("invalid_origin", "must be an origin, such as https://portal.example, without a path.")
    port = "" if parts.port in (None, 443 if parts.scheme == "https" else 80) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def web_address(value: str) -> str:
    """Return an absolute https address (http for a developer's own machine).

    It is printable ASCII, names no user, and its host is not an IP trick: what
    is stored is what a browser will open.
    """
    if len(value) > URL_LENGTH or not all("!" <= c <= "~" for c in value) or "\\" in value:
        raise RuleError("invalid_url", "must be an address of printable ASCII characters.")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise RuleError("invalid_url", "must be an absolute https address.") from None
    is_own_machine = host in ("localhost", "127.0.0.1") or host.endswith(".localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own_machine):
        raise RuleError("invalid_url", "must be an absolute https address.")
    is_ip_trick = _ENDS_IN_NUMBER.fullmatch(host) and not _IPV4.fullmatch(host)
    if not _HOST.fullmatch(host) or "@" in parts.netloc or is_ip_trick:
        raise RuleError("invalid_url", "must name a plain host and no user.")
    return value
