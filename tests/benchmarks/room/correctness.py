"""Whether people got the right pictures: the same attacks are run here, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.classifiers import Classifier, load
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess, to_png
from explorer.ui.components.images import data_uri
from explorer.ui.shared.image_picker import gallery_picture
from tests.benchmarks.room.people import Answer, sha256


def wrong_answers(answers: Iterable[Answer], model: str) -> list[Answer]:
    """Those whose adversarial image is not the one that the same recipe gives in this process."""
    expected: dict[tuple[str, float, int, int], str] = {}
    wrong = []
    classifier = load(model)
    for answer in answers:
        question = answer.picture, answer.levels, answer.seed, answer.steps
        if question not in expected:
            expected[question] = _expected(*question, classifier)
        if answer.digest != expected[question]:
            wrong.append(answer)
    return wrong


def _expected(title: str, levels: float, seed: int, steps: int, classifier: Classifier) -> str:
    sample = next(each for each in samples(classifier.gallery) if each.title == title)
    picture = gallery_picture(sample, classifier.gallery)
    recipe = Recipe(picture.source, classifier.name, "linf", levels / 255, steps, seed=seed)
    report = attack_image(classifier, preprocess(picture.image, classifier), recipe)
    return sha256(data_uri(to_png(report.adversarial), "image/png"))
