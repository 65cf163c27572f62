"""The overview, without a browser."""

from tests.ui.app import component, open_page, outcome, pixels


def test_first_paint_is_a_fooled_classifier() -> None:
    at = open_page()
    shown = component(at, "triptych")
    assert outcome(at) == "fooled"
    original, _, adversarial = shown["pictures"]
    assert original["name"] != adversarial["name"]
    assert original["name"] in shown["verdict"]
    assert adversarial["name"] in shown["verdict"]


def test_the_change_is_there_and_within_what_is_stated() -> None:
    at = open_page()
    difference = abs(pixels(at, 0).astype(int) - pixels(at, 2).astype(int))
    assert 0 < difference.max() <= 5
    assert component(at, "triptych")["measures"][0][:2] == ["L∞", "5/255"]


def test_the_way_in_leads_to_the_attack_page() -> None:
    at = open_page()
    at.button(key="to_attack").click().run()
    assert [title.value for title in at.title] == ["Attack an image"]


def test_a_robust_classifier_is_attacked_alike() -> None:
    at = open_page()
    first, second = [
        at.session_state[key].report.recipe
        for key in ("result overview", "result overview tiny12-robust")
    ]
    assert (second.image, second.norm, second.epsilon, second.steps) == (
        first.image,
        first.norm,
        first.epsilon,
        first.steps,
    )
    assert second.model == "tiny12-robust"
    assert first.model == "tiny12-standard"


def test_the_way_to_the_data_page() -> None:
    at = open_page()
    at.button(key="to_datasets").click().run()
    assert not at.exception
    assert [title.value for title in at.title] == ["Robust and non-robust data"]
