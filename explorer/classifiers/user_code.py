"""Running a person's Python file, which may import its neighbours, without touching ``sys.path``.

Each file is a module of a package of its own, whose folder is the file's. Only code from there sees
its neighbours, also when a function imports later: two files in two folders may have neighbours of
the same name.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from explorer.errors import USER_CODE

_OWN = __name__.partition(".")[0]  # beside a checkout, this program itself is a neighbour
_LOADING = threading.RLock()


def run_file(path: Path) -> ModuleType:
    """The module of the Python file at ``path``, run anew, as are its neighbours.

    Raises whatever the file raises.
    """
    digest = hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()
    package = f"{USER_CODE}{digest[:16]}"
    name = f"{package}.{path.stem.replace('.', '_')}"
    with _LOADING:
        for loaded in [each for each in sys.modules if each.startswith(f"{package}.")]:
            del sys.modules[loaded]
        sys.modules[package] = _package(package, path.absolute().parent)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
        loader = _ScopedLoader(name, str(path))
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickling look the module up by name
        loader.exec_module(module)
    return module


def _package(name: str, folder: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    return package


class _Finder(MetaPathFinder):
    """Finds the modules of people's packages, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(USER_CODE) or path is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _ScopedLoader(fullname, spec.loader.path)
        return spec


_FINDER = _Finder()


class _ScopedLoader(SourceFileLoader):
    """Gives a module an ``__import__`` that sees its neighbours."""

    def exec_module(self, module: ModuleType) -> None:
        package = self.name.partition(".")[0]
        scoped = vars(builtins) | {"__import__": _Import(package)}
        module.__dict__["__builtins__"] = scoped
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file as it is now, which is cached nowhere.

        Python takes a cached one for the file's if both are of the same second and length, and
        would write it into the person's folder.
        """
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Import:
    """``__import__`` for the modules of ``package``."""

    def __init__(self, package: str) -> None:
        self._package = package
        (folder,) = sys.modules[package].__path__
        self._folder = Path(folder)

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or not self._is_neighbour(top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = builtins.__import__(f"{self._package}.{name}", globals, locals, fromlist or ())
        return module if fromlist else sys.modules[f"{self._package}.{top}"]

    def _is_neighbour(self, name: str) -> bool:
        if name == _OWN or name in sys.stdlib_module_names:
            return False
        folder = self._folder / name
        return self._folder.joinpath(f"{name}.py").is_file() or (folder / "__init__.py").is_file()
