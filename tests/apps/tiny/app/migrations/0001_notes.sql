CREATE TABLE notes (id INTEGER PRIMARY KEY, tag TEXT NOT NULL, text TEXT NOT NULL);
INSERT INTO notes (tag, text) VALUES ('home', 'water the plants'), ('work', 'write less'), ('home', 'bread');
