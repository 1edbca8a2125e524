CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    added TEXT NOT NULL
);

CREATE TABLE videos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    media_url TEXT,
    thumbnail_url TEXT,
    duration INTEGER,
    published TEXT,
    category TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    favourite INTEGER NOT NULL DEFAULT 0,
    plays INTEGER NOT NULL DEFAULT 0,
    edited INTEGER NOT NULL DEFAULT 0,
    source_id INTEGER REFERENCES sources (id) ON DELETE SET NULL,
    added TEXT NOT NULL
);
CREATE INDEX videos_by_published ON videos (published);
CREATE INDEX videos_by_source ON videos (source_id);

CREATE TABLE video_tags (
    video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (video_id, tag)
) WITHOUT ROWID;
CREATE INDEX video_tags_by_tag ON video_tags (tag);

CREATE VIRTUAL TABLE videos_fts USING fts5 (
    title, description, category, tags,
    content = 'videos', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TRIGGER videos_inserted AFTER INSERT ON videos BEGIN
    INSERT INTO videos_fts (rowid, title, description, category, tags)
    VALUES (new.id, new.title, new.description, new.category, new.tags);
    INSERT OR IGNORE INTO video_tags (video_id, tag) SELECT new.id, value FROM json_each(new.tags);
END;

CREATE TRIGGER videos_deleted AFTER DELETE ON videos BEGIN
    INSERT INTO videos_fts (videos_fts, rowid, title, description, category, tags)
    VALUES ('delete', old.id, old.title, old.description, old.category, old.tags);
END;

CREATE TRIGGER videos_described AFTER UPDATE OF title, description, category, tags ON videos BEGIN
    INSERT INTO videos_fts (videos_fts, rowid, title, description, category, tags)
    VALUES ('delete', old.id, old.title, old.description, old.category, old.tags);
    INSERT INTO videos_fts (rowid, title, description, category, tags)
    VALUES (new.id, new.title, new.description, new.category, new.tags);
END;

CREATE TRIGGER videos_tagged AFTER UPDATE OF tags ON videos BEGIN
    DELETE FROM video_tags WHERE video_id = new.id;
    INSERT OR IGNORE INTO video_tags (video_id, tag) SELECT new.id, value FROM json_each(new.tags);
END;

CREATE TABLE playlists (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created TEXT NOT NULL
);

CREATE TABLE playlist_items (
    playlist_id INTEGER NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
    video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (playlist_id, video_id)
) WITHOUT ROWID;
