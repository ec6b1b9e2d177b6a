"""What the words of the page say of the numbers, so that it can be checked after each measurement."""

from collections.abc import Callable, Iterator

from cases import ALGORITHMS, CASES
from page import Results, unrolled

BANKS = [key for key, case in CASES.items() if case.outputs is not None]
ONE_KERNEL = [key for key in CASES if key not in BANKS]
PRODUCTS = ("im2col", "kn2row")
MEGABYTE = 1e6


def _slow_for_banks(results: Results) -> bool:
    return all((results.slowness(key, "direct") or 0) > 3 for key in BANKS)


def _more_than_a_quarter(results: Results) -> bool:
    return all((results.strided(each) or 0) > 0.25 for each in ("direct", *PRODUCTS))


def _little_of_the_unrolled(results: Results) -> bool:
    large = [key for key in CASES if unrolled(key) > 200 * MEGABYTE]
    return all((results.extra(key, "im2col") or 0) < unrolled(key) / 10 for key in large)


def _large_kernels_cost(results: Results) -> bool:
    return all(results.worst(each)[0] in ("one 15", "one 31") for each in PRODUCTS)


def _few_channels_cost(results: Results) -> bool:
    few = [key for key in BANKS if CASES[key].size[2] == 3]
    return all(results.seconds(key, "kn2row") > results.seconds(key, "im2col") for key in few)


def _winograd_wins_nothing(results: Results) -> bool:
    return all(results.slowness(key, "winograd") != 1.0 for key in CASES)


def _winograd_likes_channels(results: Results) -> bool:
    able = [key for key in CASES if results.slowness(key, "winograd") is not None]
    return min(able, key=lambda key: results.slowness(key, "winograd") or 0) in ("bank 3", "bank deep")


def _winograd_one_kernel_is_worst(results: Results) -> bool:
    return results.worst("winograd")[0] == "one 3"


def _fft_wins_large_kernels(results: Results) -> bool:
    others = [each for each in ALGORITHMS if each not in ("fft", "winograd")]
    return all(
        2 * results.seconds(key, "fft") < min(results.seconds(key, each) for each in others)
        for key in ("one 15", "one 31")
    )


def _fft_needs_little_for_one_kernel(results: Results) -> bool:
    return all((results.extra(key, "fft") or 0) < 10 * MEGABYTE for key in ONE_KERNEL)


def _fft_is_worst_for_small_banks(results: Results) -> bool:
    small = ("bank 1", "bank 3 to 64", "bank 3")
    return all(max(ALGORITHMS, key=lambda each: results.slowness(key, each) or 0) == "fft" for key in small)


def _stride_saves_fft_nothing(results: Results) -> bool:
    return (results.strided("fft") or 0) > 0.7


def _integers_are_exact(results: Results) -> bool:
    return all(results.exact(each) for each in ("direct", *PRODUCTS))


def _transforms_are_not(results: Results) -> bool:
    inexact = {(row["case"], row["algorithm"]) for row in results.integers if row["inexact"] > 0}
    return ("bank 3", "winograd") in inexact and ("one 3", "winograd") not in inexact and ("one 3", "fft") in inexact


def _right_when_rounded(results: Results) -> bool:
    return all(row["wrong_when_rounded"] == 0 for row in results.integers)


# A few words of the page, and whether the numbers bear them out.
CLAIMS: dict[str, Callable[[Results], bool]] = {
    "**direct** is the slow one for banks": _slow_for_banks,
    "takes more than a quarter of the time": _more_than_a_quarter,
    "the same products need little memory": _little_of_the_unrolled,
    "what it does badly is a large kernel": _large_kernels_cost,
    "Few channels are a bad case indeed": _few_channels_cost,
    "It wins no case of the table": _winograd_wins_nothing,
    "it comes closest among many channels": _winograd_likes_channels,
    "does worst with one kernel alone": _winograd_one_kernel_is_worst,
    "it is by far the fastest for a large one": _fft_wins_large_kernels,
    "and needs no memory to speak of": _fft_needs_little_for_one_kernel,
    "it is the worst choice": _fft_is_worst_for_small_banks,
    "a stride saves hardly anything": _stride_saves_fft_nothing,
    "so that nothing is lost": _integers_are_exact,
    "which are exact nowhere": _transforms_are_not,
    "Both are still right after rounding": _right_when_rounded,
}


def doubtful(page: str, results: Results) -> Iterator[str]:
    """Name the words of the page that the numbers do not bear out, and claims that are no words of it."""
    words = " ".join(page.split())
    for words_of_claim, holds in CLAIMS.items():
        if words_of_claim not in words:
            yield f"the page does not say {words_of_claim!r}: see claims.py"
        elif not holds(results):
            yield f"the page says {words_of_claim!r}, and the numbers do not"
