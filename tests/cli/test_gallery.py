"""``gallery``: the names of the sample pictures, each of which can be opened."""

from __future__ import annotations

import json

import pytest

from explorer.images.open import open_image
from tests.cli.running import run


def test_every_name_that_is_listed_is_a_picture(capsys):
    status, out, err = run(capsys, "gallery", "--json")
    assert status == 0, err
    pictures = json.loads(out)["pictures"]
    for each in pictures:
        assert open_image(each["name"]).image.size[0] >= 32
    assert {"gallery:panda", "gallery:cifar10-00"} <= {each["name"] for each in pictures}
    status, out, _ = run(capsys, "gallery")
    assert [line.split()[0] for line in out.splitlines()] == [each["name"] for each in pictures]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("cat", "did you mean cifar10-00?"),
        ("cifar10-0", "did you mean cifar10-00 or cifar10-01 or cifar10-02?"),
        ("pand", "did you mean panda?"),
        ("xx", "'xx'; python -m explorer gallery lists all"),
    ],
)
def test_another_name_gets_the_nearest_and_where_all_are(capsys, tmp_path, key, words):
    asked = ["attack", f"gallery:{key}", "--model", "cifar10-standard", "--epsilon", "0.1"]
    status, out, err = run(capsys, *asked, "--out", str(tmp_path))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert "python -m explorer gallery lists all" in err
    assert len(err) < 250
