"""The style sheet of the hub's pages, in an account's colours.

Which colours those are, `vestibule.domain.colors` computes, so that they can be
read; only ``#rrggbb`` gets into the style text.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from vestibule.domain.colors import DEFAULT_ACCENT, check_color, palette


def _properties(colors: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{color}" for name, color in colors.items())


@cache
def _sheet() -> str:
    text = Path(__file__).with_name("style.css").read_text("utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{};,]) ?", r"\1", text).replace(": ", ":").replace(";}", "}").strip()


class Style(NamedTuple):
    """The style sheet of an account's pages.

    Attributes
    ----------
    text
        What stands between ``<style>`` and ``</style>``, character for character.
    light_band, dark_band
        Colour of the band at the top, for the browser's own frame around the page.
    """

    text: str
    light_band: str
    dark_band: str


@lru_cache(maxsize=64)
def style_of(accent: str | None, header: str | None) -> Style:
    """Return the style sheet of a page, with the account's colours in it.

    Parameters
    ----------
    accent, header
        The account's colours, or None for ours.

    Raises
    ------
    ValueError
        When a colour is not ``#rrggbb``.
    """
    chosen = check_color(accent or DEFAULT_ACCENT)
    band = check_color(header) if header else None
    light = palette("light", chosen, band)
    dark = palette("dark", chosen, band)
    text = f":root{{{_properties(light)}}}@media(prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}{_sheet()}"
    return Style(text, light["band"], dark["band"])
