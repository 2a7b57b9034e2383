"""Each way in which the parts of a policy file can disagree is named: where, what, and what to write."""

from collections.abc import Callable

import pytest

from tests.policy.trees import NAMES, Tree, mistakes, tree

type Plant = Callable[[Tree], object]


def category(raw: Tree, id: str) -> Tree:
    """Return a category of the tree."""
    return next(found for found in raw["categories"] if found["id"] == id)


def source(raw: Tree, id: str) -> Tree:
    """Return a source of the tree."""
    return next(found for found in raw["sources"] if found["id"] == id)


def table(raw: Tree, name: str) -> Tree:
    """Return a table of the platform."""
    return next(found for found in source(raw, "platform")["tables"] if found["name"] == name)


def put(get: Callable[[Tree], Tree], **values: object) -> Plant:
    """Return what writes values into the part of the tree that `get` finds; None takes a key away."""

    def plant(raw: Tree) -> None:
        for key, value in values.items():
            if value is None:
                get(raw).pop(key)
            else:
                get(raw)[key] = value

    return plant


MISTAKES: dict[str, tuple[Plant, str, str]] = {
    # What happens when somebody asks.
    "not told without a reason": (
        put(lambda raw: raw["recipients"][2], told="not-needed"),
        'recipients[2] "anthropic".told_why', "why it need not be told",
    ),
    "told by a source that is none": (
        put(lambda raw: raw["recipients"][2], told="source"),
        'recipients[2] "anthropic".told', "no source names this recipient",
    ),
    "kept by a field that is none": (
        put(lambda raw: category(raw, "payments")["retention"], field="dat"),
        'categories[5] "payments".retention.field', 'Did you mean "date"?',
    ),
    "kept without an end": (
        put(lambda raw: category(raw, "payments")["retention"], years=None, rule="account"),
        'categories[5] "payments".retention', "without an end",
    ),
    "kept without the day it counts from": (
        put(lambda raw: category(raw, "payments")["retention"], field=None),
        'categories[5] "payments".retention.field', "Name the field whose day",
    ),
    "kept without what tells its day": (
        lambda raw: category(raw, "payments")["erasure"]["minimum"].remove("date"),
        'categories[5] "payments".erasure.minimum', "nobody could tell when it goes",
    ),
    "balance of no category": (
        put(lambda raw: raw["paid_balance"], category="acount"), "paid_balance.category", 'Did you mean "account"?',
    ),
    "balance that is no number": (
        put(lambda raw: raw["paid_balance"], field="email"), "paid_balance.field", "is no number",
    ),
    # References that lead nowhere.
    "purpose": (
        lambda raw: category(raw, "code")["purposes"].append("fun"),
        'categories[3] "code".purposes', 'there is no purpose "fun"',
    ),
    "recipient of a category": (
        lambda raw: category(raw, "code")["recipients"].append("awz"),
        'categories[3] "code".recipients', 'Did you mean "aws"?',
    ),
    "recipient of a source": (
        put(lambda raw: source(raw, "uploads"), recipients=["nobody"]),
        'sources[2] "uploads".recipients', 'there is no recipient "nobody"',
    ),
    "category of a table": (
        put(lambda raw: table(raw, "jobs"), category="prompt"),
        'sources[0] "platform".tables[3] "jobs".category', 'Did you mean "prompts"?',
    ),
    "field of a column": (
        lambda raw: table(raw, "jobs")["columns"].append({"name": "secret"}),
        'sources[0] "platform".tables[3] "jobs".columns "secret"', 'has no field "secret"',
    ),
    "category of a Stripe object": (
        put(lambda raw: source(raw, "stripe")["objects"][0], category="money"),
        'sources[1] "stripe".objects[0] "customer".category', 'there is no category "money"',
    ),
    "category of files": (
        put(lambda raw: source(raw, "uploads")["prefixes"][0], category="files"),
        'sources[2] "uploads".prefixes[0] "{account_id}/".category', 'there is no category "files"',
    ),
    "category of the portal": (
        put(lambda raw: source(raw, "portal"), category="asked"),
        'sources[3] "portal".category', 'there is no category "asked"',
    ),
    "joined table": (
        lambda raw: table(raw, "job_outputs")["subject"]["via"][0].update(table="job"),
        'sources[0] "platform".tables[4] "job_outputs".subject.via[0].table', 'Did you mean "jobs"?',
    ),
    "one role for two things": (
        put(lambda raw: source(raw, "platform"), write_url_variable="CASAGBIC_DATABASE_URL"),
        'sources[0] "platform"',
        "three roles",
    ),
    "a writing role that is no variable": (
        put(lambda raw: source(raw, "platform"), write_url_variable="postgresql://x"),
        'sources[0] "platform".write_url_variable',
        "no variable name",
    ),
    "a flag of a table that is none": (
        put(lambda raw: source(raw, "platform"), restrict={"table": "acounts", "column": "restricted"}),
        'sources[0] "platform".restrict.table',
        'Did you mean "accounts"?',
    ),
    "a text in place of a column that is none": (
        put(lambda raw: table(raw, "jobs"), anonymise={"promt": ""}),
        'sources[0] "platform".tables[3] "jobs".anonymise',
        "neither collected nor left out",
    ),
    "a text in place of a key": (
        put(lambda raw: table(raw, "jobs"), anonymise={"account_id": "x"}),
        'sources[0] "platform".tables[3] "jobs".anonymise',
        "what rows are found by",
    ),
    "lookup table": (
        put(lambda raw: source(raw, "platform")["lookup"], table="users"),
        'sources[0] "platform".lookup.table', '"users" is not among its tables',
    ),
    "control of a promise": (
        put(lambda raw: raw["promises"][0], control="no-password"),
        'promises[0] "no-passwords".control', 'Did you mean "no-passwords"?',
    ),
    "field that stays": (
        put(lambda raw: category(raw, "payments")["erasure"], minimum=["date", "card"]),
        'categories[5] "payments".erasure.minimum', 'there is no field "card"',
    ),
    "sign-in provider": (
        lambda raw: raw["recipients"].pop(4),
        "sign_in.ways", 'Add a recipient with the id "google"',
    ),
    # What a person may correct.
    "corrected elsewhere, where?": (
        put(lambda raw: category(raw, "account")["fields"][2], correct={"how": "elsewhere"}),
        'categories[0] "account".fields[2] "plan".correct.why', "Say in both languages what to do instead",
    ),
    "a reason for what needs none": (
        put(
            lambda raw: category(raw, "account")["fields"][1],
            correct={"how": "at-once", "why": {"en": "Because.", "fr": "Parce que."}},
        ),
        'categories[0] "account".fields[1] "display_name".correct.why', "Remove it, or change how",
    ),
    "many records by one word": (
        put(lambda raw: category(raw, "payments")["fields"][2], correct={"how": "at-once"}),
        'categories[5] "payments".fields[2] "amount".correct.how', 'Write "decide"',
    ),
    "the address without a code": (
        put(lambda raw: category(raw, "account")["fields"][0], correct={"how": "at-once"}),
        'categories[0] "account".fields[0] "email".correct.how', 'Write "new-address"',
    ),
    "a new address that nobody signs in with": (
        put(lambda raw: category(raw, "account")["fields"][1], correct={"how": "new-address"}),
        'categories[0] "account".fields[1] "display_name".correct.how', 'Write "decide"',
    ),
    "a length that is none": (
        put(lambda raw: category(raw, "account")["fields"][1], correct={"how": "at-once", "longest": 0}),
        'categories[0] "account".fields[1] "display_name".correct.longest', "from 1 to 5000",
    ),
    # What the law asks for.
    "transfer": (
        put(lambda raw: raw["recipients"][2], transfer=None),
        'recipients[2] "anthropic".transfer', "US lies outside the EEA",
    ),
    "interest": (
        put(lambda raw: raw["purposes"][4], interest=None),
        'purposes[4] "security".interest', "Art. 13(1)(d)",
    ),
    "interest without that basis": (
        put(lambda raw: raw["purposes"][4], basis="contract"),
        'purposes[4] "security".interest', "Remove it, or change the basis",
    ),
    "portable by interest": (
        put(lambda raw: category(raw, "sign-ins"), portable=True),
        'categories[1] "sign-ins".portable', "Write portable = false",
    ),
    "kept without ground": (
        put(lambda raw: category(raw, "payments")["erasure"], ground=None),
        'categories[5] "payments".erasure.ground', "Name the article",
    ),
    "kept without end": (
        put(lambda raw: category(raw, "requests")["retention"], rule="account", days=None),
        'categories[6] "requests".retention.rule', "needs an end",
    ),
    "kept whole": (
        put(lambda raw: category(raw, "requests")["erasure"], minimum=None),
        'categories[6] "requests".erasure.minimum', "Name the fields that must stay",
    ),
    "ground without keeping": (
        put(lambda raw: category(raw, "code")["erasure"], ground="Art. 17(3)(b)"),
        'categories[3] "code".erasure', 'belong to action = "keep"',
    ),
    "invoices erased": (
        put(lambda raw: category(raw, "payments")["erasure"], action="erase", ground=None, minimum=None),
        'categories[5] "payments".erasure.action', "outlives an erasure",
    ),
    "nothing done": (
        put(lambda raw: category(raw, "code")["erasure"], action="nothing"),
        'categories[3] "code".erasure.action', 'Write "erase"',
    ),
    "adequacy of the United States": (
        lambda raw: raw["recipients"][0]["transfer"].update(tool="adequacy"),
        'recipients[0] "aws".transfer.tool', "write dpf",
    ),
    "framework outside the United States": (
        put(lambda raw: raw["recipients"][0], country="IN", transfer={"tool": "dpf"}),
        'recipients[0] "aws".transfer.tool', "is for the United States",
    ),
    "late answer": (put(lambda raw: raw["answer"], days=45), "answer.days", "the law gives a month"),
    "no law": (put(lambda raw: raw["answer"], profiles=[]), "answer.profiles", "is empty"),
    "law twice": (put(lambda raw: raw["answer"], profiles=["eu", "eu"]), "answer.profiles", "names one twice"),
    "decree without the law": (
        put(lambda raw: raw["answer"], profiles=["uk"], identity_pause="fr"), "answer.identity_pause", 'Add "eu"',
    ),
    "notice without a promise": (
        put(lambda raw: raw["answer"], days=None, extension="answer-counts"),
        "answer.extension", "no days are promised",
    ),
    "risk without hours": (
        put(lambda raw: raw["breach"], people_hours=None), "breach.people_hours", "in how many hours",
    ),
    "age": (put(lambda raw: raw["children"], minimum_age=9, never_under=5), "children.minimum_age", "from 13 to 18"),
    "ages crossed": (put(lambda raw: raw["children"], never_under=17), "children.never_under", "the lower of the two"),
    # Periods.
    "no days": (
        put(lambda raw: category(raw, "uploads")["retention"], days=None),
        'categories[4] "uploads".retention.days', 'the rule "age" needs it',
    ),
    "no days, no law": (
        put(lambda raw: category(raw, "uploads")["retention"], days=0),
        'categories[4] "uploads".retention.days', "1 or more",
    ),
    "no years": (
        put(lambda raw: category(raw, "payments")["retention"], years=None),
        'categories[5] "payments".retention.years', 'the rule "business-year" needs it',
    ),
    "days of no use": (
        put(lambda raw: category(raw, "code")["retention"], days=3),
        'categories[3] "code".retention.days', "does not use it",
    ),
    # What is held, and where.
    "nobody collects": (
        put(lambda raw: raw, sources=[found for found in tree()["sources"] if found["id"] != "portal"]),
        'categories[6] "requests"', "no source collects it",
    ),
    "no source for the portal": (
        put(lambda raw: raw, sources=[found for found in tree()["sources"] if found["id"] != "portal"]),
        "sources", "Write exactly one",
    ),
    "field that nobody fills": (
        lambda raw: category(raw, "code")["fields"].append({"id": "mood", "title": {"en": "Mood", "fr": "Humeur"}}),
        'categories[3] "code".fields', "no source fills mood",
    ),
    "fields of files": (
        lambda raw: category(raw, "uploads")["fields"].pop(),
        'sources[2] "uploads".prefixes[0] "{account_id}/".category', "lacks the fields current",
    ),
    "fields of the portal": (
        lambda raw: category(raw, "requests")["fields"].pop(),
        'sources[3] "portal".category', "lacks the fields text",
    ),
    "memory that is looked up": (
        put(lambda raw: category(raw, "sign-ins")["retention"], rule="memory", days=None),
        'categories[1] "sign-ins".searchable', "memory cannot be looked up",
    ),
    "collected though hidden": (
        put(lambda raw: category(raw, "code"), searchable=False),
        'categories[3] "code".searchable', "a source collects it",
    ),
    "nothing for a narrow page": (
        lambda raw: [field.pop("main", None) for field in category(raw, "code")["fields"]],
        'categories[3] "code".fields', "Mark 1 to 4",
    ),
    "too much for a narrow page": (
        lambda raw: [field.update(main=True) for field in category(raw, "code")["fields"]],
        'categories[3] "code".fields', "7 fields have main = true",
    ),
    "no purpose": (put(lambda raw: category(raw, "code"), purposes=[]), 'categories[3] "code".purposes', "is empty"),
    "unused purpose": (
        lambda raw: raw["purposes"].append({**raw["purposes"][0], "id": "fun"}),
        'purposes[6] "fun"', "no category is used for it",
    ),
    "unused recipient": (
        lambda raw: raw["recipients"].append({**raw["recipients"][0], "id": "azure"}),
        'recipients[7] "azure"', "gets nothing",
    ),
    # Sources.
    "two columns, one field": (
        lambda raw: table(raw, "jobs")["columns"].append({"name": "container", "field": "model"}),
        'sources[0] "platform".tables[3] "jobs".columns', '2 columns fill the field "model"',
    ),
    "collected and left out": (
        lambda raw: table(raw, "jobs")["leave_out"].update(model="It is nobody’s business."),
        'sources[0] "platform".tables[3] "jobs".leave_out', '"model" is also collected',
    ),
    "left out without a reason": (
        lambda raw: table(raw, "jobs")["leave_out"].update(container="secret"),
        'sources[0] "platform".tables[3] "jobs".leave_out."container"', "needs a reason",
    ),
    "ignored without a reason": (
        lambda raw: source(raw, "platform")["ignored_tables"].update(model_prices=""),
        'sources[0] "platform".ignored_tables."model_prices"', "needs a reason",
    ),
    "collected and ignored": (
        lambda raw: source(raw, "platform")["ignored_tables"].update(jobs="Holds nothing about anybody."),
        'sources[0] "platform".tables', '"jobs" is named 2 times',
    ),
    "no columns": (
        put(lambda raw: table(raw, "jobs"), columns=[]),
        'sources[0] "platform".tables[3] "jobs".columns', "is empty",
    ),
    "unknown Stripe customer": (
        lambda raw: (
            source(raw, "platform")["lookup"].pop("stripe_customer"),
            table(raw, "purchases")["subject"].update(equals="stripe_customer"),
        ),
        'sources[0] "platform".tables[6] "purchases".subject.equals', "names no stripe_customer column",
    ),
    "card digits": (
        lambda raw: source(raw, "stripe")["objects"][3]["columns"].append({"name": "card.last4", "field": "reference"}),
        'sources[1] "stripe".objects[3] "payment_method".columns "card.last4"', "never collected",
    ),
    "prefix without slash": (
        put(lambda raw: source(raw, "uploads")["prefixes"][0], prefix="{account_id}"),
        'sources[2] "uploads".prefixes[0] "{account_id}".prefix', 'must end with "/"',
    ),
    "prefix of everybody": (
        put(lambda raw: source(raw, "uploads")["prefixes"][0], prefix="uploads/"),
        'sources[2] "uploads".prefixes[0] "uploads/".prefix', "needs {account_id} once",
    ),
    "prefix that climbs": (
        put(lambda raw: source(raw, "uploads")["prefixes"][0], prefix="../{account_id}/"),
        'sources[2] "uploads".prefixes[0] "../{account_id}/".prefix', 'no "." or ".."',
    ),
    "secret in the file": (
        put(lambda raw: source(raw, "stripe"), key_variable="sk_live_123"),
        'sources[1] "stripe".key_variable', "is no variable name",
    ),
    "secret to write with in the file": (
        put(lambda raw: source(raw, "stripe"), write_key_variable="rk_live_123"),
        'sources[1] "stripe".write_key_variable', "is no variable name",
    ),
    "erasing what Stripe keeps": (
        lambda raw: category(raw, "payments").update(erasure={"action": "erase", "why": {"en": "Yes.", "fr": "Oui."}}),
        'sources[1] "stripe".objects[1] "charge".category', "Stripe keeps each charge",
    ),
    "half a pair of keys": (
        put(lambda raw: source(raw, "uploads"), scan_access_key_variable="SCAN"),
        'sources[2] "uploads".scan_secret_key_variable', "both scan keys or neither",
    ),
    "a search of nothing": (
        put(lambda raw: source(raw, "uploads"), scan_limit=0),
        'sources[2] "uploads".scan_limit', "how many stored versions",
    ),
    "webhook address in the file": (
        put(lambda raw: raw["webhook"], url_variable="https://shop.example/"),
        "webhook.url_variable", "is no variable name",
    ),
    # The organisation's own facts.
    "no mail sign-in": (put(lambda raw: raw["sign_in"], ways=["google"]), "sign_in.ways", 'needs "code" or "link"'),
    "link for ever": (put(lambda raw: raw["sign_in"], link_minutes=61), "sign_in.link_minutes", "from 1 to 60"),
    "link of no time": (put(lambda raw: raw["sign_in"], link_minutes=0), "sign_in.link_minutes", "from 1 to 60"),
    "tries without end": (put(lambda raw: raw["sign_in"], code_tries=6), "sign_in.code_tries", "from 1 to 5"),
    "session outlives its cookie": (
        put(lambda raw: raw["sign_in"], session_days=31),
        'cookies[0] "__Host-habeas".days', "a session lasts 31 days",
    ),
    "second cookie": (
        lambda raw: raw["cookies"].append({**raw["cookies"][0], "name": "language"}),
        'cookies[3] "language"', "the portal sets no such cookie",
    ),
    "undisclosed cookie": (lambda raw: raw["cookies"].pop(0), "cookies", 'Add an entry with name = "__Host-habeas"'),
    "pale accent": (
        put(lambda raw: raw["colour"], accent="#89a8ff"), "colour.accent", "The nearest that can be read is #",
    ),
    "dark accent at night": (put(lambda raw: raw["colour"], dark_accent="#1f3fa8"), "colour.dark_accent", "below 4.5"),
    "no colour": (put(lambda raw: raw["colour"], wash="blue"), "colour.wash", "is not a colour"),
    "zone": (put(lambda raw: raw["controller"], zone="Europe/Pariss"), "controller.zone", "is no time zone"),
    "zone that climbs": (
        put(lambda raw: raw["controller"], zone="../../etc/passwd"), "controller.zone", "is no time zone",
    ),
    "holidays": (put(lambda raw: raw["controller"], holidays="France"), "controller.holidays", "is no country"),
    "holidays of nowhere": (
        put(lambda raw: raw["controller"], holidays="FR-99"), "controller.holidays", "we know no holidays",
    ),
    "country": (
        put(lambda raw: raw["recipients"][0], country="us"), 'recipients[0] "aws".country', "two capital letters",
    ),
    "contact": (put(lambda raw: raw["controller"], contact="privacy"), "controller.contact", "is not a mail address"),
    "sender": (put(lambda raw: raw, mail_from="a@b.example\nBcc: c@d.example"), "mail_from", "is not a mail address"),
    "site": (
        put(lambda raw: raw["controller"], site="javascript:alert(1)"), "controller.site", "is not a full address",
    ),
    "host": (
        put(lambda raw: raw["recipients"][0], hosts=["https://x.example"]), 'recipients[0] "aws".hosts', "no https://",
    ),
    "no language": (put(lambda raw: raw, languages=[]), "languages", "is empty"),
    "language twice": (put(lambda raw: raw, languages=["en", "en"]), "languages", "names one twice"),
    # How things are written.
    "id in an address": (put(lambda raw: raw["gaps"][0], id="a/../b"), 'gaps[0] "a/../b".id', "cannot be an id"),
    "kind of records": (
        put(lambda raw: table(raw, "jobs"), kind="My Prompt"),
        'sources[0] "platform".tables[3] "jobs".kind', "cannot be an id",
    ),
    "field named kind": (
        put(lambda raw: category(raw, "code")["fields"][0], id="kind"),
        'categories[3] "code".fields[0] "kind".id', "already has a kind",
    ),
    "two of one id": (
        lambda raw: raw["purposes"].append(raw["purposes"][0]),
        "purposes", '2 entries have the id "run-account"',
    ),
    "two fields of one id": (
        lambda raw: category(raw, "code")["fields"].append(category(raw, "code")["fields"][1]),
        'categories[3] "code".fields', '2 entries have the id "code"',
    ),
    "not translated": (
        put(lambda raw: category(raw, "code")["explanation"], fr=category(tree(), "code")["explanation"]["en"]),
        'categories[3] "code".explanation.fr', "is the English text once more",
    ),
    "text that turns round": (
        put(lambda raw: category(raw, "code")["title"], en="Code\u202e"),
        'categories[3] "code".title.en', "invisible character U+202E",
    ),
    "text without end": (
        put(lambda raw: category(raw, "code")["title"], en="word " * 1000),
        'categories[3] "code".title.en', "5000 characters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_named_with_place_and_remedy(name: str) -> None:
    """Planted into the real file, each mistake comes out at its place with words that say what to do."""
    plant, where, words = MISTAKES[name]
    raw = tree()
    plant(raw)
    found = mistakes(raw)
    assert any(mistake.startswith(f"{where}: ") and words in mistake for mistake in found), found
    assert len(found) <= 4, found


@pytest.mark.parametrize("name", NAMES)
def test_the_real_files_have_no_mistake(name: str) -> None:
    """Both organisations can start: no rule objects."""
    assert mistakes(tree(name)) == []
