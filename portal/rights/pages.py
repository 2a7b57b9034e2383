"""Every page of the rights room, in one list for the app to mount under the language.

Always true here: a page parses, calls one verb and answers; nothing is decided in it.
"""

from litestar.types import ControllerRouterHandler

from portal.rights import (
    pages_address,
    pages_address_new,
    pages_ask,
    pages_category,
    pages_copy,
    pages_correct,
    pages_erase,
    pages_export,
    pages_home,
    pages_intake,
    pages_pause,
    pages_receipts,
    pages_requests,
    pages_say_no,
    pages_uses,
)

routes: list[ControllerRouterHandler] = [
    *pages_home.routes,
    *pages_category.routes,
    *pages_export.routes,
    *pages_copy.routes,
    *pages_requests.routes,
    *pages_ask.routes,
    *pages_intake.routes,
    *pages_erase.routes,
    *pages_correct.routes,
    *pages_address.routes,
    *pages_address_new.routes,
    *pages_pause.routes,
    *pages_say_no.routes,
    *pages_uses.routes,
    *pages_receipts.routes,
]
