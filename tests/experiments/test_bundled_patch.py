"""The patch that comes with the explorer does what its recipe says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.classifiers import load
from explorer.classifiers.packaged import packaged_weights
from explorer.experiments.bundled_patch import bundled_patches
from explorer.experiments.fitting_images import read_fitting_images
from explorer.experiments.patch import scored_patch
from explorer.experiments.patch_recipe import patch_rows, targets_of
from explorer.files import ASSETS

pytestmark = pytest.mark.skipif(packaged_weights() is None, reason="EfficientNet-Lite0 is missing")


def test_it_makes_the_classifier_say_its_target_on_half_of_the_gallery_under_shifts():
    (bundled,) = bundled_patches()
    recipe = bundled.recipe
    assert recipe.attack.area == 0.05
    models = {name: load(name, device="cpu") for name in recipe.models}
    assert models["efficientnet_lite0"].input_size == (224, 224)
    assert recipe.surroundings is not None
    assert recipe.surroundings.weights == {name: each.digest for name, each in models.items()}
    fit, others = read_fitting_images(recipe.source, models)
    targets = targets_of(models, recipe.attack.target)
    shares = []
    for seed in (recipe.attack.seed, 77):  # those of the recipe, and places of another seed
        attack = replace(recipe.attack, seed=seed)
        result = scored_patch(bundled.pixels, len(fit), models, others, targets, attack)
        shares.append(result.shares[0])
        assert result.noise[0].fooled == 0
        assert result.shares[0].rate is not None
        assert result.shares[0].rate >= 0.5
    stored = json.loads((ASSETS / "patches" / "starfish" / "recipe.json").read_text())
    assert stored["rows"][0]["n"] == shares[0].n
    # Another processor may round a prediction the other way.
    assert abs(stored["rows"][0]["fooled"] - shares[0].fooled) <= 2
    assert set(stored["rows"][0]) == set(patch_rows(result)[0])
