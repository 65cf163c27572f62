"""An adversarial image applied to the full-size photograph that it was cut from, and classified."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image

from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import is_success, predict
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.images.full_resolution import FullResolution, at_full_resolution
from explorer.images.geometry import CENTRE, crop_window, preprocess


@dataclass(frozen=True)
class FullResolutionReport:
    """The changed photograph, in 8 bits, and what the classifier says of it.

    ``after`` is the prediction for the crop that was attacked, ``centre`` the one for the
    classifier's own centre crop (None where that is the same crop). ``success`` and
    ``centre_success`` say whether each still is what the attack aims at.
    """

    full_resolution: FullResolution
    after: Prediction
    success: bool
    centre: Prediction | None
    centre_success: bool | None


def apply_at_full_resolution(
    photo: Image.Image, classifier: Classifier, report: AttackReport
) -> FullResolutionReport:
    """Apply the adversarial image of ``report`` to ``photo`` and classify the result.

    The image that was attacked is the crop ``report.recipe.crop`` of ``photo``.
    """
    crop = report.recipe.crop
    window = crop_window(photo.size, classifier.input_size, classifier.resize, crop)
    adversarial = report.adversarial.permute(1, 2, 0).numpy()
    full_resolution = at_full_resolution(photo, window, adversarial, classifier.interpolation)
    crops = dict.fromkeys((crop, CENTRE))  # one crop where both are the same
    inputs = [preprocess(full_resolution.photo, classifier, each) for each in crops]
    after, *others = predict(classifier, torch.stack(inputs))
    centre = others[0] if others else None
    return FullResolutionReport(
        full_resolution,
        after,
        is_success(after.index, report.label, report.target),
        centre,
        None if centre is None else is_success(centre.index, report.label, report.target),
    )
