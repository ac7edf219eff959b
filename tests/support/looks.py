"""What every page owes everybody, as a browser sees it: no barrier, no scrolling sideways, nothing too small to hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page, ViewportSize

PHONE: ViewportSize = {"width": 360, "height": 740}
NARROWEST: ViewportSize = {"width": 320, "height": 640}
"""CSS pixels: a desktop at 400 % (WCAG 2.2, 1.4.10)."""
SMALLEST_TARGET = 24
"""CSS pixels (WCAG 2.2, 2.5.8)."""

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""What the standard asks of a mail and a page alike; a page follows what is good practice, too."""
PRACTICE = (*WCAG, "best-practice")

_AXE = Axe()

_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""What alone can differ between light and dark."""


def barriers(page: Page, rules: Sequence[str] = PRACTICE) -> list[tuple[str, list[str]]]:
    """Give the rules of axe that a page breaks, with the elements that break them."""
    found = _AXE.run(page, options={"runOnly": list(rules), "resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def faint_texts(page: Page) -> list[str]:
    """Give the elements whose text is too faint; on a page that `barriers` has looked at, which left axe there."""
    found = page.evaluate("rules => axe.run(rules).then(found => found.violations)", _CONTRAST)
    return [node["html"] for one in found for node in one["nodes"]]


def overflow(page: Page) -> int:
    """Give the CSS pixels by which a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def broken_words(page: Page) -> list[str]:
    """Give the words on buttons that do not fit on a line, and go on in the next one without a hyphen."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll(".button, button")].flatMap(button => {
              const words = [], texts = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
              while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/[^\\s-]+/g)) {
                if (texts.currentNode.parentElement.closest(".unseen")) continue;
                const range = document.createRange();
                range.setStart(texts.currentNode, word.index);
                range.setEnd(texts.currentNode, word.index + word[0].length);
                const lines = [...range.getClientRects()].filter(box => box.width).map(box => box.top);
                if (new Set(lines).size > 1) words.push(word[0]);
              }
              return words;
            })"""
        )
    )


def small_targets(page: Page) -> list[str]:
    """Give the links and buttons that a finger would miss; a link inside a sentence may be as high as its line."""
    return list(
        page.evaluate(
            """least => [...document.querySelectorAll("a, button")]
              .filter(one => one.checkVisibility() && !one.classList.contains("skip"))
              .filter(one => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < least)
              .map(one => one.outerHTML)""",
            SMALLEST_TARGET,
        )
    )


def assert_looks_right(page: Page) -> None:
    """Hold a page to the rules in light and dark, and on a telephone and the narrowest screen."""
    page.emulate_media(color_scheme="light")
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    assert faint_texts(page) == []
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    for narrow in (PHONE, NARROWEST):
        page.set_viewport_size(narrow)
        assert overflow(page) == 0, narrow
        assert small_targets(page) == []
    assert size is not None
    page.set_viewport_size(size)
