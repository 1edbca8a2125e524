CREATE TABLE depots (id INTEGER PRIMARY KEY, town TEXT NOT NULL, parcels INTEGER NOT NULL DEFAULT 0);
INSERT INTO depots (town) VALUES ('Kiel'), ('Ulm'), ('Jena');
