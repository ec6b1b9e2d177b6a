"""Kernels of whole numbers as a short list of additions that they share.

Sobel's two directions, or the eight of a compass operator, are sums of few samples each, and many of these sums are the
same but for their place: the sum of a pair of neighbours serves all pairs. The list is found as common subexpressions
are in multiplierless filters: again and again the pair of terms that occurs most often, wherever it lies and with
either sign, becomes a term of its own.

Of a maximum over several directions, what all have in common is taken out first (Kirsch's -3 everywhere, which leaves
eight sums of three neighbours), and a direction that is another one turned over is its magnitude.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Kernels with more weights than this, all together, are not looked at: the search is quadratic.
_MOST_TERMS = 96


class Term(NamedTuple):
    """A weight on a node of the list, `y` rows below and `x` columns right of where a sum is laid."""

    node: int
    y: int
    x: int
    weight: int


class Pair(NamedTuple):
    """A node that is another one plus, or minus, a third at a distance of (y, x)."""

    first: int
    second: int
    y: int
    x: int
    sign: int


class SharedSums(NamedTuple):
    """Additions that give the responses of several kernels.

    Parameters
    ----------
    pairs : tuple of Pair
        Node 0 is the image, and node `i + 1` the sum of `pairs[i]`.
    targets : tuple of tuple of Term
        Each response as a sum of terms.
    combine : str
        How the responses are joined: `single`, `magnitude`, `max` or `maxabs`.
    gain : int
        What the joined response is multiplied by.
    common : tuple of Term
        What is added then.
    largest : int
        The largest magnitude of any sum on the way, where no sample exceeds 1.
    """

    pairs: tuple[Pair, ...]
    targets: tuple[tuple[Term, ...], ...]
    combine: str
    gain: int
    common: tuple[Term, ...]
    largest: int

    @property
    def additions(self) -> int:
        """How many operations on whole tiles it takes.

        >>> sobel = shared_sums([np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) for _ in range(2)], "maxabs")
        >>> sobel.additions
        5
        """
        joined = len(self.targets) * (2 if self.combine != "max" else 1)
        terms = sum(len(terms) for terms in (*self.targets, self.common))
        return len(self.pairs) + terms + joined - len(self.targets) + (2 if self.common else 0)


def shared_sums(kernels: Sequence[NDArray[np.float64]], combine: str) -> SharedSums | None:
    """Return the additions that give what several kernels of one size are joined to.

    Parameters
    ----------
    kernels : sequence of array (rows, columns)
        Weights as laid on the image.
    combine : str
        How their responses are joined, as `combine_responses` takes it.

    Returns
    -------
    SharedSums or None
        None where a weight is not a whole number, and for kernels of too many weights.

    Examples
    --------
    >>> shared_sums([np.array([[0.5]])], "sum") is None
    True
    """
    if sum(np.count_nonzero(kernel) for kernel in kernels) > _MOST_TERMS:
        return None
    stack = np.stack(kernels).astype(np.float64, copy=False)
    if not (np.abs(stack) < 2**31).all() or not (stack == np.rint(stack)).all():
        return None
    return _search(stack.tobytes(), stack.shape, combine)


@lru_cache(maxsize=32)
def _search(data: bytes, shape: tuple[int, ...], combine: str) -> SharedSums | None:
    stack = np.frombuffer(data).reshape(shape).astype(np.int64)
    if len(stack) == 1 or combine == "sum":
        stack, combine = stack.sum(axis=0, keepdims=True), "single"
    common = np.zeros(shape[1:], np.int64)
    gain = 1
    if combine == "max":
        common = np.apply_along_axis(_most_frequent, 0, stack)
        stack = stack - common
    if combine in ("max", "maxabs"):
        stack, combine = _without_negatives(stack, combine)
        gain = int(np.gcd.reduce(stack, axis=None)) or 1
        stack = stack // gain
    if not stack.any(axis=(1, 2)).all():  # a kernel of zeros, on which nothing can be saved
        return None
    largest = gain * int(np.abs(stack).sum(axis=(1, 2)).max()) + int(np.abs(common).sum())
    sums = [_terms(kernel) for kernel in (*stack, common)]
    pairs: list[Pair] = []
    while (pair := _commonest(sums)) is not None:
        pairs.append(pair)
        for terms in sums:
            _replace(terms, pair, len(pairs))
    *targets, rest = (tuple(_collected(terms)) for terms in sums)
    return SharedSums(tuple(pairs), tuple(targets), combine, gain, rest, largest)


def _most_frequent(values: NDArray[np.int64]) -> int:
    """Return the number that most kernels have at a place; of several, zero or the smallest."""
    counts: Counter[int] = Counter(values.tolist())
    return min(counts, key=lambda value: (-counts[value], abs(value), value))


def _without_negatives(stack: NDArray[np.int64], combine: str) -> tuple[NDArray[np.int64], str]:
    """Keep one of each kernel and its negative, where the joined response is that of magnitudes."""
    kept: dict[bytes, NDArray[np.int64]] = {}
    whole = {kernel.tobytes() for kernel in stack}
    if combine == "max" and not all((-kernel).tobytes() in whole for kernel in stack):
        return np.stack([np.frombuffer(each, np.int64).reshape(stack.shape[1:]) for each in sorted(whole)]), "max"
    for kernel in stack:
        if (-kernel).tobytes() not in kept:
            kept.setdefault(kernel.tobytes(), kernel)
    return np.stack(list(kept.values())), "maxabs"


def _terms(kernel: NDArray[np.int64]) -> list[Term]:
    """List the weights of a kernel; a two is two ones, of which either may be half of a pair."""
    terms = []
    for (y, x), value in np.ndenumerate(kernel):
        weight = int(value)
        if abs(weight) == 2:
            terms += [Term(0, y, x, weight // 2)] * 2
        elif weight:
            terms.append(Term(0, y, x, weight))
    return terms


def _pair_of(first: Term, second: Term) -> Pair | None:
    if abs(first.weight) != abs(second.weight) or first[:3] == second[:3]:
        return None
    sign = 1 if first.weight == second.weight else -1
    return Pair(first.node, second.node, second.y - first.y, second.x - first.x, sign)


def _matches(terms: list[Term], pair: Pair | None = None) -> Iterator[tuple[Pair, int, int]]:
    """List the pairs among terms, in order, with the numbers of their terms; of `pair` only where it is given."""
    for i, first in enumerate(terms):
        for j in range(i + 1, len(terms)):
            found = _pair_of(first, terms[j])
            if found is not None and (pair is None or found == pair):
                yield found, i, j


def _commonest(sums: list[list[Term]]) -> Pair | None:
    """Return the pair that occurs most often, no term counted twice; None where none occurs twice."""
    counts: Counter[Pair] = Counter()
    for terms in sums:
        terms.sort()
        taken: dict[Pair, set[int]] = {}
        for pair, i, j in _matches(terms):
            used = taken.setdefault(pair, set())
            if not used & {i, j}:
                used |= {i, j}
                counts[pair] += 1
    if not counts:
        return None
    best = min(counts, key=lambda pair: (-counts[pair], abs(pair.y) + abs(pair.x), pair))
    return best if counts[best] > 1 else None


def _replace(terms: list[Term], pair: Pair, node: int) -> None:
    """Put the node in place of the pair, wherever it occurs among terms."""
    used: set[int] = set()
    made = []
    for _, i, j in _matches(terms, pair):
        if not used & {i, j}:
            used |= {i, j}
            first = terms[i]
            made.append(Term(node, first.y, first.x, first.weight))
    terms[:] = [term for number, term in enumerate(terms) if number not in used] + made


def _collected(terms: list[Term]) -> Iterator[Term]:
    """Add up the weights of each node and place, those of one magnitude side by side."""
    weights: Counter[tuple[int, int, int]] = Counter()
    for term in terms:
        weights[term[:3]] += term.weight
    found = [Term(*place, weight) for place, weight in weights.items() if weight]
    # A positive one first: it begins a sum.
    yield from sorted(found, key=lambda term: (-abs(term.weight), term.weight < 0, term))


def sample_type(largest: int, magnitude: float) -> np.dtype[Any] | None:
    """Return the narrowest integers that hold sums up to `largest` times samples up to `magnitude`; None if none do.

    >>> sample_type(8, 255.0), sample_type(8, 65535.0), sample_type(1 << 20, 65535.0)
    (dtype('int16'), dtype('int32'), None)
    """
    reached = largest * math.ceil(magnitude)
    return next((np.dtype(each) for each in (np.int16, np.int32) if reached <= np.iinfo(each).max), None)
