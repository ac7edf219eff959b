"""What the house says in other languages: every sentence of it, and the right one for each reader."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment

from tools.local.paths import ROOT
from vestibule import languages
from vestibule.http.pages.face import NO_ACCOUNT
from vestibule.http.pages.render import render
from vestibule.languages import accepted, read_catalogue, translation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYER = ROOT / "layers" / "vestibule" / "vestibule"
FULL_LANGUAGES = ("de", "fr")


def sentences_of_the_code() -> set[str]:
    """Give the names of all sentences that the code has, in gettext's form."""
    found = set()
    for path in sorted(LAYER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in {"gettext", "_", "ngettext"}:
                    texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
                    found.add("\0".join(str(text) for text in texts))
    return found - {""}


def sentences_of_the_pages() -> Iterator[str]:
    """Give the names of all sentences that the pages' templates have, in gettext's form."""
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    environment.policies["ext.i18n.trimmed"] = True
    for path in sorted((LAYER / "http" / "pages" / "templates").glob("*.html")):
        for _, _, name in environment.extract_translations(path.read_text()):  # type: ignore[attr-defined]
            texts = name if isinstance(name, tuple) else (name,)
            # A plural's third argument is its number, which the template computes.
            yield "\0".join(text for text in texts if isinstance(text, str))


def every_sentence() -> set[str]:
    return sentences_of_the_code() | set(sentences_of_the_pages())


def catalogue(language: str) -> dict[str, str]:
    entries = read_catalogue((LAYER / "locales" / f"{language}.po").read_text())
    entries.pop("")
    return entries


def placeholders(text: str) -> set[str]:
    return {braced or named for braced, named in re.findall(r"\{(\w+)|%\((\w+)\)s", text)}


@pytest.mark.parametrize("language", FULL_LANGUAGES)
def test_a_catalogue_holds_every_sentence_and_no_other(language: str) -> None:
    sentences = every_sentence()
    assert len(sentences) > 200

    known = catalogue(language).keys()

    assert sorted(sentences - known) == [], f"to be said in {language}: add them to locales/{language}.po"
    assert sorted(known - sentences) == [], f"nobody says that any more: take it out of locales/{language}.po"


def test_there_is_no_catalogue_that_nobody_checks() -> None:
    assert languages.known() == {"en", "en-GB", *FULL_LANGUAGES}
    assert catalogue("en-GB").keys() <= every_sentence()


@pytest.mark.parametrize("language", ["en-GB", *FULL_LANGUAGES])
def test_a_translation_fills_in_what_its_sentence_fills_in(language: str) -> None:
    clock = {"hour", "hour12", "minute", "half"}
    for name, said in catalogue(language).items():
        wanted = placeholders(name)
        for form in said.split("\0"):
            if "hour12" in wanted:
                assert placeholders(form) <= clock
            else:
                # What is said of one thing may leave out how many they are.
                assert placeholders(form) | {"count"} == wanted | {"count"}


@pytest.mark.parametrize(
    ("language", "heading"),
    [("en", "There is no page here"), ("de", "Hier ist keine Seite"), ("fr", "Il n\u2019y a pas de page ici")],
)
def test_a_page_is_said_in_the_language_that_it_names(language: str, heading: str) -> None:
    answer = render("not_found.html", NO_ACCOUNT, texts=translation(language))

    assert f'<html lang="{language}">' in answer["body"]
    assert f">{heading}</h1>" in answer["body"]
    assert answer["headers"]["Content-Language"] == language


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        (None, []),
        ("", []),
        ("de", ["de"]),
        ("en;q=0.7, de-CH, fr;q=0.9, *;q=0.1, ja;q=0", ["de-CH", "fr", "en"]),
        ("fr ; q=1.000,DE", ["fr", "DE"]),
        ("de;q=2, ../x, fr;q=x, x\0, en", ["en"]),
        (",".join(f"x{n}-de" for n in range(1000)), []),
        ("a-" * 10_000, []),
    ],
)
def test_what_a_browser_asks_for(header: str | None, tags: list[str]) -> None:
    assert accepted(header) == tags


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), "en"),
        ((None, "DE"), "de"),
        (("de-AT-1996",), "de"),
        (("en-gb",), "en-GB"),
        (("en-US",), "en"),
        (("pt-BR", "fr"), "fr"),
        (("../../x", ""), "en"),
    ],
)
def test_the_best_language_that_there_is(wanted: tuple[str | None, ...], found: str) -> None:
    assert translation(*wanted).language == found


def test_what_a_region_does_not_say_otherwise_is_said_as_elsewhere() -> None:
    british = translation("en-GB")

    assert british.gettext("Tuesday") == "Tuesday"
    assert british.ngettext("{count} day", "{count} days", 2) == "{count} days"


def test_a_catalogue_is_read_as_gettext_reads_it() -> None:
    # given
    text = """# a remark
msgid ""
msgstr "Language: xx\\n"

#: file.py:1
msgctxt "greeting"
msgid "Hello"
msgstr ""
"Hal"
"lo \\"du\\""

#, fuzzy
msgid "unchecked"
msgstr "geraten"

msgid "untranslated"
msgstr ""

msgid "one"
msgid_plural "many"
msgstr[0] "eins"
msgstr[1] "viele"

#~ msgid "gone"
#~ msgstr "weg"
"""

    # when
    entries = read_catalogue(text)

    # then
    assert entries == {
        "": "Language: xx\n",
        "greeting\x04Hello": 'Hallo "du"',
        "one\0many": "eins\0viele",
    }


@pytest.mark.parametrize("text", ['"nobody\'s"', "msgid x", 'msgid "a"\nnonsense "b"'])
def test_a_broken_catalogue_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a line"):
        read_catalogue(text)


def test_a_folder_without_catalogues_speaks_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(languages, "_LOCALES", tmp_path)
    languages._tags.cache_clear()  # noqa: SLF001 - as in a new process

    # when, then
    try:
        assert translation("de").language == "en"
    finally:
        languages._tags.cache_clear()  # noqa: SLF001
