"""Brings the database up to the newest migration; safe to repeat."""

import glob
import os
import sqlite3

connection = sqlite3.connect(os.environ["TINY_DB"], isolation_level=None, timeout=10)
connection.execute("PRAGMA journal_mode = WAL")
for number, path in enumerate(sorted(glob.glob("migrations/*.sql")), start=1):
    if connection.execute("PRAGMA user_version").fetchone()[0] < number:
        with open(path) as file:
            script = file.read()
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")
