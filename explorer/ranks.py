"""Several processes that do one job together, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from explorer.errors import UserError

T = TypeVar("T")
# How long a rank waits for one that is alive but late. A rank that ended is noticed at once.
TIMEOUT = timedelta(hours=2)


class RankError(UserError):
    """Processes of one job that lost each other, or that do not do the same job."""


@dataclass(frozen=True)
class Ranks:
    """This process is number ``rank`` of ``world``. Alone, nothing is sent."""

    rank: int = 0
    world: int = 1

    @classmethod
    def from_environment(cls) -> Ranks:
        """What torchrun says. Raises :class:`RankError` for what is no whole number."""
        return cls(_number("RANK", 0), _number("WORLD_SIZE", 1))

    @property
    def is_first(self) -> bool:
        """Whether this process writes and prints for all."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Every ``world``-th of ``items``: together the ranks have them all."""
        return items[self.rank :: self.world]

    def gather(self, value: T) -> list[T]:
        """Each rank's ``value``, in the order of the ranks."""
        if self.world == 1:
            return [value]
        values: list[T | None] = [None] * self.world
        _together(lambda: dist.all_gather_object(values, value))
        return values  # type: ignore[return-value]

    def check_same(self, what: str, value: object) -> None:
        """Raises :class:`RankError` where the ranks have different values."""
        if len(set(map(repr, self.gather(value)))) > 1:
            raise RankError(f"the ranks do not have the same {what}; give all the same files")

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each of ``tensors``, of one dtype, by its sum over the ranks, in place."""
        if self.world == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        _together(lambda: dist.all_reduce(flat))
        for tensor, part in zip(
            tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True
        ):
            tensor.copy_(part.view_as(tensor))


ALONE = Ranks()


def rank_device(name: str) -> str:
    """Under torchrun each rank of a machine takes the GPU of its number."""
    if "LOCAL_RANK" not in os.environ or name == "cpu" or not torch.cuda.is_available():
        return name
    return f"cuda:{_own_gpu()}"


def _own_gpu() -> int:
    return _number("LOCAL_RANK", 0) % torch.cuda.device_count()


@contextmanager
def connected_ranks() -> Iterator[Ranks]:
    """This process's rank; under torchrun the ranks are connected within the block.

    Raises :class:`RankError` where they can't reach each other.
    """
    ranks = Ranks.from_environment()
    if ranks.world == 1:
        yield ranks
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(_own_gpu())
    _together(
        lambda: dist.init_process_group(
            backend, rank=ranks.rank, world_size=ranks.world, timeout=TIMEOUT
        )
    )
    try:
        yield ranks
    finally:
        dist.destroy_process_group()


def _together(action: Callable[[], object]) -> None:
    try:
        action()
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise RankError(
            f"another rank ended or can't be reached ({reason}); start the same command again"
        ) from None


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise RankError(f"the environment variable {name} must be a whole number; it is {text!r}")
    return int(text)
