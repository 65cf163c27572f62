"""Comparisons of classifiers whose best attack, and whose answers to it, are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.compare import CompareError, compare, matching_class, recipes_for
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.geometry import preprocess
from tests.small_models import SIDE, Linear, linear_classifier

EPSILON = 8 / 255
RECIPE = Recipe("test", "a", "linf", EPSILON, 5)


def picture(seed: int = 1, side: int = SIDE) -> Image.Image:
    """A picture near mid-grey."""
    levels = torch.randint(108, 148, (side, side, 3), generator=torch.Generator().manual_seed(seed))
    return Image.fromarray(levels.to(torch.uint8).numpy())


class Rounded(torch.nn.Module):
    """A network whose logits are whole numbers: its gradient is zero almost everywhere."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (10 * self.module(images)).round()


def classifier(
    weight: torch.Tensor, labels: tuple[str, ...] = ("up", "down"), side: int = SIDE
) -> Classifier:
    """Logits ± weight · (x − 0.5) for a picture x of ``side`` × ``side``."""
    rows = torch.stack([weight, -weight])
    return Classifier(
        Linear(rows, -rows @ torch.full_like(weight, 0.5)), labels=labels, input_size=(side, side)
    )


def direction(seed: int, side: int = SIDE) -> torch.Tensor:
    return torch.randn(3 * side * side, generator=torch.Generator().manual_seed(seed))


def margin(model: Classifier, image: torch.Tensor, label: int) -> float:
    logits = model(image[None])[0].detach()
    return float(logits[label] - logits[1 - label])


def test_a_transfer_between_linear_classifiers_is_that_of_the_closed_form() -> None:
    """The best L∞ change is −ε sign(w), which moves another's margin by −2 ε u · sign(w)."""
    w, u = direction(0), direction(3)
    models = {"a": classifier(w), "b": classifier(u)}
    pixels = preprocess(picture(), models["a"])
    comparison = compare(models, picture(), RECIPE)
    for made_on, shown_to, on, to in (("a", "b", w, u), ("b", "a", u, w)):
        label = int(models[made_on](pixels[None]).argmax())
        sign = 1 if label == 0 else -1
        best = pixels - EPSILON * sign * on.view_as(pixels).sign()
        answer = comparison.transfer(made_on, shown_to).answer
        own = int(models[shown_to](pixels[None]).argmax())
        expected = margin(models[shown_to], pixels, own) - 2 * EPSILON * float(
            (to * on.sign()).sum() * sign * (1 if own == 0 else -1)
        )
        assert margin(models[shown_to], best, own) == pytest.approx(expected, abs=1e-4)
        assert answer is not None
        probability = torch.tensor(expected).sigmoid()
        assert float(answer.after.probabilities[own]) == pytest.approx(float(probability), abs=1e-3)
        assert answer.outcome == ("fooled" if expected < 0 else "held")


def test_a_classifier_is_fooled_by_the_attack_on_its_twin_and_not_by_that_on_its_opposite() -> None:
    w = direction(0)
    models = {"a": classifier(w), "twin": classifier(w.clone()), "opposite": classifier(-w)}
    comparison = compare(models, picture(), RECIPE)
    outcomes = {
        (each.made_on, each.shown_to): each.answer and each.answer.outcome
        for each in comparison.transfers
    }
    assert len(outcomes) == 9
    assert outcomes["a", "twin"] == outcomes["twin", "a"] == outcomes["a", "a"] == "fooled"
    # Its answer is the other class from the start, and the attack makes it change that as well.
    assert outcomes["a", "opposite"] == "fooled"
    held = compare({"a": classifier(w), "blind": classifier(0 * w + 1e-9)}, picture(), RECIPE)
    answer = held.transfer("a", "blind").answer
    assert answer is not None
    assert answer.outcome == "held"


def test_the_reports_are_those_of_single_attacks() -> None:
    models = {"a": linear_classifier(seed=1), "b": linear_classifier(seed=2)}
    comparison = compare(models, picture(), RECIPE)
    assert [each.name for each in comparison.classifiers] == ["a", "b"]
    for each in comparison.classifiers:
        pixels = preprocess(picture(), models[each.name])
        alone = attack_image(models[each.name], pixels, replace(RECIPE, model=each.name))
        assert torch.equal(each.report.adversarial, alone.adversarial)
        assert each.report.recipe == alone.recipe
        own = comparison.transfer(each.name, each.name).answer
        assert own is not None
        assert torch.equal(own.after.probabilities, alone.after.probabilities)


def test_classes_are_matched_by_name() -> None:
    cats = ("tabby, tabby cat", "Crane", "crane", "dog")
    assert matching_class(0, cats, ("DOG", "Tabby")) == 1
    assert matching_class(3, cats, ("wolf", "Tabby")) is None
    assert matching_class(1, cats, tuple(cat.upper() for cat in cats)) == 1
    assert matching_class(0, ("crane",), cats) is None


def test_the_label_of_the_first_is_that_of_the_same_name_in_the_others() -> None:
    w = direction(0)
    models = {
        "a": classifier(w),
        "swapped": classifier(-w, ("Down", "Up")),
        "other": classifier(w, ("left", "right")),
    }
    recipes = recipes_for(models, replace(RECIPE, label=0))
    assert [recipe.label for recipe in recipes.values()] == [0, 1, None]
    assert [recipe.model for recipe in recipes.values()] == list(models)
    comparison = compare(models, picture(), replace(RECIPE, label=0))
    assert [note.code for note in comparison.notes] == ["label"]
    assert "“up”" in comparison.notes[0].text
    a, swapped, _ = comparison.classifiers
    assert a.report.names[a.report.label].casefold() == swapped.report.names[1].casefold()
    answer = comparison.transfer("a", "swapped").answer
    assert answer is not None
    assert answer.outcome == a.report.outcome
    with pytest.raises(CompareError, match="has no class 'up'; choose a target"):
        recipes_for(models, replace(RECIPE, target=0))


def test_pictures_of_another_size_are_resized_and_that_is_said() -> None:
    small, large = direction(0), direction(1, 2 * SIDE)
    models = {"a": classifier(small), "b": classifier(large, side=2 * SIDE)}
    comparison = compare(models, picture(side=2 * SIDE), replace(RECIPE, norm="l2", epsilon=0.5))
    sides = {2 * SIDE: f"resized from {SIDE} × {SIDE} to {2 * SIDE} × {2 * SIDE}"}
    assert comparison.transfer("a", "b").note == sides[2 * SIDE]
    report = comparison.classifiers[0].report
    shown = torch.nn.functional.interpolate(
        report.adversarial[None], (2 * SIDE, 2 * SIDE), mode="bilinear", antialias=True
    )
    answer = comparison.transfer("a", "b").answer
    assert answer is not None
    expected = models["b"](shown.clamp(0, 1)).softmax(1)[0]
    assert torch.allclose(answer.after.probabilities, expected)
    (note,) = comparison.notes
    assert note.code == "sizes"
    assert "L2" in note.text


def test_a_grey_classifier_does_not_get_a_picture_in_colour() -> None:
    weight = torch.randn(2, SIDE * SIDE, generator=torch.Generator().manual_seed(0))
    grey = Classifier(
        Linear(weight, torch.zeros(2)),
        labels=("up", "down"),
        input_size=(SIDE, SIDE),
        mean=(0.0,),
        std=(1.0,),
    )
    comparison = compare({"a": linear_classifier(), "grey": grey}, picture(), RECIPE)
    transfer = comparison.transfer("a", "grey")
    assert transfer.answer is None
    assert transfer.note == "it takes grey pictures"
    assert comparison.transfer("grey", "a").note == "it takes pictures in colour"


def test_progress_is_counted_over_all_attacks_and_the_work_stops_when_asked() -> None:
    models = {"a": linear_classifier(seed=1), "b": linear_classifier(seed=2)}
    steps: list[tuple[int, int]] = []
    compare(models, picture(), RECIPE, on_step=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == list(range(1, 11))
    assert {total for _, total in steps} == {10}
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        compare(models, picture(), RECIPE, cancelled=lambda: next(calls) >= 8)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_two_to_four_classifiers_can_be_compared(count: int) -> None:
    models = {f"model {index}": linear_classifier(seed=index) for index in range(count)}
    with pytest.raises(CompareError, match=f"2 to 4 classifiers, and this has {count}"):
        compare(models, picture(), RECIPE)


def test_a_network_that_rounds_its_logits_is_not_called_robust_without_a_word() -> None:
    w = direction(0)
    rounded = classifier(w)
    rounded.module = Rounded(rounded.module)
    recipe = replace(RECIPE, random_start=False)
    comparison = compare({"a": classifier(w), "rounded": rounded}, picture(), recipe)
    plain, other = comparison.classifiers
    assert plain.report.outcome == "fooled"
    assert other.report.outcome == "held"
    assert "zero-gradient" not in [caveat.code for caveat in plain.control.caveats]
    assert "zero-gradient" in [caveat.code for caveat in other.control.caveats]
    # The picture that fools its twin without the rounding fools it as well.
    answer = comparison.transfer("a", "rounded").answer
    assert answer is not None
    assert answer.outcome == "fooled"
