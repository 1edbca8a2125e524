WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
INSERT INTO doctors (id, name, specialty, room)
SELECT i, 'Doctor number ' || i, CASE i % 3 WHEN 0 THEN 'heart' WHEN 1 THEN 'skin' ELSE 'teeth' END, 1 + i % 9 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO visits (id, doctor_id, day, note)
SELECT i, 1 + i % 60, date('2026-01-01', '+' || (i % 1500) || ' days'), 'control ' || i FROM n;
