"""Colours that can be read, whatever an account has chosen.

Every pair of colours in which a page or a mail writes text has a contrast of at
least 4.5 : 1 (WCAG 2.2, 1.4.3), and every edge of a control at least 3 : 1
(1.4.11), in light and in dark.  This holds for all 16.7 million accents, because
it is computed from the accent and not hoped for: `palette` shifts a colour
towards black or white until it can be read.  Every colour is ``#rrggbb``, so that
it may stand in a style as it is.
"""

import re
from collections.abc import Mapping
from colorsys import hls_to_rgb, rgb_to_hls
from types import MappingProxyType

type _Channels = tuple[int, int, int]

ROLES = ("accent", "header")
"""The colours that an account may choose."""

DEFAULT_ACCENT = "#12616f"

TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3.0

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_BLACK = "#000000"
_WHITE = "#ffffff"
_STEPS = 50
_LINEAR_BELOW = 0.04045

SCHEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "light": {
            "page": "#f4f6f8",
            "surface": "#ffffff",
            "ink": "#17212b",
            "muted": "#52606d",
            "line": "#dde3e9",
            "control": "#84919e",
        },
        "dark": {
            "page": "#0f151b",
            "surface": "#19222b",
            "ink": "#e9eef3",
            "muted": "#a7b4c1",
            "line": "#2e3a46",
            "control": "#6b7a89",
        },
    }
)
"""What is the same for every account, by the visitor's colour scheme."""


def check_color(color: str) -> str:
    """Return a colour in lower case.

    Raises
    ------
    ValueError
        When it is not ``#rrggbb``.
    """
    if not _COLOR.fullmatch(color):
        raise ValueError("a colour is written #rrggbb")
    return color.lower()


def _channels(color: str) -> _Channels:
    value = int(color[1:], 16)
    return value >> 16, value >> 8 & 0xFF, value & 0xFF


def _linear(channel: int) -> float:
    part = channel / 255
    return part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** 2.4


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition).

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(color: str, into: str, share: float) -> str:
    """Return ``color`` with a ``share`` (0 to 1) of ``into``."""
    pairs = zip(_channels(color), _channels(into), strict=True)
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
    return f"#{red:02x}{green:02x}{blue:02x}"


def readable(color: str, towards: str, grounds: tuple[str, ...], ratio: float) -> str:
    """Return the colour nearest to ``color`` that stands out from every ground.

    Parameters
    ----------
    color
        What the account wishes.
    towards
        Black or white: where to go until it can be read.
    grounds
        What it is seen on.
    ratio
        Least contrast with each of them.

    Returns
    -------
    str
        A colour of the same hue: only its lightness is shifted, because a mixture
        with white would make a dark blue grey.
    """
    red, green, blue = _channels(color)
    hue, lightness, saturation = rgb_to_hls(red / 255, green / 255, blue / 255)
    end = 0.0 if towards == _BLACK else 1.0
    candidate = color
    for step in range(1, _STEPS + 1):
        if all(contrast(candidate, ground) >= ratio for ground in grounds):
            return candidate
        shifted = lightness + (end - lightness) * step / _STEPS
        parts = [round(part * 255) for part in hls_to_rgb(hue, shifted, saturation)]
        candidate = "#{:02x}{:02x}{:02x}".format(*parts)
    return towards


def _text_on(ground: str) -> str:
    # The better of the two is never below 4.58 : 1, which is why it is not a softer black.
    return max(_WHITE, _BLACK, key=lambda text: contrast(text, ground))


def palette(scheme: str, accent: str, header: str | None = None) -> dict[str, str]:
    """Return all colours of a page or a mail.

    Parameters
    ----------
    scheme
        ``"light"`` or ``"dark"``.
    accent, header
        The account's colours, ``#rrggbb``; see `ROLES`.

    Returns
    -------
    dict[str, str]
        Place -> colour; a place's name is also that of the CSS custom property.
    """
    base = SCHEMES[scheme]
    surface, page = base["surface"], base["page"]
    away = _BLACK if scheme == "light" else _WHITE
    # In the dark a dark brand colour would be a hole, so it is lifted; in the light the
    # button keeps the brand's colour, and its edge makes a pale one visible.
    fill = accent if scheme == "light" else readable(accent, away, (surface, page), EDGE_CONTRAST)
    on_fill = _text_on(fill)
    tint = mix(surface, fill, 0.1 if scheme == "light" else 0.2)
    band = header or surface
    on_band = _text_on(band) if header else base["ink"]
    return {
        **base,
        "fill": fill,
        "on-fill": on_fill,
        # Away from the text, so that a pointer above a button never makes it harder to read.
        "fill-hover": mix(fill, _BLACK if on_fill == _WHITE else _WHITE, 0.16),
        "edge": readable(fill, away, (surface, page), EDGE_CONTRAST),
        "tint": tint,
        "link": readable(accent, away, (surface, page, tint), TEXT_CONTRAST),
        "band": band,
        "on-band": on_band,
        "band-line": mix(band, on_band, 0.2) if header else base["line"],
        "band-control": readable(band, on_band, (band,), EDGE_CONTRAST) if header else base["control"],
        "tile": on_band if header else fill,
        "on-tile": band if header else on_fill,
    }
