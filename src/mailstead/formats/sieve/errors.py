"""What is wrong with a script, and where."""


class ScriptError(ValueError):
    """A script that cannot be used: `reason` is one plain sentence, `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column
