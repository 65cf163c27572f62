"""The job can be trusted: the same images whatever the batch, the same bytes whatever the rank; only what is missing or broken is
made, and a folder belongs to one plan."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace

import pytest
import torch

from explorer.datasets.constructed import build as job
from explorer.datasets.constructed import plan as planning
from explorer.datasets.constructed.build import build, construct
from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_DET, D_NR, D_R, NOISE
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import read_set
from explorer.datasets.constructed.shards import MANIFEST, check_shard
from explorer.datasets.labelled import DataError
from explorer.errors import Cancelled

QUICK = replace(D_DET, steps=2)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(planning, "SHARD_ROWS", 10)


def planned(tiny, pictures, construction=QUICK, **options):
    return make_plan(
        construction, tiny, pictures, source="there", **{"precision": "float32", **options}
    )


def made(plan, tiny, pictures, folder, **options):
    folder.mkdir(exist_ok=True)
    return build(
        load_or_write_plan(plan, folder, automatic=False), tiny, pictures, folder, **options
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CONSTRUCTIONS)
def test_the_batch_does_not_change_a_row(tiny, pictures, name, precision):
    plan = planned(tiny, pictures, replace(CONSTRUCTIONS[name], steps=4), precision=precision)
    assert plan.precision == precision
    whole = construct(plan, tiny, pictures, range(12))
    backwards = construct(plan, tiny, pictures, range(11, -1, -1))[::-1]
    singly = [construct(plan, tiny, pictures, [index])[0] for index in range(12)]
    for row, *others in zip(whole, backwards, singly, strict=True):
        for other in others:
            assert torch.equal(row.image, other.image)
            assert replace(row, image=other.image, objective=other.objective) == other
            assert row.objective == pytest.approx(
                other.objective, rel=1e-4
            )  # its last bit may differ


def test_the_batch_size_does_not_change_the_images(tiny, pictures, tmp_path, monkeypatch):
    plan = planned(tiny, pictures)
    made(plan, tiny, pictures, tmp_path / "a")
    monkeypatch.setitem(job.BATCH_VALUES, "cpu", 1)
    made(plan, tiny, pictures, tmp_path / "b")
    assert read_set(tmp_path / "a").digest == read_set(tmp_path / "b").digest


def test_ranks_make_what_one_process_makes(tiny, pictures, tmp_path):
    plan = planned(tiny, pictures, replace(D_R, steps=2))
    assert made(plan, tiny, pictures, tmp_path / "one")
    assert not made(plan, tiny, pictures, tmp_path / "three", rank=2, world=3)
    assert not made(plan, tiny, pictures, tmp_path / "three", rank=0, world=3)
    assert not (tmp_path / "three" / MANIFEST).exists()
    assert made(plan, tiny, pictures, tmp_path / "three", rank=1, world=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_what_is_there_is_not_made_again(tiny, pictures, tmp_path):
    plan, said = planned(tiny, pictures), []
    with pytest.raises(Cancelled):
        made(
            plan,
            tiny,
            pictures,
            tmp_path,
            report=said.append,
            cancelled=lambda: said[-1].done >= 20,
        )
    assert sorted(path.name for path in tmp_path.glob("data-*")) == [
        "data-00000-of-00004.parquet",
        "data-00001-of-00004.parquet",
    ]
    written, said = {path: path.stat().st_mtime_ns for path in tmp_path.glob("data-*")}, []
    assert made(plan, tiny, pictures, tmp_path, report=said.append)
    assert (said[0].done, said[0].total, said[0].rate) == (20, 40, 0.0)
    assert said[-1].done == 40
    assert all(path.stat().st_mtime_ns == then for path, then in written.items())


def damage(path, how, other):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    elif how == "pixel":
        data[len(data) // 4] ^= 1
    elif how == "class name":
        at = data.index(b"ship")
        data[at] ^= 1
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
def test_a_broken_shard_is_noticed_and_made_again(tiny, pictures, tmp_path, how, words):
    folder, plan = tmp_path / "a", planned(tiny, pictures)
    made(plan, tiny, pictures, folder)
    made(planned(tiny, pictures, seed=1), tiny, pictures, tmp_path / "other")
    before, said = contents(folder), []
    damage(
        folder / "data-00002-of-00004.parquet",
        how,
        tmp_path / "other" / "data-00002-of-00004.parquet",
    )
    with pytest.raises(DataError, match=r"data-00002-of-00004\.parquet was changed or damaged"):
        read_set(folder)
    made(plan, tiny, pictures, folder, report=said.append)
    (note,) = [each.note for each in said if each.note]
    assert note.startswith("data-00002-of-00004.parquet is made again")
    assert words in note
    assert contents(folder) == before


def test_no_bit_of_a_shard_can_be_flipped_unseen(tiny, pictures, tmp_path):
    plan = planned(tiny, pictures, rows=range(5))
    made(plan, tiny, pictures, tmp_path)
    name, rows, stamp = plan.shard(0)
    path = tmp_path / name
    whole = path.read_bytes()
    assert check_shard(path, len(rows), plan.classes, stamp) is None
    generator = torch.Generator().manual_seed(0)
    writer = (
        whole.index(b"parquet-cpp-arrow"),
        whole.index(b"parquet-cpp-arrow") + 40,
    )  # the version of what wrote it
    for at in torch.randint(len(whole), (60,), generator=generator).tolist():
        if writer[0] <= at < writer[1]:
            continue
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert check_shard(path, len(rows), plan.classes, stamp), at
    path.write_bytes(whole)
    assert "5 rows instead of 6" in str(check_shard(path, 6, plan.classes, stamp))


def test_a_full_disk_is_one_sentence_and_keeps_what_is_done(tiny, pictures, tmp_path, monkeypatch):
    plan, synced, real = planned(tiny, pictures), [], os.fsync
    made(plan, tiny, pictures, tmp_path / "undisturbed")

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) > 3:  # the plan and two shards
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(
        DataError,
        match=r"the disk is full: .*data-00002-of-00004.parquet was not written. What is done is kept",
    ):
        made(plan, tiny, pictures, tmp_path / "full")
    left = sorted(contents(tmp_path / "full"))
    assert left == ["data-00000-of-00004.parquet", "data-00001-of-00004.parquet", "plan.json"]
    with pytest.raises(DataError, match=r"unfinished set \(2 of 4 shards\)"):
        read_set(tmp_path / "full")
    monkeypatch.setattr(os, "fsync", real)
    made(plan, tiny, pictures, tmp_path / "full")
    assert contents(tmp_path / "full") == contents(tmp_path / "undisturbed")


def test_a_folder_belongs_to_one_plan(tiny, pictures, tmp_path):
    plan = planned(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    with torch.no_grad():
        tiny.module.head.bias += 1
    tiny.__dict__.pop("digest")
    for other, words in (
        (planned(tiny, pictures), "the model's weights differ"),
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
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(DataError, match=r"plan.json can't be read"):
        load_or_write_plan(plan, tmp_path, automatic=False)


def test_a_precision_the_machine_lacks_is_refused(tiny, pictures, tmp_path):
    plan = replace(planned(tiny, pictures), precision="bfloat16")
    tiny.module.features = None  # a copy can't be made of what can't be run
    tiny.module.forward = None
    with pytest.raises(DataError, match="begun in bfloat16, which this machine can't do"):
        build(plan, tiny, pictures, tmp_path)


def test_a_file_system_without_links_serves_too(tiny, pictures, tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    plan = planned(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    load_or_write_plan(plan, tmp_path, automatic=False)
    with pytest.raises(DataError, match="the seed differ"):
        load_or_write_plan(replace(plan, seed=1), tmp_path, automatic=False)


def test_what_killed_processes_left_is_swept(tiny, pictures, tmp_path):
    for name in (".data-00000-of-00004.parquet.17.part", ".plan.json.17"):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".data-00001-of-00004.parquet.18.part").write_bytes(b"of a process that lives")
    made(planned(tiny, pictures), tiny, pictures, tmp_path)
    assert [name for name in contents(tmp_path) if name.startswith(".")] == [
        ".data-00001-of-00004.parquet.18.part"
    ]


def test_a_batch_too_large_for_the_device_is_made_in_smaller_ones(
    tiny, pictures, tmp_path, monkeypatch
):
    plan, sizes, real = planned(tiny, pictures), [], job.construct
    made(plan, tiny, pictures, tmp_path / "undisturbed")

    def construct(plan, classifier, data, indices, *rest):
        sizes.append(len(indices))
        if len(indices) > 8:
            raise torch.OutOfMemoryError
        return real(plan, classifier, data, indices, *rest)

    monkeypatch.setattr(job, "construct", construct)
    made(plan, tiny, pictures, tmp_path / "small")
    assert {10, 8, 2} <= set(sizes)
    assert read_set(tmp_path / "small").digest == read_set(tmp_path / "undisturbed").digest

    def never(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(job, "construct", never)
    with pytest.raises(DataError, match="do not fit into the device's memory; use --device cpu"):
        made(plan, tiny, pictures, tmp_path / "none")


def test_rows_say_where_they_came_from(tiny, pictures, tmp_path):
    kept = pictures.take(torch.arange(3, 40))
    for construction, folder in (
        (replace(D_NR, steps=3), tmp_path / "nr"),
        (replace(D_NR, steps=3, start=NOISE), tmp_path / "noise"),
    ):
        made(planned(tiny, kept, construction, rows=range(12)), tiny, kept, folder)
    made(planned(tiny, kept, rows=range(12)), tiny, kept, tmp_path / "det")
    matched, noised, attacked = (read_set(tmp_path / name) for name in ("nr", "noise", "det"))
    for found in (matched, noised, attacked):
        assert found.source_index.tolist() == list(
            range(3, 15)
        )  # as in the whole source, held-out images and all
        assert torch.equal(found.source_label, pictures.labels[3:15])
        assert torch.equal(found.survives_8bit, found.predicted == found.data.labels)
        with torch.no_grad():
            assert torch.equal(tiny(found.data.images.float() / 255).argmax(dim=1), found.predicted)
    assert torch.equal(matched.data.labels, matched.source_label)
    assert torch.equal(matched.start_label, pictures.labels[matched.start_index])
    assert (matched.target == -1).all()
    assert (noised.start_index == -1).all()
    assert torch.equal(attacked.target, (attacked.source_label + 1) % 3)
    assert torch.equal(attacked.data.labels, attacked.target)


def test_the_manifest_holds_the_plan_and_every_shards_digest(tiny, pictures, tmp_path):
    plan = planned(tiny, pictures)
    made(plan, tiny, pictures, tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["plan"] == plan.digest
    assert [each["rows"] for each in manifest["shards"]] == [10, 10, 10, 10]
    assert manifest["construction"]["name"] == "d_det"
    assert json.loads((tmp_path / "plan.json").read_text()).items() <= manifest.items()
