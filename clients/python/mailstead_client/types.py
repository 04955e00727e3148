"""What the API takes and gives. Made by `script/docs` from the OpenAPI document; changes here are lost."""

from typing import Any, Literal, NotRequired, TypedDict


class AccountChange(TypedDict):
    """AccountChange"""

    current_password: "str"
    password: "str"


class AccountMade(TypedDict):
    """AccountMade"""

    email: "str"
    id: "str"
    object: "NotRequired[str]"
    password: "str"
    token: "str"


class AccountShown(TypedDict):
    """AccountShown"""

    created_at: "NotRequired[str]"
    email: "str"
    group: "NotRequired[str]"
    id: "str"
    locked: "NotRequired[bool]"
    object: "str"
    storage_quota: "NotRequired[int | None]"
    storage_used: "NotRequired[int | None]"


class AccountWanted(TypedDict):
    """AccountWanted"""

    email: "str"
    password: "NotRequired[str | None]"
    token: "str"


class AliasChange(TypedDict):
    """AliasChange"""

    description: "NotRequired[str]"
    error_code_if_disabled: "NotRequired[Literal[250, 421, 450, 550]]"
    is_enabled: "NotRequired[bool]"
    junk_filter: "NotRequired[bool]"
    junk_threshold: "NotRequired[float | None]"
    labels: "NotRequired[list[str]]"
    max_quota: "NotRequired[int | None]"
    public_key: "NotRequired[str]"
    recipients: "NotRequired[list[str]]"
    vacation_responder_end_date: "NotRequired[str | None]"
    vacation_responder_is_enabled: "NotRequired[bool]"
    vacation_responder_message: "NotRequired[str]"
    vacation_responder_start_date: "NotRequired[str | None]"
    vacation_responder_subject: "NotRequired[str]"


class AliasShown(TypedDict):
    """AliasShown"""

    created_at: "str"
    description: "str"
    domain: "str"
    email: "str"
    error_code_if_disabled: "int"
    has_imap: "bool"
    has_pgp: "bool"
    id: "str"
    is_enabled: "bool"
    is_locked: "bool"
    junk_filter: "bool"
    junk_threshold: "float | None"
    key_fingerprint: "str"
    labels: "list[str]"
    max_quota: "int | None"
    name: "str"
    object: "NotRequired[str]"
    recipients: "list[str]"
    updated_at: "str"
    user_id: "str"
    vacation_responder: "VacationShown"


class AliasWanted(TypedDict):
    """AliasWanted"""

    description: "NotRequired[str]"
    error_code_if_disabled: "NotRequired[Literal[250, 421, 450, 550]]"
    has_imap: "NotRequired[bool]"
    is_enabled: "NotRequired[bool]"
    labels: "NotRequired[list[str]]"
    max_quota: "NotRequired[int | None]"
    name: "NotRequired[str]"
    public_key: "NotRequired[str]"
    recipients: "NotRequired[list[str]]"
    vacation_responder_end_date: "NotRequired[str | None]"
    vacation_responder_is_enabled: "NotRequired[bool]"
    vacation_responder_message: "NotRequired[str]"
    vacation_responder_start_date: "NotRequired[str | None]"
    vacation_responder_subject: "NotRequired[str]"


class Alive(TypedDict):
    """Alive"""

    ok: "NotRequired[bool]"


class Allowlist(TypedDict):
    """Allowlist"""

    allowlist: "list[str]"


class AlternativeGiven(TypedDict):
    """AlternativeGiven"""

    content: "str"
    contentType: "str"
    encoding: "NotRequired[str]"


class AttachmentGiven(TypedDict):
    """AttachmentGiven"""

    cid: "NotRequired[str]"
    content: "str"
    contentDisposition: "NotRequired[str]"
    contentType: "NotRequired[str]"
    encoding: "NotRequired[str]"
    filename: "NotRequired[str]"


class AttachmentShown(TypedDict):
    """AttachmentShown"""

    filename: "str"
    is_inline: "bool"
    path: "str"
    size: "int"
    type: "str"


class AttemptShown(TypedDict):
    """AttemptShown"""

    at: "str"
    status: "int"
    text: "str"


class AuditShown(TypedDict):
    """AuditShown"""

    action: "str"
    actor: "str"
    at: "str"
    detail: "dict[str, Any]"
    id: "str"
    object: "NotRequired[str]"
    target: "str"


class BackupStatus(TypedDict):
    """BackupStatus"""

    last_run: "str | None"
    last_verify: "str | None"
    object: "NotRequired[str]"
    repository: "str"
    run: "JobShown | None"
    verify: "JobShown | None"


class CalendarChange(TypedDict):
    """CalendarChange"""

    color: "NotRequired[str]"
    description: "NotRequired[str]"
    name: "NotRequired[str]"
    timezone: "NotRequired[str]"


class CalendarGiven(TypedDict):
    """CalendarGiven"""

    content: "str"
    encoding: "NotRequired[str]"
    filename: "NotRequired[str]"
    method: "NotRequired[str]"


class CalendarShown(TypedDict):
    """CalendarShown"""

    color: "str"
    components: "list[str]"
    description: "str"
    events: "int"
    id: "str"
    name: "str"
    object: "NotRequired[str]"
    path: "str"
    size: "int"
    sync_token: "int"
    timezone: "str"


class CalendarWanted(TypedDict):
    """CalendarWanted"""

    color: "NotRequired[str]"
    components: "NotRequired[list[str]]"
    description: "NotRequired[str]"
    name: "str"
    timezone: "NotRequired[str]"


class Changed(TypedDict):
    """Changed"""

    busy: "NotRequired[int]"
    done: "NotRequired[int]"
    queue_id: "str"
    unchanged: "NotRequired[int]"


class Checked(TypedDict):
    """Checked"""

    found: "list[str]"
    name: "str"
    ok: "bool"
    purpose: "str"
    required: "bool"
    type: "str"
    value: "str"


class ContactChange(TypedDict):
    """ContactChange"""

    content: "NotRequired[str]"
    emails: "NotRequired[list[Labelled]]"
    full_name: "NotRequired[str]"
    phone_numbers: "NotRequired[list[Labelled]]"


class ContactGone(TypedDict):
    """ContactGone"""

    contact_id: "str"
    deleted_at: "str"
    id: "str"
    object: "NotRequired[str]"


class ContactShown(TypedDict):
    """ContactShown"""

    address_book_id: "str"
    contact_id: "str"
    content: "str"
    emails: "list[Labelled]"
    etag: "str"
    full_name: "str"
    id: "str"
    is_group: "bool"
    object: "NotRequired[str]"
    phone_numbers: "list[Labelled]"
    updated_at: "str"


class ContactWanted(TypedDict):
    """ContactWanted"""

    address_book_id: "NotRequired[str]"
    content: "NotRequired[str]"
    emails: "NotRequired[list[Labelled]]"
    full_name: "NotRequired[str]"
    phone_numbers: "NotRequired[list[Labelled]]"


class DeliveryShown(TypedDict):
    """DeliveryShown"""

    attempts: "list[AttemptShown]"
    body: "str"
    created_at: "str"
    event: "str"
    id: "str"
    next_at: "str | None"
    object: "NotRequired[str]"
    state: "Literal['waiting', 'delivered', 'failed']"
    url: "str"


class Denylist(TypedDict):
    """Denylist"""

    denylist: "list[str]"


class DkimShown(TypedDict):
    """DkimShown"""

    algorithm: "str"
    record: "str"
    retired: "bool"
    selector: "str"


class DomainChange(TypedDict):
    """DomainChange"""

    bounce_webhook: "NotRequired[str | None]"
    owner: "NotRequired[str | None]"


class DomainPasswordMade(TypedDict):
    """DomainPasswordMade"""

    description: "str"
    id: "str"
    object: "NotRequired[str]"
    password: "str"
    username: "str"


class DomainPasswordShown(TypedDict):
    """DomainPasswordShown"""

    created_at: "str"
    description: "str"
    id: "str"
    object: "NotRequired[str]"


class DomainPasswordWanted(TypedDict):
    """DomainPasswordWanted"""

    description: "NotRequired[str]"


class DomainShown(TypedDict):
    """DomainShown"""

    bounce_webhook: "str"
    created_at: "str"
    dkim: "list[DkimShown]"
    id: "str"
    is_verified: "bool"
    name: "str"
    object: "NotRequired[str]"
    owner_id: "str"


class DomainWanted(TypedDict):
    """DomainWanted"""

    bounce_webhook: "NotRequired[str]"
    catchall: "NotRequired[bool | list[str]]"
    domain: "str"


class EmailShown(TypedDict):
    """EmailShown"""

    accepted: "list[str]"
    created_at: "str"
    envelope: "EnvelopeShown"
    id: "str"
    message_id: "str"
    object: "NotRequired[str]"
    recipients: "list[RecipientShown]"
    send_at: "str | None"
    size: "int"
    status: "Literal['queued', 'sent', 'partially_sent', 'deferred', 'bounced', 'rejected']"
    subject: "str"


EmailWanted = TypedDict(
    "EmailWanted",
    {
        "alternatives": "NotRequired[list[AlternativeGiven]]",
        "amp": "NotRequired[str]",
        "attachDataUrls": "NotRequired[bool]",
        "attachments": "NotRequired[list[AttachmentGiven]]",
        "bcc": "NotRequired[str | list[str]]",
        "cc": "NotRequired[str | list[str]]",
        "date": "NotRequired[str | None]",
        "encoding": "NotRequired[str]",
        "from": "NotRequired[str]",
        "headers": "NotRequired[dict[str, str | list[str]] | list[HeaderGiven]]",
        "html": "NotRequired[str]",
        "icalEvent": "NotRequired[CalendarGiven | None]",
        "inReplyTo": "NotRequired[str]",
        "list": "NotRequired[dict[str, str | ListLink | list[str | ListLink]]]",
        "messageId": "NotRequired[str]",
        "priority": "NotRequired[Literal['high', 'normal', 'low']]",
        "raw": "NotRequired[str]",
        "references": "NotRequired[str | list[str]]",
        "replyTo": "NotRequired[str | list[str]]",
        "send_at": "NotRequired[str | None]",
        "sender": "NotRequired[str]",
        "subject": "NotRequired[str]",
        "text": "NotRequired[str]",
        "textEncoding": "NotRequired[Literal['quoted-printable', 'base64', None]]",
        "to": "NotRequired[str | list[str]]",
        "watchHtml": "NotRequired[str]",
    },
)
"""EmailWanted"""


EnvelopeShown = TypedDict("EnvelopeShown", {"from": "str", "to": "list[str]"})
"""EnvelopeShown"""


class EventChange(TypedDict):
    """EventChange"""

    ical: "str"


class EventGone(TypedDict):
    """EventGone"""

    calendar_id: "str"
    deleted_at: "str"
    id: "str"
    object: "NotRequired[str]"
    uid: "str"


class EventShown(TypedDict):
    """EventShown"""

    calendar_id: "str"
    component: "str"
    description: "str"
    end_date: "str | None"
    etag: "str"
    event_id: "str"
    ical: "str"
    id: "str"
    is_all_day: "bool"
    is_recurring: "bool"
    location: "str"
    object: "NotRequired[str]"
    start_date: "str | None"
    summary: "str"
    uid: "str"
    updated_at: "str"


class EventWanted(TypedDict):
    """EventWanted"""

    calendar_id: "NotRequired[str]"
    event_id: "NotRequired[str]"
    ical: "str"


class ExportWanted(TypedDict):
    """ExportWanted"""

    format: "NotRequired[Literal['mbox', 'maildir']]"


class Finding(TypedDict):
    """Finding"""

    check: "str"
    fix: "NotRequired[str]"
    status: "Literal['ok', 'unknown', 'warning', 'problem']"
    subject: "str"
    text: "str"


class FolderChange(TypedDict):
    """FolderChange"""

    path: "NotRequired[str]"
    subscribed: "NotRequired[bool]"


class FolderShown(TypedDict):
    """FolderShown"""

    id: "str"
    messages: "int"
    modify_index: "int"
    object: "NotRequired[str]"
    path: "str"
    size: "int"
    special_use: "str"
    subscribed: "bool"
    uid_next: "int"
    uid_validity: "int"
    unseen: "int"


class FolderThere(TypedDict):
    """FolderThere"""

    lost: "int"
    messages: "int"
    name: "str"


class FolderWanted(TypedDict):
    """FolderWanted"""

    path: "str"
    subscribed: "NotRequired[bool]"


class HeaderGiven(TypedDict):
    """HeaderGiven"""

    key: "str"
    value: "str"


class HookChange(TypedDict):
    """HookChange"""

    description: "NotRequired[str]"
    events: "NotRequired[list[Literal['message', 'delivered', 'deferred', 'bounce', 'complaint', 'quota']]]"
    is_enabled: "NotRequired[bool]"
    url: "NotRequired[str]"


class HookShown(TypedDict):
    """HookShown"""

    created_at: "str"
    description: "str"
    events: "list[Literal['message', 'delivered', 'deferred', 'bounce', 'complaint', 'quota']]"
    id: "str"
    is_enabled: "bool"
    object: "NotRequired[str]"
    url: "str"


class HookWanted(TypedDict):
    """HookWanted"""

    description: "NotRequired[str]"
    events: "list[Literal['message', 'delivered', 'deferred', 'bounce', 'complaint', 'quota']]"
    url: "str"


class InviteAccepted(TypedDict):
    """InviteAccepted"""

    token: "NotRequired[str | None]"


class InviteGone(TypedDict):
    """InviteGone"""

    email: "str"


class InviteShown(TypedDict):
    """InviteShown"""

    created_at: "str"
    email: "str"
    expires_at: "str"
    group: "Literal['admin', 'user']"
    object: "NotRequired[str]"


class InviteWanted(TypedDict):
    """InviteWanted"""

    email: "str"
    group: "NotRequired[Literal['admin', 'user']]"


class JobShown(TypedDict):
    """JobShown"""

    failures: "int"
    finished_at: "str | None"
    name: "str"
    next_at: "str | None"
    outcome: "str"
    text: "str"


class JunkStatus(TypedDict):
    """JunkStatus"""

    address: "str"
    filters: "bool"
    learned_good: "int"
    learned_junk: "int"
    own_threshold: "bool"
    threshold: "float"


class KeyShown(TypedDict):
    """KeyShown"""

    key: "str"
    object: "NotRequired[str]"


class Labelled(TypedDict):
    """Labelled"""

    type: "NotRequired[str]"
    value: "str"


class Learned(TypedDict):
    """Learned"""

    folder: "str"
    message_id: "str"
    object: "NotRequired[str]"


class Lesson(TypedDict):
    """Lesson"""

    is_junk: "bool"
    message_id: "str"


class LimitShown(TypedDict):
    """LimitShown"""

    count: "int"
    limit: "int"


class ListLink(TypedDict):
    """ListLink"""

    comment: "NotRequired[str]"
    url: "str"


class ListShown(TypedDict):
    """ListShown"""

    allowlist: "list[str]"
    denylist: "list[str]"
    object: "NotRequired[str]"


class ListenerShown(TypedDict):
    """ListenerShown"""

    host: "str"
    pid: "int"
    port: "int"
    service: "str"
    tls: "str"


class LostShown(TypedDict):
    """LostShown"""

    date: "str"
    folder: "str"
    id: "str"
    sender: "str"
    size: "int"
    subject: "str"


class MailboxRestoreWanted(TypedDict):
    """MailboxRestoreWanted"""

    folder: "NotRequired[str | None]"
    into: "NotRequired[str]"
    mailbox: "str"


class MemberChange(TypedDict):
    """MemberChange"""

    group: "Literal['admin', 'user']"


class MemberShown(TypedDict):
    """MemberShown"""

    email: "str"
    group: "Literal['admin', 'user']"
    id: "str"
    is_owner: "bool"
    object: "NotRequired[str]"


class Membership(TypedDict):
    """Membership"""

    id: "str"
    invites: "list[InviteShown]"
    members: "list[MemberShown]"
    name: "str"
    object: "NotRequired[str]"


class MessageChange(TypedDict):
    """MessageChange"""

    flags: "NotRequired[list[str] | None]"
    flags_add: "NotRequired[list[str]]"
    flags_remove: "NotRequired[list[str]]"
    folder: "NotRequired[str | None]"
    labels: "NotRequired[list[str] | None]"
    labels_add: "NotRequired[list[str]]"
    labels_remove: "NotRequired[list[str]]"


class MessageShown(TypedDict):
    """MessageShown"""

    attachments: "NotRequired[list[AttachmentShown]]"
    cc: "list[Person]"
    date: "str"
    flags: "list[str]"
    folder: "str"
    folder_id: "str"
    has_attachment: "bool"
    header: "NotRequired[list[list[str]]]"
    html: "NotRequired[str]"
    id: "str"
    is_flagged: "bool"
    is_unread: "bool"
    labels: "list[str]"
    message_id: "str"
    modify_index: "int"
    object: "NotRequired[str]"
    preview: "str"
    raw: "NotRequired[str | None]"
    sender: "list[Person]"
    size: "int"
    subject: "str"
    text: "NotRequired[str]"
    thread_id: "str"
    to: "list[Person]"
    uid: "int"


class MessageWanted(TypedDict):
    """MessageWanted"""

    date: "NotRequired[str | None]"
    flags: "NotRequired[list[str]]"
    folder: "NotRequired[str]"
    labels: "NotRequired[list[str]]"
    raw: "str"


class PasswordMade(TypedDict):
    """PasswordMade"""

    object: "NotRequired[Literal['password']]"
    password: "str"
    username: "str"


class PasswordShown(TypedDict):
    """PasswordShown"""

    created_at: "str"
    id: "str"
    kind: "str"
    label: "str"
    object: "NotRequired[str]"


class PasswordWanted(TypedDict):
    """PasswordWanted"""

    label: "NotRequired[str]"
    new_password: "NotRequired[str | None]"
    password: "NotRequired[str | None]"


class Person(TypedDict):
    """Person"""

    address: "str"
    name: "str"


class QueuedShown(TypedDict):
    """QueuedShown"""

    attempts: "int"
    destination: "str"
    due_at: "str"
    id: "str"
    last_error: "str"
    object: "NotRequired[str]"
    queue_id: "str"
    queued_at: "str"
    recipients: "list[str]"
    sender: "str"
    size: "int"
    state: "str"


class RecipientShown(TypedDict):
    """RecipientShown"""

    address: "str"
    code: "int"
    message: "str"
    status: "Literal['queued', 'sent', 'deferred', 'bounced', 'rejected']"


class RecordShown(TypedDict):
    """RecordShown"""

    name: "str"
    purpose: "str"
    required: "bool"
    type: "str"
    value: "str"


class ReportShown(TypedDict):
    """ReportShown"""

    begin_at: "str"
    count: "int"
    domain: "str"
    end_at: "str"
    failed: "int"
    id: "str"
    kind: "Literal['dmarc', 'tls', 'feedback']"
    object: "NotRequired[str]"
    received_at: "str"
    report_id: "str"
    sender: "str"
    submitter: "str"


class ReportWhole(TypedDict):
    """ReportWhole"""

    content: "dict[str, Any] | None"
    object: "NotRequired[str]"
    report: "ReportShown"


class ReportsSummary(TypedDict):
    """ReportsSummary"""

    complaints: "int"
    days: "float"
    domain: "str"
    failed: "int"
    failures: "list[TlsFailureSummary]"
    messages: "int"
    reports: "int"
    sessions: "int"
    sources: "list[SourceSummary]"


class RestoreWanted(TypedDict):
    """RestoreWanted"""

    folder: "NotRequired[str | None]"
    into: "NotRequired[str]"
    messages: "NotRequired[list[str]]"


class Restored(TypedDict):
    """Restored"""

    object: "NotRequired[str]"
    restored: "int"
    snapshot: "str"
    there: "int"


class ScriptChange(TypedDict):
    """ScriptChange"""

    content: "NotRequired[str]"
    name: "NotRequired[str]"


class ScriptShown(TypedDict):
    """ScriptShown"""

    content: "NotRequired[str | None]"
    id: "str"
    is_active: "bool"
    name: "str"
    object: "NotRequired[str]"
    size: "int"
    updated_at: "str"


class ScriptWanted(TypedDict):
    """ScriptWanted"""

    content: "str"
    is_active: "NotRequired[bool]"
    name: "str"


class SendingProof(TypedDict):
    """SendingProof"""

    is_verified: "bool"
    lacking: "list[str]"
    message: "str"


class ServerBody(TypedDict):
    """ServerBody"""

    folder: "NotRequired[str]"
    host: "str"
    password: "str"
    port: "NotRequired[int | None]"
    tls: "NotRequired[bool]"
    user: "str"


class SessionShown(TypedDict):
    """SessionShown"""

    created_at: "str"
    email: "str"
    expires_at: "str"
    id: "str"
    ip: "str"
    is_current: "bool"
    object: "NotRequired[str]"
    seen_at: "str"
    user_agent: "str"


class SettingShown(TypedDict):
    """SettingShown"""

    allowed: "str"
    default: "str"
    description: "str"
    name: "str"
    object: "NotRequired[str]"
    value: "str"


class SnapshotContents(TypedDict):
    """SnapshotContents"""

    created_at: "str"
    folders: "list[FolderThere]"
    id: "str"
    lost: "int"
    messages: "list[LostShown]"
    object: "NotRequired[str]"


class SnapshotShown(TypedDict):
    """SnapshotShown"""

    created_at: "str"
    id: "str"
    object: "NotRequired[str]"


class SourceSummary(TypedDict):
    """SourceSummary"""

    address: "str"
    dkim_passed: "int"
    messages: "int"
    refused: "int"
    spf_passed: "int"


class StatusShown(TypedDict):
    """StatusShown"""

    aliases: "int"
    bus_linked: "bool"
    domains: "int"
    hostname: "str"
    is_healthy: "bool"
    jobs: "list[JobShown]"
    listeners: "list[ListenerShown]"
    object: "NotRequired[str]"
    queued: "int"
    started_at: "str"
    users: "int"
    version: "str"


class StepShown(TypedDict):
    """StepShown"""

    at: "str"
    event: "str"
    service: "str"
    text: "str"


class SuppressionShown(TypedDict):
    """SuppressionShown"""

    bounces: "int"
    created_at: "str"
    description: "str"
    email: "str"
    expires_at: "str | None"
    object: "NotRequired[str]"
    reason: "str"


class SuppressionWanted(TypedDict):
    """SuppressionWanted"""

    description: "NotRequired[str]"
    email: "str"


class TestSent(TypedDict):
    """TestSent"""

    id: "str"
    object: "NotRequired[str]"


class TlsFailureSummary(TypedDict):
    """TlsFailureSummary"""

    result: "str"
    server: "str"
    sessions: "int"


class TokenMade(TypedDict):
    """TokenMade"""

    id: "str"
    label: "str"
    object: "NotRequired[str]"
    scopes: "list[Literal['read', 'write', 'send', 'admin']]"
    token: "str"


class TokenShown(TypedDict):
    """TokenShown"""

    created_at: "str"
    expires_at: "str | None"
    id: "str"
    label: "str"
    last_ip: "str"
    last_used_at: "str | None"
    object: "NotRequired[str]"
    scopes: "list[Literal['read', 'write', 'send', 'admin']]"


class TokenWanted(TypedDict):
    """TokenWanted"""

    expires_at: "NotRequired[str | None]"
    label: "NotRequired[str]"
    scopes: "NotRequired[list[Literal['read', 'write', 'send', 'admin']]]"


class TraceShown(TypedDict):
    """TraceShown"""

    id: "str"
    object: "NotRequired[str]"
    steps: "list[StepShown]"


class TransferShown(TypedDict):
    """TransferShown"""

    created_at: "str"
    done: "int"
    failures: "list[str]"
    finished_at: "str | None"
    folder: "str"
    format: "Literal['imap', 'zip', 'mbox', 'maildir', 'eml', 'ics', 'vcf']"
    id: "str"
    kind: "Literal['import', 'export']"
    known: "int"
    message: "str"
    object: "NotRequired[str]"
    size: "int"
    source: "str"
    started_at: "str | None"
    state: "Literal['waiting', 'running', 'done', 'failed', 'cancelled', 'held']"
    taken: "int"
    total: "int | None"


class UndeleteWanted(TypedDict):
    """UndeleteWanted"""

    days: "NotRequired[float]"
    since: "NotRequired[str | None]"


class Undeleted(TypedDict):
    """Undeleted"""

    object: "NotRequired[str]"
    restored: "int"


class VacationShown(TypedDict):
    """VacationShown"""

    end_date: "str | None"
    is_enabled: "bool"
    message: "str"
    start_date: "str | None"
    subject: "str"


class Verification(TypedDict):
    """Verification"""

    is_verified: "bool"
    message: "str"
    records: "list[Checked]"


class WayShown(TypedDict):
    """WayShown"""

    accepted: "list[str]"
    created_at: "str"
    envelope: "EnvelopeShown"
    id: "str"
    message_id: "str"
    object: "NotRequired[str]"
    recipients: "list[RecipientShown]"
    send_at: "str | None"
    size: "int"
    status: "Literal['queued', 'sent', 'partially_sent', 'deferred', 'bounced', 'rejected']"
    steps: "list[StepShown]"
    subject: "str"
