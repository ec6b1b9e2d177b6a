"""The line on what ended a run: the parser's complaint or our own error, with advice that the typed words allow."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

# The parser that typer brings has no public name; our pin of typer holds it still.
from typer._click.core import Context, Parameter
from typer._click.exceptions import BadParameter, MissingParameter, NoSuchOption
from typer.exceptions import TyperException

from convcli.cli.advice.commands import commands_of
from convcli.cli.advice.files import URL, near_file, no_image_advice, pipeline_advice, pipeline_as_kernel_advice
from convcli.cli.advice.foreign_words import COMMANDS
from convcli.cli.advice.kernels import is_kernel, kernel_advice, missing_kernel_advice, run_instead
from convcli.cli.advice.options import option_advice, words_advice
from convcli.errors import ConvcliError, OutputError, closest, nearest


def parser_message(error: TyperException, words: Sequence[str]) -> str:
    """Return the parser's complaint in our form: lower case, no full stop, with what was meant.

    Parameters
    ----------
    error : TyperException
        The complaint.
    words : sequence of str
        What was typed after `convcli`.

    Returns
    -------
    str
        One line; empty for a command without arguments, which has shown its help instead.
    """
    context = getattr(error, "ctx", None)
    advice = ""
    match error:
        case NoSuchOption(ctx=Context() as ctx):
            typed = _as_typed(error.option_name, words)
            message = f"no such option: {typed}"
            advice = option_advice(typed, ctx, list(words))
        case MissingParameter(param=Parameter() as parameter, ctx=Context() as ctx):
            message = f"missing {parameter.param_type_name} {parameter.get_error_hint(ctx)}"
            if parameter.name == "kernel":
                advice = missing_kernel_advice(words)
            elif "--output" in parameter.opts:
                advice = ", such as -o out"
        case BadParameter(param=Parameter() as parameter, ctx=Context() as ctx):
            message = f"invalid value for {parameter.get_error_hint(ctx)}: {error.message}"
        case _:
            message = error.format_message().strip().rstrip(".")
            advice = _on_extra_words(message, words)
            if message in {"Option '-k' requires an argument", "Option '--kernel' requires an argument"}:
                advice = ", such as -k sobel_x"
    if not message:
        return ""
    hint = f" (see {context.command_path} --help)" if context is not None and _is_short(advice) else ""
    return f"{message[:1].lower()}{message[1:]}{advice}{hint}"


def error_message(error: ConvcliError, words: Sequence[str], root: Any) -> str:
    """Return the line on what ended a run, with what was meant where the words that were typed show it.

    Parameters
    ----------
    error : ConvcliError
        What ended it.
    words : sequence of str
        What was typed after `convcli`.
    root : LazyGroup
        The group of all commands.
    """
    from convcli.kernel.synonyms import UnknownKernelError

    if isinstance(error, UnknownKernelError):
        advice = kernel_advice(error.name, words)
        return f"unknown kernel {error.name!r}: {advice}" if advice else str(error)
    command, *rest = words or [""]
    commands = commands_of(root)
    advice = words_advice(rest, commands)
    if advice:
        return advice
    if command in ("batch", "compare", "explain") and (url := next(filter(URL.fullmatch, rest), None)):
        return f"{url}: URLs are not read: curl -LO {shlex.quote(url)}"
    if command == "run":
        advice = pipeline_advice(rest, commands) or (
            no_image_advice(rest[1:], commands) if isinstance(error, OutputError) else ""
        )
    elif command in ("filter", "compare", "batch", "explain", "kernels"):
        advice = pipeline_as_kernel_advice(rest, commands)
        if not advice and command == "filter" and isinstance(error, OutputError):
            advice = no_image_advice(rest, commands)
    if not advice and command == "explain" and rest and is_kernel(rest[0]):
        advice = f"{rest[0]} is a kernel: {shlex.join(['convcli', 'explain', '-k', *rest])}"
    if not advice and command == "batch" and "--pipeline" in rest[:-1]:
        path = rest[rest.index("--pipeline") + 1]
        known = os.path.exists(path) or bool(run_instead(path, ()))
        near = None if known else near_file(path, (".yaml", ".yml"))
        advice = f"{path}: no such pipeline file; did you mean {near}?" if near else ""
    return advice or str(error)


def unknown_command(group: str, name: str, rest: Sequence[str], known: Mapping[str, Any]) -> str:
    """Return what is said of a word that is no command of a group.

    Parameters
    ----------
    group : str
        The group, as it is typed: `convcli` or `convcli kernels`.
    name : str
        The word.
    rest : sequence of str
        The words after it.
    known : mapping
        The group's commands.
    """
    message = f"no such command {name!r}"
    tail = "".join(f" {shlex.quote(word)}" for word in rest)
    if group == "convcli pipelines":
        if run_instead(name, ()):
            return f"{message}; did you mean {group} show {shlex.quote(name)}{tail}?"
    elif group != "convcli":
        if is_kernel(name):
            return f"{message}; did you mean {group} show {shlex.quote(name)}{tail}?"
    elif os.path.isfile(name):
        if name.lower().endswith((".yaml", ".yml")):
            return f"{message}; to run that pipeline: convcli run {shlex.quote(name)}{tail or ' IMAGE'}"
        how = tail if {"-k", "--kernel"} & set(rest) else " -k sobel_x"
        return f"{message}; to filter that file: convcli filter {shlex.quote(name)}{how}"
    elif os.path.isdir(name):
        how = tail if {"-k", "--kernel"} & set(rest) else " -k sobel_x"
        to = "" if {"-o", "--output"} & set(rest) else " -o out"
        return f"{message}; to filter the images in that folder: convcli batch {shlex.quote(name)}{how}{to}"
    elif name in COMMANDS:
        return f"{message}; did you mean convcli {COMMANDS[name]}?"
    elif closest(name, known) is None and is_kernel(name):
        images = shlex.join(rest) or "IMAGE"
        return f"{message}; {name} is a kernel: convcli filter {images} -k {shlex.quote(name)}"
    elif closest(name, known) is None and (how := run_instead(name, [name, *rest])):
        return f"{message}; {how}"
    return f"{message}{nearest(name, known)} (see {group} --help)"


def _as_typed(option: str, words: Sequence[str]) -> str:
    """Return the word that an unknown option was read from: the parser takes `-blur` for `-b -l -u -r`."""
    if len(option) == 2 and option not in words:
        for word in words:
            if re.match(r"-[A-Za-z]{2,}", word) and option[1] in word:
                return word.partition("=")[0]
    return option


def _is_short(advice: str) -> bool:
    """Whether advice leaves room for the help page: none was given, or the name of an option alone."""
    return not advice or "did you mean '" in advice


def _on_extra_words(message: str, words: Sequence[str]) -> str:
    """Return advice on words that a command has no place for."""
    if not message.startswith("Got unexpected extra argument"):
        return ""
    pairs = [word for word in words if re.fullmatch(r"\w+=[^\s=]+", word)]
    base = next((word for word in words[1:] if is_kernel(word)), None)
    if pairs and base:
        return f"; a kernel's parameters belong to it: {base}:{','.join(pairs)}"
    extra = re.findall(r"[\w:=,.-]+", message.partition("(s)")[2])
    if extra and all(map(is_kernel, extra)) and {"-k", "--kernel"} & set(words):
        given = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-k", "--kernel")]
        return f"; each kernel has its own -k: {' '.join(f'-k {shlex.quote(each)}' for each in given + extra)}"
    if extra and all(map(is_kernel, extra)) and list(words[:2]) == ["kernels", "list"]:
        return f"; did you mean convcli kernels show {extra[0]}?"
    return ""
