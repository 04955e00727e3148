"""Runs a program: blocks, branches, loops, included scripts, and the end (RFC 5228 §2.10, §3)."""

from collections.abc import Callable, Sequence
from typing import Literal

from mailstead.formats.message.part import Bounds, Octets
from mailstead.formats.sieve.program import Include, Operation, Program
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.mail.filtering.actions import INBOX, AskScript, Filing, Outcome, Question
from mailstead.mail.filtering.commands import COMMANDS
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.message import FilteredMessage
from mailstead.mail.filtering.run import Run, ScriptFailedError, UnansweredError
from mailstead.mail.filtering.testing import evaluate

Ending = Literal["", "stop", "return", "break"]


def run_script(
    program: Program,
    raw: Octets,
    environment: Environment,
    answers: Answers,
    settings: SieveSettings,
    bounds: Bounds,
) -> Outcome | Question:
    """Run `program` on the message `raw`: its outcome, or a question to be answered before it is run anew.

    Never raises; what fails is in the outcome's `error`. Time and memory are bounded by `settings` and `bounds`.
    """
    run = Run(program, FilteredMessage(raw, bounds), environment, answers, settings)
    try:
        run_block(run, program.operations)
    except UnansweredError as unanswered:
        return unanswered.question
    except ScriptFailedError as failed:
        words = (f"The filter script failed, so the message is kept in INBOX: {failed}",)
        return Outcome(actions=(Filing(),), words=words, error=str(failed))
    if run.keeps:
        keep = Filing(flags=run.flags, edited=run.message.edited)
        if not any(isinstance(action, Filing) and action.mailbox in ("", INBOX) for action in run.actions):
            run.actions.append(keep)
        if len(run.actions) == 1:
            run.words.append("No rule of the filter script said where to, so it is kept in INBOX.")
        else:
            run.words.append("It is kept in INBOX too.")
    return Outcome(actions=tuple(run.actions), seen=tuple(run.seen.values()), words=tuple(run.words))


def run_block(run: Run, operations: Sequence[Operation]) -> Ending:
    """Run the commands of one block; gives why it ended early, "" when it did not."""
    taken = False  # a branch of the if under way
    for operation in operations:
        run.count(operation)
        if operation.name in ("if", "elsif", "else"):
            taken = taken and operation.name != "if"
            if taken or (operation.tests and not evaluate(run, operation.tests[0])):
                continue
            taken = True
            ending = run_block(run, operation.block)
        else:
            control = _CONTROLS.get(operation.name)
            if control is None:
                COMMANDS[operation.name](run, operation)
                continue
            ending = control(run, operation)
        if ending:
            return ending
    return ""


def _stop(_: Run, __: Operation) -> Ending:
    return "stop"


def _return(_: Run, __: Operation) -> Ending:
    return "return"


def _break(run: Run, operation: Operation) -> Ending:
    """RFC 5703 §3: a name ends the loop of that name, the innermost one of several."""
    name = run.text(operation, "name")
    run.ended_loop = max(place for place, loop in enumerate(run.loops) if not name or loop == name)
    return "break"


def _foreverypart(run: Run, operation: Operation) -> Ending:
    """RFC 5703 §3: all parts below the current one, in order; the outermost loop begins with the message itself."""
    outer = run.part
    parts = list(run.message.children(outer))
    if not run.loops:
        parts.insert(0, outer)
    depth = len(run.loops)
    run.loops.append(run.text(operation, "name"))
    try:
        for part in parts:
            if not run.message.has(part):
                continue  # replaced meanwhile, together with what it stood in
            run.part = part
            run.count(operation)
            ending = run_block(run, operation.block)
            if ending == "break" and run.ended_loop == depth:
                return ""
            if ending:
                return ending
    finally:
        run.part = outer
        run.loops.pop()
    return ""


def _include(run: Run, operation: Operation) -> Ending:
    """RFC 6609 §3.2."""
    key = (operation.values.get("location", "personal"), run.text(operation, "script"))
    include = Include(*key)
    if operation.values.get("once") and (key in run.included or key in run.scripts):
        return ""
    if include not in run.answers.scripts:
        raise UnansweredError(AskScript(include))
    program = run.answers.scripts[include]
    if program is None:
        if operation.values.get("optional"):
            return ""
        raise ScriptFailedError(f'There is no {include.location} script "{include.name}" to include.')
    if key in run.scripts:
        raise ScriptFailedError(f'The script "{include.name}" includes itself.')
    if len(run.scripts) >= run.settings.includes_limit:
        raise ScriptFailedError(f"Scripts include each other more than {run.settings.includes_limit} deep.")
    run.included.add(key)
    outer = run.program, run.scope, run.enabled, run.loops, run.root
    run.scripts.append(key)
    run.program, run.scope, run.enabled, run.loops = program, run.new_scope(), set(program.capabilities), []
    run.root = run.part  # in a loop the part is the included script's whole message (RFC 6609 §3.5)
    ending = run_block(run, program.operations)
    run.scripts.pop()
    run.program, run.scope, run.enabled, run.loops, run.root = outer
    return "stop" if ending == "stop" else ""


_CONTROLS: dict[str, Callable[[Run, Operation], Ending]] = {
    "stop": _stop,
    "return": _return,
    "break": _break,
    "foreverypart": _foreverypart,
    "include": _include,
}
