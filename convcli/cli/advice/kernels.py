"""Words in a kernel's place: what was meant by them, and how weights and parameters are written."""

import os
import re
import shlex
from collections.abc import Sequence

from convcli.cli.advice.foreign_words import OPERATIONS
from convcli.errors import ImageReadError, UsageError, closest

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(/\d+)?,?;?")


def missing_kernel_advice(words: Sequence[str]) -> str:
    """Return advice where -k was left out: the kernel among the words, or where kernels are listed."""
    from convcli.kernel.spec import split_spec

    for word in words[1:]:
        if word.startswith("-") or os.path.exists(word):
            continue
        try:
            base = split_spec(word)[0]
        except UsageError:
            continue
        if is_kernel(base):
            return f"; did you mean -k {shlex.quote(word)}?"
        if how := run_instead(word, words):
            return f"; {how}"
    return ", such as -k sobel_x; `convcli kernels list` shows them all"


def kernel_advice(name: str, words: Sequence[str]) -> str:
    """Return advice on a word that names no kernel: what else does it, or an empty string."""
    for word in words:
        # Of `-kernel sobel` the parser makes -k with the value `ernel`.
        if word == f"-k{name}" and (near := closest(f"--k{name}", ["--kernel"])):
            return f"write {near} or -k"
    if os.path.isfile(name) and not name.lower().endswith((".yaml", ".yml")):
        if no_image(name) is None:
            return f"{name} is an image; -k takes a kernel, such as -k sobel_x"
        return ""
    if how := run_instead(name, words):
        return how
    plain = re.sub(r"[\W_]", "", name.lower())
    if plain in OPERATIONS or _step(name) is not None:
        return operation_advice(plain, name)
    return ""


def run_instead(name: str, words: Sequence[str]) -> str:
    """Return how a pipeline is run that was named in a kernel's place, or an empty string where it is none.

    Parameters
    ----------
    name : str
        The word.
    words : sequence of str
        What was typed after `convcli`; those of them that are there are the images.
    """
    from convcli.pipeline.document.named import names_pipeline

    if name.lower().endswith((".yaml", ".yml")) or not names_pipeline(name):
        return ""
    images = [word for word in words[1:] if os.path.exists(word)]
    what = "is a pipeline in one line" if "|" in name else "is a pipeline"
    if words[:1] == ["batch"]:
        return f"{name} {what}: convcli batch {shlex.join(images) or 'FOLDER'} --pipeline {shlex.quote(name)} -o out"
    return f"{name} {what}: convcli run {shlex.quote(name)} {shlex.join(images) or 'IMAGE'}"


def operation_advice(plain: str, name: str | None = None) -> str:
    """Return what does an operation that is no kernel: a step of that name where there is one, or another way."""
    steps, otherwise = OPERATIONS.get(plain, ((), ""))
    found = next((step for step in (*steps, *filter(None, [_step(name or plain)])) if _step(step) is not None), None)
    if found is not None:
        return f"{found} is a step of pipelines: convcli run --step {found}"
    return otherwise


def _step(name: str) -> str | None:
    """Return the step of pipelines that has a name, or None."""
    from convcli.pipeline.steps.registry import STEPS

    plain = name.lower().replace("-", "_")
    return plain if plain in STEPS else None


def with_parameter(spec: str, pair: str) -> str:
    """Return a SPEC with one more parameter, quoted where the shell needs that."""
    return shlex.quote(f"{spec}{',' if ':' in spec else ':'}{pair}")


def in_rows(numbers: list[str]) -> str:
    """Return numbers as the text of weights, in rows where they make a square.

    >>> in_rows(["0", "-1", "0", "-1", "5", "-1", "0", "-1", "0"])
    '0 -1 0; -1 5 -1; 0 -1 0'
    """
    if any(number.endswith(";") for number in numbers):
        return " ".join(number.replace(",", "") for number in numbers)
    side = next((n for n in (3, 5, 7, 9) if n * n == len(numbers)), 0)
    plain = [number.rstrip(",") for number in numbers]
    if not side:
        return " ".join(plain)
    return "; ".join(" ".join(plain[i : i + side]) for i in range(0, len(plain), side))


def is_kernel(word: str) -> bool:
    """Whether a word stands for a kernel: a name or synonym, or weights."""
    from convcli.kernel.catalogue import find
    from convcli.kernel.synonyms import usual_name

    base = word.partition(":")[0].strip()
    if re.fullmatch(r"\s*-?[\d.]+(/\d+)?([\s;]+-?[\d.]+(/\d+)?)+\s*", word):
        return True
    return re.fullmatch(r"[^\W\d][\w-]*", base) is not None and (find(base) or find(usual_name(base))) is not None


def no_image(path: str) -> str | None:
    """Return what is said of a file that is no image, or None where it is one."""
    from convcli.image.formats.registry import format_of
    from convcli.image.reading import decode_image

    try:
        with open(path, "rb") as file:
            start = file.read(512)
        if start and format_of(start) is not None:
            return None
        decode_image(start, path)
    except ImageReadError as error:
        return str(error)
    except OSError:
        pass
    return None
