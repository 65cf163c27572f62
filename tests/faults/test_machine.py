"""A machine without a home folder, a GPU, memory or a steady clock: a result or one sentence."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet50

from tests.faults.forked import Commands, Ended, Fault
from tests.faults.work import Work
from tests.imports import modules

FOLDERS = ("EXPLORER_CACHE", "EXPLORER_WEIGHTS", "TORCH_HOME", "XDG_CACHE_HOME")
NO_HOME = (*FOLDERS, "HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR")
WITH_DEVICE = ("attack", "rerun", "evaluate", "build", "train", "bench")


def one_line(ended: Ended) -> str:
    assert (ended.status, ended.out) == (2, ""), ended.err
    (line,) = ended.err.splitlines()
    return line


def assert_only_caveats(ended: Ended) -> None:
    """Standard error says nothing but why the figure of so short an attack may not be trusted."""
    assert all(line.startswith("warning: ") for line in ended.err.splitlines()), ended.err


@pytest.mark.parametrize(
    "fault",
    [Fault(unset=NO_HOME), Fault(unset=FOLDERS, environment={"HOME": "/proc/none"})],
    ids=["unset", "missing"],
)
def test_commands_run_without_a_home(
    forks: Commands, work: Work, tmp_path: Path, fault: Fault
) -> None:
    for command in (work.arguments("attack", tmp_path), ["models"]):
        ended = forks.run(*command, fault=fault)
        assert ended.status == 0
        assert_only_caveats(ended)


def test_a_user_whom_the_system_does_not_know_is_told_what_to_set(
    forks: Commands, work: Work, tmp_path: Path
) -> None:
    """As in a container that is run with the number of a user."""
    fault = Fault(unset=NO_HOME, no_user=True)
    ended = forks.run(*work.arguments("attack", tmp_path), fault=fault)
    assert ended.status == 0
    assert_only_caveats(ended)
    for command in (["models"], ["models", "--fetch", "torchvision:resnet18"]):
        assert "set XDG_CACHE_HOME to a folder" in one_line(forks.run(*command, fault=fault))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("name", WITH_DEVICE)
def test_a_gpu_that_is_missing_is_one_sentence(
    forks: Commands, work: Work, tmp_path: Path, name: str
) -> None:
    command = ["bench"] if name == "bench" else work.arguments(name, tmp_path)
    for device in ("cuda", "cuda:1"):
        line = one_line(forks.run(*command, "--device", device))
        assert "no CUDA device that torch can use; use --device cpu or auto" in line
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def large_weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same 100 MB of weights, as safetensors and as torch saves them."""
    folder = tmp_path_factory.mktemp("weights")
    state = resnet50(weights=None).state_dict()
    paths = {kind: folder / f"resnet50.{kind}" for kind in ("safetensors", "pth")}
    save_file(state, paths["safetensors"])
    torch.save(state, paths["pth"])
    return paths


@pytest.mark.parametrize("megabytes", [30, 130, 230])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_too_little_memory_for_a_large_classifier_is_one_sentence(
    forks: Commands, tmp_path: Path, large_weights: dict[str, Path], kind: str, megabytes: int
) -> None:
    command = ["attack", "gallery:panda", "--model", "torchvision:resnet50", "--epsilon", "4/255"]
    command += ["--weights", str(large_weights[kind]), "--out", str(tmp_path), "--steps", "1"]
    ended = forks.run(*command, fault=Fault(memory=megabytes * 10**6))
    assert "memory" in one_line(ended)
    assert "close other programs" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_no_code_asks_for_the_time_of_day() -> None:
    """It may jump. ``time.monotonic`` and ``time.perf_counter`` don't."""
    wrong = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "today")}
    wrong |= {("datetime", "utcnow"), ("date", "today")}
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in wrong, f"{name}, line {node.lineno}"
