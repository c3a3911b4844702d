#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Tables with every kind of constraint, and changes of them, in transactions with savepoints or on their own: some are
// refused. A statement that several constraints could refuse says which by changing one row, or none of its rows can
// break more than one of them alike.
const char* const k_changes_grammar = R"grammar(
setup0 CREATE DOMAIN small AS int CHECK (VALUE < 50)
setup1 CREATE TABLE p (id int PRIMARY KEY, k int UNIQUE, t text DEFAULT 'none', n numeric(6,2) CHECK (n < 900))
setup2 CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p {action} {action2} {defer}, s small, t varchar(4), g
    int GENERATED ALWAYS AS (id * 2 + coalesce(s, 0)) STORED)
setup3 CREATE TABLE e (id serial PRIMARY KEY, k int REFERENCES p (k) {action} {action2} {defer}, pid int, d date
    DEFAULT '2020-02-02', UNIQUE (pid, d){deferkey})
setup4 CREATE TABLE f (a int, b int, v int, t text, PRIMARY KEY (a, b), CHECK (a + b < 100))
setup5 CREATE UNIQUE INDEX f_v ON f (v) WHERE v > 2
setup6 CREATE UNIQUE INDEX f_lower ON f (lower(t))
setup7 CREATE TABLE q (id int, part int NOT NULL, v int, PRIMARY KEY (id, part)) PARTITION BY LIST (part)
setup8 CREATE TABLE q1 PARTITION OF q FOR VALUES IN (0, 1)
setup9 CREATE TABLE q2 PARTITION OF q FOR VALUES IN (2, 3)
setup10 CREATE TABLE h (id int, v int, t text)
setup11 CREATE TABLE h1 (extra int DEFAULT 7) INHERITS (h)
setup12 CREATE VIEW small_p AS SELECT id, k, n FROM p WHERE id < 6 {checked}
setup13 CREATE VIEW view_c AS SELECT id AS cid, p AS cp, s FROM c WHERE s IS NULL OR s < 30
setup14 CREATE VIEW both_p AS SELECT id, k, n FROM small_p WHERE k > 0 {checked}
setup15 CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self {action} {defer}, t text)
setup16 CREATE TEMPORARY TABLE tmp (id int PRIMARY KEY, v int)
checked -
checked WITH CHECK OPTION
checked WITH LOCAL CHECK OPTION
checked WITH CASCADED CHECK OPTION
action -
action ON DELETE CASCADE
action ON DELETE SET NULL
action ON DELETE SET DEFAULT
action ON DELETE RESTRICT
action2 -
action2 ON UPDATE CASCADE
action2 ON UPDATE SET NULL
action2 ON UPDATE NO ACTION
defer*2 -
defer DEFERRABLE
defer DEFERRABLE INITIALLY DEFERRED
deferkey*2 -
deferkey  DEFERRABLE
deferkey  DEFERRABLE INITIALLY DEFERRED
block BEGIN
block*3 SAVEPOINT {save}
block*3 ROLLBACK TO {save}
block RELEASE {save}
block*2 COMMIT
block ROLLBACK
block SET CONSTRAINTS ALL DEFERRED
block SET CONSTRAINTS ALL IMMEDIATE
block COMMIT AND CHAIN
save s1
save s2
id {0-9}
id {0-4}
id {0-30}
val {0-9}
val*2 {0-60}
val NULL
val DEFAULT
txt 'a'
txt 'A'
txt 'b'
txt 'long text'
txt NULL
txt DEFAULT
where WHERE id = {id}
where WHERE id < {id}
where WHERE id IN ({id}, {id})
where WHERE id BETWEEN {id} AND {id}
where WHERE id > (SELECT min(id) FROM p)
where WHERE EXISTS (SELECT 1 FROM p x WHERE x.id = id AND x.k < {id})
change*3 INSERT INTO p VALUES ({id}, {val}, {txt}, {val}) {ret}
change*3 INSERT INTO p (id, k) VALUES ({id}, {val}) {onp} {ret}
change INSERT INTO p (id, k, n) VALUES ({id}, {val}, {0-9}), ({0-20}, NULL, {0-999}) {onp} {ret}
change INSERT INTO p SELECT id + {1-9}, k + {1-9}, t, n FROM p WHERE id < {id} ON CONFLICT DO NOTHING
change UPDATE p SET k = {val} WHERE id = {id} {ret}
change UPDATE p SET id = id + {1-20} WHERE id = {id} {ret}
change UPDATE p SET id = {id}, n = {val} WHERE id = {id} {ret}
change UPDATE p SET (k, t) = (SELECT max(k) + 1, min(t) FROM p) WHERE id = {id}
change UPDATE p SET n = n + c.s, t = c.t FROM c WHERE c.p = p.id AND c.id = {id} RETURNING p.id, p.n, c.id
change DELETE FROM p WHERE id = {id} {ret}
change DELETE FROM p WHERE id > {id}
change DELETE FROM p USING c WHERE c.p = p.id AND c.s > {id} AND c.id = {id} RETURNING p.*
change*3 INSERT INTO c (id, p, s, t) VALUES ({id}, {val}, {val}, {txt}) RETURNING *
change*2 INSERT INTO c (id, p, s) VALUES ({id}, {id}, {val}) ON CONFLICT (id) DO UPDATE SET s = excluded.s +
    coalesce(c.s, 0), p = excluded.p WHERE c.id {cmp} {id} RETURNING *
change INSERT INTO c (id, p) SELECT id, id FROM p ON CONFLICT DO NOTHING
change UPDATE c SET p = {val} {where} {ret}
change UPDATE c SET s = s + {1-20} WHERE id = {id} RETURNING g
change UPDATE c SET g = {id} WHERE id = {id}
change UPDATE c SET g = DEFAULT, t = {txt} WHERE id = {id} RETURNING *
change DELETE FROM c {where} RETURNING id, p, g
change*2 INSERT INTO e (k, pid, d) VALUES ({val}, {id}, DEFAULT) RETURNING k, pid, d
change INSERT INTO e (k, pid, d) VALUES ({val}, {id}, date '2020-02-0{1-3}') {one} RETURNING pid, d
change UPDATE e SET pid = pid + 1
change UPDATE e SET pid = {id}, d = d + 1 WHERE pid = {id} RETURNING pid, d
change UPDATE e SET k = {val} WHERE pid = {id}
change DELETE FROM e WHERE pid {cmp} {id} RETURNING pid
change*2 INSERT INTO f VALUES ({id}, {id}, {val}, {txt}) {onf} RETURNING *
change UPDATE f SET v = v + 1
change UPDATE f SET v = {val} WHERE a = {id} RETURNING *
change UPDATE f SET a = a + {1-90} WHERE b = {id} RETURNING a, b
change UPDATE f SET t = {txt} WHERE a = {id} AND b < 3
change DELETE FROM f WHERE a = {id}
change DELETE FROM f WHERE (a, b) IN (SELECT id, id FROM p)
change*2 INSERT INTO q VALUES ({id}, {0-4}, {val}) {onq} RETURNING tableoid::regclass::text, *
change UPDATE q SET part = {0-4} WHERE id = {id} RETURNING *
change UPDATE q SET part = part + 1, v = coalesce(v, 0) + 1 WHERE id = {id} AND part < 3 RETURNING
    tableoid::regclass::text, *
change DELETE FROM q WHERE part = {0-3} AND id {cmp} {id} RETURNING *
change INSERT INTO q1 VALUES ({id}, {0-3}, {val}) RETURNING *
change UPDATE q1 SET part = {0-3} WHERE id = {id} RETURNING *
change INSERT INTO h VALUES ({id}, {val}, {txt})
change INSERT INTO h1 VALUES ({id}, {val}, {txt}) RETURNING *
change UPDATE h SET v = coalesce(v, 0) + {1-3} WHERE id = {id} RETURNING tableoid::regclass::text, *
change UPDATE ONLY h SET t = {txt} WHERE id < {id} RETURNING id
change DELETE FROM h WHERE id = {id} RETURNING *
change DELETE FROM ONLY h WHERE id > {id}
change INSERT INTO small_p VALUES ({id}, {val}, {0-99}) RETURNING *
change INSERT INTO both_p (id, k) VALUES ({id}, {0-9}) RETURNING *
change INSERT INTO small_p (id, k) VALUES ({id}, {id}) ON CONFLICT (id) DO UPDATE SET k = excluded.k + {0-9} RETURNING *
change UPDATE small_p SET id = id + {1-3} WHERE id = {id} RETURNING *
change UPDATE both_p SET k = k - {1-9}, n = {0-99} WHERE id = {id} RETURNING id, k, n
change DELETE FROM both_p WHERE id = {id} RETURNING *
change INSERT INTO view_c (cid, cp, s) VALUES ({id}, {id}, {val}) RETURNING cid, s
change UPDATE view_c SET s = {val} WHERE cid = {id} RETURNING *
change DELETE FROM view_c WHERE cid = {id} AND cp IS NOT NULL
change*2 INSERT INTO self VALUES ({id}, {val}, {txt}) RETURNING *
change INSERT INTO self VALUES ({10-20}, {10-20}, {txt}), ({10-20}, {10-20}, {txt}) ON CONFLICT DO NOTHING RETURNING id
change UPDATE self SET up = {val} WHERE id = {id}
change UPDATE self SET id = {0-40} WHERE id = {id} RETURNING *
change DELETE FROM self WHERE id = {id} RETURNING *
change DELETE FROM self WHERE id > {id}
change INSERT INTO tmp VALUES ({id}, {val}) ON CONFLICT (id) DO UPDATE SET v = tmp.v + excluded.v RETURNING *
change UPDATE tmp SET id = id + 1 WHERE id = (SELECT max(id) FROM tmp) RETURNING *
change*3 MERGE INTO p USING (VALUES ({0-9}, {id}), ({10-20}, {id})) s (a, b) ON p.id = s.a WHEN MATCHED AND p.k {cmp}
    s.b THEN {mupd} WHEN MATCHED THEN {mact} WHEN NOT MATCHED {mcond} THEN {mins}
change MERGE INTO c USING p ON c.id = p.id WHEN NOT MATCHED THEN INSERT (id, p) VALUES (p.id, p.id) WHEN MATCHED AND
    c.s IS NULL THEN UPDATE SET s = {val}
change MERGE INTO f USING (SELECT DISTINCT id FROM c) s ON f.a = s.id AND f.b = {id} WHEN MATCHED THEN DELETE WHEN
    NOT MATCHED THEN INSERT (a, b, v) VALUES (s.id, {id}, NULL)
change MERGE INTO q USING p ON q.id = p.id WHEN MATCHED AND q.part < 3 AND q.v IS NULL THEN UPDATE SET v = 1 WHEN NOT
    MATCHED THEN INSERT VALUES (p.id, p.id % 4, p.k)
change*2 WITH d AS (DELETE FROM c {where} RETURNING id, p) INSERT INTO h SELECT id, p, 'moved' FROM d RETURNING *
change WITH i AS (INSERT INTO p (id, k) VALUES ({0-20}, NULL) ON CONFLICT DO NOTHING RETURNING id) INSERT INTO c (id,
    p) SELECT id + 40, id FROM i RETURNING id, p, g
change WITH u AS (UPDATE p SET k = k + 100 WHERE id = {id} RETURNING id, k) SELECT u.id, u.k, p.k FROM u JOIN p USING
    (id)
change WITH u AS (UPDATE f SET v = NULL WHERE a = {id} RETURNING *), g AS (DELETE FROM h WHERE id IN (SELECT a FROM
    u) RETURNING id) SELECT (SELECT count(*) FROM u), (SELECT count(*) FROM g), (SELECT count(*) FROM h)
change TRUNCATE h
change TRUNCATE p
change TRUNCATE c, e {trunc}
change TRUNCATE p CASCADE
change ALTER TABLE h ADD COLUMN x{1-3} int DEFAULT {0-9}
change ALTER TABLE h DROP COLUMN IF EXISTS x{1-3}
change ALTER TABLE h ADD CONSTRAINT hc{1-2} CHECK (v {cmp} {0-60})
change ALTER TABLE h DROP CONSTRAINT hc{1-2}
change ALTER TABLE c ALTER COLUMN t TYPE {ttype}
change ALTER TABLE p ALTER COLUMN n TYPE {ntype}
change ALTER TABLE p ALTER COLUMN k SET NOT NULL
change ALTER TABLE p ALTER COLUMN k DROP NOT NULL
change ALTER TABLE p ALTER COLUMN t SET DEFAULT 'd{0-9}'
change ALTER TABLE f DROP CONSTRAINT f_a_check
change CREATE UNIQUE INDEX u{1-3} ON h (id)
change CREATE INDEX x{1-3} ON c (s, t)
change DROP INDEX x{1-3}
change DROP INDEX u{1-3}
change ALTER TABLE c DROP CONSTRAINT c_p_fkey
change ALTER TABLE c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES p {action} {action2} {defer}
change CREATE TABLE n{1-2} AS SELECT id, k FROM p WHERE id < {id}
change DROP TABLE n{1-2}
change SELECT * FROM n{1-2}
change ALTER TABLE q DETACH PARTITION q2
change ALTER TABLE q ATTACH PARTITION q2 FOR VALUES IN (2, 3)
trunc -
trunc RESTART IDENTITY
ttype text
ttype varchar(2)
ttype varchar(9)
ttype char(3)
ntype numeric(6,1)
ntype numeric(4,2)
ntype int
ntype numeric(8,3)
cmp =
cmp <
cmp >
cmp <>
ret -
ret RETURNING *
ret RETURNING id
onp -
onp ON CONFLICT DO NOTHING
onp ON CONFLICT (id) DO NOTHING
onp ON CONFLICT (id) DO UPDATE SET k = excluded.k, t = p.t || 'x'
onp ON CONFLICT (k) DO UPDATE SET n = coalesce(p.n, 0) + 1
onp ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE p.n IS DISTINCT FROM excluded.n
onp ON CONFLICT ON CONSTRAINT p_pkey DO UPDATE SET id = p.id + 50
one -
one ON CONFLICT DO NOTHING
onf -
onf ON CONFLICT (a, b) DO UPDATE SET v = excluded.v, t = lower(f.t)
onf ON CONFLICT (v) WHERE v > 2 DO UPDATE SET v = f.v + 1
onf ON CONFLICT (lower(t)) DO UPDATE SET t = f.t || excluded.v
onf ON CONFLICT DO NOTHING
onf ON CONFLICT (b, a) DO NOTHING
onf ON CONFLICT (v) DO NOTHING
onq -
onq ON CONFLICT DO NOTHING
onq ON CONFLICT (id, part) DO UPDATE SET v = excluded.v + coalesce(q.v, 0)
onq ON CONFLICT (part, id) DO UPDATE SET v = NULL WHERE q.v < 30
mupd UPDATE SET k = {val}
mupd UPDATE SET t = s.b::text, n = {0-99}
mact DELETE
mact DO NOTHING
mact UPDATE SET t = {txt}
mcond -
mcond AND s.b < {id}
mins INSERT VALUES (s.a, s.b, {txt}, DEFAULT)
mins INSERT (id, t) VALUES (s.a, {txt})
mins DO NOTHING
)grammar";

}  // namespace northstar::hard
