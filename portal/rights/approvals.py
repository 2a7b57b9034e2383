"""Ask for what takes two people, and decide on it: yes, no, or never mind.

Always true here: another person says yes, with their reason, to exactly what was asked for, or nothing happens; where
only one could be asked, a day lies between and the evidence says `one_person` for good; what was to be done is sealed
until it is decided and gone afterwards. Source: law S-17, S-19, S-20; docs/decisions/0011-two-people.md.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
import msgspec
from piccolo.querystring import QueryString

from portal.database import engine
from portal.errors import Invalid
from portal.evidence import seal as seals
from portal.evidence.log import Details, append, canonical
from portal.rights import four_eyes
from portal.rights.approvals_rows import ApprovalView, Waiting, find, forget_key
from portal.rights.four_eyes import AlreadyAsked, Consent, NeedsSecond, NeedsTime, Overtaken, SamePerson, Verb
from portal.rights.lifecycle import NotPossible
from portal.rights.requests import RequestView, find_by_id
from portal.rights.tables_desk import Approval
from portal.settings import Settings

LONGEST_REASON = 1000
PURPOSE = "approval"

type Values = Mapping[str, Sequence[str]]
"""What exactly is to be done: the fields of a form, each with its values."""
type Then = Callable[[UUID], Awaitable[None]]
"""What else belongs into the transaction that asks: the mails."""


class What(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and why, as it was sealed; after the decision, both reasons."""

    values: dict[str, list[str]]
    reason: str
    answer: str = ""


async def ask(
    verb: Verb,
    request: RequestView | None,
    values: Values,
    reason: str,
    *,
    settings: Settings,
    at: datetime,
    actor: str,
    then: Then | None = None,
) -> UUID:
    """Ask a second person for exactly this. Nothing else changes. Returns the number of what waits.

    Raises:
        Invalid: no reason, or a long one.
        NotPossible: the request has moved on.
        AlreadyAsked: something about it waits already.
    """
    said, id = _reason(reason), uuid4()
    what = What(values={name: list(each) for name, each in values.items()}, reason=said)
    try:
        async with engine().transaction():
            held = await _unchanged(verb, request) if request else None
            key = held.owner if held else id
            sealed = await seals.seal(key, msgspec.json.encode(what), reference=str(id), settings=settings, at=at)
            digest = digest_of(verb, held, what.values, settings)
            await Approval(
                id=id, request=held.id if held else None, verb=str(verb), digest=digest, sealed=sealed.body,
                sealed_for=key, asked_by=actor, asked_at=at,
            ).save()  # fmt: skip
            details: Details = {"approval": str(id), "verb": str(verb), "digest": digest}
            reference = held.reference if held else ""
            await append("rights:approval:asked", at=at, actor=actor, reference=reference, details=details)
            if then is not None:
                await then(id)
    except asyncpg.UniqueViolationError:
        raise AlreadyAsked from None
    return id


async def read(approval: ApprovalView, settings: Settings) -> What | None:
    """Return what was asked for; None once it is gone, or the person's key is destroyed."""
    return (await read_each([approval], settings))[0]


async def read_each(found: Sequence[ApprovalView], settings: Settings) -> list[What | None]:
    """Return the same of several, in one query."""
    plain = await seals.unseal_each(
        [(one.sealed_for, str(one.id), one.sealed or b"") for one in found], settings=settings
    )
    return [msgspec.json.decode(one, type=What) if one else None for one in plain]


async def agree(
    approval: ApprovalView, seen: str, reason: str, *, alone: bool, settings: Settings, at: datetime, actor: str
) -> tuple[What, Consent]:
    """Return what to carry out, and the yes that its verb uses up in its own transaction. Changes nothing yet.

    `seen` is the digest on the page that the second person read; `alone` that nobody else could decide.

    Raises:
        Invalid: no reason, or a long one.
        SamePerson, NeedsTime: they asked for it themself.
        Overtaken: it does not wait any more, or is not what they saw.
    """
    said = _reason(reason)
    need_other(approval, alone=alone, at=at, actor=actor)
    request = await find_by_id(approval.request) if approval.request else None
    what = await read(approval, settings)
    if what is None or approval.state != "waiting":
        raise Overtaken
    now = digest_of(Verb(approval.verb), request, what.values, settings)
    if not hmac.compare_digest(now, approval.digest) or not hmac.compare_digest(seen.encode(), now.encode()):
        raise Overtaken
    answer = await _both(approval, What(values={}, reason=what.reason, answer=said), settings, at)
    return what, Consent(approval=approval.id, digest=now, alone=alone, answer=answer)


def need_other(approval: ApprovalView, *, alone: bool, at: datetime, actor: str) -> None:
    """Let another person decide, or the same one after a day. Raises: SamePerson, NeedsTime."""
    if approval.asked_by != actor:
        return
    if not alone:
        raise SamePerson
    if at < approval.asked_at + four_eyes.SLEEP_ON_IT:
        raise NeedsTime


async def use(consent: Consent | None, verb: Verb, request: RequestView | None, *, at: datetime, actor: str) -> None:
    """Use up the yes of a second person, inside the transaction of the verb, before the request moves.

    Raises:
        NeedsSecond: nobody was asked.
        SamePerson, NeedsTime: as `agree`.
        Overtaken: it does not wait any more.
    """
    if consent is None:
        raise NeedsSecond
    approval = await find(consent.approval)
    need_other(approval, alone=consent.alone, at=at, actor=actor)
    done = await (
        Approval.update({Approval.state: "approved", Approval.decided_by: actor, Approval.decided_at: at,
                         Approval.sealed: consent.answer})
        .where(
            (Approval.id == consent.approval) & (Approval.state == "waiting") & (Approval.verb == str(verb))
            & (Approval.digest == consent.digest)
            & (Approval.request == request.id if request else Approval.request.is_null())
        )
        .returning(Approval.id)
    )  # fmt: skip
    if not done:
        raise Overtaken
    details: Details = {
        **_named(approval), "asked_by": approval.asked_by, "one_person": approval.asked_by == actor,
    }  # fmt: skip
    reference = request.reference if request else ""
    await append("rights:approval:approved", at=at, actor=actor, reference=reference, details=details)


async def decline(
    approval: ApprovalView, reason: str, *, settings: Settings, at: datetime, actor: str, then: Then | None = None
) -> None:
    """Say no as the second person. Nothing else changes.

    Raises:
        Invalid: no reason, or a long one.
        SamePerson: whoever asked takes it back instead.
        Overtaken: it does not wait any more.
    """
    said = _reason(reason)
    if approval.asked_by == actor:
        raise SamePerson
    what = await read(approval, settings)
    if what is None:
        raise Overtaken
    left = What(values={}, reason=what.reason, answer=said)
    await _end(approval, "refused", await _both(approval, left, settings, at), at=at, actor=actor, then=then)


async def withdraw(approval: ApprovalView, *, at: datetime, actor: str) -> None:
    """Take back what one asked for oneself.

    Raises:
        NeedsSecond: somebody else asked for it; they can be told no instead.
        Overtaken: it does not wait any more.
    """
    if approval.asked_by != actor:
        raise NeedsSecond
    await _end(approval, "withdrawn", None, at=at, actor=actor, then=None)


async def waiting(*, alone: bool = False) -> list[Waiting]:
    """Return what waits for a second person, the most urgent first: by the day on which its request must be answered.

    `alone` as in `agree`: then a day must pass before it can be decided.
    """
    rows = await engine().run_querystring(
        QueryString(
            "SELECT a.id, a.verb, coalesce(r.reference, '') AS reference, a.asked_by, a.asked_at,"
            " coalesce(r.act_by_day, r.due_day) AS act_by_day FROM approval a LEFT JOIN subject_request r"
            " ON r.id = a.request WHERE a.state = 'waiting' ORDER BY act_by_day NULLS LAST, a.asked_at, a.id"
        )
    )
    wait = four_eyes.SLEEP_ON_IT if alone else four_eyes.SLEEP_ON_IT * 0
    return [msgspec.convert({**row, "can_decide_from": row["asked_at"] + wait}, Waiting) for row in rows]


def digest_of(verb: Verb, request: RequestView | None, values: Values, settings: Settings) -> str:
    """Return the keyed digest of what exactly is to be done, to which request as it stands now. HMAC-SHA-256."""
    stands = [request.reference, request.state, str(request.subject), sorted(request.categories)] if request else []
    said = canonical([str(verb), stands, {name: list(each) for name, each in values.items()}])
    return hmac.digest(settings.key(PURPOSE), said.encode(), "sha256").hex()


async def _end(
    approval: ApprovalView, state: str, sealed: bytes | None, *, at: datetime, actor: str, then: Then | None
) -> None:
    async with engine().transaction():
        done = await (
            Approval.update({Approval.state: state, Approval.decided_by: actor, Approval.decided_at: at,
                             Approval.sealed: sealed})
            .where((Approval.id == approval.id) & (Approval.state == "waiting"))
            .returning(Approval.id)
        )  # fmt: skip
        if not done:
            raise Overtaken
        reference = (await find_by_id(approval.request)).reference if approval.request else ""
        await append(f"rights:approval:{state}", at=at, actor=actor, reference=reference, details=_named(approval))
        if sealed is None:
            await forget_key(approval)
        if then is not None:
            await then(approval.id)


async def _both(approval: ApprovalView, what: What, settings: Settings, at: datetime) -> bytes | None:
    """Seal both reasons, with the key that sealed what was asked for. None when it is destroyed."""
    async with engine().transaction():
        if approval.request is not None:
            request = await find_by_id(approval.request)
            if request.subject != approval.sealed_for:
                return None
        sealed = await seals.seal(
            approval.sealed_for, msgspec.json.encode(what), reference=str(approval.id), settings=settings, at=at
        )  # fmt: skip
    return sealed.body


async def _unchanged(verb: Verb, request: RequestView) -> RequestView:
    """Return a request that nobody moves before we commit. Raises: NotPossible, when it has moved.

    Somebody who lost their mailbox needs another address also when their request was answered meanwhile.
    """
    await engine().connection.execute("SELECT FROM subject_request WHERE id = $1 FOR UPDATE", request.id)
    held = await find_by_id(request.id)
    ended = not held.is_open and verb is not Verb.NEW_ADDRESS
    if ended or held.state != request.state or held.subject is None:
        raise NotPossible
    return held


def _named(approval: ApprovalView) -> dict[str, str]:
    return {"approval": str(approval.id), "verb": approval.verb, "digest": approval.digest}


def _reason(reason: str) -> str:
    said = reason.replace("\r\n", "\n").strip()
    if not said:
        raise Invalid("Say why, in a sentence.", field="because")
    if len(said) > LONGEST_REASON:
        raise Invalid("Shorten it to 1,000 characters.", field="because")
    return said
