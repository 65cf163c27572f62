"""Files made to break a reader: ``python -m tests.hostile --count N --seed S [--kind KIND]``."""
