"""Which frames of an attack are shown, and whether they fit the memory."""

from __future__ import annotations

from explorer.experiments.one_image.frames import frames_fit, sampled_steps


def test_all_steps_are_sent_while_there_is_space() -> None:
    assert sampled_steps(3, 2, 4) == (0, 1, 2, 3)


def test_the_first_the_last_and_the_best_step_are_always_sent() -> None:
    assert sampled_steps(10, 7, 3) == (0, 4, 7, 8, 10)
    assert sampled_steps(10, 7, 0) == (0, 7, 10)


def test_frames_of_many_restarts_at_a_large_size_do_not_fit() -> None:
    assert frames_fit((224, 224), 40, 10)
    assert not frames_fit((224, 224), 200, 10)
