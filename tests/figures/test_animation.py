"""Moving pictures: frames in order, the right texts' numbers, exact pixels, the same bytes."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from explorer.figures.animation import (
    FORMATS,
    HELD,
    MARGIN,
    MAX_FRAMES,
    Animation,
    Frame,
    animation_bytes,
)
from explorer.figures.attack_animation import images_of_steps, spread, step_animation
from explorer.images.geometry import to_uint8
from tests.figures.conftest import make_report


def report_with_frames(size=32, steps=7, kept=None):
    report = make_report(size=size, steps=steps)
    frames = torch.rand(steps + 1, 1, 3, size, size, generator=torch.Generator().manual_seed(2))
    trace = replace(report.trace, frames=frames)
    if kept is not None:
        trace = replace(trace, kept=torch.tensor([kept]))
    return replace(report, trace=trace)


def animation_of(report) -> Animation:
    return step_animation(report, images_of_steps(report), "test net")


def pictures(data: bytes) -> list[np.ndarray]:
    image = Image.open(io.BytesIO(data))
    return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def test_the_frames_are_the_steps_and_the_last_one_is_the_result():
    report = report_with_frames()
    animation = animation_of(report)
    assert [frame.title for frame in animation.frames] == [f"step {i} of 7" for i in range(8)]
    predictions = report.trace.logits[:, 0].softmax(dim=1).max(dim=1)
    for step, frame in enumerate(animation.frames):
        assert frame.name == report.names[predictions.indices[step]]
        assert frame.confidence == pytest.approx(float(predictions.values[step]))
    np.testing.assert_array_equal(animation.frames[-1].pixels, to_uint8(report.adversarial))
    assert animation.caption[0].startswith("test net")
    assert "ε = 4/255" in animation.caption[0]


def test_a_step_that_was_kept_comes_last_again():
    animation = animation_of(report_with_frames(kept=4))
    assert [frame.title for frame in animation.frames[-2:]] == ["step 7 of 7", "step 4 of 7, kept"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_loops_holds_its_last_frame_and_is_the_same_each_time(format):
    animation = animation_of(report_with_frames())
    data = animation_bytes(animation, format)
    assert data == animation_bytes(animation, format)
    image = Image.open(io.BytesIO(data))
    assert (image.n_frames, image.info["loop"]) == (8, 0)
    durations = []
    for index in range(image.n_frames):
        image.seek(index)
        image.load()
        durations.append(image.info["duration"])
    assert durations[-1] == HELD
    assert len(set(durations[:-1])) == 1
    assert durations[0] < HELD


@pytest.mark.parametrize("format", ["webp", "png"])
def test_the_pixels_of_webp_and_apng_are_exact(format):
    animation = animation_of(report_with_frames())
    for frame, picture in zip(
        animation.frames, pictures(animation_bytes(animation, format)), strict=True
    ):
        enlarged = frame.pixels.repeat(8, axis=0).repeat(8, axis=1)
        right = picture.shape[1] - MARGIN - enlarged.shape[1]
        columns = picture[:, right : right + enlarged.shape[1]]
        tops = [top for top in range(len(picture)) if (columns[top] == enlarged[0]).all()]
        np.testing.assert_array_equal(columns[tops[0] : tops[0] + len(enlarged)], enlarged)


def test_the_original_and_the_white_of_a_gif_do_not_flicker():
    shown = pictures(animation_bytes(animation_of(report_with_frames()), "gif"))
    half = shown[0].shape[1] // 2
    assert all((picture[:, :half] == shown[0][:, :half]).all() for picture in shown)
    assert (shown[0][:MARGIN] == 255).all()


def test_many_steps_and_large_images_stay_small():
    report = report_with_frames(size=224, steps=200)
    animation = animation_of(report)
    assert MAX_FRAMES - 1 <= len(animation.frames) <= MAX_FRAMES
    noisiest = animation_bytes(animation, "png")  # random pixels in every frame
    assert len(noisiest) < 10_000_000
    large = np.zeros((600, 600, 3), np.uint8)
    frame = Frame(large, "", "a name that is much too long for one line, or for two of them", 1.0)
    (picture,) = pictures(animation_bytes(Animation(frame, (frame,), ("",)), "png"))
    assert max(picture.shape) < 700


def test_items_are_spread_from_the_first_to_the_last():
    assert spread(range(5), 5) == [0, 1, 2, 3, 4]
    assert spread(range(101), 5) == [0, 25, 50, 75, 100]


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="'gif', 'webp' or 'png'"):
        animation_bytes(animation_of(report_with_frames()), "mp4")
