"""The imports of the app, read from its source: at the top, in functions and for types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Import(NamedTuple):
    """One imported name: ``from written import name`` in line ``line`` of ``module``.

    ``target`` is the module that defines the name, also where ``written`` only exports it.
    """

    module: str
    line: int
    written: str
    name: str
    target: str

    def __str__(self) -> str:
        return f"{modules()[self.module].relative_to(ROOT)}:{self.line} imports {self.target}"


@cache
def modules() -> dict[str, Path]:
    """The files of explorer/ and pages/ by module name, such as "explorer.attacks.pgd"."""
    files = [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    names = {}
    for path in sorted(files):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def lines_of(module: str) -> list[str]:
    return modules()[module].read_text(encoding="utf-8").splitlines()


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    return tuple(_imports(module))


def all_imports() -> list[Import]:
    return [entry for module in modules() for entry in imports_of(module)]


def _imports(module: str) -> Iterator[Import]:
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name, "", alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{modules()[module]}:{node.lineno} imports relatively"
            written = str(node.module)
            for alias in node.names:
                target = _definition(written, alias.name)
                yield Import(module, node.lineno, written, alias.name, target)


def _definition(module: str, name: str) -> str:
    """The module that defines ``name``, which ``module`` has or re-exports."""
    if f"{module}.{name}" in modules():
        return f"{module}.{name}"
    if module in modules() and modules()[module].name == "__init__.py":
        for node in _parsed(module).body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return _definition(str(node.module), alias.name)
    return module


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def circles() -> list[list[str]]:
    """Groups of modules that import each other, directly or through others."""
    reachable = {module: _reachable(module) for module in modules()}
    groups = {
        tuple(sorted(other for other in ours if module in reachable.get(other, ())))
        for module, ours in reachable.items()
        if module in ours
    }
    return [list(group) for group in sorted(groups)]


def _reachable(module: str) -> set[str]:
    targets: set[str] = set()
    waiting = [module]
    while waiting:
        for entry in imports_of(waiting.pop()):
            if entry.target in modules() and entry.target not in targets:
                targets.add(entry.target)
                waiting.append(entry.target)
    return targets
