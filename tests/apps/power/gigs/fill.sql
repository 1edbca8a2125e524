WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
INSERT INTO venues SELECT i, 'hall-' || i, 'Hall ' || i, 'Town ' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO shows (id, venue_id, title, day) SELECT i, 1 + i % 25, 'Show ' || i, date('2026-01-01', '+' || i || ' days') FROM n;
