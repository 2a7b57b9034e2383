"""People at the forms that need no session: browsers that send them, the mail they get, and the worker run by hand."""

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape

import httpx
import msgspec
from piccolo.querystring import QueryString

from exports.press import Press
from portal.database import engine
from portal.identity.send import send_code
from portal.identity.tables import SignInAttempt
from portal.mail.tables import Mail, MailBody
from portal.rights import intake_begin, intake_child
from portal.rights.tables import SubjectRequest
from portal.rights.tables_intake import IntakeForm
from portal.rights.workshop import Workshop
from portal.sources.registry import Sources
from tests.rights.conftest import HTML, House

TOKEN = re.compile(r'name="csrf" value="([^"]*)"')
CODE = re.compile(r"^ +(\d{3})\s?(\d{3})$", re.MULTILINE)
ANA, BEN = "ana@person.example", "ben@person.example"
HANDLERS = {
    "rights.begin": intake_begin.begin_proven, "rights.child": intake_child.freeze,
    "rights.child-erase": intake_child.erase,
}  # fmt: skip


def workshop(house: House) -> Workshop:
    """What the worker has, without a press: no copy is made here."""
    sources = Sources(list(house.sources.values()))
    return Workshop(house.policy, house.settings, house.clock, sources, house.storage, Press.__new__(Press))  # type: ignore[arg-type]


class Visitor:
    """One browser without a session."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = house.anybody()

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, headers=HTML)

    async def send(
        self, page: str, fields: Mapping[str, str], *, to: str = "", file: tuple[str, bytes, str] | None = None
    ) -> httpx.Response:
        """Open a page and send its form."""
        found = TOKEN.search((await self.get(page)).text)
        assert found, page
        data = {"csrf": unescape(found[1]), **fields}
        if page.endswith("/agent") and not to:
            files = {"file": file} if file else {"nothing": (None, b"")}
            answer = await self.client.post(page, data=data, files=files, headers=HTML)
        else:
            answer = await self.client.post(to or page, data=data, headers=HTML)
        await send_codes(self.house)
        self.house.clock.advance(timedelta(seconds=1))
        return answer

    async def confirm(self) -> httpx.Response:
        """Type the code of the newest mail."""
        return await self.send("/en/ask/sent", {"code": await last_code(self.house)})


async def nobody_knows(_: str) -> bool:
    """No system knows anybody."""
    return False


async def send_codes(house: House) -> None:
    """Do what the worker does with codes that were asked for."""
    for row in await SignInAttempt.select(SignInAttempt.id).where(SignInAttempt.sent_at.is_null()):
        await send_code(row["id"], house.policy, house.settings, house.clock, nobody_knows)


async def last_code(house: House, kind: str = "mailbox") -> str:
    """The code in the newest mail of a kind."""
    await send_codes(house)
    found = CODE.search(await last_mail(kind))
    assert found
    return found[1] + found[2]


async def last_mail(kind: str) -> str:
    """The text of the newest mail of a kind."""
    rows = await MailBody.select(MailBody.text).where(MailBody.mail.kind == kind).order_by(
        MailBody.mail.created_at, ascending=False
    )  # fmt: skip
    assert rows, kind
    return str(rows[0]["text"])


async def last_link(kind: str) -> str:
    """The path of the link in the newest mail of a kind."""
    found = re.search(r"https?://[^/\s]+(/\S+)", await last_mail(kind))
    assert found
    return found[1]


async def mails_to(address: str) -> list[str]:
    """The kinds of mails to an address, oldest first."""
    rows = await Mail.select(Mail.kind).where(Mail.to_address == address).order_by(Mail.created_at)
    return [row["kind"] for row in rows]


async def work(house: House) -> list[str]:
    """Run the jobs of this room that wait, once each. Returns their names."""
    rows = await engine().run_querystring(
        QueryString("SELECT entrypoint, payload, id FROM pgqueuer WHERE entrypoint LIKE 'rights.%' ORDER BY id")
    )
    done = []
    for row in rows:
        payload = msgspec.json.decode(row["payload"])
        if row["entrypoint"] in HANDLERS:
            await HANDLERS[row["entrypoint"]](workshop(house), payload)
            await engine().run_querystring(QueryString("DELETE FROM pgqueuer WHERE id = {}", row["id"]))
        done.append(row["entrypoint"])
    return done


async def rows() -> list[dict[str, object]]:
    """Every request, oldest first."""
    return await SubjectRequest.select().order_by(SubjectRequest.reference)


async def forms() -> list[dict[str, object]]:
    """Every form, oldest first."""
    return await IntakeForm.select().order_by(IntakeForm.sent_at)
