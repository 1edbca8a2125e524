"""Bring the database of VIDEO_LIBRARY_DB to the schema of this release."""

import argparse
import os
import sqlite3
import sys

from library import schema
from library.settings import Settings


def main() -> int:
    """Apply what is missing, or with --status only tell. Exit code 1 when a migration failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", action="store_true", help="tell what is applied and missing, change nothing")
    arguments = parser.parse_args()
    path = Settings.of(os.environ).database
    if arguments.status and not path.exists():
        for migration in schema.available():
            print(f"missing  {migration.name}")
        return 0
    connection = schema.prepare(path)
    try:
        return tell(connection) if arguments.status else apply_missing(connection)
    finally:
        connection.close()


def tell(connection: sqlite3.Connection) -> int:
    for name, moment in schema.applied(connection).items():
        print(f"applied  {name}  {moment}")
    for migration in schema.missing(connection):
        print(f"missing  {migration.name}")
    return 0


def apply_missing(connection: sqlite3.Connection) -> int:
    missing = schema.missing(connection)
    for migration in missing:
        try:
            fresh = schema.apply(connection, migration)
        except sqlite3.Error as error:
            print(f"{migration.name} failed and was undone: {error}", file=sys.stderr)
            return 1
        print(f"{'applied' if fresh else 'already there'}  {migration.name}")
    if not missing:
        print("nothing to do: the database has every migration")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
