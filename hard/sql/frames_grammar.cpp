#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Window frames with offsets of every type over values at the edges of theirs; queries of a graph with SEARCH and
// CYCLE; and changes whose WITH changes other tables, through views that compute, rename and check.
// Functions of RANGE and GROUPS frames do not depend on the order of peers.
const char* const k_frames_grammar = R"grammar(
setup0 CREATE TABLE w (id int PRIMARY KEY, p int, i2 smallint, i4 int, i8 bigint, n numeric, f4 real, f8 float8, d
    date, ts timestamp, tz timestamptz, iv interval, tm time, ttz timetz, t text, b boolean)
setup1 CREATE TABLE g (a int, b int, w int)
setup2 CREATE TABLE x (id int PRIMARY KEY, v int, t text DEFAULT 'new')
setup3 CREATE TABLE y (id int PRIMARY KEY, v int CHECK (v < 40), t text)
setup4 CREATE TABLE z (id int, v int, t text)
setup5 CREATE VIEW xv AS SELECT t AS label, id AS key, v * 2 AS twice, v FROM x WHERE v > 3 {checked}
setup6 CREATE VIEW yv AS SELECT * FROM y WHERE id < 15 {checked}
setup7 CREATE VIEW xvv AS SELECT key, v, label FROM xv WHERE key > 2 {checked}
setup8 INSERT INTO x SELECT i, i * 3 % 11, 't' || i FROM generate_series(1, 12) i
setup9 INSERT INTO y SELECT i, i * 5 % 13, NULL FROM generate_series(1, 20, 2) i
setup10 INSERT INTO z SELECT i % 4, i, 'z' FROM generate_series(1, 6) i
checked -
checked WITH LOCAL CHECK OPTION
checked WITH CHECK OPTION
row {0-2}, {l_i2}, {l_i4}, {l_i8}, {l_n}, {l_f4}, {l_f8}, {l_d}, {l_ts}, {l_tz}, {l_iv}, {l_tm}, {l_ttz}, {l_t}, {l_b}
edge {0-5}, {0-5}, {0-3}
edge {0-2}, {1-7}, NULL
l_i2*5 {0-5}
l_i2 32767
l_i2 -32768
l_i2 NULL
l_i4*5 {0-5}
l_i4 2147483647
l_i4 -2147483648
l_i4 NULL
l_i8*5 {0-5}
l_i8 9223372036854775807
l_i8 -9223372036854775808
l_i8 NULL
l_n*4 {0-3}.{0-9}
l_n 'NaN'
l_n 'Infinity'
l_n '-Infinity'
l_n -1e30
l_n NULL
l_f4*4 {0-3}.5
l_f4 'NaN'
l_f4 'Infinity'
l_f4 '-Infinity'
l_f4 3e38
l_f4 '-0'
l_f4 NULL
l_f8*4 {0-3}.5
l_f8 'NaN'
l_f8 'Infinity'
l_f8 '-Infinity'
l_f8 1e308
l_f8 -1e308
l_f8 NULL
l_d*4 '2020-0{1-3}-{28-29}'
l_d '2020-03-{30-31}'
l_d 'infinity'
l_d '-infinity'
l_d '4713-01-01 BC'
l_d NULL
l_ts*4 '2020-0{1-3}-28 {10-23}:00'
l_ts '2020-02-29'
l_ts 'infinity'
l_ts '-infinity'
l_ts NULL
l_tz*4 '2020-03-{28-30} 0{0-3}:30+00'
l_tz '2020-10-25 0{0-2}:30+00'
l_tz 'infinity'
l_tz '-infinity'
l_tz NULL
l_iv*3 '{0-2} days {0-30} hours'
l_iv '1 mon'
l_iv '30 days'
l_iv '-1 day'
l_iv NULL
l_tm*3 '{10-23}:{10-59}'
l_tm '00:00'
l_tm '24:00'
l_tm '23:59:59.999999'
l_tm NULL
l_ttz*3 '{10-23}:{10-59}+0{0-5}'
l_ttz '00:00+00'
l_ttz '24:00-15'
l_ttz NULL
l_t 'a'
l_t 'b'
l_t ''
l_t NULL
l_b true
l_b false
l_b NULL
by -
by PARTITION BY p
by PARTITION BY t
by PARTITION BY b, p
dir -
dir DESC
nulls*2 -
nulls NULLS FIRST
nulls NULLS LAST
exclude*2 -
exclude EXCLUDE CURRENT ROW
exclude EXCLUDE GROUP
exclude EXCLUDE TIES
whole i2
whole i4
whole i8
o_whole {0-3}
o_whole {0-3}::smallint
o_whole {0-3}::bigint
o_whole 9223372036854775807
o_whole 2147483647
o_n {0-2}.{0-9}
o_n 1e30
o_n 'Infinity'
o_f4 {0-2}.5
o_f4 1e308
o_f4 'Infinity'
o_span '{0-3} days'
o_span '{0-40} hours'
o_span '1 month'
o_span '30 days'
o_span '0.000001 s'
o_span '{1-3} years'
o_span ({iv})::interval
iv '{0-9} hours'
iv '{0-2} mons {0-9} minutes'
span d
span ts
span tz
span iv
time tm
time ttz
o_time '{0-3} hours'
o_time '{0-90} minutes'
o_time '1 day'
o_time '1 mon {0-30} hours'
frame {whole} {dir} {nulls} RANGE {o_whole} PRECEDING
frame*2 {whole} {dir} {nulls} RANGE BETWEEN {o_whole} PRECEDING AND {o_whole} {way}
frame {whole} {dir} {nulls} RANGE BETWEEN {o_whole} FOLLOWING AND {o_whole} FOLLOWING
frame n {dir} {nulls} RANGE BETWEEN {o_n} PRECEDING AND {o_n} {way}
frame n {dir} {nulls} RANGE BETWEEN {o_n} FOLLOWING AND {o_n} FOLLOWING
frame f4 {dir} {nulls} RANGE BETWEEN {o_f4} PRECEDING AND {o_f4} {way}
frame f4 {dir} {nulls} RANGE BETWEEN {o_f4} FOLLOWING AND {o_f4} FOLLOWING
frame f8 {dir} {nulls} RANGE BETWEEN {o_f4} PRECEDING AND {o_f4} {way}
frame f8 {dir} {nulls} RANGE BETWEEN {o_f4} FOLLOWING AND {o_f4} FOLLOWING
frame*3 {span} {dir} {nulls} RANGE BETWEEN {o_span} PRECEDING AND {o_span} {way}
frame {span} {dir} {nulls} RANGE BETWEEN {o_span} FOLLOWING AND {o_span} FOLLOWING
frame*2 {time} {dir} {nulls} RANGE BETWEEN {o_time} PRECEDING AND {o_time} {way}
frame {time} {dir} {nulls} RANGE BETWEEN {o_time} FOLLOWING AND {o_time} FOLLOWING
frame {any} {dir} {nulls} RANGE BETWEEN {far} AND CURRENT ROW
frame {whole} {dir} {nulls} RANGE BETWEEN CURRENT ROW AND {o_whole} FOLLOWING
frame {span} {dir} {nulls} RANGE BETWEEN UNBOUNDED PRECEDING AND {o_span} {way}
frame {time} {dir} {nulls} RANGE BETWEEN {o_time} {way} AND UNBOUNDED FOLLOWING
frame*2 {any} {dir} {nulls} GROUPS BETWEEN {0-3} PRECEDING AND {0-3} {way}
frame {any} {dir} {nulls} GROUPS BETWEEN {0-3} FOLLOWING AND {0-3} FOLLOWING
frame {any} {dir} {nulls}, b GROUPS BETWEEN {far} AND {0-2} FOLLOWING
frame {any} {dir} {nulls} GROUPS BETWEEN 9223372036854775807 PRECEDING AND 9223372036854775806 FOLLOWING
far UNBOUNDED PRECEDING
far CURRENT ROW
way PRECEDING
way FOLLOWING
any {whole}
any {span}
any {time}
any n
any f4
any f8
any t
any b
peers count(*)
peers count(i4)
peers sum(id)
peers sum(i8)
peers max(n)
peers min(tm)
peers max(ts)
peers bool_and(b)
peers bit_xor(id)
peers avg(i2)
peers sum(n)
peers count(*) FILTER (WHERE b)
peers min(t)
peers variance(i2)
rows first_value(t)
rows last_value(id)
rows nth_value(id, 2)
rows nth_value(d, i2)
rows array_agg(id)
rows string_agg(t, ',')
rows lag(id, 1, -1)
rows lead(n, 2)
rows count(DISTINCT id)
rows sum(i8)
rows avg(iv)
rows jsonb_agg(t)
rows ntile({1-4})
rows max(n)
query*6 SELECT id, {peers} OVER ({by} ORDER BY {frame} {exclude}) FROM w
query*2 SELECT id, {peers} OVER ({1=by} ORDER BY {2=frame} {exclude}), {peers} OVER ({1} ORDER BY {2} {exclude})
    FROM w
query*2 SELECT id, {rows} OVER ({by} ORDER BY {any} {dir} {nulls}, id ROWS BETWEEN {0-3} {way} AND {0-3} {way}
    {exclude}) FROM w
query SELECT id, {rows} OVER v, {peers} OVER (v ROWS BETWEEN {far} AND {0-2} FOLLOWING {exclude}) FROM w WINDOW v AS
    ({by} ORDER BY {any} {dir} {nulls}, id)
query SELECT p, sum(count(*)) OVER (ORDER BY max({whole}) {dir} {nulls} RANGE BETWEEN {o_whole} {way} AND {o_whole}
    {way} {exclude}) FROM w GROUP BY p
query*2 WITH RECURSIVE r AS (SELECT a, b, 0 AS l FROM g WHERE a = {0-3} UNION ALL SELECT g.a, g.b, l + 1 FROM g JOIN
    r ON g.a = r.b WHERE l < {1-3}) SEARCH {search} FIRST BY {way_of} SET o SELECT a, b, l, o FROM r
query*2 WITH RECURSIVE r AS (SELECT a, b FROM g WHERE a < {0-3} {union} SELECT g.a, g.b FROM g JOIN r ON g.a = r.b)
    CYCLE {cycle} SET seen {marks} USING path SELECT a, b, seen, path FROM r
query WITH RECURSIVE r AS (SELECT a, b FROM g WHERE a = {0-3} {union} SELECT g.a, g.b FROM g JOIN r ON g.a = r.b)
    SEARCH {search} FIRST BY a, b SET o CYCLE {cycle} SET seen USING path SELECT a, b, o, seen, path FROM r
query WITH RECURSIVE r (n, s) AS (SELECT a, 1 FROM g UNION SELECT b, s + 1 FROM g, r WHERE a = n AND s < 4), q AS
    (SELECT n, max(s) AS m FROM r GROUP BY n) SELECT q.n, q.m, count(r.s) FROM q LEFT JOIN r ON r.n = q.n AND r.s <
    q.m GROUP BY 1, 2
query WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < {2-30}) SELECT n, sum(n) OVER
    (ORDER BY n {dir} RANGE BETWEEN {o_whole} PRECEDING AND {o_whole} FOLLOWING {exclude}) FROM r
query WITH RECURSIVE r AS (SELECT a, ARRAY[a] AS s FROM g WHERE a = {0-3} UNION ALL SELECT b, s || b FROM g JOIN r
    USING (a) WHERE b <> ALL (s)) SELECT a, s FROM r
search DEPTH
search BREADTH
way_of a
way_of b, a
way_of a, b, l
union UNION
union UNION ALL
cycle a
cycle a, b
cycle b
marks -
marks TO 'y' DEFAULT 'n'
marks TO 1 DEFAULT 0
same {mirror}
same*2 SELECT count(*) FROM (SELECT id, coalesce(sum(id) OVER ({1=by} ORDER BY {2=frame} EXCLUDE CURRENT ROW), 0) +
    coalesce(sum(id) OVER ({1} ORDER BY {2} EXCLUDE TIES), 0) AS one, coalesce(sum(id) OVER ({1} ORDER BY {2}
    EXCLUDE GROUP), 0) + coalesce(sum(id) OVER ({1} ORDER BY {2}), 0) AS other FROM w) s WHERE one <> other
mirror SELECT count(*) FROM (SELECT sum(id) OVER ({4=by} ORDER BY {1=span} NULLS FIRST RANGE BETWEEN {2=o_span}
    PRECEDING AND {3=o_span} FOLLOWING) AS one, sum(id) OVER ({4} ORDER BY {1} DESC NULLS LAST RANGE BETWEEN {3}
    PRECEDING AND {2} FOLLOWING) AS other FROM w) s WHERE one IS DISTINCT FROM other
mirror SELECT count(*) FROM (SELECT sum(id) OVER ({4=by} ORDER BY {1=time} NULLS FIRST RANGE BETWEEN {2=o_time}
    PRECEDING AND {3=o_time} FOLLOWING) AS one, sum(id) OVER ({4} ORDER BY {1} DESC NULLS LAST RANGE BETWEEN {3}
    PRECEDING AND {2} FOLLOWING) AS other FROM w) s WHERE one IS DISTINCT FROM other
mirror SELECT count(*) FROM (SELECT sum(id) OVER ({4=by} ORDER BY {1=f} NULLS FIRST RANGE BETWEEN {2=o_f4} PRECEDING
    AND {3=o_f4} FOLLOWING) AS one, sum(id) OVER ({4} ORDER BY {1} DESC NULLS LAST RANGE BETWEEN {3} PRECEDING AND
    {2} FOLLOWING) AS other FROM w) s WHERE one IS DISTINCT FROM other
f f4
f f8
f n
id {0-20}
id {0-9}
num {0-60}
num {0-9}
num NULL
word 'a'
word 'b'
word NULL
word DEFAULT
part d AS (DELETE FROM z WHERE id = {0-4} RETURNING *)
part d AS (UPDATE z SET v = v + {1-9} WHERE id < {0-4} RETURNING *)
part d AS (INSERT INTO z SELECT id, v, 'i' FROM y WHERE id < {id} RETURNING *)
part d AS (UPDATE yv SET v = coalesce(v, 0) + {0-20} WHERE id {compare} {id} RETURNING *)
part d AS (DELETE FROM y USING z WHERE y.id = z.v RETURNING y.*)
part d AS (INSERT INTO yv VALUES ({id}, {num}, {word}) ON CONFLICT (id) DO UPDATE SET v = excluded.v, t = y.t || 'c'
    RETURNING *)
part d AS (INSERT INTO y SELECT id + {1-20}, v, t FROM z ON CONFLICT DO NOTHING RETURNING *)
part d AS (SELECT * FROM z)
main INSERT INTO x SELECT id + {0-30}, v, t FROM d ON CONFLICT DO NOTHING RETURNING *
main INSERT INTO x SELECT DISTINCT ON (id) id, v, t FROM d ORDER BY id, v, t ON CONFLICT (id) DO UPDATE SET v =
    excluded.v + x.v WHERE x.v {compare} {num} RETURNING *
main UPDATE x SET v = d.v, t = d.t FROM (SELECT id, max(v) AS v, min(t) AS t FROM d GROUP BY id) d WHERE d.id = x.id
    RETURNING x.*, d.v
main UPDATE xv SET v = v + (SELECT count(*) FROM d) WHERE key IN (SELECT id FROM d) RETURNING *
main DELETE FROM x USING d WHERE d.id = x.id RETURNING x.id
main DELETE FROM xvv WHERE key IN (SELECT v FROM d) RETURNING key, v
main SELECT count(*), sum(v), (SELECT count(*) FROM y), (SELECT sum(v) FROM z) FROM d
main SELECT d.id, x.v FROM d LEFT JOIN x ON x.id = d.id
main MERGE INTO x USING (SELECT id, max(v) AS v FROM d GROUP BY id) s ON x.id = s.id {when} {when} {other}
change*4 WITH {part} {main}
change WITH {part}, e AS (INSERT INTO x SELECT id + 40, v FROM d ON CONFLICT DO NOTHING RETURNING id) SELECT (SELECT
    count(*) FROM e), (SELECT count(*) FROM d), (SELECT count(*) FROM x)
change*2 INSERT INTO xv (key, v, label) VALUES ({id}, {num}, {word}) {conflict} RETURNING *
change INSERT INTO xv (key, twice) VALUES ({id}, {num})
change*2 INSERT INTO xvv VALUES ({id}, {num}, {word}) {conflict} RETURNING *
change INSERT INTO yv SELECT id + {0-9}, v, t FROM z WHERE id = {0-3} LIMIT 1
change*2 UPDATE xv SET v = {num}, label = {word} WHERE key {compare} {id} RETURNING *
change UPDATE xv SET (v, label) = (SELECT v, t FROM y WHERE y.id = key) WHERE twice > {num} RETURNING key, v
change UPDATE xvv SET key = key + {0-3} WHERE key = {id} RETURNING *
change UPDATE xvv SET v = v - {1-4} WHERE v {compare} {id}
change UPDATE yv SET id = id + {1-9} WHERE id = {id} RETURNING *
change DELETE FROM xvv WHERE key = {id} RETURNING *
change DELETE FROM yv USING xv WHERE xv.key = yv.id AND xv.v {compare} {num} RETURNING yv.id, xv.twice
change*2 MERGE INTO x USING (SELECT DISTINCT ON (id) * FROM {source} ORDER BY id, v) s ON x.id = s.id {joined}
    {when} {when} {other} {other}
change MERGE INTO y USING xv s ON y.id = s.key {when} {other}
change MERGE INTO y USING generate_series(1, {num0}) s (id) ON y.id = s.id WHEN MATCHED THEN UPDATE SET v = s.id
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.id % 40, DEFAULT)
change INSERT INTO z SELECT id, v, t FROM x WHERE id < {id}
change DELETE FROM z WHERE v > {id}
num0 {1-9}
source y
source z
source (SELECT key AS id, v FROM xv) k
joined -
joined AND s.v {compare} {num}
joined AND x.t IS NOT NULL
conflict -
conflict ON CONFLICT (key) DO NOTHING
conflict ON CONFLICT (key) DO UPDATE SET v = excluded.v + 1
conflict ON CONFLICT DO NOTHING
compare =
compare <
compare >
when WHEN MATCHED AND s.id {compare} {id} THEN UPDATE SET v = s.v
when WHEN MATCHED THEN UPDATE SET v = s.v + 1, t = DEFAULT
when WHEN MATCHED AND s.id > {id} THEN DELETE
when WHEN MATCHED THEN DO NOTHING
when WHEN MATCHED AND s.v IS NULL THEN UPDATE SET (v, t) = (SELECT v, t FROM z ORDER BY v, id, t LIMIT 1)
other WHEN NOT MATCHED AND s.id {compare} {id} THEN INSERT (id, v) VALUES (s.id, s.v)
other WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, DEFAULT)
other WHEN NOT MATCHED THEN DO NOTHING
other -
)grammar";

}  // namespace northstar::hard
