"""What is damaged, full, too large or of another plan: one sentence, and nothing wrong is kept."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace

import pytest
import torch

from explorer.datasets.constructed import batches
from explorer.datasets.constructed.batches import construct_batch
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import D_NR
from explorer.datasets.constructed.plan import load_or_write_plan
from explorer.datasets.constructed.read import read_set
from explorer.datasets.constructed.shards import check_shard
from explorer.datasets.labelled import DataError
from explorer.files import FileError
from tests.datasets.constructed.building import build_in, contents, plan_for

pytestmark = pytest.mark.usefixtures("small_shards")


def damage(path, how, other):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    elif how == "pixel":
        data[len(data) // 4] ^= 1
    elif how == "class name":
        data[data.index(b"ship")] ^= 1
    else:
        data = other.read_bytes()
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("truncated", "can't be read"),
        ("empty", "can't be read"),
        ("pixel", "can't be read"),
        ("class name", "its bytes were changed"),
        ("of another job", "belongs to another job"),
    ],
)
def test_a_damaged_shard_is_noticed_and_built_again(tiny, pictures, tmp_path, how, words):
    folder, other, plan = tmp_path / "a", tmp_path / "other", plan_for(tiny, pictures)
    build_in(folder, plan, tiny, pictures)
    build_in(other, plan_for(tiny, pictures, seed=1), tiny, pictures)
    before, reports = contents(folder), []
    damage(folder / "data-00002-of-00004.parquet", how, other / "data-00002-of-00004.parquet")
    with pytest.raises(DataError, match=r"data-00002-of-00004\.parquet was changed or damaged"):
        read_set(folder)
    build_in(folder, plan, tiny, pictures, report=reports.append)
    (note,) = [report.note for report in reports if report.note]
    assert note.startswith("data-00002-of-00004.parquet is made again")
    assert words in note
    assert contents(folder) == before


def test_every_flipped_bit_of_a_shard_is_noticed(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures, rows=range(5))
    build_in(tmp_path, plan, tiny, pictures)
    name, rows, stamp = plan.shards[0]
    path = tmp_path / name
    whole = path.read_bytes()
    assert check_shard(path, len(rows), plan.classes, stamp) is None
    generator = torch.Generator().manual_seed(0)
    version = whole.index(b"parquet-cpp-arrow")  # of the library that wrote the file
    for at in torch.randint(len(whole), (60,), generator=generator).tolist():
        if version <= at < version + 40:
            continue
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert check_shard(path, len(rows), plan.classes, stamp), at
    path.write_bytes(whole)
    assert "5 rows instead of 6" in str(check_shard(path, 6, plan.classes, stamp))


def test_a_full_disk_is_one_sentence_and_keeps_finished_shards(
    tiny, pictures, tmp_path, monkeypatch
):
    plan, synced, real = plan_for(tiny, pictures), [], os.fsync
    build_in(tmp_path / "undisturbed", plan, tiny, pictures)

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) > 3:  # the plan and two shards
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    sentence = r"the disk is full: .*data-00002-of-00004.parquet was not written. What is done is"
    with pytest.raises(FileError, match=f"{sentence} kept"):
        build_in(tmp_path / "full", plan, tiny, pictures)
    remaining = sorted(contents(tmp_path / "full"))
    assert remaining == ["data-00000-of-00004.parquet", "data-00001-of-00004.parquet", "plan.json"]
    with pytest.raises(DataError, match=r"unfinished set \(2 of 4 shards\)"):
        read_set(tmp_path / "full")
    monkeypatch.setattr(os, "fsync", real)
    build_in(tmp_path / "full", plan, tiny, pictures)
    assert contents(tmp_path / "full") == contents(tmp_path / "undisturbed")


def test_a_folder_belongs_to_one_plan(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    with torch.no_grad():
        tiny.module.head.bias += 1
    for other, words in (
        (plan_for(tiny, pictures), "the model's weights differ"),
        (replace(plan, seed=1), "the seed differ"),
        (
            replace(plan, construction=replace(D_NR, steps=2)),
            "the construction's parameters differ",
        ),
        (replace(plan, rows=plan.rows[:20]), "the rows differ"),
        (replace(plan, source_digest="0", torch="0"), "the data and torch's version differ"),
    ):
        with pytest.raises(DataError, match=words):
            load_or_write_plan(other, tmp_path, automatic=False)
    assert (
        load_or_write_plan(replace(plan, source="elsewhere"), tmp_path, automatic=False).digest
        == plan.digest
    )
    assert load_or_write_plan(replace(plan, precision="bfloat16"), tmp_path, automatic=True) == plan
    for text in ("{", "[" * 100_000):
        (tmp_path / "plan.json").write_text(text)
        with pytest.raises(DataError, match=r"plan.json can't be read"):
            load_or_write_plan(plan, tmp_path, automatic=False)
    for precision in ("x", None, []):
        (tmp_path / "plan.json").write_text(json.dumps(plan.as_dict() | {"precision": precision}))
        with pytest.raises(DataError, match=r"plan.json names no known precision"):
            load_or_write_plan(plan, tmp_path, automatic=True)


def test_a_plan_without_rows_is_refused(tiny, pictures):
    with pytest.raises(DataError, match="leaves no images to build from"):
        plan_for(tiny, pictures, rows=())


def test_a_precision_that_the_machine_lacks_is_refused(tiny, pictures, tmp_path):
    plan = replace(plan_for(tiny, pictures), precision="bfloat16")
    tiny.module.features = None  # a model that can't run can't be copied
    tiny.module.forward = None
    with pytest.raises(DataError, match="begun in bfloat16, which this machine can't do"):
        build(plan, tiny, pictures, tmp_path)


def test_a_file_system_without_links_works(tiny, pictures, tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    plan = plan_for(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    load_or_write_plan(plan, tmp_path, automatic=False)
    with pytest.raises(DataError, match="the seed differ"):
        load_or_write_plan(replace(plan, seed=1), tmp_path, automatic=False)


def test_what_killed_processes_left_is_removed(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures)
    build_in(tmp_path, plan, tiny, pictures)
    whole = contents(tmp_path)
    (tmp_path / "data-00001-of-00004.parquet").unlink()
    (tmp_path / ".explorer-0123456789abcdef.part").write_bytes(b"half")
    build_in(tmp_path, plan, tiny, pictures)
    assert contents(tmp_path) == whole


def test_a_batch_too_large_for_the_device_is_made_in_smaller_ones(
    tiny, pictures, tmp_path, monkeypatch
):
    plan, sizes = plan_for(tiny, pictures), []
    build_in(tmp_path / "undisturbed", plan, tiny, pictures)

    def at_most_eight(plan, classifier, data, indices, *callbacks):
        sizes.append(len(indices))
        if len(indices) > 8:
            raise torch.OutOfMemoryError
        return construct_batch(plan, classifier, data, indices, *callbacks)

    monkeypatch.setattr(batches, "construct_batch", at_most_eight)
    build_in(tmp_path / "small", plan, tiny, pictures)
    assert {10, 8, 2} <= set(sizes)
    assert read_set(tmp_path / "small").digest == read_set(tmp_path / "undisturbed").digest

    def never(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(batches, "construct_batch", never)
    with pytest.raises(DataError, match="do not fit into the device's memory; use --device cpu"):
        build_in(tmp_path / "none", plan, tiny, pictures)
