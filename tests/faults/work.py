"""What the commands work on, and the command lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cli.test_build import MODELS
from tests.cli.test_build import write as write_small
from tests.cli.test_train import write as write_cifar10
from tests.faults.forked import Commands, Fault

# Python code that lets a command take a moment: figures that nobody looks at, a small network.
QUICK = {
    "attack": """
from explorer.cli import one_image
one_image.triptych = lambda report, title: None
one_image.figure_bytes = lambda figure, kind: kind.encode() * 10_000
""",
    "train": """
from dataclasses import replace
from explorer.classifiers.small_net import NetworkConfig
from explorer.training.recipes import TRAINING_RECIPES
recipe = TRAINING_RECIPES["cifar10-standard"]
network = NetworkConfig(widths=(8, 8, 8), stem_channels=8)
settings = replace(recipe.hyperparameters, network=network, batch=20)
TRAINING_RECIPES["cifar10-standard"] = replace(recipe, hyperparameters=settings, epsilons=(0.5,))
""",
}
QUICK["rerun"] = QUICK["attack"]


@dataclass(frozen=True)
class Work:
    """A folder with models, images, a recipe and a built set."""

    folder: Path

    def arguments(self, name: str, out: Path) -> list[str]:
        """The command ``name``, which writes to ``out``."""
        model = f"{self.folder / 'models.py'}:make"
        images = str(self.folder / "images.parquet")
        command = {
            "attack": f"attack gallery:cifar10-00 --model {model} --epsilon 8/255 --steps 3",
            "rerun": f"rerun {self.folder / 'attacked' / 'recipe.json'}",
            "evaluate": f"evaluate --model {model} --data {images} --epsilon 0.1 --steps 2",
            "build": f"build --set d_det --model {model} --data {images} --steps 2 "
            "--precision float32",
            "train": f"train cifar10-standard --data {self.folder / 'data'} --stop-after 2",
            "mit": f"export --set {self.folder / 'built'} --to mit",
            "folder": f"export --set {self.folder / 'built'} --to folder",
            "parquet": f"export --set {self.folder / 'built'} --to parquet",
        }[name].split()
        return command if name == "evaluate" else [*command, "--out", str(out)]


# The file or folder whose presence says that the result of a command is whole.
WHOLE = {
    "attack": "recipe.json",
    "rerun": "recipe.json",
    "build": "manifest.json",
    "train": "cifar10-standard.json",
    "mit": "about.json",
    "folder": ".",
    "parquet": ".",
}


def make_work(forks: Commands, folder: Path) -> Work:
    work = Work(folder)
    (folder / "models.py").write_text(MODELS)
    write_small(folder / "images.parquet", 20)
    write_cifar10(folder / "data" / "cifar10" / "train-jpeg.parquet", 30, seed=0)
    write_cifar10(folder / "data" / "cifar10" / "train-lossless-2000.parquet", 4, seed=1)
    for name, out in (("attack", "attacked"), ("build", "built")):
        fault = Fault(setup=QUICK.get(name, ""))
        ended = forks.run(*work.arguments(name, folder / out), fault=fault)
        assert ended.status == 0, ended.err
    return work
