"""A new member of staff comes in by a passkey, leaves, comes back with it, and once without it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from demo.stack import Stack
from tests.journeys.surfer import Meeting, Surfer, Width, code_of

type Surf = Callable[..., Awaitable[Surfer]]


async def test_staff_get_in_by_passkey_and_by_recovery_code(crossing: Meeting, surf: Surf) -> None:
    """Invitation, passkey, codes, out, code and passkey, desk and records, the team, out, recovery code."""
    staff: Surfer = await surf(crossing.stack, crossing.language, crossing.width)
    await plug_in_a_passkey_device(staff.page)
    email = f"zoe-{crossing.language}@staff.example"
    link = await invite(crossing.stack, email)
    await staff.page.goto(link.replace(f"/{link.split('/')[3]}/", f"/{crossing.language}/", 1))
    await staff.look()
    await staff.page.locator("#name").fill("Zoé Martin")
    await staff.page.locator("#called").fill("laptop")
    await staff.press("Make a passkey and go on")
    await staff.reads("Your recovery codes")
    codes = await staff.page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    await staff.look()
    await sign_out(staff)

    await first_factor(staff, email)
    await staff.look()
    await staff.press("Show my passkey")
    await expect(staff.page.locator(".desk .tools")).to_contain_text("Zoé Martin")
    await staff.page.goto(f"{crossing.stack.portal_url}/admin/")
    assert staff.page.url.startswith(f"{crossing.stack.portal_url}/admin/")
    for path in ("/staff/me", "/staff/me/passkeys/new", "/staff/people", "/staff/people/invite"):
        await staff.open(path)
        await staff.look()
    await staff.page.locator("#email").fill(f"max-{crossing.language}@staff.example")
    await staff.page.locator("input[value=handler]").check()
    await staff.press("Invite")
    await staff.look()
    await staff.follow("Back to the team")
    await staff.look()
    await staff.page.locator("tbody a[href*='/people/']").first.click()
    await staff.look()
    await sign_out(staff)

    # Elsewhere, without the device; and no browser is sent a second code within a minute.
    staff = await surf(crossing.stack, crossing.language, crossing.width)
    await first_factor(staff, email)
    await staff.page.locator("summary", has_text=staff.words("Use a recovery code instead")).click()
    await staff.page.locator("#code").fill(codes[0])
    await staff.press("Use this code")
    await expect(staff.page.locator(".desk .tools")).to_contain_text("Zoé Martin")


async def test_without_scripts_the_door_says_what_else_to_do(casagbic: Stack, surf: Surf) -> None:
    """No passkey can be made then, and the page says so."""
    staff: Surfer = await surf(casagbic, "en", Width.PHONE, scripts=False)
    await staff.page.goto(await invite(casagbic, "plain@staff.example"))
    await staff.reads("Passkeys need scripts, which are off in this browser.")
    await expect(staff.page.locator("main form button")).to_be_hidden()


async def first_factor(staff: Surfer, email: str) -> None:
    """Type the address, read the mail, type the code."""
    before = {mail["id"] for mail in await staff.mails(email)}
    await staff.open("/staff/sign-in")
    await staff.look()
    await staff.page.locator("#email").fill(email)
    await staff.press("E-mail me a code")
    await staff.look()
    mail = await staff.new_mail(email, before)
    while "/staff/sign-in/link/" not in mail["text"]:
        before.add(mail["id"])
        mail = await staff.new_mail(email, before)
    await staff.page.locator("#code").fill(code_of(mail))
    await staff.press("Continue")
    await expect(staff.page.locator("form[data-passkey]")).to_be_attached()


async def sign_out(staff: Surfer) -> None:
    """Press the button in the bar."""
    await staff.open("/staff/me")
    await staff.page.locator(".desk .tools form button").click()
    await expect(staff.page.locator("#email")).to_be_visible()


async def plug_in_a_passkey_device(page: Page) -> None:
    """Give Chromium a device of its own that always recognises its owner."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    await cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip


async def invite(stack: Stack, email: str) -> str:
    """Return the link that `habeas staff invite` prints."""
    command = [sys.executable, "-m", "portal", "staff", "invite", email, "--role", "dpo"]
    running = await asyncio.create_subprocess_exec(*command, env=stack.environment, stdout=asyncio.subprocess.PIPE)
    printed, _ = await running.communicate()
    return printed.decode().strip()
