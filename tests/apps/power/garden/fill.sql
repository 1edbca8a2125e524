WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO plants_bed (id, name, sunny) SELECT i, 'Bed ' || i, i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO plants_plant (id, name, label, sown, bed_id)
SELECT i, 'Plant ' || i, 'plant-' || i, date('2022-01-01', '+' || (i % 1700) || ' days'), 1 + i % 40 FROM n;
