"""Fill the database of VIDEO_LIBRARY_DB with made-up videos, so that slowness can be measured."""

import argparse
import os
import sys
import time

from library import seeds
from library.database import Database, DatabaseUnready
from library.settings import Settings


def main() -> int:
    """Add the videos that are not there yet. Exit code 1 when the database is not ready."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="how many videos")
    parser.add_argument("--base", help="address of a running service whose demo clips the videos show")
    arguments = parser.parse_args()
    begun = time.monotonic()
    try:
        database = Database(Settings.of(os.environ).database)
        database.require_schema()
        added = seeds.sow(database, arguments.rows, arguments.base)
    except DatabaseUnready as error:
        print(error, file=sys.stderr)
        return 1
    database.close()
    print(f"{added} videos added in {time.monotonic() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
