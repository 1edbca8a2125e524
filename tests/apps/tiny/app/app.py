"""Notes over HTTP, kept in SQLite; nothing but Python's own library."""

import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DATABASE = os.environ["TINY_DB"]


def rows(sql, *values):
    connection = sqlite3.connect(DATABASE, timeout=10)
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def with_tag(tag):
    return [row[0] for row in rows("SELECT text FROM notes WHERE tag = ? ORDER BY id LIMIT 20", tag)]


class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        if address.path == "/health":
            self.answer(200, {"ok": True})
        elif address.path == "/notes":
            self.answer(200, with_tag(parse_qs(address.query).get("tag", ["home"])[0]))
        elif address.path == "/count":
            self.answer(200, rows("SELECT count(*) FROM notes")[0][0])
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self):
        note = json.loads(self.rfile.read(int(self.headers["content-length"])))
        rows("INSERT INTO notes (tag, text) VALUES (?, ?)", note["tag"], note["text"])
        self.answer(201, note)

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Notes).serve_forever()
