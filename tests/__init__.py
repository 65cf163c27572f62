"""The tests. With ``pytest -n 3`` they run in three processes, as many of them wait."""

import os

PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if PROCESSES > 1:
    # OpenMP reads it when torch is imported. Threads that spin while they wait for each other, in
    # several processes on two cores, made some tests ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
