"""What pages work with."""

from collections.abc import Callable
from typing import Any

import msgspec

from mailstead.administration.certificates.certificates import Certificates
from mailstead.administration.doctor.finding import Examination
from mailstead.administration.updating import Updating
from mailstead.foundation.tls.pair import CertificatePair
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.web.assets import Assets
from mailstead.interfaces.web.chores import Chores
from mailstead.interfaces.web.health import ReadHealth
from mailstead.interfaces.web.language import Languages
from mailstead.interfaces.web.outside import Outside
from mailstead.mail.push.post import PushServices


class WebServices(msgspec.Struct, frozen=True):
    """The API's services, and what only pages need. `templates` is a jinja2 environment."""

    api: ApiServices
    assets: Assets
    languages: Languages
    templates: Any
    certificate: CertificatePair
    certificates: Certificates
    health: ReadHealth
    outside: Outside
    examination: Callable[[], Examination]
    updating: Updating
    chores: Chores
    push: PushServices
