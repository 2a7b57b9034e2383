"""Which verbs make sense for a request now: the desk shows these forms, and says why another is not there.

Always true here: it is for showing only; whether a verb is lawful is decided again when it is carried out.
"""

from collections.abc import Iterator

from admin.desk_shapes import File
from portal.policy.model import Basis, Policy
from portal.rights import decisions


def offers(file: File, policy: Policy) -> list[str]:
    """Return the verbs to offer, the most likely first."""
    request = file.request
    found = list(_for_pause(file))
    if file.form and file.form.kind == "lost" and request.subject:
        found.append("new-address")
    if not request.is_open:
        return found
    found += [*_for_identity(file), *_for_right(file, policy), *_for_use(file)]
    if request.subject is not None:
        found += ["ask"] if not request.waits else []
        found += ["write"]
        nothing = file.pause is None and file.use is None and not file.erasing and file.correction is None
        if decisions.grounds_for(request.right) and nothing:
            found += ["refuse"] if request.state in {"received", "deciding", "working"} else []
            found += ["partly"] if request.state in {"deciding", "working", "ready"} else []
    return found


def _for_pause(file: File) -> Iterator[str]:
    pause, request = file.pause, file.request
    if pause is None or pause.reason in {"erasure", "child"}:
        return
    if request.is_open and request.state == "deciding" and request.right == "restriction":
        yield "pause-confirm"
        yield "pause-decline"
    yield "pause-keep" if pause.lifts_at else "pause-end"


def _for_identity(file: File) -> Iterator[str]:
    request = file.request
    if request.right == "child":
        if request.state == "verifying":
            yield from ("child-erase", "child-lift") if request.subject else ("child-account", "child-lift")
        return
    if request.subject is None:
        if request.state == "verifying":
            yield "identified"
            if file.form and file.form.confirmed_at and not request.waits:
                yield "ask-sender"
        yield "unidentified"
    elif request.state == "verifying":
        yield "unidentified"


def _for_right(file: File, policy: Policy) -> Iterator[str]:
    request = file.request
    if request.subject is None or request.state not in {"received", "deciding"}:
        return
    if request.right in {"inquiry", "complaint"}:
        yield "answer"
    if request.state != "deciding":
        return
    if request.right == "automated":
        yield "look"
    held = any(task.kind == "redact" and task.ended_at is None for task in file.tasks)
    if request.right in decisions.BY_ITSELF and not file.erasing and not held and not begun(file):
        yield "begin"
    if request.right == "restriction" and file.pause is None:
        yield "pause-place"
    if request.right == "consent" and any(one.basis is Basis.CONSENT for one in policy.purposes):
        yield "consent-back"
    if request.right == "rectification":
        yield from ("correction-accept", "correction-refuse") if file.correction else ("corrected",)


def begun(file: File) -> bool:
    """Tell whether somebody has decided that it is done, which the worker begins in a moment."""
    if file.request.state != "deciding" or file.request.right not in decisions.BY_ITSELF:
        return False
    asked = [task for task in file.tasks if task.kind == "decide"]
    return bool(asked) and all(task.ended_at for task in asked)


def _for_use(file: File) -> Iterator[str]:
    request, use = file.request, file.use
    if request.right != "objection" or request.subject is None or request.state != "deciding":
        return
    if use is None:
        yield "use-place"
    elif not use.final and use.ends_at is None:
        yield "use-stop"
        yield "use-weigh"
