"""All steps by name. A module of this package that defines a step is found by itself; nothing lists it."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from convcli.pipeline import steps
from convcli.pipeline.steps.base import Step


def _all_steps() -> Iterator[type[Step]]:
    for module in iter_modules(steps.__path__, f"{steps.__name__}."):
        if module.name != __name__:
            for member in vars(import_module(module.name)).values():
                if isinstance(member, type) and issubclass(member, Step) and member.__module__ == module.name:
                    yield member


STEPS: dict[str, type[Step]] = {step.name: step for step in _all_steps() if step.name}
