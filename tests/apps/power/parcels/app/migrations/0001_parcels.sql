CREATE TABLE parcels (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    receiver TEXT NOT NULL,
    grams INTEGER,
    sent TEXT NOT NULL
);
