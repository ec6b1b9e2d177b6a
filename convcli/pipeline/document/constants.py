"""Named constants of documents: `$low` and `$(1.6 * sigma)` in options, and their values from the command line.

A text that is a reference and nothing else becomes the constant itself, with its type; within a longer text, such as
`gaussian:sigma=$sigma`, its value is written out. `$$` is a dollar sign.
"""

import ast
import operator
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from convcli.errors import nearest
from convcli.kernel.weights import parse_number
from convcli.pipeline.errors import DocumentError
from convcli.system.user_folders import expand_user

# A constant as YAML holds it; None for one that has to be given.
Constant = bool | int | float | str | None

CONSTANT_NAME = re.compile(r"[^\W\d]\w{0,63}")
_NESTED = r"(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*"  # text with brackets in brackets, three deep
_REFERENCE = re.compile(rf"\$(?:(?P<name>[^\W\d]\w*)|\((?P<formula>{_NESTED})\)|(?P<dollar>\$)|)")
_PATH = re.compile(r"(~|\.{1,2})?/.*|.*\.[A-Za-z]\w{1,9}", re.DOTALL)
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_WORDS: dict[str, Constant] = {"true": True, "false": False}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LARGEST_EXPONENT = 64
_LONGEST_FORMULA = 200


def read_value(text: str) -> Constant:
    """Return the value that a text on the command line stands for.

    >>> read_value("20"), read_value("1/4"), read_value("true"), read_value("wrap")
    (20, 0.25, True, 'wrap')
    """
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return parse_number(text)
    except ValueError:
        return text


def settled_constants(
    declared: Mapping[str, Constant], given: Mapping[str, str], where: str
) -> dict[str, bool | int | float | str]:
    """Return the constants of a document, those that were given in place of its own.

    Parameters
    ----------
    declared : mapping of str to bool, int, float, str or None
        What the document says; None has to be given.
    given : mapping of str to str
        What `--set` says, as text. What is written as the name of a file lies in the current folder, not in that of
        the document.
    where : str
        The document, for messages.

    Raises
    ------
    DocumentError
        For a constant that the document does not have, a text where it has a number, and one that is missing.
    """
    settled = dict(declared)
    for name, text in given.items():
        if name not in declared:
            known = f"its constants are {', '.join(declared)}" if declared else "it has no constants"
            raise DocumentError(
                f"{where}: there is no constant called {name!r}{nearest(name, declared) or f'; {known}'}"
            )
        value, before = read_value(text), declared[name]
        if isinstance(before, bool) and not isinstance(value, bool):
            raise DocumentError(f"{where}: {name}: must be true or false, not {text!r}")
        if isinstance(before, int | float) and not isinstance(before, bool) and not _is_number(value):
            raise DocumentError(f"{where}: {name}: must be a number, not {text!r}")
        if isinstance(before, str):
            value = text.strip()
        if isinstance(value, str) and _PATH.fullmatch(value):
            value = os.path.abspath(expand_user(value))
        settled[name] = value
    missing = [name for name, value in settled.items() if value is None]
    if missing:
        example = " ".join(f"--set {name}=VALUE" for name in missing)
        raise DocumentError(f"{where}: needs {' and '.join(missing)}: say {example}")
    return {name: value for name, value in settled.items() if value is not None}


def substituted(value: Any, constants: Mapping[str, Any], where: str) -> Any:
    """Return plain data in which references to constants are replaced by their values.

    Parameters
    ----------
    value : dict, list, str, int, float, bool or None
        A part of a document.
    constants : mapping
        Values by name.
    where : str
        The part's place, for messages.

    Raises
    ------
    DocumentError
        For a name that is no constant's, and a formula that cannot be computed.

    Examples
    --------
    >>> substituted({"at": "$low", "kernel": "gaussian:sigma=$(2 * sigma)"}, {"low": 20, "sigma": 1.5}, "example")
    {'at': 20, 'kernel': 'gaussian:sigma=3'}
    """
    if isinstance(value, str):
        return _in_text(value, constants, where) if "$" in value else value
    if isinstance(value, list):
        return [substituted(each, constants, f"{where}[{index}]") for index, each in enumerate(value)]
    if isinstance(value, dict):
        return {
            (_written(_in_text(key, constants, where)) if "$" in key else key): substituted(
                each, constants, f"{where}.{key}"
            )
            for key, each in value.items()
        }
    return value


def _in_text(text: str, constants: Mapping[str, Any], where: str) -> Any:
    whole = _REFERENCE.fullmatch(text)
    if whole is not None:
        return _value(whole, constants, where)
    return _REFERENCE.sub(lambda match: _written(_value(match, constants, where)), text)


def _value(match: re.Match[str], constants: Mapping[str, Any], where: str) -> Any:
    if match["dollar"]:
        return "$"
    if match["name"]:
        return _constant(match["name"], constants, where)
    if match["formula"] is None:
        raise DocumentError(f"{where}: a $ stands before the name of a constant, or a formula as in $(2 * sigma)")
    formula = match["formula"].strip()
    if len(formula) > _LONGEST_FORMULA:
        raise DocumentError(f"{where}: a formula is longer than {_LONGEST_FORMULA} characters")
    try:
        return _computed(ast.parse(formula, mode="eval").body, constants, where)
    except (ValueError, ArithmeticError, SyntaxError, RecursionError, TypeError) as error:
        reason = "is no formula of + - * / ** and constants" if isinstance(error, SyntaxError) else str(error)
        raise DocumentError(f"{where}: $({formula}): {reason}") from error


def _computed(node: ast.AST, constants: Mapping[str, Any], where: str) -> int | float:
    """Return the value of a formula; nothing but arithmetic is ever carried out."""
    match node:
        case ast.Constant(value=value) if _is_number(value):
            result: Any = value
        case ast.Name(id=name):
            result = _constant(name, constants, where)
            if not _is_number(result):
                raise ValueError(f"{name} is {_written(result)}, not a number")
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            result = _OPERATORS[type(op)](_computed(operand, constants, where))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _computed(left, constants, where), _computed(right, constants, where)
            if abs(exponent) > _LARGEST_EXPONENT:
                raise ValueError(f"an exponent is at most {_LARGEST_EXPONENT}, not {exponent}")
            result = float(base) ** exponent if not isinstance(base, int) or exponent < 0 else base**exponent
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            result = _OPERATORS[type(op)](_computed(left, constants, where), _computed(right, constants, where))
        case _:
            raise SyntaxError
    if isinstance(result, complex):
        raise ValueError("is no real number")  # noqa: TRY004 (of a document, not of an argument)
    float(result)  # a whole number too large for one is an OverflowError
    return int(result) if isinstance(result, float) and result.is_integer() and abs(result) < 1 << 53 else result


def _constant(name: str, constants: Mapping[str, Any], where: str) -> Any:
    if name not in constants:
        known = f"; there are {', '.join(constants)}" if constants else "; the document has none"
        raise DocumentError(f"{where}: there is no constant called {name!r}{nearest(name, constants) or known}")
    return constants[name]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(value: Any) -> str:
    """Return a constant as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
