"""Published ImageNet classifiers: their names, files and figures.

Nothing here imports torchvision, which takes 1.8 s.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.classifiers.error import ClassifierError
from explorer.fetch import Remote

TORCHVISION_PREFIX, ROBUST_PREFIX, TIMM_PREFIX = "torchvision:", "madry:", "timm:"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# The torchvision architectures in the catalogue, with the file of their best weights; any other
# works as torchvision:NAME too. The network that first called the panda a gibbon leads.
TORCHVISION_FILES = {
    "googlenet": "googlenet-1378be20.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-5c1a4163.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet50": "resnet50-11ad3fa6.pth",
    "convnext_tiny": "convnext_tiny-983f1562.pth",
    "vit_b_16": "vit_b_16-c867db91.pth",
    "swin_t": "swin_t-704ceda3.pth",
}
TORCHVISION = tuple(TORCHVISION_FILES)


@dataclass(frozen=True)
class ReportedAccuracy:
    """Accuracy that others measured: under which attack (``text``), the fraction, its source."""

    text: str
    value: float
    source: str


@dataclass(frozen=True)
class RobustModel:
    """An adversarially trained ResNet of Salman et al. 2020, published as ``NAME.ckpt``.

    ``accuracy`` is on clean images. ``digest`` is the file's SHA-256; where it is not known here,
    the digest that the host sends is trusted.
    """

    name: str
    architecture: str
    threat: str
    accuracy: float
    digest: str | None = None
    robust_accuracy: tuple[ReportedAccuracy, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.architecture}, robust: {self.threat}"

    @property
    def remote(self) -> Remote:
        return Remote(
            f"https://huggingface.co/madrylab/robust-imagenet-models/resolve/main/{self.name}.ckpt",
            digest=self.digest,
        )


SALMAN = "Salman et al. 2020, arXiv 2007.08489: table beside the released weights"


def _auto_attack(value: float, model: str) -> tuple[ReportedAccuracy, ...]:
    source = f"RobustBench, {model}"
    return (ReportedAccuracy("AutoAttack, L∞ ε = 4/255", value, source),)


ROBUST = {
    model.name: model
    for model in (
        RobustModel(
            "resnet18_l2_eps3",
            "resnet18",
            "L2 ε = 3",
            0.5312,
            "b4315784a1a10257b05906aee94d6884678f7b77412d10100d7c05daa959eab0",
        ),
        RobustModel("resnet50_l2_eps3", "resnet50", "L2 ε = 3", 0.6283),
        RobustModel(
            "resnet18_linf_eps4.0",
            "resnet18",
            "L∞ ε = 4/255",
            0.5249,
            robust_accuracy=_auto_attack(0.2532, "Salman2020Do_R18"),
        ),
        RobustModel(
            "resnet50_linf_eps4.0",
            "resnet50",
            "L∞ ε = 4/255",
            0.6386,
            robust_accuracy=_auto_attack(0.3496, "Salman2020Do_R50"),
        ),
    )
}


def robust_model(name: str) -> RobustModel:
    """The published robust model of that name, with or without its prefix.

    Raises :class:`ClassifierError` when there is none.
    """
    model = ROBUST.get(name.removeprefix(ROBUST_PREFIX))
    if model is None:
        raise ClassifierError(
            f"there is no classifier {name!r}; those with {ROBUST_PREFIX} are {', '.join(ROBUST)}"
        )
    return model
