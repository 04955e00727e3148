"""/admin: the whole installation, for its administrators. Everything works without JavaScript."""

from mailstead.administration.actor import require_admin
from mailstead.interfaces.identity import Identity


def require_administrator(identity: Identity) -> None:
    """Raises PermissionDeniedError for everybody else."""
    require_admin(identity.actor)
