"""An unpickler that builds tensors and plain containers, and nothing else.

``torch.load(pickle_module=restricted_pickle)`` reads checkpoints with it. Unlike torch's own
``weights_only``, it does not refuse a file for the settings, dates or paths beside its weights: for
each class and function that the file names, a :class:`StandIn` is built, which nothing looks up,
imports or calls.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, ClassVar

import torch

# No weights need these. Nothing would call them here; the person should know what the file tries.
_HARMFUL_MODULES = (  # "commands" is Python 2's name for parts of subprocess
    *("os", "posix", "nt", "sys", "subprocess", "commands"),
    *("pty", "runpy", "importlib", "socket"),
)
_BUILTINS = ("builtins", "__builtin__", "io", "_io")
_HARMFUL_BUILTINS = ("eval", "exec", "compile", "open", "__import__", "breakpoint", "input")
_PYTHON: Any = pickle._Unpickler  # not the one in C, whose opcodes can't be replaced


class HarmfulName(pickle.UnpicklingError):
    """The file names a function with which a pickle runs programs; ``str`` is that name."""


class StandIn:
    """Stands for an object, class or function of the file, whose dotted ``name`` it knows.

    ``entries`` are what was put into it as into a dictionary, ``state`` is its object's state.
    """

    __slots__ = ("entries", "name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: dict[Any, Any] = {}
        self.state: object = None


def _plain(rebuild: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """``rebuild`` without what the file says of gradients and hooks; ``more[2:]`` is metadata."""

    def tensor(storage: Any, offset: Any, size: Any, stride: Any, *more: Any) -> torch.Tensor:
        return rebuild(storage, offset, size, stride, False, OrderedDict(), *more[2:])

    return tensor


def _parameter(data: object, *_: object) -> object:
    return data


def _with_attributes(function: object, _: object, arguments: Iterable[object], *__: object) -> Any:
    """A tensor of a subclass, or one with attributes: the tensor alone."""
    return _call(function, *arguments)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": lambda *_: {},
    "builtins.set": set,
    "__builtin__.set": set,
    "torch._utils._rebuild_tensor": _plain(torch._utils._rebuild_tensor_v2),
    "torch._utils._rebuild_tensor_v2": _plain(torch._utils._rebuild_tensor_v2),
    "torch._utils._rebuild_tensor_v3": _plain(torch._utils._rebuild_tensor_v3),
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
}
_STORAGE = frozenset(("torch.storage.UntypedStorage", "torch.UntypedStorage"))


def _call(function: object, *arguments: object) -> Any:
    """What stands for the result: of the functions above they alone are called."""
    if isinstance(function, StandIn):
        return StandIn(function.name)
    if any(function is each for each in _FUNCTIONS.values()):
        return function(*arguments)  # type: ignore[operator]
    raise pickle.UnpicklingError("it calls what is no function")


class Unpickler(_PYTHON):  # type: ignore[misc]
    """Reads a pickle, as ``pickle.Unpickler`` does, under the restrictions of this module.

    Each opcode that would run a method of an object is replaced by one that does not.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(_PYTHON.dispatch)

    def find_class(self, module: str, name: str) -> object:
        """What stands for the global of that name. Nothing is imported."""
        full = f"{module}.{name}"
        builtin = module in _BUILTINS and name in _HARMFUL_BUILTINS
        if builtin or module.partition(".")[0] in _HARMFUL_MODULES:
            raise HarmfulName(full.replace("__builtin__", "builtins"))
        if full in _FUNCTIONS:
            return _FUNCTIONS[full]
        if full in _STORAGE:
            return torch.UntypedStorage
        dtype = vars(torch).get(name) if module == "torch" else None
        return dtype if isinstance(dtype, torch.dtype) else StandIn(full)

    def _reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = _call(self.stack[-1], *arguments)

    def _new_with_keywords(self) -> None:
        self.stack.pop()
        self._reduce()

    def _instance(self) -> None:
        module, name = (self.readline()[:-1].decode("ascii") for _ in range(2))
        arguments = self.pop_mark()
        self.append(_call(self.find_class(module, name), *arguments))

    def _object(self) -> None:
        function, *arguments = self.pop_mark()
        self.append(_call(function, *arguments))

    def _build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], StandIn):
            self.stack[-1].state = state

    def _append(self) -> None:
        self._extend([self.stack.pop()])

    def _appends(self) -> None:
        self._extend(self.pop_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is list:
            self.stack[-1].extend(items)
        elif type(self.stack[-1]) is set:
            self.stack[-1].update(items)
        elif not isinstance(self.stack[-1], StandIn):
            raise pickle.UnpicklingError("it appends to what is no list")

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _set_items(self) -> None:
        self._update(self.pop_mark())

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        target = target.entries if isinstance(target, StandIn) else target
        if type(target) not in (dict, OrderedDict):
            raise pickle.UnpicklingError("it sets items of what is no dictionary")
        target.update(zip(items[::2], items[1::2], strict=True))

    def _persistent(self) -> None:
        """A tensor's storage. torch's older format also marks modules, with their source text."""
        reference = self.stack.pop()
        if not isinstance(reference, tuple) or not reference:
            raise pickle.UnpicklingError("it refers to what is no storage")
        if reference[0] in ("module", b"module"):
            self.append(reference[1])
        else:
            self.append(self.persistent_load(reference))

    dispatch |= {
        pickle.REDUCE[0]: _reduce,
        pickle.NEWOBJ[0]: _reduce,
        pickle.NEWOBJ_EX[0]: _new_with_keywords,
        pickle.INST[0]: _instance,
        pickle.OBJ[0]: _object,
        pickle.BUILD[0]: _build,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _appends,
        pickle.ADDITEMS[0]: _appends,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
        pickle.BINPERSID[0]: _persistent,
    }
    for _code in (pickle.PERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4):
        del dispatch[_code[0]]
    del _code


def load(file: BinaryIO, **options: Any) -> Any:
    """The content of one pickle, as ``pickle.load`` returns it, under the same restrictions."""
    return Unpickler(file, **options).load()


def entries_of(value: object) -> Mapping[Any, Any] | None:
    """The entries of a dictionary, or of a stand-in that was filled as one; else None."""
    if isinstance(value, StandIn):
        return value.entries or None
    return value if isinstance(value, Mapping) else None
