"""The SQLite file and the connections to it."""

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from library import schema

BUSY_TIMEOUT_SECONDS = 5.0
IDLE_CONNECTIONS = 8
REFUSING_TO_STORE = {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_IOERR_WRITE", "SQLITE_READONLY"}


class DatabaseUnready(Exception):
    """The database cannot answer now: missing, not migrated, or busy. The message is for the caller."""


class Database:
    """Opens the file at `path`, which `migrate.py` has made. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(IDLE_CONNECTIONS)
        self._schema_seen = False
        # Writers of this process queue here: SQLite's own waiting is a sleep, in which the unlucky one starves.
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with. Raises DatabaseUnready when there is no database."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on the disk when the block ends, undone when it raises.

        Raises DatabaseUnready when there is no database or it stays locked.
        """
        with self._writers_turn(), self.reading() as connection:
            self._begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname in REFUSING_TO_STORE:
                    raise DatabaseUnready(f"The database cannot be written to now ({error}).") from error
                raise

    def require_schema(self) -> None:
        """Raises DatabaseUnready unless every migration of this release has been applied."""
        if self._schema_seen:
            return
        with self.reading() as connection:
            missing = schema.missing(connection)
        if missing:
            names = ", ".join(migration.name for migration in missing)
            raise DatabaseUnready(f"The database lacks migrations: {names}. Run python migrate.py.")
        self._schema_seen = True

    def close(self) -> None:
        """Close the idle connections; the last one leaves the file checkpointed."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    @contextlib.contextmanager
    def _writers_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise DatabaseUnready("The database cannot be written to now (too many writers).")
        try:
            yield
        finally:
            self._turn.release()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError as error:
            raise DatabaseUnready(f"The database cannot be opened ({error}). Run python migrate.py.") from error
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        # An acknowledged row must survive a power cut, and WAL's default syncs only at checkpoints.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @staticmethod
    def _begin(connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise DatabaseUnready(f"The database cannot be written to now ({error}).") from error
