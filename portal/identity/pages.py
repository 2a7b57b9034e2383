"""All pages of this room, to be mounted under `/{language:str}`.

Always true here: nothing is decided in this file.
"""

from portal.identity import pages_account, pages_provider, pages_sign_in, pages_step_up

routes = [*pages_sign_in.routes, *pages_provider.routes, *pages_step_up.routes, *pages_account.routes]
