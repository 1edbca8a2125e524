"""Brings the database up to the newest migration."""

import glob
import os
import sqlite3

DATABASE = os.environ.get("PARCELS_DB", "parcels.db")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    connection = sqlite3.connect(DATABASE, isolation_level=None)
    for number, path in enumerate(sorted(glob.glob(os.path.join(here, "migrations", "*.sql"))), start=1):
        if connection.execute("PRAGMA user_version").fetchone()[0] < number:
            with open(path) as file:
                script = file.read()
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")
    connection.close()


if __name__ == "__main__":
    main()
