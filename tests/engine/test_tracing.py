"""A module can be traced while other threads run theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from explorer.engine.tracing import trace


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), nn.Flatten()))


class Interrupted(nn.Module):
    """Something else happens in the midst of its forward pass."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.network, self.meanwhile = network(), meanwhile

    def forward(self, images: Tensor) -> Tensor:
        self.meanwhile()
        output: Tensor = self.network(images)
        return output


def test_the_modules_of_other_threads_run_while_one_is_traced() -> None:
    other, images = network(), torch.rand(2, 3, 5, 5)
    expected, outputs = other(images), list[Tensor]()

    def run_other() -> None:
        with ThreadPoolExecutor(1) as pool:
            outputs.append(pool.submit(other, images).result())

    graph = trace(Interrupted(run_other))
    assert [node.target for node in graph.nodes if node.op == "call_module"] == [
        "network.0",
        "network.1.0",
        "network.1.1",
    ]
    (output,) = outputs
    assert torch.equal(output, expected)


def test_traces_of_several_threads_leave_nothing_behind() -> None:
    """A second trace that begins in the midst of a first one, and would end after it."""
    call = nn.Module.__call__
    second_began, first_ended = threading.Event(), threading.Event()

    def wait_for_first() -> None:
        second_began.set()
        first_ended.wait(5)

    with ThreadPoolExecutor(1) as pool:

        def begin_second() -> None:
            pool.submit(trace, Interrupted(wait_for_first))
            second_began.wait(0.5)  # it does not begin if it has to wait for the first

        trace(Interrupted(begin_second))
        first_ended.set()
    assert second_began.is_set()
    assert nn.Module.__call__ is call
