"""Options that a command does not have, and values that an option does not take."""

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence

# The parser that typer brings has no public name; our pin of typer holds it still.
from typer._click.core import Context

from convcli.cli.advice.commands import Commands, commands_of, options
from convcli.cli.advice.foreign_words import EXPLAINED, MEANINGS, OPERATIONS, OPTIONS, PARAMETERS, VALUES
from convcli.cli.advice.kernels import NUMBER, in_rows, is_kernel, operation_advice, with_parameter
from convcli.errors import closest


def option_advice(typed: str, ctx: Context, words: list[str]) -> str:
    """Return advice on an option that a command does not have."""
    if NUMBER.fullmatch(typed) or NUMBER.fullmatch(typed + "0"):
        return _on_loose_weights(words)
    own = list(_options(ctx))
    name = typed.lstrip("-").lower().replace("_", "-")
    value = _value_of(typed, words)
    same = next((option for option in own if option.lstrip("-") == name and len(name) > 1), None)
    if same is not None:
        return f"; did you mean {same!r}?"
    if ctx.parent is None and typed in options(commands_of(ctx.command)["convcli filter"]):
        return f"; options follow a command: {shlex.join(['convcli', 'filter', *words])}"
    return _own_option(typed, name, value, own, words) or _other_way(typed, name, value, own, ctx)


def _own_option(typed: str, name: str, value: str | None, own: list[str], words: list[str]) -> str:
    """Return the option of the same command that was meant, or the kernel's parameter."""
    takes_kernel = "--kernel" in own
    compact = name.replace("-", "")
    for option, instead in OPTIONS.get(compact, ()):
        if option in own:
            shown = instead.replace("VALUE", value or "N")
            return f"; did you mean {shown!r}?" if shown == option else f"; write {shown}"
    parameter = PARAMETERS.get(compact, name.replace("-", "_"))
    if takes_kernel and (found := _as_parameter(parameter, value, words)):
        return f"; a kernel's parameters belong to it: {found}"
    near = closest(typed, [option for option in own if option.startswith("--")]) if len(name) > 1 else None
    if near is not None:
        return f"; did you mean {near!r}?"
    for option, values in VALUES.items():
        if option in own and name in values() and name not in OPERATIONS:
            return f"; write {option} {name}"
    return ""


def _other_way(typed: str, name: str, value: str | None, own: list[str], ctx: Context) -> str:
    """Return what does it instead of an option: a kernel, another command, a step; or that there is none."""
    takes_kernel, compact = "--kernel" in own, name.replace("-", "")
    if takes_kernel and is_kernel(name) and len(name) > 1:
        from convcli.kernel.synonyms import usual_name

        spec = usual_name(name)
        # ImageMagick's values are RADIUSxSIGMA.
        number = re.fullmatch(r"(?:\d+x)?(\d+(?:\.\d+)?)", value or "")
        return f"; write -k {spec}:sigma={number[1]}" if number and spec == "gaussian" else f"; write -k {spec}"
    commands = commands_of(ctx.find_root().command)
    elsewhere = [path for path, each in commands.items() if typed in options(each) and path != ctx.command_path]
    if elsewhere:
        return f"; it is an option of {' and '.join(elsewhere[:2])}"
    if takes_kernel and compact in EXPLAINED:
        return f"; {EXPLAINED[compact]}"
    if takes_kernel and compact in OPERATIONS:
        return f"; {operation_advice(compact)}"
    return ""


def _on_loose_weights(words: list[str]) -> str:
    """Return advice on weights that were not quoted: the numbers behind -k, in rows where they make a square."""
    start = next((i + 1 for i, word in enumerate(words) if word in ("-k", "--kernel")), None)
    if start is None:
        return "; what begins with a minus is quoted, after -k or --: -k '-1 0 1'"
    numbers: list[str] = []
    for word in words[start:]:
        if NUMBER.fullmatch(word) is None:
            break
        numbers.append(word)
    return f"; weights are one word in quotes: -k {shlex.quote(in_rows(numbers))}"


# The kernels that have a parameter above all, where others come first.
_THOUGHT_OF = {"axis": "sobel_x", "order": "gaussian", "size": "gaussian", "theta": "gabor"}


def _as_parameter(name: str, value: str | None, words: Sequence[str]) -> str:
    """Return the SPEC to write for a parameter of kernels that was typed as an option, or an empty string."""
    from convcli.kernel.formulas import FAMILIES
    from convcli.kernel.model import CHANGES

    takers = [family.name for family in FAMILIES.values() if any(p.name == name for p in family.parameters)]
    if name in _THOUGHT_OF:
        takers.insert(0, _THOUGHT_OF[name])
    if not takers and name not in CHANGES:
        return ""
    given = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-k", "--kernel")]
    shown = value or {"normalize": "sum", "rotate": "90"}.get(name, "VALUE")
    for spec in given:
        if _takes(spec.partition(":")[0], name):
            return f"-k {with_parameter(spec, f'{name}={shown}')}"
    if name in OPERATIONS:  # a step of pipelines, rather than a parameter of some kernel that was not named
        return ""
    if not takers:
        return f"-k NAME:{name}={shown}"
    several = f"; {given[0]} has no {name}" if given else ""
    return f"-k {takers[0]}:{name}={shown}{several}"


def _takes(base: str, parameter: str) -> bool:
    from convcli.errors import KernelError
    from convcli.kernel.model import CHANGES, Kernel
    from convcli.kernel.spec import load_kernel

    try:
        kernel = load_kernel(base)
    except KernelError:
        return False
    return parameter in kernel.parameters or (isinstance(kernel, Kernel) and parameter in CHANGES)


def words_advice(words: Sequence[str], commands: Commands) -> str:
    """Return advice on single words: options of several letters behind one dash, values of other tools, URLs."""
    named = {option for command in commands.values() for option in options(command)}
    values = [pair for word in words for pair in [word.partition("=")[::2]] if word.startswith("--")]
    for word in words:
        if re.fullmatch(r"-[a-z][a-z-]{2,}", word) and f"-{word}" in named:
            return f"{word}: write -{word}, with two dashes"
    values += itertools.pairwise(words)
    for option, value in values:
        meant = MEANINGS.get(option, {}).get(re.sub(r"[-_ ]", "", value.lower()))
        if meant is not None:
            return f"{option} {value}: write {option} {meant}"
    return ""


def _value_of(typed: str, words: Sequence[str]) -> str | None:
    """Return the value that follows an unknown option, or None where an option or nothing does."""
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == typed and equals:
            return value
        if word == typed and i + 1 < len(words) and (not words[i + 1].startswith("-") or NUMBER.match(words[i + 1])):
            return words[i + 1]
    return None


def _options(ctx: Context) -> Iterator[str]:
    for parameter in ctx.command.params:
        if parameter.param_type_name == "option":
            yield from (*parameter.opts, *parameter.secondary_opts)
    yield from ctx.help_option_names
