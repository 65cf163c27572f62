"""The exported files, read back."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from explorer.experiments.one_image.report import AttackReport
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes, trace_csv
from explorer.figures.print_triptych import triptych

MakeReport = Callable[..., AttackReport]


def rows(report: AttackReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(trace_csv(report))))


def test_png_has_300_dots_an_inch(report: AttackReport) -> None:
    figure = triptych(report, "test-net")
    image = Image.open(io.BytesIO(figure_bytes(figure, "png")))
    assert image.format == "PNG"
    assert image.size == (2100, int(figure.get_size_inches()[1] * 300))
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_png_shows_the_pixels_of_a_small_image_without_smoothing(make_report: MakeReport) -> None:
    original = torch.rand(3, 8, 8)
    report = make_report(size=8, original=original, delta=torch.zeros(3, 8, 8), epsilon=0.0)
    figure = triptych(report, "test-net")
    pixels = np.asarray(Image.open(io.BytesIO(figure_bytes(figure, "png"))).convert("RGB"))
    left, bottom, width, height = figure.axes[0].get_position().bounds
    left, top = left * pixels.shape[1], (1 - bottom - height) * pixels.shape[0]
    square = width * pixels.shape[1] / 8
    expected = (original * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    for row in range(8):
        for column in range(8):
            y, x = int(top + (row + 0.5) * square), int(left + (column + 0.5) * square)
            assert (pixels[y, x] == expected[row, column]).all()


def test_pdf_embeds_truetype_fonts_and_no_date(report: AttackReport) -> None:
    data = figure_bytes(triptych(report, "test-net"), "pdf")
    assert data.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S)
    whole = data + b"".join(
        zlib.decompress(stream) for stream in streams if stream.startswith(b"x")
    )
    assert b"/FontFile2" in whole
    assert b"/Type3" not in whole
    assert b"CreationDate" not in whole


def test_svg_is_xml_with_text_as_text(report: AttackReport) -> None:
    root = ElementTree.fromstring(figure_bytes(triptych(report, "test-net"), "svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    elements = root.iter("{http://www.w3.org/2000/svg}text")
    texts = [" ".join(element.itertext()).strip() for element in elements]
    assert "+ 4/255 ×" in texts
    assert report.after.name in texts
    assert len(list(root.iter("{http://www.w3.org/2000/svg}image"))) == 3


@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_the_same_report_gives_the_same_bytes(make_report: MakeReport, format: str) -> None:
    first, second = (figure_bytes(triptych(make_report(), "test-net"), format) for _ in range(2))
    assert first == second


def test_exports_at_once_give_the_same_bytes_and_leave_the_settings_alone(
    make_report: MakeReport,
) -> None:
    names = ("pdf.fonttype", "svg.fonttype", "svg.hashsalt")
    settings = {name: matplotlib.rcParams[name] for name in names}
    alone = figure_bytes(triptych(make_report(), "test-net"), "svg")
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda _: figure_bytes(triptych(make_report(), "test-net"), "svg"), range(8))
        )
    assert set(together) == {alone}
    assert {name: matplotlib.rcParams[name] for name in names} == settings


def test_another_format_is_refused(report: AttackReport) -> None:
    with pytest.raises(ValueError, match="'tiff'"):
        figure_bytes(triptych(report, "test-net"), "tiff")


def test_adversarial_png_reads_back_rounded(report: AttackReport) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(adversarial_png(report))))
    assert np.array_equal(
        pixels, (report.adversarial * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    )


def test_adversarial_npy_reads_back_exactly(report: AttackReport) -> None:
    array = np.load(io.BytesIO(adversarial_npy(report)), allow_pickle=False)
    assert array.dtype == np.float32
    assert np.array_equal(array, report.adversarial.numpy())


def test_csv_has_a_row_for_every_point_and_reads_back(report: AttackReport) -> None:
    table, trace = rows(report), report.trace
    probabilities = trace.logits[:, 0].softmax(1)
    assert [row["step"] for row in table] == [str(step) for step in range(8)]
    for step, row in enumerate(table):
        index = int(probabilities[step].argmax())
        assert (row["predicted_index"], row["predicted_name"]) == (str(index), report.names[index])
        numbers = {
            "loss_cross_entropy_nats": trace.loss[step, 0],
            "predicted_probability": probabilities[step].max(),
            "label_probability": probabilities[step, 3],
            "target_probability": probabilities[step, 5],
            "distance_linf_pixel_units": trace.distance[step, 0],
        }
        for column, value in numbers.items():
            assert np.float32(row[column]) == np.float32(value)
        assert row["success"] == ("true" if trace.success[step, 0] else "false")
    *gradients, last = (row["gradient_l2_norm_per_pixel_unit"] for row in table)
    assert [np.float32(text) for text in gradients] == trace.gradient_norm[:, 0].tolist()
    assert last == ""
    assert [row["kept"] for row in table] == ["false"] * 7 + ["true"]


def test_csv_of_an_untargeted_attack_leaves_the_target_empty(make_report: MakeReport) -> None:
    assert {row["target_probability"] for row in rows(make_report(target=None))} == {""}


def test_csv_columns_name_the_norm_and_the_loss(make_report: MakeReport) -> None:
    header = trace_csv(make_report(norm="l2", epsilon=0.5, loss="cw")).splitlines()[0]
    assert "loss_margin_logits" in header
    assert "distance_l2_pixel_units" in header


def test_csv_keeps_names_with_commas_quotes_and_lines_in_one_cell(make_report: MakeReport) -> None:
    names = ('ferret, "Mustela"', "a\nb", "ärmel")
    table = rows(make_report(names=names, label=0, target=1))
    assert {row["predicted_name"] for row in table} <= set(names)
    assert len(table) == 8
