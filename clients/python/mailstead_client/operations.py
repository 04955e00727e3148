"""The operations of the API. Made by `script/docs` from the OpenAPI document; changes here are lost."""

from collections.abc import Mapping
from typing import Literal, cast

from mailstead_client.transport import Page, Transport
from mailstead_client.types import (
    AccountChange,
    AccountMade,
    AccountShown,
    AccountWanted,
    AliasChange,
    AliasShown,
    AliasWanted,
    Alive,
    Allowlist,
    AuditShown,
    BackupStatus,
    CalendarChange,
    CalendarShown,
    CalendarWanted,
    Changed,
    ContactChange,
    ContactGone,
    ContactShown,
    ContactWanted,
    DeliveryShown,
    Denylist,
    DomainChange,
    DomainPasswordMade,
    DomainPasswordShown,
    DomainPasswordWanted,
    DomainShown,
    DomainWanted,
    EmailShown,
    EmailWanted,
    EventChange,
    EventGone,
    EventShown,
    EventWanted,
    ExportWanted,
    Finding,
    FolderChange,
    FolderShown,
    FolderWanted,
    HookChange,
    HookShown,
    HookWanted,
    InviteAccepted,
    InviteGone,
    InviteWanted,
    JunkStatus,
    KeyShown,
    Learned,
    Lesson,
    LimitShown,
    ListShown,
    MailboxRestoreWanted,
    MemberChange,
    Membership,
    MessageChange,
    MessageShown,
    MessageWanted,
    PasswordMade,
    PasswordShown,
    PasswordWanted,
    QueuedShown,
    RecordShown,
    ReportShown,
    ReportsSummary,
    ReportWhole,
    Restored,
    RestoreWanted,
    ScriptChange,
    ScriptShown,
    ScriptWanted,
    SendingProof,
    ServerBody,
    SessionShown,
    SettingShown,
    SnapshotContents,
    SnapshotShown,
    StatusShown,
    SuppressionShown,
    SuppressionWanted,
    TestSent,
    TokenMade,
    TokenShown,
    TokenWanted,
    TraceShown,
    TransferShown,
    Undeleted,
    UndeleteWanted,
    Verification,
    WayShown,
)


class Client(Transport):
    """Every operation; `fields` are of the header (Idempotency-Key, If-Match, X-Alias)."""

    def get_account(self, *, fields: Mapping[str, str] | None = None) -> AccountShown:
        """Who asks: GET /v1/account."""
        answer = self.request("GET", "/v1/account", {}, {}, None, fields)
        return cast(AccountShown, self._json(answer))

    def post_account(self, body: AccountWanted, *, fields: Mapping[str, str] | None = None) -> AccountMade:
        """Make an account: POST /v1/account."""
        answer = self.request("POST", "/v1/account", {}, {}, body, fields)
        return cast(AccountMade, self._json(answer))

    def put_account(self, body: AccountChange, *, fields: Mapping[str, str] | None = None) -> AccountShown:
        """Change your password: PUT /v1/account."""
        answer = self.request("PUT", "/v1/account", {}, {}, body, fields)
        return cast(AccountShown, self._json(answer))

    def get_archive(
        self, *, format_: Literal["mbox", "maildir"] | None = None, fields: Mapping[str, str] | None = None
    ) -> bytes:
        """Everything of the mailbox at once: GET /v1/archive."""
        answer = self.request("GET", "/v1/archive", {}, {"format": format_}, None, fields)
        return answer.content

    def list_audit(
        self,
        *,
        domain: str | None = None,
        target: str | None = None,
        since: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[AuditShown]:
        """What was changed, and by whom: GET /v1/audit."""
        answer = self.request(
            "GET",
            "/v1/audit",
            {},
            {"domain": domain, "target": target, "since": since, "after": after, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def list_calendar_events(
        self,
        *,
        calendar_id: str | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        sort: Literal["updated_at", "-updated_at"] | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[EventShown]:
        """Events: GET /v1/calendar-events."""
        answer = self.request(
            "GET",
            "/v1/calendar-events",
            {},
            {
                "calendar_id": calendar_id,
                "start_date": start_date,
                "end_date": end_date,
                "sort": sort,
                "page": page,
                "limit": limit,
            },
            None,
            fields,
        )
        return self._page(answer)

    def post_calendar_events(self, body: EventWanted, *, fields: Mapping[str, str] | None = None) -> EventShown:
        """Keep an event: POST /v1/calendar-events."""
        answer = self.request("POST", "/v1/calendar-events", {}, {}, body, fields)
        return cast(EventShown, self._json(answer))

    def list_calendars(
        self, *, page: int | None = None, limit: int | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[CalendarShown]:
        """Calendars: GET /v1/calendars."""
        answer = self.request("GET", "/v1/calendars", {}, {"page": page, "limit": limit}, None, fields)
        return self._page(answer)

    def post_calendars(self, body: CalendarWanted, *, fields: Mapping[str, str] | None = None) -> CalendarShown:
        """Make a calendar: POST /v1/calendars."""
        answer = self.request("POST", "/v1/calendars", {}, {}, body, fields)
        return cast(CalendarShown, self._json(answer))

    def list_contacts(
        self,
        *,
        q: str | None = None,
        address_book_id: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[ContactShown]:
        """Contacts: GET /v1/contacts."""
        answer = self.request(
            "GET",
            "/v1/contacts",
            {},
            {"q": q, "address_book_id": address_book_id, "page": page, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def post_contacts(self, body: ContactWanted, *, fields: Mapping[str, str] | None = None) -> ContactShown:
        """Keep a contact: POST /v1/contacts."""
        answer = self.request("POST", "/v1/contacts", {}, {}, body, fields)
        return cast(ContactShown, self._json(answer))

    def list_domains(
        self,
        *,
        q: str | None = None,
        name: str | None = None,
        sort: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[DomainShown]:
        """Your domains: GET /v1/domains."""
        answer = self.request(
            "GET", "/v1/domains", {}, {"q": q, "name": name, "sort": sort, "page": page, "limit": limit}, None, fields
        )
        return self._page(answer)

    def post_domains(self, body: DomainWanted, *, fields: Mapping[str, str] | None = None) -> DomainShown:
        """Serve a domain: POST /v1/domains."""
        answer = self.request("POST", "/v1/domains", {}, {}, body, fields)
        return cast(DomainShown, self._json(answer))

    def get_domains_access(self, domain: str, *, fields: Mapping[str, str] | None = None) -> ListShown:
        """Who is always let in, and who never: GET /v1/domains/{domain}/access."""
        answer = self.request("GET", "/v1/domains/{domain}/access", {"domain": domain}, {}, None, fields)
        return cast(ListShown, self._json(answer))

    def list_domains_aliases(
        self,
        domain: str,
        *,
        q: str | None = None,
        name: str | None = None,
        recipient: str | None = None,
        sort: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[AliasShown]:
        """Aliases of a domain: GET /v1/domains/{domain}/aliases."""
        answer = self.request(
            "GET",
            "/v1/domains/{domain}/aliases",
            {"domain": domain},
            {"q": q, "name": name, "recipient": recipient, "sort": sort, "page": page, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def post_domains_aliases(
        self, domain: str, body: AliasWanted, *, fields: Mapping[str, str] | None = None
    ) -> AliasShown:
        """Make an alias: POST /v1/domains/{domain}/aliases."""
        answer = self.request("POST", "/v1/domains/{domain}/aliases", {"domain": domain}, {}, body, fields)
        return cast(AliasShown, self._json(answer))

    def post_domains_aliases_generate_password(
        self, domain: str, name: str, body: PasswordWanted, *, fields: Mapping[str, str] | None = None
    ) -> PasswordMade:
        """Make a password of the alias's mailbox: POST /v1/domains/{domain}/aliases/{name}/generate-password."""
        answer = self.request(
            "POST",
            "/v1/domains/{domain}/aliases/{name}/generate-password",
            {"domain": domain, "name": name},
            {},
            body,
            fields,
        )
        return cast(PasswordMade, self._json(answer))

    def list_domains_aliases_passwords(
        self, domain: str, name: str, *, fields: Mapping[str, str] | None = None
    ) -> Page[PasswordShown]:
        """Passwords of an alias's mailbox: GET /v1/domains/{domain}/aliases/{name}/passwords."""
        answer = self.request(
            "GET", "/v1/domains/{domain}/aliases/{name}/passwords", {"domain": domain, "name": name}, {}, None, fields
        )
        return self._page(answer)

    def list_domains_aliases_sieve(
        self, domain: str, name: str, *, fields: Mapping[str, str] | None = None
    ) -> Page[ScriptShown]:
        """Filter scripts of an alias: GET /v1/domains/{domain}/aliases/{name}/sieve."""
        answer = self.request(
            "GET", "/v1/domains/{domain}/aliases/{name}/sieve", {"domain": domain, "name": name}, {}, None, fields
        )
        return self._page(answer)

    def post_domains_aliases_sieve(
        self, domain: str, name: str, body: ScriptWanted, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """Keep a filter script of an alias: POST /v1/domains/{domain}/aliases/{name}/sieve."""
        answer = self.request(
            "POST", "/v1/domains/{domain}/aliases/{name}/sieve", {"domain": domain, "name": name}, {}, body, fields
        )
        return cast(ScriptShown, self._json(answer))

    def post_domains_aliases_sieve_activate(
        self, domain: str, name: str, script_id: str, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """Let a filter script of an alias run: POST /v1/domains/{domain}/aliases/{name}/sieve/{script_id}/activate."""
        answer = self.request(
            "POST",
            "/v1/domains/{domain}/aliases/{name}/sieve/{script_id}/activate",
            {"domain": domain, "name": name, "script_id": script_id},
            {},
            None,
            fields,
        )
        return cast(ScriptShown, self._json(answer))

    def put_domains_allowlist(
        self, domain: str, body: Allowlist, *, fields: Mapping[str, str] | None = None
    ) -> ListShown:
        """Who may always write to the domain: PUT /v1/domains/{domain}/allowlist."""
        answer = self.request("PUT", "/v1/domains/{domain}/allowlist", {"domain": domain}, {}, body, fields)
        return cast(ListShown, self._json(answer))

    def list_domains_catch_all_passwords(
        self, domain: str, *, fields: Mapping[str, str] | None = None
    ) -> Page[DomainPasswordShown]:
        """Passwords that send for the whole domain: GET /v1/domains/{domain}/catch-all-passwords."""
        answer = self.request("GET", "/v1/domains/{domain}/catch-all-passwords", {"domain": domain}, {}, None, fields)
        return self._page(answer)

    def post_domains_catch_all_passwords(
        self, domain: str, body: DomainPasswordWanted, *, fields: Mapping[str, str] | None = None
    ) -> DomainPasswordMade:
        """Make a password that sends for the whole domain: POST /v1/domains/{domain}/catch-all-passwords."""
        answer = self.request("POST", "/v1/domains/{domain}/catch-all-passwords", {"domain": domain}, {}, body, fields)
        return cast(DomainPasswordMade, self._json(answer))

    def put_domains_denylist(
        self, domain: str, body: Denylist, *, fields: Mapping[str, str] | None = None
    ) -> ListShown:
        """Who may never write to the domain: PUT /v1/domains/{domain}/denylist."""
        answer = self.request("PUT", "/v1/domains/{domain}/denylist", {"domain": domain}, {}, body, fields)
        return cast(ListShown, self._json(answer))

    def list_domains_hooks(self, domain: str, *, fields: Mapping[str, str] | None = None) -> Page[HookShown]:
        """Event hooks of a domain: GET /v1/domains/{domain}/hooks."""
        answer = self.request("GET", "/v1/domains/{domain}/hooks", {"domain": domain}, {}, None, fields)
        return self._page(answer)

    def post_domains_hooks(
        self, domain: str, body: HookWanted, *, fields: Mapping[str, str] | None = None
    ) -> HookShown:
        """Tell a URL of events: POST /v1/domains/{domain}/hooks."""
        answer = self.request("POST", "/v1/domains/{domain}/hooks", {"domain": domain}, {}, body, fields)
        return cast(HookShown, self._json(answer))

    def get_domains_hooks_key(self, domain: str, *, fields: Mapping[str, str] | None = None) -> KeyShown:
        """The key that signs deliveries: GET /v1/domains/{domain}/hooks/key."""
        answer = self.request("GET", "/v1/domains/{domain}/hooks/key", {"domain": domain}, {}, None, fields)
        return cast(KeyShown, self._json(answer))

    def post_domains_hooks_key(self, domain: str, *, fields: Mapping[str, str] | None = None) -> KeyShown:
        """Sign deliveries with a new key: POST /v1/domains/{domain}/hooks/key."""
        answer = self.request("POST", "/v1/domains/{domain}/hooks/key", {"domain": domain}, {}, None, fields)
        return cast(KeyShown, self._json(answer))

    def list_domains_hooks_deliveries(
        self,
        domain: str,
        hook_id: str,
        *,
        state: Literal["", "waiting", "delivered", "failed"] | None = None,
        after: str | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[DeliveryShown]:
        """What was sent to a hook: GET /v1/domains/{domain}/hooks/{hook_id}/deliveries."""
        answer = self.request(
            "GET",
            "/v1/domains/{domain}/hooks/{hook_id}/deliveries",
            {"domain": domain, "hook_id": hook_id},
            {"state": state, "after": after, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def post_domains_hooks_deliveries_resend(
        self, domain: str, hook_id: str, delivery_id: str, *, fields: Mapping[str, str] | None = None
    ) -> DeliveryShown:
        """Send an event again: POST /v1/domains/{domain}/hooks/{hook_id}/deliveries/{delivery_id}/resend."""
        answer = self.request(
            "POST",
            "/v1/domains/{domain}/hooks/{hook_id}/deliveries/{delivery_id}/resend",
            {"domain": domain, "hook_id": hook_id, "delivery_id": delivery_id},
            {},
            None,
            fields,
        )
        return cast(DeliveryShown, self._json(answer))

    def post_domains_hooks_test(
        self, domain: str, hook_id: str, *, fields: Mapping[str, str] | None = None
    ) -> TestSent:
        """Send a test event: POST /v1/domains/{domain}/hooks/{hook_id}/test."""
        answer = self.request(
            "POST",
            "/v1/domains/{domain}/hooks/{hook_id}/test",
            {"domain": domain, "hook_id": hook_id},
            {},
            None,
            fields,
        )
        return cast(TestSent, self._json(answer))

    def get_domains_invites(self, domain: str, *, fields: Mapping[str, str] | None = None) -> Membership:
        """Accept your invite: GET /v1/domains/{domain}/invites."""
        answer = self.request("GET", "/v1/domains/{domain}/invites", {"domain": domain}, {}, None, fields)
        return cast(Membership, self._json(answer))

    def post_domains_invites(
        self, domain: str, body: InviteWanted, *, fields: Mapping[str, str] | None = None
    ) -> Membership:
        """Invite somebody: POST /v1/domains/{domain}/invites."""
        answer = self.request("POST", "/v1/domains/{domain}/invites", {"domain": domain}, {}, body, fields)
        return cast(Membership, self._json(answer))

    def delete_domains_invites(
        self, domain: str, body: InviteGone, *, fields: Mapping[str, str] | None = None
    ) -> Membership:
        """Take an invite back: DELETE /v1/domains/{domain}/invites."""
        answer = self.request("DELETE", "/v1/domains/{domain}/invites", {"domain": domain}, {}, body, fields)
        return cast(Membership, self._json(answer))

    def post_domains_invites_accept(
        self, domain: str, body: InviteAccepted, *, fields: Mapping[str, str] | None = None
    ) -> Membership:
        """Accept an invite by its code: POST /v1/domains/{domain}/invites/accept."""
        answer = self.request("POST", "/v1/domains/{domain}/invites/accept", {"domain": domain}, {}, body, fields)
        return cast(Membership, self._json(answer))

    def get_domains_members(self, domain: str, *, fields: Mapping[str, str] | None = None) -> Membership:
        """Members and waiting invites: GET /v1/domains/{domain}/members."""
        answer = self.request("GET", "/v1/domains/{domain}/members", {"domain": domain}, {}, None, fields)
        return cast(Membership, self._json(answer))

    def list_domains_reports(
        self,
        domain: str,
        *,
        kind: Literal["dmarc", "tls", "feedback", None] | None = None,
        since: str | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[ReportShown]:
        """Reports about a domain: GET /v1/domains/{domain}/reports."""
        answer = self.request(
            "GET",
            "/v1/domains/{domain}/reports",
            {"domain": domain},
            {"kind": kind, "since": since, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def get_domains_reports_summary(
        self, domain: str, *, days: float | None = None, fields: Mapping[str, str] | None = None
    ) -> ReportsSummary:
        """What the reports come to: GET /v1/domains/{domain}/reports/summary."""
        answer = self.request(
            "GET", "/v1/domains/{domain}/reports/summary", {"domain": domain}, {"days": days}, None, fields
        )
        return cast(ReportsSummary, self._json(answer))

    def list_domains_suppressions(
        self, domain: str, *, limit: int | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[SuppressionShown]:
        """Addresses that are not written to: GET /v1/domains/{domain}/suppressions."""
        answer = self.request(
            "GET", "/v1/domains/{domain}/suppressions", {"domain": domain}, {"limit": limit}, None, fields
        )
        return self._page(answer)

    def post_domains_suppressions(
        self, domain: str, body: SuppressionWanted, *, fields: Mapping[str, str] | None = None
    ) -> SuppressionShown:
        """Write to an address no more: POST /v1/domains/{domain}/suppressions."""
        answer = self.request("POST", "/v1/domains/{domain}/suppressions", {"domain": domain}, {}, body, fields)
        return cast(SuppressionShown, self._json(answer))

    def list_domains_dns_records(self, name: str, *, fields: Mapping[str, str] | None = None) -> Page[RecordShown]:
        """The DNS records to publish: GET /v1/domains/{name}/dns-records."""
        answer = self.request("GET", "/v1/domains/{name}/dns-records", {"name": name}, {}, None, fields)
        return self._page(answer)

    def get_domains_verify_records(self, name: str, *, fields: Mapping[str, str] | None = None) -> Verification:
        """Look whether DNS has the records: GET /v1/domains/{name}/verify-records."""
        answer = self.request("GET", "/v1/domains/{name}/verify-records", {"name": name}, {}, None, fields)
        return cast(Verification, self._json(answer))

    def get_domains_verify_smtp(self, name: str, *, fields: Mapping[str, str] | None = None) -> SendingProof:
        """Look whether the domain may send: GET /v1/domains/{name}/verify-smtp."""
        answer = self.request("GET", "/v1/domains/{name}/verify-smtp", {"name": name}, {}, None, fields)
        return cast(SendingProof, self._json(answer))

    def list_emails(
        self,
        *,
        q: str | None = None,
        domain: str | None = None,
        sort: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[EmailShown]:
        """Messages that were sent: GET /v1/emails."""
        answer = self.request(
            "GET",
            "/v1/emails",
            {},
            {"q": q, "domain": domain, "sort": sort, "page": page, "limit": limit},
            None,
            fields,
        )
        return self._page(answer)

    def post_emails(self, body: EmailWanted, *, fields: Mapping[str, str] | None = None) -> EmailShown:
        """Send a message: POST /v1/emails."""
        answer = self.request("POST", "/v1/emails", {}, {}, body, fields)
        return cast(EmailShown, self._json(answer))

    def get_emails_limit(self, *, fields: Mapping[str, str] | None = None) -> LimitShown:
        """How much may be sent today: GET /v1/emails/limit."""
        answer = self.request("GET", "/v1/emails/limit", {}, {}, None, fields)
        return cast(LimitShown, self._json(answer))

    def list_exports(self, *, fields: Mapping[str, str] | None = None) -> Page[TransferShown]:
        """Exports of the mailbox: GET /v1/exports."""
        answer = self.request("GET", "/v1/exports", {}, {}, None, fields)
        return self._page(answer)

    def post_exports(self, body: ExportWanted, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Export everything: POST /v1/exports."""
        answer = self.request("POST", "/v1/exports", {}, {}, body, fields)
        return cast(TransferShown, self._json(answer))

    def get_exports_file(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> bytes:
        """The archive of an export: GET /v1/exports/{transfer_id}/file."""
        answer = self.request("GET", "/v1/exports/{transfer_id}/file", {"transfer_id": transfer_id}, {}, None, fields)
        return answer.content

    def post_exports_resume(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Let an export begin again: POST /v1/exports/{transfer_id}/resume."""
        answer = self.request(
            "POST", "/v1/exports/{transfer_id}/resume", {"transfer_id": transfer_id}, {}, None, fields
        )
        return cast(TransferShown, self._json(answer))

    def list_folders(
        self, *, subscribed: bool | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[FolderShown]:
        """Folders: GET /v1/folders."""
        answer = self.request("GET", "/v1/folders", {}, {"subscribed": subscribed}, None, fields)
        return self._page(answer)

    def post_folders(self, body: FolderWanted, *, fields: Mapping[str, str] | None = None) -> FolderShown:
        """Make a folder: POST /v1/folders."""
        answer = self.request("POST", "/v1/folders", {}, {}, body, fields)
        return cast(FolderShown, self._json(answer))

    def list_imports(self, *, fields: Mapping[str, str] | None = None) -> Page[TransferShown]:
        """Imports of the mailbox: GET /v1/imports."""
        answer = self.request("GET", "/v1/imports", {}, {}, None, fields)
        return self._page(answer)

    def post_imports(
        self,
        body: bytes,
        *,
        format_: Literal["auto", "zip", "mbox", "eml", "ics", "vcf"] | None = None,
        name: str | None = None,
        folder: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> TransferShown:
        """Import a file: POST /v1/imports."""
        answer = self.request(
            "POST", "/v1/imports", {}, {"format": format_, "name": name, "folder": folder}, body, fields
        )
        return cast(TransferShown, self._json(answer))

    def post_imports_server(self, body: ServerBody, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Import from another server: POST /v1/imports/server."""
        answer = self.request("POST", "/v1/imports/server", {}, {}, body, fields)
        return cast(TransferShown, self._json(answer))

    def post_imports_resume(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Let an import go on: POST /v1/imports/{transfer_id}/resume."""
        answer = self.request(
            "POST", "/v1/imports/{transfer_id}/resume", {"transfer_id": transfer_id}, {}, None, fields
        )
        return cast(TransferShown, self._json(answer))

    def get_junk(self, *, fields: Mapping[str, str] | None = None) -> JunkStatus:
        """What the mailbox learned of junk: GET /v1/junk."""
        answer = self.request("GET", "/v1/junk", {}, {}, None, fields)
        return cast(JunkStatus, self._json(answer))

    def post_junk(self, body: Lesson, *, fields: Mapping[str, str] | None = None) -> Learned:
        """Tell whether a message is junk: POST /v1/junk."""
        answer = self.request("POST", "/v1/junk", {}, {}, body, fields)
        return cast(Learned, self._json(answer))

    def delete_junk(self, *, fields: Mapping[str, str] | None = None) -> None:
        """Forget what was learned: DELETE /v1/junk."""
        self.request("DELETE", "/v1/junk", {}, {}, None, fields)

    def get_logs_download(
        self,
        *,
        q: str | None = None,
        domain: str | None = None,
        since: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> bytes:
        """The trace as CSV: GET /v1/logs/download."""
        answer = self.request("GET", "/v1/logs/download", {}, {"q": q, "domain": domain, "since": since}, None, fields)
        return answer.content

    def list_messages(
        self,
        *,
        folder: str | None = None,
        q: str | None = None,
        search: str | None = None,
        subject: str | None = None,
        body: str | None = None,
        text: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        headers: str | None = None,
        message_id: str | None = None,
        since: str | None = None,
        before: str | None = None,
        min_size: int | None = None,
        max_size: int | None = None,
        is_unread: bool | None = None,
        is_flagged: bool | None = None,
        is_deleted: bool | None = None,
        is_draft: bool | None = None,
        is_junk: bool | None = None,
        has_attachment: bool | None = None,
        page: int | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Page[MessageShown]:
        """Messages of a folder: GET /v1/messages."""
        answer = self.request(
            "GET",
            "/v1/messages",
            {},
            {
                "folder": folder,
                "q": q,
                "search": search,
                "subject": subject,
                "body": body,
                "text": text,
                "from": from_,
                "to": to,
                "headers": headers,
                "message_id": message_id,
                "since": since,
                "before": before,
                "min_size": min_size,
                "max_size": max_size,
                "is_unread": is_unread,
                "is_flagged": is_flagged,
                "is_deleted": is_deleted,
                "is_draft": is_draft,
                "is_junk": is_junk,
                "has_attachment": has_attachment,
                "page": page,
                "limit": limit,
            },
            None,
            fields,
        )
        return self._page(answer)

    def post_messages(self, body: MessageWanted, *, fields: Mapping[str, str] | None = None) -> MessageShown:
        """Put a message into a folder: POST /v1/messages."""
        answer = self.request("POST", "/v1/messages", {}, {}, body, fields)
        return cast(MessageShown, self._json(answer))

    def get_messages_raw(self, message_id: str, *, fields: Mapping[str, str] | None = None) -> bytes:
        """One message as it came: GET /v1/messages/{message_id}/raw."""
        answer = self.request("GET", "/v1/messages/{message_id}/raw", {"message_id": message_id}, {}, None, fields)
        return answer.content

    def list_queue(
        self, *, destination: str | None = None, limit: int | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[QueuedShown]:
        """What waits to be sent: GET /v1/queue."""
        answer = self.request("GET", "/v1/queue", {}, {"destination": destination, "limit": limit}, None, fields)
        return self._page(answer)

    def get_server_access(self, *, fields: Mapping[str, str] | None = None) -> ListShown:
        """Who is always let in by the server, and who never: GET /v1/server/access."""
        answer = self.request("GET", "/v1/server/access", {}, {}, None, fields)
        return cast(ListShown, self._json(answer))

    def put_server_allowlist(self, body: Allowlist, *, fields: Mapping[str, str] | None = None) -> ListShown:
        """Who may always write to the server: PUT /v1/server/allowlist."""
        answer = self.request("PUT", "/v1/server/allowlist", {}, {}, body, fields)
        return cast(ListShown, self._json(answer))

    def list_server_backups(self, *, fields: Mapping[str, str] | None = None) -> Page[SnapshotShown]:
        """All backups: GET /v1/server/backups."""
        answer = self.request("GET", "/v1/server/backups", {}, {}, None, fields)
        return self._page(answer)

    def post_server_backups(self, *, fields: Mapping[str, str] | None = None) -> BackupStatus:
        """Make a backup: POST /v1/server/backups."""
        answer = self.request("POST", "/v1/server/backups", {}, {}, None, fields)
        return cast(BackupStatus, self._json(answer))

    def get_server_backups_status(self, *, fields: Mapping[str, str] | None = None) -> BackupStatus:
        """How backups stand: GET /v1/server/backups/status."""
        answer = self.request("GET", "/v1/server/backups/status", {}, {}, None, fields)
        return cast(BackupStatus, self._json(answer))

    def post_server_backups_verify(self, *, fields: Mapping[str, str] | None = None) -> BackupStatus:
        """Verify the newest backup: POST /v1/server/backups/verify."""
        answer = self.request("POST", "/v1/server/backups/verify", {}, {}, None, fields)
        return cast(BackupStatus, self._json(answer))

    def post_server_backups_restore(
        self, snapshot_id: str, body: MailboxRestoreWanted, *, fields: Mapping[str, str] | None = None
    ) -> Restored:
        """Bring a mailbox back: POST /v1/server/backups/{snapshot_id}/restore."""
        answer = self.request(
            "POST", "/v1/server/backups/{snapshot_id}/restore", {"snapshot_id": snapshot_id}, {}, body, fields
        )
        return cast(Restored, self._json(answer))

    def put_server_denylist(self, body: Denylist, *, fields: Mapping[str, str] | None = None) -> ListShown:
        """Who may never write to the server: PUT /v1/server/denylist."""
        answer = self.request("PUT", "/v1/server/denylist", {}, {}, body, fields)
        return cast(ListShown, self._json(answer))

    def list_server_doctor(
        self, *, checks: str | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[Finding]:
        """What is wrong with the server: GET /v1/server/doctor."""
        answer = self.request("GET", "/v1/server/doctor", {}, {"checks": checks}, None, fields)
        return self._page(answer)

    def list_server_settings(self, *, fields: Mapping[str, str] | None = None) -> Page[SettingShown]:
        """Settings in force: GET /v1/server/settings."""
        answer = self.request("GET", "/v1/server/settings", {}, {}, None, fields)
        return self._page(answer)

    def get_server_status(self, *, fields: Mapping[str, str] | None = None) -> StatusShown:
        """How the server is: GET /v1/server/status."""
        answer = self.request("GET", "/v1/server/status", {}, {}, None, fields)
        return cast(StatusShown, self._json(answer))

    def list_sessions(self, *, fields: Mapping[str, str] | None = None) -> Page[SessionShown]:
        """Your logins in browsers: GET /v1/sessions."""
        answer = self.request("GET", "/v1/sessions", {}, {}, None, fields)
        return self._page(answer)

    def delete_sessions(self, *, fields: Mapping[str, str] | None = None) -> None:
        """End all other logins: DELETE /v1/sessions."""
        self.request("DELETE", "/v1/sessions", {}, {}, None, fields)

    def list_sieve_scripts(self, *, fields: Mapping[str, str] | None = None) -> Page[ScriptShown]:
        """Your filter scripts: GET /v1/sieve-scripts."""
        answer = self.request("GET", "/v1/sieve-scripts", {}, {}, None, fields)
        return self._page(answer)

    def post_sieve_scripts(self, body: ScriptWanted, *, fields: Mapping[str, str] | None = None) -> ScriptShown:
        """Keep a filter script: POST /v1/sieve-scripts."""
        answer = self.request("POST", "/v1/sieve-scripts", {}, {}, body, fields)
        return cast(ScriptShown, self._json(answer))

    def post_sieve_scripts_deactivate(self, *, fields: Mapping[str, str] | None = None) -> None:
        """Let no filter script run: POST /v1/sieve-scripts/deactivate."""
        self.request("POST", "/v1/sieve-scripts/deactivate", {}, {}, None, fields)

    def post_sieve_scripts_activate(self, script_id: str, *, fields: Mapping[str, str] | None = None) -> ScriptShown:
        """Let a filter script run: POST /v1/sieve-scripts/{script_id}/activate."""
        answer = self.request(
            "POST", "/v1/sieve-scripts/{script_id}/activate", {"script_id": script_id}, {}, None, fields
        )
        return cast(ScriptShown, self._json(answer))

    def list_snapshots(self, *, fields: Mapping[str, str] | None = None) -> Page[SnapshotShown]:
        """Backups that have the mailbox: GET /v1/snapshots."""
        answer = self.request("GET", "/v1/snapshots", {}, {}, None, fields)
        return self._page(answer)

    def post_snapshots_restore(
        self, snapshot_id: str, body: RestoreWanted, *, fields: Mapping[str, str] | None = None
    ) -> Restored:
        """Bring back what was lost: POST /v1/snapshots/{snapshot_id}/restore."""
        answer = self.request(
            "POST", "/v1/snapshots/{snapshot_id}/restore", {"snapshot_id": snapshot_id}, {}, body, fields
        )
        return cast(Restored, self._json(answer))

    def get_test(self, *, fields: Mapping[str, str] | None = None) -> Alive:
        """Whether the API answers: GET /v1/test."""
        answer = self.request("GET", "/v1/test", {}, {}, None, fields)
        return cast(Alive, self._json(answer))

    def list_tokens(self, *, fields: Mapping[str, str] | None = None) -> Page[TokenShown]:
        """Your tokens: GET /v1/tokens."""
        answer = self.request("GET", "/v1/tokens", {}, {}, None, fields)
        return self._page(answer)

    def post_tokens(self, body: TokenWanted, *, fields: Mapping[str, str] | None = None) -> TokenMade:
        """Make a token: POST /v1/tokens."""
        answer = self.request("POST", "/v1/tokens", {}, {}, body, fields)
        return cast(TokenMade, self._json(answer))

    def list_trace(
        self, *, q: str, since: str | None = None, limit: int | None = None, fields: Mapping[str, str] | None = None
    ) -> Page[TraceShown]:
        """The way of messages: GET /v1/trace."""
        answer = self.request("GET", "/v1/trace", {}, {"q": q, "since": since, "limit": limit}, None, fields)
        return self._page(answer)

    def post_undelete(self, body: UndeleteWanted, *, fields: Mapping[str, str] | None = None) -> Undeleted:
        """Bring deleted messages back: POST /v1/undelete."""
        answer = self.request("POST", "/v1/undelete", {}, {}, body, fields)
        return cast(Undeleted, self._json(answer))

    def get_calendar_events(self, event_id: str, *, fields: Mapping[str, str] | None = None) -> EventShown:
        """One event: GET /v1/calendar-events/{event_id}."""
        answer = self.request("GET", "/v1/calendar-events/{event_id}", {"event_id": event_id}, {}, None, fields)
        return cast(EventShown, self._json(answer))

    def put_calendar_events(
        self, event_id: str, body: EventChange, *, fields: Mapping[str, str] | None = None
    ) -> EventShown:
        """Change an event: PUT /v1/calendar-events/{event_id}."""
        answer = self.request("PUT", "/v1/calendar-events/{event_id}", {"event_id": event_id}, {}, body, fields)
        return cast(EventShown, self._json(answer))

    def delete_calendar_events(self, event_id: str, *, fields: Mapping[str, str] | None = None) -> EventGone:
        """Delete an event: DELETE /v1/calendar-events/{event_id}."""
        answer = self.request("DELETE", "/v1/calendar-events/{event_id}", {"event_id": event_id}, {}, None, fields)
        return cast(EventGone, self._json(answer))

    def get_calendars(self, calendar_id: str, *, fields: Mapping[str, str] | None = None) -> CalendarShown:
        """One calendar: GET /v1/calendars/{calendar_id}."""
        answer = self.request("GET", "/v1/calendars/{calendar_id}", {"calendar_id": calendar_id}, {}, None, fields)
        return cast(CalendarShown, self._json(answer))

    def put_calendars(
        self, calendar_id: str, body: CalendarChange, *, fields: Mapping[str, str] | None = None
    ) -> CalendarShown:
        """Change a calendar: PUT /v1/calendars/{calendar_id}."""
        answer = self.request("PUT", "/v1/calendars/{calendar_id}", {"calendar_id": calendar_id}, {}, body, fields)
        return cast(CalendarShown, self._json(answer))

    def delete_calendars(self, calendar_id: str, *, fields: Mapping[str, str] | None = None) -> CalendarShown:
        """Remove a calendar with its events: DELETE /v1/calendars/{calendar_id}."""
        answer = self.request("DELETE", "/v1/calendars/{calendar_id}", {"calendar_id": calendar_id}, {}, None, fields)
        return cast(CalendarShown, self._json(answer))

    def get_contacts(self, contact_id: str, *, fields: Mapping[str, str] | None = None) -> ContactShown:
        """One contact: GET /v1/contacts/{contact_id}."""
        answer = self.request("GET", "/v1/contacts/{contact_id}", {"contact_id": contact_id}, {}, None, fields)
        return cast(ContactShown, self._json(answer))

    def put_contacts(
        self, contact_id: str, body: ContactChange, *, fields: Mapping[str, str] | None = None
    ) -> ContactShown:
        """Change a contact: PUT /v1/contacts/{contact_id}."""
        answer = self.request("PUT", "/v1/contacts/{contact_id}", {"contact_id": contact_id}, {}, body, fields)
        return cast(ContactShown, self._json(answer))

    def delete_contacts(self, contact_id: str, *, fields: Mapping[str, str] | None = None) -> ContactGone:
        """Delete a contact: DELETE /v1/contacts/{contact_id}."""
        answer = self.request("DELETE", "/v1/contacts/{contact_id}", {"contact_id": contact_id}, {}, None, fields)
        return cast(ContactGone, self._json(answer))

    def get_domains_aliases(self, domain: str, name: str, *, fields: Mapping[str, str] | None = None) -> AliasShown:
        """One alias: GET /v1/domains/{domain}/aliases/{name}."""
        answer = self.request(
            "GET", "/v1/domains/{domain}/aliases/{name}", {"domain": domain, "name": name}, {}, None, fields
        )
        return cast(AliasShown, self._json(answer))

    def put_domains_aliases(
        self, domain: str, name: str, body: AliasChange, *, fields: Mapping[str, str] | None = None
    ) -> AliasShown:
        """Change an alias: PUT /v1/domains/{domain}/aliases/{name}."""
        answer = self.request(
            "PUT", "/v1/domains/{domain}/aliases/{name}", {"domain": domain, "name": name}, {}, body, fields
        )
        return cast(AliasShown, self._json(answer))

    def delete_domains_aliases(self, domain: str, name: str, *, fields: Mapping[str, str] | None = None) -> AliasShown:
        """Remove an alias: DELETE /v1/domains/{domain}/aliases/{name}."""
        answer = self.request(
            "DELETE", "/v1/domains/{domain}/aliases/{name}", {"domain": domain, "name": name}, {}, None, fields
        )
        return cast(AliasShown, self._json(answer))

    def delete_domains_aliases_passwords(
        self, domain: str, name: str, password_id: str, *, fields: Mapping[str, str] | None = None
    ) -> None:
        """Revoke a password: DELETE /v1/domains/{domain}/aliases/{name}/passwords/{password_id}."""
        self.request(
            "DELETE",
            "/v1/domains/{domain}/aliases/{name}/passwords/{password_id}",
            {"domain": domain, "name": name, "password_id": password_id},
            {},
            None,
            fields,
        )

    def get_domains_aliases_sieve(
        self, domain: str, name: str, script_id: str, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """One filter script of an alias: GET /v1/domains/{domain}/aliases/{name}/sieve/{script_id}."""
        answer = self.request(
            "GET",
            "/v1/domains/{domain}/aliases/{name}/sieve/{script_id}",
            {"domain": domain, "name": name, "script_id": script_id},
            {},
            None,
            fields,
        )
        return cast(ScriptShown, self._json(answer))

    def put_domains_aliases_sieve(
        self, domain: str, name: str, script_id: str, body: ScriptChange, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """Change a filter script of an alias: PUT /v1/domains/{domain}/aliases/{name}/sieve/{script_id}."""
        answer = self.request(
            "PUT",
            "/v1/domains/{domain}/aliases/{name}/sieve/{script_id}",
            {"domain": domain, "name": name, "script_id": script_id},
            {},
            body,
            fields,
        )
        return cast(ScriptShown, self._json(answer))

    def delete_domains_aliases_sieve(
        self, domain: str, name: str, script_id: str, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """Remove a filter script of an alias: DELETE /v1/domains/{domain}/aliases/{name}/sieve/{script_id}."""
        answer = self.request(
            "DELETE",
            "/v1/domains/{domain}/aliases/{name}/sieve/{script_id}",
            {"domain": domain, "name": name, "script_id": script_id},
            {},
            None,
            fields,
        )
        return cast(ScriptShown, self._json(answer))

    def delete_domains_catch_all_passwords(
        self, domain: str, token_id: str, *, fields: Mapping[str, str] | None = None
    ) -> None:
        """Revoke a domain's password: DELETE /v1/domains/{domain}/catch-all-passwords/{token_id}."""
        self.request(
            "DELETE",
            "/v1/domains/{domain}/catch-all-passwords/{token_id}",
            {"domain": domain, "token_id": token_id},
            {},
            None,
            fields,
        )

    def put_domains_hooks(
        self, domain: str, hook_id: str, body: HookChange, *, fields: Mapping[str, str] | None = None
    ) -> HookShown:
        """Change an event hook: PUT /v1/domains/{domain}/hooks/{hook_id}."""
        answer = self.request(
            "PUT", "/v1/domains/{domain}/hooks/{hook_id}", {"domain": domain, "hook_id": hook_id}, {}, body, fields
        )
        return cast(HookShown, self._json(answer))

    def delete_domains_hooks(self, domain: str, hook_id: str, *, fields: Mapping[str, str] | None = None) -> HookShown:
        """Tell a URL no more: DELETE /v1/domains/{domain}/hooks/{hook_id}."""
        answer = self.request(
            "DELETE", "/v1/domains/{domain}/hooks/{hook_id}", {"domain": domain, "hook_id": hook_id}, {}, None, fields
        )
        return cast(HookShown, self._json(answer))

    def put_domains_members(
        self, domain: str, member_id: str, body: MemberChange, *, fields: Mapping[str, str] | None = None
    ) -> Membership:
        """Give a member another role: PUT /v1/domains/{domain}/members/{member_id}."""
        answer = self.request(
            "PUT",
            "/v1/domains/{domain}/members/{member_id}",
            {"domain": domain, "member_id": member_id},
            {},
            body,
            fields,
        )
        return cast(Membership, self._json(answer))

    def delete_domains_members(
        self, domain: str, member_id: str, *, fields: Mapping[str, str] | None = None
    ) -> Membership:
        """End a membership: DELETE /v1/domains/{domain}/members/{member_id}."""
        answer = self.request(
            "DELETE",
            "/v1/domains/{domain}/members/{member_id}",
            {"domain": domain, "member_id": member_id},
            {},
            None,
            fields,
        )
        return cast(Membership, self._json(answer))

    def get_domains_reports(
        self, domain: str, report_id: str, *, fields: Mapping[str, str] | None = None
    ) -> ReportWhole:
        """One report: GET /v1/domains/{domain}/reports/{report_id}."""
        answer = self.request(
            "GET",
            "/v1/domains/{domain}/reports/{report_id}",
            {"domain": domain, "report_id": report_id},
            {},
            None,
            fields,
        )
        return cast(ReportWhole, self._json(answer))

    def delete_domains_suppressions(self, domain: str, email: str, *, fields: Mapping[str, str] | None = None) -> None:
        """Write to an address again: DELETE /v1/domains/{domain}/suppressions/{email}."""
        self.request(
            "DELETE", "/v1/domains/{domain}/suppressions/{email}", {"domain": domain, "email": email}, {}, None, fields
        )

    def get_domains(self, name: str, *, fields: Mapping[str, str] | None = None) -> DomainShown:
        """One domain: GET /v1/domains/{name}."""
        answer = self.request("GET", "/v1/domains/{name}", {"name": name}, {}, None, fields)
        return cast(DomainShown, self._json(answer))

    def put_domains(self, name: str, body: DomainChange, *, fields: Mapping[str, str] | None = None) -> DomainShown:
        """Change a domain: PUT /v1/domains/{name}."""
        answer = self.request("PUT", "/v1/domains/{name}", {"name": name}, {}, body, fields)
        return cast(DomainShown, self._json(answer))

    def delete_domains(
        self, name: str, *, with_aliases: bool | None = None, fields: Mapping[str, str] | None = None
    ) -> DomainShown:
        """Serve a domain no more: DELETE /v1/domains/{name}."""
        answer = self.request(
            "DELETE", "/v1/domains/{name}", {"name": name}, {"with_aliases": with_aliases}, None, fields
        )
        return cast(DomainShown, self._json(answer))

    def get_emails(self, email_id: str, *, fields: Mapping[str, str] | None = None) -> WayShown:
        """What became of a message: GET /v1/emails/{email_id}."""
        answer = self.request("GET", "/v1/emails/{email_id}", {"email_id": email_id}, {}, None, fields)
        return cast(WayShown, self._json(answer))

    def delete_emails(self, email_id: str, *, fields: Mapping[str, str] | None = None) -> EmailShown:
        """Take a message back: DELETE /v1/emails/{email_id}."""
        answer = self.request("DELETE", "/v1/emails/{email_id}", {"email_id": email_id}, {}, None, fields)
        return cast(EmailShown, self._json(answer))

    def get_exports(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """How far an export is: GET /v1/exports/{transfer_id}."""
        answer = self.request("GET", "/v1/exports/{transfer_id}", {"transfer_id": transfer_id}, {}, None, fields)
        return cast(TransferShown, self._json(answer))

    def delete_exports(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Cancel or forget an export: DELETE /v1/exports/{transfer_id}."""
        answer = self.request("DELETE", "/v1/exports/{transfer_id}", {"transfer_id": transfer_id}, {}, None, fields)
        return cast(TransferShown, self._json(answer))

    def get_folders(self, folder_id: str, *, fields: Mapping[str, str] | None = None) -> FolderShown:
        """One folder: GET /v1/folders/{folder_id}."""
        answer = self.request("GET", "/v1/folders/{folder_id}", {"folder_id": folder_id}, {}, None, fields)
        return cast(FolderShown, self._json(answer))

    def put_folders(
        self, folder_id: str, body: FolderChange, *, fields: Mapping[str, str] | None = None
    ) -> FolderShown:
        """Rename a folder: PUT /v1/folders/{folder_id}."""
        answer = self.request("PUT", "/v1/folders/{folder_id}", {"folder_id": folder_id}, {}, body, fields)
        return cast(FolderShown, self._json(answer))

    def delete_folders(self, folder_id: str, *, fields: Mapping[str, str] | None = None) -> FolderShown:
        """Remove a folder with its messages: DELETE /v1/folders/{folder_id}."""
        answer = self.request("DELETE", "/v1/folders/{folder_id}", {"folder_id": folder_id}, {}, None, fields)
        return cast(FolderShown, self._json(answer))

    def get_imports(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """How far an import is: GET /v1/imports/{transfer_id}."""
        answer = self.request("GET", "/v1/imports/{transfer_id}", {"transfer_id": transfer_id}, {}, None, fields)
        return cast(TransferShown, self._json(answer))

    def delete_imports(self, transfer_id: str, *, fields: Mapping[str, str] | None = None) -> TransferShown:
        """Cancel or forget an import: DELETE /v1/imports/{transfer_id}."""
        answer = self.request("DELETE", "/v1/imports/{transfer_id}", {"transfer_id": transfer_id}, {}, None, fields)
        return cast(TransferShown, self._json(answer))

    def get_messages(
        self,
        message_id: str,
        *,
        raw: bool | None = None,
        eml: bool | None = None,
        attachments: bool | None = None,
        nodemailer: bool | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> MessageShown:
        """One message: GET /v1/messages/{message_id}."""
        answer = self.request(
            "GET",
            "/v1/messages/{message_id}",
            {"message_id": message_id},
            {"raw": raw, "eml": eml, "attachments": attachments, "nodemailer": nodemailer},
            None,
            fields,
        )
        return cast(MessageShown, self._json(answer))

    def put_messages(
        self, message_id: str, body: MessageChange, *, fields: Mapping[str, str] | None = None
    ) -> MessageShown:
        """Mark or move a message: PUT /v1/messages/{message_id}."""
        answer = self.request("PUT", "/v1/messages/{message_id}", {"message_id": message_id}, {}, body, fields)
        return cast(MessageShown, self._json(answer))

    def delete_messages(
        self, message_id: str, *, permanent: bool | None = None, fields: Mapping[str, str] | None = None
    ) -> MessageShown:
        """Delete a message: DELETE /v1/messages/{message_id}."""
        answer = self.request(
            "DELETE", "/v1/messages/{message_id}", {"message_id": message_id}, {"permanent": permanent}, None, fields
        )
        return cast(MessageShown, self._json(answer))

    def list_queue_one(self, queue_id: str, *, fields: Mapping[str, str] | None = None) -> Page[QueuedShown]:
        """One queued message: GET /v1/queue/{queue_id}."""
        answer = self.request("GET", "/v1/queue/{queue_id}", {"queue_id": queue_id}, {}, None, fields)
        return self._page(answer)

    def post_queue(self, queue_id: str, action: str, *, fields: Mapping[str, str] | None = None) -> Changed:
        """Retry, hold, release or drop a queued message: POST /v1/queue/{queue_id}/{action}."""
        answer = self.request(
            "POST", "/v1/queue/{queue_id}/{action}", {"queue_id": queue_id, "action": action}, {}, None, fields
        )
        return cast(Changed, self._json(answer))

    def delete_sessions_one(self, session_id: str, *, fields: Mapping[str, str] | None = None) -> None:
        """End a login: DELETE /v1/sessions/{session_id}."""
        self.request("DELETE", "/v1/sessions/{session_id}", {"session_id": session_id}, {}, None, fields)

    def get_sieve_scripts(self, script_id: str, *, fields: Mapping[str, str] | None = None) -> ScriptShown:
        """One filter script: GET /v1/sieve-scripts/{script_id}."""
        answer = self.request("GET", "/v1/sieve-scripts/{script_id}", {"script_id": script_id}, {}, None, fields)
        return cast(ScriptShown, self._json(answer))

    def put_sieve_scripts(
        self, script_id: str, body: ScriptChange, *, fields: Mapping[str, str] | None = None
    ) -> ScriptShown:
        """Change a filter script: PUT /v1/sieve-scripts/{script_id}."""
        answer = self.request("PUT", "/v1/sieve-scripts/{script_id}", {"script_id": script_id}, {}, body, fields)
        return cast(ScriptShown, self._json(answer))

    def delete_sieve_scripts(self, script_id: str, *, fields: Mapping[str, str] | None = None) -> ScriptShown:
        """Remove a filter script: DELETE /v1/sieve-scripts/{script_id}."""
        answer = self.request("DELETE", "/v1/sieve-scripts/{script_id}", {"script_id": script_id}, {}, None, fields)
        return cast(ScriptShown, self._json(answer))

    def get_snapshots(
        self,
        snapshot_id: str,
        *,
        folder: str | None = None,
        q: str | None = None,
        limit: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> SnapshotContents:
        """What a backup has that the mailbox lacks: GET /v1/snapshots/{snapshot_id}."""
        answer = self.request(
            "GET",
            "/v1/snapshots/{snapshot_id}",
            {"snapshot_id": snapshot_id},
            {"folder": folder, "q": q, "limit": limit},
            None,
            fields,
        )
        return cast(SnapshotContents, self._json(answer))

    def delete_tokens(self, token_id: str, *, fields: Mapping[str, str] | None = None) -> None:
        """Revoke a token: DELETE /v1/tokens/{token_id}."""
        self.request("DELETE", "/v1/tokens/{token_id}", {"token_id": token_id}, {}, None, fields)
