"""Importing the explorer changes nothing; its entry points set up malloc and OpenMP."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer import system
from explorer.system import free_memory, left_in_container, tune_process

ROOT = Path(__file__).resolve().parents[1]
MALLOPT = [(-3, 32 * 2**20), (-8, 1), (-1, 256 * 2**20)]
OPENMP = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
MALLOC = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@pytest.fixture
def mallopt(monkeypatch):
    """The calls of mallopt, in a process whose environment sets none of its options."""
    calls: list[tuple[int, int]] = []

    class Library:
        def __init__(self, _):
            pass

        def mallopt(self, option, value):
            calls.append((option, value))

    for name in OPENMP + MALLOC:
        monkeypatch.setenv(name, "")  # restored after the test, which may set it
        monkeypatch.delenv(name)
    monkeypatch.setattr(system.ctypes, "CDLL", Library)
    return calls


def test_tune_process(mallopt):
    tune_process()
    assert mallopt == MALLOPT
    assert [os.environ[name] for name in OPENMP] == ["PASSIVE", "3000"]


@pytest.mark.parametrize("name", MALLOC)
def test_tune_process_keeps_the_malloc_settings_of_the_environment(mallopt, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    tune_process()
    assert mallopt == []


@pytest.mark.parametrize("name", OPENMP)
def test_tune_process_keeps_the_openmp_settings_of_the_environment(mallopt, monkeypatch, name):
    monkeypatch.setenv(name, "mine")
    tune_process()
    assert os.environ[name] == "mine"
    assert mallopt == MALLOPT


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_tune_process_works_with_another_c_library(mallopt, monkeypatch, error):
    def missing(_):
        raise error

    monkeypatch.setattr(system.ctypes, "CDLL", missing)
    tune_process()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_c_library_keeps_its_freed_memory(monkeypatch, error):
    def missing(_):
        raise error

    monkeypatch.setattr(system.ctypes, "CDLL", missing)
    system.return_freed_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_glibc_accepts_the_settings():
    code = f"import ctypes; print([ctypes.CDLL(None).mallopt(*option) for option in {MALLOPT}])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "[1, 1, 1]\n"


def test_importing_the_explorer_changes_neither_the_environment_nor_malloc():
    code = """
import ctypes, os, torch
class Library(ctypes.CDLL):
    def __getattr__(self, name):
        assert name != "mallopt"
        return super().__getattr__(name)
ctypes.CDLL, environment = Library, dict(os.environ)
import explorer, explorer.attacks, explorer.classifiers, explorer.datasets, explorer.experiments
import explorer.figures, explorer.images, explorer.__main__
assert dict(os.environ) == environment, set(os.environ.items()) ^ set(environment.items())
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_memory_left_in_a_container(tmp_path):
    assert left_in_container(tmp_path) == 2**62  # without a limit the files are missing
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert left_in_container(tmp_path) == 3000
    (tmp_path / "memory.current").write_text("6000\n")
    assert left_in_container(tmp_path) == 0
    (tmp_path / "memory.max").write_text("max\n")
    assert left_in_container(tmp_path) == 2**62


def test_free_memory_is_at_most_what_the_container_leaves(monkeypatch):
    assert 0 < free_memory(torch.device("cpu")) < 2**50
    monkeypatch.setattr(system, "left_in_container", lambda: 1000)
    assert free_memory(torch.device("cpu")) == 1000
