"""Write to us: every right, a question, a complaint, a child's account, acting for somebody, a lost mailbox.

Always true here: no sign-in is needed, and what is answered does not depend on what we hold; every page names the day
of the answer and the mailbox of a person; a mistake keeps what was typed. Source: law S-04, S-08; GDPR Art. 12(2).
"""

from datetime import datetime, timedelta
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from exports.storage import StorageError
from portal.errors import Invalid, NotFound, SourceUnavailable
from portal.identity.address import normalise
from portal.identity.asking import later
from portal.identity.limits import ASK_ADDRESS, ASK_AGAIN, ASK_ALL, ASK_PEER, Rule
from portal.identity.mount import limits_of
from portal.identity.multipart import form_with_file
from portal.identity.visitor import form, visitor_of
from portal.policy.authorities import BY_COUNTRY, authority_for
from portal.rights import intake_child, uploads
from portal.rights.deadlines import dates
from portal.rights.intake_forms import Sent
from portal.rights.intake_mailbox import send_form
from portal.rights.intake_reading import CHOSEN, TOPICS, Typed, mistakes, read
from portal.rights.intake_written import ask_in_writing
from portal.web import Req, go, language_of, now, page, policy_of, settings_of, storage_of, words_of

FORM_PEER = Rule("form-peer", 20, timedelta(minutes=10))
FORM_ALL = Rule("form-all", 1_000, timedelta(minutes=10))
LARGEST_FORM = 2 * uploads.LARGEST_BYTES + (1 << 20)
INSTEAD = {"see": "/export", "take": "/take"}
"""Where somebody who is signed in has it done at once."""


@get("/ask")
async def show_all(request: Req) -> Template:
    """List everything that can be asked, for those who cannot sign in."""
    return page(request, "rights/ask_all.html")


@get("/ask/{topic:str}")
async def show(request: Req, topic: FromPath[str]) -> Template | Redirect:
    """Show the form of a topic. Raises: NotFound, for a topic we do not know."""
    if topic not in TOPICS:
        raise NotFound
    if visitor_of(request).signed_in and topic in INSTEAD:
        return go(request, INSTEAD[topic])
    about = str(request.query_params.get("about", ""))
    return ask_page(request, topic, Typed(request=about))


@get("/ask/agent")
async def show_agent(request: Req) -> Template:
    """Show the form of whoever acts for somebody."""
    return ask_page(request, "agent", Typed())


@post("/ask/{topic:str}", status_code=200)
async def send(request: Req, topic: FromPath[str]) -> Template | Redirect:
    """Take the form in: the same answer for every address."""
    if topic not in TOPICS:
        raise NotFound
    typed, signed_in = read(await form(request)), visitor_of(request).signed_in
    wrong = mistakes(topic, typed, signed_in=signed_in and topic not in {"lost", "child"})
    if wrong:
        return ask_page(request, topic, typed, wrong)
    if signed_in and topic not in {"lost", "child"}:
        return await _in_writing(request, topic, typed)
    if wait := _too_many(request):
        return ask_page(request, topic, typed, wait=wait)
    if topic == "child":
        sent = sent_of(request, topic, typed)
        await intake_child.report(sent, policy=policy_of(request), settings=settings_of(request), at=now(request))
        return go(request, "/ask/reported")
    await take(request, sent_of(request, topic, typed))
    return go(request, "/ask/sent")


@post("/ask/agent", status_code=200, request_max_body_size=LARGEST_FORM)
async def send_agent(request: Req) -> Template | Redirect:
    """Take in what an agent asks, with the mandate."""
    sent = await form_with_file(request, "file", largest_bytes=uploads.LARGEST_BYTES)
    typed = read(sent.fields)
    wrong = mistakes("agent", typed, signed_in=False)
    if sent.file is None:
        wrong.append(Invalid("Choose the file with your mandate.", field="file"))
    elif sent.too_large:
        wrong.append(Invalid("The file is larger than 10 MB. Send a smaller scan, or a photo of it.", field="file"))
    if wrong:
        return ask_page(request, "agent", typed, wrong)
    if wait := _too_many(request):
        return ask_page(request, "agent", typed, wait=wait)
    try:
        file = await uploads.store(sent.file or b"", storage_of(request), settings_of(request), at=now(request))
    except Invalid as mistake:
        return ask_page(request, "agent", typed, [mistake])
    except StorageError as error:
        raise SourceUnavailable("storage", type(error).__name__) from error
    await take(request, sent_of(request, "agent", typed), upload=file)
    return go(request, "/ask/sent")


@get("/ask/reported")
async def reported(request: Req) -> Template:
    """Say what happens now, in the same words whether or not there is such an account."""
    return page(request, "rights/intake_reported.html")


def ask_page(
    request: Req, topic: str, typed: Typed, wrong: list[Invalid] | None = None, wait: datetime | None = None
) -> Template:
    """Show a form: empty, or with what was typed and what has to be mended, or with when it goes on."""
    policy, words = policy_of(request), words_of(request)
    country = str(request.query_params.get("country", ""))
    inquiry = TOPICS[topic] in {"inquiry", "complaint", "child"}
    countries = sorted(((code, words.country(code)) for code in BY_COUNTRY if len(code) == 2), key=lambda one: one[1])
    answer = page(
        request, "rights/ask.html", status=429 if wait else 422 if wrong else 200,
        topic=topic, typed=typed, wrong=wrong or [], wait=wait, chosen=tuple(CHOSEN),
        signed_in=visitor_of(request).signed_in and topic not in {"lost", "child", "agent"},
        answer_by=dates(now(request), policy, inquiry=inquiry).due,
        countries=countries, country=country, authorities=authority_for(country, policy),
    )  # fmt: skip
    return later(answer, wait, request)


async def take(request: Req, sent: Sent, *, upload: UUID | None = None) -> None:
    """Store a form, with the code on its way unless this mailbox or browser had too many."""
    await send_form(
        sent, policy=policy_of(request), settings=settings_of(request), at=now(request),
        with_code=may_mail(request, sent.email) is None, upload=upload,
    )  # fmt: skip


def may_mail(request: Req, email: str) -> datetime | None:
    """Count a code that is to be mailed; when there were too many, return when it goes on. Source: S-08."""
    limits = limits_of(request)
    again = f"{email} {visitor_of(request).browser}"
    return limits.take((ASK_ALL, ""), (ASK_PEER, limits.peer(request)), (ASK_ADDRESS, email), (ASK_AGAIN, again))


def sent_of(request: Req, topic: str, typed: Typed) -> Sent:
    """Return a form that holds together as it is stored."""
    kind = topic if topic in {"child", "agent", "lost"} else "mailbox"
    return Sent(
        kind=kind, right=typed.right(topic), language=language_of(request), text=typed.text.strip(),
        email=normalise(typed.email) if typed.email.strip() else "",
        categories=typed.categories(topic, policy_of(request)), name=typed.name.strip(),
        about=normalise(typed.about) if topic == "agent" else typed.about.strip(),
        browser=visitor_of(request).browser, under=typed.under,
        channel={"child": "report", "agent": "agent"}.get(topic, "mailbox"),
        author={"child": "reporter", "agent": "agent"}.get(topic, "person"),
    )  # fmt: skip


def _too_many(request: Req) -> datetime | None:
    limits = limits_of(request)
    return limits.take((FORM_ALL, ""), (FORM_PEER, limits.peer(request)))


async def _in_writing(request: Req, topic: str, typed: Typed) -> Template | Redirect:
    try:
        opened = await ask_in_writing(
            typed.right(topic), visitor_of(request).subject_id, typed.text.strip(), language=language_of(request),
            about=typed.request if topic == "complain" else "", policy=policy_of(request),
            settings=settings_of(request), at=now(request),
        )  # fmt: skip
    except NotFound:
        return ask_page(request, topic, typed, [Invalid("This is not one of your requests.", field="request")])
    return go(request, f"/requests/{opened.request.reference}")


routes = [show_all, show_agent, send_agent, reported, show, send]
