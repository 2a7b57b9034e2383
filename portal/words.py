"""Everything a person reads, in their language: catalogues, dates, numbers and sizes.

Always true here: the English text is the key; a text without a French translation fails the tests, never the page.
Catalogues are `locale/fr/*.po`, one per room, read as they are: there is no compile step to forget.
"""

import gettext
import io
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

LOCALE = Path(__file__).parent / "locale"
NO_BREAK = "\N{NO-BREAK SPACE}"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return all catalogues of a language in one. English needs none."""
    merged = gettext.NullTranslations()
    for file in sorted((LOCALE / language).glob("*.po")):
        binary = io.BytesIO()
        with file.open("rb") as source:
            write_mo(binary, read_po(source, locale=language))
        binary.seek(0)
        part = gettext.GNUTranslations(binary)
        part.add_fallback(merged)
        merged = part
    return merged


class Words:
    """The words of one language, with instants shown in one time zone."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language
        self.zone = ZoneInfo(zone)
        self._catalogue = catalogue(language)

    def __call__(self, text: str, /, **values: object) -> str:
        """Translate `text` and fill in `{names}`."""
        found = self._catalogue.gettext(text)
        return found.format(**values) if values else found

    def rich(self, text: str, /, **values: object) -> Markup:
        """Translate `text` for a page and fill in links and emphasis; what is not markup already is escaped."""
        return escape(self._catalogue.gettext(text)).format(**values)

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """Translate the form that fits `count`, which fills `{count}`."""
        found = self._catalogue.ngettext(one, many, count)
        return found.format(count=self.number(count), **values)

    def several(self, names: Iterable[str]) -> str:
        """Join names as one says them: Account, Prompts and Payments / Compte, Prompts et Paiements."""
        return format_list(list(names), locale="en_GB" if self.language == "en" else self.language)

    def day(self, day: date) -> str:
        """Friday 13 November 2026 / vendredi 13 novembre 2026, with no break between day and month."""
        return format_date(day, f"EEEE {self._number_of(day)}MMMM'{NO_BREAK}'y", locale=self.language)

    def day_month(self, day: date) -> str:
        """13 November / 13 novembre, where the year goes without saying."""
        return format_date(day, f"{self._number_of(day)}MMMM", locale=self.language)

    def short_day(self, day: date | datetime) -> str:
        """14 Oct 2026 / 14 oct. 2026."""
        local = day.astimezone(self.zone).date() if isinstance(day, datetime) else day
        return format_date(local, f"{self._number_of(local)}MMM'{NO_BREAK}'y", locale=self.language)

    def time(self, instant: datetime) -> str:
        """09:02 / 9 h 02."""
        local = instant.astimezone(self.zone)
        if self.language == "fr":
            return f"{local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"
        return format_time(local, "HH:mm", locale=self.language)

    def moment(self, instant: datetime) -> str:
        """14 October 2026, 09:02 / 14 octobre 2026 à 9 h 02."""
        local = instant.astimezone(self.zone)
        day = format_date(local.date(), f"{self._number_of(local)}MMMM'{NO_BREAK}'y", locale=self.language)
        return f"{day} à {self.time(instant)}" if self.language == "fr" else f"{day}, {self.time(instant)}"

    def day_moment(self, instant: datetime) -> str:
        """Wednesday 21 October 2026, 09:12 / mercredi 21 octobre 2026 à 9 h 12."""
        local = instant.astimezone(self.zone)
        joint = " à " if self.language == "fr" else ", "
        return f"{self.day(local.date())}{joint}{self.time(instant)}"

    def number(self, number: float) -> str:
        """1,310 / 1 310."""
        return format_decimal(number, locale=self.language)

    def size(self, size_bytes: int) -> str:
        """18.4 MB / 18,4 Mo."""
        units = ["o", "ko", "Mo", "Go", "To"] if self.language == "fr" else ["bytes", "kB", "MB", "GB", "TB"]
        size, unit = float(size_bytes), 0
        while size >= 1000 and unit < len(units) - 1:
            size, unit = size / 1000, unit + 1
        pattern = "#,##0.#" if unit > 1 else "#,##0"
        return f"{format_decimal(size, pattern, locale=self.language)}{NO_BREAK}{units[unit]}"

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166 code: FR is France, US is United States / États-Unis."""
        return str(Locale.parse(self.language).territories.get(code, code))

    def _number_of(self, day: date) -> str:
        """The pattern of a day's number and the space after it; the first of a month is the 1er in French."""
        ordinal = "er" if self.language == "fr" and day.day == 1 else ""
        return f"d'{ordinal}{NO_BREAK}'"
