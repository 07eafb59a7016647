"""The house keeps its order: rooms import to their left, errors tell their cure, modules say what they are for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from caseframe import errors

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pipeline" / "caseframe"
# From left to right; a room imports only from rooms before it. `__init__` is the door and sees all but the last.
ORDER = "_version markup schema errors config sources lexicons stages fields pipeline tables pages batch report evaluation training review __init__ cli".split()
MODULES = sorted(PACKAGE.rglob("*.py"))
SPEAKS = {"cli"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write whole module names"
            module = node.module or ""
            names = [f"caseframe.{alias.name}" for alias in node.names] if module == "caseframe" else [module]
        for name in names:
            if name.split(".")[0] == "caseframe":
                yield node.lineno, [*name.split("."), "__init__"][1]


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def error_classes() -> dict[str, type[errors.CaseFrameError]]:
    return {
        name: each
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.CaseFrameError)
    }


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in MODULES} == set(ORDER)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    named = re.findall(r"`(\w+)(?:\.py|/)`", table)
    assert named and named == sorted(named, key=ORDER.index), "docs/architecture.md lists the rooms in another order"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_import_only_to_their_left(path: Path) -> None:
    room = room_of(path)
    for line, other in imported_rooms(tree_of(path)):
        assert other in ORDER, f"line {line}: caseframe.{other} is no room"
        assert other == room or ORDER.index(other) < ORDER.index(room), f"line {line}: {room} imports {other}"


def test_a_room_that_imports_to_its_right_is_seen() -> None:
    tree = ast.parse(
        "from caseframe import cli\nimport caseframe.batch.run\nfrom caseframe.schema import Article\nimport re"
    )
    assert [room for _, room in imported_rooms(tree)] == ["cli", "batch", "schema"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert len(ast.get_docstring(tree_of(path)) or "") > 20 or path.name == "_version.py"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_error_has_a_message_and_a_cure(path: Path) -> None:
    known = error_classes()
    for name, call in calls(tree_of(path)):
        if name not in known:
            continue
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        assert len(given) == 2, f"line {call.lineno}: {name} needs a message and a cure"
        empty = [value for value in given if isinstance(value, ast.Constant) and not str(value.value or "").strip()]
        assert not empty, f"line {call.lineno}: {name} has an empty message or cure"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    if room_of(path) not in SPEAKS:
        assert not [call.lineno for name, call in calls(tree_of(path)) if name == "print"]


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1] if depth else "Exception"
    assert drawn == {name: each.__mro__[1].__name__ for name, each in error_classes().items()}
