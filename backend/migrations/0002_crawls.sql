CREATE TABLE crawls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER REFERENCES sources (id) ON DELETE SET NULL,
    url TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued',
    holder TEXT,
    queued TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    pages INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX crawls_by_status ON crawls (status);

CREATE TABLE crawl_errors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    crawl_id INTEGER NOT NULL REFERENCES crawls (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX crawl_errors_by_crawl ON crawl_errors (crawl_id);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE readiness (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    checked TEXT NOT NULL
);
