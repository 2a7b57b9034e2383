"""Who of the staff may do what, as one table that a person can read. A new page or verb gets its row here.

`yes` it is open to this role · `-` it is refused, nothing changes, and that they tried is evidence · `own` it is about
whoever asks, and open to everybody of the staff · `door` it is open to anybody, for that is how they get in.
"""

from collections.abc import Mapping

from admin.roles import Role

ROUTES = """
                                                     intake handler approver dpo breach auditor admin
GET  /staff/desk                                     yes    yes     yes      yes yes    yes     -
GET  /staff/find                                     yes    yes     yes      yes yes    yes     -
POST /staff/find                                     yes    yes     yes      yes yes    yes     -
GET  /staff/bulk                                     yes    yes     yes      yes yes    yes     -
POST /staff/bulk                                     yes    yes     yes      yes yes    yes     -
GET  /staff/bulk/extend                              -      yes     -        yes -      -       -
POST /staff/bulk/extend                              -      yes     -        yes -      -       -
GET  /staff/desk/{reference:str}                     yes    yes     yes      yes yes    yes     -
POST /staff/desk/{reference:str}                     yes    yes     yes      yes yes    yes     -
GET  /staff/desk/{reference:str}/data                yes    yes     yes      yes yes    yes     -
POST /staff/desk/{reference:str}/data                -      yes     yes      yes -      -       -
POST /staff/desk/{reference:str}/notes               yes    yes     yes      yes -      -       -
POST /staff/desk/{reference:str}/owner               yes    yes     yes      yes -      -       -
GET  /staff/desk/{reference:str}/redaction           -      yes     -        yes -      -       -
POST /staff/desk/{reference:str}/redaction           -      yes     -        yes -      -       -
GET  /staff/desk/{reference:str}/redaction/log.csv   yes    yes     yes      yes yes    yes     -
GET  /staff/desk/{reference:str}/redaction/log.json  yes    yes     yes      yes yes    yes     -
POST /staff/tasks/{task:uuid}                        -      yes     -        yes -      -       -
GET  /staff/requests/new                             yes    yes     -        yes -      -       -
POST /staff/requests/new                             yes    yes     -        yes -      -       -
GET  /staff/approvals                                yes    yes     yes      yes yes    yes     -
GET  /staff/approvals/{approval:uuid}                yes    yes     yes      yes yes    yes     -
POST /staff/approvals/{approval:uuid}                -      -       yes      yes -      -       -
GET  /staff/figures                                  -      -       yes      yes yes    yes     -
GET  /staff/figures.csv                              -      -       yes      yes yes    yes     -
GET  /staff/figures.json                             -      -       yes      yes yes    yes     -
GET  /staff/ccpa-7102.csv                            -      -       yes      yes yes    yes     -
GET  /staff/ccpa-7102.json                           -      -       yes      yes yes    yes     -
GET  /staff/registers                                -      -       yes      yes yes    yes     -
GET  /staff/processing                               -      -       yes      yes yes    yes     -
POST /staff/registers/requests                       -      -       yes      yes yes    yes     -
POST /staff/registers/processing                     -      -       yes      yes yes    yes     -
GET  /staff/failures                                 -      -       -        yes -      -       yes
POST /staff/failures                                 -      -       -        yes -      -       yes
GET  /staff/failures/{reference:str}                 -      yes     -        yes -      -       -
POST /staff/failures/{reference:str}                 -      yes     -        yes -      -       -
GET  /staff/reminders                                yes    yes     yes      yes yes    yes     -
POST /staff/reminders                                yes    yes     yes      yes yes    yes     -
GET  /staff/people                                   -      -       -        yes -      -       yes
GET  /staff/people/invite                            -      -       -        yes -      -       yes
POST /staff/people/invite                            -      -       -        yes -      -       yes
GET  /staff/people/{user:int}                        -      -       -        yes -      -       yes
POST /staff/people/{user:int}                        -      -       -        yes -      -       yes
GET  /staff/me                                       own
POST /staff/me/codes                                 own
GET  /staff/me/passkeys/new                          own
POST /staff/me/passkeys/new                          own
POST /staff/me/passkeys/{id:uuid}/remove             own
POST /staff/me/sessions/end-others                   own
POST /staff/me/single-sign-on                        own
POST /staff/me/single-sign-on/remove                 own
GET  /staff/confirm                                  own
POST /staff/confirm                                  own
POST /staff/confirm/sso                              own
GET  /staff/sign-in                                  door
POST /staff/sign-in                                  door
GET  /staff/sign-in/code                             door
POST /staff/sign-in/code                             door
GET  /staff/sign-in/link/{token:str}                 door
POST /staff/sign-in/link/{token:str}                 door
GET  /staff/factor                                   door
POST /staff/factor                                   door
POST /staff/sign-out                                 door
POST /staff/sso                                      door
GET  /staff/sso/callback                             door
GET  /staff/invitation/{token:str}                   door
POST /staff/invitation/{token:str}                   door
POST /staff/invitation/{token:str}/sso               door
"""
"""A POST to a request's page does what its `do` says: see `VERBS`."""

VERBS = """
                                            intake handler approver dpo breach auditor admin
ask                                         yes    yes     yes      yes -      -       -
write                                       yes    yes     yes      yes -      -       -
stop-clock                                  yes    yes     yes      yes -      -       -
unidentified                                yes    yes     -        yes -      -       -
identified                                  yes    yes     -        yes -      -       -
ask-sender                                  yes    yes     -        yes -      -       -
child-account                               yes    yes     -        yes -      -       -
extend                                      -      yes     -        yes -      -       -
refuse                                      -      yes     -        yes -      -       -
partly                                      -      yes     -        yes -      -       -
propose                                     -      yes     -        yes -      -       -
answer                                      -      yes     -        yes -      -       -
look                                        -      yes     -        yes -      -       -
begin                                       -      yes     -        yes -      -       -
pause-place                                 -      yes     -        yes -      -       -
pause-confirm                               -      yes     -        yes -      -       -
pause-decline                               -      yes     -        yes -      -       -
pause-end                                   -      yes     -        yes -      -       -
pause-keep                                  -      yes     -        yes -      -       -
use-place                                   -      yes     -        yes -      -       -
use-stop                                    -      yes     -        yes -      -       -
use-weigh                                   -      yes     -        yes -      -       -
consent-back                                -      yes     -        yes -      -       -
corrected                                   -      yes     -        yes -      -       -
correction-accept                           -      yes     -        yes -      -       -
correction-refuse                           -      yes     -        yes -      -       -
child-erase                                 -      yes     -        yes -      -       -
child-lift                                  -      yes     -        yes -      -       -
new-address                                 -      yes     -        yes -      -       -
"""


def read(table: str) -> Mapping[str, Mapping[Role, str]]:
    """Return row -> role -> cell."""
    lines = [line.split() for line in table.strip().splitlines()]
    roles, found = [Role(name) for name in lines[0]], {}
    for line in lines[1:]:
        words = 2 if line[0] in {"GET", "POST"} else 1
        name, cells = " ".join(line[:words]), line[words:]
        cells = cells * len(roles) if len(cells) == 1 else cells
        assert len(cells) == len(roles), f"the row {name} needs a cell for each role"
        assert name not in found, f"the row {name} is there twice"
        found[name] = dict(zip(roles, cells, strict=True))
    return found
