"""Somebody who answers for it all reads the figures, takes a register, and reads the record of processing."""

import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg

from admin.tables import hashed
from admin.who import COOKIE
from demo.stack import Stack
from portal.clock import system_clock
from portal.settings import embedded_dsn
from tests.journeys.surfer import Surfer, Width

type Surf = Callable[..., Awaitable[Surfer]]


async def test_figures_and_registers_are_read_and_taken(casagbic: Stack, surf: Surf, tmp_path: Path) -> None:
    """At a desk in English and on a phone in French; a wrong period is named; the register is a file."""
    for language, width in (("en", Width.DESKTOP), ("fr", Width.PHONE)):
        staff: Surfer = await surf(casagbic, language, width)
        await come_in(staff, casagbic, f"auditor-{language}")
        for path in ("/staff/figures", "/staff/figures?period=own&from=2026-13", "/staff/processing"):
            await staff.open(path)
            await staff.look()
        await staff.open("/staff/registers")
        await staff.look()
        async with staff.page.expect_download() as waiting:
            await staff.press("Take it for a program (JSON)")
        place = tmp_path / f"{language}.json"
        await (await waiting.value).save_as(place)
        body = json.loads(place.read_bytes())
        assert (body["organisation"], body["lines"]) == ("Casagbic", len(body["requests"]))


async def come_in(staff: Surfer, stack: Stack, name: str) -> None:
    """Have a session as somebody who reads and changes nothing: how staff sign in has a journey of its own."""
    token, now = secrets.token_urlsafe(32), system_clock()
    connection = await asyncpg.connect(embedded_dsn(stack.folder))
    try:
        user = await connection.fetchval(
            "INSERT INTO staff_user (username, password, email, active, admin, superuser, name, roles)"
            " VALUES ($1::text, '', $2, true, true, false, $1::text, '{auditor}') RETURNING id",
            name, f"{name}@staff.example",
        )  # fmt: skip
        until = (now + timedelta(hours=1)).replace(tzinfo=None)
        await connection.execute(
            "INSERT INTO staff_session (token, user_id, expiry_date, max_expiry_date, confirmed_at)"
            " VALUES ($1, $2, $3, $3, $4)",
            hashed(token), user, until, now,
        )  # fmt: skip
    finally:
        await connection.close()
    await staff.page.context.add_cookies([{"name": COOKIE, "value": token, "url": stack.portal_url}])
