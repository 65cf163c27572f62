"""A reading process is ended when it takes too long or too much, and the next request works."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from explorer.errors import Cancelled
from explorer.sandbox import Limits, Message, Pool, ReadingFailed, Refused
from tests.imports import ROOT

LIMITS = Limits(seconds=0.5, memory=100 * 2**20, reply=2**20)
HANDLER = "tests.sandbox.handlers:handle"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(HANDLER, size=2)
    yield pool
    pool.close()


def pid_of_answer(pool: Pool, data: bytes = b"bytes") -> int:
    reply = pool.ask(Message({"do": "echo", "say": "ε\ud800"}, data), LIMITS)
    assert reply.values["said"] == "ε\ud800"
    assert reply.data == data
    return int(reply.values["pid"])


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_one_process_answers_request_after_request(pool):
    assert pid_of_answer(pool) == pid_of_answer(pool, bytes(range(256)) * 2000)


def test_a_sentence_comes_back_and_the_process_stays(pool):
    pid = pid_of_answer(pool)
    with pytest.raises(Refused, match="this file is no picture"):
        pool.ask(Message({"do": "refuse"}), LIMITS)
    assert pid_of_answer(pool) == pid


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("loop", "time"),
        ("sleep", "time"),
        ("fill memory", "memory"),
        ("crash", "crash"),
        ("exit", "crash"),
        ("reply too much", "crash"),
    ],
)
def test_what_goes_too_far_ends_and_the_next_request_works(pool, what, reason):
    start = time.monotonic()
    with pytest.raises(ReadingFailed) as failure:
        pool.ask(Message({"do": what, "reply": LIMITS.reply}), LIMITS)
    assert failure.value.reason == reason
    assert time.monotonic() - start < LIMITS.patience + 1
    pid_of_answer(pool)


def test_a_bug_of_the_handler_is_no_sentence(pool):
    with pytest.raises(RuntimeError, match="a reading process failed"):
        pool.ask(Message({"do": "fail"}), LIMITS)


@pytest.mark.parametrize(
    "what", ["start a program", "use the shell", "connect", "load a library", "write"]
)
def test_it_starts_no_program_opens_no_connection_and_writes_no_file(pool, tmp_path, what):
    path = tmp_path / "canary"
    reply = pool.ask(Message({"do": what, "path": str(path)}), LIMITS)
    assert reply.values == {"allowed": False}
    assert not path.exists() or path.read_bytes() == b""


def test_a_cancelled_request_ends_at_once(pool):
    start = time.monotonic()
    with pytest.raises(Cancelled):
        pool.ask(
            Message({"do": "sleep"}),
            replace(LIMITS, seconds=30),
            lambda: time.monotonic() > start + 0.1,
        )
    assert time.monotonic() - start < 1


def test_a_slow_file_keeps_no_other_waiting(pool):
    def be_slow() -> None:
        with pytest.raises(ReadingFailed):
            pool.ask(Message({"do": "sleep"}), replace(LIMITS, seconds=1))

    slow = threading.Thread(target=be_slow)
    slow.start()
    time.sleep(0.2)
    pid_of_answer(pool)
    assert slow.is_alive()
    slow.join()


def test_no_more_processes_than_the_size_of_the_pool():
    pool = Pool(HANDLER, size=1)
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(pid_of_answer(pool))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert len(pids) == 4
    assert len(set(pids)) == 1
    assert not psutil.pid_exists(pids[0])


def test_processes_end_when_they_are_idle_and_are_replaced():
    pool = Pool(HANDLER, size=1, idle=0.3)
    pid = pid_of_answer(pool)
    assert psutil.pid_exists(pid)
    time.sleep(1)
    assert not psutil.pid_exists(pid)  # nor is there a zombie
    assert pid_of_answer(pool) != pid
    pool.close()


def test_a_process_that_was_killed_while_it_was_idle_is_replaced(pool):
    pid = pid_of_answer(pool)
    psutil.Process(pid).kill()
    time.sleep(0.1)
    assert pid_of_answer(pool) != pid


def test_a_warm_pool_has_one_process_that_is_used():
    pool = Pool(HANDLER, size=2)
    pool.warm()
    pool.warm()
    started = {child.pid for child in psutil.Process().children()}
    assert pid_of_answer(pool) in started
    pool.close()


@pytest.mark.parametrize("what", ["echo", "loop"])
def test_a_parent_that_is_killed_leaves_no_process(what):
    """The process sees the end of its pipe when it waits, and its limit when it reads."""
    program = f"""
        import os, threading, time
        from explorer.sandbox import Limits, Message, Pool
        pool = Pool({HANDLER!r}, size=1)
        limits = Limits(seconds=1, memory=2**27, reply=2**20)
        print(pool.ask(Message({{"do": "echo", "say": ""}}), limits).values["pid"], flush=True)
        pool.ask(Message({{"do": {what!r}, "say": ""}}), limits)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def test_a_forked_process_does_not_talk_into_its_parents_pipes(pool):
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    program = f"""
        import os
        from explorer.sandbox import Limits, Message, Pool
        pool, limits = Pool({HANDLER!r}, size=1), Limits(seconds=1, memory=2**27, reply=2**20)
        ask = lambda: pool.ask(Message({{"do": "echo", "say": ""}}), limits).values["pid"]
        first = ask()
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0
            assert ask() == first
        else:
            assert ask() != first
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
