"""Options of backups."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, path, secret_text, text


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Backups with restic."""

    repository: Annotated[
        str,
        text(
            "Where backups go; empty: none are made",
            allowed="a folder, s3:https://HOST/BUCKET (with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or sftp:...",
        ),
    ] = ""
    password: Annotated[
        str, secret_text("Password of the repository; empty: DATA/backup/password, made at the first backup")
    ] = ""
    folder: Annotated[
        str, path("Where copies are kept ready for the next backup, as large as the data; empty: DATA/backup")
    ] = ""
    program: Annotated[str, path("The restic program")] = "restic"
    every: Annotated[float, duration("How often the scheduler makes one; 0: never")] = 86400.0
    verify_every: Annotated[
        float, duration("How often the scheduler restores the newest aside and opens all of it; 0: never")
    ] = 7 * 86400.0
    keep_last: Annotated[int, number("How many of the newest are kept", least=1)] = 3
    keep_daily: Annotated[int, number("Of how many days one is kept")] = 14
    keep_weekly: Annotated[int, number("Of how many weeks one is kept")] = 8
    keep_monthly: Annotated[int, number("Of how many months one is kept")] = 12
    read_share: Annotated[
        int, number("Percent of the repository that a verification reads whole, chosen at random", least=1, most=100)
    ] = 10
    timeout: Annotated[float, duration("How long one call of restic may take", least=60)] = 6 * 3600.0
