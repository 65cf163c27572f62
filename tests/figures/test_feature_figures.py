"""Maps of gradients, rows of pictures and charts of layers: what they show is what was computed."""

from __future__ import annotations

import csv
import io
import json

import pytest
import torch

from explorer.experiments.features.gradients import GradientSettings, gradients, scale_of
from explorer.experiments.features.large_epsilon import (
    default_target,
    large_epsilon,
    large_epsilon_recipe,
)
from explorer.experiments.features.layers import compare_layers, layers_recipe
from explorer.figures.export import figure_bytes
from explorer.figures.feature_rows import gradient_row, large_epsilon_row
from explorer.figures.gradient_files import gradient_files
from explorer.figures.gradient_maps import colour_map, diverging_map
from explorer.figures.large_epsilon_files import large_epsilon_files
from explorer.figures.layer_charts import layers_chart, top_of
from explorer.figures.layer_files import layer_files
from explorer.figures.palette import ROBUST, STANDARD
from explorer.figures.print_tile_rows import tile_rows_figure
from tests.experiments.features.pictures import small_picture
from tests.small_models import smooth_classifier


@pytest.fixture(scope="module")
def models():
    known = {"a": smooth_classifier(), "b": smooth_classifier(seed=1)}
    known["a"].title, known["b"].title = "Plain $net$", "Robust net"
    known["b"].robust = True
    return known


def test_a_diverging_map_is_centred_at_zero_and_symmetric() -> None:
    ramp = torch.linspace(-1, 1, 201).expand(3, 1, -1)
    picture, scale = diverging_map(ramp)
    assert scale == pytest.approx(scale_of(3 * ramp))
    assert picture.shape == (3, 1, 201)
    middle = picture[:, 0, 100]
    assert torch.allclose(middle, middle[0].expand(3))  # without a hue
    assert float(middle.mean()) > 0.95
    brightness = picture.mean(dim=0)[0]
    assert bool((brightness[:100].diff() >= -1e-6).all())
    assert bool((brightness[101:].diff() <= 1e-6).all())
    low, high = picture[:, 0, 0], picture[:, 0, -1]
    assert low[0] > low[1]  # purple: less green than red
    assert high[1] > high[0]


def test_maps_do_not_depend_on_the_size_of_a_gradient() -> None:
    gradient = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))
    for draw in (diverging_map, colour_map):
        one, scale = draw(gradient)
        other, larger = draw(1000 * gradient)
        assert torch.allclose(one, other, atol=1e-5)
        assert larger == pytest.approx(1000 * scale, rel=1e-5)
        flat, none = draw(torch.zeros(3, 8, 8))
        assert none == 0
        assert torch.equal(flat, flat[:, :1, :1].expand_as(flat))


def test_a_colour_map_is_grey_for_zero_and_saturates_at_the_scale() -> None:
    gradient = torch.zeros(3, 10, 10)
    gradient[0, 0, 0], gradient[1, 0, 1] = 1.0, -1.0
    picture, scale = colour_map(gradient)
    assert scale == 1
    assert picture[:, 0, 0].tolist() == [1.0, 0.5, 0.5]
    assert picture[:, 0, 1].tolist() == [0.5, 0.0, 0.5]


def test_rows_have_the_classifiers_pictures_and_words(models) -> None:
    plain, smooth = (
        gradients(models, small_picture(), GradientSettings(copies=copies)) for copies in (0, 8)
    )
    assert [len(gradient_row(each).tiles) for each in (plain[0], smooth[0])] == [3, 5]
    row = gradient_row(smooth[1])
    assert (row.title, row.robust) == ("Robust net", True)
    assert smooth[1].label_name in row.sentence
    assert torch.equal(row.tiles[1].image, diverging_map(smooth[1].plain)[0])
    assert torch.equal(row.tiles[4].image, colour_map(smooth[1].smooth)[0])
    figure = tile_rows_figure([gradient_row(each) for each in smooth], "a caption with $ in it")
    assert figure_bytes(figure, "svg") == figure_bytes(figure, "svg")
    texts = [text.get_text() for text in figure.texts]
    assert "Plain $net$" in texts
    width, height = figure.get_size_inches()
    assert all(0 <= text.get_position()[1] <= 1 for text in figure.texts)
    assert width == 7
    assert height < 10


def test_the_files_of_gradients_have_the_recipe_last(models) -> None:
    settings = GradientSettings(copies=8)
    answers = gradients(models, small_picture(), settings)
    files = gradient_files(answers, settings, json.dumps({"format": 1}))
    assert list(files)[-1] == "recipe.json"
    assert files["gradients.pdf"].startswith(b"%PDF")
    assert {"plain-a.npy", "smoothgrad-b.npy"} <= files.keys()


def test_the_chart_and_the_table_of_layers_have_the_computed_distances(models) -> None:
    answers = compare_layers(models, small_picture(), layers_recipe("test", "a", 0.3))
    files = layer_files(answers)
    table = list(csv.DictReader(io.StringIO(files["layers.csv"].decode())))
    layers = [(each.name, layer) for each in answers for layer in each.layers]
    for row, (name, layer) in zip(table, layers, strict=True):
        assert (row["classifier"], row["layer"]) == (name, layer.name)
        assert float(row["adversarial_distance"]) == layer.adversarial
        assert float(row["noise_greatest_distance"]) == max(layer.noise)
    assert files["layers.png"].startswith(b"\x89PNG")
    recipe = json.loads(files["recipe-b.json"])
    assert recipe["result_digest"] == answers[1].report.recipe.result_digest
    top = top_of(answers)
    assert top > max(layer.adversarial for _, layer in layers)
    for each, colour in zip(answers, (STANDARD, ROBUST), strict=True):
        band, attack, noise = layers_chart(each, top, colour).data
        assert list(attack.y) == [layer.adversarial for layer in each.layers]
        assert attack.line.color == colour
        assert list(noise.y) == [layer.mean_noise for layer in each.layers]
        assert max(band.y) == max(max(layer.noise) for layer in each.layers)


def test_the_table_of_large_epsilon_has_a_row_for_each_who_saw_a_picture(models) -> None:
    target = default_target(models, small_picture())
    recipe = large_epsilon_recipe("test", "a", 2.0, target, steps=3)
    answers = large_epsilon(models, small_picture(), recipe)
    files = large_epsilon_files(answers)
    table = list(csv.DictReader(io.StringIO(files["large-epsilon.csv"].decode())))
    assert [(row["made_on"], row["shown_to"]) for row in table] == [
        *[("a", "a")] * 3,
        ("a", "b"),
        *[("b", "b")] * 3,
        ("b", "a"),
    ]
    assert {row["target_name"] for row in table} == {f"class {target}"}
    assert json.loads(files["recipe-a-l2-0.5.json"])["epsilon"] == 0.5
    row = large_epsilon_row(answers[0], {"a": "Plain net", "b": "Robust net"})
    assert [tile.title for tile in row.tiles] == ["picture", "ε = 0.5", "ε = 1", "ε = 2"]
    assert row.tiles[-1].notes[-1].startswith("Robust net: “class ")
    assert torch.equal(row.tiles[2].image, answers[0].reports[1].adversarial)
