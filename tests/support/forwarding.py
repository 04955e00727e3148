"""What passes mail on, over an installation's directory."""

from typing import NamedTuple

from mailstead.mail.outbound.signing import Signing
from mailstead.mail.routing.forwarding import Forwarding
from mailstead.mail.routing.plan import Planner
from mailstead.mail.routing.srs import Srs
from support.installation import HOSTNAME, Installation

SECRET = bytes(32)


class Passing(NamedTuple):
    """One of each."""

    srs: Srs
    signing: Signing
    planner: Planner
    forwarding: Forwarding


def passing(made: Installation) -> Passing:
    """With the settings of the installation; close `signing` at the end."""
    forward = made.settings.forward
    srs = Srs(SECRET, forward.srs_lifetime, made.clock)
    signing = Signing(made.directory, made.clock)
    return Passing(
        srs,
        signing,
        Planner(made.directory, srs, forward),
        Forwarding(made.directory, srs, signing, forward, HOSTNAME),
    )
