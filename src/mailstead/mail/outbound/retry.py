"""When to try again (RFC 5321 §4.5.4.1): pauses double from the first to the longest, each with a third of jitter."""

import random

from mailstead.foundation.config.sections.queue import QueueSettings


def next_pause(attempts: int, settings: QueueSettings) -> float:
    """Seconds until the attempt after `attempts` failed ones."""
    pause = min(settings.first_retry * 2.0 ** min(attempts - 1, 30), settings.longest_retry)
    return pause * random.uniform(0.83, 1.17)  # noqa: S311 spreads load, guards nothing
