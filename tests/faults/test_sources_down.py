"""A far end that is down or stumbles: the rest is delivered, what is missing is said everywhere, and comes later."""

import asyncio
import io
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pikepdf
import pytest

from demo.faults import Fault as FileFault
from demo.resend.faults import Fault as MailFault
from demo.stripe import Fault as StripeFault
from portal.policy.load import load
from tests.faults.conftest import Visit
from tests.faults.house import House

LONG = 10_000
"""As many failing answers as a long outage has."""

type Breaks = Callable[[House], Awaitable[None]]


async def stripe_answers_500(house: House) -> None:
    house.stack.stripe.fail(StripeFault.ERROR, times=LONG)


async def files_are_busy(house: House) -> None:
    house.files.fail(*[FileFault.BUSY] * LONG)


async def files_are_cut(house: House) -> None:
    house.files.fail(*[FileFault.CUT] * LONG)


async def platform_refuses(house: House) -> None:
    await house.platform("ALTER ROLE habeas_reader CONNECTION LIMIT 0")
    await house.platform("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'habeas_reader'")


@asynccontextmanager
async def broken(house: House, breaks: Breaks) -> AsyncIterator[None]:
    """Break something while the block runs."""
    await breaks(house)
    try:
        yield
    finally:
        house.mend()
        await house.platform("ALTER ROLE habeas_reader CONNECTION LIMIT 20")


@pytest.mark.parametrize(
    ("number", "breaks", "missing", "delivered"),
    [
        (0, stripe_answers_500, {("payments", "stripe")}, "prompts"),
        (1, files_are_busy, {("uploads", "uploads")}, "payments"),
        (2, files_are_cut, {("uploads", "uploads")}, "payments"),
    ],
)
async def test_a_source_that_is_down_is_named_everywhere_and_fetched_when_it_is_back(
    casagbic: House, visit: Visit, number: int, breaks: Breaks, missing: set[tuple[str, str]], delivered: str
) -> None:
    """Page, request, manifest, data and PDF name what is missing; the retry completes it with one more mail."""
    person = await visit(casagbic, casagbic.email("ordinary", number))
    async with broken(casagbic, breaks):
        reference = await person.ask()
        page = await person.copy(reference, "Part of your copy is ready")
        archive = await person.archive(reference)
    assert "did not answer" in page
    assert "We try again every 10 minutes" in page
    assert "We try again every 10 minutes" in (await person.open(f"/requests/{reference}")).text
    manifest = json.loads(archive.read("manifest.json"))
    assert not manifest["complete"]
    assert {(one["section"], one["source"]) for one in manifest["missing"]} == missing
    assert json.loads(archive.read("data.json"))["missing"] == manifest["missing"]
    assert archive.read(f"data/{delivered}.jsonl")
    for title in await titles_of(casagbic, missing):
        assert title in said_by(archive.read("report.pdf"))
    await casagbic.let_the_retry_come_now()
    await person.copy(reference)
    assert json.loads((await person.archive(reference)).read("manifest.json"))["complete"]
    assert len(await casagbic.parcels(reference)) == 1
    assert await casagbic.orphans() == set()
    assert len(await casagbic.ready_mails(person.email, reference)) == 2


async def test_a_platform_that_refuses_us_is_named_and_what_hangs_on_it_is_not_called_empty(
    casagbic: House, visit: Visit
) -> None:
    """With no account known, only what we hold ourselves is delivered; nothing else is said to be nothing."""
    person = await visit(casagbic, casagbic.email("ordinary", 3))
    async with broken(casagbic, platform_refuses):
        assert (await person.open()).status_code == 200
        reference = await person.ask()
        await person.copy(reference, "Part of your copy is ready")
        manifest = json.loads((await person.archive(reference)).read("manifest.json"))
    assert {one["source"] for one in manifest["missing"]} == {"platform", "stripe", "uploads"}
    await casagbic.let_the_retry_come_now()
    await person.copy(reference)
    assert json.loads((await person.archive(reference)).read("manifest.json"))["complete"]


async def test_what_stumbles_is_asked_again_without_anybody_noticing(casagbic: House, visit: Visit) -> None:
    """Stripe's 429s and 500s, S3's 503 and cut streams, Resend's refusals: one whole copy, each mail once."""
    person = await visit(casagbic, casagbic.email("ordinary", 4))
    casagbic.stack.mail.fail(MailFault.TOO_MANY, times=2)
    casagbic.stack.mail.fail(MailFault.ERROR)
    casagbic.stack.mail.fail(MailFault.ACCEPTED_ERROR)
    casagbic.stack.mail.fail(MailFault.ACCEPTED_BROKEN)
    casagbic.stack.mail.fail(MailFault.GATEWAY)
    casagbic.stack.stripe.fail(StripeFault.TOO_MANY, times=2)
    casagbic.stack.stripe.fail(StripeFault.ERROR)
    reference = await person.ask()
    casagbic.files.fail(FileFault.BUSY, FileFault.PASS, FileFault.RESET, FileFault.CUT)
    await person.copy(reference)
    assert json.loads((await person.archive(reference)).read("manifest.json"))["complete"]
    assert len(await casagbic.ready_mails(person.email, reference)) == 1
    await nothing_sent_twice(casagbic)


async def test_a_mail_that_meets_silence_is_sent_once(casagbic: House, visit: Visit) -> None:
    """Whether the provider took it before it fell silent or not, the code arrives and arrives once."""
    first, second = await visit(casagbic), await visit(casagbic)
    casagbic.stack.mail.fail(MailFault.ACCEPTED_SILENCE)
    casagbic.stack.mail.fail(MailFault.SILENCE)
    emails = casagbic.email("ordinary", 5), casagbic.email("ordinary", 11)
    await asyncio.gather(first.sign_in(emails[0]), second.sign_in(emails[1]))
    for email in emails:
        assert len(await casagbic.mails(email)) == 1
    await nothing_sent_twice(casagbic)


async def nothing_sent_twice(house: House) -> None:
    """Every accepted mail had a key of its own, and its words came once to its address.

    Two downloads of one minute are two events, and their notices say the same words.
    """
    sent = house.stack.mail.messages()
    assert all(mail.key for mail in sent)
    assert len({mail.key for mail in sent}) == len(sent)
    once = [mail for mail in sent if "was downloaded" not in mail.params["subject"]]
    assert len({(*mail.to, mail.params["subject"], mail.params["text"]) for mail in once}) == len(once)


async def titles_of(house: House, missing: set[tuple[str, str]]) -> list[str]:
    """Return what a person calls the missing categories and their sources."""
    policy = load(Path(house.stack.environment["HABEAS_POLICY"]))
    sources = {source.id: source.title["en"] for source in policy.sources}
    return [title for category, source in missing for title in (policy.category(category).title["en"], sources[source])]


def said_by(pdf: bytes) -> str:
    """Return the text of a PDF, its lines joined."""
    with pikepdf.open(io.BytesIO(pdf)):
        done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())
