"""Rules on sources: every column goes to a field that a category explains, or stays behind for a reason.

Always true here: the file is judged by itself; whether the columns exist is the completeness check's business.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from portal.policy.model import (
    PORTAL_FIELDS,
    S3_FIELDS,
    Column,
    Lookup,
    Policy,
    PortalSource,
    PostgresSource,
    S3Source,
    StripeSource,
    Table,
)
from portal.policy.rules.uses import references
from portal.policy.rules.walk import each
from portal.policy.shape import suggestion

type Fields = Mapping[str, list[str]]
"""Category -> the ids of its fields."""


def sources(policy: Policy) -> Iterator[str]:
    """Each source collects into fields that exist, for people that can be found."""
    fields: Fields = {category.id: [field.id for field in category.fields] for category in policy.categories}
    recipients = [recipient.id for recipient in policy.recipients]
    for at, source in each("sources", policy.sources):
        yield from references(f"{at}.recipients", source.recipients, recipients, "recipient")
        match source:
            case PostgresSource():
                yield from _postgres(at, source, fields)
            case StripeSource():
                yield from _stripe(at, source, fields)
                yield from _stays_at_stripe(at, source, policy)
            case S3Source():
                yield from _s3(at, source, fields)
            case PortalSource():
                yield from _filled(at, source.category, PORTAL_FIELDS, fields)
    if policy.webhook is not None:
        yield from _variables(
            "webhook", url_variable=policy.webhook.url_variable, secret_variable=policy.webhook.secret_variable
        )
    own = sum(isinstance(source, PortalSource) for source in policy.sources)
    if own != 1:
        yield f'sources: {own} have kind = "portal". Write exactly one: what this portal itself holds about a person.'
    yield from _collected_fields(policy, fields)


def _postgres(at: str, source: PostgresSource, fields: Fields) -> Iterator[str]:
    optional = {"write_url_variable": source.write_url_variable, "scan_url_variable": source.scan_url_variable}
    given = {key: value for key, value in optional.items() if value}
    yield from _variables(at, url_variable=source.url_variable, **given)
    if len({source.url_variable, *given.values()}) <= len(given):
        yield f"{at}: reading, writing and searching are three roles. Name a variable of its own for each."
    names = [table.name for table in source.tables]
    for name, times in Counter([*names, *source.ignored_tables]).items():
        if times > 1:
            yield f'{at}.tables: "{name}" is named {times} times. A table is either collected once or ignored.'
    yield from _reasons(f"{at}.ignored_tables", source.ignored_tables)
    known = source.lookup.table
    if known not in names:
        yield f'{at}.lookup.table: "{known}" is not among its tables. {suggestion(known, names)}'
    flag = source.restrict
    if flag and flag.table not in names:
        yield f'{at}.restrict.table: "{flag.table}" is not among its tables. {suggestion(flag.table, names)}'
    for place, table in each(f"{at}.tables", source.tables):
        yield from _columns(place, table.category, table.columns, fields)
        yield from _put_in_place(place, table)
        yield from _left_out(place, table)
        yield from _owner(f"{place}.subject", table, names, source.lookup)


def _left_out(at: str, table: Table) -> Iterator[str]:
    yield from _reasons(f"{at}.leave_out", table.leave_out)
    for column in table.columns:
        if column.name in table.leave_out:
            yield f'{at}.leave_out: "{column.name}" is also collected. Keep one of the two.'


def _put_in_place(at: str, table: Table) -> Iterator[str]:
    """What is put in a column's place is put in one that the policy names, and that no row is found by."""
    known = {column.name for column in table.columns} | table.leave_out.keys()
    link = table.subject.via[0].column if table.subject.via else table.subject.column
    for name in table.anonymise:
        if name not in known:
            yield f'{at}.anonymise: "{name}" is neither collected nor left out. {suggestion(name, sorted(known))}'
        if name in {table.key, link}:
            yield f'{at}.anonymise: "{name}" is what rows are found by. Remove it: the link is cut anyway.'


def _owner(at: str, table: Table, names: list[str], lookup: Lookup) -> Iterator[str]:
    for index, join in enumerate(table.subject.via):
        if join.table not in names:
            yield f'{at}.via[{index}].table: "{join.table}" is not among its tables. {suggestion(join.table, names)}'
    if table.subject.equals == "stripe_customer" and not lookup.stripe_customer:
        yield f"{at}.equals: the lookup names no stripe_customer column. Name it there, or use account_id or email."


def _stripe(at: str, source: StripeSource, fields: Fields) -> Iterator[str]:
    yield from _variables(at, key_variable=source.key_variable)
    if source.write_key_variable:
        yield from _variables(at, write_key_variable=source.write_key_variable)
    for place, part in each(f"{at}.objects", source.objects):
        yield from _columns(place, part.category, part.columns, fields)
        for column in part.columns:
            if (
                re.search(r"(last4|number|fingerprint|iban|cvc|cvv)$", column.name.rpartition(".")[2])
                and "." in column.name
            ):
                yield f'{place}.columns "{column.name}": digits of a card or an account are never collected. Remove it.'


def _stays_at_stripe(at: str, source: StripeSource, policy: Policy) -> Iterator[str]:
    """What nobody can erase is not promised to be erased."""
    actions = {category.id: category.erasure.action for category in policy.categories}
    for place, part in each(f"{at}.objects", source.objects):
        stays = part.object in {"charge", "invoice", "refund"} and actions.get(part.category) in {"erase", "anonymise"}
        if stays and not source.redact:
            yield (
                f'{place}.category: "{part.category}" is to be erased, and Stripe keeps each {part.object} '
                "of a deleted customer. Keep the category, with its ground, or write redact = true."
            )


def _s3(at: str, source: S3Source, fields: Fields) -> Iterator[str]:
    yield from _variables(
        at, access_key_variable=source.access_key_variable, secret_key_variable=source.secret_key_variable
    )
    optional = {
        name: getattr(source, f"{name}_variable")
        for name in ("endpoint", "write_access_key", "write_secret_key", "scan_access_key", "scan_secret_key")
    }
    yield from _variables(at, **{f"{name}_variable": value for name, value in optional.items() if value})
    for use in ("write", "scan"):
        if bool(optional[f"{use}_access_key"]) != bool(optional[f"{use}_secret_key"]):
            yield f"{at}.{use}_secret_key_variable: name both {use} keys or neither."
    if source.scan_limit < 1:
        yield f"{at}.scan_limit: is {source.scan_limit}. Say how many stored versions to look at, such as 2000000."
    for place, prefix in each(f"{at}.prefixes", source.prefixes):
        yield from _filled(place, prefix.category, S3_FIELDS, fields)
        segments = prefix.prefix.split("/")
        if not prefix.prefix.endswith("/"):
            yield f'{place}.prefix: must end with "/", or the files of 10 are taken for those of 1. Add it.'
        if "{account_id}" not in segments or re.search(r"[{}]", prefix.prefix.replace("{account_id}", "", 1)):
            yield f"{place}.prefix: needs {{account_id}} once, between slashes, and no other braces."
        if prefix.prefix.startswith("/") or {".", ".."} & set(segments) or "" in segments[:-1]:
            yield f'{place}.prefix: is a path inside the bucket: no "/" first, no "//", no "." or "..".'


def _columns(at: str, category: str, columns: tuple[Column, ...], fields: Fields) -> Iterator[str]:
    """Each column fills a field of its category, and no two fill the same."""
    if category not in fields:
        yield f'{at}.category: there is no category "{category}". {suggestion(category, [*fields])}'
        return
    if not columns:
        yield f"{at}.columns: is empty. Name the columns to collect, or ignore the table with a reason."
    for column in columns:
        if column.target not in fields[category]:
            yield (
                f'{at}.columns "{column.name}": the category "{category}" has no field "{column.target}". '
                f"{suggestion(column.target, fields[category])}"
            )
    for target, times in Counter(column.target for column in columns).items():
        if times > 1:
            yield f'{at}.columns: {times} columns fill the field "{target}". Give each its own field.'


def _filled(at: str, category: str, needed: tuple[str, ...], fields: Fields) -> Iterator[str]:
    """A source with fixed fields finds all of them in its category."""
    if category not in fields:
        yield f'{at}.category: there is no category "{category}". {suggestion(category, [*fields])}'
        return
    missing = [field for field in needed if field not in fields[category]]
    if missing:
        yield f'{at}.category: "{category}" lacks the fields {", ".join(missing)}, which this source fills. Add them.'


def _collected_fields(policy: Policy, fields: Fields) -> Iterator[str]:
    """A field that no source fills would be an empty column for ever."""
    filled: dict[str, set[str]] = {id: set() for id in fields}
    for source in policy.sources:
        match source:
            case PostgresSource(tables=parts) | StripeSource(objects=parts):
                for part in parts:
                    filled.get(part.category, set()).update(column.target for column in part.columns)
            case S3Source():
                for prefix in source.prefixes:
                    filled.get(prefix.category, set()).update(S3_FIELDS)
            case PortalSource():
                filled.get(source.category, set()).update(PORTAL_FIELDS)
    for at, category in each("categories", policy.categories):
        empty = [field for field in fields[category.id] if field not in filled[category.id]]
        if filled[category.id] and empty:
            yield f"{at}.fields: no source fills {', '.join(empty)}. Collect it, or remove it."


def _reasons(at: str, reasons: Mapping[str, str]) -> Iterator[str]:
    for name, reason in reasons.items():
        if len(reason.split()) < 3:
            yield f'{at}."{name}": needs a reason. Say in a few words why nobody gets to see it.'


def _variables(at: str, **variables: str) -> Iterator[str]:
    for key, value in variables.items():
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            yield f'{at}.{key}: "{value[:20]}" is no variable name. Write one such as SHOP_DATABASE_URL.'
