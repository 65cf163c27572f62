"""Links restore a page, and say what they ask for in vain: on all pages alike."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.shared.stored_value import WRITTEN
from tests.ui.app import ATTACK, component, open_page, shown, wait_until_idle

KINDS = (
    *("selectbox", "multiselect", "slider", "number_input", "text_input"),
    *("checkbox", "toggle", "button_group"),
)
# What is forgotten on purpose: the form for a new model, the formula's switch, numbers that make a
# mask, which is in the address, and the answers, whose numbers are there.
FORGOTTEN = ("new ", "formula", "overview_formula", "features_box_", "tour_answer_")
DRAWN_IN_STEPS = {"features_painted_steps": "5", "features_inverted_steps": "50"}
SETS = {"match_steps": "10", "attack_steps": "5"}


def said(at: AppTest) -> list[str]:
    """The lines on the address's settings that can't be used."""
    found = [shown(each.value) for each in at.warning if "in this link" in each.value]
    return [line.removeprefix("- ") for text in found for line in text.splitlines()[2:]]


def stored_keys(at: AppTest) -> set[str]:
    """The keys of values that a page has written into its address itself."""
    if WRITTEN not in at.session_state:
        return set()
    return set(at.session_state[WRITTEN])


@pytest.mark.parametrize(
    ("page", "address", "unknown"),
    [
        ("overview", {"stop": "5"}, {}),
        (
            "overview",
            {"stop": "6"},
            {"nosuch": "no effect."},
        ),
        ("overview", {"stop": "7"}, {}),
        (
            "attack",
            {"model": "cifar10-standard", "effort": "Steps", "steps": "2", "norm": "L2"},
            {},
        ),
        ("attack", {"model": "efficientnet_lite0", "method": "FGSM"}, {"imge": "mean “image”?"}),
        ("curves", {"curves_pictures": "Your pictures"}, {"steps": "mean “curves_steps”?"}),
        ("datasets", {**SETS, "begin": "chosen"}, {"seed": "mean “row_seed”?"}),
        ("datasets", {**SETS, "origin": "upload"}, {}),
        ("features", {}, {"tab": "no effect.", "modles": "mean “features_models”?"}),
        ("features", {"features_section": "Painting", "features_painted_steps": "5"}, {}),
        (
            "lab",
            {"lab_section": "Patch"},
            {"qqq": "no effect.", "model": "mean “lab_patch_model”?"},
        ),
        ("models", {}, {"tab": "mean “models_tab”?"}),
    ],
)
def test_every_control_with_a_value_is_in_the_address_and_no_name_is_ignored(
    page: str, address: dict[str, str], unknown: dict[str, str]
) -> None:
    at = open_page(f"../pages/{page}.py", **address, **dict.fromkeys(unknown, "xyz"))
    stored = stored_keys(at)
    controls = [control for kind in KINDS for control in at.get(kind)]
    assert controls
    for control in controls:
        key = control.key or ""
        assert key, control.label
        is_linked = control.proto.query_param_key == key or key in stored
        assert is_linked != key.startswith(FORGOTTEN), key
    for _ in range(2):  # until the visitor changes something
        lines = [line for line in said(at) if not line.startswith("The settings of this page: ")]
        assert len(lines) == len(unknown)
        for line, (name, end) in zip(lines, unknown.items(), strict=True):
            assert line.startswith(f"“{name}” is no setting of this page, and has no effect.")
            assert end in line
        at.run()


def test_each_wrong_value_is_named_with_what_is_possible_and_what_is_used() -> None:
    at = open_page(
        ATTACK,
        **{"model": "cifar10-standard", "seed": "1.5", "target": "zebra", "effort": "Y"},
        **{"crop_x": "5", "zoom": "1", "loss": "hinge", "random": "perhaps", "norm": "L7"},
    )
    assert sorted(said(at)) == [
        "crop_x=5 has no effect. CIFAR-10 standard sees the whole picture.",
        "effort=Y (possible: Quick, Thorough, Steps). The page uses Quick.",
        "loss=hinge (possible: cross-entropy, margin (CW), DLR). The page uses cross-entropy.",
        "norm=L7 (possible: L∞, L2). The page uses L∞.",
        "random=perhaps (possible: true, false). The page uses true.",
        "seed=1.5 (possible: a whole number from 0 to 2,147,483,647). The page uses 1.",
        "target=zebra (possible: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, "
        "truck). The page leaves it empty.",
    ]
    assert at.session_state["seed"] == 1


def test_of_many_choices_the_nearest_are_named() -> None:
    at = open_page(ATTACK, model="efficientnet_lite0", method="FGSM", target="zebr", crop_y="2")
    assert said(at) == [
        "crop_y=2 (possible: 0 to 1). The page uses 0.5.",
        "target=zebr (possible: zebra, … (1,000 in all)). The page leaves it empty.",
    ]


def test_a_value_that_is_given_twice_is_named_once() -> None:
    at = open_page(ATTACK, model=["cifar10-standard", "cifar10-robust"], method="FGSM")
    assert said(at) == [
        "model=cifar10-standard, cifar10-robust (possible: one value). The page uses "
        "cifar10-standard."
    ]
    assert len(at.warning) == 1
    assert at.session_state["model"] == "cifar10-standard"


def test_a_link_may_use_the_commands_names_and_small_letters() -> None:
    address = {"norm": "l2", "effort": "steps", "steps": "2", "rule": "plain", "loss": "cw"}
    at = open_page(ATTACK, model="cifar10-standard", **address)
    assert not at.warning
    recipe = at.session_state["result attack"].report.recipe
    assert (recipe.norm, recipe.steps, recipe.rule, recipe.loss) == ("l2", 2, "plain", "cw")
    assert at.query_params["norm"] == "L2"


def test_a_link_may_name_the_plain_rule_as_earlier_versions_did() -> None:
    address = {"effort": "Steps", "steps": "2", "rule": "2.5 ε/t"}
    at = open_page(ATTACK, model="cifar10-standard", **address)
    assert not at.warning
    assert at.session_state["result attack"].report.recipe.rule == "plain"
    assert "rule" not in at.query_params, "the address leaves out what is the default"


def test_two_wrong_settings_of_the_tour_are_both_named() -> None:
    at = open_page(stop="x", present="maybe")
    assert said(at) == [
        "stop=x (possible: 1, 2, 3, 4, 5, 6, 7). The page uses 1.",
        "present=maybe (possible: true, false). The page uses false.",
    ]


def test_the_tab_of_the_models_page_is_restored() -> None:
    at = open_page("../pages/models.py", models_tab="Add your own")
    assert at.session_state["models_tab"] == "Add your own"
    assert not at.warning


def test_the_two_gaussians_take_what_they_can_of_a_link() -> None:
    at = open_page("../pages/gaussians.py", gauss_radius="3.5", gauss_tilt="99")
    assert said(at) == ["gauss_tilt=99 (possible: -7 to 7). The page uses 0."]
    state = component(at, "plane")["state"]
    assert (state["radius"], state["tilt"]) == (3.5, 0)


def test_lists_of_classifiers_show_titles_and_the_address_has_names() -> None:
    at = open_page(ATTACK, model="cifar10-robust", method="FGSM")
    menu = at.selectbox(key="model")
    assert "CIFAR-10 robust" in menu.options
    assert (menu.value, at.query_params["model"]) == ("cifar10-robust", "cifar10-robust")
    menu.set_value("cifar10-d_r")
    wait_until_idle(at.run())
    assert at.query_params["model"] == "cifar10-d_r"
    menu = at.selectbox(key="model")
    menu.set_value("tiny12-standard")  # the first of the list, with which the page begins
    wait_until_idle(at.run())
    assert "model" not in at.query_params
    # A link with titles, as one list of an earlier version had them.
    titled = open_page(ATTACK, model="CIFAR-10 trained on D_R", method="FGSM")
    assert titled.session_state["model"] == "cifar10-d_r"
    assert not titled.warning


def test_a_list_that_was_emptied_or_has_unknown_names_is_as_the_link_says() -> None:
    names = ["cifar10-d", "nosuch", "cifar10-robust"]
    at = open_page("../pages/compare.py", compare_models=names, compare_steps="2")
    assert at.multiselect(key="compare_models").value == ["cifar10-d", "cifar10-robust"]
    (line,) = said(at)
    assert line.startswith("compare_models=nosuch (possible: tiny12-standard, ")
    empty = open_page("../pages/compare.py", compare_models="")
    assert empty.multiselect(key="compare_models").value == []
    assert empty.error


@pytest.mark.parametrize(
    ("page", "address", "idle", "chosen"),
    [
        ("attack", {"norm": "L2", "method": "FGSM", "linf": "99"}, "linf=99", ("norm", "L∞")),
        ("attack", {"norm": "L2", "method": "FGSM", "linf": "inf"}, "linf=inf", ("norm", "L∞")),
        (
            "compare",
            {"compare_method": "FGSM", "compare_steps": "foo"},
            "compare_steps=foo",
            ("compare_method", "PGD"),
        ),
        (
            "lab",
            {"lab_section": "Patch", "lab_patch_model": "nosuch"},
            "lab_patch_model=nosuch",
            ("lab_patch_which", "A new one"),
        ),
    ],
)
def test_a_setting_that_is_not_on_the_page_is_named_and_refused_once_it_is(
    page: str, address: dict[str, str], idle: str, chosen: tuple[str, str]
) -> None:
    model = {"model": "cifar10-standard"} if page == "attack" else {}
    at = open_page(f"../pages/{page}.py", **model, **address)
    assert said(at) == [f"{idle} has no effect with the other settings as they are."]
    at.session_state[chosen[0]] = chosen[1]
    at.run()
    (line,) = said(at)
    assert line.startswith(f"{idle} (possible: ")
    assert not at.exception


def test_a_setting_of_a_widget_below_the_result_is_not_said_to_have_no_effect() -> None:
    at = open_page(ATTACK, model="cifar10-standard", method="FGSM", full_resolution="true")
    assert not said(at)
    at = open_page("../pages/lab.py", lab_section="Patch", lab_uni_steps="7", lab_patch_x="0.5")
    assert said(at) == ["lab_uni_steps=7 has no effect with the other settings as they are."]


@pytest.mark.parametrize("text", ["inf", "nan", "1e999"])
def test_a_text_that_is_no_finite_number_is_refused_by_its_own_check(text: str) -> None:
    at = open_page("../pages/curves.py", curves_epsilon=text, curves_seed=text)
    (error,) = at.error
    assert shown(error.value) == (
        f"The values of ε can't be used: '{text}' is not a number; write it as 0.03 or 8/255."
    )
    (line,) = said(at)
    assert line.startswith(f"curves_seed={text} (possible: a whole number from 0 to ")


@pytest.mark.parametrize(
    ("page", "address", "least"),
    [
        ("compare", {}, 3),
        ("curves", {"curves_pictures": "A data set"}, 3),
        ("datasets", {"origin": "upload"}, 2),
        ("features", {"features_section": "Painting"}, 1),
        ("lab", {"lab_section": "Patch", "lab_patch_which": "A new one"}, 3),
        ("lab", {"lab_section": "Universal perturbation"}, 3),
    ],
)
def test_every_whole_number_with_a_fraction_is_named(
    page: str, address: dict[str, str], least: int
) -> None:
    at = open_page(f"../pages/{page}.py", **address)
    numbers = [each for kind in ("number_input", "slider") for each in at.get(kind)]
    whole = {
        each.key: f"{each.min + 0.5}"
        for each in numbers
        if each.proto.query_param_key and isinstance(each.value, int)
    }
    assert len(whole) >= least
    at = open_page(f"../pages/{page}.py", **address, **whole)
    for key, text in whole.items():
        assert any(line.startswith(f"{key}={text} (possible: ") for line in said(at)), key
