"""The policy file as strict frozen structs: everything an organisation promises, as data.

Always true here: no operators and no conditions. A key that is not named here is a mistake (`forbid_unknown_fields`).
`stated` = the organisation's published policy says it; `assumed` = a sensible start, to be confirmed by the operator.
It is long because it is the whole shape of one file, in the file's order: who writes a policy finds every key here.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Literal

import msgspec

type Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")


class Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """What all parts of the file share: frozen, strict, named arguments only."""


class Text(Frozen, frozen=True, kw_only=True):
    """A text in every language the product speaks. Both are required."""

    en: str
    fr: str

    def __getitem__(self, language: str) -> str:
        """Return the text in `language`."""
        return self.fr if language == "fr" else self.en


class Standing(StrEnum):
    """Who stands behind a fact."""

    STATED = "stated"
    ASSUMED = "assumed"


class Basis(StrEnum):
    """The legal basis of a purpose. Source: GDPR Art. 6(1)."""

    CONTRACT = "contract"
    CONSENT = "consent"
    LEGAL_DUTY = "legal-duty"
    LEGITIMATE_INTEREST = "legitimate-interest"


class Colour(Frozen, frozen=True, kw_only=True):
    """An accent for light and for dark pages, as #rrggbb; `wash` is the pale ground behind it."""

    accent: str
    wash: str
    dark_accent: str
    dark_wash: str


class Authority(Frozen, frozen=True, kw_only=True):
    """The data protection authority a person may complain to. Source: GDPR Art. 77."""

    name: str
    url: str


class Controller(Frozen, frozen=True, kw_only=True):
    """Who answers for the data. Empty legal facts are reported as gaps. Source: GDPR Art. 13(1)(a)-(b)."""

    name: str
    """The name people know, e.g. Casagbic."""
    legal_name: str = ""
    address: str = ""
    contact: str
    """The mailbox a person reads."""
    representative: str = ""
    data_protection_officer: str = ""
    site: str
    zone: str
    """IANA time zone; legal days are counted in it."""
    holidays: str
    """ISO 3166 code of the holiday calendar."""
    authority: Authority
    single_operator: bool = False


class Way(StrEnum):
    """A way to sign in."""

    CODE = "code"
    LINK = "link"
    GOOGLE = "google"
    MICROSOFT = "microsoft"


class SignIn(Frozen, frozen=True, kw_only=True):
    """How people sign in, and how long it lasts."""

    ways: tuple[Way, ...]
    link_minutes: int
    code_tries: int = 5
    session_days: int
    step_up_minutes: int = 15
    standing: Standing = Standing.STATED


type Jurisdiction = Literal["eu", "uk", "california", "brazil", "brazil-small"]
type IdentityPause = Literal["none", "fr"]
type Extension = Literal["strict", "answer-counts"]


class Answer(Frozen, frozen=True, kw_only=True):
    """When a request is answered. `days` = promised days, None when only the law's month counts."""

    days: int | None = None
    inquiry_days: int | None = None
    profiles: tuple[Jurisdiction, ...] = ("eu",)
    """Whose laws apply to every request; the earliest day counts."""
    identity_pause: IdentityPause = "none"
    """Whether the month stands still while proof of identity is awaited; fr: French decree 2019-536 Art. 77."""
    extension: Extension = "strict"
    """Whether the notice of an extension may count as the promised answer."""
    standing: Standing = Standing.STATED


class Breach(Frozen, frozen=True, kw_only=True):
    """When affected people are told. Source: GDPR Art. 33, 34 and the organisation's own promise."""

    people_when: Literal["any-risk", "high-risk"]
    people_hours: int | None = None
    standing: Standing = Standing.STATED


class Purpose(Frozen, frozen=True, kw_only=True):
    """One use of data, on one basis."""

    id: str
    title: Text
    basis: Basis
    interest: Text | None = None
    """What our interest is; required for legitimate interest. Source: GDPR Art. 13(1)(d)."""
    marketing: bool = False
    """Advertising: whoever says no to it is never asked why. Source: GDPR Art. 21(2)-(3)."""
    standing: Standing = Standing.STATED


class Transfer(Frozen, frozen=True, kw_only=True):
    """What makes a transfer to a third country lawful. Source: GDPR Art. 45, 46."""

    tool: Literal["scc", "dpf", "scc+dpf", "adequacy", "uk-addendum"]
    detail: str = ""
    reviewed: date | None = None


class Recipient(Frozen, frozen=True, kw_only=True):
    """Someone else who gets data, by actual name. Source: GDPR Art. 15(1)(c), C-154/21."""

    id: str
    name: str
    does: Text
    role: Literal["processor", "controller"]
    country: str
    """ISO 3166 alpha-2 of the company that gets the data."""
    region: str = ""
    """Where the data is kept, when that is another place."""
    transfer: Transfer | None = None
    """Required when `country` is outside the EEA."""
    hosts: tuple[str, ...] = ()
    told: Literal["source", "by-hand", "not-needed"] = "by-hand"
    """How it hears of a correction, an erasure or a pause: `source` it is one of our sources and does as told;
    `by-hand` a person of ours writes to it; `not-needed`, with the reason. Source: GDPR Art. 19."""
    told_why: Text | None = None
    """Why that is so, for the person; required for `not-needed`."""
    standing: Standing = Standing.STATED


class Retention(Frozen, frozen=True, kw_only=True):
    """How long, in words and, where a rule can be run, as data for the retention engine."""

    text: Text
    rule: Literal["account", "age", "inactivity", "business-year", "memory"]
    """`account` while the account exists; `age` and `inactivity` after `days`; `business-year` after the year's end
    plus `years`; `memory` in memory only, gone on its own."""
    days: int | None = None
    years: int | None = None
    field: str = ""
    """The field whose day the period counts from; required where `keep` holds records for `years` or `days`."""
    standing: Standing = Standing.STATED


class Erasure(Frozen, frozen=True, kw_only=True):
    """What erasing does to a category, and why, in words for the person."""

    action: Literal["erase", "anonymise", "keep", "nothing"]
    why: Text
    ground: str = ""
    """The article that lets it be kept; required for `keep`."""
    minimum: tuple[str, ...] = ()
    """The fields that stay when `keep`; all others are erased."""


class Value(Frozen, frozen=True, kw_only=True):
    """What a stored value is called for people, e.g. `code` is "code by e-mail"."""

    stored: str
    title: Text


class Correct(Frozen, frozen=True, kw_only=True):
    """What happens when a person says that a field is wrong. Source: GDPR Art. 16."""

    how: Literal["at-once", "new-address", "decide", "elsewhere", "never"]
    """`at-once` the person's own words; `new-address` the address to sign in with, by a code to the new one;
    `decide` a person of ours looks; `elsewhere` and `never` with `why`: what to do instead."""
    why: Text | None = None
    longest: int = 200
    """Characters that fit."""


class Field(Frozen, frozen=True, kw_only=True):
    """One thing known about the person. `kind` decides how it is shown, never what is collected."""

    id: str
    title: Text
    kind: Literal["text", "long-text", "code", "moment", "day", "money", "number", "flag", "file", "size", "link"] = (
        "text"
    )
    main: bool = False
    """Shown first and in narrow tables; a category has one to four of them."""
    values: tuple[Value, ...] = ()
    """What stored values are called for people; others are shown as they are stored. The data files keep the stored."""
    correct: Correct = Correct(how="decide")


class Category(Frozen, frozen=True, kw_only=True):
    """What a person would call the data: Account, Prompts, Payments."""

    id: str
    title: Text
    explanation: Text
    fields: tuple[Field, ...]
    purposes: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    retention: Retention
    portable: bool
    """Given by the person or observed, on contract or consent. Source: GDPR Art. 20."""
    erasure: Erasure
    origin: Text | None = None
    """Where it comes from when not from the person. Source: GDPR Art. 15(1)(g)."""
    may_name_others: bool = False
    """True when other people may be named in it: somebody looks before a copy with signs of them leaves.
    Source: GDPR Art. 15(4), 20(4)."""
    searchable: bool = True
    """False when it cannot be looked up by person: explained, never counted. Source: GDPR Art. 11."""
    standing: Standing = Standing.STATED


class Never(Frozen, frozen=True, kw_only=True):
    """The row of zero: what is never held."""

    title: Text
    explanation: Text


class Join(Frozen, frozen=True, kw_only=True):
    """One step from a table to the table that knows whose row it is: `column` here = `key` of `table` there."""

    column: str
    table: str
    key: str


class Column(Frozen, frozen=True, kw_only=True):
    """A column that is collected into a field. `as` renames; by default the column's name is the field's id."""

    name: str
    field: str = ""

    @property
    def target(self) -> str:
        """The id of the field it fills."""
        return self.field or self.name


class Subject(Frozen, frozen=True, kw_only=True):
    """Whose rows they are: the identifier `equals` is found in `column`, after following `via` from table to table."""

    column: str
    equals: Literal["account_id", "email", "stripe_customer"]
    via: tuple[Join, ...] = ()


class Table(Frozen, frozen=True, kw_only=True):
    """One table of somebody else's schema: which columns are collected, which are left out and why."""

    name: str
    category: str
    kind: str
    """What one row is called in the export, e.g. `purchase`."""
    subject: Subject
    key: str = "id"
    """The primary key; rows are read in its order."""
    newest: str = ""
    """The column to show newest first on pages; empty: `key`."""
    columns: tuple[Column, ...]
    leave_out: dict[str, str] = {}
    """Column -> the reason why nobody gets to see it."""
    anonymise: dict[str, str] = {}
    """Column -> the text put in its place when the category's erasure is `anonymise`; "" empties it."""
    sensitive: bool = False
    """True when Python must touch each row (decryption, masking): it leaves the fast lane."""


class Lookup(Frozen, frozen=True, kw_only=True):
    """Where an e-mail address becomes an account id and, if it is kept there, a Stripe customer id."""

    table: str
    email: str = "email"
    account_id: str = "id"
    stripe_customer: str = ""
    display_name: str = ""
    language: str = ""


class Flag(Frozen, frozen=True, kw_only=True):
    """How a platform is told to keep a person's data out of use: `column` of `table` is set to `on`, else `off`.

    The table's rows are found by its own `subject`; it must be one of the source's tables or the lookup's.
    """

    table: str
    column: str
    on: str = "true"
    off: str = "false"


class PostgresSource(Frozen, frozen=True, kw_only=True, tag="postgres", tag_field="kind"):
    """Somebody else's PostgreSQL, read with a role that can only read."""

    id: str
    title: Text
    url_variable: str
    write_url_variable: str = ""
    """The variable with the address of a role that may erase and correct. Without it a person does so by hand."""
    scan_url_variable: str = ""
    """The variable with the address of a role that may read every table, for the search after an erasure."""
    lookup: Lookup
    restrict: Flag | None = None
    """Without it a person of ours keeps the data out of use by hand."""
    tables: tuple[Table, ...]
    ignored_tables: dict[str, str] = {}
    """Table -> the reason why it holds nothing about a person."""
    recipients: tuple[str, ...] = ()


class StripeObject(Frozen, frozen=True, kw_only=True):
    """One kind of Stripe object: which of its fields are collected into which category.

    Values follow the kind of the field they fill: a `moment` is read from epoch seconds, `money` from the smallest
    unit of the object's own currency (2000 with eur is 20.00).
    """

    object: Literal["customer", "charge", "invoice", "payment_method", "subscription", "refund"]
    category: str
    columns: tuple[Column, ...]
    """`name` is a dotted path inside the object, e.g. `card.last4`."""


class StripeSource(Frozen, frozen=True, kw_only=True, tag="stripe", tag_field="kind"):
    """Stripe, by stored customer id first and then by every spelling of the e-mail address."""

    id: str
    title: Text
    key_variable: str
    write_key_variable: str = ""
    """The variable with a key that may erase and correct. Without it `key_variable` is used for that too."""
    redact: bool = False
    """Erase by Stripe's redaction jobs (a preview that your account must have) and not by deleting the customer."""
    objects: tuple[StripeObject, ...]
    recipients: tuple[str, ...] = ()


S3_FIELDS = ("name", "media_type", "size_bytes", "stored_at", "object_key", "version", "current")
"""What is known of every stored file; a category of files names all of them. `name` is the person's own file name."""


class Prefix(Frozen, frozen=True, kw_only=True):
    """Where one person's files are: `{account_id}` is filled in; it ends with a slash. Fills `S3_FIELDS`."""

    category: str
    prefix: str
    kind: str


class S3Source(Frozen, frozen=True, kw_only=True, tag="s3", tag_field="kind"):
    """A bucket, or anything that speaks S3."""

    id: str
    title: Text
    bucket: str
    endpoint_variable: str = ""
    access_key_variable: str
    secret_key_variable: str
    write_access_key_variable: str = ""
    write_secret_key_variable: str = ""
    """The variables with keys that may delete. Without them a person erases here by hand."""
    scan_access_key_variable: str = ""
    scan_secret_key_variable: str = ""
    """The variables with keys that may list the whole bucket, for the search after an erasure; else the first ones."""
    scan_limit: int = 2_000_000
    """How many stored versions the search looks at; what lies beyond is reported as not looked at."""
    region: str
    prefixes: tuple[Prefix, ...]
    recipients: tuple[str, ...] = ()


PORTAL_FIELDS = (
    "at", "what", "state", "reference", "due_day", "outcome", "ended_at", "email", "display_name", "language",
    "browser", "text",
)  # fmt: skip
"""What is known of every request, mail and session here; not every kind fills each. `what` is the right, the kind of
mail or the way of signing in; `ended_at` when it was closed or ended; `text` what was written."""


class PortalSource(Frozen, frozen=True, kw_only=True, tag="portal", tag_field="kind"):
    """Our own tables: requests, mails and sessions of this portal, about this person. Fills `PORTAL_FIELDS`."""

    id: str
    title: Text
    category: str
    recipients: tuple[str, ...] = ()


class Webhook(Frozen, frozen=True, kw_only=True):
    """Where the platform hears, signed, that somebody's data was paused, corrected or erased."""

    url_variable: str
    secret_variable: str


class Balance(Frozen, frozen=True, kw_only=True):
    """The field that counts what was paid for and not used yet; named before an erasure, never a barrier to it."""

    category: str
    field: str


type SourceSpec = PostgresSource | StripeSource | S3Source | PortalSource


PERSON_COOKIE = "__Host-habeas"
"""The one cookie of the person's pages, as disclosed."""


class Cookie(Frozen, frozen=True, kw_only=True):
    """One cookie, as disclosed. The portal sets it exactly so."""

    name: str
    use: Text
    days: int
    protection: Text
    audience: Literal["person", "staff"] = "person"
    standing: Standing = Standing.STATED


class Promise(Frozen, frozen=True, kw_only=True):
    """A sentence of the published policy, in our words, bound to a control by its id."""

    id: str
    sentence: Text
    section: str
    control: str
    standing: Standing = Standing.STATED


class Gap(Frozen, frozen=True, kw_only=True):
    """Something the published text leaves open or contradicts; reported to the operator, never papered over."""

    id: str
    text: str


class Children(Frozen, frozen=True, kw_only=True):
    """Who may have an account."""

    minimum_age: int
    never_under: int
    standing: Standing = Standing.STATED


class Changes(Frozen, frozen=True, kw_only=True):
    """How changes of the policy are announced."""

    notice_days: int | None = None
    standing: Standing = Standing.STATED


class Backups(Frozen, frozen=True, kw_only=True):
    """How long an erased record may live on in backups before they are overwritten."""

    days: int
    standing: Standing = Standing.STATED


class Policy(Frozen, frozen=True, kw_only=True):
    """One organisation's policy file."""

    format: Literal[1]
    id: str
    version: date
    tagline: Text
    """The heading of the home page; a line break is where it may break."""
    languages: tuple[Language, ...]
    colour: Colour
    controller: Controller
    sign_in: SignIn
    answer: Answer
    breach: Breach
    children: Children | None = None
    changes: Changes = Changes()
    backups: Backups | None = None
    """None: not known; the operator is asked."""
    automated_decisions: Text
    """The truthful answer to Art. 15(1)(h)."""
    copy_of_safeguards: Text
    """How to get a copy of the transfer safeguards. Source: GDPR Art. 15(2)."""
    purposes: tuple[Purpose, ...]
    recipients: tuple[Recipient, ...]
    categories: tuple[Category, ...]
    never: tuple[Never, ...] = ()
    paid_balance: Balance | None = None
    sources: tuple[SourceSpec, ...]
    webhook: Webhook | None = None
    cookies: tuple[Cookie, ...]
    promises: tuple[Promise, ...]
    gaps: tuple[Gap, ...] = ()
    mail_from: str
    """The address mail comes from."""

    @cached_property
    def _categories(self) -> dict[str, Category]:
        return {category.id: category for category in self.categories}

    @cached_property
    def _recipients(self) -> dict[str, Recipient]:
        return {recipient.id: recipient for recipient in self.recipients}

    @cached_property
    def _purposes(self) -> dict[str, Purpose]:
        return {purpose.id: purpose for purpose in self.purposes}

    def category(self, id: str) -> Category:
        """Return a category by its id. Raises: KeyError."""
        return self._categories[id]

    def recipient(self, id: str) -> Recipient:
        """Return a recipient by its id. Raises: KeyError."""
        return self._recipients[id]

    def purpose(self, id: str) -> Purpose:
        """Return a purpose by its id. Raises: KeyError."""
        return self._purposes[id]

    def sources_of(self, category: str) -> Sequence[SourceSpec]:
        """Return the sources that hold records of `category`, in the file's order."""
        return [source for source in self.sources if category in categories_of(source)]


def categories_of(source: SourceSpec) -> frozenset[str]:
    """Return the ids of the categories that `source` holds records of."""
    match source:
        case PostgresSource():
            return frozenset(table.category for table in source.tables)
        case StripeSource():
            return frozenset(part.category for part in source.objects)
        case S3Source():
            return frozenset(prefix.category for prefix in source.prefixes)
        case PortalSource():
            return frozenset({source.category})
