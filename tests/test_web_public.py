"""The pages that are open to everybody say what the policy file says, and belong to nobody."""

import re

import pytest

from portal.policy.model import Standing
from tests.web_app import browsing, make_app, organisation

HOW = "how-we-handle-data"
BOTH = pytest.mark.parametrize("name", ["casagbic", "caaartoons"])
LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])


@BOTH
@LANGUAGES
async def test_the_notice_names_every_category_recipient_purpose_and_cookie(name: str, language: str) -> None:
    """What the policy file holds and the notice leaves out would be a promise that nobody can read."""
    policy = organisation(name)
    async with browsing(make_app(name)) as client:
        text = text_of((await client.get(f"/{language}/{HOW}")).text)
    titles = [item.title[language] for item in (*policy.categories, *policy.purposes, *policy.never)]
    periods = [category.retention.text[language] for category in policy.categories]
    names = [recipient.name for recipient in policy.recipients] + [cookie.name for cookie in policy.cookies]
    missing = [
        wanted
        for wanted in (*titles, *periods, *names, policy.automated_decisions[language])
        if text_of(wanted) not in text
    ]
    assert missing == []


@BOTH
@LANGUAGES
async def test_an_assumed_fact_is_marked_as_practice(name: str, language: str) -> None:
    """What the published text does not say must not read as if the organisation had promised it."""
    policy = organisation(name)
    marked = [*policy.purposes, *policy.recipients, *(data.retention for data in policy.categories), policy.sign_in]
    marked += [fact for fact in (policy.backups, policy.children) if fact]
    marked += [fact for fact in (policy.answer,) if fact.days] + [
        fact for fact in (policy.breach,) if fact.people_hours
    ]
    marked += [fact for fact in (policy.changes,) if fact.notice_days]
    marked += [cookie for cookie in policy.cookies if cookie.audience == "person"]
    async with browsing(make_app(name)) as client:
        text = (await client.get(f"/{language}/{HOW}")).text
    mark = "(our practice)" if language == "en" else "(notre pratique)"
    assert text.count(mark) == sum(fact.standing is Standing.ASSUMED for fact in marked)


@LANGUAGES
@pytest.mark.parametrize("path", [HOW, "accessibility"])
async def test_a_public_page_is_the_same_for_everyone(language: str, path: str) -> None:
    """It sets no cookie, can be kept by proxies, and nothing of one visitor's address stays in it for the next."""
    async with browsing(make_app(), Cookie="habeas=x.y") as client:
        first = await client.get(f"/{language}/{path}/?secret=1")
        second = await client.get(f"/{language}/{path}")
        again = await client.get(f"/{language}/{path}", headers={"If-None-Match": first.headers["etag"]})
    assert first.content == second.content
    assert "secret" not in first.text
    assert first.headers["cache-control"] == "public, max-age=300"
    assert "set-cookie" not in first.headers
    assert again.status_code == 304


@pytest.mark.parametrize("anchor", ["retention", "cookies", "recipients", "rights", "purposes", "who"])
async def test_the_links_into_the_notice_lead_somewhere(anchor: str) -> None:
    """The footer of every page points at these places."""
    async with browsing(make_app()) as client:
        text = (await client.get(f"/fr/{HOW}")).text
    assert text.count(f'id="{anchor}"') == 1


async def test_the_language_link_leads_to_the_same_page() -> None:
    """Whoever changes the language stays where they are."""
    async with browsing(make_app()) as client:
        text = (await client.get(f"/fr/{HOW}")).text
    assert f'<a href="/en/{HOW}" hreflang="en" lang="en">English</a>' in text


@pytest.mark.parametrize(
    ("accepted", "expected"), [("fr", "/fr"), ("en-GB,fr;q=0.5", "/en"), ("de", "/en"), ("", "/en")]
)
async def test_the_front_door_leads_to_the_browsers_language(accepted: str, expected: str) -> None:
    """Or to the organisation's first when the browser speaks none of ours."""
    async with browsing(make_app(), **{"Accept-Language": accepted}) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, expected)


def text_of(page: str) -> str:
    """The words of a page without its markup, each space the same."""
    words = re.sub(r"<[^>]+>", "", page)
    return " ".join(words.replace("&#39;", "'").replace("&amp;", "&").replace("&#34;", '"').split())
