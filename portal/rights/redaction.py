"""What is left out of a copy for the sake of other people: it is held for a look, decided place by place, and released.

Always true here: a held copy keeps its day; a decision names a ground, a place and a digest, never a word; nothing is
released while a place is undecided, and never everything is withheld. Each step is one transaction with its evidence.
Source: GDPR Art. 15(4), 20(4), recital 63; law/rules.md, 2b row 15.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from piccolo.columns.combination import And

from exports.review import Found, NeedsLook
from portal.database import engine
from portal.errors import Invalid
from portal.evidence.log import Details, append
from portal.jobs import enqueue
from portal.rights.lifecycle import NotPossible, State, move
from portal.rights.redaction_look import ANSWERS, WITHHELD, look_of, waiting
from portal.rights.requests import RequestView
from portal.rights.tables import Task
from portal.rights.tables_redaction import CopyLook, Redaction
from portal.rights.tasks import open_task

GROUNDS: Mapping[str, Mapping[str, str]] = {
    "others": {"access": "others-copy", "portability": "others-portability"},
    "secret": {"access": "secret-copy", "portability": "secret-portability"},
    "privilege": {"access": "privilege", "portability": "privilege"},
}
"""Ground -> right -> the id of its reason in `letters.reasons`."""

BEING_MADE: tuple[State, ...] = ("working",)
HELD: tuple[State, ...] = ("deciding",)


async def hold(request: RequestView, need: NeedsLook, *, at: datetime) -> None:
    """Hold a copy until somebody has looked: what was found anew takes the place of what was undecided. Idempotent.

    A copy in which nothing would be left is decided anew, all of it.
    """
    async with engine().transaction():
        if not await _lock(request.id):
            return
        await Redaction.delete().where((Redaction.request == request.id) & (Redaction.answer == ""))
        await _mark_lost(request.id, need)
        await _add(request.id, need.found)
        await CopyLook.raw(
            "INSERT INTO copy_look (id, request, texts, found_at) VALUES (gen_random_uuid(), {}, {}, {})"
            " ON CONFLICT (request) DO UPDATE SET texts = excluded.texts, found_at = excluded.found_at,"
            " released_at = NULL",
            request.id, need.texts, at,
        )  # fmt: skip
        details: Details = {"places": len(need.found), "changed": len(need.lost)}
        with suppress(NotPossible):
            await move(
                request.id, request.reference, "deciding", event="look-needed", at=at, actor="worker",
                start=BEING_MADE, details=details,
            )  # fmt: skip
        await append("rights:copy:held", at=at, actor="worker", reference=request.reference, details=details)
        if not await Task.exists().where(_is_look(request.id)):
            await open_task(request.id, request.reference, "redact", "", due=request.due_day, at=at)


async def decide(
    request: RequestView, answers: Mapping[UUID, str], ground: str, *, at: datetime, actor: str
) -> None:  # fmt: skip
    """Note what becomes of some places; `gone` is the answer to one whose text is not there any more.

    Raises:
        Invalid: an answer that is none, or something is withheld without a ground.
        NotPossible: the copy is not held.
    """
    if not set(answers.values()) <= {*ANSWERS, "gone"}:
        raise Invalid("Choose one of them.", field="answers")
    if set(answers.values()) & {*WITHHELD} and ground not in GROUNDS:
        raise Invalid("Choose why it is withheld. Nothing is withheld without a ground.", field="ground")
    async with engine().transaction():
        await _need_held(request.id)
        for id, answer in answers.items():
            await Redaction.raw(
                "UPDATE redaction SET lost = false, by = {}, at = {}, ground = CASE WHEN {} THEN {} ELSE '' END,"
                " answer = CASE WHEN {} = 'passage' AND NOT cuttable THEN 'whole' ELSE {} END"
                " WHERE id = {} AND request = {} AND lost = ({} = 'gone')",
                actor, at, answer in WITHHELD, ground, answer, answer, id, request.id, answer,
            )  # fmt: skip
        counts = {answer: list(answers.values()).count(answer) for answer in sorted(set(answers.values()))}
        await append(
            "rights:redaction:decided", at=at, actor=actor, reference=request.reference,
            details={"ground": ground, **counts},
        )  # fmt: skip


async def withhold_words(
    request: RequestView, found: Sequence[Found], ground: str, *, at: datetime, actor: str
) -> None:  # fmt: skip
    """Withhold passages that a person of ours has found.

    Raises:
        Invalid: there is none, or no ground.
        NotPossible: the copy is not held.
    """
    if ground not in GROUNDS:
        raise Invalid("Choose why it is withheld. Nothing is withheld without a ground.", field="ground")
    if not found:
        raise Invalid("These words are in none of the texts that are looked at.", field="words")
    async with engine().transaction():
        await _need_held(request.id)
        added = await _add(request.id, found)
        if not added:
            return
        await Redaction.raw(
            "UPDATE redaction SET answer = CASE WHEN cuttable THEN 'passage' ELSE 'whole' END, ground = {}, by = {},"
            " at = {} WHERE id = ANY({})",
            ground, actor, at, added,
        )  # fmt: skip
        details: Details = {"ground": ground, "passage": len(added)}
        await append(
            "rights:redaction:added", at=at, actor=actor, reference=request.reference, details=details
        )  # fmt: skip


async def decide_again(request: RequestView, id: UUID, *, at: datetime, actor: str) -> None:
    """Take one decision back. What a person of ours had marked themselves is no longer marked. Raises: NotPossible."""
    async with engine().transaction():
        await _need_held(request.id)
        await Redaction.delete().where(
            (Redaction.id == id) & (Redaction.request == request.id) & (Redaction.sign == "words")
        )  # fmt: skip
        await Redaction.update({Redaction.answer: "", Redaction.ground: "", Redaction.lost: False}).where(
            (Redaction.id == id) & (Redaction.request == request.id)
        )  # fmt: skip
        await append("rights:redaction:reopened", at=at, actor=actor, reference=request.reference)


async def release(request: RequestView, *, at: datetime, actor: str) -> None:
    """Let the copy be made, without what is withheld. It is searched again then, so that nothing new slips through.

    Raises:
        Invalid: a place is undecided, or everything would be withheld.
        NotPossible: the copy is not held.
    """
    async with engine().transaction():
        await _need_held(request.id)
        look = await look_of(request.id)
        assert look is not None
        if look.undecided:
            raise Invalid("Decide on every place first.", field="answers")
        if look.everything:
            raise Invalid(
                "Not everything may be withheld: leave out what is about others, and give the rest (Art. 15(4), "
                "recital 63).", field="answers",
            )  # fmt: skip
        await CopyLook.update({CopyLook.released_at: at}).where(CopyLook.request == request.id)
        await Task.update({Task.state: "done", Task.ended_at: at, Task.ended_by: actor}).where(_is_look(request.id))
        withheld = sum(one.answer in WITHHELD for one in look.places)
        details: Details = {"places": len(look.places), "withheld": withheld}
        with suppress(NotPossible):
            await move(
                request.id, request.reference, "working", event="looked-over", at=at, actor=actor,
                start=HELD, details=details,
            )  # fmt: skip
        await append("rights:copy:released", at=at, actor=actor, reference=request.reference, details=details)
        key = f"export:{request.id}:look:{look.found_at.timestamp():.0f}"
        await enqueue("rights.export", {"request": str(request.id)}, key=key)


async def _mark_lost(request: UUID, need: NeedsLook) -> None:
    places = [one.place for one in need.lost]
    await Redaction.raw("UPDATE redaction SET lost = place = ANY({}) WHERE request = {}", places, request)
    if need.empty:
        await Redaction.raw("UPDATE redaction SET answer = '', ground = '' WHERE request = {}", request)


async def _add(request: UUID, found: Sequence[Found]) -> list[UUID]:
    """Add places that are not there yet. Returns their ids."""
    rows = await Redaction.select(Redaction.place, Redaction.start, Redaction.length).where(
        Redaction.request == request
    )
    there = {(row["place"], row["start"], row["length"]) for row in rows}
    new = [
        Redaction(
            request=request, source=one.source, category=one.section, part=one.part, field=one.field, place=one.place,
            number=one.number, start=one.start, length=one.length, size=one.size, sign=one.sign,
            cuttable=one.cuttable, digest=one.digest,
        )
        for one in found
        if (one.place, one.start, one.length) not in there
    ]  # fmt: skip
    for start in range(0, len(new), 500):
        await Redaction.insert(*new[start : start + 500])
    return [one.id for one in new]


async def _lock(request: UUID) -> bool:
    """Keep others off a request until we commit. Returns False when it has ended."""
    row = await engine().connection.fetchrow(
        "SELECT closed_at FROM subject_request WHERE id = $1 FOR UPDATE", request
    )  # fmt: skip
    return row is not None and row["closed_at"] is None


async def _need_held(request: UUID) -> None:
    if not await _lock(request) or await waiting(request) is None:
        raise NotPossible


def _is_look(request: UUID) -> And:
    return (Task.request == request) & (Task.kind == "redact") & Task.ended_at.is_null()
