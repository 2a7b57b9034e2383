"""Erasing in somebody else's PostgreSQL: the person's rows go, everybody else's stay, and nothing is half done."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from portal.errors import SourceRefused, SourceUnavailable, SourceUnsupported
from portal.sources import postgres_session
from portal.sources.base import Erased, Erasing, Identifiers
from portal.sources.postgres import Postgres
from portal.sources.postgres_erase import held_under
from tests.sources.hard_platform import EVERYTHING, Hard, build

WHOM = UUID("abcdefab-0000-4000-8000-00000000cafe")
SHAPE = "ALTER TABLE invoice ADD shape box; UPDATE invoice SET shape = '(0,0),(1,1)'"
SHELL = f"{WHOM}@erased.invalid"


@pytest.fixture(params=["uuid", "numbers"])
async def hard(request: pytest.FixtureRequest, empty_database: str) -> AsyncIterator[Hard]:
    """The hard platform, with accounts that are UUIDs and with accounts that are numbers."""
    owner = await asyncpg.connect(empty_database)
    built = await build(owner, empty_database, numbers=request.param == "numbers")
    yield built
    await built.source.close()
    await owner.close()


async def erase(hard: Hard, *items: Erasing) -> Erased:
    return await hard.source.erase(hard.subject, items or EVERYTHING, pseudonym=WHOM)


async def assert_gone(hard: Hard) -> None:
    """No row anywhere names Ana's accounts, her address or her customer."""
    text = repr(await hard.world()).lower()
    marks = ["ana@example", "ana.old@", "cus_ana"]
    if isinstance(hard.ana, UUID):
        marks += [str(hard.ana), str(hard.ana2)]
    else:
        assert await hard.one("SELECT count(*) FROM account WHERE id = ANY($1)", [hard.ana, hard.ana2]) == 0
    assert [mark for mark in marks if mark in text] == []


async def test_a_lone_account_goes_without_a_trace(hard: Hard) -> None:
    """Nothing refers to it, so nothing stays in its place."""
    assert (await erase(hard)).means == "deleted"
    assert await hard.one("SELECT count(*) FROM account") == 2
    await assert_gone(hard)


async def test_kept_records_lose_all_but_the_minimum_and_name_the_pseudonym(hard: Hard) -> None:
    """From both accounts, through a join as well, and from a table that knows the address alone."""
    for number, account in enumerate((hard.ana, hard.ana2, hard.ben), 1):
        await hard.owner.execute(
            "INSERT INTO invoice (id, account_id, number, amount, made_at, note, agent, secret)"
            " VALUES ($1, $2, 'F-' || $1::int, 12.50, '2020-05-05', 'for ana', 'Firefox', 'x' || $1::int)",
            number, account,
        )  # fmt: skip
        await hard.owner.execute(
            "INSERT INTO invoice_line (invoice_id, what, comment) VALUES ($1, 'credits', 'for ana')", number
        )
    await hard.owner.execute("INSERT INTO purchase (email, amount, phone) VALUES ('ANA@example.example', 5, '+33 1')")
    await hard.owner.execute("INSERT INTO device (tenant, account_id, model) VALUES (7, $1, 'hers')", hard.ana)
    ben = await hard.owner.fetch("SELECT * FROM invoice WHERE id = 3")
    await erase(hard)
    await assert_gone(hard)
    rows = await hard.owner.fetch("SELECT * FROM invoice WHERE id < 3 ORDER BY id")
    assert [(row["number"], row["note"], row["agent"]) for row in rows] == [("F-1", None, ""), ("F-2", None, "")]
    assert {row["secret"] for row in rows} == {""}
    assert await hard.owner.fetch("SELECT * FROM invoice WHERE id = 3") == ben
    assert await hard.one("SELECT array_agg(what || coalesce(comment, '-') ORDER BY id) FROM invoice_line") == [
        "credits-", "credits-", "creditsfor ana",
    ]  # fmt: skip
    (purchase,) = await hard.owner.fetch("SELECT email, phone FROM purchase")
    assert purchase["email"] in held_under(WHOM).emails and purchase["phone"] is None
    assert await hard.one("SELECT model || tenant FROM device") == "7"
    found = await hard.source.identify(Identifiers(emails=frozenset({SHELL})))
    assert len(found.account_ids) == 1
    assert (await hard.source.count(await hard.source.identify(held_under(WHOM))))["payments"] == 6
    shell = await hard.owner.fetchrow("SELECT * FROM account WHERE email = $1", SHELL)
    assert shell is not None
    assert (shell["name"], shell["customer"], shell["kind"], shell["tenant"]) == ("", None, "basic", 7)
    assert shell["handle"] not in {"ana", ""}


async def test_somebody_elses_answer_keeps_an_empty_shell_of_what_it_answers(hard: Hard) -> None:
    """Their rows stay to the byte; mine stands empty in their place, and so does what holds it."""
    one = hard.owner.fetchval
    thread = await one("INSERT INTO thread (account_id, title) VALUES ($1, 'of ana') RETURNING id", hard.ana)
    lonely = await one("INSERT INTO thread (account_id, title) VALUES ($1, 'lonely') RETURNING id", hard.ana)
    comment = await one(
        "INSERT INTO comment (thread_id, account_id, body, likes) VALUES ($1, $2, 'by ana', 9) RETURNING id",
        thread, hard.ana,
    )  # fmt: skip
    await one("INSERT INTO reply (account_id, comment_id, body) VALUES ($1, $2, 'by ben')", hard.ben, comment)
    mine = await one(
        "INSERT INTO comment (thread_id, account_id, body, likes) VALUES ($1, $2, 'gone', 9) RETURNING id",
        thread, hard.ana,
    )  # fmt: skip
    await hard.owner.execute("UPDATE account SET favourite = $1 WHERE id = $2", mine, hard.ben)
    reply = await hard.owner.fetch("SELECT * FROM reply")
    assert (await erase(hard)).done
    await assert_gone(hard)
    assert await hard.owner.fetch("SELECT * FROM reply") == reply
    assert await one("SELECT title FROM thread WHERE id = $1", thread) == ""
    assert await one("SELECT title FROM thread WHERE id = $1", lonely) is None
    row = await hard.owner.fetchrow(
        "SELECT c.body, c.likes, a.email FROM comment c JOIN account a ON a.id = account_id"
    )
    assert row is not None
    assert tuple(row)[:2] == ("", 0)
    assert row["email"] in held_under(WHOM).emails
    assert await one("SELECT favourite FROM account WHERE id = $1", hard.ben) is None


async def test_a_cascade_never_takes_a_row_that_is_to_stay(hard: Hard) -> None:
    """Ben's answers in my thread, my invoice about it, and his pin on an undeclared board of it."""
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'of ana') RETURNING id", hard.ana)
    await hard.owner.execute("INSERT INTO search_index VALUES ($1, 'of ana')", thread)
    await hard.owner.execute(
        "INSERT INTO invoice (id, account_id, number, amount, made_at, agent, secret, thread_id)"
        " VALUES (1, $1, 'F-1', 1, now(), '', 's', $2)", hard.ana, thread,
    )  # fmt: skip
    await erase(hard)
    assert await hard.one("SELECT count(*) FROM thread") == 0
    assert await hard.one("SELECT thread_id IS NULL FROM invoice") is True
    assert await hard.one("SELECT count(*) FROM search_index") == 0
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'of cem') RETURNING id", hard.cem)
    board = await hard.one("INSERT INTO board (thread_id) VALUES ($1) RETURNING id", thread)
    await hard.owner.execute("INSERT INTO pin (account_id, board_id) VALUES ($1, $2)", hard.ben, board)
    cem = Identifiers(account_ids=frozenset({str(hard.cem)}), emails=frozenset({"cem@example.example"}))
    await hard.source.erase(cem, EVERYTHING, pseudonym=uuid4())
    assert await hard.one("SELECT account_id FROM pin") == hard.ben
    assert await hard.one("SELECT title FROM thread") == ""


async def test_cycles_and_rows_that_refer_to_themselves_go(hard: Hard) -> None:
    """Chicken and egg need each other; a comment answers itself."""
    async with hard.owner.transaction():
        await hard.owner.execute("INSERT INTO chicken (id, account_id, egg) VALUES (1, $1, 1)", hard.ana)
        await hard.owner.execute("INSERT INTO egg (id, account_id, chicken) VALUES (1, $1, 1)", hard.ana)
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'x') RETURNING id", hard.ana)
    await hard.owner.execute(
        "INSERT INTO comment (id, thread_id, account_id, reply_to, answers, body, likes)"
        " VALUES (1, $1, $2, 1, 1, '', 0), (2, $1, $2, 1, 1, '', 0)", thread, hard.ana,
    )  # fmt: skip
    await hard.owner.execute("UPDATE account SET favourite = 1, referred_by = $1 WHERE id = $1", hard.ana)
    await erase(hard)
    assert await hard.one("SELECT (SELECT count(*) FROM chicken) + (SELECT count(*) FROM egg)") == 0
    assert await hard.one("SELECT (SELECT count(*) FROM comment) + (SELECT count(*) FROM thread)") == 0
    await assert_gone(hard)


async def test_what_others_say_of_the_account_names_its_shell_or_nobody(hard: Hard) -> None:
    """A message to me stays; who was brought by me was brought by nobody."""
    await hard.owner.execute(
        "INSERT INTO message (sender, recipient, body) VALUES ($1, $2, 'hello'), ($2, $1, 'by ana')",
        hard.ben, hard.ana,
    )  # fmt: skip
    await hard.owner.execute("UPDATE account SET referred_by = $1 WHERE id = $2", hard.ana2, hard.ben)
    await erase(hard)
    await assert_gone(hard)
    (row,) = await hard.owner.fetch("SELECT sender, body, a.email FROM message JOIN account a ON a.id = recipient")
    assert (row["sender"], row["body"]) == (hard.ben, "hello")
    assert row["email"] in held_under(WHOM).emails
    assert await hard.one("SELECT referred_by FROM account WHERE id = $1", hard.ben) is None


async def test_anonymous_records_lead_to_nobody_not_even_by_the_pseudonym(hard: Hard) -> None:
    """The link is emptied, or names an account that no ledger knows; the rest stays."""
    await hard.owner.execute("INSERT INTO survey (account_id, mark, words) VALUES ($1, 4, 'I, Ana')", hard.ana)
    await hard.owner.execute("INSERT INTO vote (account_id, mark) VALUES ($1, 5), ($2, 3)", hard.ana, hard.ana2)
    assert (await erase(hard)).done
    assert await hard.owner.fetch("SELECT mark FROM survey WHERE account_id IS NULL AND words IS NULL")
    emails = await hard.owner.fetch("SELECT DISTINCT a.email FROM vote JOIN account a ON a.id = account_id")
    assert len(emails) == 1
    assert str(WHOM) not in emails[0][0]
    assert sum((await hard.source.count(await hard.source.identify(held_under(WHOM)))).values()) == 0


async def test_a_part_alone_leaves_the_rest_reachable(hard: Hard) -> None:
    """Purchases are emptied where they are, posts become shells under what is left, and the account lives on."""
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'x') RETURNING id", hard.ana)
    await hard.owner.execute(
        "INSERT INTO invoice (id, account_id, number, amount, made_at, note, agent, secret, thread_id)"
        " VALUES (1, $1, 'F-1', 1, now(), 'note', 'agent', 's', $2)", hard.ana, thread,
    )  # fmt: skip
    payments = Erasing(category="payments", action="keep", minimum=("id", "number"))
    assert (await erase(hard, payments)).means == "blanked"
    row = await hard.owner.fetchrow("SELECT account_id, note, amount, number FROM invoice")
    assert row is not None
    assert tuple(row) == (hard.ana, None, 0, "F-1")
    assert (await erase(hard, Erasing(category="posts", action="erase"))).means == "deleted"
    assert await hard.one("SELECT count(*) FROM thread") == 0
    assert await hard.one("SELECT account_id FROM invoice") == hard.ana
    with pytest.raises(SourceRefused, match="invoice"):
        await erase(hard, Erasing(category="account", action="erase"))
    assert await hard.one("SELECT email FROM account WHERE id = $1", hard.ana) == "Ana@Example.example"


async def test_a_part_whose_shells_must_stay_says_that_it_is_blanked(hard: Hard) -> None:
    """The shell stays under the account that lives on, so the person is still told of it."""
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'x') RETURNING id", hard.ana)
    await hard.owner.execute("INSERT INTO thread (account_id, title) VALUES ($1, 'y')", hard.ana)
    await hard.owner.execute(
        "INSERT INTO comment (thread_id, account_id, body, likes) VALUES ($1, $2, 'by ben', 1)", thread, hard.ben
    )
    for _ in range(2):
        assert (await erase(hard, Erasing(category="posts", action="erase"))).means == "blanked"
    assert await hard.owner.fetch("SELECT FROM thread WHERE account_id = $1 AND title = ''", hard.ana)
    assert await hard.one("SELECT count(*) FROM thread") == 1
    assert await hard.one("SELECT body FROM comment") == "by ben"
    await erase(hard)
    await assert_gone(hard)
    assert await hard.one("SELECT body FROM comment") == "by ben"


async def test_a_second_run_finds_nothing(hard: Hard) -> None:
    """And changes not one byte, with or without a shell."""
    await hard.owner.execute("INSERT INTO purchase (email, amount) VALUES ('ana@example.example', 5)")
    await hard.owner.execute("INSERT INTO vote (account_id, mark) VALUES ($1, 5)", hard.ana)
    await erase(hard)
    before = await hard.world()
    assert await erase(hard) == Erased(done=True, means="nothing")
    assert await hard.world() == before


async def test_a_new_account_under_the_old_address_is_left_alone(hard: Hard) -> None:
    """Whoever comes back is a new person to a job that is run again."""
    await hard.owner.execute("INSERT INTO purchase (email, amount) VALUES ('ana@example.example', 5)")
    await erase(hard)
    await hard.owner.execute(
        "INSERT INTO account (email, name, handle, kind, tenant, born, nickname)"
        " VALUES ('ana@example.example', 'Ana', 'ana', 'basic', 7, '1990-01-01', 'nick')"
    )
    await hard.owner.execute("INSERT INTO purchase (email, amount) VALUES ('ana@example.example', 6)")
    before = await hard.world()
    assert (await erase(hard)).means == "nothing"
    assert await hard.world() == before


async def test_an_undeclared_table_that_holds_on_is_named_and_nothing_changes(hard: Hard) -> None:
    """The constraint says who is in the way, before anybody loses a row."""
    await hard.owner.execute("CREATE TABLE audit (who int REFERENCES thread ON DELETE RESTRICT)")
    thread = await hard.one("INSERT INTO thread (account_id, title) VALUES ($1, 'x') RETURNING id", hard.ana)
    await hard.owner.execute("INSERT INTO audit VALUES ($1)", thread)
    before = await hard.world()
    with pytest.raises(SourceRefused, match=r"audit.*audit_who_fkey"):
        await erase(hard)
    assert await hard.world() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (f"{SHAPE}; ALTER TABLE invoice ALTER shape SET NOT NULL", "invoice.shape"),
        ("ALTER TABLE invoice ADD CONSTRAINT agent_said CHECK (agent <> '')", "agent_said"),
        ("ALTER TABLE purchase ALTER COLUMN email TYPE varchar(30)", "purchase"),
    ],
)  # fmt: skip
async def test_what_cannot_be_emptied_is_named_and_nothing_changes(hard: Hard, change: str, says: str) -> None:
    """The column or the constraint, never a value."""
    await hard.owner.execute("INSERT INTO purchase (email, amount) VALUES ('ana@example.example', 5)")
    await hard.owner.execute(
        "INSERT INTO invoice (id, account_id, number, amount, made_at, agent, secret)"
        " VALUES (1, $1, 'F-1', 1, now(), 'agent', 's')", hard.ana,
    )  # fmt: skip
    await hard.owner.execute(change)
    before = await hard.world()
    with pytest.raises(SourceRefused, match=says) as caught:
        await erase(hard)
    assert "ana@" not in str(caught.value)
    assert await hard.world() == before


async def test_a_busy_platform_is_not_held_up(hard: Hard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot have the lock soon gives up, undone, and is asked again later."""
    monkeypatch.setitem(postgres_session.WRITING, "lock_timeout", "50ms")
    other = await asyncpg.connect(hard.source.write_dsn)
    async with other.transaction():
        await other.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", hard.ana)
        with pytest.raises(SourceUnavailable):
            await erase(hard)
    await other.close()
    assert (await erase(hard)).done


async def test_without_a_role_that_writes_a_person_must_act(hard: Hard) -> None:
    """And the reading role is never used for it."""
    reader = Postgres(hard.source.spec, hard.source.dsn)
    for asking in (
        reader.erase(hard.subject, EVERYTHING, pseudonym=WHOM), reader.erase_held(WHOM, ()),
        reader.restrict(hard.subject, on=True),
    ):  # fmt: skip
        with pytest.raises(SourceUnsupported):
            await asking
    await reader.close()
    mistaken = Postgres(hard.source.spec, hard.source.dsn, write_dsn=hard.source.dsn)
    with pytest.raises(SourceRefused, match="permission denied"):
        await mistaken.erase(hard.subject, EVERYTHING, pseudonym=WHOM)
    await mistaken.close()
