"""Quick and thorough on the attack page, and the number of steps for those who know it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from streamlit.testing.v1 import AppTest

from explorer.experiments.effort import QUICK_STEPS, THOROUGH_STEPS
from tests.ui.app import ATTACK, component, open_page, wait_until_idle


def codes(at: AppTest) -> tuple[str, str]:
    """The link to the result, and the command."""
    link, command = (code.value for code in at.code)
    return str(link), str(command)


def has_steps(at: AppTest) -> bool:
    return any(slider.key == "steps" for slider in at.sidebar.slider)


def test_quick_is_the_default_and_a_number_of_steps_also_in_link_and_command() -> None:
    at = open_page(ATTACK, model="cifar10-standard")
    assert component(at, "scrubber")["steps"] == QUICK_STEPS
    assert not has_steps(at)
    link, command = codes(at)
    address = dict(parse_qsl(urlsplit(link).query))
    asked = (address["effort"], address["steps"], address["rule"])
    assert asked == ("Steps", str(QUICK_STEPS), "momentum")
    assert f"--steps {QUICK_STEPS}" in command
    assert "--rule momentum" in command
    assert "--effort" not in command
    # A preset names steps, and gets them.
    at.button(key="preset 8/255").click()
    wait_until_idle(at.run())
    assert component(at, "scrubber")["steps"] == 40
    assert has_steps(at)


def test_thorough_is_in_link_command_and_caption() -> None:
    at = open_page(ATTACK, model="cifar10-robust", linf="1", effort="Thorough")
    assert component(at, "scrubber")["steps"] == THOROUGH_STEPS
    assert not has_steps(at)
    link, command = codes(at)
    assert "effort=Thorough" in link
    assert "--effort thorough" in command


def test_a_link_without_effort_means_its_steps() -> None:
    at = open_page(ATTACK, model="cifar10-standard", steps="3")
    assert component(at, "scrubber")["steps"] == 3
    assert has_steps(at)
    link, command = codes(at)
    assert "--effort" not in command
    address = dict(parse_qsl(urlsplit(link).query))
    asked = (address["effort"], address["steps"], address["rule"])
    assert asked == ("Steps", "3", "plain")


def test_the_link_to_a_quick_result_opens_as_quick_and_pins_its_steps() -> None:
    link, _ = codes(open_page(ATTACK, model="cifar10-standard", linf="2"))
    address = dict(parse_qsl(urlsplit(link).query))
    assert address["steps"] == str(QUICK_STEPS)
    again = open_page(ATTACK, **address)
    assert again.session_state["effort"] == "Quick"
    assert not has_steps(again)
    assert not again.warning
    assert codes(again)[0] == link
    # With other steps, as another version's Quick may have, it is a number of steps.
    other = open_page(ATTACK, **{**address, "steps": str(QUICK_STEPS + 1)})
    assert other.session_state["effort"] == "Steps"
    assert has_steps(other)
