"""Matrix products run on BLAS, which has threads of its own: held to one a call while ours run."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from convcli.system.threads import SharedLimit

# Products that a BLAS sums one after another before it is made to stop, and sums are added in pairs. In float32, on a
# flat image, 96 terms reach 0.58 of the error bound of docs/numerics.md in the worst case, 128 terms 0.91 and 192 terms
# 1.24.
LONGEST_SUM = 96


def longest_sum(size: tuple[int, int]) -> int:
    """Return the number of products of a kernel of `size` that a BLAS may sum one after another.

    A column or a row may be one of two that make a kernel together, and their errors add.

    >>> longest_sum((15, 15)), longest_sum((1, 101))
    (96, 48)
    """
    return LONGEST_SUM // 2 if min(size) == 1 else LONGEST_SUM


@cache
def _thread_pools() -> Any:
    """Find the libraries with thread pools of their own: looking for them takes a millisecond or two."""
    from threadpoolctl import ThreadpoolController  # only where a backend multiplies matrices

    return ThreadpoolController()


def _limit(count: int) -> Callable[[], object]:
    pools = [pool for pool in _thread_pools().lib_controllers if pool.user_api == "blas"]
    before = [pool.num_threads for pool in pools]
    # threadpoolctl 3.8 leaves OpenBLAS to the first thread that ever asked, and is deaf to all others, without a word.
    setters = [getattr(pool, "_real_set_num_threads", pool.set_num_threads) for pool in pools]

    def set_all(counts: list[int]) -> None:
        for setter, number in zip(setters, counts, strict=True):
            setter(number)

    set_all([count] * len(pools))
    return partial(set_all, before)


blas_threads = SharedLimit(_limit)
