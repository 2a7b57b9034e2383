"""Redaction jobs as Stripe's preview has them: made, validated, run, and irreversible.

Always true here: a job moves by the clock alone, one stage each `STAGE`, so that a test says when; nothing is redacted
before a job was run, and what was redacted cannot be changed any more.
Source: docs.stripe.com/privacy/redaction and docs.stripe.com/api/privacy/redaction-job.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from demo.resend.web import Answer
from demo.stripe.shapes import Item, Unfit
from demo.stripe.store import PLURALS, Store
from portal.clock import Clock, system_clock

STAGE = timedelta(seconds=2)
MOST_IDS = 10
ROOTS = {
    "customers": "customer", "charges": "charge", "checkout_sessions": "checkout_session", "invoices": "invoice",
    "payment_intents": "payment_intent", "setup_intents": "setup_intent",
}  # fmt: skip
PLACEHOLDER = "[redacted]"
PERSONAL = frozenset(
    "email name phone address receipt_email customer_email customer_name customer_phone value line1 line2 city"
    " postal_code state individual_name business_name".split()
)
UNDER_WAY = frozenset({"created", "validating", "ready", "redacting"})
MENDABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})
UNENDED = {
    "payment_intent": frozenset({*MENDABLE, "processing"}),
    "subscription": frozenset({"active", "trialing", "past_due"}),
}
"""What a thing may not be when it is redacted."""


class Redaction:
    """The jobs of one account. `enabled` False: it does not have the preview. `events` is what webhooks would say."""

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self.store = store
        self.clock = clock
        self.enabled = True
        self.jobs: dict[str, Item] = {}
        self.events: list[tuple[str, Item]] = []
        self.obstacles: dict[str, str] = {}
        """Object id -> code of an error that no mending helps against: a test's own."""
        self._since: dict[str, datetime] = {}

    def answer(  # noqa: C901, PLR0911  One return per address reads as a table.
        self, method: str, rest: list[str], given: Mapping[str, str]
    ) -> Answer | None:
        """Answer a call below /v1/privacy/redaction_jobs; None for an address that is not there."""
        for id in self.jobs:
            self._settle(id)
        match [method, *rest]:
            case ["POST"]:
                return Answer.json(self._create(given))
            case ["GET"]:
                return Answer.json({"object": "list", "data": [*self.jobs.values()][::-1], "has_more": False})
            case [_, id, *_] if id not in self.jobs:
                raise Unfit("resource_missing", "No such redaction job", "id")
            case ["GET", id]:
                return Answer.json(self.jobs[id])
            case ["POST", id]:
                return Answer.json(self._update(id, given))
            case ["POST", id, "run"]:
                return Answer.json(self._move(id, {"ready"}, "redacting"))
            case ["POST", id, "cancel"]:
                return Answer.json(self._move(id, {"ready", "failed"}, "canceling"))
            case ["POST", id, "validate"]:
                return Answer.json(self._move(id, {"ready", "failed"}, "validating"))
            case ["GET", id, "validation_errors"]:
                return Answer.json({"object": "list", "data": self._errors(self.jobs[id]), "has_more": False})
        return None

    def _create(self, given: Mapping[str, str]) -> Item:
        roots: dict[str, list[str]] = {}
        for name, value in given.items():
            group, _, rest = name.partition("[")
            if group == "objects":
                kind = rest.partition("]")[0]
                if kind not in ROOTS:
                    raise Unfit("parameter_unknown", f"Received unknown parameter: objects[{kind}]", f"objects[{kind}]")
                if value not in self.store.objects[ROOTS[kind]]:
                    raise Unfit("resource_missing", f"No such {ROOTS[kind]}", f"objects[{kind}]")
                roots.setdefault(kind, []).append(value)
            elif group not in {"validation_behavior", "expand"}:
                raise Unfit("parameter_unknown", f"Received unknown parameter: {group}", group)
        if not 1 <= sum(map(len, roots.values())) <= MOST_IDS:
            raise Unfit("parameter_invalid", "A job takes 1 to 10 identifiers.", "objects")
        id = f"prj_{len(self.jobs) + 1}"
        self.jobs[id] = {
            "id": id, "object": "privacy.redaction_job", "created": int(self.clock().timestamp()), "livemode": False,
            "objects": roots, "status": "created", "validation_behavior": _behaviour(given),
        }  # fmt: skip
        self._enter(id, "created", self.clock())
        return self.jobs[id]

    def _update(self, id: str, given: Mapping[str, str]) -> Item:
        if self.jobs[id]["status"] not in {"created", "ready", "failed"}:
            raise Unfit("invalid_state", "The job can no longer be changed.", "")
        self.jobs[id]["validation_behavior"] = _behaviour(given)
        return self.jobs[id]

    def _move(self, id: str, before: set[str], after: str) -> Item:
        if self.jobs[id]["status"] not in before:
            raise Unfit("invalid_state", f"A job that is {self.jobs[id]['status']} cannot do that.", "")
        self._enter(id, after, self.clock())
        return self.jobs[id]

    def _enter(self, id: str, status: str, at: datetime) -> None:
        self.jobs[id]["status"] = status
        self._since[id] = at
        event = {"failed": "validation_error"}.get(status, status)
        if event in {"created", "ready", "succeeded", "canceled", "validation_error"}:
            self.events.append((f"privacy.redaction_job.{event}", dict(self.jobs[id])))

    def _settle(self, id: str) -> None:
        """Move a job as far as the time that has passed lets it."""
        job = self.jobs[id]
        while self.clock() - self._since[id] >= STAGE:
            match job["status"]:
                case "created":
                    after = "validating"
                case "validating":
                    if job["validation_behavior"] == "fix":
                        self._mend(job)
                    after = "failed" if self._errors(job) else "ready"
                case "redacting":
                    self._redact(job)
                    after = "succeeded"
                case "canceling":
                    after = "canceled"
                case _:
                    return
            self._enter(id, after, self._since[id] + STAGE)

    def _related(self, job: Item) -> Iterator[tuple[str, Item]]:
        """Yield the objects of a job with what belongs to them, each with its kind."""
        roots = cast(dict[str, list[str]], job["objects"])
        for plural, ids in roots.items():
            for id in ids:
                yield ROOTS[plural], self.store.objects[ROOTS[plural]][id]
        customers = set(roots.get("customers", ()))
        payments = {
            str(self.store.objects["checkout_session"][id].get("payment_intent"))
            for id in roots.get("checkout_sessions", ())
        } | set(roots.get("payment_intents", ()))
        for kind in PLURALS.values():
            for item in self.store.objects[kind].values():
                paid = item["id"] if kind == "payment_intent" else item.get("payment_intent")
                if item.get("customer") in customers or paid in payments:
                    yield kind, item

    def _errors(self, job: Item) -> list[Item]:
        others = {
            id
            for other in self.jobs.values()
            if other is not job and other["status"] in UNDER_WAY
            for ids in cast(dict[str, list[str]], other["objects"]).values()
            for id in ids
        }
        found: list[tuple[str, str, str]] = []
        for kind, item in self._related(job):
            id = str(item["id"])
            if id in self.obstacles:
                found.append((self.obstacles[id], kind, id))
            elif id in others:
                found.append(("locked_by_other_job", kind, id))
            elif item.get("status") in UNENDED.get(kind, ()):
                found.append(("invalid_state", kind, id))
        return [
            {"id": f"prve_{number}", "object": "privacy.redaction_job_validation_error", "code": code,
             "erroring_object": {"id": id, "object_type": kind}, "message": "This object cannot be redacted."}
            for number, (code, kind, id) in enumerate(found, 1)
        ]  # fmt: skip

    def _mend(self, job: Item) -> None:
        """Bring to an end what can be brought to one."""
        for kind, item in self._related(job):
            if (kind == "payment_intent" and item.get("status") in MENDABLE) or kind == "subscription":
                item["status"] = "canceled"

    def _redact(self, job: Item) -> None:
        for kind, item in list(self._related(job)):
            if not item.get("deleted"):
                _blank(item)
                self.store.redacted.add((kind, str(item["id"])))


def _behaviour(given: Mapping[str, str]) -> str:
    behaviour = given.get("validation_behavior", "error")
    if behaviour not in {"error", "fix"}:
        raise Unfit("parameter_invalid", "validation_behavior is error or fix.", "validation_behavior")
    return behaviour


def _blank(item: Item) -> None:
    """Put placeholders where personal values stand, at any depth; metadata goes."""
    for name, value in item.items():
        if name == "metadata":
            item[name] = {}
        elif isinstance(value, dict):
            _blank(value)
        elif name in PERSONAL and isinstance(value, str) and value:
            item[name] = PLACEHOLDER
