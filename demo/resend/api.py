"""Resend's HTTP: what the SDK calls, answered as the real one answers.

Always true here: every answer is JSON with the limiter's headers (but for the faults on order); an error is
`{statusCode, name, message}`.
"""

import asyncio
import json
from typing import Any

from demo.resend.faults import Fault
from demo.resend.rules import Refusal, check_mail
from demo.resend.standin import Sent, StandIn
from demo.resend.web import Answer, Call
from demo.resend.webhooks import deliver

BEFORE = {
    Fault.TOO_MANY: (429, "rate_limit_exceeded", "Too many requests."),
    Fault.QUOTA: (429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
    Fault.ERROR: (500, "application_error", "Something went wrong."),
}
MOST_IN_A_BATCH = 100


class Api:
    """POST /emails, POST /emails/batch, GET /emails/{id}."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, call: Call) -> Answer:
        """Answer one call of the SDK."""
        allowed, headers = self.standin.limiter.call()
        try:
            self._let_in(call, allowed=allowed)
            answer = await self._route(call)
        except Refusal as refusal:
            self.standin.refusals[refusal.name] += 1
            words = {"statusCode": refusal.status, "name": refusal.name, "message": refusal.message}
            if refusal.name == "rate_limit_exceeded":
                headers = {"retry-after": "1"} | headers
            answer = Answer.json(words, status=refusal.status)
        return answer.with_headers(headers)

    def _let_in(self, call: Call, *, allowed: bool) -> None:
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not key:
            raise Refusal(401, "missing_api_key", "Missing API key in the authorization header.")
        if key != self.standin.api_key:
            raise Refusal(403, "invalid_api_key", "API key is invalid.")
        if not allowed:
            raise Refusal(*BEFORE[Fault.TOO_MANY])

    async def _route(self, call: Call) -> Answer:
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["emails"]:
                return await self._send(call, batch=False)
            case "POST", ["emails", "batch"]:
                return await self._send(call, batch=True)
            case "GET", ["emails", id]:
                return Answer.json(self.standin.find(id).described())
            case _, ["emails"] | ["emails", _]:
                raise Refusal(405, "method_not_allowed", "Method is not allowed for the requested path.")
        raise Refusal(404, "not_found", "The requested endpoint does not exist.")

    async def _send(self, call: Call, *, batch: bool) -> Answer:
        self.standin.calls += 1
        fault = self.standin.next_fault()
        if fault in BEFORE:
            raise Refusal(*BEFORE[fault])
        if fault is Fault.GATEWAY:
            return Answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html"})
        payload, key = _json(call.body), call.headers.get("idempotency-key")
        if answer := self.standin.begin(call.path, payload, key):
            return Answer.json(answer)
        try:
            if fault is Fault.SILENCE:
                return await call.silence()
            good, errors = _checked(payload, call, batch=batch)
            accepted = self.standin.accept(good, key)
            self.standin.remember(key, _answer(accepted, errors, batch=batch))
        finally:
            self.standin.release(key)
        self._tell(accepted)
        return await _aftermath(call, fault, Answer.json(_answer(accepted, errors, batch=batch)))

    def _tell(self, accepted: list[Sent]) -> None:
        for mail in accepted:
            task = asyncio.create_task(deliver(self.standin, mail))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        raise Refusal(400, "validation_error", "The body is not JSON.") from None


def _checked(payload: object, call: Call, *, batch: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Check one mail or a batch: in a permissive batch the bad ones are named and the others go."""
    if not batch:
        return [check_mail(payload)], []
    if not isinstance(payload, list) or not 1 <= len(payload) <= MOST_IN_A_BATCH:
        raise Refusal(422, "validation_error", f"A batch takes 1 to {MOST_IN_A_BATCH} emails.")
    good, errors = [], []
    for index, mail in enumerate(payload):
        try:
            good.append(check_mail(mail))
        except Refusal as refusal:
            if call.headers.get("x-batch-validation") != "permissive":
                raise
            errors.append({"index": index, "message": refusal.args[0]})
    return good, errors


def _answer(accepted: list[Sent], errors: list[dict[str, Any]], *, batch: bool) -> dict[str, Any]:
    if not batch:
        return {"id": accepted[0].id}
    return {"data": [{"id": mail.id} for mail in accepted], **({"errors": errors} if errors else {})}


async def _aftermath(call: Call, fault: Fault | None, answer: Answer) -> Answer:
    match fault:
        case Fault.ACCEPTED_ERROR:
            raise Refusal(*BEFORE[Fault.ERROR])
        case Fault.ACCEPTED_SILENCE:
            return await call.silence()
        case Fault.ACCEPTED_BROKEN:
            return answer.broken()
    return answer
