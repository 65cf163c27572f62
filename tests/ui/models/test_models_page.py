"""The models page without a browser: installed classifiers, and those that a person adds."""

from __future__ import annotations

import pytest
from safetensors.torch import save, save_file

from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.ui.models.add_model import said_of_input
from tests.ui.app import ATTACK, component, open_page, shown, wait_until_idle
from tests.ui.models.page import MODELS, add, text, use

pytestmark = pytest.mark.usefixtures("folders")


def test_every_bundled_classifier_is_listed_with_its_figures() -> None:
    at = open_page(MODELS)
    assert not at.exception
    assert {"use tiny12-standard", "use cifar10-robust"} <= {button.key for button in at.button}
    assert "80.8 % right on unchanged images" in text(at)
    assert "51.0 % still right under attack at L2 ε = 1 (PGD, 20 steps, 500 images)" in text(at)
    assert "78.0 % right on unchanged images (measured here on 1,275 images)" in text(at)


def test_a_classifier_is_attacked_with_one_press() -> None:
    at = open_page(MODELS)
    use(at, "cifar10-robust")
    assert [title.value for title in at.title] == ["Attack an image"]
    assert at.session_state["result attack"].report.recipe.model == "cifar10-robust"


def test_classes_with_one_name_are_named_when_added_and_when_attacked(state) -> None:
    at = add(open_page(MODELS), "mine", "mobilenet_v3_small", save(state), "ant\nant\n")
    assert "2 of the 2 classes of mine have a name that another class has too" in text(at)
    use(at, "user:mine")
    assert "2 of the 2 classes of mine have a name" in text(at)


def test_added_weights_are_stored_listed_attacked_and_removed(state) -> None:
    at = add(open_page(MODELS), "mine", "mobilenet_v3_small", save(state), "ant\nbee\n")
    assert "Added mine: mobilenet_v3_small with 2 classes" in text(at)
    at.run()
    assert machine_models().cards()["mine"].labels == ("ant", "bee")
    use(at, "user:mine")
    assert at.session_state["result attack"].report.names == ("ant", "bee")
    at.switch_page(MODELS).run()
    at.button(key="remove user:mine").click().run()
    assert machine_models().cards() == {}
    assert not [button for button in at.button if button.key == "use user:mine"]
    assert "Removed mine." in text(at)
    assert "Removed mine." not in text(at.run())


def test_an_architecture_for_cifar_has_its_own_preprocessing() -> None:
    at = open_page(MODELS)
    assert at.number_input(key="new input size").value == 224
    name = "cifar:dm_wide_resnet_28_10"
    at.selectbox(key="new architecture").set_value(name).run()
    assert at.number_input(key=f"new input size {name}").value == 32
    assert at.text_input(key=f"new mean {name}").value == "0.4914, 0.4822, 0.4465"
    assert "CIFAR-10's names" in text(at)


@pytest.mark.parametrize(
    ("name", "architecture", "labels", "words"),
    [
        ("", "resnet18", None, "Give it a name"),
        ("mine", None, None, "Choose the architecture"),
        ("mine", "resnet18", None, "do not fit resnet18"),
        ("mine", "mobilenet_v3_small", "ant\nbee\ncat", "there are 3 labels"),
        ("mine", "mobilenet_v3_small", "ant", "at least two labels"),
    ],
)
def test_a_form_that_cannot_be_used_is_one_sentence(
    state, name, architecture, labels, words
) -> None:
    at = add(open_page(MODELS), name, architecture, save(state), labels)
    (error,) = at.error
    assert words in error.value.replace("\\", "")
    assert machine_models().cards() == {}


def test_the_same_click_twice_removes_one_model(state, folders) -> None:
    save_file(state, folders / "w.safetensors")
    for name in ("first", "second"):
        card = UserModelCard(name, "mobilenet_v3_small", input_size=64, resize=64)
        machine_models().add(card, folders / "w.safetensors")
    at = open_page(MODELS)
    button = at.button(key="remove user:first").click()
    at.run()
    button.click()
    at.run()
    assert list(machine_models().cards()) == ["second"]
    assert not at.error
    assert at.button(key="remove user:second")


def test_another_model_is_added_with_an_empty_form(state) -> None:
    at = add(open_page(MODELS), "mine", "mobilenet_v3_small", save(state))
    assert not [field for field in at.text_input if field.key == "new name"]
    at.button(key="add another").click().run()
    assert at.text_input(key="new name").value == ""
    assert at.file_uploader(key="new weights").value is None


def test_an_upload_that_is_too_large_is_refused_on_the_server_too(state, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_WEIGHTS_MB", "5")
    at = open_page(MODELS)
    assert "up to 5 MB" in at.file_uploader(key="new weights").label
    add(at, "mine", "mobilenet_v3_small", save(state))
    (error,) = at.error
    limit, advice = "The weights may take up to 5 MB", "so choose a smaller file."
    assert shown(error.value) == f"{limit}; mine.safetensors takes 5.9 MB, {advice}"


def test_without_weights_the_form_says_what_is_missing() -> None:
    at = add(open_page(MODELS), "mine", "resnet18", None)
    assert "choose a file with weights" in at.error[0].value.casefold()


def test_weights_can_be_named_by_their_path_on_this_machine(state, folders) -> None:
    save_file(state, folders / "w.safetensors")
    at = open_page(MODELS)
    at.text_input(key="new path").set_value(str(folders / "w.safetensors"))
    add(at, "by-path", "mobilenet_v3_small", None)
    assert "by-path" in machine_models().cards()


MODELS_FILE = """
import torch
from explorer.classifiers import Classifier


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 4, 3)
        self.head = torch.nn.Linear(3600, 3)

    def forward(self, x):
        x = self.convolution(x).relu()
        return self.head(x.view(x.size(0), -1))


def make():
    torch.manual_seed(0)
    return Classifier(LeNet(), labels=["a", "b", "c"], input_size=(32, 32), gallery="cifar10")
"""


@pytest.fixture
def lenet(folders, monkeypatch) -> str:
    """The name of a classifier in the environment that flattens with ``view``.

    ``view`` fails on channels-last activations.
    """
    path = folders / "models.py"
    path.write_text(MODELS_FILE)
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:make")
    return f"{path}:make"


def test_a_function_in_the_environment_is_offered_and_attacked(lenet) -> None:
    at = open_page(ATTACK, model=lenet)
    assert at.session_state["result attack"].report.names == ("a", "b", "c")
    wait_until_idle(at.switch_page(MODELS).run())
    assert not at.error
    assert at.button(key=f"use {lenet}")
    assert "3 classes of your own, 32×32" in text(at)
    assert at.markdown  # it is loaded now, and listed in memory too
    wait_until_idle(at.switch_page("../pages/datasets.py").run())
    assert not at.error
    assert len(component(at, "five_sets_row")["cards"]) == 5


def test_loaded_models_are_listed() -> None:
    at = open_page(ATTACK, model="cifar10-standard")
    at.switch_page(MODELS).run()
    assert "CIFAR-10 standard" in text(at)
    assert "GB are free" in text(at)


def test_only_the_inceptions_are_asked_about_transform_input() -> None:
    at = open_page(MODELS)
    for architecture, asked in (("googlenet", 1), ("resnet18", 0), ("inception_v3", 1)):
        at.selectbox(key="new architecture").set_value(architecture).run()
        toggles = [each for each in at.toggle if each.key == "new transform input"]
        assert len(toggles) == asked
        assert all(each.value for each in toggles)


@pytest.mark.parametrize(
    ("architecture", "on", "words"),
    [
        ("googlenet", True, "as torchvision’s published weights do (transform_input)"),
        ("inception_v3", False, "without transform_input"),
        ("resnet18", True, ""),
    ],
)
def test_what_was_added_says_how_it_gets_its_images(architecture, on, words) -> None:
    text = said_of_input(UserModelCard("mine", architecture, transform_input=on))
    assert words in text
    assert bool(words) == bool(text)
