"""The rules a date rests on, in words. Numbers and texts are those of the rule book: D4 is its rule D4.

Always true here: every text is an English msgid; a page says it with `words(rule.text, **rule.values)`.
"""

from collections.abc import Mapping

import msgspec


class Rule(msgspec.Struct, frozen=True):
    """One rule that was applied. `values` fill the names in `text`."""

    id: str
    text: str
    values: Mapping[str, str | int] = {}

    @property
    def english(self) -> str:
        """The sentence in English, filled in."""
        return self.text.format(**self.values)


RULES: Mapping[str, Rule] = {
    "zone": Rule("D1", "The day of receipt is the day it was in {zone}."),
    "count": Rule("D3", "The day of receipt is not counted. A month ends on the same date, or on its last day."),
    "month": Rule("D4", "The law gives one month."),
    "roll": Rule("D4", "The law’s last day is no working day: it moves to the next one."),
    "promise": Rule("D6", "We promise an answer within {days} days. Nothing moves that day."),
    "earlier": Rule("D7", "Of the promised day and the law’s day, the earlier one counts."),
    "extended": Rule("D9", "One extension, with its reason sent in time. It is counted from receipt."),
    "extended-unsafe": Rule("D9", "The extension was sent after the safe day, on which the month ends."),
    "extended-late": Rule("D9", "The extension was sent after the law’s last day: it does not count."),
    "strict": Rule("D10", "An extension does not move the promised day."),
    "counts": Rule("D10", "The extension was sent in time to be the promised answer: the law’s day counts."),
    "counts-late": Rule("D10", "The extension came too late to be the promised answer: the promised day stays."),
    "asking": Rule("D11", "Asking the person something does not move the law’s day."),
    "decree": Rule("D12", "While proof of identity is awaited, the month stands still (décret 2019-536, Art. 77)."),
    "asked-late": Rule("D12", "Identity was asked for more than {days} days after receipt: the month goes on."),
    "paused": Rule("D13", "Days on which the clock stood still: {days}."),
    "suspended": Rule("D13", "The clock stands still until the person answers."),
    "restart": Rule("D14", "United Kingdom: the month begins when the last thing asked for arrives."),
    "clarified": Rule("D14", "United Kingdom: days spent waiting for a clarification do not count: {days}."),
    "asked-after": Rule("D14", "United Kingdom: what is asked after the last day does not move it."),
    "joined": Rule("D16", "It was joined with another request: the earliest receipt counts."),
    "several": Rule("2d", "Several laws apply: the earliest day counts."),
    "california": Rule("2d", "California: 45 days, which include checking who asks. They do not move for holidays."),
    "brazil": Rule("2d", "Brazil: 15 days for a full statement."),
    "brazil-small": Rule("2d", "Brazil: 30 days for a small agent."),
    "no-extension": Rule("2d", "Brazil knows no extension."),
    "ack": Rule("2d", "California: acknowledge within 10 business days."),
    "ack-complaint": Rule("2d", "United Kingdom: acknowledge a complaint within 30 days."),
}  # fmt: skip


def rule(key: str, **values: str | int) -> Rule:
    """Return the rule that `RULES` keeps under `key`, filled in with `values`."""
    return msgspec.structs.replace(RULES[key], values=values) if values else RULES[key]
