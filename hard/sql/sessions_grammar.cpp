#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Few keys, so that sessions meet. What a statement answers does not depend on the order in which it finds its rows:
// a change of several rows gives none a key that another one had.
const char* const k_sessions_grammar = R"grammar(
setup0 CREATE TABLE p (id int PRIMARY KEY, k int UNIQUE, n int CHECK (n >= 0), t text)
setup1 CREATE INDEX p_n ON p (n)
setup2 CREATE INDEX p_t ON p (t, n DESC) WHERE n > 2
setup3 CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p {action} {defer}, k int REFERENCES p (k) {action}
    ON UPDATE CASCADE {defer}, v int)
setup4 CREATE INDEX c_p ON c (p, v)
setup5 CREATE TABLE f (a int, b int, v int, PRIMARY KEY (a, b))
setup6 CREATE UNIQUE INDEX f_v ON f (v) WHERE v > 5
setup7 CREATE TABLE d (id int PRIMARY KEY, pos int, up int REFERENCES d {action} {defer}, UNIQUE (pos){deferkey})
setup8 CREATE TABLE w (id int, during int4range, v int, PRIMARY KEY (id, during WITHOUT OVERLAPS))
setup9 CREATE TABLE o (id int PRIMARY KEY, w int, during int4range, FOREIGN KEY (w, PERIOD during) REFERENCES w (id,
    PERIOD during))
setup10 CREATE TABLE q (id int, part int NOT NULL, v int, PRIMARY KEY (id, part)) PARTITION BY LIST (part)
setup11 CREATE TABLE q1 PARTITION OF q FOR VALUES IN (0, 1)
setup12 CREATE TABLE q2 PARTITION OF q FOR VALUES IN (2, 3)
setup13 CREATE TABLE h (id int, v int)
setup14 CREATE TABLE h1 (extra int DEFAULT 7) INHERITS (h)
setup15 CREATE VIEW small AS SELECT id, k, n FROM p WHERE n < 8 WITH CHECK OPTION
setup16 INSERT INTO p SELECT i, i + 10, i % 5, 'a' || i % 3 FROM generate_series(0, 9, {1-3}) i
setup17 INSERT INTO c SELECT i, i, NULL, i % 4 FROM generate_series(0, 12) i WHERE i IN (SELECT id FROM p)
setup18 INSERT INTO f SELECT i / 4, i % 4, i FROM generate_series(0, 15, {1-3}) i
setup19 INSERT INTO d SELECT i, i, NULL FROM generate_series(0, {3-8}) i
setup20 INSERT INTO w VALUES (1, '[0,10)', 1), (1, '[20,30)', 2), (2, '[5,25)', 3)
setup21 INSERT INTO q SELECT i, i % 4, i FROM generate_series(0, 9) i
setup22 INSERT INTO h SELECT i, i FROM generate_series(0, {1-9}) i
setup23 INSERT INTO p SELECT i, i, 20 + i % 30, 'z' || i FROM generate_series(100, {most}) i
setup24 INSERT INTO c SELECT i, NULL, NULL, 30 + i % 40 FROM generate_series(100, {most}) i
setup25 INSERT INTO f SELECT i, i % 7, i FROM generate_series(100, {most}) i
setup26 INSERT INTO d SELECT i, i, NULL FROM generate_series(100, {most}) i
setup27 INSERT INTO w SELECT i / 10, int4range(i % 10 * 10, i % 10 * 10 + 7), i FROM generate_series(100, {most}) i
setup28 INSERT INTO q SELECT i, i % 4, 30 + i FROM generate_series(100, {most}) i
setup29 INSERT INTO h SELECT i, 30 + i FROM generate_series(100, {most}) i
setup30 {analyzed}
analyzed ANALYZE
analyzed ANALYZE p
most*2 99
most 400
action*2 -
action ON DELETE CASCADE
action ON DELETE SET NULL
action ON DELETE RESTRICT
defer*2 -
defer DEFERRABLE
defer DEFERRABLE INITIALLY DEFERRED
deferkey*2 -
deferkey  DEFERRABLE
deferkey*2  DEFERRABLE INITIALLY DEFERRED
id*3 {0-9}
id {0-14}
val {0-9}
val*2 {0-20}
val NULL
cmp =
cmp <
cmp >
cmp <>
span [{0-14},{15-30})
span [{0-9},{10-14})
span [{15-22},{23-32})
control SET CONSTRAINTS ALL DEFERRED
control SET CONSTRAINTS ALL IMMEDIATE
read*2 SELECT * FROM p WHERE id = {id}
read SELECT * FROM p WHERE k = {10-24}
read SELECT id, n FROM p WHERE n = {0-9}
read SELECT n FROM p WHERE n BETWEEN {0-4} AND {4-9}
read SELECT id, t FROM p WHERE n > {2-6} AND t = 'a{0-3}'
read SELECT t, n FROM p WHERE n > 2 AND t LIKE 'a{0-2}%'
read*2 SELECT count(*) FROM {any}
read SELECT count(*) FROM p WHERE id < {id}
read SELECT count(*), sum(v) FROM f WHERE a {cmp} {0-4}
read SELECT min(id), max(id) FROM p
read SELECT max(n) FROM p
read SELECT min(pos), max(pos) FROM d
read SELECT id FROM p ORDER BY id LIMIT {1-3}
read SELECT a, b FROM f ORDER BY a DESC, b LIMIT 2 OFFSET {0-3}
read SELECT id FROM c WHERE v > {0-9} ORDER BY id DESC LIMIT 1
read SELECT EXISTS (SELECT 1 FROM c WHERE p = {id})
read SELECT id FROM p WHERE EXISTS (SELECT 1 FROM c WHERE c.p = p.id AND c.v {cmp} {0-9})
read SELECT id FROM p WHERE NOT EXISTS (SELECT 1 FROM c WHERE c.p = p.id)
read SELECT id FROM p WHERE id IN (SELECT a FROM f WHERE v > {0-9})
read SELECT id FROM p WHERE id IN ({id}, {id}, {id})
read SELECT p.id, c.id FROM p LEFT JOIN c ON c.p = p.id WHERE p.n < {0-9}
read SELECT c.id, p.t FROM c JOIN p ON p.id = c.p WHERE c.id = {id}
read SELECT p, count(*), sum(v) FROM c GROUP BY p
read SELECT DISTINCT n FROM p
read SELECT a, sum(v) OVER (PARTITION BY a ORDER BY b) FROM f
read SELECT v FROM f WHERE v > 5 AND v < {6-20}
read SELECT a, b FROM f WHERE (a, b) = ({0-3}, {0-3})
read SELECT a, b FROM f WHERE (a, b) > ({0-3}, {0-3})
read SELECT id FROM c WHERE p IS NULL
read SELECT id, up FROM d WHERE up = {id}
read WITH RECURSIVE r (i) AS (SELECT id FROM d WHERE up IS NULL UNION SELECT d.id FROM d, r WHERE d.up = r.i) TABLE r
read SELECT * FROM w WHERE id = {1-3} AND during @> {0-30}
read SELECT id, during FROM w WHERE during && '{span}'
read SELECT * FROM o
read SELECT tableoid::regclass::text, * FROM q WHERE part = {0-3}
read SELECT * FROM q2 WHERE v > {0-9}
read SELECT id FROM q1 WHERE id = {id}
read SELECT tableoid::regclass::text, id, v FROM h WHERE id < {id}
read SELECT * FROM ONLY h
read SELECT * FROM h1
read SELECT * FROM small WHERE id > {id}
read SELECT (SELECT count(*) FROM c), (SELECT max(v) FROM f)
read SELECT id FROM p WHERE n > (SELECT avg(v) FROM f)
read SELECT id FROM p EXCEPT SELECT p FROM c
read SELECT relname FROM pg_class WHERE relname IN ('n1', 'n2')
lock SELECT * FROM p WHERE id = {id} FOR UPDATE
lock SELECT id, n FROM p WHERE n {cmp} {0-9} FOR SHARE
lock SELECT c.id FROM c JOIN p ON c.p = p.id WHERE p.n > {0-9} FOR UPDATE OF p
lock SELECT * FROM f WHERE a = {0-4} FOR NO KEY UPDATE SKIP LOCKED
lock SELECT * FROM d WHERE pos > {id} FOR KEY SHARE
any p
any c
any f
any d
any w
any q
any q1
any h
any small
change*3 INSERT INTO p VALUES ({id}, {10-24}, {0-9}, 'a{0-3}') {onp} {ret}
change INSERT INTO p VALUES ({id}, NULL, {0-9}, NULL), ({10-24}, NULL, {0-9}, 'b') {onp}
change INSERT INTO p SELECT max(id) + 1, max(k) + 1, 3, 'next' FROM p
change INSERT INTO p SELECT id + 20, k + 20, n, t FROM p WHERE id < {id} ON CONFLICT DO NOTHING
change*2 UPDATE p SET n = n + {1-3} WHERE id = {id} {ret}
change*2 UPDATE p SET n = n - {1-3} WHERE id = {id}
change UPDATE p SET k = {10-24} WHERE id = {id} {ret}
change UPDATE p SET n = n + 1 WHERE n < {0-9}
change UPDATE p SET t = 'a{0-3}' WHERE n > {0-9}
change UPDATE p SET id = {id} WHERE id = {id}
change UPDATE p SET n = (SELECT count(*) FROM c WHERE c.p = p.id) WHERE id = {id} {ret}
change UPDATE p SET n = n + c.v FROM c WHERE c.p = p.id AND c.id = {id}
change*2 DELETE FROM p WHERE id = {id} {ret}
change DELETE FROM p WHERE k > {10-24} AND NOT EXISTS (SELECT 1 FROM c WHERE c.p = p.id)
change*3 INSERT INTO c VALUES ({id}, {id}, NULL, {val}) {onc} {ret}
change INSERT INTO c VALUES ({10-24}, NULL, {10-20}, {val}) {onc}
change INSERT INTO c SELECT id + 30, id, k, n FROM p WHERE n < {0-9} ON CONFLICT (id) DO UPDATE SET v = c.v + 1
change UPDATE c SET p = {id} WHERE id = {id} {ret}
change UPDATE c SET v = v + 1 WHERE p = {id}
change UPDATE c SET k = {10-20} WHERE v > {0-9}
change DELETE FROM c WHERE id = {id} {ret}
change DELETE FROM c WHERE v {cmp} {0-9}
change DELETE FROM c USING p WHERE c.p = p.id AND p.n = {0-9} RETURNING c.id, p.id
change*2 INSERT INTO f VALUES ({0-4}, {0-4}, {val}) {onf} {ret2}
change UPDATE f SET v = {val} WHERE a = {0-4} AND b = {0-4} {ret2}
change UPDATE f SET v = -abs(v) WHERE a = {0-4}
change UPDATE f SET v = (SELECT max(v) + 1 FROM f) WHERE a = {0-4} AND b = {0-3}
change DELETE FROM f WHERE a = {0-4} {ret2}
change DELETE FROM f WHERE (a, b) IN (SELECT id, v FROM c)
change*2 INSERT INTO d VALUES ({id}, {id}, {val}) {ret}
change UPDATE d SET pos = {id} WHERE id = {id} {ret}
change UPDATE d SET up = {id} WHERE id = {id}
change UPDATE d x SET pos = (SELECT min(pos) FROM d y WHERE y.id <> x.id) WHERE id = {id}
change DELETE FROM d WHERE id = {id} {ret}
change*2 INSERT INTO w VALUES ({1-3}, '{span}', {val})
change UPDATE w FOR PORTION OF during FROM {0-12} TO {13-30} SET v = {val} WHERE id = {1-3} {ret}
change DELETE FROM w FOR PORTION OF during FROM {0-12} TO {13-30} WHERE id = {1-3}
change DELETE FROM w WHERE id = {1-3} AND v {cmp} {0-9}
change INSERT INTO o VALUES ({id}, {1-3}, '{span}')
change DELETE FROM o WHERE id < {id}
change*2 INSERT INTO q VALUES ({id}, {0-3}, {val}) ON CONFLICT DO NOTHING
change INSERT INTO q VALUES ({id}, {0-3}, {val}) ON CONFLICT (id, part) DO UPDATE SET v = excluded.v + q.v {ret}
change UPDATE q SET part = {0-3} WHERE id = {id} {ret}
change UPDATE q1 SET v = v + 1 WHERE id < {id}
change DELETE FROM q2 WHERE v = {0-9}
change INSERT INTO h VALUES ({id}, {val})
change INSERT INTO h1 VALUES ({id}, {val}) {ret}
change UPDATE h SET v = v + 1 WHERE id = {id} {ret}
change DELETE FROM h WHERE v {cmp} {0-9}
change UPDATE small SET n = n + {1-4} WHERE id = {id} {ret}
change INSERT INTO small VALUES ({id}, {10-24}, {0-10})
change*2 MERGE INTO p USING (VALUES ({0-9}, {0-9}), ({10-20}, {0-9})) s (a, b) ON p.id = s.a WHEN MATCHED AND p.n
    {cmp} s.b THEN UPDATE SET n = s.b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a, NULL, s.b, 'm')
change MERGE INTO f USING c ON f.a = c.p AND f.b = c.id WHEN MATCHED THEN UPDATE SET v = NULL WHEN NOT MATCHED AND
    c.p IS NOT NULL AND c.id < {id} THEN INSERT VALUES (c.p, c.id, NULL)
change WITH x AS (DELETE FROM c WHERE p = {id} RETURNING id, v) INSERT INTO h SELECT id, v FROM x
definition CREATE INDEX x{1-2} ON p (n, k)
definition CREATE INDEX x3 ON c (v) WHERE v > 3
definition DROP INDEX x{1-3}
definition CREATE UNIQUE INDEX u1 ON h (id)
definition DROP INDEX u1
definition ALTER TABLE c ADD COLUMN z int DEFAULT {0-9}
definition ALTER TABLE c DROP COLUMN z
definition ALTER TABLE f ADD CONSTRAINT f_small CHECK (v < {5-40})
definition ALTER TABLE f DROP CONSTRAINT f_small
definition ALTER TABLE h ALTER COLUMN v SET NOT NULL
definition ALTER TABLE h ALTER COLUMN v DROP NOT NULL
definition TRUNCATE h
definition TRUNCATE f
definition CREATE TABLE n{1-2} AS SELECT id, n FROM p WHERE n < {0-9}
definition DROP TABLE n{1-2}
definition ANALYZE
cursor SELECT id, v FROM c ORDER BY id
cursor SELECT * FROM p WHERE n > {0-5} ORDER BY id
cursor SELECT a, b FROM f ORDER BY v, a, b
ret -
ret RETURNING *
ret RETURNING id
ret2 -
ret2 RETURNING *
onp*2 -
onp ON CONFLICT DO NOTHING
onp ON CONFLICT (id) DO UPDATE SET n = p.n + 1
onp ON CONFLICT (k) DO UPDATE SET t = 'twice'
onc*2 -
onc ON CONFLICT DO NOTHING
onc ON CONFLICT (id) DO UPDATE SET v = excluded.v, p = excluded.p
onf*2 -
onf ON CONFLICT DO NOTHING
onf ON CONFLICT (a, b) DO UPDATE SET v = excluded.v
onf ON CONFLICT (v) WHERE v > 5 DO UPDATE SET v = f.v + 20
)grammar";

}  // namespace northstar::hard
