"""Whether who connects can be seen."""

from mailstead.administration.doctor.finding import Examination, Finding
from mailstead.mail.screening.gateway import gateways_since

_LATELY = 2 * 86400.0


async def check_gateways(examination: Examination) -> list[Finding]:
    """No NAT or proxy hides the addresses of those who bring mail."""
    administration = examination.administration
    since = administration.clock.now() - _LATELY
    found = await gateways_since(administration.documents, since)
    if not found:
        text = "Every client brings its own address."
        return [Finding(check="gateway", status="ok", subject="clients", text=text)]
    return [
        Finding(
            check="gateway",
            status="warning",
            subject=address,
            text=(
                f"Mail of many senders comes from {address}, a gateway that hides them: SPF, blocklists, greylisting and "
                "limits of an address cannot be used for it."
            ),
            fix=(
                "Let it pass the senders' addresses on: no masquerading for port 25, or the PROXY protocol and "
                f"MAILSTEAD_NETWORK_PROXY_TRUSTED={address}."
            ),
        )
        for address in found
    ]
