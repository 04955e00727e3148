"""All tests in one table, and their logic (RFC 5228 §5)."""

from collections.abc import Callable, Mapping

from mailstead.formats.sieve.extensions import REGISTRY
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering import body_tests, header_tests, state_tests
from mailstead.mail.filtering.run import Run

TestFunction = Callable[[Run, Operation], bool]


def evaluate(run: Run, operation: Operation) -> bool:
    """Whether a test holds; tests in lists are evaluated from the left and no more than needed (RFC 5463 §4)."""
    run.count(operation)
    return TESTS[operation.name](run, operation)


def _allof(run: Run, operation: Operation) -> bool:
    return all(evaluate(run, test) for test in operation.tests)


def _anyof(run: Run, operation: Operation) -> bool:
    return any(evaluate(run, test) for test in operation.tests)


def _not(run: Run, operation: Operation) -> bool:
    return not evaluate(run, operation.tests[0])


def _true(_: Run, __: Operation) -> bool:
    return True


def _false(_: Run, __: Operation) -> bool:
    return False


def _ihave(run: Run, operation: Operation) -> bool:
    """RFC 5463 §4: all or nothing is switched on; what changes the grammar cannot be."""
    wanted = operation.values["capabilities"]
    for name in wanted:
        extension = REGISTRY.extensions.get(name)
        if extension is None or not name or (extension.is_grammar and name not in run.enabled):
            return False
    for name in wanted:
        run.enabled.update((name, *REGISTRY.extensions[name].implies))
    return True


TESTS: Mapping[str, TestFunction] = {
    "allof": _allof,
    "anyof": _anyof,
    "not": _not,
    "true": _true,
    "false": _false,
    "ihave": _ihave,
    "address": header_tests.address,
    "header": header_tests.header,
    "exists": header_tests.exists,
    "envelope": header_tests.envelope,
    "date": header_tests.date,
    "currentdate": header_tests.currentdate,
    "size": body_tests.size,
    "body": body_tests.body,
    "string": state_tests.string,
    "valid_ext_list": state_tests.valid_ext_list,
    "hasflag": state_tests.hasflag,
    "mailboxexists": state_tests.mailboxexists,
    "specialuse_exists": state_tests.specialuse_exists,
    "environment": state_tests.environment,
    "duplicate": state_tests.duplicate,
    "spamtest": state_tests.spamtest,
    "virustest": state_tests.virustest,
    "valid_notify_method": state_tests.valid_notify_method,
    "notify_method_capability": state_tests.notify_method_capability,
}
