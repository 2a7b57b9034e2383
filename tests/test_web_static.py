"""Our own files: small, the right ones, kept for as long as their address says."""

import hashlib
import re

from portal.assets import STATIC, Assets, brand
from portal.policy.contrast import contrast
from portal.web import TEMPLATES
from tests.web_app import browsing, make_app, organisation

FIRST_VISIT_BYTES, PAGE_BYTES = 70_000, 10_000
VENDORED = re.compile(r"\| `([\w./-]+)` \|.*\| `([0-9a-f]{64})` \|")
GZIP = {"Accept-Encoding": "gzip"}


async def test_a_file_is_kept_for_a_year_under_the_address_that_names_its_content() -> None:
    """With another `v`, or none, the browser must ask each time."""
    address = Assets(organisation().colour).url("style.css")
    async with browsing(make_app()) as client:
        right, wrong = await client.get(address), await client.get("/static/style.css?v=000000000000")
        again = await client.get("/static/style.css", headers={"If-None-Match": right.headers["etag"]})
    assert right.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert wrong.headers["cache-control"] == "public, no-cache"
    assert again.status_code == 304
    assert again.content == b""


def test_addresses_inside_the_style_sheet_name_the_content_of_the_file() -> None:
    """A font that changes under the same address would be kept for a year."""
    style = (STATIC / "style.css").read_text()
    named = re.findall(r'url\("([\w./-]+)\?v=(\w+)"\)', style)
    assert named
    assert "url(" not in re.sub(r'url\("([\w./-]+)\?v=(\w+)"\)', "", style)
    for name, digest in named:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest().startswith(digest)


def test_what_we_copied_is_what_we_say_we_copied() -> None:
    """The digests of VENDORED.md are those of the files, each with its licence beside it."""
    listed = dict(VENDORED.findall((STATIC / "VENDORED.md").read_text()))
    assert set(listed) == {"htmx.min.js", "fonts/public-sans.woff2"}
    for name, digest in listed.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
    assert (STATIC / "htmx.LICENSE").exists()
    assert (STATIC / "fonts" / "public-sans.LICENSE").exists()


def test_text_on_the_accent_can_be_read() -> None:
    """The text on a button is black or white, whichever stands out, in both organisations and both themes."""
    for name in ("casagbic", "caaartoons"):
        colours = re.findall(r"--brand:(#\w+);--brand-wash:#\w+;--on-brand:(#\w+)", brand(organisation(name).colour))
        assert len(colours) == 2
        assert all(contrast(accent, text) >= 4.5 for accent, text in colours)


def test_every_class_of_a_page_is_in_a_style_sheet() -> None:
    """A class that no style sheet knows is a slip of the pen, and a page that looks wrong."""
    styled = set(re.findall(r"\.([a-z][\w-]*)", "".join(path.read_text() for path in STATIC.glob("*.css"))))
    pages = [path for path in TEMPLATES.rglob("*.html") if path.parent.name != "mail"]
    used = {name for path in pages for name in classes_in(path.read_text())}
    assert used - styled == set()


def classes_in(template: str) -> set[str]:
    """The classes that a template writes out, without those that it computes."""
    written = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", template)
    return {name for attribute in re.findall(r'class="([^"]*)"', written) for name in attribute.split()}


async def test_a_first_visit_and_the_next_page_stay_light() -> None:
    """Source: design/ux.md, section 12."""
    async with browsing(make_app(), **GZIP) as client:
        page = await client.get("/en/how-we-handle-data")
        wanted = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)) | {"/static/htmx.min.js"}
        files = [int((await client.get(address)).headers["content-length"]) for address in sorted(wanted)]
    size = int(page.headers["content-length"])
    assert size <= PAGE_BYTES
    assert size + sum(files) <= FIRST_VISIT_BYTES
    assert len(wanted) + 1 <= 5


async def test_a_page_asks_nothing_of_any_other_site() -> None:
    """Every address that a page loads is ours."""
    async with browsing(make_app()) as client:
        text = (await client.get("/en/how-we-handle-data")).text + (STATIC / "style.css").read_text()
    loaded = re.findall(r'(?:src|<link[^>]+href)="([^"]+)"|url\(["\']?([^)"\']+)', text)
    assert all(not (a or b).startswith(("http", "//")) for a, b in loaded)
    assert "style=" not in text
    assert "<script>" not in text
