"""Who somebody is: staff ask, find out, or say that they cannot tell; and reports about a child.

Always true here: each verb reads its own fields and calls one function of the rights room.
"""

from admin.desk_act import Act, need, one_of
from portal.rights import intake_child, intake_lost, on_behalf
from portal.rights.unidentified import unable_to_identify


async def unidentified(act: Act) -> None:
    """Say that we cannot tell who it is."""
    need(act, "facts", "help")
    await unable_to_identify(
        act.request, facts=act.paragraphs("facts"), would_help=act.paragraphs("help"), policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def identified(act: Act) -> None:
    """Say whose account it is."""
    await intake_lost.identified(
        act.request, act.text("account"), method=one_of(act, "method", intake_lost.METHODS), policy=act.policy,
        settings=act.settings, at=act.at, actor=act.actor,
    )  # fmt: skip


async def ask_sender(act: Act) -> None:
    """Ask whoever sent the form one thing more."""
    await intake_lost.ask_more(
        act.request, act.text("text"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def child_account(act: Act) -> None:
    """Tie a report to an account that was found, which is out of use from then on."""
    await on_behalf.tie_report(
        act.request, act.text("account"), policy=act.policy, settings=act.settings, at=act.at, actor=act.actor
    )  # fmt: skip


async def child_lift(act: Act) -> None:
    """Decide that the report does not hold."""
    need(act, "reason")
    await intake_child.not_a_child(
        act.request, policy=act.policy, settings=act.settings, at=act.at, actor=act.actor, reason=act.text("reason")
    )  # fmt: skip
