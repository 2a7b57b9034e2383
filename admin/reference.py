"""The addresses by which Piccolo Admin writes the reference tables: they lead to our verbs, never to its own writing.

Always true here: Piccolo Admin itself runs read-only, so that there is no way round these two functions; they stand
behind its protection of forms. A mistake is told in the place where it shows the mistakes of a form.
"""

import json
from typing import Any
from uuid import UUID

from piccolo_admin.endpoints import AdminRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from admin.records import KEY, Asking
from portal.errors import Invalid, NotFound
from portal.rights import reference


def take_over_writing(app: AdminRouter) -> None:
    """Put our way to write before Piccolo Admin's."""
    app.router.routes.insert(0, Route("/api/tables/{table}/", create, methods=["POST"]))
    app.router.routes.insert(0, Route("/api/tables/{table}/{row}/", change, methods=["PATCH", "DELETE"]))


async def create(request: Request) -> Response:
    """Write a new row."""
    asking: Asking = request.scope[KEY]
    try:
        id = await reference.write(
            request.path_params["table"], await _values(request), policy=asking.policy, at=asking.at,
            actor=asking.staff.actor,
        )  # fmt: skip
    except Invalid as mistake:
        return _mistake(asking, mistake)
    return JSONResponse([{"id": str(id)}], status_code=201)


async def change(request: Request) -> Response:
    """Change a row, or take it away."""
    asking: Asking = request.scope[KEY]
    table, at, actor = request.path_params["table"], asking.at, asking.staff.actor
    try:
        id = UUID(request.path_params["row"])
        if request.method == "DELETE":
            await reference.remove(table, id, at=at, actor=actor)
            return Response(status_code=204)
        values = await _values(request)
        held = await reference.held(table, id)
        await reference.write(table, {**held, **values}, policy=asking.policy, at=at, actor=actor, id=id)
    except Invalid as mistake:
        return _mistake(asking, mistake)
    except (NotFound, ValueError):
        return JSONResponse({"detail": "Not Found"}, status_code=404)
    return JSONResponse(values)


async def _values(request: Request) -> dict[str, str]:
    """Return the columns that were sent. Raises: Invalid, for what is no row of texts."""
    try:
        sent: Any = json.loads(await request.body())
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise Invalid("This form could not be read. Go back, reload the page and try again.")
    found = {str(name): "" if value is None else value for name, value in sent.items() if name != "id"}
    if any(not isinstance(value, str) for value in found.values()):
        raise Invalid("This form could not be read. Go back, reload the page and try again.")
    return found


def _mistake(asking: Asking, mistake: Invalid) -> Response:
    detail = [{"loc": ["body", mistake.field or "form"], "msg": asking.words(mistake.sentence), "type": "value_error"}]
    return JSONResponse({"detail": detail}, status_code=422)
