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
    call = nn.Module.__call__
    barrier = threading.Barrier(4)

    def trace_one(_: int) -> int:
        barrier.wait()
        return sum(len(trace(network()).nodes) for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(trace_one, range(4))) == {20 * 5}
    assert nn.Module.__call__ is call
