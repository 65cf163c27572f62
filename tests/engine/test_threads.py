"""Who looks is a matter of time and never of the result."""

import threading
import time
from itertools import groupby

import pytest
import torch

from explorer.attacks import PGD
from explorer.attacks.objective import Eye, Sight
from explorer.attacks.threat import Threat
from explorer.classifiers import load
from explorer.engine import threads as crew
from explorer.engine.optimized_copy import Taped
from explorer.engine.precision import at_precision
from explorer.engine.threads import LEAST_PATIENCE, MOST_PATIENCE, Crew, Pace, shared
from tests.threads import threads


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(crew, "_known", type(crew._known)())


def threads_of_a_new_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize(
    ("all_of_them", "members", "share"), [(2, 2, 1), (3, 3, 1), (4, 4, 1), (8, 4, 2), (9, 4, 2)]
)
def test_members_share_the_threads_and_nobody_else_does(all_of_them, members, share):
    with threads(all_of_them):
        made = crew.crew()
        assert made.members == members
        seen = []
        busy = [
            lambda: (
                seen.append(threads_of_a_new_thread()),
                torch.zeros(8).add_(1),
                torch.get_num_threads(),
            )[2]
        ] * (2 * members)
        assert made.all(busy) == [share] * (2 * members)
        assert set(seen) == {all_of_them}
        assert torch.get_num_threads() == threads_of_a_new_thread() == all_of_them


def test_one_thread_has_no_crew_and_others_one_each():
    with threads(1):
        assert crew.crew() is None
    with threads(2):
        assert crew.crew() is crew.crew()


def test_where_threads_can_not_be_limited_one_by_one_there_is_no_crew(monkeypatch):
    monkeypatch.setattr(crew, "_set_threads", None)
    with threads(2):
        assert crew.crew() is None


def a_crew(members):
    return Crew(members, crew._set_threads)


def test_results_come_in_order_and_failures_when_all_have_ended():
    made, ended = a_crew(2), []

    def late(value):
        time.sleep(0.02 * (3 - value))
        ended.append(value)
        return value

    def fails():
        raise ZeroDivisionError("of two")

    assert made.all([lambda value=value: late(value) for value in range(3)]) == [0, 1, 2]
    ended.clear()
    with threads(2):
        with pytest.raises(ZeroDivisionError, match="of two"):
            made.all([fails, lambda: late(0), lambda: late(1)])
        assert torch.get_num_threads() == 2
    assert sorted(ended) == [0, 1]


def test_what_a_member_has_not_begun_is_done_by_who_asks():
    made, go, done_by = a_crew(2), threading.Event(), []
    held = threading.Thread(target=lambda: made.all([go.wait, go.wait]))
    held.start()
    while made._pool._work_queue.qsize() or not made._pool._threads:
        time.sleep(0.001)
    made.all([lambda: done_by.append(threading.current_thread())] * 2)
    go.set()
    held.join()
    assert done_by == [threading.current_thread()] * 2


def walked(pace, looks, together, apart):
    """Who took each of ``looks``, where together and apart take so long."""
    found = []
    for _ in range(looks):
        chosen = pace.apart()
        pace.note(chosen, apart if chosen else together)
        found.append(chosen)
    return found


def test_both_are_tried_twice_before_one_is_chosen():
    assert walked(Pace(), 8, together=1.0, apart=1.5) == [False] * 2 + [True] * 2 + [False] * 4


def test_together_is_given_up_where_it_is_slower_and_tried_again_ever_more_seldom():
    found = walked(Pace(), 1000, together=1.2, apart=1.0)
    runs = [(chosen, len(list(looks))) for chosen, looks in groupby(found[4:])]
    assert {looks for chosen, looks in runs if not chosen} == {1}
    apart = [looks for chosen, looks in runs if chosen][:-1]
    assert apart[:4] == [LEAST_PATIENCE, 2 * LEAST_PATIENCE, 4 * LEAST_PATIENCE, MOST_PATIENCE]
    assert set(apart[4:]) == {MOST_PATIENCE}


def test_one_look_that_takes_far_too_long_changes_nothing_and_several_do():
    pace = Pace()
    walked(pace, 10, together=1.0, apart=1.4)
    pace.note(False, 100.0)
    assert not pace.apart()
    pace.note(False, 100.0)
    assert pace.apart()


def test_when_the_others_have_gone_all_look_together_again():
    pace = Pace()
    walked(pace, 40, together=9.0, apart=1.5)
    assert pace.chosen
    found = walked(pace, MOST_PATIENCE + 20, together=1.0, apart=1.4)
    first = found.index(False)  # from there on tried look after look, since each is the quicker one
    assert not any(found[first : first + 15])
    assert not pace.chosen


def test_a_try_that_is_slow_ends_at_once():
    pace = Pace()
    walked(pace, 4 + 2 * LEAST_PATIENCE, together=1.0, apart=1.4)
    assert pace.apart()
    pace.note(True, 1.4)
    assert not pace.apart()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def taped():
    climber, _ = at_precision(load("cifar10-standard"), "bfloat16")
    assert isinstance(climber.module, Taped)
    return climber.module


def shares(looks, same, slow_together):
    """Who took each of ``looks``, the first of which is taken both ways."""
    clock, found, module = Clock(), [], taped()

    def look(who, seconds):
        found.append(who)
        clock.now += seconds
        return 7

    for _ in range(looks):
        value = shared(
            module,
            "kind",
            2,
            lambda: look("together", slow_together),
            lambda _: [lambda: look("apart", 1.0)],
            lambda parts: parts[0],
            lambda a, b: same,
            clock,
        )
        assert value == 7
    return found


def test_what_is_slower_together_is_taken_apart():
    with threads(2):
        found = shares(20, same=True, slow_together=5.0)
    assert found[:2] == ["together", "apart"]  # the first, both ways
    assert found[2:6] == ["together"] * 2 + ["apart"] * 2
    assert found[7:14] == ["apart"] * 7


def test_what_would_differ_is_never_taken_apart_again():
    with threads(2):
        assert (
            shares(20, same=False, slow_together=5.0) == ["together", "apart"] + ["together"] * 19
        )


def test_one_thread_looks_by_itself():
    with threads(1):
        assert shares(5, same=True, slow_together=5.0) == ["together"] * 5


def seen(n, precision, targeted=False):
    classifier = load("cifar10-standard")
    climber, _ = at_precision(classifier, precision)
    images = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    labels = classifier(images).argmax(dim=1)
    return Eye(climber, "ce", labels, (labels + 1) % 10 if targeted else None), images


@pytest.mark.parametrize("n", [1, 3, 8, 20])
@pytest.mark.parametrize("last", [False, True])
def test_together_and_apart_see_the_same(n, last, monkeypatch):
    eye, images = seen(n, "bfloat16", targeted=n == 3)
    with threads(1):
        expected = eye.look(images, last)
    for apart in (False, True):
        monkeypatch.setattr(Pace, "apart", lambda self, apart=apart: apart)
        with threads(2):
            for _ in range(2):
                found = eye.look(images, last)
                assert found.same(expected)
                torch.testing.assert_close(found.value, expected.value)


@pytest.mark.parametrize("n", [1, 3, 8, 20])
def test_in_float32_whoever_looks_sees_what_was_seen_first(n, monkeypatch):
    eye, images = seen(n, "folded")
    with threads(2):
        first = eye.look(images, last=False)
        for apart in (False, True):
            monkeypatch.setattr(Pace, "apart", lambda self, apart=apart: apart)
            assert eye.look(images, last=False).same(first)


def test_sights_that_differ_in_one_bit_are_not_the_same():
    a = Sight(torch.zeros(1), torch.ones(1), torch.zeros(1, 3), torch.zeros(1, 3, 4, 4))
    other = torch.zeros(1, 3, 4, 4)
    other[0, 2, 3, 3] = 1e-38
    assert a.same(a)
    assert not a.same(Sight(a.value, a.slope, a.logits, other))
    assert not a.same(Sight(a.value, a.slope, a.logits, None))
    assert not a.same(Sight(a.value, a.slope, a.logits + 1, a.gradient))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_attack_finds_the_same_on_one_thread_and_on_two(norm):
    classifier = load("cifar10-standard")
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat(norm, 2 / 255 if norm == "linf" else 0.2), steps=6, precision="bfloat16")
    found = []
    for n in (1, 2):
        with threads(n):
            found.append(attack(classifier, images, labels))
    assert torch.equal(found[0].adversarial, found[1].adversarial)
    assert torch.equal(found[0].trace.loss, found[1].trace.loss)
