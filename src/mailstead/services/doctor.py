"""The examination over an installation's stores: for services and for commands."""

from mailstead.administration.doctor.finding import Examination, Listening
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.certificate import TLS_FOLDER
from mailstead.services.lock import locked_services
from mailstead.services.ready import read_all_ready
from mailstead.services.stores import Stores


def examination(stores: Stores, hostname: str) -> Examination:
    """What is examined. Raises CertificateError when the host's own certificate cannot be used."""
    ready = read_all_ready(stores.data, locked_services(stores.data))
    return Examination(
        administration=stores.administration,
        resolver=stores.resolver,
        contexts=TLSContexts(stores.data / TLS_FOLDER, stores.settings.tls),
        queue=stores.queue,
        hostname=hostname,
        data=stores.data,
        listening=tuple(
            Listening(name, endpoint.host, endpoint.port, endpoint.tls)
            for one in ready
            for name, endpoint in one.services.items()
        ),
    )
