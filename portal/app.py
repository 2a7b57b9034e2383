"""The web application: every room's pages under their language, behind one edge.

Always true here: the rooms do not know each other; what they share is in the state of the app, put there once.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath
from litestar.response import Redirect

from admin import pages as staff
from admin.mount import staff_records
from admin.openid import staff_single_sign_on
from admin.who import after_error
from admin.who import handlers as staff_errors
from exports.storage import Storage
from portal import error_pages, health
from portal.assets import Assets
from portal.clock import Clock
from portal.database import engine
from portal.disclosures import pages as disclosures
from portal.edge import answering_head, compressing_pages
from portal.errors import NotFound
from portal.gate import Gate, guarded
from portal.headers import secured
from portal.identity import pages as identity
from portal.identity.mount import identity as signing_in
from portal.identity.visitor import VisitorMiddleware
from portal.identity.visitor import handlers as identity_errors
from portal.kept import answer
from portal.logs import logged
from portal.mail import webhooks
from portal.policy.model import Policy
from portal.rights import pages as rights
from portal.rights import pages_receipts as receipts
from portal.rights.order import SCHEMA_PATH
from portal.settings import Settings
from portal.sources.registry import Sources
from portal.web import Req, assets_of, language_for, language_of, templates

FOR_A_YEAR = "public, max-age=31536000, immutable"
LARGEST_BODY_BYTES = 64 * 1024
SCHEMA = Path(__file__).parent.parent / "exports" / "schema" / "habeas-export-1.schema.json"


def create_app(
    policy: Policy, settings: Settings, clock: Clock, *, sources: Sources, storage: Storage, gate: Gate | None = None
) -> Litestar:
    """Return the application of one organisation. Its lifespan keeps the database pool.

    Whoever keeps `gate` decides whether anybody is let in; without one everybody is.
    """
    assets = Assets(policy.colour)
    metrics = health.Metrics()
    app = Litestar(
        [*open_to_all(), *pages(), *staff.doors, staff_records(settings, policy=policy, clock=clock)],
        before_request=refuse_nonsense,
        debug=False,
        after_exception=[after_error],
        exception_handlers={**error_pages.handlers, **identity_errors, **staff_errors},
        lifespan=[pooled, signing_in, staff_single_sign_on],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=LARGEST_BODY_BYTES,
        state=State(
            {
                "policy": policy, "settings": settings, "clock": clock, "sources": sources, "storage": storage,
                "assets": assets, "metrics": metrics, "public_pages": {},
            }
        ),
        template_config=templates(assets.url),
    )  # fmt: skip
    inner = compressing_pages(answering_head(guarded(app.asgi_handler, gate or Gate())))
    app.asgi_handler = logged(secured(inner, policy, settings), metrics.seen)
    return app


def open_to_all() -> list[Router | Callable[..., object]]:
    """Return what is the same for everyone and has no visitor: files, health, disclosures, machines' doors."""
    return [
        front_door, robots, export_schema, static_file, *health.routes, *webhooks.routes,
        *receipts.public_routes,
        Router("/{language:str}", route_handlers=disclosures.routes),
    ]  # fmt: skip


def pages() -> list[Router]:
    """Return the pages that know their visitor; to those of staff it does not matter who is signed in as a person."""
    ours = [*identity.routes, *rights.routes]
    return [
        Router("/{language:str}", route_handlers=ours, middleware=[VisitorMiddleware()]),
        Router("/{language:str}", route_handlers=staff.routes, middleware=[VisitorMiddleware(sessions=False)]),
    ]


@get("/", sync_to_thread=False)
def front_door(request: Req) -> Redirect:
    """Lead to the home page in the browser's language, or the organisation's first."""
    return Redirect(f"/{language_for(request)}", status_code=303, headers={"Vary": "Accept-Language"})


@get("/static/{path:path}", sync_to_thread=False)
def static_file(request: Req, path: FromPath[str]) -> Response[bytes]:
    """Serve a static file; one with the right `v` for a year. Raises: NotFound."""
    file = assets_of(request).get(path.removeprefix("/"))
    if file is None:
        raise NotFound
    caching = FOR_A_YEAR if request.query_params.get("v") == file.digest else "public, no-cache"
    return answer(request, file, caching=caching)


@get("/robots.txt", sync_to_thread=False)
def robots() -> Response[str]:
    """Ask search engines to stay away: these pages are for the people who were sent here."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain", headers={"Cache-Control": "max-age=86400"})


@get(SCHEMA_PATH, sync_to_thread=False)
def export_schema() -> Response[bytes]:
    """Publish the JSON Schema of `data.json`."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(SCHEMA.read_bytes(), media_type="application/schema+json", headers=headers)


async def refuse_nonsense(request: Req) -> None:
    """Refuse addresses that no page of ours has, before a page or the database meets them.

    PostgreSQL stores no NUL, and a control character in an address is never a person's.

    Raises:
        NotFound: for a language that we do not speak, and for control characters in the path.
        ClientException: for control characters in the query.
    """
    if "language" in request.path_params:
        language_of(request)
    if any(character < " " or character in "\x7f\ufffd" for character in request.scope["path"]):
        raise NotFound
    if any("\x00" in value for value in request.query_params.values()):
        raise ClientException


@asynccontextmanager
async def pooled(_: Litestar) -> AsyncIterator[None]:
    """Keep a connection pool open while the app runs, unless whoever started us keeps one already."""
    if engine().pool is not None:
        yield
        return
    async with engine().pooled():
        yield
