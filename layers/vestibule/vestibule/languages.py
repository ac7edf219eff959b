"""What the house says, in the reader's language.

Sentences stand in the code in English, and are their own names in gettext's
sense; ``locales/<language tag>.po`` holds them in another language.  A catalogue
is read from its source: that is a millisecond once a language and process, and
there is no compiled file that could be older than what a translator wrote.  What
a catalogue lacks is said by the next more general one, at last in English.
"""

import json
import re
import struct
from collections.abc import Iterable
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

SOURCE = "en"
"""The language of the sentences in the code."""

_LOCALES = Path(__file__).with_name("locales")
_LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) +)?(".*")')
_END_OF_CONTEXT = "\x04"
_END_OF_SINGULAR = "\0"
_MAGIC = 0x950412DE
_RANGES_AT_MOST = 10
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]=([01](?:\.\d{0,3})?)\s*)?")
_HEADER_INTS = 7


class Translation(GNUTranslations):
    """Sentences in one language, by the methods of `gettext`.

    Attributes
    ----------
    language
        Its tag (BCP 47), for ``lang`` and ``Content-Language``.
    """

    def __init__(self, language: str, sentences: dict[str, str]) -> None:
        super().__init__(BytesIO(_machine_object(sentences)))
        self.language = language


def known() -> frozenset[str]:
    """Return the tags of the languages that there are."""
    return frozenset({SOURCE, *_tags().values()})


def translation(*wanted: str | None) -> Translation:
    """Return the first language of several that the house speaks, else English.

    Parameters
    ----------
    *wanted
        Language tags in the order of preference, such as the user's and the
        account's; None where nothing is known.  ``de-CH`` is served by ``de`` when
        there is no catalogue of its own (RFC 4647, 3.4).
    """
    tags = _tags()
    for tag in (tag for locale in wanted if locale for tag in _more_and_more_general(locale)):
        if tag.lower() in tags:
            return _load(tags[tag.lower()])
    return _load(SOURCE)


def accepted(header: str | None) -> list[str]:
    """Return the language tags of an ``Accept-Language`` header, the most wanted first (RFC 9110, 12.5.4).

    What is no language range is passed over, and so is ``*``: it wants what there is.

    Examples
    --------
    >>> accepted("en;q=0.7, de-CH, fr;q=0.9, *;q=0.1, ja;q=0")
    ['de-CH', 'fr', 'en']
    """
    ranges = [_RANGE.fullmatch(given) for given in (header or "").split(",", _RANGES_AT_MOST)[:_RANGES_AT_MOST]]
    weighed = [(float(found[2] or 1), found[1]) for found in ranges if found]
    return [tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0]


def read_catalogue(text: str) -> dict[str, str]:
    """Return the sentences of a .po file: name in gettext's form -> translation.

    Entries without a translation are left out, and so are those marked fuzzy,
    which nobody has checked.

    Raises
    ------
    ValueError
        A line is not what a .po file may hold.
    """
    entries = (_entry(block.splitlines()) for block in re.split(r"\n[ \t]*\n", text) if "fuzzy" not in _flags(block))
    return {name: said for name, said in entries if said.strip(_END_OF_SINGULAR)}


@cache
def _tags() -> dict[str, str]:
    """Return the tag of each language by its lower case."""
    return {tag.lower(): tag for tag in (SOURCE, *(path.stem for path in _LOCALES.glob("*.po")))}


@cache
def _load(tag: str) -> Translation:
    path = _LOCALES / f"{tag}.po"
    loaded = Translation(tag, read_catalogue(path.read_text("utf-8")) if path.exists() else {})
    more_general, has_region, _ = tag.rpartition("-")
    if has_region:
        loaded.add_fallback(_load(more_general))
    return loaded


def _more_and_more_general(locale: str) -> Iterable[str]:
    subtags = locale.split("-")
    return ("-".join(subtags[:count]) for count in range(len(subtags), 0, -1))


def _flags(block: str) -> set[str]:
    return {flag.strip() for line in re.findall(r"^#,(.*)$", block, re.MULTILINE) for flag in line.split(",")}


def _entry(lines: list[str]) -> tuple[str, str]:
    """Return one entry of a .po file in the form in which gettext keeps it."""
    parts: dict[str, str] = {}
    keyword = ""
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None or not (found[1] or keyword):
            raise ValueError(f"not a line of a .po file: {line!r}")
        keyword = found[1] or keyword
        # A .po file's strings are C's; of their escapes we use those that JSON has, too.
        parts[keyword] = parts.get(keyword, "") + json.loads(found[2])
    context = parts["msgctxt"] + _END_OF_CONTEXT if "msgctxt" in parts else ""
    if "msgid_plural" not in parts:
        return context + parts.get("msgid", ""), parts.get("msgstr", "")
    forms = (parts[name] for name in sorted(parts) if name.startswith("msgstr"))
    return context + parts["msgid"] + _END_OF_SINGULAR + parts["msgid_plural"], _END_OF_SINGULAR.join(forms)


def _machine_object(sentences: dict[str, str]) -> bytes:
    """Return sentences in the one form that `gettext` reads (GNU gettext manual, 10.3)."""
    names = sorted(name.encode() for name in sentences)
    texts = [sentences[name.decode()].encode() for name in names]
    first_table = _HEADER_INTS * 4
    second_table = first_table + 8 * len(names)
    position = second_table + 8 * len(names)
    tables = b""
    for text in (*names, *texts):
        tables += struct.pack("<II", len(text), position)
        position += len(text) + 1
    head = struct.pack("<7I", _MAGIC, 0, len(names), first_table, second_table, 0, position)
    return head + tables + b"".join(text + b"\0" for text in (*names, *texts))
