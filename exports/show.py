"""How a value is shown to a person: dates, money, sizes and yes or no in their language and time zone.

Always true here: a value of an unexpected shape is shown as it is; showing never fails and never runs anything.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date
from babel.numbers import UnknownCurrencyError, format_currency, format_decimal, get_currency_precision, is_currency

from exports.order import Column
from exports.text import visible
from exports.words import phrases

NO_BREAK = "\N{NO-BREAK SPACE}"
EMPTY = "–"
LONG = 40
"""Digits."""
_encoder = msgspec.json.Encoder(decimal_format="number")


class Show:
    """Shows values in one language and one time zone."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language
        self.words = phrases(language)
        self.zone = ZoneInfo(zone)

    def value(self, column: Column, record: Mapping[str, object]) -> str:
        """Return a field as a person reads it."""
        value = record.get(column.id)
        if value is None or value == "":
            return EMPTY
        if isinstance(value, str) and value in column.values:
            return column.values[value]
        try:
            return self._as(column.kind, value, record)
        except (ValueError, ArithmeticError, UnknownCurrencyError):
            return _plain(value)

    def _as(self, kind: str, value: object, record: Mapping[str, object]) -> str:  # noqa: PLR0911  one a kind
        match kind, value:
            case _, bool():
                return self.words.yes if value else self.words.no
            case "moment", str():
                return self.short_moment(_instant(value))
            case "day", str():
                return self.short_day(date.fromisoformat(value[:10]))
            case "money", _:
                return self.money(value, record)
            case "number", int() | Decimal() | str():
                return self.number(Decimal(value))
            case "size", int():
                return self.size(value)
            case _:
                return _plain(value)

    def short_day(self, day: date) -> str:
        """14 Oct 2026 / 14 oct. 2026."""
        return format_date(day, f"d'{NO_BREAK}'MMM'{NO_BREAK}'y", locale=self.language)

    def short_moment(self, instant: datetime) -> str:
        """14 Oct 2026, 09:02 / 14 oct. 2026, 9 h 02."""
        local = instant.astimezone(self.zone)
        return f"{self.short_day(local.date())}, {self._time(local)}"

    def moment(self, instant: datetime) -> str:
        """14 October 2026 at 09:02 / 14 octobre 2026 à 9 h 02."""
        local = instant.astimezone(self.zone)
        day = format_date(local.date(), f"d'{NO_BREAK}'MMMM'{NO_BREAK}'y", locale=self.language)
        return f"{day} {'à' if self.language == 'fr' else 'at'} {self._time(local)}"

    def money(self, value: object, record: Mapping[str, object]) -> str:
        """€20.00 / 20,00 €: an amount in major units, with the record's `currency` or its own."""
        if isinstance(value, dict):
            return self.money(value.get("amount"), value)
        amount, currency = Decimal(str(value)), str(record.get("currency", "")).upper()
        if not is_currency(currency) or _is_huge(amount):
            return self.number(amount)
        exact = -amount.normalize().as_tuple().exponent <= get_currency_precision(currency)  # type: ignore[operator]
        return format_currency(amount, currency, locale=self.language, decimal_quantization=exact)

    def number(self, number: int | Decimal) -> str:
        """1,310 / 1 310, with every decimal there is."""
        if _is_huge(Decimal(number)):
            return str(number)
        return format_decimal(number, locale=self.language, decimal_quantization=False)

    def size(self, size_bytes: int) -> str:
        """18.4 MB / 18,4 Mo."""
        units = ("o", "ko", "Mo", "Go", "To") if self.language == "fr" else ("bytes", "kB", "MB", "GB", "TB")
        size, unit = Decimal(size_bytes), 0
        while size >= 1000 and unit < len(units) - 1:
            size, unit = size / 1000, unit + 1
        return format_decimal(size, "#,##0.#" if unit > 1 else "#,##0", locale=self.language) + NO_BREAK + units[unit]

    def _time(self, local: datetime) -> str:
        if self.language == "fr":
            return f"{local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"
        return f"{local.hour:02d}:{local.minute:02d}"


def _is_huge(number: Decimal) -> bool:
    """True for what grouping digits would not make more readable, and for NaN and infinity."""
    return not number.is_finite() or len(number.as_tuple().digits) > LONG or abs(number.adjusted()) > LONG


def _instant(text: str) -> datetime:
    """Read an ISO 8601 instant. Raises: ValueError, also when it does not say its offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant


def _plain(value: object) -> str:
    """Return text as it is, anything else as JSON, harmless on paper."""
    return visible(value if isinstance(value, str) else _encoder.encode(value).decode())
