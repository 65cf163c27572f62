"""How each bundled classifier is trained: on which data, and with which hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.classifiers.small_net import CIFAR_NET, TINY_NET
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class TrainingRecipe:
    """How one bundled classifier is trained, and on what it is measured.

    ``train_file`` and ``test_file`` lie below ``EXPLORER_SHARED/data``; no image of ``test_file``
    is trained on. With ``near_duplicates_in_train`` the training file holds re-compressed copies of
    test images, which are left out. ``construction`` names a constructed set that takes the place
    of ``train_file``; the command line says where that set is. ``limit`` is the number of images to
    train on, the first ones. ``start_from`` names the recipe whose weights are the initial ones.

    ``epsilons`` are the L2 radii at which the classifier is measured. ``data``, ``training`` and
    ``test_text`` are the words of its card.
    """

    name: str
    title: str
    data: str
    training: str
    hyperparameters: Hyperparameters
    train_file: str
    test_file: str
    test_text: str
    near_duplicates_in_train: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    input_size: tuple[int, int]
    gallery: str
    epsilons: tuple[float, ...]
    start_from: str | None = None
    limit: int | None = None
    construction: str | None = None

    @property
    def robust(self) -> bool:
        """Whether the training is adversarial."""
        return self.hyperparameters.epsilon > 0


def _cifar10(
    kind: str, training: str, settings: Hyperparameters, start_from: str | None = None
) -> TrainingRecipe:
    return TrainingRecipe(
        name=f"cifar10-{kind}",
        title=f"CIFAR-10 {kind}",
        data="CIFAR-10, 32×32, JPEG",
        training=training,
        hyperparameters=settings,
        train_file="cifar10/train-jpeg.parquet",
        test_file="cifar10/train-lossless-2000.parquet",
        test_text="2,000 original (lossless) CIFAR-10 images held out of training",
        near_duplicates_in_train=True,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        input_size=(32, 32),
        gallery="cifar10",
        epsilons=(0.25, 0.5, 1.0),
        start_from=start_from,
    )


def _tiny12(
    kind: str, training: str, settings: Hyperparameters, start_from: str | None = None
) -> TrainingRecipe:
    return TrainingRecipe(
        name=f"tiny12-{kind}",
        title=f"12 everyday classes, {kind}",
        data="Tiny ImageNet in 12 classes, 64×64",
        training=training,
        hyperparameters=settings,
        train_file="tiny-imagenet-12/train.parquet",
        test_file="tiny-imagenet-12/val.parquet",
        test_text="the 1,275 validation images",
        near_duplicates_in_train=False,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        input_size=(64, 64),
        gallery="tiny12",
        epsilons=(0.5, 1.0, 2.0),
        start_from=start_from,
    )


_TINY_STANDARD = Hyperparameters(
    TINY_NET,
    epochs=20,
    batch=250,
    learning_rate=0.375,
    crop=6,
    small_size=48,
    small_until=0.4,
    average=0.995,
)

_CIFAR_STANDARD = Hyperparameters(CIFAR_NET, epochs=11)

# Adversarial training begins at the standard weights, which saves the first epochs.
_TINY_ROBUST = replace(
    _TINY_STANDARD,
    epochs=12,
    learning_rate=0.2,
    bias_scale=16.0,
    frozen_stem=False,
    epsilon=1.0,
    strong_from=0.7,
)
_CIFAR_ROBUST = replace(
    _CIFAR_STANDARD,
    epochs=8,
    learning_rate=0.4,
    bias_scale=16.0,
    frozen_stem=False,
    epsilon=0.5,
    strong_from=0.75,
)

# As many images as two CPU cores turn into any one of the constructed sets in an hour.
SUBSET = 10_000
_SUBSET = replace(_CIFAR_STANDARD, epochs=12, batch=250)
# With shifts and mirror images a standard classifier is less brittle than the paper's; without them
# it memorises its images.
_PLAIN = replace(_SUBSET, crop=0, flip=False)
# A large rate leaves less time to memorise the attacked images. Accuracy after training on D_rand,
# by rate: 16 % at 0.1, 25 % at 0.75, 28 % at 1.5.
_ON_ATTACKED = replace(_SUBSET, epochs=10, learning_rate=1.5, crop=4)


def _on_set(construction: str | None, settings: Hyperparameters) -> TrainingRecipe:
    """Standard training on a constructed set; None stands for the images they are made from."""
    images = f"{SUBSET:,} images of CIFAR-10"
    if construction is None:
        title, data = "D", f"{images}, 32×32, JPEG"
    else:
        title = CONSTRUCTIONS[construction].title.partition(",")[0]
        data = f"{title}, made from {images}"
    suffix, note = ("-plain", ", without augmentation") if settings is _PLAIN else ("", "")
    recipe = _cifar10(f"{construction or 'd'}{suffix}", f"standard, on {title}{note}", settings)
    return replace(
        recipe,
        title=f"CIFAR-10 trained on {title}{note}",
        data=data,
        epsilons=(0.25, 0.5),
        limit=SUBSET,
        construction=construction,
    )


_RECIPES = (
    _tiny12("standard", "standard", _TINY_STANDARD),
    _tiny12("robust", "adversarial, L2 ε = 1", _TINY_ROBUST, start_from="tiny12-standard"),
    _cifar10("standard", "standard", _CIFAR_STANDARD),
    _cifar10("robust", "adversarial, L2 ε = 0.5", _CIFAR_ROBUST, start_from="cifar10-standard"),
    _on_set(None, _SUBSET),
    _on_set("d_r", _SUBSET),
    _on_set(None, _PLAIN),
    _on_set("d_r", _PLAIN),
    _on_set("d_nr", _SUBSET),
    _on_set("d_rand", _ON_ATTACKED),
    # Without augmentation, as in appendix C.2 of Ilyas et al. 2019.
    _on_set("d_det", replace(_ON_ATTACKED, crop=0, flip=False)),
)

TRAINING_RECIPES: dict[str, TrainingRecipe] = {recipe.name: recipe for recipe in _RECIPES}
