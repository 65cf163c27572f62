"""The bits of a few attacks, features and constructed sets stay as they were first recorded.

``golden.json`` has SHA-256 digests made with one thread on one processor with one version of torch;
another processor or version rounds otherwise, and the tests are skipped there. The digests were
recorded with the code from before the rooms were redrawn (commit df9e47c). To record them anew:

    python -m tests.test_golden >tests/golden.json
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch
from PIL import Image
from torch import Tensor

from explorer.__main__ import main
from explorer.attacks import PGD, Threat
from explorer.classifiers import load
from explorer.images.gallery import CIFAR10_NAMES, samples
from tests.threads import threads

GOLDEN = Path(__file__).with_name("golden.json")
CPU_INFO = Path("/proc/cpuinfo")
# Instruction sets that decide which kernels torch and oneDNN choose.
KERNEL_FLAGS = ("sse4", "avx", "fma", "amx", "f16c", "bf16", "asimd", "sve")


def machine() -> dict[str, str]:
    """What the last bits of a result depend on, beside the code."""
    info = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    first = dict(
        line.split("\t:", 1) for line in info.split("\n\n")[0].splitlines() if "\t:" in line
    )
    fields = {name.strip(): value.strip() for name, value in first.items()}
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    names = ("vendor_id", "cpu family", "model", "model name")
    return {
        "processor": " ".join([platform.machine(), *(fields.get(name, "?") for name in names)]),
        "instructions": " ".join(sorted(flag for flag in flags if flag.startswith(KERNEL_FLAGS))),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "threads": "1",
    }


def digest(*tensors: Tensor) -> str:
    result = hashlib.sha256()
    for tensor in tensors:
        result.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        result.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return result.hexdigest()


def cifar10() -> tuple[Tensor, Tensor]:
    """Foolbox's twenty CIFAR-10 images, float32 [20, 3, 32, 32], and their labels."""
    pictures = [torch.from_numpy(np.array(sample.read())) for sample in samples("cifar10")]
    images = torch.stack(pictures).permute(0, 3, 1, 2).float() / 255
    return images.contiguous(), torch.tensor([sample.label for sample in samples("cifar10")])


def attacked(
    model: str, images: Tensor, labels: Tensor, attack: PGD, targets: Tensor | None = None
) -> str:
    result = attack(load(model, device="cpu"), images, labels, targets)
    trace = result.trace
    return digest(
        result.adversarial, result.logits, trace.loss, trace.gradient_norm, trace.distance
    )


def linf(precision: str) -> str:
    attack = PGD(Threat("linf", 2 / 255), steps=10, precision=precision, seed=1)
    return attacked("cifar10-standard", *cifar10(), attack)


def targeted_l2() -> str:
    images = cifar10()[0].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)[:8]
    labels, targets = torch.arange(8), torch.arange(8) + 3
    attack = PGD(Threat("l2", 1.0), steps=8, precision="folded", seed=2)
    return attacked("tiny12-standard", images, labels, attack, targets)


def restarts_until_success() -> str:
    attack = PGD(
        Threat("l2", 0.5),
        steps=6,
        restarts=3,
        stop_on_success=True,
        loss="cw",
        precision="float32",
        seed=3,
    )
    return attacked("cifar10-robust", *cifar10(), attack)


def features() -> str:
    images, _ = cifar10()
    with torch.no_grad():
        return digest(
            *(load(f"cifar10-{name}").features(images) for name in ("standard", "robust"))
        )


def built(construction: str, model: str, precision: str) -> str:
    """A set built from the twenty images: its pixels and labels, read back from its files."""
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "set")
        for sample in samples("cifar10"):
            path = data / CIFAR10_NAMES[sample.label or 0] / f"{sample.key}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            sample.read().save(path)
        arguments = ["--set", construction, "--model", model, "--precision", precision]
        arguments += ["--data", str(data), "--steps", "8", "--device", "cpu", "--out", str(out)]
        assert main(["build", *arguments]) == 0
        rows = [row for file in sorted(out.glob("*.parquet")) for row in _rows(file)]
    return digest(*(tensor for row in rows for tensor in row))


def _rows(file: Path) -> list[tuple[Tensor, Tensor]]:
    table = parquet.read_table(file)
    column = "img" if "img" in table.column_names else "image"
    pixels = [Image.open(io.BytesIO(cell["bytes"])) for cell in table[column].to_pylist()]
    images = [torch.from_numpy(np.array(image)) for image in pixels]
    return list(zip(images, map(torch.tensor, table["label"].to_pylist()), strict=True))


RECIPES: dict[str, Callable[[], str]] = {
    "L∞ attack, float32": lambda: linf("float32"),
    "L∞ attack, folded": lambda: linf("folded"),
    "L∞ attack, bfloat16": lambda: linf("bfloat16"),
    "targeted L2 attack": targeted_l2,
    "restarts until success": restarts_until_success,
    "features": features,
    "D_R": lambda: built("d_r", "cifar10-robust", "folded"),
    "D_det": lambda: built("d_det", "cifar10-standard", "float32"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_bits_are_those_that_were_recorded(name: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for what, value in machine().items():
        if value != golden["machine"][what]:
            pytest.skip(f"recorded for {what} {golden['machine'][what]!r}, and this is {value!r}")
    with threads(1):
        assert RECIPES[name]() == golden["digests"][name]


if __name__ == "__main__":
    torch.set_num_threads(1)
    digests = {name: recipe() for name, recipe in RECIPES.items()}
    print(json.dumps({"machine": machine(), "digests": digests}, indent=1, ensure_ascii=False))
