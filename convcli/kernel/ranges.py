"""Ranges in SPECs: `gabor:theta=0..170..10` stands for one kernel for each angle."""

import itertools
import re
from collections.abc import Sequence

from convcli.errors import KernelError
from convcli.kernel.weights import parse_number

_RANGE = re.compile(r"(?<=[:,])\s*(?P<name>\w+)\s*=\s*(?P<ends>[^,]*?\.\.[^,]*)")
_MOST = 1000  # kernels that a range may stand for


def expand_ranges(specs: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    """Return the chains of kernels that SPECs with ranges stand for, each with the name of what differs.

    Parameters
    ----------
    specs : sequence of str
        SPECs of one chain. `param=first..last` goes up by 1, `param=first..last..step` by steps; several ranges go
        through all combinations, the last the fastest.

    Returns
    -------
    list of (tuple of str, str)
        The SPECs of each chain, and its parameters as a part of a file's name; one chain with an empty name where there
        is no range.

    Raises
    ------
    KernelError
        For what is no range, and for too many kernels.

    Examples
    --------
    >>> expand_ranges(["gabor:theta=0..90..45,sigma=2", "box"])[1]
    (('gabor:theta=45,sigma=2', 'box'), 'theta45')
    >>> expand_ranges(["gaussian:sigma=1/2..1..1/4"])[0]
    (('gaussian:sigma=0.5',), 'sigma0.5')
    """
    found = [(number, match) for number, spec in enumerate(specs) for match in _RANGE.finditer(spec)]
    values = [_values(specs[number], match["name"], match["ends"]) for number, match in found]
    count = 1
    for each in values:
        count *= len(each)
    if count > _MOST:
        raise KernelError(f"stand for {count} kernels; at most {_MOST} may be made at once", where=" and ".join(specs))
    chains = []
    for chosen in itertools.product(*values):
        chain = list(specs)
        for (number, match), value in reversed(list(zip(found, chosen, strict=True))):
            start, end = match.span("ends")
            chain[number] = chain[number][:start] + value + chain[number][end:]
        name = "_".join(f"{match['name']}{value}" for (_, match), value in zip(found, chosen, strict=True))
        chains.append((tuple(chain), name))
    return chains


def _values(spec: str, name: str, ends: str) -> list[str]:
    where = f"{spec}: {name}"
    parts = [part.strip() for part in ends.split("..")]
    if len(parts) not in (2, 3):
        raise KernelError(f"a range is first..last or first..last..step, not {ends}", where=where)
    try:
        first, last, step = (*map(parse_number, parts), 1.0)[:3]
    except ValueError as error:
        raise KernelError(str(error), where=where) from error
    if step == 0 or (last - first) / step < 0:
        raise KernelError(f"{ends} leads nowhere", where=where, advice="its step goes from the first to the last")
    count = int(min((last - first) / step + 1e-9, 1e6)) + 1
    if count > _MOST:
        raise KernelError(f"{ends} stands for {count} kernels; at most {_MOST} may be made at once", where=where)
    return [f"{first + step * number:.10g}" for number in range(count)]
