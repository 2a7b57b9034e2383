"""Whatever is thrown at the pages and forms: an orderly answer, nothing half written, and no trace of a person."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import Visit
from tests.faults.house import House
from tests.faults.visitor import HTML, Visitor

MEGABYTE = "x" * 1_000_000
NASTY = [
    "\0",
    "\ud7ff\uffff",
    "\u202e",
    "'; DROP TABLE subject;--",
    "%00",
    "../../etc/passwd",
    "{{7*7}}",
    "-1",
    "9" * 400,
]
FORMS = {
    "/sign-in": "email", "/sign-in/code": "code", "/sign-in/google": "next", "/sign-in/link/nothing": "next",
    "/export": "c", "/requests/DR-2026-0001/download": "what", "/requests/DR-2026-0001/withdraw": "what",
    "/account/sessions/end-others": "x", "/sign-out": "x", "/step-up": "code", "/staff/sign-in": "email",
}  # fmt: skip
PAGES = [
    "", "/sign-in", "/sign-in?next=//evil.example", "/sign-in/code", "/sign-in/link/%00", "/sign-in/nobody/callback",
    "/sign-in/link/" + "a" * 4_000, "/sign-in/google/callback?code=%00&state=%ff", "/export?c=%00", "/export?c=é&f=zip",
    "/export/check?c=prompts&c=prompts&f=%ff", "/data/prompts?page=-1", "/data/prompts?page=" + "9" * 40,
    "/data/prompts?page=NaN", "/data/prompts?page=٣", "/data/%2e%2e", "/data/nothing", "/requests/DR-2026-٠١٢٣",
    "/requests/%00", "/requests/DR-2026-0001%0a", "/requests/" + "9" * 3_000, "/requests/DR-2026-0001/copy?said=%00",
    "/ask/%F0%9F%8E%A8", "/account/sessions/not-a-uuid/end", "/requests/%ff%fe/copy", "/?" + "a=1&" * 3_000,
]  # fmt: skip
ANYWHERE = [
    "/xx", "/EN", "/en%00", "/%2e%2e/", "//evil.example/", "/static/../pyproject.toml", "/static/%2e%2e/%2e%2e/",
    "/admin/%00", "/admin/api/tables/", "/schema/export-2.json", "/webhooks/resend", "/fr/%c0%af",
]  # fmt: skip
METHODS = ("PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "HEAD", "PATCH")
REAL = ("/en", "/en/export", "/en/requests/DR-2026-0001/copy", "/static/style.css", "/admin/", "/")
HEADERS = [
    (b"Accept-Language", b"\xff;q=nan,fr;q=1e999," + b"x" * 5_000),
    (b"Accept", b"\xff\xff"),
    (b"Cookie", b"a=" + b"b" * 20_000),
    (b"Host", b"evil.example"),
    (b"X-Forwarded-For", b"1.2.3.4, \xff"),
    (b"If-None-Match", b'"' * 9_000),
    (b"Range", b"bytes=-99999999999999999999"),
    (b"HX-Request", b"true\xff"),
    (b"Accept-Encoding", b"gzip;q=" + b"9" * 999),
]
NO_HTTP = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET /en HTTP/9.9\r\n\r\n",
    b"GET " + b"/" * 200_000,
    b"POST /en/export HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\nTransfer-Encoding: chunked\r\n\r\nzz",
]


async def standing(house: House) -> list[tuple[str, int]]:
    """Count the rows of everything that a form could half write."""
    tables = "subject subject_request parcel export_part timeline_entry mail evidence person_session".split()
    return [(table, int(str(await house.value(f"SELECT count(*) FROM {table}")))) for table in tables]


@pytest.mark.parametrize("who", ["stranger", "person"])
async def test_no_form_is_broken_by_what_is_sent(casagbic: House, visit: Visit, who: str) -> None:
    """NUL, a megabyte, half of UTF-8, wrong kinds of body, no token, foreign origins: refused, nothing is written."""
    visitor = await visit(casagbic, casagbic.email("ordinary", 8) if who == "person" else "")
    token = await visitor.token("/account" if who == "person" else "/sign-in")
    before = await standing(casagbic)
    for path, field in FORMS.items():
        for body, headers in bodies(token, field):
            answer = await visitor.client.post(f"/en{path}", content=body, headers=headers)
            assert 400 <= answer.status_code < 500 or answer.status_code == 303, (path, body[:40], answer.status_code)
    assert await standing(casagbic) == before


def bodies(token: str, field: str) -> list[tuple[bytes, dict[str, str]]]:
    """Return bodies that no page of ours sends, each with its headers. None of them may change anything."""
    form = {"Content-Type": "application/x-www-form-urlencoded", **HTML}
    good = f"csrf={token}&{field}=".encode()
    return [
        (good + b"%00", form),
        (good + b"%ff%fe", form),
        (good + b"\xff", form),
        (good + MEGABYTE.encode(), form),
        (b"&".join([good] * 1_000), form),
        (b"", form),
        (f"{field}=1".encode(), form),
        (f"csrf=&{field}=1".encode(), form),
        (f"csrf={'0' * 64}&{field}=1".encode(), form),
        (f"csrf={token[:-1]}\u00e9&{field}=1".encode(), form),
        (good + b"1", {**form, "Origin": "https://evil.example"}),
        (good + b"1", {**form, "Sec-Fetch-Site": "cross-site"}),
        (good + b"1", {**form, "Cookie": "habeas=%00; habeas=%E9; ;;=;"}),
        (b'{"csrf": 1, "a": [[[[1]]]]}', {"Content-Type": "application/json", **HTML}),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=x", **HTML}),
    ]


async def test_no_address_is_broken_by_what_is_asked(casagbic: House, visit: Visit) -> None:
    """Pages, references, numbers and languages that do not exist, for strangers and for a person, with odd methods."""
    person, stranger = await visit(casagbic, casagbic.email("ordinary", 8)), await visit(casagbic)
    for visitor in (person, stranger):
        asked = [("GET", path) for path in [*(f"/en{page}" for page in PAGES), *ANYWHERE]]
        asked += [(method, path) for method in METHODS for path in REAL]
        for method, path in asked:
            answer = await visitor.client.request(method, path)
            assert answer.status_code < 500, (method, path[:80], answer.status_code)


async def test_head_leaves_the_connection_whole(casagbic: House, visit: Visit) -> None:
    """The headers of GET, no body, and the next request goes through the same connection."""
    visitor = await visit(casagbic)
    for path in ("/en/sign-in", "/static/style.css", "/admin/api/tables/", "/en/nothing"):
        got, head = await visitor.client.get(path), await visitor.client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers.get("connection") != "close"
        assert (await visitor.client.get("/robots.txt")).status_code == 200
    assert "LitestarException" not in casagbic.log()


async def test_no_header_breaks_a_page(casagbic: House, visit: Visit) -> None:
    """Huge, unreadable and contradictory headers, and bytes that are no HTTP: an answer, and the next one is served."""
    visitor = await visit(casagbic)
    for name, value in HEADERS:
        for path in ("/", "/en", "/en/sign-in", "/en/requests", "/static/style.css"):
            answer = await visitor.client.get(path, headers=[(name, value)])
            assert answer.status_code < 500, (name, path)
    for content in NO_HTTP:
        await raw(visitor, content)
    assert (await visitor.open()).status_code == 200


async def raw(visitor: Visitor, content: bytes) -> None:
    """Write bytes to the portal's port and let it answer or hang up."""
    where = urlsplit(visitor.stack.portal_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(content)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 30)
    assert not answer or answer.split()[1] < b"500", answer[:80]
    writer.close()


async def test_nothing_personal_stands_in_log_evidence_or_jobs(casagbic: House, visit: Visit) -> None:
    """After signing in, asking, a wrong code and a hostile field: no address, code, token or IP is written down."""
    person = await visit(casagbic, casagbic.email("ordinary", 9))
    reference = await person.ask()
    await person.copy(reference)
    await person.download(reference)
    await person.send("/sign-in", {"email": "canary.of.ours@person.example\u202e"}, token=await person.token())
    texts = [mail.params["text"] for mail in casagbic.stack.mail.messages()]
    secrets = [found for text in texts for found in re.findall(r"sign-in/link/(\S+)", text)]
    cookies = [value for _, value in person.client.cookies.items()]
    written = {
        "log": casagbic.log(),
        "evidence": str(await casagbic.rows("SELECT * FROM evidence")),
        "jobs": str(await casagbic.rows("SELECT * FROM pgqueuer")),
        "job log": str(await casagbic.rows("SELECT * FROM pgqueuer_log")),
        "mail events": str(await casagbic.rows("SELECT * FROM mail_event")),
    }
    for place, text in written.items():
        assert "@" not in text, place
        assert not [secret for secret in [*secrets, *cookies] if secret in text], place
        assert not re.search(r"\b127\.0\.0\.1\b(?!:)", text), place
    assert casagbic.log().count('"event": "request"') > 5
    assert not [name for name in casagbic.stack.people if name.name in written["log"] + written["evidence"]]
