"""Nothing is lost and nothing is sent twice, whatever the provider does. The stand-in is the judge."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from demo.resend import Fault, StandIn
from portal.clock import SetClock
from portal.database import engine
from portal.errors import Invalid
from portal.evidence.tables import Evidence
from portal.jobs import Later, Worker
from portal.mail.outbox import post
from portal.mail.outcome import UNKNOWN
from portal.mail.sender import KEY_LIFE, Sender, works
from portal.mail.tables import Mail, MailBody
from portal.policy.model import Policy
from portal.settings import read_settings
from tests.mail.conftest import Ticker, later
from tests.mail.steps import TO, has_words, message, state, try_once, try_until_done, written


async def test_a_mail_is_sent_and_its_words_are_deleted(
    database: str, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """Accepted, provider's id kept, words gone, evidence written."""
    id = await written(clock)
    await sender.send({"mail": str(id)})
    [sent] = standin.messages(to=TO)
    assert sent.key == str(id)
    assert sent.described()["reply_to"] == ["privacy@casagbic.example"]
    [row] = await Mail.select().where(Mail.id == id)
    assert (row["state"], row["provider_id"], row["accepted_at"]) == ("accepted", sent.id, clock())
    assert not await has_words(id)
    assert await Evidence.select(Evidence.event, Evidence.reference) == [
        {"event": "mail:message:accepted", "reference": "DR-2026-0101"}
    ]


@pytest.mark.parametrize("fault", list(Fault))
async def test_every_fault_ends_in_one_mail(
    fault: Fault, database: str, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """Whether or not it was accepted before the fault struck."""
    id = await written(clock)
    standin.fail(fault, times=3)
    assert await try_until_done(sender, id, clock, ticker) > 1
    assert [mail.key for mail in standin.messages(to=TO)] == [str(id)]
    assert await state(id) == ("accepted", "")


async def test_a_crash_between_acceptance_and_commit_sends_no_second_mail(
    database: str, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """The transaction that records the acceptance fails; the next try is answered with the first one's id."""
    id = await written(clock)
    await Mail.raw("ALTER TABLE mail ADD CONSTRAINT broken CHECK (state <> 'accepted')")
    with pytest.raises(asyncpg.CheckViolationError):
        await sender.send({"mail": str(id)})
    assert await state(id) == ("waiting", "")
    assert await has_words(id)
    await Mail.raw("ALTER TABLE mail DROP CONSTRAINT broken")
    await sender.send({"mail": str(id)})
    assert len(standin.messages(to=TO)) == 1
    assert await state(id) == ("accepted", "")


async def test_two_workers_at_once_send_one_mail(
    database: str, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """A job that was taken over while its first worker still lived."""
    id = await written(clock)
    await asyncio.gather(try_once(sender, id), try_once(sender, id))
    await try_until_done(sender, id, clock, ticker)
    assert len(standin.messages(to=TO)) == 1
    assert await state(id) == ("accepted", "")
    assert await Evidence.count() == 1


async def test_a_rolled_back_transaction_sends_nothing(database: str, clock: SetClock) -> None:
    """No mail, no words, no job."""
    with pytest.raises(ZeroDivisionError):  # the transaction is the statement
        async with engine().transaction():
            await post(message(), to=TO, language="en", at=clock())
            raise ZeroDivisionError
    assert await Mail.count() == await MailBody.count() == 0
    assert (await Mail.raw("SELECT count(*) AS n FROM pgqueuer"))[0]["n"] == 0


async def test_the_job_holds_nothing_but_the_id(database: str, clock: SetClock) -> None:
    """No address and no words in the queue."""
    id = await written(clock)
    [row] = await Mail.raw("SELECT payload FROM pgqueuer")
    assert row["payload"] == f'{{"mail":"{id}"}}'.encode()


async def test_an_expired_code_is_not_sent(database: str, sender: Sender, standin: StandIn, clock: SetClock) -> None:
    """From its very last second on."""
    id = await written(clock, expires_at=clock() + timedelta(minutes=15))
    clock.advance(timedelta(minutes=15))
    await sender.send({"mail": str(id)})
    assert await state(id) == ("failed", "expired")
    assert not await has_words(id)
    assert standin.calls == 0


async def test_the_same_key_is_not_used_once_the_provider_may_have_forgotten_it(
    database: str, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """After a call without an answer and a day of rest nobody knows: it is not sent again, and says so."""
    id = await written(clock)
    standin.fail(Fault.ACCEPTED_SILENCE)
    assert await try_once(sender, id)
    later(clock, ticker, KEY_LIFE)
    await sender.send({"mail": str(id)})
    assert await state(id) == ("failed", UNKNOWN)
    assert len(standin.messages(to=TO)) == 1


async def test_certain_refusals_may_last_for_days(
    database: str, sender: Sender, standin: StandIn, clock: SetClock, ticker: Ticker
) -> None:
    """A used-up quota or a wrong key is mended by people; the mail waits for them and then leaves."""
    id = await written(clock)
    standin.api_key, right_key = "re_changed", standin.api_key
    assert await try_once(sender, id)
    assert await state(id) == ("waiting", "invalid_api_key")
    later(clock, ticker, timedelta(days=3))
    standin.api_key = right_key
    standin.fail(Fault.QUOTA)
    again = await try_once(sender, id)
    assert again is not None
    later(clock, ticker, timedelta(days=1))
    await sender.send({"mail": str(id)})
    assert len(standin.messages(to=TO)) == 1


async def test_a_refused_mail_fails_with_the_name_alone(
    database: str, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """The provider's message may quote the address; only the name of the error is kept."""
    id = await written(clock, to="someone@person.example")
    await MailBody.update({MailBody.text: "", MailBody.html: ""}).where(MailBody.mail == id)
    await sender.send({"mail": str(id)})
    assert await state(id) == ("failed", "missing_required_field")
    assert not await has_words(id)
    assert not standin.messages()


async def test_a_mail_that_is_gone_is_no_failure(database: str, sender: Sender, standin: StandIn) -> None:
    """An erased person's mail leaves a job behind that ends quietly."""
    await sender.send({"mail": str(uuid4())})
    assert standin.calls == 0


async def test_retry_after_is_kept(database: str, sender: Sender, standin: StandIn, clock: SetClock) -> None:
    """The next try comes when the provider said, not when we would like."""
    id = await written(clock)
    standin.fail(Fault.TOO_MANY)
    again = await try_once(sender, id)
    assert again is not None
    assert again.delay == timedelta(seconds=1)


async def test_many_mails_at_once_are_all_sent_and_never_too_fast(
    database: str, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """Forty mails, five a second: the provider never has to refuse one."""
    ids = [await written(clock, to=f"p{number}@person.example") for number in range(40)]
    await asyncio.gather(*(try_once(sender, id) for id in ids))
    assert len({mail.to[0] for mail in standin.messages()}) == len(standin.messages()) == 40
    assert not standin.refusals


@pytest.mark.parametrize("policy", ["casagbic"], indirect=True)
async def test_the_worker_sends_what_was_committed(
    database: str, policy: Policy, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """From the transaction through the queue and the SDK to the provider."""
    settings = read_settings({"HABEAS_SECRET_KEY": "x" * 32})
    worker = Worker(database, works(policy, settings, clock, sender.provider), [])
    standin.fail(Fault.ERROR)
    id = await written(clock)
    running = asyncio.create_task(worker.run())
    while (await state(id))[0] == "waiting":  # noqa: ASYNC110  the worker's own time, bounded by the test's limit
        await asyncio.sleep(0.05)
    worker.stop()
    await running
    [sent] = standin.messages()
    assert sent.params["from"] == f"{policy.controller.name} <{policy.mail_from}>"
    assert sent.described()["reply_to"] == [policy.controller.contact]


@pytest.mark.parametrize(
    "hostile",
    [
        "a@person.example\r\nBcc: b@person.example", "a@person.example,b@person.example", "A <a@person.example>",
        "a@person.example\nSubject: x", "a b@person.example", "a@b@person.example", "", "@person.example",
        "a\u202eb@person.example", "a\x00@person.example", "a" * 250 + "@person.example", "a;b@person.example",
        "a@localhost",
    ],
)  # fmt: skip
async def test_an_address_cannot_become_two_or_a_header(hostile: str, database: str, clock: SetClock) -> None:
    """S-24: one plain address, or a sentence for the person."""
    with pytest.raises(Invalid):
        await written(clock, to=hostile)
    assert await Mail.count() == 0


async def test_outside_a_transaction_nothing_is_written(database: str, clock: SetClock) -> None:
    """A mail must commit with what it tells of."""
    with pytest.raises(RuntimeError):
        await post(message(), to=TO, language="en", at=clock())


async def test_a_long_pause_goes_back_to_the_queue(
    database: str, sender: Sender, standin: StandIn, clock: SetClock
) -> None:
    """No worker sleeps for an hour with a job in its hands."""
    id = await written(clock)
    sender.provider.pace.learn(429, {"retry-after": "3600"})
    with pytest.raises(Later) as raised:
        await sender.send({"mail": str(id)})
    assert raised.value.delay == timedelta(hours=1)
    assert standin.calls == 0
