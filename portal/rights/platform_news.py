"""Let the platform hear, by its signed webhook, what was just done about a person in its database.

Always true here: a place is not called done before the platform has heard; the same news has the same id however
often it is sent.
"""

from portal.errors import SettingsError, SourceRefused
from portal.policy.model import PostgresSource
from portal.rights.workshop import Workshop
from portal.sources import webhook
from portal.sources.base import Identifiers, Source
from portal.sources.webhook import Event

__all__ = ["Event", "tell_platform"]


async def tell_platform(shop: Workshop, source: Source, subject: Identifiers, event: Event, news: str) -> None:
    """Tell the platform of an event, when `source` is its database and the policy names a webhook.

    `news` names what happened: a plan's id, so that each happening is told once.

    Raises:
        SourceUnavailable: it did not hear; tell it again.
        SourceRefused: it does not want to hear, or the webhook is not set up.
    """
    mine = any(spec.id == source.id for spec in shop.policy.sources if isinstance(spec, PostgresSource))
    if shop.policy.webhook is None or not mine or not subject.account_ids:
        return
    try:
        await webhook.tell(shop.settings, shop.policy, event, subject.account_ids, news, shop.clock())
    except SettingsError:
        raise SourceRefused(webhook.SOURCE, "is not set up: see habeas check") from None
