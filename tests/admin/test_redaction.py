"""The page on which staff look at what may name others: shut without a reason, decided place by place, logged."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from admin.tables import StaffSession, StaffUser
from admin.who import COOKIE
from portal.app import create_app
from portal.rights.intake import withdraw
from portal.rights.requests import RequestView, find
from tests.rights.conftest import house
from tests.rights.shop import events_of
from tests.rights.test_redaction import Desk, desk, press
from tests.web_app import browsing

__all__ = ["desk", "house", "press"]

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
ANSWER = re.compile(r'name="answer-([0-9a-f-]{36})"')


class Room:
    """A browser of a member of staff, and a request whose copy is held."""

    def __init__(self, client: httpx.AsyncClient, desk: Desk, request: RequestView) -> None:
        self.client, self.desk, self.request = client, desk, request
        self.path = f"/en/staff/desk/{request.reference}/redaction"

    async def sign_in(self, *roles: str) -> None:
        """Become somebody with these roles."""
        name = "-".join(roles)
        user = StaffUser(username=name, email=f"{name}@casagbic.example", password="", active=True, roles=[*roles])
        await StaffUser.raw(
            "INSERT INTO staff_user (username, password, first_name, last_name, email, active, admin, superuser,"
            " name, roles) VALUES ({}, '', '', '', {}, true, true, false, {}, {})",
            user.username, user.email, name, [*roles],
        )  # fmt: skip
        row = await StaffUser.select(StaffUser.id).where(StaffUser.username == name).first()
        assert row is not None
        token = await StaffSession.begin(row["id"], at=self.desk.house.clock(), confirmed=True)
        self.client.cookies.set(COOKIE, token, domain="127.0.0.1")

    async def open(self, language: str = "en") -> str:
        """Return the page."""
        page = await self.client.get(self.path.replace("/en/", f"/{language}/"))
        assert page.status_code == 200, page.status_code
        return page.text

    async def send(self, do: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
        """Send one of its forms."""
        token = TOKEN.findall(await self.open())[0]
        return await self.client.post(self.path, data={"csrf": token, "do": do, **(fields or {})})


@pytest.fixture
async def room(desk: Desk, tmp_path: Path) -> AsyncIterator[Room]:
    """A handler before Ana's held copy."""
    request = await desk.ask()
    shop = desk.shop
    app = create_app(shop.policy, shop.settings, shop.clock, sources=shop.sources, storage=shop.storage)
    async with browsing(app) as client:
        room = Room(client, desk, request)
        await room.sign_in("handler")
        yield room


async def test_no_word_is_shown_without_a_reason(room: Room) -> None:
    """The page says how many places there are; the passage comes after a reason, which is evidence."""
    text = await room.open()
    assert "One place is undecided." in text and "bob@other" not in text and not ANSWER.findall(text)
    assert (await room.send("decide", {"ground": "others"})).status_code == 422
    assert (await room.send("look", {"reason": "nothing"})).status_code == 422
    assert (await room.send("look", {"reason": "decide"})).status_code == 303
    text = await room.open()
    assert "<mark>bob@other.example.csv</mark>" in text
    assert "staff:person:looked" in await events_of(room.request.reference)


async def test_a_copy_is_decided_released_and_logged(room: Room) -> None:
    """Answer, ground, release: the copy leaves without it; page and files show place, ground and who, and no word."""
    await room.send("look", {"reason": "decide"})
    (place,) = set(ANSWER.findall(await room.open()))
    wrong = await room.send("decide", {f"answer-{place}": "passage"})
    assert wrong.status_code == 422 and "Nothing is withheld without a ground" in wrong.text
    assert f'name="answer-{place}" value="passage" checked' in wrong.text
    assert (await room.send("release")).status_code == 422
    assert (await room.send("decide", {f"answer-{place}": "passage", "ground": "others"})).status_code == 303
    text = await room.open()
    assert "This passage is withheld" in text and "It would harm somebody else" in text and "handler" in text
    assert (await room.send("release")).status_code == 303
    await room.desk.work()
    assert (await find(room.request.reference, room.desk.subject)).outcome == "partly"
    log = await room.client.get(f"{room.path}/log.json")
    (logged,) = json.loads(log.text)["places"]
    assert (logged["answer"], logged["ground"], logged["field"], logged["number"]) == ("passage", "others", "name", 1)
    sheet = await room.client.get(f"{room.path}/log.csv")
    assert sheet.text.count("\r\n") == 2 and "attachment" in sheet.headers["content-disposition"]
    assert "bob" not in log.text + sheet.text + await room.open()
    told = (await room.client.get(f"/en/staff/desk/{room.request.reference}")).text
    for once in ("Copy held back: it may name other people", "Copy ready, without what is withheld"):
        assert told.count(once) == 1
    assert "Your copy was ready" not in told and f"{room.path}/log.csv" in told
    assert (await room.send("release")).status_code == 409


async def test_marked_words_are_withheld_and_can_be_taken_back(room: Room) -> None:
    """Words without a sign are typed; what was marked by mistake is marked no more."""
    await room.send("look", {"reason": "decide"})
    nowhere = await room.send("words", {"words": "zzz", "category": "uploads", "ground": "others"})
    assert nowhere.status_code == 422 and 'value="zzz"' in nowhere.text
    assert (await room.send("words", {"words": "MINE", "category": "account", "ground": "others"})).status_code == 422
    await room.send("words", {"words": "MINE", "category": "uploads", "ground": "secret"})
    text = await room.open()
    assert "words that one of us marked" in text
    marked = re.findall(r'name="place" value="([^"]+)"', text)[0]
    await room.send("again", {"place": marked})
    assert "words that one of us marked" not in await room.open()
    assert (await room.send("again", {"place": "x"})).status_code == 404


async def test_a_silent_system_is_said(room: Room) -> None:
    """Where the text cannot be read it is not shown, and words cannot be looked for."""
    await room.send("look", {"reason": "decide"})
    room.desk.platform.down = True
    assert "It cannot be shown now" in await room.open()
    answer = await room.send("words", {"words": "mine", "category": "uploads", "ground": "others"})
    assert answer.status_code == 503 and "did not answer" in answer.text


@pytest.mark.parametrize("role", ["intake", "approver", "breach", "auditor", "admin"])
async def test_only_who_may_see_and_decide_gets_in(room: Room, role: str) -> None:
    """Everybody else is refused, which is evidence; the auditor may read the log."""
    await room.sign_in(role)
    for method in ("GET", "POST"):
        assert (await room.client.request(method, room.path)).status_code == 403
    assert "staff:refused" in await events_of(room.request.reference)
    log = await room.client.get(f"{room.path}/log.json")
    assert log.status_code == (403 if role == "admin" else 200)


async def test_a_request_whose_copy_was_never_held_has_no_such_page(room: Room) -> None:
    """404, as for a request that does not exist."""
    path = room.path.replace(room.request.reference, "DR-2026-9999")
    assert (await room.client.get(path)).status_code == 404


async def test_a_request_that_ended_meanwhile_has_nothing_to_decide(room: Room) -> None:
    """Withdrawn while it was held: the page says so, shows no text, and a form from before changes nothing."""
    await room.send("look", {"reason": "decide"})
    form = {"csrf": TOKEN.findall(await room.open())[0], "do": "release"}
    shop = room.desk.shop
    await withdraw(
        room.request.reference, room.desk.subject, policy=shop.policy, settings=shop.settings, at=shop.clock()
    )
    text = await room.open()
    assert "no copy leaves" in text and "<mark>" not in text and 'name="do"' not in text
    assert (await room.client.post(room.path, data=form)).status_code == 409


async def test_it_speaks_french(room: Room) -> None:
    """Every sentence is there in both languages."""
    await room.send("look", {"reason": "decide"})
    text = await room.open("fr")
    assert "D’autres personnes dans cette copie" in text and "Écarter ce passage" in text
