WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
INSERT INTO parcels (id, code, status, receiver, grams, sent)
SELECT i, 'code' || i, CASE i % 7 WHEN 0 THEN 'lost' WHEN 1 THEN 'waiting' ELSE 'sent' END, 'Receiver ' || (i % 4000),
       CASE WHEN i % 40 = 0 THEN NULL ELSE i % 5000 END, date('2026-01-01', '+' || (i % 300) || ' days') FROM n;
