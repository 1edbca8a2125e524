CREATE TABLE usage_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    path TEXT,
    video_id INTEGER,
    query TEXT,
    results INTEGER
);
CREATE INDEX usage_events_empty ON usage_events (query) WHERE type = 'search' AND results = 0;
