"""Every step there is, by the name that documents give it."""

from collections.abc import Iterator

from convcli.pipeline.steps import (
    convs,
    dense,
    filters,
    fourier,
    joins,
    pointwise,
    pools,
    resampling,
    special,
    tones,
    vision,
)
from convcli.pipeline.steps.base import Step

_MODULES = (filters, convs, special, pools, pointwise, tones, joins, resampling, dense, vision, fourier)


def _all_steps() -> Iterator[type[Step]]:
    for module in _MODULES:
        for member in vars(module).values():
            if isinstance(member, type) and issubclass(member, Step) and member.__module__ == module.__name__:
                yield member


STEPS: dict[str, type[Step]] = {step.name: step for step in _all_steps() if step.name}
