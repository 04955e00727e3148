"""Jobs on calendars: those of elsewhere are fetched, changes that a stopped server left untold are told."""

from mailstead.mail.scheduling.fetching import CalendarFetcher
from mailstead.services.definition import Wiring
from mailstead.services.delivery import implicit_scheduling, scheduling_delivery
from mailstead.services.scheduler.mailboxes import each_opened
from mailstead.stores.sharing.subscriptions import Subscriptions

_AT_ONCE = 50


async def fetch_calendars(wiring: Wiring) -> str:
    """Bring the calendars up to date whose time has come, at most 50 in one turn."""
    stores = wiring.stores
    subscriptions = Subscriptions(stores.documents, stores.clock)
    fetcher = CalendarFetcher(
        stores.directory,
        stores.mailboxes,
        subscriptions,
        stores.resolver,
        lambda: wiring.contexts.client(True),
        stores.settings,
        stores.clock,
    )
    fetched, failed = 0, 0
    for one in await subscriptions.due(_AT_ONCE):
        done = await fetcher.fetch(one)
        fetched += not done.error
        failed += bool(done.error)
    return f"{fetched} calendars fetched, {failed} could not be"


async def tell_untold(wiring: Wiring) -> str:
    """Tell attendees and organizers of changes whose server was stopped before it did."""
    scheduling = implicit_scheduling(wiring, scheduling_delivery(wiring, "scheduler"))
    return f"{sum(await each_opened(wiring, scheduling.resume))} changes told of late"
