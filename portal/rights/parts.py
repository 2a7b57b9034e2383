"""The plan items of an export: one source and one category each, with the progress people watch.

Always true here: a source that fails becomes a `PartError` with a reason and no words, and never touches the others.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from uuid import UUID

from exports.order import Batch, Part, PartError, StoredFile
from portal.errors import SourceError, SourceRefused, SourceUnsupported
from portal.policy.model import Policy, SourceSpec
from portal.rights.person import cannot_tell
from portal.rights.requests import RequestView
from portal.rights.tables import ExportPart
from portal.sources.base import Identifiers, Source
from portal.sources.registry import Identified, Sources


async def open_parts(
    sources: Sources, policy: Policy, request: RequestView, person: Identified, stack: AsyncExitStack
) -> Mapping[str, tuple[Part, ...]]:
    """Return the parts of each chosen category, reading each source as it is at one moment.

    Snapshots live as long as `stack`. A source that cannot be opened gives parts that fail when they are read.
    """
    counts = await sources.count(person.identifiers)
    found: dict[str, list[Part]] = {category: [] for category in request.categories}
    for spec in policy.sources:
        wanted = [category for category in request.categories if spec in policy.sources_of(category)]
        if not wanted:
            continue
        view = await _view(sources.get(spec.id), spec, policy, person, stack)
        expected = counts[spec.id]
        for category in wanted:
            number = None if expected is None else expected.get(category, 0)
            found[category].append(_part(spec, request.language, view, person.identifiers, category, number))
    return {category: tuple(parts) for category, parts in found.items()}


async def _view(
    source: Source, spec: SourceSpec, policy: Policy, person: Identified, stack: AsyncExitStack
) -> Source | PartError:
    if cannot_tell(spec, policy, person):
        return PartError("unavailable")
    try:
        return await stack.enter_async_context(source.snapshot())
    except SourceError as error:
        return PartError(reason_of(error))


def _part(
    spec: SourceSpec, language: str, view: Source | PartError, subject: Identifiers, category: str, expected: int | None
) -> Part:
    async def batches() -> AsyncIterator[Batch]:
        if isinstance(view, PartError):
            raise view
        try:
            async for batch in view.collect(subject, category):
                yield batch
        except SourceError as error:
            raise PartError(reason_of(error)) from error

    async def files() -> AsyncIterator[StoredFile]:
        if isinstance(view, PartError):
            raise view
        try:
            async for file in view.files(subject, category):
                yield _guarded(file)
        except SourceError as error:
            raise PartError(reason_of(error)) from error

    return Part(
        source=spec.id, source_title=spec.title[language], expected=expected, batches=batches, files=files
    )  # fmt: skip


def _guarded(file: StoredFile) -> StoredFile:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            async for piece in file.open():
                yield piece
        except SourceError as error:
            raise PartError(reason_of(error)) from error

    return StoredFile(name=file.name, media_type=file.media_type, size_bytes=file.size_bytes, open=pieces)


def reason_of(error: SourceError) -> str:
    """Return what is kept of a source's error: unavailable, refused or unsupported."""
    if isinstance(error, SourceUnsupported):
        return "unsupported"
    return "refused" if isinstance(error, SourceRefused) else "unavailable"


async def plan(request: UUID, readers: Mapping[str, tuple[Part, ...]]) -> None:
    """Write down what will be read, anew for each attempt; what people see starts again at zero."""
    await ExportPart.delete().where(ExportPart.request == request)
    rows = [
        ExportPart(request=request, source=part.source, category=category, position=position, expected=part.expected)
        for position, (category, part) in enumerate(
            (category, part) for category, parts in readers.items() for part in parts
        )
    ]
    if rows:
        await ExportPart.insert(*rows)


async def progressed(request: UUID, category: str, source: str, done: int) -> bool:
    """Note how far a part is; parts are read in turn, so those before it are done.

    Returns True when the request was withdrawn meanwhile.
    """
    rows = await ExportPart.raw(
        "WITH here AS (SELECT position FROM export_part WHERE request = {} AND category = {} AND source = {})"
        " UPDATE export_part p SET done = CASE WHEN p.position = here.position THEN {} ELSE p.done END,"
        " state = CASE WHEN p.position < here.position OR {} >= p.expected THEN 'done' ELSE 'working' END"
        " FROM here, subject_request r WHERE p.request = {} AND r.id = p.request"
        " AND (p.position = here.position OR p.position < here.position AND p.state <> 'done') RETURNING r.closed_at",
        request, category, source, done, done, request,
    )  # fmt: skip
    return bool(rows and rows[0]["closed_at"])
