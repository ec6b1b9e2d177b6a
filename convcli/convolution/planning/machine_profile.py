"""The profile of this machine as a whole: measured and kept, or looked at beside the shipped one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.convolution.planning.cost_model import COEFFICIENTS
from convcli.convolution.planning.profile import (
    WISDOM_SUFFIX,
    Profile,
    current_profile,
    profile_key,
    save_profile,
)

if TYPE_CHECKING:
    from convcli.convolution.planning.tuning import Tuned


@dataclass(frozen=True)
class MeasuredProfile:
    """What was measured on this machine, and where it is kept.

    Parameters
    ----------
    tuned : Tuned
        What was measured.
    path : Path
        The file of the profile.
    """

    tuned: "Tuned"
    path: Path

    @property
    def coefficients(self) -> dict[str, float]:
        """Seconds a unit of each cost term, shipped ones where none was measured."""
        return {**COEFFICIENTS, **self.tuned.coefficients}

    def record(self) -> dict[str, Any]:
        """Return what was measured as JSON-ready data."""
        backends = [
            {
                "backend": row.backend,
                "cases": row.cases,
                "median_error_shipped": row.shipped_error,
                "median_error_measured": row.measured_error,
            }
            for row in self.tuned.rows
        ]
        return {
            "path": str(self.path),
            "seconds": self.tuned.seconds,
            "backends": backends,
            "coefficients": self.coefficients,
        }


def measure_profile(report: Callable[[float, str], None]) -> MeasuredProfile:
    """Measure this machine and keep the profile.

    Parameters
    ----------
    report : callable
        Is called with the part that is done, from 0 to 1, and what is measured next.

    Raises
    ------
    ProfileError
        Where the profile cannot be kept, as `check_writable` says before.
    """
    from convcli.convolution.planning.tuning import tune

    tuned = tune(report=report)
    return MeasuredProfile(tuned, save_profile(tuned.coefficients, tuned.wisdom))


@dataclass(frozen=True)
class ProfileInUse:
    """The profile that decisions go by now.

    Parameters
    ----------
    profile : Profile
        The measured one, or the shipped one and why.
    key : dict of str to str or int
        The machine and the versions that a profile is for.
    wisdom_bytes : int, optional
        Size of what FFTW has learnt; None where there is none.
    """

    profile: Profile
    key: dict[str, str | int]
    wisdom_bytes: int | None

    def record(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        profile = self.profile
        return {
            "source": profile.source,
            "path": None if profile.path is None else str(profile.path),
            "written": profile.written,
            "problem": profile.problem,
            "key": self.key,
            "wisdom_bytes": self.wisdom_bytes,
            "coefficients": dict(profile.coefficients),
            "shipped_coefficients": COEFFICIENTS,
        }


def profile_in_use() -> ProfileInUse:
    """Return the profile that decisions of this process go by."""
    profile = current_profile()
    wisdom = None if profile.path is None else profile.path.with_suffix(WISDOM_SUFFIX)
    stored = wisdom.stat().st_size if wisdom is not None and wisdom.is_file() else None
    return ProfileInUse(profile, profile_key(), stored)
