"""What DMARC came to for one message."""

from typing import Literal

import msgspec

from mailstead.mail.authentication.dmarc.record import DmarcRecord, Policy

Outcome = Literal["none", "pass", "fail", "temperror", "permerror"]


class DmarcResult(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 7489 §11.2. `domain` is the author's, `policy` what its owner asks for on failure, None without a policy.

    `disposition` is what that comes to for this message: with pct= of the record, or a local override that `reason`
    names, it may be milder. `policy_domain` is where the record was found; `dkim_aligned` and `spf_aligned` say what
    passed for the author's domain.
    """

    result: Outcome
    domain: str = ""
    policy: Policy | None = None
    disposition: Policy = "none"
    reason: str = ""
    policy_domain: str = ""
    record: DmarcRecord | None = None
    dkim_aligned: bool = False
    spf_aligned: bool = False
    override: Literal["", "sampled_out", "trusted_forwarder"] = ""
