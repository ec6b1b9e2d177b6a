"""The catalogue's formulas as JavaScript, translated from their source, so that a page computes what convcli does.

What is translated is the part of Python and numpy that such formulas are written in: arithmetic on numbers and arrays,
slices, comprehensions, conditions and calls of one another. `arrays.js` has the functions of numpy and `math` under
their names. A family that goes beyond is not translated, and a page shows its kernels with fixed weights.
"""

import ast
import builtins
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from types import FunctionType, ModuleType
from typing import Any

from convcli.kernel.family import Family
from convcli.kernel.products import Products

_BINARY = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Mod: "mod",
    ast.FloorDiv: "floordiv",
    ast.LShift: "lshift",
    ast.MatMult: "matmul",
    ast.BitAnd: "both",
    ast.BitOr: "either",
}
_COMPARISONS = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.In: "isin",
}
_ATTRIBUTES = {"shape", "size", "ndim", "T", "real", "imag", "copy", "astype", "ravel", "reshape"}
_ATTRIBUTES |= {"sum", "max", "min", "mean", "any", "all"}
_RESERVED = {"default", "new", "function", "var", "let", "const", "with", "this", "switch", "case", "typeof", "void"}
_LIBRARIES = {"numpy": "np", "math": "math"}
# A page has only kernels small enough to be written out: what is kept as products is their sum there.
_CLASSES = {Products: "py.products"}


class UntranslatableError(Exception):
    """A formula that uses what is not translated."""


def script_text(name: str) -> str:
    """Return the text of a file of this folder."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def formulas_script(families: Iterable[Family]) -> tuple[str, list[str]]:
    """Translate families into JavaScript.

    Parameters
    ----------
    families : iterable of Family
        The families.

    Returns
    -------
    str
        A script that sets `FORMULAS`, in which each name has a function that takes all parameters, by name.
    list of str
        The names of the families in it; the others could not be translated.

    Examples
    --------
    >>> from convcli.kernel.formulas import FAMILIES
    >>> formulas_script([FAMILIES["box"]])[1]
    ['box']
    """
    supported = _supported_names()
    texts: dict[str, str] = {}
    entries = []
    for family in families:
        translator = _Translator(supported)
        try:
            compute = translator.include(family.compute)
            derive = "null" if family.derive is None else translator.include(family.derive)
        except (UntranslatableError, OSError, TypeError, SyntaxError):  # among them, source that is not there
            continue
        texts |= translator.texts
        parameters = inspect.signature(family.compute).parameters.values()
        arguments = json.dumps([each.name for each in parameters if each.kind != each.VAR_KEYWORD])
        entries.append((family.name, f"  {json.dumps(family.name)}: py.formula({compute}, {arguments}, {derive})"))
    table = ",\n".join(entry for _, entry in entries)
    functions = "\n".join(texts.values())
    return f"const FORMULAS = (() => {{\n{functions}\nreturn {{\n{table}\n}};\n}})();\n", [name for name, _ in entries]


def _supported_names() -> dict[str, set[str]]:
    """Return which names of `np`, `math` and Python's own arrays.js has: those of its tables."""
    text = script_text("arrays.js")
    found = {}
    for table in ("np", "math", "py"):
        body = re.search(rf"^const {table} = \{{$(.*?)^\}};$", text, re.DOTALL | re.MULTILINE)
        found[table] = set(re.findall(r"^  (\w+)[:(]", body[1], re.MULTILINE)) if body else set()
    return found


class _Translator:
    """Translates a function, and those that it calls, each once."""

    def __init__(self, supported: dict[str, set[str]]) -> None:
        self.texts: dict[str, str] = {}
        self._supported = supported

    def include(self, function: Callable[..., Any]) -> str:
        """Return the name in JavaScript of a function, which is translated if it is not yet."""
        if not isinstance(function, FunctionType):
            raise UntranslatableError(repr(function))
        module = function.__module__.rpartition(".")[2]
        name = f"{module}_{function.__name__}"
        if name not in self.texts:
            self.texts[name] = ""  # a function that calls itself is being translated
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
            if not isinstance(tree, ast.FunctionDef):
                raise UntranslatableError(name)
            text = _Body(self, self._supported, function.__globals__, {}).function(tree, name)
            del self.texts[name]
            self.texts[name] = text
        return name


class _Body:
    """Translates the statements of one function; `names` are the local names, by what they are called in JavaScript."""

    def __init__(
        self, translator: _Translator, supported: dict[str, set[str]], outside: dict[str, Any], names: dict[str, str]
    ) -> None:
        self._translator = translator
        self._supported = supported
        self._outside = outside
        self._names = names

    def function(self, tree: ast.FunctionDef, name: str) -> str:
        arguments = tree.args
        if arguments.vararg:
            raise UntranslatableError(f"{name}: any number of arguments")
        # Arguments of any name may be taken, and are not used: nothing is called by that name below.
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        nested = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node is not tree}
        inner = _Body(self._translator, self._supported, self._outside, dict(self._names))
        for each in {argument.arg for argument in given} | stored | nested:
            inner._names[each] = f"{each}_" if each in _RESERVED else each
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += [*arguments.defaults, *arguments.kw_defaults]
        heads = []
        for argument, default in zip(given, defaults, strict=True):
            value = "" if default is None else f" = {self.value(default)}"
            heads.append(inner._names[argument.arg] + value)
        local = sorted(inner._names[each] for each in stored - {argument.arg for argument in given} - nested)
        declared = f"let {', '.join(local)};\n" if local else ""
        return f"function {name}({', '.join(heads)}) {{\n{declared}{inner.block(tree.body)}}}"

    def block(self, statements: Sequence[ast.stmt]) -> str:
        return "".join(map(self._statement, statements))

    def _statement(self, node: ast.stmt) -> str:  # noqa: PLR0912 (a case for each kind of statement)
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Assert():
                return ""
            case ast.Expr():
                return f"{self.value(node.value)};\n"
            case ast.Return():
                return f"return {'null' if node.value is None else self.value(node.value)};\n"
            case ast.Assign():
                value = self.value(node.value)
                return "".join(self._stored(target, value) for target in node.targets)
            case ast.AnnAssign():
                return "" if node.value is None else self._stored(node.target, self.value(node.value))
            case ast.AugAssign():
                old = self.value(_loaded(node.target))
                return self._stored(node.target, f"py.{self._binary(node.op)}({old}, {self.value(node.value)})")
            case ast.If():
                rest = f" else {{\n{self.block(node.orelse)}}}" if node.orelse else ""
                return f"if ({self.value(node.test)}) {{\n{self.block(node.body)}}}{rest}\n"
            case ast.For(orelse=[]):
                return f"for ({self._pattern(node.target)} of {self.value(node.iter)}) {{\n{self.block(node.body)}}}\n"
            case ast.While(orelse=[]):
                return f"while ({self.value(node.test)}) {{\n{self.block(node.body)}}}\n"
            case ast.Break():
                return "break;\n"
            case ast.Continue():
                return "continue;\n"
            case ast.FunctionDef():
                return self.function(node, self._names[node.name]) + "\n"
            case ast.Raise(exc=ast.Call(args=[message])):
                return f"throw new Error({self.value(message)});\n"
            case _:
                raise UntranslatableError(ast.unparse(node))

    def _stored(self, target: ast.expr, value: str) -> str:
        if isinstance(target, ast.Subscript):
            return f"py.set({self.value(target.value)}, {self._index(target.slice)}, {value});\n"
        return f"{self._pattern(target)} = {value};\n"

    def _pattern(self, target: ast.expr) -> str:
        match target:
            case ast.Name():
                return self._names[target.id]
            case ast.Tuple() | ast.List():
                return f"[{', '.join(map(self._pattern, target.elts))}]"
            case _:
                raise UntranslatableError(ast.unparse(target))

    def value(self, node: ast.expr) -> str:  # noqa: PLR0912 (a case for each kind of expression)
        """Return an expression in JavaScript."""
        match node:
            case ast.Constant():
                return _literal(node.value)
            case ast.Name():
                return self._name(node.id)
            case ast.Tuple() | ast.List() | ast.Set():
                return f"[{', '.join(map(self.value, node.elts))}]"
            case ast.Starred():
                return f"...{self.value(node.value)}"
            case ast.BinOp():
                return f"py.{self._binary(node.op)}({self.value(node.left)}, {self.value(node.right)})"
            case ast.UnaryOp(op=ast.USub()):
                return f"py.neg({self.value(node.operand)})"
            case ast.UnaryOp(op=ast.Not()):
                return f"!({self.value(node.operand)})"
            case ast.BoolOp():
                joint = " && " if isinstance(node.op, ast.And) else " || "
                return f"({joint.join(map(self.value, node.values))})"
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp():
                return f"({self.value(node.test)} ? {self.value(node.body)} : {self.value(node.orelse)})"
            case ast.Dict(keys=[*keys]) if all(isinstance(key, ast.Constant) for key in keys):
                pairs = zip(keys, node.values, strict=True)
                return f"({{{', '.join(f'{self.value(key)}: {self.value(value)}' for key, value in pairs if key)}}})"
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehension(node)
            case ast.Lambda():
                names = [argument.arg for argument in node.args.args]
                return f"(({', '.join(names)}) => {self._with(names).value(node.body)})"
            case ast.JoinedStr():
                return f"({' + '.join(map(self._piece, node.values)) or json.dumps('')})"
            case ast.Subscript():
                return f"py.get({self.value(node.value)}, {self._index(node.slice)})"
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case _:
                raise UntranslatableError(ast.unparse(node))

    def _piece(self, node: ast.expr) -> str:
        return f"py.str({self.value(node.value)})" if isinstance(node, ast.FormattedValue) else self.value(node)

    def _with(self, names: Iterable[str]) -> "_Body":
        return _Body(
            self._translator, self._supported, self._outside, {**self._names, **{name: name for name in names}}
        )

    def _binary(self, operator: ast.operator) -> str:
        try:
            return _BINARY[type(operator)]
        except KeyError:
            raise UntranslatableError(type(operator).__name__) from None

    def _comparison(self, node: ast.Compare) -> str:
        parts, left = [], self.value(node.left)
        for operator, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            if isinstance(operator, ast.Is | ast.IsNot):
                parts.append(f"({left} {'===' if isinstance(operator, ast.Is) else '!=='} {right})")
            elif isinstance(operator, ast.NotIn):
                parts.append(f"!py.isin({left}, {right})")
            elif type(operator) in _COMPARISONS:
                parts.append(f"py.{_COMPARISONS[type(operator)]}({left}, {right})")
            else:
                raise UntranslatableError(ast.unparse(node))
            left = right
        return f"({' && '.join(parts)})"

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> str:
        if len(node.generators) != 1:
            raise UntranslatableError(ast.unparse(node))
        (loop,) = node.generators
        inner = self._with(each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name))
        head = inner._pattern(loop.target)
        kept = "".join(f".filter(({head}) => {inner.value(test)})" for test in loop.ifs)
        return f"py.list({self.value(loop.iter)}){kept}.map(({head}) => {inner.value(node.elt)})"

    def _index(self, node: ast.expr) -> str:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return f"[{', '.join(map(self._index_part, parts))}]"

    def _index_part(self, node: ast.expr) -> str:
        if isinstance(node, ast.Slice):
            bounds = ("null" if each is None else self.value(each) for each in (node.lower, node.upper, node.step))
            return f"{{slice: [{', '.join(bounds)}]}}"
        return self.value(node)

    def _name(self, name: str) -> str:
        if name in self._names:
            return self._names[name]
        if name in self._outside:
            found = self._outside[name]
            if isinstance(found, FunctionType):
                return self._translator.include(found)
            return _CLASSES[found] if isinstance(found, type) and found in _CLASSES else _literal(found)
        if hasattr(builtins, name) and name in self._supported["py"]:
            return f"py.{name}"
        raise UntranslatableError(name)

    def _attribute(self, node: ast.Attribute) -> str:
        library, *inner = self._library(node.value)
        if library:
            name = "_".join([*inner, node.attr])  # np.fft.ifft2 is np.fft_ifft2 in arrays.js
            if name not in self._supported[library]:
                raise UntranslatableError(ast.unparse(node))
            return f"{library}.{name}"
        if node.attr not in _ATTRIBUTES:
            raise UntranslatableError(ast.unparse(node))
        return f"{self.value(node.value)}.{node.attr}"

    def _library(self, node: ast.expr) -> list[str]:
        """Return the library that an expression names and what inside of it, such as np and fft; or one empty name."""
        if isinstance(node, ast.Attribute):
            library, *inner = self._library(node.value)
            return [library, *inner, node.attr] if library else [""]
        found = None if not isinstance(node, ast.Name) or node.id in self._names else self._outside.get(node.id)
        return [_LIBRARIES.get(found.__name__, "")] if isinstance(found, ModuleType) else [""]

    def _call(self, node: ast.Call) -> str:
        arguments = [self.value(each) for each in node.args]
        keywords = {each.arg: self.value(each.value) for each in node.keywords if each.arg != "dtype"}
        if None in keywords:
            raise UntranslatableError(ast.unparse(node))
        called = self._outside.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if keywords and isinstance(called, FunctionType):
            names = list(inspect.signature(called).parameters)[len(arguments) :]
            while names and names[-1] not in keywords:
                names.pop()
            arguments += [keywords.pop(name, "undefined") for name in names]
        if keywords:
            options = ", ".join(f"{name}: {value}" for name, value in keywords.items())
            arguments.append(f"{{{options}}}")
        return f"{self.value(node.func)}({', '.join(arguments)})"


def _loaded(target: ast.expr) -> ast.expr:
    """Return what an assignment stores to as an expression of its value."""
    return ast.parse(ast.unparse(target), mode="eval").body


def _literal(value: object) -> str:
    """Return a constant in JavaScript; numbers keep all their digits."""
    match value:
        case None | bool() | str():
            return json.dumps(value)
        case int() | float():
            return repr(value)
        case tuple() | list():
            return f"[{', '.join(map(_literal, value))}]"
        case _:
            raise UntranslatableError(repr(value))
