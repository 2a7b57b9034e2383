"""Receipts: issued once, proven by anybody, personal to nobody."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar, Router
from litestar.datastructures import State

from portal import error_pages
from portal.assets import Assets
from portal.clock import SetClock
from portal.database import engine
from portal.evidence.verify import verify
from portal.identity import visitor
from portal.identity.mount import prepare
from portal.identity.tables import Subject
from portal.policy.load import load
from portal.rights.pages_receipts import public_routes, routes
from portal.rights.receipt_file import LARGEST_BYTES, NotGenuine, check, file_of, key_id, pem, signing_key, trusted_keys
from portal.rights.receipt_file import write as write_body
from portal.rights.receipts import Answer, Done, Found, Recipient, by_number, file_for, grouped, issue, number_of, read
from portal.rights.tables import SubjectRequest
from portal.settings import Settings, read_settings
from portal.web import templates

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs" / "receipts.md"
POLICY = load(ROOT / "policies" / "casagbic.toml")
SECRET = "a-key-that-is-long-enough-for-a-test"
EMAIL = "ana@person.example"
ANSWER = Answer(
    outcome="partly", answered=date(2026, 10, 17), rules="2026-11",
    done=(
        Done(category="prompts", title="Prompts and jobs", what="erased", records=248, source="platform"),
        Done(
            category="payments", title="Payments", what="kept", records=6, ground="Art. 17(3)(b)",
            until=date(2036, 12, 31),
        ),
        Done(category="logs", title="Logs", what="unreachable"),
    ),
    recipients=(Recipient(name="Anthropic", state="asked", on=date(2026, 10, 16)),),
    backups_gone_by=date(2026, 11, 16),
)  # fmt: skip
HTML = {"accept": "text/html"}


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings with a secret."""
    return read_settings({"HABEAS_SECRET_KEY": SECRET, "DATABASE_URL": database})


@pytest.fixture
async def asked(database: str, clock: SetClock) -> UUID:
    """A request of somebody."""
    person = Subject(id=uuid4(), email=EMAIL, created_at=clock())
    await person.save()
    request = SubjectRequest(
        id=uuid4(), reference="DR-2026-0147", subject=person.id, right="erasure", categories=["prompts"],
        language="en", received_at=datetime(2026, 10, 14, 22, 30, tzinfo=UTC), law_day=date(2026, 11, 16),
        due_day=date(2026, 11, 13),
    )  # fmt: skip
    await request.save()
    return request.id


@pytest.fixture
async def browser(settings: Settings, clock: SetClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with."""
    state = State({"policy": POLICY, "settings": settings, "clock": clock})
    async with httpx.AsyncClient() as nowhere:
        prepare(state, nowhere)
        app = Litestar(
            [*public_routes, Router("/{language:str}", route_handlers=[*routes])],
            middleware=[visitor.VisitorMiddleware()],
            exception_handlers={**error_pages.handlers, **visitor.handlers},
            template_config=templates(Assets(POLICY.colour).url), state=state, openapi_config=None,
        )  # fmt: skip
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
            yield client


async def issued(request: UUID, settings: Settings, clock: SetClock, answer: Answer = ANSWER) -> str:
    """Issue a receipt as a verb would."""
    async with engine().transaction():
        return await issue(request, answer, settings=settings, policy=POLICY, at=clock())


async def stored(request: UUID) -> Found:
    found = await file_for(request)
    assert found
    return found


async def test_a_receipt_says_what_was_done_and_names_nobody(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """All that was answered is in it; the person, their address and our id of them are not."""
    number = await issued(asked, settings, clock)
    found = await stored(asked)
    body = check(found.file, trusted_keys(settings))
    assert re.fullmatch(r"\d{20}", number)
    assert (body.number, body.reference, body.right) == (grouped(number), "DR-2026-0147", "erasure")
    assert body.received == date(2026, 10, 15), "in the controller's zone it was the next day already"
    assert (body.answered, body.outcome, body.done, body.recipients) == (
        ANSWER.answered, ANSWER.outcome, ANSWER.done, ANSWER.recipients,
    )  # fmt: skip
    assert body.backups_gone_by == ANSWER.backups_gone_by
    assert await number_of(asked) == grouped(number)
    row = (await Subject.select(Subject.id).first()) or {}
    for personal in (EMAIL, "ana", str(row["id"]), str(asked)):
        assert personal.encode() not in found.file.lower()


async def test_the_same_answer_gives_back_the_same_receipt(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """A job that comes again after a crash issues nothing new, and a rolled-back one leaves nothing behind."""
    with pytest.raises(RuntimeError, match="killed"):
        async with engine().transaction():
            lost = await issue(asked, ANSWER, settings=settings, policy=POLICY, at=clock())
            raise RuntimeError("killed")
    assert await file_for(asked) is None
    first = await issued(asked, settings, clock)
    before = await stored(asked)
    clock.advance(timedelta(hours=3))
    assert await issued(asked, settings, clock) == first == lost
    assert await stored(asked) == before


async def test_a_later_change_is_a_supplement(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """It has a number of its own, names the first, and either number leads to it."""
    first = await issued(asked, settings, clock)
    clock.advance(timedelta(days=9))
    later = msgspec.structs.replace(ANSWER, recipients=(Recipient(name="Anthropic", state="confirmed"),))
    second = await issued(asked, settings, clock, later)
    assert second != first
    body = check((await stored(asked)).file, trusted_keys(settings))
    assert (body.supplement, body.supplements, body.number) == (1, grouped(first), grouped(second))
    for number in (first, grouped(second), f" {grouped(first).replace('-', ' ')} "):
        found = await by_number(number)
        assert found
        assert found.number == second
    for wrong in ("", "1", first[:-1], first + "0", "9" * 20, "DR-2026-0147", "1 " * 400):
        assert await by_number(wrong) is None


async def test_it_holds_on_to_the_log(asked: UUID, settings: Settings, clock: SetClock, database: str) -> None:
    """A receipt names the entry before it by number and digest, and the log holds the receipt's own digest."""
    await issued(asked, settings, clock)
    await issued(asked, settings, clock, msgspec.structs.replace(ANSWER, outcome="fulfilled"))
    body = check((await stored(asked)).file, trusted_keys(settings))
    connection = await asyncpg.connect(database)
    report = await verify(connection, {body.evidence.seq: body.evidence.digest})
    events = await connection.fetch("SELECT event, reference FROM evidence ORDER BY seq")
    await connection.close()
    assert (report.broken, report.anchors) == (None, 1)
    assert [tuple(row) for row in events] == [("rights:receipt:issued", "DR-2026-0147")] * 2


async def test_whatever_is_changed_in_the_file_is_found(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """There is no byte in the file that can become another one."""
    await issued(asked, settings, clock)
    file, trusted = (await stored(asked)).file, trusted_keys(settings)
    assert json.loads(file)["receipt"]["reference"] == "DR-2026-0147"
    assert check(file.replace(b"\n", b"\r\n") + b" \r\n", trusted) == check(b"\xef\xbb\xbf" + file, trusted)
    changed = [
        file.replace(b"248", b"249"), file.replace(b'"kept"', b'"erased"'), file.replace(b": 6,", b": 6 ,"),
        file.replace(b"Art. 17(3)(b)", b""), file[: len(file) // 2], file.splitlines()[1], b"", b"{}", b"\xff\xfe",
        re.sub(rb'"signature":"..', b'"signature":"AA', file), re.sub(rb'"signature":"[^"]*', b'"signature":"', file),
        re.sub(rb',"key":"[0-9a-f]{16}"}', b',"key":"0000000000000000"}', file), b"x" * (LARGEST_BYTES + 1),
        file.replace(b"\n", b""),
    ]  # fmt: skip
    for wrong in changed:
        assert wrong != file
        with pytest.raises(NotGenuine):
            check(wrong, trusted)
    for number in range(len(file)):
        for bits in (0x01, 0x80, 0xFF):
            flipped = file[:number] + bytes([file[number] ^ bits]) + file[number + 1 :]
            with pytest.raises(NotGenuine):
                check(flipped, trusted)


async def test_nothing_can_be_said_beside_what_is_signed(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """The last line has one form alone: nothing left out, put in, doubled, moved, or written in another way."""
    await issued(asked, settings, clock)
    file, trusted = (await stored(asked)).file, trusted_keys(settings)
    start = file.rindex(b"\n,") + 1
    first, tail = file[:start], file[start:]
    found = re.fullmatch(rb',("signature":"([^"]*)"),("algorithm":"Ed25519"),("key":"([^"]*)")}\n', tail)
    assert found
    signature, code, algorithm, key, _ = found.groups()
    # The last digit before "==" has four bits that stand for nothing.
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = code[:-3] + digits[digits.index(code[-3:-2]) ^ 1 :][:1] + b"=="
    parts = (
        (signature, key), (signature, b'"algorithm":"none"', key), (key, algorithm, signature),
        (signature, signature, algorithm, key), (b'"signature":"AA=="', signature, algorithm, key),
        (signature, algorithm, key, b'"outcome":"fulfilled"'), (b'"signature":"' + other + b'"', algorithm, key),
        (signature, algorithm, b" " + key), (signature.replace(b"sig", b"\\u0073ig"), algorithm, key),
    )  # fmt: skip
    for wrong in parts:
        with pytest.raises(NotGenuine):
            check(first + b"," + b",".join(wrong) + b"}\n", trusted)
    for blanks in (b"", b"\r\n", b"\n\n  "):
        assert check(file.rstrip() + blanks, trusted) == check(file, trusted)


async def test_another_key_proves_nothing(asked: UUID, settings: Settings, clock: SetClock) -> None:
    """A forger signs well, with a key that is not ours, under our key's name or their own."""
    await issued(asked, settings, clock)
    body = check((await stored(asked)).file, trusted_keys(settings))
    forger = Ed25519PrivateKey.generate()
    content, signature = write_body(body, forger)
    for name in (key_id(signing_key(settings).public_key()), key_id(forger.public_key())):
        with pytest.raises(NotGenuine):
            check(file_of(content, signature, name), trusted_keys(settings))


async def test_old_receipts_outlive_a_new_secret_key(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient
) -> None:
    """With the former key named they are genuine; its public half stays published in any case."""
    await issued(asked, settings, clock)
    found = await stored(asked)
    changed = {"HABEAS_SECRET_KEY": "n" * 40}
    with pytest.raises(NotGenuine):
        read(found, read_settings(changed))
    assert read(found, read_settings({**changed, "HABEAS_FORMER_SECRET_KEYS": SECRET})).reference == "DR-2026-0147"
    browser._transport.app.state.settings = read_settings(changed)  # type: ignore[attr-defined]
    old = await browser.get(f"/.well-known/habeas-receipt-keys/{found.key}.pem")
    assert old.text == pem(signing_key(settings).public_key())
    now = await browser.get("/.well-known/habeas-receipt-key.pem")
    assert now.status_code == 200
    assert now.text != old.text
    assert (await browser.get("/.well-known/habeas-receipt-keys/0000000000000000.pem")).status_code == 404


async def test_openssl_alone_verifies_it(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The three commands that the page prints, word for word, on the file that was downloaded."""
    await issued(asked, settings, clock)
    (tmp_path / "DR-2026-0147.receipt.json").write_bytes((await stored(asked)).file)
    (tmp_path / "habeas-receipt-key.pem").write_text((await browser.get("/.well-known/habeas-receipt-key.pem")).text)
    html = (await browser.get("/en/receipt", headers=HTML)).text
    printed = re.search(r"<pre[^>]*><code>(.*?)</code>", html, re.DOTALL)
    assert printed
    commands = printed[1].replace("&gt;", ">")
    assert commands in await asyncio.to_thread(DOCS.read_text)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)

    good = await asyncio.to_thread(run)
    assert (good.returncode, good.stdout.strip()) == (0, "Signature Verified Successfully"), good.stderr
    file = tmp_path / "DR-2026-0147.receipt.json"
    file.write_bytes(file.read_bytes().replace(b"248", b"249"))
    assert (await asyncio.to_thread(run)).returncode == 1


async def test_the_page_checks_file_text_and_number(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient
) -> None:
    """A file shows everything that was signed; a number shows status and dates; neither sets a cookie."""
    number = await issued(asked, settings, clock)
    file = (await stored(asked)).file
    empty = await browser.get("/fr/receipt", headers=HTML)
    assert "Vérifier un reçu" in empty.text
    uploaded = await browser.post("/en/receipt", files={"file": ("r.json", file, "application/json")}, headers=HTML)
    pasted = await browser.post("/en/receipt", data={"text": file.decode().replace("\n", "\r\n")}, headers=HTML)
    typed = await browser.post("/en/receipt", data={"number": grouped(number)}, headers=HTML)
    for answer in (uploaded, pasted, typed):
        assert answer.status_code == 200
        assert "This receipt is genuine." in answer.text
        assert "Thursday 15" in answer.text
        assert EMAIL not in answer.text
        assert "set-cookie" not in answer.headers
    for answer in (uploaded, pasted):
        assert "248 records erased." in answer.text
        assert "Anthropic" in answer.text
    assert "records" not in typed.text.partition("<form")[0]
    assert "Payments" not in typed.text.partition("<form")[0]


async def test_the_page_says_no_in_two_ways(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient
) -> None:
    """A changed file is false; a number that is not right is unknown, whatever is wrong with it."""
    number = await issued(asked, settings, clock)
    file = (await stored(asked)).file.replace(b"248", b"249")
    wrong = await browser.post("/en/receipt", files={"file": ("r.json", file, "application/json")}, headers=HTML)
    assert "This is not a receipt as we signed it." in wrong.text
    assert "249" not in wrong.text
    near = number[:-1] + str((int(number[-1]) + 1) % 10)
    answers = {
        (await browser.post("/en/receipt", data={"number": typed}, headers=HTML)).text
        for typed in (near, "0" * 20, "nonsense", "DR-2026-0147")
    }
    assert len(answers) == 1
    assert "We know no receipt with this number." in answers.pop()
    nothing = await browser.post("/en/receipt", data={"number": " "}, headers=HTML)
    assert nothing.status_code == 422
    assert "Type the number, or choose the file." in nothing.text


async def test_a_later_supplement_is_mentioned(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient
) -> None:
    """Whoever shows the first one learns that there is more."""
    await issued(asked, settings, clock)
    file = (await stored(asked)).file
    second = await issued(asked, settings, clock, msgspec.structs.replace(ANSWER, outcome="fulfilled"))
    shown = await browser.post("/en/receipt", files={"file": ("r.json", file, "application/json")}, headers=HTML)
    assert grouped(second) in shown.text


async def test_guessing_numbers_is_slowed_down(browser: httpx.AsyncClient, database: str) -> None:
    """After thirty tries in ten minutes one has to wait."""
    statuses = [
        (await browser.post("/en/receipt", data={"number": str(n)}, headers=HTML)).status_code for n in range(31)
    ]
    assert set(statuses[:30]) == {200}
    assert statuses[30] == 429


async def test_a_forged_row_is_not_believed(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient, database: str
) -> None:
    """Somebody who owns the database cannot make the page vouch for anything; a trigger refuses the rest of us."""
    number = await issued(asked, settings, clock)
    connection = await asyncpg.connect(database)
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute("UPDATE receipt SET supplement = 3")
    await connection.execute("ALTER TABLE receipt DISABLE TRIGGER ALL")
    await connection.execute(
        "UPDATE receipt SET body = convert_to(replace(convert_from(body, 'UTF8'), 'partly', 'fulfilled'), 'UTF8')"
    )
    await connection.close()
    shown = await browser.post("/en/receipt", data={"number": number}, headers=HTML)
    assert "This is not a receipt as we signed it." in shown.text


async def test_a_receipt_is_downloaded_by_its_person_alone(
    asked: UUID, settings: Settings, clock: SetClock, browser: httpx.AsyncClient
) -> None:
    """Somebody who is not signed in is sent to sign in."""
    await issued(asked, settings, clock)
    answer = await browser.get("/en/requests/DR-2026-0147/receipt", headers=HTML)
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["location"]
