"""From how often words were seen to how likely a message is junk."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

_STRENGTH = 0.45
_UNKNOWN = 0.5
_DEVIATION = 0.1
_COUNTED = 400
_UNDERFLOW = 600.0


class Likelihood(msgspec.Struct, frozen=True):
    """`junk` from 0 (good) to 1; `counted` features said something, of `seen` that the message has."""

    junk: float
    counted: int
    seen: int


NO_IDEA = Likelihood(0.5, 0, 0)


def likelihood(
    counts: Iterable[tuple[int, int]] | Mapping[tuple[int, int], int], junk_messages: int, good_messages: int, seen: int
) -> Likelihood:
    """Robinson's combination of single words by Fisher's method, over the words that say most.

    `counts` are how many junk and good messages had each known feature, or how many features had such counts.
    """
    if junk_messages <= 0 and good_messages <= 0:
        return NO_IDEA
    junk_share, good_share = 1.0 / max(junk_messages, 1), 1.0 / max(good_messages, 1)
    chances = []
    for (junk, good), times in Counter(counts).items():  # most features are alike: seldom met
        total = junk + good
        if total <= 0:
            continue
        in_junk = junk * junk_share
        chance = in_junk / (in_junk + good * good_share)
        chance = (_STRENGTH * _UNKNOWN + total * chance) / (_STRENGTH + total)
        distance = abs(chance - 0.5)
        if distance >= _DEVIATION:
            chances.append((distance, chance, times))
    if not chances:
        return Likelihood(0.5, 0, seen)
    chances.sort(reverse=True)
    counted, good_sum, junk_sum = 0, 0.0, 0.0
    for _, chance, times in chances:
        taken = min(times, _COUNTED - counted)
        if taken <= 0:
            break
        counted += taken
        good_sum += taken * math.log(chance)
        junk_sum += taken * math.log(1.0 - chance)
    goodness = _chi_square(-2.0 * good_sum, counted)
    badness = _chi_square(-2.0 * junk_sum, counted)
    return Likelihood((1.0 + goodness - badness) / 2.0, counted, seen)


def _chi_square(value: float, half_degrees: int) -> float:
    """How likely a sum of 2 x `half_degrees` degrees of freedom is at least `value`."""
    half = value / 2.0
    if half < _UNDERFLOW:
        term = total = math.exp(-half)
        for number in range(1, half_degrees):
            term *= half / number
            total += term
        return min(1.0, total)
    # in logarithms: exp(-half) alone would be nothing for long messages
    term, log_half = -half, math.log(half)
    terms = [term]
    for number in range(1, half_degrees):
        term += log_half - math.log(number)
        terms.append(term)
    most = max(terms)
    return min(1.0, math.exp(most) * sum(math.exp(term - most) for term in terms))


_STEPS = ((0.9999, 1.0), (0.99, 0.8), (0.95, 0.6), (0.8, 0.3))


def points_of(found: Likelihood, most: float, least: float) -> float:
    """Points from `least` (surely good, below 0) to `most`; few known words say little."""
    if not found.counted:
        return 0.0
    known = min(1.0, found.counted / max(1.0, 0.25 * min(found.seen, 2 * _COUNTED)))
    for step, share in _STEPS:
        if found.junk >= step:
            return round(most * share * known, 1)
        if found.junk <= 1.0 - step:
            return round(least * share * known, 1)
    return 0.0
