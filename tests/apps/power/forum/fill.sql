WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO threads (id, title, score) SELECT i, 'Thread about matter ' || i, i * 37 % 101 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO posts (id, thread_id, author, text) SELECT i, 1 + i % 200, 'author' || (i % 3000), 'Words ' || i FROM n;
