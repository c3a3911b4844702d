// The grammar of hostile statements: what they do. sql_grammar.hpp says how it is read.
#include "hard/fuzz/sql_grammar.hpp"

namespace northstar::hard {

const char* const k_sql_statement_rules = R"GRAMMAR(
= statement
SELECT 1
<query>
<query>
<query>
<query> <statement_time>
<with> <query>
<insert>
<insert>
<update>
<update>
<delete>
<merge>
<with> <change>
<create>
<create>
<alter>
<alter>
<drop>
<transaction>
<transaction>
<setting>
<prepare>
<cursor>
<utility>
<copy>
<block>

= block
DO $block$ <block_body> $block$
DO LANGUAGE plpgsql $block$ <block_body> $block$

= block_body
BEGIN <steps> END
BEGIN <steps> EXCEPTION WHEN <condition> THEN <steps> END
BEGIN <steps> EXCEPTION WHEN <condition> THEN <steps> WHEN OTHERS THEN <steps> END

= steps
<step>
<step>
<step> <step>
<step> <steps>

= step
NULL;
RETURN;
<change>;
<create>;
<drop>;
<alter>;
<transaction>;
PERFORM <targets> FROM <from> <where>;
EXECUTE <text>;
IF <bool> THEN <steps> END IF;
IF EXISTS (<query>) THEN <steps> ELSIF <bool> THEN <steps> ELSE <steps> END IF;
RAISE NOTICE 'a % and %', <int>, <text>;
RAISE <condition> USING message = <text>;
RAISE;
<block_body>;

= condition
unique_violation
duplicate_object OR duplicate_table
division_by_zero
data_exception
SQLSTATE '23505'
OTHERS

= change
<insert>
<update>
<delete>
<merge>

= query
SELECT <targets>
<select_xy>
<select_xy>
<select_xy>
<group_xy>
<window_xy>
<set_operation>
VALUES <rows>
TABLE <table>
<catalog_query>
<history_query>
(<query>) <order_number> <limit>

= select_xy
SELECT <distinct> <targets> FROM <from> <where> <order_number> <limit> <locking>
SELECT * FROM <from> <where> <order> <limit>
SELECT <distinct> <targets> FROM <from> WHERE <bool> <order>
SELECT x.*, <targets> FROM <from> <where>

= group_xy
SELECT count(*) FROM <from> <where>
SELECT <group_key>, <aggregates> FROM <from> <where> GROUP BY 1 <having> <order_number>
SELECT <aggregates> FROM <from> <where>
SELECT x.a, x.b, grouping(x.a, x.b), <aggregates> FROM <from> GROUP BY <grouping_sets> <having>

= window_xy
SELECT row_number() OVER () FROM <from>
SELECT <any>, <window_call> OVER (<window>) FROM <from> <where> <order_number>
SELECT <window_call> OVER w, <aggregate> OVER (w ORDER BY <any>) FROM <from> WINDOW w AS (PARTITION BY <any>)

= set_operation
SELECT 1 UNION SELECT 2
SELECT <int>, <text> UNION <all> SELECT <int>, <text> <order_number> <limit>
SELECT x.id, x.b FROM t1 x INTERSECT <all> SELECT <int>, <text>
(<select_xy>) EXCEPT <all> (<select_xy>)
SELECT <any> UNION SELECT <any> INTERSECT SELECT <any>

= all
~
ALL
DISTINCT

= distinct
~
~
ALL
DISTINCT
DISTINCT ON (<any>)

= targets
<any>
<any>, <targets>
<bool> AS p, <any> AS "q r"
<scalar_query>
<set_function>
<record>
(<record>).f1

= from
t1 AS x, t2 AS y
t1 x JOIN t2 y ON <bool>
t1 x JOIN t2 y USING (id)
t1 x NATURAL JOIN t2 y
t1 x LEFT JOIN t2 y ON x.id = y.id
t1 x RIGHT JOIN t2 y ON <bool>
t1 x FULL JOIN t2 y ON x.a = y.id
t1 x CROSS JOIN t2 y
t1 AS x, t2 AS y, <table> AS n
t2 y, LATERAL (SELECT * FROM t1 WHERE t1.id < y.id + <int>) x
t1 x LEFT JOIN LATERAL (SELECT * FROM t2 WHERE t2.id = x.a) y ON true
t1 <table_time> AS x, t2 AS y
t1 x, t2 <table_time> y
t1 x TABLESAMPLE BERNOULLI (50), t2 y
t1 x, t2 y, generate_series(<int>, <int>) AS g (g)
t1 x, t2 y, unnest(<int_array>, <text_array>) WITH ORDINALITY AS n (p, q, r)
t1 x, t2 y, <set_function> AS fn
t1 x, t2 y, ROWS FROM (<set_function>, generate_series(1, 3)) AS fn
t1 x, t2 y, jsonb_to_recordset(<jsonb>) AS n (a int, b text)
(SELECT * FROM t1 <order> LIMIT 5) x, t2 y
(TABLE t1 UNION ALL TABLE t1) AS x, (t2 y LEFT JOIN t3 ON y.id = t3.x)

= table
t1
t2
t3
t4
events
v1
n1
n2
public.t1

= new
n1
n2
n3
"N 4"

= where
~
WHERE <bool>
WHERE <bool>
WHERE x.id = <int>
WHERE x.id <compare> <int> AND x.a <compare> <int>
WHERE lower(x.b) = <text> AND x.a > 2
WHERE y.f BETWEEN <float> AND <float>
WHERE x.id IN (SELECT y.id)
WHERE CURRENT OF c1

= compare
=
<>
>
>=
IS DISTINCT FROM

= order
~
ORDER BY x.id
ORDER BY <any> <direction>, <any>
ORDER BY x.a <direction>, x.b
ORDER BY x.a, x.b DESC

= order_number
~
ORDER BY 1 <direction>

= direction
~
ASC
DESC
DESC NULLS LAST
NULLS FIRST
USING >

= limit
~
LIMIT 3
LIMIT <int>
OFFSET <int>
LIMIT ALL OFFSET 1
FETCH FIRST <int> ROWS ONLY
FETCH FIRST 2 ROWS WITH TIES

= locking
~
~
~
FOR UPDATE
FOR SHARE OF x NOWAIT

= having
~
HAVING count(*) > <int>
HAVING <bool>

= group_key
x.a
x.b
x.a % 2
<any>

= grouping_sets
x.a, x.b
ROLLUP (x.a, x.b)
CUBE (x.a, x.b)
GROUPING SETS ((x.a), (x.b), ())
DISTINCT x.a, ROLLUP (x.b), CUBE (x.a)

= aggregates
count(*)
<aggregate>
<aggregate>, <aggregates>
<aggregate> FILTER (WHERE <bool>)
count(DISTINCT <any>)
string_agg(<text>, ',' ORDER BY <any>)
array_agg(<any> ORDER BY <any> DESC)
percentile_cont(<float>) WITHIN GROUP (ORDER BY <float>)
mode() WITHIN GROUP (ORDER BY <any>)
sum(<num>), avg(<int>), stddev(<float>)
jsonb_object_agg(<text>, <any>)

= aggregate
count(*)
sum(<num>)
min(<any>)

= window_call
row_number()
<window_function>
<aggregate>
lag(<any>, <int>, NULL)
nth_value(<any>, <int>)
ntile(<int>)
first_value(<any>)

= window_function
rank()
dense_rank()

= window
~
ORDER BY <any>
PARTITION BY <any> ORDER BY <any> <direction>
ORDER BY x.id ROWS BETWEEN <bound> PRECEDING AND <bound> FOLLOWING <exclude>
ORDER BY x.id RANGE BETWEEN <bound> PRECEDING AND UNBOUNDED FOLLOWING
ORDER BY x.d RANGE BETWEEN <interval> PRECEDING AND <interval> FOLLOWING
ORDER BY x.a GROUPS BETWEEN CURRENT ROW AND <bound> FOLLOWING <exclude>
ROWS UNBOUNDED PRECEDING

= bound
1
<int>
<num>

= exclude
~
EXCLUDE CURRENT ROW
EXCLUDE GROUP
EXCLUDE TIES

= with
WITH w AS (SELECT 1)
WITH w AS (<query>)
WITH w (a) AS MATERIALIZED (<query>), w2 AS NOT MATERIALIZED (TABLE w)
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < <int>)
WITH RECURSIVE r (n) AS (SELECT <int> UNION SELECT n % 7 + 1 FROM r) CYCLE n SET c USING path
WITH RECURSIVE r (n, m) AS (SELECT 1, 2 UNION ALL SELECT m, n + m FROM r WHERE n < 100) SEARCH DEPTH FIRST BY n SET o
WITH w AS (<change> RETURNING *)
WITH w AS (DELETE FROM t3 RETURNING x), w2 AS (INSERT INTO t3 SELECT x FROM w RETURNING *)

= catalog_query
SELECT count(*) FROM pg_class
SELECT * FROM information_schema.columns ORDER BY table_name, ordinal_position LIMIT 40
SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
SELECT * FROM pg_attribute WHERE attrelid = <regclass>
SELECT * FROM sys.commits ORDER BY txn DESC LIMIT 5
SELECT * FROM sys.schema
SELECT * FROM sys.retention
SELECT * FROM pg_settings

= history_query
SELECT * FROM history('t1', <int>)
SELECT * FROM diff('t1', <int>, <int>)
SELECT * FROM changes('t1', <int>)
SELECT * FROM blame('t2', 3)
SELECT *, _commit_from, _commit_to FROM t1 FOR SYSTEM_TIME ALL
SELECT * FROM t4 FOR VALID_TIME <time_range>
SELECT * FROM t1 FOR SYSTEM_TIME <time_range>
SETTING DEFAULT SYSTEM_TIME AS OF <int> SELECT * FROM t1

= statement_time
AS OF 1
AS OF <int>
AS OF LATEST
AS OF TIMESTAMP <timestamp>
VALID AT <date>
VALID AT <int>
AS OF 2 VALID AT <date>

= table_time
AS OF 1
FOR SYSTEM_TIME AS OF <int>
FOR SYSTEM_TIME <time_range>
FOR VALID_TIME <time_range>
AT (VERSION => <int>)

= time_range
ALL
AS OF <int>
FROM <int> TO <int>
BETWEEN <int> AND <int>
CONTAINED IN (<int>, <int>)
FROM <date> TO <date>

= insert
INSERT INTO t1 (id) VALUES (20)
INSERT INTO t1 VALUES (<int>, <int>, <text>, <num>, <date>, <bool>) <conflict> <returning>
INSERT INTO t1 (id, a, b) VALUES (<int>, <int>, DEFAULT), (<int>, NULL, <text>) <conflict> <returning>
INSERT INTO t1 (id, b, c) SELECT y.id + <int>, <text>, <num> FROM t2 y <conflict> <returning>
INSERT INTO t2 (id, j, k, ts, f) VALUES (<int>, <jsonb>, <int_array>, <timestamptz>, <float>) <returning>
INSERT INTO t2 (id, r, u, y, iv, m, p) VALUES (<int>, <int_range>, <uuid>, <bytea>, <interval>, <mood>, <int>)
INSERT INTO t3 (x, w) VALUES (<int>, <text>) <returning>
INSERT INTO t4 VALUES (<int>, <date_range>, <text>)
INSERT INTO events (pk, doc) VALUES (<text>, <jsonb>) ON CONFLICT (pk) DO UPDATE SET doc = excluded.doc
INSERT INTO <table> DEFAULT VALUES
INSERT INTO <table> <query>
INSERT INTO <new> VALUES (<any>, <any>)

= conflict
~
ON CONFLICT DO NOTHING
ON CONFLICT (id) DO UPDATE SET a = excluded.a + t1.a, b = <text>
ON CONFLICT (id) DO UPDATE SET c = <num> WHERE t1.a > <int>
ON CONFLICT ON CONSTRAINT t1_pkey DO NOTHING

= returning
~
RETURNING *
RETURNING id, <any>

= update
UPDATE t1 SET a = 1
UPDATE t1 AS x SET a = <int>, b = <text>, c = <num> <where_x> <returning>
UPDATE t1 AS x SET id = x.id + <int> <where_x>
<update_xy>
UPDATE t2 SET j = <jsonb>, k = <int_array>, ts = <timestamptz>, f = <float>, r = <int_range>, m = <mood>
UPDATE t2 SET k[<int>] = <int>, iv = <interval>, y = <bytea>, p = <int>
UPDATE t2 SET j['a'] = <jsonb>
UPDATE t3 SET x = <int> WHERE w = <text>
UPDATE t4 FOR PORTION OF during FROM <date> TO <date> SET v = <text> <returning_all>
UPDATE v1 SET a = <int>
UPDATE t1 SET (a, b) = (SELECT <int>, <text>)
UPDATE events SET doc = doc || <jsonb>

= update_xy
UPDATE t1 AS x SET a = <int>, b = <text> FROM t2 AS y WHERE x.id = y.id AND <bool> RETURNING <any>

= returning_all
~
RETURNING *

= where_x
~
WHERE id = <int>
WHERE a <compare> <int>
WHERE id % 2 = <int>
WHERE b LIKE <text>
WHERE EXISTS (SELECT FROM t2 WHERE t2.id = x.id)

= delete
DELETE FROM t1 WHERE id = 1
DELETE FROM t1 AS x <where_x> <returning>
<delete_xy>
DELETE FROM t3
DELETE FROM t4 FOR PORTION OF during FROM <date> TO <date>
DELETE FROM events WHERE pk = <text>
DELETE FROM v1 WHERE a = <int>
TRUNCATE <table> <cascade>
ERASE FROM t2 WHERE id = <int> REASON 'asked for'

= delete_xy
DELETE FROM t1 AS x USING t2 AS y WHERE x.id = y.id AND <bool> RETURNING <any>

= merge
MERGE INTO t1 USING t2 ON t1.id = t2.id WHEN MATCHED THEN DELETE
MERGE INTO t1 x USING (SELECT id, f FROM t2) y ON x.id = y.id + <int> <merge_actions>
MERGE INTO t2 USING (VALUES <rows>) AS v (p, q) ON t2.id = v.p <merge_actions>

= merge_actions
WHEN MATCHED THEN DO NOTHING
WHEN MATCHED AND <bool> THEN UPDATE SET a = <int> WHEN NOT MATCHED THEN INSERT (id, a) VALUES (<int>, <int>)
WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND <bool> THEN DO NOTHING
WHEN NOT MATCHED THEN INSERT DEFAULT VALUES

= rows
(1, 2)
(<int>, <text>)
(<int>, <text>), (<int>, NULL)
(<any>, <any>), <rows>

= create
CREATE TABLE n1 (a int)
CREATE <temporary> TABLE <if_not> <new> (<columns>)
CREATE <temporary> TABLE <if_not> <new> (<columns>) <storage>
CREATE TABLE <new> AS <query>
CREATE TABLE <new> (a, b) AS <query> WITH NO DATA
CREATE TABLE <new> (LIKE <table> INCLUDING ALL)
CREATE <unique> INDEX <if_not> i1 ON <table> (<keys>) <include> <index_where>
CREATE <unique> INDEX i2 ON t1 (<keys>) <include> <index_where>
CREATE INDEX ON t2 ((j ->> 'a'), (k[1]), f DESC)
CREATE VIEW <new> AS <query>
CREATE OR REPLACE VIEW v1 AS <query>
CREATE TEMP VIEW <new> AS <select_xy>
CREATE MATERIALIZED VIEW <new> AS <query>
CREATE SEQUENCE <if_not> <new> INCREMENT <int> MINVALUE <int> START <int> <cycle>
CREATE TYPE <new> AS ENUM ('a', <string>)
CREATE TYPE <new> AS (a int, b text)
CREATE DOMAIN <new> AS <type> NOT NULL CHECK (VALUE IS NOT NULL)
CREATE SCHEMA <if_not> <new>

= temporary
~
~
TEMP
UNLOGGED

= if_not
~
IF NOT EXISTS

= unique
~
UNIQUE

= cycle
~
CYCLE
OWNED BY t1.id

= storage
~
WITH (valid_time)
WITH (history_retention = '10 commits')
WITH (fillfactor = <int>)

= columns
a int
a int PRIMARY KEY, <column>
a int, b text, <column>, <table_constraint>
a serial, <column>, <column>
pk text PRIMARY KEY
since date, until date, a int, PERIOD FOR valid_time (since, until), UNIQUE (a, valid_time WITHOUT OVERLAPS)
a int, valid_at daterange, FOREIGN KEY (a, PERIOD valid_at) REFERENCES t4 (n, PERIOD during)

= column
c <type> <column_constraint>
d <type> DEFAULT <any>
e <type> <column_constraint> <column_constraint>
g int GENERATED ALWAYS AS IDENTITY
h int GENERATED ALWAYS AS (<int>) STORED
i <type>[] DEFAULT NULL

= column_constraint
~
NOT NULL
NULL
UNIQUE
UNIQUE NULLS NOT DISTINCT
DEFAULT <any>
CHECK (a > <int_literal>)
REFERENCES t1
REFERENCES t1 (id) ON DELETE <action> ON UPDATE <action> <deferred>
COLLATE "C"

= table_constraint
CHECK (a > 0)
CHECK (a + length(b) < <int_literal>)
PRIMARY KEY (a)
UNIQUE (a, b) <deferred>
FOREIGN KEY (a) REFERENCES t1 ON DELETE <action> <deferred>
FOREIGN KEY (a) REFERENCES n1 MATCH FULL
CONSTRAINT c1 CHECK (b LIKE '%a%') NOT VALID

= action
NO ACTION
CASCADE
SET NULL
SET DEFAULT
RESTRICT

= deferred
~
DEFERRABLE
DEFERRABLE INITIALLY DEFERRED
NOT DEFERRABLE

= keys
a
a, b
a DESC NULLS LAST, id
lower(b)
(a + <int_literal>), (b || <string>)
(d + <int_literal>), e
(<any>)
(CASE WHEN a > 2 THEN 1 / (a - <int_literal>) END)

= include
~
INCLUDE (b)
NULLS NOT DISTINCT
WITH (fillfactor = 70)

= index_where
~
~
WHERE a > <int_literal>
WHERE b IS NOT NULL
WHERE lower(b) > <string>

= alter
ALTER TABLE t1 ADD COLUMN f int
ALTER TABLE <table> ADD COLUMN <if_not> <column>
ALTER TABLE <table> ADD COLUMN n <type> DEFAULT <any>
ALTER TABLE <table> DROP COLUMN <if> <column_name> <cascade>
ALTER TABLE <table> ALTER COLUMN <column_name> TYPE <type>
ALTER TABLE t1 ALTER COLUMN a TYPE <type> USING <any>
ALTER TABLE <table> ALTER <column_name> SET DEFAULT <any>, ALTER <column_name> SET NOT NULL
ALTER TABLE <table> ALTER <column_name> DROP NOT NULL
ALTER TABLE <table> ADD <table_constraint>
ALTER TABLE <table> DROP CONSTRAINT <if> <constraint> <cascade>
ALTER TABLE <table> RENAME TO <new>
ALTER TABLE <table> RENAME COLUMN <column_name> TO <column_name>
ALTER TABLE <table> RENAME CONSTRAINT <constraint> TO other
ALTER TABLE <table> SET SCHEMA n1
ALTER TABLE <table> VALIDATE CONSTRAINT c1
ALTER TABLE <table> SET (history_retention = '1000 commits')
ALTER TABLE t3 ALTER COLUMN z DROP EXPRESSION
ALTER INDEX i1 RENAME TO i3
ALTER SEQUENCE s1 RESTART WITH <int> INCREMENT BY <int>
ALTER TYPE mood ADD VALUE <if_not> <string> BEFORE 'wild'
ALTER TYPE mood RENAME VALUE 'odd' TO <string>
ALTER VIEW v1 RENAME TO <new>
ALTER DOMAIN positive ADD CHECK (VALUE < <int_literal>)
COMMENT ON TABLE <table> IS <string>
COMMENT ON COLUMN t1.<column_name> IS NULL
REVERT TABLE t1 TO <int_literal>

= if
~
IF EXISTS

= cascade
~
CASCADE
RESTRICT

= column_name
a
b
c
d
id
j
x
z
pk
n

= constraint
t1_pkey
c1
t3_x_fkey
t3_w_key
t4_pkey

= drop
DROP TABLE n1
DROP TABLE <if> <table> <cascade>
DROP TABLE <if> <new>, t3 <cascade>
DROP VIEW <if> v1 <cascade>
DROP INDEX <if> i1 <cascade>
DROP INDEX t1_ab
DROP SEQUENCE s1 <cascade>
DROP TYPE mood <cascade>
DROP DOMAIN positive <cascade>
DROP MATERIALIZED VIEW <if> <new>
DROP SCHEMA <if> <new> <cascade>

= transaction
COMMIT
BEGIN
BEGIN
BEGIN ISOLATION LEVEL SERIALIZABLE
BEGIN READ ONLY
BEGIN READ ONLY AS OF <int_literal>
START TRANSACTION READ WRITE
COMMIT
COMMIT AND CHAIN
ROLLBACK
ROLLBACK AND CHAIN
SAVEPOINT p
SAVEPOINT q
ROLLBACK TO p
ROLLBACK TO SAVEPOINT q
RELEASE p
SET CONSTRAINTS ALL DEFERRED
SET CONSTRAINTS ALL IMMEDIATE
BEGIN WITH (author = <string>, reason = 'fuzz')
COMMIT WITH (reason = <string>)

= setting
SHOW ALL
SET timezone = 'Europe/Berlin'
SET timezone = <string>
SET datestyle = 'SQL, DMY'
SET intervalstyle = 'iso_8601'
SET extra_float_digits = <int_literal>
SET bytea_output = 'escape'
SET northstar.as_of = <string>
SET northstar.valid_at = '2024-03-01'
SET northstar.valid_time_changes = 'all'
SET LOCAL search_path = n1, public
SET SESSION <new> = <string>
SET default_transaction_read_only = off
SHOW timezone
RESET ALL
RESET northstar.as_of
DISCARD ALL

= prepare
PREPARE p1 AS SELECT 1
PREPARE p1 AS <query>
PREPARE p2 (int, text) AS SELECT $1 + <int>, $2 || <text>
PREPARE p3 AS INSERT INTO t1 VALUES ($1, $2, $3)
EXECUTE p1
EXECUTE p2 (<int>, <text>)
EXECUTE p3 (<int>, <int>, <text>)
DEALLOCATE p1
DEALLOCATE ALL

= cursor
CLOSE ALL
DECLARE c1 CURSOR FOR <query>
DECLARE c1 SCROLL CURSOR WITH HOLD FOR <query>
FETCH <fetch> FROM c1
MOVE <fetch> IN c1
CLOSE c1

= fetch
NEXT
ALL
BACKWARD 2
ABSOLUTE <int_literal>
RELATIVE <int_literal>
FORWARD <int_literal>
PRIOR

= utility
EXPLAIN SELECT 1
EXPLAIN <query>
EXPLAIN (ANALYZE, FORMAT JSON, TIMING off) <query>
EXPLAIN <change>
ANALYZE <table>
VACUUM
CHECKPOINT
REINDEX TABLE t1
REFRESH MATERIALIZED VIEW n1
LOCK TABLE t1 IN EXCLUSIVE MODE

= copy
COPY t1 TO STDOUT
COPY <table> TO STDOUT (FORMAT <form>)
COPY (<query>) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)
COPY t1 (id, b) FROM STDIN
COPY t1 (id, b) FROM STDIN (FORMAT csv, DELIMITER ',', NULL 'x') WHERE id > <int>
COPY <table> FROM STDIN
COPY n1 FROM STDIN (FORMAT <form>, HEADER <boolean_word>)

= form
text
csv
binary

= boolean_word
true
false
match
)GRAMMAR";

}  // namespace northstar::hard
