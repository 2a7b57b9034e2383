"""One person at a browser without scripts: they sign in by the code from their mail and follow the forms.

Always true here: a form is sent with the token of the page it stands on, as a browser would.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from demo.stack import Stack
from tests.faults.waiting import until

HTML = {"Accept": "text/html"}
EVERYTHING = "account sign-ins prompts code uploads payments requests descriptions images purchases ip-address".split()
"""Ids of either organisation; what a policy does not offer is left out by the portal."""
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Visitor:
    """A person before the portal of `stack`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.email = ""
        self.client = httpx.AsyncClient(base_url=stack.portal_url, headers=HTML, timeout=60)

    async def close(self) -> None:
        """Close the browser."""
        await self.client.aclose()

    async def open(self, path: str = "") -> httpx.Response:
        """Open a page by its path without language; redirections are followed."""
        return await self.client.get(f"/en{path}", follow_redirects=True)

    async def token(self, path: str = "/account") -> str:
        """Return the token of the forms on a page."""
        found = TOKEN.search((await self.open(path)).text)
        assert found is not None, path
        return found[1]

    async def send(self, path: str, fields: Mapping[str, str | Sequence[str]], *, token: str = "") -> httpx.Response:
        """Send a form. Redirections are not followed."""
        form = {"csrf": token or await self.token(), **fields}
        return await self.client.post(f"/en{path}", data=form)

    async def sign_in(self, email: str) -> None:
        """Type the address, read the mail, type the code."""
        known = {mail.id for mail in self.stack.mail.messages(email)}
        answer = await self.send("/sign-in", {"email": email, "next": "/"}, token=await self.token("/sign-in"))
        assert answer.status_code == 303, answer.status_code

        async def mailed() -> list[str]:
            return [mail.params["text"] for mail in self.stack.mail.messages(email) if mail.id not in known]

        text = (await until(mailed, "mailed a code"))[0]
        digits = re.search(r"\b(\d{3})\s(\d{3})\b", text)
        assert digits is not None
        answer = await self.send(
            "/sign-in/code", {"code": digits[1] + digits[2]}, token=await self.token("/sign-in/code")
        )
        assert answer.status_code == 303, answer.status_code
        self.email = email

    async def ask(self, *categories: str) -> str:
        """Ask for a copy of some categories, or of everything. Returns the reference."""
        answer = await self.send("/export", {"c": list(categories or EVERYTHING), "f": "all"})
        assert answer.status_code == 303, answer.status_code
        return answer.headers["location"].split("/")[3]

    async def copy(self, reference: str, heading: str = "Your copy is ready") -> str:
        """Wait until the page of the copy has this heading. Returns the page."""

        async def ready() -> str:
            page = await self.open(f"/requests/{reference}/progress")
            return page.text if f"<h1>{heading}</h1>" in page.text else ""

        return await until(ready, f"read “{heading}”", every=0.5)

    async def download(self, reference: str, what: str = "zip") -> bytes:
        """Press the button on the copy's page."""
        answer = await self.send(f"/requests/{reference}/download", {"what": what})
        assert answer.status_code == 200, answer.status_code
        return answer.content

    async def archive(self, reference: str) -> zipfile.ZipFile:
        """Download the copy and open it."""
        return zipfile.ZipFile(io.BytesIO(await self.download(reference)))


def saved(content: bytes, place: Path) -> Path:
    """Write a download to a file."""
    place.write_bytes(content)
    return place
