"""``app``: the command that it becomes."""

from __future__ import annotations

import os
import sys

import pytest

from tests.cli.running import ROOT, run


class Became(Exception):
    """What the process would have become, as its program and arguments."""


@pytest.fixture
def becomes(monkeypatch):
    """Raises :class:`Became` instead of giving the process away."""

    def execute(program, arguments):
        raise Became(program, arguments)

    monkeypatch.setattr(os, "execv", execute)


@pytest.mark.skipif(sys.platform == "win32", reason="a process can't become another there")
@pytest.mark.parametrize(
    "more", [[], ["--server.port", "8600"], ["--server.port=8600", "--theme.base", "dark"]]
)
def test_all_arguments_go_to_streamlit(capsys, becomes, monkeypatch, more):
    monkeypatch.setattr("explorer.__main__._report_bug", lambda _, error, debug: print(error.args))
    assert run(capsys, "app", *more)[1] == f"{became(more)}\n"


def became(more: list[str]) -> tuple[str, list[str]]:
    home = str(ROOT / "explorer" / "Home.py")
    return sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", home, *more]
