"""Moments and spans of time as people write them, in their language and zone.

The order of day, month and year, the clock's form and the names of days and
months are sentences of the catalogue like all others (`vestibule.languages`).
That is the little of CLDR that is needed here; the package that holds all of it
would make the dependencies layer larger by a third.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from vestibule.languages import Translation
    from vestibule.model import Session


def _(text: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is used."""
    return text


_WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
_MONTHS = (
    _("January"),
    _("February"),
    _("March"),
    _("April"),
    _("May"),
    _("June"),
    _("July"),
    _("August"),
    _("September"),
    _("October"),
    _("November"),
    _("December"),
)
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
"""Zones that are UTC itself and not only happen to agree with it."""

_TO = " \N{EN DASH} "
_MINUTES_OF_DAY = 24 * 60
_NOON = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A session's time, written in one zone.

    Attributes
    ----------
    start
        Date, time and zone of the start, as short as it can be said.
    date
        Day of the start.
    hours
        From when to when, with the day of the end if that is another one.
    zone
        Abbreviation and offset, such as ``CET, UTC+1``: at the start, and at the end
        where the clocks change in between.
    place
        The zone's own name, such as ``Europe/Berlin``.
    """

    start: str
    date: str
    hours: str
    zone: str
    place: str


def zone(*names: str | None) -> ZoneInfo:
    """Return the first of several IANA zones that there is, else UTC."""
    # Imported with the first zone: it looks for where the machine keeps them.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            # Unknown here, no name of a zone at all, or the name of a folder of zones.
            continue
    return ZoneInfo("UTC")


def local(moment: int, place: ZoneInfo) -> datetime:
    """Return a moment (milliseconds since the epoch) as a zone's clocks show it."""
    # A session may be planned beyond what a platform's own clock can count.
    return (_EPOCH + timedelta(milliseconds=moment)).astimezone(place)


def span(texts: Translation, session: Session, place: ZoneInfo) -> Span:
    """Return when a session takes place, as it is written in one zone."""
    start, end = local(session.starts_at, place), local(session.ends_at, place)
    until = time_text(texts, end) if end.date() == start.date() else _date_and_time(texts, end)
    return Span(
        start=f"{_date_and_time(texts, start)} {zone_label(start).partition(',')[0]}",
        date=date_text(texts, start),
        hours=texts.gettext("{start} \N{EN DASH} {end}").format(start=time_text(texts, start), end=until),
        zone=_TO.join(dict.fromkeys((zone_label(start), zone_label(end)))),
        place=place.key.replace("_", " "),
    )


def duration(texts: Translation, minutes: int) -> str:
    """Return a duration in days, hours and minutes."""
    days, rest = divmod(minutes, _MINUTES_OF_DAY)
    hours, rest = divmod(rest, 60)
    parts = (
        texts.ngettext("{count} day", "{count} days", days).format(count=days) if days else "",
        texts.ngettext("{count} hour", "{count} hours", hours).format(count=hours) if hours else "",
        texts.ngettext("{count} minute", "{count} minutes", rest).format(count=rest) if rest else "",
    )
    return " ".join(filter(None, parts))


def zone_label(moment: datetime) -> str:
    """Return a zone's abbreviation and offset at a moment, such as ``CET, UTC+1``.

    Examples
    --------
    >>> zone_label(local(1_772_546_400_000, zone("America/Sao_Paulo")))
    'UTC-3'
    """
    name, offset = moment.tzname() or "", moment.utcoffset() or timedelta()
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < timedelta() else "+"
    label = f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "") if minutes else "UTC"
    # Zones without an abbreviation that people use have a number in its place.
    return label if not name.isalpha() or name == label else f"{name}, {label}"


def date_text(texts: Translation, day: date) -> str:
    """Return a day, such as ``Tuesday, November 24, 2026``."""
    form = (
        texts.gettext("{weekday}, {month} 1, {year}")
        if day.day == 1
        else texts.gettext("{weekday}, {month} {day}, {year}")
    )
    return form.format(
        weekday=weekday_text(texts, day),
        month=month_text(texts, day),
        day=day.day,
        year=day.year,
    )


def weekday_text(texts: Translation, day: date) -> str:
    """Return the name of a day's weekday."""
    return texts.gettext(_WEEKDAYS[day.weekday()])


def month_text(texts: Translation, day: date) -> str:
    """Return the name of a day's month."""
    return texts.gettext(_MONTHS[day.month - 1])


def time_text(texts: Translation, time: datetime) -> str:
    """Return a time of day, such as ``3:00 PM`` or ``15:00``."""
    return texts.gettext("{hour12}:{minute:02} {half}").format(
        hour=time.hour,
        hour12=time.hour % _NOON or _NOON,
        minute=time.minute,
        half=texts.gettext("AM") if time.hour < _NOON else texts.gettext("PM"),
    )


def _date_and_time(texts: Translation, moment: datetime) -> str:
    return texts.gettext("{date} at {time}").format(date=date_text(texts, moment), time=time_text(texts, moment))
