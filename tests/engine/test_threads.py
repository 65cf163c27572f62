"""Several threads evaluate at once, and other threads keep theirs."""

import threading
import time

import pytest
import torch

from explorer.engine import threads as engine_threads
from explorer.engine.pauses import pausing
from explorer.engine.threads import EvaluationPool, evaluation_pool, run_apart, thread_count
from tests.threads import threads


def threads_of_a_new_thread():
    numbers = []
    thread = threading.Thread(target=lambda: numbers.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return numbers[0]


@pytest.mark.parametrize(
    ("total", "workers", "share"), [(2, 2, 1), (3, 3, 1), (4, 4, 1), (8, 4, 2), (9, 4, 2)]
)
def test_workers_share_the_threads_and_other_threads_keep_theirs(total, workers, share):
    with threads(total):
        pool, of_others = evaluation_pool(), []
        assert pool.workers == workers

        def compute():
            of_others.append(threads_of_a_new_thread())
            torch.zeros(8).add_(1)
            return torch.get_num_threads()

        assert pool.run([compute] * (2 * workers)) == [share] * (2 * workers)
        assert set(of_others) == {total}
        assert torch.get_num_threads() == threads_of_a_new_thread() == total


def test_one_thread_has_no_pool_and_several_share_one():
    with threads(1):
        assert evaluation_pool() is None
    with threads(2):
        assert evaluation_pool() is evaluation_pool()


def test_without_openmps_setter_there_is_no_pool(monkeypatch):
    monkeypatch.setattr(engine_threads, "_set_threads", None)
    with threads(2):
        assert evaluation_pool() is None


def new_pool(workers):
    return EvaluationPool(workers, engine_threads._set_threads)


def test_results_are_in_order_and_failures_come_when_those_beside_them_have_ended():
    pool, ended = new_pool(2), []

    def late(value):
        time.sleep(0.02 * (3 - value))
        ended.append(value)
        return value

    def fail():
        raise ZeroDivisionError("of two")

    assert pool.run([lambda value=value: late(value) for value in range(3)]) == [0, 1, 2]
    ended.clear()
    with threads(2):
        with pytest.raises(ZeroDivisionError, match="of two"):
            pool.run([fail, lambda: late(0), lambda: late(1)])
        assert torch.get_num_threads() == 2
    assert ended == [0]  # the next round was not begun


def test_there_is_a_pause_between_two_rounds():
    log = []
    with pausing(lambda: log.append("pause")):
        new_pool(2).run([lambda: log.append("task")] * 5)
    assert log == ["task", "task", "pause", "task", "task", "pause", "task"]


def test_what_a_busy_worker_has_not_begun_is_done_by_the_caller():
    pool, started, release, done_by = new_pool(2), threading.Barrier(3), threading.Event(), []

    def occupy():
        started.wait(30)
        release.wait(30)

    holder = threading.Thread(target=lambda: pool.run([occupy, occupy]))
    holder.start()
    started.wait(30)  # now the pool's only other worker is busy
    pool.run([lambda: done_by.append(threading.current_thread())] * 2)
    release.set()
    holder.join()
    assert done_by == [threading.current_thread()] * 2


def test_tasks_apart_have_one_thread_each_whatever_the_number():
    for total in (1, 2, 6):
        with threads(total):
            assert run_apart([torch.get_num_threads] * 9) == [1] * 9
            assert torch.get_num_threads() == total


def test_a_number_of_threads_within_a_block():
    with threads(2):
        for wanted, expected in ((None, 2), (1, 1), (2, 2), (3, 3)):
            with thread_count(wanted):
                assert torch.get_num_threads() == expected
                assert threads_of_a_new_thread() == 2
            assert torch.get_num_threads() == 2
