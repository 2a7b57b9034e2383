"""What Today calls things: rights, what is next, why it is urgent, who has it, and days that fit into a row.

Always true here: a row says what to do, never only how far it is; no person is named but staff.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from babel.dates import format_date

from admin.desk_words import days_in_words, task_in_words
from admin.roles import Permission
from admin.who import Staff
from portal.policy.model import Policy
from portal.rights.queue import Row
from portal.rights.reminders import STEPS
from portal.words import NO_BREAK, Words

MINUTES: Mapping[str, int] = {
    "approve": 2, "reply": 3, "task": 3, "wait": 2, "identify": 3, "decide": 2, "watch": 1, "failure": 2,
}  # fmt: skip
"""How long one thing of each kind takes somebody who knows the desk. Rough, and the same for everybody: it is there to
say whether today is five minutes or a morning. Measured on nobody."""


def title_of(words: Words, row: Row) -> str:
    """Say what a request asks for, as staff call it. Raises: KeyError."""
    if row.right == "complaint" and row.about:
        return words("Complaint about {reference}", reference=row.about)
    return {
        "access": words("See: a copy"), "portability": words("Take along: a copy to reuse"),
        "rectification": words("Correct"), "erasure": words("Erase"), "restriction": words("Pause"),
        "objection": words("Say no to a use"), "consent": words("Take a consent back"),
        "automated": words("Look again at a decision"), "inquiry": words("Question"),
        "complaint": words("Complaint"), "child": words("Report about a child’s account"),
    }[row.right]  # fmt: skip


def next_of(words: Words, policy: Policy, row: Row, staff: Staff, today: date) -> str:
    """Say what is to be done next with a request."""
    if row.action == "task" and row.task:
        more = row.tasks - 1
        first = task_in_words(words, policy, row.task, words.language)
        return f"{first} {words.plural('and one more task', 'and {count} more tasks', more)}" if more else first
    if row.action == "wait":
        return _waiting(words, row, today)
    if row.action == "decide":
        return _decision(words, row.right)
    others = row.asked_by == staff.actor or not staff.may(Permission.APPROVE)
    return {
        "approve": words("Waits for a second person") if others else words("Approve or refuse, as the second person"),
        "reply": words("Answer what the person wrote"),
        "identify": words("Check the report") if row.right == "child" else words("Find out who it is"),
    }.get(row.action) or _by_itself(words, row)


def why_of(words: Words, row: Row, today: date, names: Mapping[int, str]) -> str:
    """Say in short sentences why a request is in today's plan."""
    said = " ".join(one for one in _reasons(words, row, today, names) if one)
    return said.replace("..", ".")  # French shortens its months with a full stop


def owner_of(words: Words, row: Row, names: Mapping[int, str]) -> str:
    """Say who has a request."""
    if row.assignee is not None:
        return names.get(row.assignee) or words("A former colleague")
    return words("Automatic") if row.automatic else words("Nobody yet")


def weekday(words: Words, day: date) -> str:
    """Sat 17 Oct / sam. 17 oct., which does not break."""
    return format_date(day, "EEE d MMM", locale=words.language).replace(" ", NO_BREAK)


def act_in_words(words: Words, row: Row, today: date) -> str:
    """Return the day that counts, and the day on which to act when that is an earlier one."""
    due = weekday(words, row.due_day)
    if row.act_by >= row.due_day or row.due_day < today:
        return due
    day = format_date(row.act_by, "EEE", locale=words.language)
    return words("{due}: act {day}", due=due, day=day)


def other_day(words: Words, row: Row) -> str:
    """Return the later of promise and law: the earlier one leads. Empty when they are one."""
    if row.promise_day is None or row.promise_day == row.law_day:
        return ""
    if row.promise_day < row.law_day:
        return words("law: {day}", day=weekday(words, row.law_day))
    return words("promise: {day}", day=weekday(words, row.promise_day))


def duration(words: Words, minutes: int) -> str:
    """Say about how long it takes: minutes up to two hours, then hours."""
    if minutes <= 120:
        return words.plural("about one minute", "about {count} minutes", minutes)
    return words.plural("about one hour", "about {count} hours", -(-minutes // 60))


def _reasons(words: Words, row: Row, today: date, names: Mapping[int, str]) -> Iterator[str]:
    if row.closed_at is None:
        yield from _urgency(words, row, today)
    if row.task and row.closed_at is not None:
        yield words("The task is due on {day}.", day=weekday(words, row.task.due_day))
    if row.action == "approve":
        yield words("A second person waits.")
    if row.written:
        yield words("The person has written.")
    if row.task and row.task.kind == "silent":
        yield words("A place is silent.")
    if row.closed_at is None:
        yield _who(words, row, names)


def _urgency(words: Words, row: Row, today: date) -> Iterator[str]:
    tomorrow = today + timedelta(days=1)
    if row.due_day < today:
        late = days_in_words(words, row.due_day, today)
        yield f"{late[:1].upper()}{late[1:]}."
    elif row.act_by < row.due_day and row.act_by <= today:
        yield words("Act today: {day} is no working day.", day=weekday(words, row.due_day))
    elif row.due_day == today:
        yield words("Due today.")
    elif row.due_day == tomorrow:
        yield words("Due tomorrow.")
    elif row.act_by == tomorrow:
        yield words("Act by tomorrow: {day} is no working day.", day=weekday(words, row.due_day))
    else:
        yield words("Due on {day}.", day=weekday(words, row.due_day))


def _who(words: Words, row: Row, names: Mapping[int, str]) -> str:
    if row.assignee is not None:
        return words("{name} has it.", name=owner_of(words, row, names))
    return words("The worker is at it.") if row.automatic else words("Nobody has it.")


def _waiting(words: Words, row: Row, today: date) -> str:
    """Say when we asked, and when the next reminder goes."""
    if row.asked_at is None:
        return words("Waits for the person; the clock keeps running")
    asked = row.asked_at.astimezone(words.zone).date()
    reminders = sorted(asked + timedelta(days=days) for days, _ in STEPS)
    following = next((day for day in reminders if day > today), None)
    if row.act_by <= today + timedelta(days=1) or following is None:
        return words("Asked on {day}, no answer: decide without it", day=weekday(words, asked))
    return words(
        "We asked on {day}; a reminder goes on {next}", day=weekday(words, asked), next=weekday(words, following)
    )


def _by_itself(words: Words, row: Row) -> str:
    if row.closed_at is not None:
        return words("Nothing: it has ended")
    return words("A part is missing: tried again by itself") if row.state == "ready" else words("Running by itself")


def _decision(words: Words, right: str) -> str:
    return {
        "rectification": words("Decide: change or refuse"), "erasure": words("Decide: erase or refuse"),
        "restriction": words("Decide: pause or decline"), "objection": words("Decide: balance of interests"),
        "consent": words("Decide: stop the use"), "automated": words("Look, and decide as a person"),
        "inquiry": words("Answer the question"), "complaint": words("Answer the complaint"),
    }.get(right) or words("Decide: give the copy or refuse")  # fmt: skip
