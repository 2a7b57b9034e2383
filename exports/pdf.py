"""Lays the report out as PDF with WeasyPrint. Runs in a worker process alone, never in the portal's own.

Always true here: people's text is data, escaped; nothing is fetched but the one font beside this file; every PDF is
tagged, says its language and carries its fonts.
"""

import gc
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from weasyprint import HTML  # type: ignore[import-untyped]
from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

from exports.lines import at
from exports.report import Limits, Volume, Writer
from exports.spool import Haul
from exports.text import one_line, visible

HERE = Path(__file__).parent
FONT = HERE / "fonts" / "public-sans.woff2"
VARIANT = "pdf/ua-1"
INK = "#161b2e"


class RenderError(Exception):
    """The page wanted something that is not ours to give."""


class OwnAssets(URLFetcher):  # type: ignore[misc]
    """Gives the font, and refuses everything else: http, file, data, anything. Source: law S-14."""

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002  its signature
        """Return the font, or abort the whole document."""
        if url == "asset:public-sans.woff2":
            return URLFetcherResponse(url, body=FONT.read_bytes(), headers={"Content-Type": "font/woff2"})
        raise FatalURLFetchingError("refused")


def render_report(haul: Haul, limits: Limits, volumes: Mapping[str, Sequence[str]], target: Path) -> None:
    """Write the report; where nothing at all is held, the one page that says where we looked.

    `volumes` are the names of the volumes that were made, by section.

    Raises:
        RenderError: when the page asked for something from outside.
    """
    writer = Writer(haul, limits)
    words, order = writer.words, haul.order
    values: dict[str, object] = {
        "title": words.document_title,
        "lead": _lead(writer),
        "not_in_here": writer.not_in_here(),
    }
    if haul.is_empty:
        sources = dict.fromkeys(part.title for held in haul.held for part in held.parts)
        values |= {"meta": [(words.for_whom, one_line(order.email)), (words.reference, order.reference)]}
        _print("nothing.html", writer, target, **values, searched=[*sources])
        return
    chapters = [writer.chapter(held, volumes.get(held.section.id, ())) for held in haul.held]
    faults = [writer.missing(missing) for missing in haul.missing]
    faults += [writer.withheld(one) for one in haul.withheld]
    _print("report.html", writer, target, **values, meta=_meta(writer), chapters=chapters, faults=faults)


def render_volume(haul: Haul, limits: Limits, volume: Volume, target: Path) -> None:
    """Write one part of a long category.

    Raises:
        RenderError: when the page asked for something from outside.
    """
    writer = Writer(haul, limits)
    words, number = writer.words, writer.show.number
    last = volume.first + len(volume.places) - 1
    title = one_line(volume.held.section.title)
    _print(
        "volume.html",
        writer,
        target,
        title=words.volume_title.format(
            title=title, number=volume.number, count=volume.count,
            organisation=haul.order.organisation, reference=haul.order.reference,
        ),
        heading=f"{title} {volume.number}/{volume.count}",
        lead=words.volume_lead.format(
            first=number(volume.first), last=number(last), total=number(volume.held.count)
        ),
        records=writer.body(volume.held, at(volume.held.lines, volume.places)),
    )  # fmt: skip


def _lead(writer: Writer) -> Markup:
    order, words = writer.haul.order, writer.words
    lead = words.lead if order.name else words.lead_no_name
    if writer.haul.is_empty:
        lead = words.nothing_lead
    moment = writer.show.moment(order.snapshot_at)
    return Markup(escape(lead.format(name=_isolated(order.name), email=_isolated(order.email), moment=moment)))  # noqa: S704  escaped right here


def _isolated(text: str) -> str:
    """Keep a name that runs from right to left from reordering the sentence around it."""
    return f"\N{FIRST STRONG ISOLATE}{one_line(text)[:200]}\N{POP DIRECTIONAL ISOLATE}"


def _meta(writer: Writer) -> list[tuple[str, str]]:
    haul, words, number = writer.haul, writer.words, writer.show.number
    filled = sum(1 for held in haul.held if held.count or held.files)
    records = words.records_one if haul.records == 1 else words.records_many
    categories = words.in_categories_one if filled == 1 else words.in_categories_many
    also_files = words.also_files_one if haul.files == 1 else words.also_files_many
    sources = dict.fromkeys(part.title for held in haul.held for part in held.parts)
    return [
        (words.for_whom, one_line(haul.order.email)[:200]),
        (words.reference, haul.order.reference),
        (
            words.records,
            f"{records.format(count=number(haul.records))} {categories.format(count=number(filled))}",
        ),
        (
            words.also,
            words.also_data + (also_files.format(count=number(haul.files)) if haul.files else ""),
        ),
        (words.searched, ", ".join(one_line(title) for title in sources)),
    ]


def _print(template: str, writer: Writer, target: Path, **values: object) -> None:
    order = writer.haul.order
    values["title"] = str(values["title"]).format(organisation=order.organisation, reference=order.reference)
    html = _templates().get_template(template).render(
        order=order, words=writer.words, language=order.language, css=_css(writer),
        created=order.snapshot_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **values,
    )  # fmt: skip
    gc.collect()
    gc.disable()
    try:
        HTML(string=html, url_fetcher=OwnAssets(), base_url=None).write_pdf(
            target, pdf_variant=VARIANT, font_config=FontConfiguration(), presentational_hints=False
        )
    except FatalURLFetchingError as refused:
        raise RenderError from refused
    finally:
        gc.enable()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_finalize,
    )  # fmt: skip


def _finalize(value: object) -> object:
    """Make every text that reaches a page visible and harmless, whoever wrote it."""
    return visible(value) if type(value) is str else value


def _css(writer: Writer) -> Markup:
    """Return the stylesheet with the order's accent and the words of the page margins."""
    order, words = writer.haul.order, writer.words
    accent = order.accent if re.fullmatch(r"#[0-9a-fA-F]{6}", order.accent) else INK
    footer = words.footer.format(organisation=order.organisation, reference=order.reference)
    before, between = words.page_of.replace("{pages}", "{page}").split("{page}")[:2]
    css = (HERE / "report.css").read_text()
    css = css.replace("ACCENT", accent).replace("WASH", _wash(accent))
    css = css.replace("FOOTER", _string(footer))
    css = css.replace("PAGES", f"{_string(before)} counter(page) {_string(between)} counter(pages)")
    return Markup(css)  # noqa: S704  what is not ours in it has been spelt as numbers


def _wash(accent: str) -> str:
    """Return the accent as a pale ground that ink stays readable on."""
    parts = (int(accent[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * 0.09):02x}" for part in parts)


def _string(text: str) -> str:
    """Write text as a CSS string: every character that is not a plain letter or digit by its number."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\{ord(c):06x}" for c in text) + '"'
