"""Header fields of a mail, character by character (RFC 5322, RFC 2047).

The standard library's own folding of ``email.message`` is not used for them: where
it breaks a long display name into lines it loses the quotes around it, so that a
name such as ``Doe <eve@example.com>,`` becomes an address, and it writes long
addresses of the web as encoded words.  Here a display name is either letters and
blanks or an encoded word; neither can end anything.  Lines are ASCII, also those of
international addresses: not every server between here and there knows SMTPUTF8.
"""

from __future__ import annotations

import re
import unicodedata
from email.header import Header

from vestibule.domain import rules
from vestibule.errors import UndeliverableError

LINE_END = "\r\n"

_LINE_LENGTH = 76
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_PLAIN_TEXT = re.compile(r"[ -~]+")
_ENCODED_WORD_BEGINS = "=?"
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates the labels of a domain in the scripts of the world (UTS 46)."""
_LETTERS = ("L", "M", "N")
"""Categories of Unicode from which international labels are made."""


def address(value: str) -> str:
    """Return an e-mail address as it goes over the wire, its domain in ASCII (IDNA).

    Raises
    ------
    UndeliverableError
        The part before the @ is not one that every mail server takes (letters
        beyond ASCII, blanks, quotes), or the domain cannot exist.
    """
    local_part, _, domain = value.rpartition("@")
    if not _LOCAL_PART.fullmatch(local_part):
        raise UndeliverableError("unsupported_address", "Mail to such a name before the @ cannot be sent.")
    labels = (_ascii_label(label) for label in _DOTS.split(domain))
    name = ".".join(labels)
    if not _DOMAIN.fullmatch(name):
        raise UndeliverableError("unsupported_address", "Mail to such a domain cannot be sent.")
    return f"{local_part}@{name}"


def mailbox(field: str, name: str, wire_address: str) -> str:
    """Return a header field that names one person or account.

    Parameters
    ----------
    name
        Display name; whatever it holds, it stays one.
    wire_address
        From `address`.
    """
    shown = rules.one_line(name)
    if not shown:
        return text_line(field, f"<{wire_address}>")
    if not _is_short(field, shown, _PLAIN_NAME):
        shown = _encoded(field, shown)
    last_line = f"{field}: {shown}".rpartition(LINE_END)[2]
    is_full = len(last_line) + len(wire_address) + 3 > _LINE_LENGTH
    return f"{field}: {shown}{LINE_END if is_full else ''} <{wire_address}>"


def unstructured(field: str, text: str) -> str:
    """Return a header field that people read, such as the subject."""
    shown = rules.one_line(text)
    if not _is_short(field, shown, _PLAIN_TEXT):
        shown = _encoded(field, shown)
    return f"{field}: {shown}"


def text_line(field: str, value: str) -> str:
    """Return a header field of our own making, on one line.

    Raises
    ------
    ValueError
        The value is not printable ASCII: it is not of our making.
    """
    if not _PLAIN_TEXT.fullmatch(value):
        raise ValueError(f"not a value for {field}")
    return f"{field}: {value}"


def _is_short(field: str, text: str, form: re.Pattern[str]) -> bool:
    fits = len(field) + 2 + len(text) <= _LINE_LENGTH
    return fits and form.fullmatch(text) is not None and _ENCODED_WORD_BEGINS not in text


def _encoded(field: str, text: str) -> str:
    return Header(text, "utf-8", maxlinelen=_LINE_LENGTH, header_name=field).encode(linesep=LINE_END)


def _ascii_label(label: str) -> str:
    """Return one label of a domain in ASCII, as browsers do it (UTS 46, non-transitional).

    The standard library's IDNA is that of 2003, which takes ``ß`` for ``ss`` and would
    send the mail to somebody else.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).lower())
    if plain.isascii():
        return plain
    if not all(character == "-" or unicodedata.category(character)[0] in _LETTERS for character in plain):
        return ""
    return f"xn--{plain.encode('punycode').decode('ascii')}"
