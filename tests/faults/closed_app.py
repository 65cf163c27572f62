"""The app on disks that it can't write: ``closed_app.py FOLDER... -- run explorer/Home.py``.

The folders can be read alone, for this process alone. Needs root and the program unshare.
"""

from __future__ import annotations

import os
import sys

SCRIPT = """
while [ "$1" != "--" ]; do
    mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 1
    shift
done
shift
exec "$0" tests/journeys/short_ladders.py "$@"
"""

if __name__ == "__main__":
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", SCRIPT, sys.executable, *sys.argv[1:]])
