"""Does the whole photograph fool, when the perturbation found for the classifier's view of it is carried back?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image

from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import predict, succeeds
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.images.full_resolution import FullResolution, at_full_resolution
from explorer.images.geometry import CENTRE, crop_window, view


@dataclass(frozen=True)
class FullPhotoReport:
    """``full_photo`` is the changed photograph, in 8 bits; ``after`` what the classifier says of it through the crop that was attacked,
    ``centre`` through its own centre crop where that is another one. ``success`` and ``centre_success`` say whether each still is
    what the attack wants."""

    pasted: FullResolution
    after: Prediction
    success: bool
    centre: Prediction | None
    centre_success: bool | None


def attack_full_photo(
    photo: Image.Image, classifier: Classifier, report: AttackReport
) -> FullPhotoReport:
    """Carry the adversarial image of ``report`` back into ``photo``, from which its original was cut, and ask the classifier again."""
    crop = report.recipe.crop
    seen = crop_window(photo.size, classifier.input_size, classifier.resize, crop)
    pasted = at_full_resolution(
        photo, seen, report.adversarial.permute(1, 2, 0).numpy(), classifier.interpolation
    )
    views = [view(pasted.photo, classifier, each) for each in dict.fromkeys((crop, CENTRE))]
    after, *others = predict(classifier, torch.stack(views))
    centre = others[0] if others else None
    return FullPhotoReport(
        pasted,
        after,
        succeeds(after.index, report.label, report.target),
        centre,
        None if centre is None else succeeds(centre.index, report.label, report.target),
    )
