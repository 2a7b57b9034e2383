"""Erasing at Stripe: redaction jobs where the account has them, deleting the customer where it has not.

Always true here: every call may be repeated, so that a kill after any of them is mended by asking again; what was
already deleted or redacted is done; nothing is waited for: a job of Stripe's is asked about again with its handle.
"""

from collections.abc import Sequence
from enum import Enum
from itertools import batched
from uuid import UUID, uuid5

from portal.errors import SourceRefused, SourceUnavailable, SourceUnsupported
from portal.policy.model import StripeSource
from portal.sources.base import Erased, Erasing, Identifiers
from portal.sources.stripe_calls import Ask, Calls, Item, StripeRefused
from portal.sources.stripe_values import is_redacted

ROUNDS = 5
"""How often customers may turn up anew while we delete, before it is left to a later try."""
JOBS = "/v1/privacy/redaction_jobs"
IDS_PER_JOB = 10
"""Source: docs.stripe.com/privacy/redaction/example."""
ENDED = frozenset({"canceled", "incomplete_expired"})
REDACTED_PATHS = frozenset(
    "email name phone address shipping metadata receipt_email billing_details customer_email customer_name"
    " customer_phone customer_address customer_shipping".split()
)
"""The first steps of paths whose values a redaction job takes away."""
BLANK = {
    "name": "", "phone": "", "description": "", "address": "", "shipping": "", "metadata": "", "individual_name": "",
    "business_name": "",
}  # fmt: skip
"""What is emptied before deleting, so that least is left of the deleted customer. The address goes with the customer
itself: a customer emptied of it and then not deleted (we were killed) could not be found again."""


class Step(Enum):
    """How far one redaction job is."""

    WAITING = "waiting"
    DONE = "done"
    NOT = "not"
    """It cannot be: the stated fallback is deleting the customers."""


class Eraser:
    """Erases with a key that may write."""

    def __init__(self, spec: StripeSource, calls: Calls) -> None:
        self.spec = spec
        self.calls = calls

    async def erase(
        self, subject: Identifiers, items: Sequence[Erasing], *, pseudonym: UUID, handle: str = ""
    ) -> Erased:
        """Do all `items`. With the customer among them, the customer goes; else only what Stripe can take singly."""
        named = {item.category for item in items}
        mine = {part.object for part in self.spec.objects if part.category in named}
        if not mine:
            return Erased(done=True, means="nothing")
        whole = "customer" in mine or {part.category for part in self.spec.objects} <= named
        if not whole:
            return Erased(done=True, means=await self._singly(subject, items))
        if handle or (self.spec.redact and not self._must_stay(items)):
            return await self._redact(subject, pseudonym, handle)
        return Erased(done=True, means=await self._delete_all(subject))

    def _must_stay(self, items: Sequence[Erasing]) -> bool:
        """Tell whether something is to be kept that a redaction would take away for ever."""
        minimum = {item.category: item.minimum for item in items if item.action == "keep"}
        return any(
            column.target in minimum.get(part.category, ()) and column.name.partition(".")[0] in REDACTED_PATHS
            for part in self.spec.objects
            if part.object != "customer"
            for column in part.columns
        )

    async def _singly(self, subject: Identifiers, items: Sequence[Erasing]) -> str:
        """End subscriptions and detach payment methods; nothing else goes without its customer."""
        gone = {item.category for item in items if item.action != "keep"}
        kinds = {part.object for part in self.spec.objects if part.category in gone}
        if kinds - {"subscription", "payment_method"}:
            raise SourceUnsupported(self.spec.id, "Stripe deletes charges, invoices and refunds of nobody")
        done = 0
        for id, customer in (await self.calls.customers(subject)).items():
            if not _over(customer):
                done += await self._cancel(id) if "subscription" in kinds else 0
                done += await self._detach(id) if "payment_method" in kinds else 0
        return "deleted" if done else "nothing"

    async def _delete_all(self, subject: Identifiers) -> str:
        """Delete until a look finds no customer that is left. Returns the means."""
        means = "nothing"
        for _ in range(ROUNDS):
            found = await self.calls.customers(subject)
            states = {"customer-deleted" if one.get("deleted") else "redacted" for one in found.values() if _over(one)}
            means = min({means, *states}, key=("customer-deleted", "redacted", "nothing").index)
            left = [id for id, one in found.items() if not _over(one)]
            if not left:
                return means
            for id in left:
                await self._delete(id)
            means = "customer-deleted"
        raise SourceUnavailable(self.spec.id, "customers turn up as fast as they are deleted")

    async def _delete(self, id: str) -> None:
        v1 = self.calls.v1
        await self._cancel(id)
        await self._detach(id)
        async for tax in self.calls.all(v1.customers.tax_ids.list_async, {}, under=(id,)):
            await self.calls.ask(v1.customers.tax_ids.delete_async, id, tax["id"])
        await self.calls.ask(v1.customers.update_async, id, BLANK)
        await self.calls.ask(v1.customers.delete_async, id)

    async def _cancel(self, customer: str) -> int:
        """End every subscription at once, without a last invoice. Returns how many there were."""
        v1 = self.calls.v1
        listing = self.calls.all(v1.subscriptions.list_async, {"customer": customer, "status": "all"})
        running = [one["id"] async for one in listing if one.get("status") not in ENDED]
        for id in running:
            await self.calls.ask(v1.subscriptions.cancel_async, id)
        return len(running)

    async def _detach(self, customer: str) -> int:
        v1 = self.calls.v1
        methods = [one["id"] async for one in self.calls.all(v1.payment_methods.list_async, {"customer": customer})]
        for id in methods:
            await self._nudge(v1.payment_methods.detach_async, id)
        return len(methods)

    async def _redact(self, subject: Identifiers, pseudonym: UUID, handle: str) -> Erased:
        """Move every job of `handle` one step on; begin jobs for what none of them holds."""
        jobs = [id for id in handle.split(",") if id]
        steps = [await self._step(id) for id in jobs]
        if Step.WAITING in steps:
            return Erased(done=False, means="redacted", handle=handle)
        found = await self.calls.customers(subject)
        left = sorted(id for id, one in found.items() if not _over(one))
        guests = sorted(session["id"] for session in await self.calls.guest_sessions(subject))
        if Step.NOT in steps or not (left or guests):
            means = await self._delete_all(subject)
            return Erased(done=True, means="redacted" if means == "nothing" and Step.DONE in steps else means)
        for id in left:
            await self._cancel(id)
        try:
            jobs += [await self._begin(some, pseudonym) for some in batched([*left, *guests], IDS_PER_JOB)]
        except _NoPreviewError:
            return Erased(done=True, means=await self._delete_all(subject))
        return Erased(done=False, means="redacted", handle=",".join(jobs))

    async def _begin(self, ids: Sequence[str], pseudonym: UUID) -> str:
        """Begin one job. Beginning the same again is the same job: the key is made of the pseudonym and the ids."""
        objects = {
            "customers": [id for id in ids if id.startswith("cus_")],
            "checkout_sessions": [id for id in ids if not id.startswith("cus_")],
        }
        try:
            job = await self.calls.preview(
                "post", JOBS, key=str(uuid5(pseudonym, "redact " + " ".join(ids))), validation_behavior="error",
                objects={kind: some for kind, some in objects.items() if some},
            )  # fmt: skip
        except StripeRefused as error:
            # From memory, not from a page of Stripe's: an account without the preview is answered as if the address
            # or the version did not exist.
            if error.status == 404 or (error.status == 400 and not error.param):
                raise _NoPreviewError(self.spec.id, "no redaction jobs") from None
            raise
        if job is None:
            raise SourceUnavailable(self.spec.id, "a customer went away meanwhile")
        return str(job["id"])

    async def _step(self, id: str) -> Step:
        """Look at one job, and tell it what comes next. A job that failed is told to mend itself, once."""
        job: Item = await self.calls.preview("get", f"{JOBS}/{id}") or {"status": "canceled"}
        match job.get("status"), job.get("validation_behavior"):
            case "succeeded", _:
                return Step.DONE
            case "canceled", _:
                return Step.NOT
            case "ready", _:
                await self._nudge(self.calls.preview, "post", f"{JOBS}/{id}/run")
            case "failed", "fix":
                await self._nudge(self.calls.preview, "post", f"{JOBS}/{id}/cancel")
            case "failed", _:
                await self.calls.preview("post", f"{JOBS}/{id}", validation_behavior="fix")
                await self._nudge(self.calls.preview, "post", f"{JOBS}/{id}/validate")
        return Step.WAITING

    async def _nudge(self, call: Ask, *wanted: object) -> None:
        """Call what is refused with 400 once it was done already; the next look at the object tells."""
        try:
            await self.calls.ask(call, *wanted)
        except StripeRefused as error:
            if error.status != 400:
                raise


def _over(customer: Item) -> bool:
    return bool(customer.get("deleted")) or is_redacted(customer)


class _NoPreviewError(SourceRefused):
    """The account has no redaction jobs."""
