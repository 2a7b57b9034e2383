"""The demo's inbox: a page for people, JSON for programs.

Always true here: what a mail says is shown as text, never run; a link in it can be followed, and says nothing about
where it was clicked.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from demo.resend.rules import Refusal
from demo.resend.standin import Sent, StandIn
from demo.resend.web import Answer, Call

HERE = Path(__file__).parent
PAGES = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
SAFETY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")


def answer(standin: StandIn, call: Call) -> Answer | None:
    """Answer what belongs to the inbox; None when the call is not for it."""
    match call.method, call.path.strip("/").split("/"):
        case "GET" | "HEAD", [""]:
            return _page("inbox.html", mails=standin.messages(call.query.get("to", "")))
        case "GET", ["messages.json"]:
            mails = [mail.described() for mail in standin.messages(call.query.get("to", ""))]
            return Answer.json(mails).with_headers(SAFETY)
        case "GET" | "HEAD", ["mail", id]:
            return _mail(standin, id)
        case "GET", ["style.css"]:
            return Answer(200, (HERE / "style.css").read_bytes(), {"content-type": "text/css; charset=utf-8"})
    return None


def _mail(standin: StandIn, id: str) -> Answer:
    name, _, format = id.partition(".")
    try:
        mail = standin.find(name)
    except Refusal:
        return _page("inbox.html", status=404, mails=[])
    if format == "html":
        return _as_html(mail)
    return _page("mail.html", mail=mail, text=with_links(mail.params.get("text") or ""))


def _as_html(mail: Sent) -> Answer:
    """Show the HTML of a mail by itself, as a mail program would: its own style and nothing else."""
    headers = {
        **SAFETY,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'",
    }
    return Answer(200, (mail.params.get("html") or "").encode(), headers)


def _page(template: str, *, status: int = 200, **context: object) -> Answer:
    body = PAGES.get_template(template).render(context)
    return Answer(status, body.encode(), {**SAFETY, "content-type": "text/html; charset=utf-8"})


def with_links(text: str) -> Markup:
    """Escape a text and make its addresses links."""
    parts, end = [], 0
    for link in LINK.finditer(text):
        address = escape(link.group())
        parts += [escape(text[end : link.start()]), Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(address)]
        end = link.end()
    return Markup("").join([*parts, escape(text[end:])])
