"""A person at the running demo, without a browser: signs in, opens pages, asks for a copy and waits for it.

Always true here: everything is done through the forms of the pages, as a browser without scripts would.
"""

import re
import time
from collections.abc import Mapping, Sequence

import httpx
import msgspec

from demo.stack import Stack

PATIENCE_SECONDS = 240
MAIL_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.05


class Copy(msgspec.Struct, frozen=True):
    """A finished copy. `seconds` from click to ready."""

    reference: str
    seconds: float


class Guest:
    """One signed-in person."""

    def __init__(self, stack: Stack, email: str) -> None:
        self._inbox = stack.inbox_url
        self._client = httpx.Client(
            base_url=f"{stack.portal_url}/en", follow_redirects=True, timeout=60,
            headers={"accept": "text/html", "origin": stack.portal_url},
        )  # fmt: skip
        self.email = email
        self._sign_in()

    @property
    def cookie(self) -> str:
        """The session, as a header's value."""
        return "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())

    def open(self, path: str) -> str:
        """Open a page that must be there. Returns its HTML."""
        return self._client.get(path).raise_for_status().text

    def take_copy(self) -> Copy:
        """Ask for everything and wait until it is ready."""
        form = self.open("/export")
        everything = re.findall(r'name="c"[^>]* value="([^"]+)"', form)
        start = time.perf_counter()
        answer = self._send(form, "/export", {"c": everything, "f": "all"})
        reference = answer.url.path.split("/")[3]
        copy = f"/requests/{reference}/copy"
        while time.perf_counter() - start < PATIENCE_SECONDS:
            if answer.url.path.endswith(copy) or copy in answer.text:
                return Copy(reference, time.perf_counter() - start)
            time.sleep(LOOK_AGAIN_SECONDS)
            answer = self._client.get(f"/requests/{reference}/progress").raise_for_status()
        raise TimeoutError("the copy did not become ready")

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def _sign_in(self) -> None:
        before = len(self._mails())
        answer = self._send(self.open("/sign-in"), "/sign-in", {"email": self.email})
        start = time.perf_counter()
        while len(mails := self._mails()) == before:
            if time.perf_counter() - start > MAIL_SECONDS:
                raise TimeoutError("no mail came")
            time.sleep(LOOK_AGAIN_SECONDS)
        code = re.search(r"\b(\d{3})\s(\d{3})\b", mails[0]["text"])
        assert code is not None
        self._send(answer.text, "/sign-in/code", {"code": code[1] + code[2]})

    def _mails(self) -> list[dict[str, str]]:
        mails: list[dict[str, str]] = httpx.get(f"{self._inbox}/messages.json", params={"to": self.email}).json()
        return mails

    def _send(self, page: str, path: str, fields: Mapping[str, str | Sequence[str]]) -> httpx.Response:
        """Send a form that stands on `page`."""
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        return self._client.post(path, data={"csrf": token[1], **fields}).raise_for_status()
