#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Definitions of a few tables under few names, and rows of them. Many are refused: a column is not there, or a table
// is there already. What a change does never depends on the order in which it finds its rows.
const char* const k_definitions_grammar = R"grammar(
setup0 CREATE DOMAIN small AS int CHECK (VALUE < 50)
setup1 CREATE TYPE mood AS ENUM ('low', 'high')
setup2 CREATE TABLE t1 (id int PRIMARY KEY, a int, b text DEFAULT 'none', c numeric(6,2))
setup3 CREATE TABLE t2 (id int, a int NOT NULL, b small, c varchar(9), PRIMARY KEY (a, id))
setup4 CREATE TABLE t3 (a int, b text)
setup5 INSERT INTO t1 SELECT i, i % 4, 'b' || i % 3, i FROM generate_series(1, {3-30}) i
setup6 INSERT INTO t2 SELECT i, i % 4, i, '{0-9}' FROM generate_series(1, {3-30}) i
setup7 INSERT INTO t3 SELECT i, i FROM generate_series(1, {3-9}) i
setup8 CREATE TABLE t4 (id int PRIMARY KEY, a mood, b mood DEFAULT 'high', c small[])
setup9 INSERT INTO t4 VALUES (1, 'low', 'high', ARRAY[1]), (2, 'high', 'low', NULL), (3, NULL, 'low', ARRAY[2, 3])
block BEGIN
block*2 SAVEPOINT s
block*2 ROLLBACK TO s
block*4 COMMIT
block ROLLBACK
tab*3 t1
tab*2 t2
tab t3
tab t4
tab t5
col id
col*2 a
col*2 b
col*2 c
col d
col e
type*2 int
type bigint
type*2 text
type numeric(7,1)
type varchar(5)
type boolean
type small
type mood
type int[]
type jsonb
type date
type char(3)
type timestamp
lit '{0-9}'
lit '{0-30}'
lit 'x{0-9}'
lit 'high'
lit '[1, {0-9}]'
lit '2020-01-0{1-9}'
num {0-9}
num {0-40}
val*4 {num}
val*2 {lit}
val NULL
val DEFAULT
default*3 -
default DEFAULT {lit}
default*2 DEFAULT {num}
default NOT NULL DEFAULT {num}
default DEFAULT (random() < 2)
default GENERATED ALWAYS AS (a) STORED
default UNIQUE
default CHECK ({col} IS NOT NULL)
using*3 -
using USING {col}::{type}
using USING NULL
using USING {num}
cascade*2 -
cascade CASCADE
where WHERE {col} = {val}
where*2 WHERE {col} = {num}
where*2 WHERE id = {num}
where*2 WHERE a = {num}
where WHERE {col} IS NULL
where -
change*4 INSERT INTO {tab} VALUES ({num})
change*3 INSERT INTO {tab} VALUES ({num}, {val}) ON CONFLICT DO NOTHING
change*2 INSERT INTO {tab} VALUES ({num}, {val}, {val}, {val})
change*2 INSERT INTO {tab} (id, {col}) VALUES ({num}, {val}), ({10-40}, {val})
change INSERT INTO {tab} (a, {col}) VALUES ({num}, {val})
change INSERT INTO {tab} SELECT i FROM generate_series({20-40}, {41-60}) i ON CONFLICT DO NOTHING
change*8 UPDATE {tab} SET {col} = {val} {where}
change*2 UPDATE {tab} SET {col} = {col} {where}
change*3 DELETE FROM {tab} {where}
change TRUNCATE {tab}
change*2 WITH x AS (DELETE FROM {1=tab} WHERE a = {num} RETURNING *) INSERT INTO {1} SELECT * FROM x
change MERGE INTO {tab} t USING (VALUES ({num}, {num})) s (x, y) ON t.id = s.x WHEN MATCHED THEN UPDATE SET a = s.y
    WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.x, s.y)
definition CREATE TABLE {tab} (id int PRIMARY KEY, a {type}, b {type} {default})
definition CREATE TABLE {tab} (id int, a int, c {type} {default}, d {type}, PRIMARY KEY (id, a))
definition CREATE TABLE {tab} (a {type}, b {type}, id {type})
definition CREATE TABLE {tab} AS SELECT * FROM {tab}
definition CREATE TABLE {tab} AS SELECT a, b FROM {tab} {where}
definition CREATE TABLE {tab} (LIKE {tab} INCLUDING ALL)
definition CREATE TABLE {tab} (e int) INHERITS ({tab})
definition*3 DROP TABLE {tab} {cascade}
definition*6 ALTER TABLE {tab} ADD COLUMN {col} {type} {default}
definition*5 ALTER TABLE {tab} DROP COLUMN {col} {cascade}
definition*4 ALTER TABLE {tab} RENAME COLUMN {col} TO {col}
definition*2 ALTER TABLE {tab} RENAME TO {tab}
definition*7 ALTER TABLE {tab} ALTER COLUMN {col} TYPE {type} {using}
definition ALTER TABLE {tab} ALTER COLUMN {col} SET DEFAULT {num}
definition ALTER TABLE {tab} ALTER COLUMN {col} SET DEFAULT {lit}
definition ALTER TABLE {tab} ALTER COLUMN {col} DROP DEFAULT
definition ALTER TABLE {tab} ALTER COLUMN {col} SET NOT NULL
definition ALTER TABLE {tab} ALTER COLUMN {col} DROP NOT NULL
definition ALTER TABLE {tab} ALTER COLUMN {col} DROP EXPRESSION
definition ALTER TABLE {tab} ADD COLUMN {col} {type} {default}, DROP COLUMN {col}
definition ALTER TABLE {tab} ALTER COLUMN {col} TYPE {type}, ADD COLUMN {col} {type} {default}
definition ALTER TABLE {tab} ADD CONSTRAINT k{1-3} CHECK ({col} IS NOT NULL)
definition ALTER TABLE {tab} ADD CONSTRAINT k{1-3} UNIQUE ({col})
definition*2 ALTER TABLE {tab} ADD PRIMARY KEY ({col})
definition ALTER TABLE {tab} ADD PRIMARY KEY ({col}, {col})
definition*2 ALTER TABLE {1=tab} DROP CONSTRAINT {1}_pkey {cascade}
definition ALTER TABLE {tab} ADD CONSTRAINT k{1-3} FOREIGN KEY ({col}) REFERENCES {tab} ON DELETE CASCADE
definition ALTER TABLE {tab} DROP CONSTRAINT k{1-3} {cascade}
definition*3 CREATE INDEX i{1-3} ON {tab} ({col})
definition CREATE INDEX i{1-3} ON {tab} ({col}, {col} DESC)
definition CREATE INDEX i{1-3} ON {tab} ({col}) WHERE a > 2
definition CREATE INDEX i{1-3} ON {tab} ((a + 1), {col})
definition CREATE UNIQUE INDEX i{1-3} ON {tab} ({col})
definition DROP INDEX i{1-3}
definition ALTER INDEX i{1-3} RENAME TO i{1-3}
definition*2 CREATE VIEW v{1-2} AS SELECT * FROM {tab}
definition CREATE VIEW v{1-2} AS SELECT a, b, id AS c FROM {tab} {where}
definition CREATE OR REPLACE VIEW v{1-2} AS SELECT a, b, count(*) AS n FROM {tab} GROUP BY a, b
definition CREATE VIEW v{1-2} AS SELECT x.a, y.b FROM {tab} x JOIN {tab} y USING (id)
definition DROP VIEW v{1-2} {cascade}
definition ALTER VIEW v{1-2} RENAME TO v{1-2}
definition CREATE MATERIALIZED VIEW m1 AS SELECT a, count(*) AS n FROM {tab} GROUP BY a
definition REFRESH MATERIALIZED VIEW m1
definition DROP MATERIALIZED VIEW m1
definition*2 ALTER TYPE mood RENAME VALUE 'low' TO 'deep'
definition ALTER TYPE mood RENAME VALUE 'deep' TO 'low'
definition ALTER TYPE mood RENAME VALUE 'high' TO 'x{0-9}'
definition ALTER TYPE mood ADD VALUE 'x{0-9}' BEFORE 'high'
definition ALTER DOMAIN small RENAME TO little
definition ALTER DOMAIN little RENAME TO small
definition DROP TYPE mood {cascade}
definition ALTER TYPE mood RENAME TO temper
definition ALTER TYPE temper RENAME TO mood
definition ALTER DOMAIN small DROP CONSTRAINT small_check
definition ALTER TABLE {tab} NO INHERIT {tab}
definition ANALYZE {tab}
definition CREATE SEQUENCE q1 OWNED BY {tab}.{col}
definition COMMENT ON TABLE {tab} IS 'it'
)grammar";

}  // namespace northstar::hard
