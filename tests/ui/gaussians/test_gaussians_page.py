"""The page of two Gaussians: its state, its address, and the files."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from explorer.experiments.gaussians import penalty_for, robust_covariance
from explorer.experiments.gaussians_table import classifiers_of, table_csv
from explorer.ui.gaussians.page import FILES, KEYS, LIMITS, PRESETS, _build
from explorer.ui.gaussians.plane import PlaneState
from tests.ui.app import component, open_page

PAGE = "../pages/gaussians.py"
THIN = PRESETS["Long and thin"]


def test_first_paint_is_the_first_preset() -> None:
    at = open_page(PAGE)
    data = component(at, "plane")
    assert data["state"]["spread"] == [THIN.first, THIN.second]
    assert len(data["normals"]) == len(data["labels"]) == 2000
    assert not at.error


def test_a_preset_changes_the_plane_and_the_link() -> None:
    at = open_page(PAGE)
    at.button(key="gaussians Round").click().run()
    assert component(at, "plane")["state"]["spread"] == [3.0, 3.0]
    link = next(code.value for code in at.code if "gauss_x" in code.value)
    values = dict(pair.split("=") for pair in link.partition("?")[2].split("&"))
    again = open_page(PAGE, **values)
    assert component(again, "plane")["state"] == component(at, "plane")["state"]


@pytest.mark.parametrize(
    "address",
    [{"gauss_x": "a"}, {"gauss_first": "0"}, {"gauss_radius": "inf"}, {"gauss_tilt": "99"}],
)
def test_what_an_address_can_not_mean_is_said(address: dict[str, str]) -> None:
    at = open_page(PAGE, **address)
    (warning,) = at.warning
    assert "Not everything in this link can be used" in warning.value
    assert component(at, "plane")["state"]["radius"] == THIN.radius


def test_an_address_without_a_mean_is_the_preset() -> None:
    at = open_page(PAGE, gauss_x="0", gauss_y="0")
    assert component(at, "plane")["state"]["mean"] == [THIN.x, THIN.y]


def test_the_limits_are_those_of_the_fields() -> None:
    assert len(KEYS) == len(LIMITS)
    for state in PRESETS.values():
        for value, (low, high) in zip(vars(state).values(), LIMITS, strict=True):
            assert low <= value <= high


def test_the_covariance_has_the_spreads_as_deviations() -> None:
    values = np.linalg.eigvalsh(PlaneState(1, 2, 3.0, 0.5, 0.7, 1).gaussians().covariance)
    np.testing.assert_allclose(values, [0.25, 9.0])


@pytest.mark.parametrize("ending", [file.ending for file in FILES])
@pytest.mark.parametrize("radius", [0.0, 2.0])
def test_the_files_are_the_same_every_time(ending: str, radius: float) -> None:
    state = PlaneState(5.0, 0.0, 7.0, 1.0, 0.6, radius)
    first = _build(state, ending)
    assert first == _build(state, ending)
    assert len(first) > 100


def test_the_table_has_both_classifiers() -> None:
    gaussians = THIN.gaussians()
    rows = list(csv.DictReader(io.StringIO(table_csv(gaussians, 2.0))))
    assert [row["classifier"] for row in rows] == ["standard", "robust"]
    standard, robust = classifiers_of(gaussians, 2.0)
    assert float(rows[1]["adversarial_error"]) == robust.adversarial_error
    assert standard.error < robust.error
    assert robust.adversarial_error < standard.adversarial_error
    expected = robust_covariance(gaussians, penalty_for(gaussians, 2.0))
    np.testing.assert_allclose(robust.covariance, expected)
