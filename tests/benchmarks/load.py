"""How long people wait on one server, and what it costs: ``python -m tests.benchmarks.load``.

``--people 1 10 20`` lets so many people move ε at once, and checks every picture that they get.
``--people 10 --answers 5000`` lets them move on as soon as they are answered, until so many were.
``--biggest`` lets a visitor ask the biggest question beside one who moves ε. ``--moves 2000`` and
``--sessions 100`` measure the growth of memory, and ``--idle 30`` the load of sessions at rest.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.room import biggest, endurance
from tests.benchmarks.room.correctness import wrong_answers
from tests.benchmarks.room.people import STEPS, collect, measure, report
from tests.sessions.server import Server, running


@contextmanager
def warm_server(model: str, **settings: str) -> Iterator[Server]:
    """A server that has answered a first visitor; afterwards the length of its log is printed."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "server.log")
        with running(log, EXPLORER_CACHE=f"{folder}/cache", **settings) as server:
            asyncio.run(measure(server.address, 1, 8, 4, model))
            yield server
        print(f"    {len(log.read_text().splitlines())} lines in the server's log")


def people(options: argparse.Namespace) -> None:
    for number in options.people:
        with warm_server(options.model) as server:
            if options.answers:
                work = collect(
                    server.address, number, options.answers, options.steps, options.model
                )
            else:
                times = options.seconds, options.every
                work = measure(server.address, number, *times, options.model)
            outcome = asyncio.run(work)
        print(report(number, outcome), flush=True)
        for error in sorted(set(outcome.errors)):
            print("   ", error.splitlines()[0])
        if options.check:
            wrong = len(wrong_answers(outcome.answers, options.model))
            print(f"    {wrong} of {len(outcome.answers)} pictures wrong", flush=True)


def beside_the_biggest(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        biggest.write_weights(Path(folder))
        settings = {"EXPLORER_WEIGHTS": folder, "EXPLORER_SECONDS": "100000"}
        with warm_server(options.model, **settings) as server:
            print(asyncio.run(biggest.compare(server.address, options.model)), flush=True)


def lasting(options: argparse.Namespace) -> None:
    with warm_server(options.model) as server:
        process = psutil.Process(server.process.pid)
        place = server.address, process
        if options.idle:
            print(asyncio.run(endurance.idle(*place, options.idle)), flush=True)
        if options.sessions:
            print(asyncio.run(endurance.memory_of_sessions(*place, options.sessions)), flush=True)
            print(asyncio.run(endurance.jobs_of_closed_sessions(*place)), flush=True)
        if options.moves:
            print(asyncio.run(endurance.memory_of_moves(*place, options.moves)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, default=40.0, help="how long people move ε")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two moves")
    parser.add_argument("--answers", type=int, default=0, help="in all, without pauses")
    parser.add_argument("--steps", type=int, default=STEPS, help="of these attacks")
    parser.add_argument("--model", default="cifar10-standard")
    parser.add_argument("--no-check", dest="check", action="store_false")
    parser.add_argument("--biggest", action="store_true")
    parser.add_argument("--moves", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--idle", type=int, default=0)
    options = parser.parse_args()
    people(options)
    if options.biggest:
        beside_the_biggest(options)
    if options.idle or options.sessions or options.moves:
        lasting(options)


if __name__ == "__main__":
    main()
