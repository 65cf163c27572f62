"""The classifiers of one row of images: the pair that makes them, and others to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Construction
from explorer.experiments.ilyas2019.five_sets_result import ModelInfo
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction


@dataclass(frozen=True)
class ModelPair:
    """The two classifiers with which the sets are made, and others that only classify the images.

    Raises :class:`AttackError` unless all have the same classes and take the same images.
    """

    standard: Classifier
    robust: Classifier
    others: tuple[Classifier, ...] = ()

    def __post_init__(self) -> None:
        for other in self.classifiers:
            if _input(other) != _input(self.standard):
                raise AttackError(
                    f"{other.name} and {self.standard.name} differ in classes, input size or "
                    "colour; choose classifiers of the same data"
                )

    @property
    def classifiers(self) -> tuple[Classifier, ...]:
        """The pair, then the others."""
        return (self.standard, self.robust, *self.others)

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """A description of each classifier, in the same order."""
        return tuple(
            ModelInfo(each.name, each.title, each.robust, index < 2)
            for index, each in enumerate(self.classifiers)
        )

    def classifier_for(self, construction: Construction) -> Classifier:
        """The one with which a set is made: the robust one for D_R, else the standard one."""
        return self.robust if construction.robust else self.standard

    def predict(self, image: Tensor) -> tuple[Prediction, ...]:
        """The prediction of each classifier for one image, float32 [3, H, W] in [0, 1]."""
        return tuple(predict(each, image[None])[0] for each in self.classifiers)


def _input(classifier: Classifier) -> tuple[object, ...]:
    return classifier.labels, classifier.input_size, classifier.channels
