#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Relations w0 to w8 have the same columns, whose names tell their types, so that any of them can be read in any place:
// tables with keys and without, a partitioned one, one with children, a view, a materialized one, one of no rows.
// Expressions do not fail, numerics keep one scale, floats are halves (their sums are exact), intervals are days: equal
// values look alike. Where rows are cut off or numbered, the order is one of all columns, or ties do not matter.
const char* const k_queries_grammar = R"grammar(
setup0 CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad')
setup1 CREATE TABLE w0 (id int PRIMARY KEY, {columns})
setup2 CREATE TABLE w1 (id int NOT NULL, {columns}, UNIQUE (id, i4))
setup3 CREATE TABLE w2 (id int, {columns}) PARTITION BY {partitioned}
partitioned RANGE (id)
setup4 CREATE TABLE w2a PARTITION OF w2 FOR VALUES FROM (MINVALUE) TO (5)
setup5 CREATE TABLE w2b PARTITION OF w2 DEFAULT
setup6 CREATE TABLE w3 (id int, {columns})
setup7 CREATE TABLE w3a () INHERITS (w3)
setup8 CREATE VIEW w4 AS SELECT * FROM w0 {+} WHERE {plain}
setup9 CREATE TABLE w6 (id bigint PRIMARY KEY, {columns6})
setup10 CREATE TEMPORARY TABLE w7 (id smallint, {columns})
setup11 CREATE TABLE w8 (id int PRIMARY KEY, {columns})
view CREATE VIEW w5 AS {relation}
view0 CREATE VIEW w5 AS SELECT * FROM w1
columns i2 smallint, i4 int, i8 bigint, n numeric(12,2), f8 float8, t text, vc varchar(8), ch char(4), b boolean, d
    date, ts timestamp, tz timestamptz, iv interval, m mood, ia int[], j jsonb, r int4range
columns6 i2 int, i4 bigint, i8 int, n numeric(12,2), f8 float8, t varchar, vc text, ch char(4), b boolean, d date, ts
    timestamp, tz timestamptz, iv interval, m mood, ia int[], j jsonb, r int4range
row0 ({!literals})
literals {lsmall}, {lint}, {lint}, {lnum}, {ldbl}, {ltext}, {ltext}, {ltext}, {lbool}, {ldate}, {lts}, {ltz}, {liv},
    {lmood}, {lints}, {ljson}, {lrange}
lsmall*6 {0-4}
lsmall {0-99}
lsmall -3
lsmall*2 NULL
lint*5 {0-6}
lint {0-200}
lint -{1-5}
lint NULL
lnum*4 {0-5}.50
lnum {0-9}.{10-99}
lnum -{1-5}.25
lnum NULL
ldbl*3 {0-6}.5
ldbl -{1-6}
ldbl NULL
ltext*2 'a'
ltext 'b'
ltext 'ab'
ltext 'B'
ltext ''
ltext 'a '
ltext '1'
ltext 'a_%'
ltext NULL
lbool true
lbool false
lbool NULL
ldate*4 '2020-01-0{1-5}'
ldate '2020-02-29'
ldate '1999-12-31'
ldate NULL
lts*3 '2020-01-0{1-5} 00:00:00'
lts '2020-01-0{1-3} 12:30:00'
lts NULL
ltz*3 '2020-01-0{1-5} 00:00:00+00'
ltz '2020-01-0{1-3} 12:30:00+00'
ltz NULL
liv*3 '{0-5} days'
liv NULL
lmood 'sad'
lmood 'ok'
lmood 'glad'
lmood NULL
lints '{}'
lints*3 ARRAY[{0-3}, {0-3}]
lints ARRAY[{0-3}]
lints ARRAY[NULL, {0-3}]
lints NULL
ljson '{"a": {0-3}, "b": "x"}'
ljson '{"b": [{0-3}, null]}'
ljson '[{0-3}, 5]'
ljson '{0-3}'
ljson NULL
lrange '[{0-3},{4-7})'
lrange 'empty'
lrange '(,{0-5})'
lrange NULL
index CREATE INDEX ON {indexed} ({key})
index CREATE INDEX ON {indexed} ({key}, {key})
index CREATE INDEX ON {indexed} ({key}, {key}, {key})
index CREATE INDEX ON {indexed} ({key}) INCLUDE (t, n)
index CREATE INDEX ON {indexed} ({key}) WHERE {ionly}
index CREATE INDEX ON {indexed} (({iexpr}))
index CREATE INDEX ON {indexed} ({key}, ({iexpr})) WHERE {ionly}
index CREATE INDEX ON {indexed} (id DESC, {key})
indexed*2 w0
indexed*2 w1
indexed w2
indexed w3
indexed*2 w6
indexed w8
key*3 {column}
key {column} DESC
key {column} NULLS FIRST
key {column} DESC NULLS LAST
column id
column i2
column*2 i4
column i8
column n
column f8
column*2 t
column vc
column ch
column b
column*2 d
column ts
column tz
column m
column r
iexpr i4 + 1
iexpr lower(t)
iexpr i4 * 2 + i2
iexpr coalesce(i4, 0)
iexpr d + 1
iexpr t || 'x'
iexpr length(vc)
iexpr -n
iexpr (i4 = 2)
ionly i4 > 1
ionly i4 IS NOT NULL
ionly b
ionly NOT b
ionly t = 'a'
ionly d >= '2020-01-02'
ionly i4 IN (1, 2, 3)
ionly i2 = 1 OR i4 = 2
ionly n < 3 AND t IS NOT NULL
w*3 w0
w*3 w1
w w2
w w3
w w4
w w5
w*2 w6
w w7
w w8
relation SELECT * FROM {w} {+} WHERE {bool}
relation SELECT * FROM w0 LIMIT 0
relation SELECT id + 0 AS id, i2, {int} AS i4, i8, n, f8, {text} AS t, vc, ch, {bool} AS b, d, ts, tz, iv, m, ia, j,
    r FROM {w} {+}
relation SELECT {all} FROM {w} {+}
relation SELECT {all} FROM {^from} WHERE {bool}
relation SELECT {all} FROM {^from}
relation SELECT DISTINCT {all} FROM {w} {+} WHERE {bool}
relation ({arm}) UNION ALL ({arm})
relation ({arm}) UNION ({arm})
relation SELECT DISTINCT ON (i4, t) * FROM (SELECT {all} FROM {w} {+}) x ORDER BY i4, t, 1, 2, 4, 5, 6, 8, 9, 10, 11,
    12, 13, 14, 15, 16, 17, 18
relation SELECT * FROM (SELECT {all} FROM {w} {+}) x ORDER BY {ord}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18 LIMIT {0-5}
relation SELECT max(id) AS id, i2, max(i4) AS i4, sum(i4)::bigint AS i8, min(n) AS n, max(f8) AS f8, t, min(vc) AS
    vc, max(ch) AS ch, bool_or(b) AS b, d, max(ts) AS ts, min(tz) AS tz, max(iv) AS iv, max(m) AS m, min(ia) AS ia,
    NULL::jsonb AS j, NULL::int4range AS r FROM {w} {+} GROUP BY i2, t, d
arm SELECT {all} FROM {w} {+} WHERE {bool}
arm SELECT {all} FROM {w} {+}
all {@}.id AS id, {@}.i2 AS i2, {int} AS i4, {@}.i8 AS i8, {num} AS n, {@}.f8 AS f8, {text} AS t, {@}.vc AS vc,
    {@}.ch AS ch, {bool} AS b, {date} AS d, {ts} AS ts, {@}.tz AS tz, {@}.iv AS iv, {mood} AS m, {ints} AS ia, {@}.j
    AS j, {@}.r AS r
ord i4
ord t DESC
ord d NULLS FIRST
ord n DESC NULLS LAST
ord b
from*2 {^item}
from*4 {^item} JOIN {^item} ON {bool}
from*2 {^item} JOIN {^item} ON {equal}
from*2 {^item} LEFT JOIN {^item} ON {equal}
from {^item} LEFT JOIN {^item} ON {bool}
from {^item} RIGHT JOIN {^item} ON {equal}
from {^item} RIGHT JOIN {^item} ON {bool}
from {^full}
from {^item}, {^item}
from {^item} CROSS JOIN {^item}
from {^item} CROSS JOIN LATERAL ({lateral}) {&}
from {^item} LEFT JOIN LATERAL ({lateral}) {&} ON true
from {^item} LEFT JOIN LATERAL ({lateral}) {&} ON {bool}
from ({^joined}) LEFT JOIN {^item} ON {equal}
from ({^joined}) JOIN {^item} ON {bool}
from {^item} LEFT JOIN ({^joined}) ON {bool}
from {^item} JOIN ({^joined}) ON {equal}
joined {^item} JOIN {^item} ON {equal}
joined {^item} LEFT JOIN {^item} ON {equal}
joined {^item} CROSS JOIN {^item}
joined {^full}
full {w} {+} FULL JOIN {w} {+} USING (id)
full {w} {+} FULL JOIN {w} {+} USING (i4)
full ({!relation}) {+} FULL JOIN {w} {+} USING (t, i2)
item*5 {w} {+}
item*2 ({!relation}) {+}
lateral {relation}
lateral SELECT * FROM {w} {+} WHERE {equal} ORDER BY id, i4, i2, i8, t, vc, n, d, f8, ch, b, ts, tz, iv, m, ia, j, r
    LIMIT {1-2}
lateral SELECT * FROM {w} {+} WHERE {bool}
equal {@}.id = {@}.id
equal {@}.i4 = {@}.i4
equal {@}.i4 = {@}.i2
equal {@}.i8 = {@}.i4
equal {@}.t = {@}.t
equal {@}.t = {@}.vc
equal {@}.vc = {@}.ch
equal {@}.d = {@}.d
equal {@}.d = {@}.ts
equal {@}.ts = {@}.tz
equal {@}.n = {@}.i4
equal {@}.f8 = {@}.n
equal {@}.m = {@}.m
equal {@}.ia = {@}.ia
equal {@}.b = {@}.b
equal {@}.i4 = {@}.i4 AND {@}.t = {@}.t
equal {@}.i4 = {@}.i4 AND {bool}
equal {int} = {int}
equal {@}.i4 = ANY ({@}.ia)
equal {@}.i4 IS NOT DISTINCT FROM {@}.i4
equal {@}.i4 BETWEEN {@}.i2 AND {@}.i8
equal {@}.id < {@}.id
query*4 SELECT {all} FROM {^from} WHERE {bool}
query*2 SELECT {any}, {any} FROM {^from} WHERE {bool}
query SELECT {any}, {ranked} FROM {^from} WHERE {bool}
query SELECT DISTINCT {anyd}, {anyd} FROM {^from} WHERE {bool}
query*2 {relation}
query SELECT {anyd}, {anyd}, {anyd} FROM {^from} WHERE {bool} ORDER BY 1 {ordering}, 2 {ordering}, 3 {ordering} LIMIT
    {0-9} OFFSET {0-3}
query SELECT {1=anyd}, {anyd} FROM {^from} WHERE {bool} ORDER BY 1 {ordering} FETCH FIRST {1-5} ROWS WITH TIES
query SELECT {anyd}, {anyd}, {anyd} FROM {^from} WHERE {bool} ORDER BY 1 {ordering}, 2 {ordering}, 3 {ordering} LIMIT
    ({!count})
query*4 SELECT {1=group}, {2=group}, {agg}, {agg} FROM {^from} WHERE {bool} GROUP BY {1}, {2} {having}
query*2 SELECT {1=group}, {2=group}, grouping({1}, {2}), {agg} FROM {^from} WHERE {bool} GROUP BY {sets}({1}, {2})
    {having}
query SELECT {1=group}, {2=group}, {3=group}, grouping({3}), {agg} FROM {^from} GROUP BY GROUPING SETS (({1}, {2}),
    ({3}), (), {sets}({2}, {3}))
query SELECT {1=group}, {2=group}, {agg} FROM {^from} GROUP BY {1}, ROLLUP ({2}) {having}
query SELECT {agg}, {agg}, {agg} FROM {^from} WHERE {bool} {having}
query SELECT {1=group}, {agg} FROM {^from} WHERE {bool} GROUP BY {1} ORDER BY {agg}, 1, 2 LIMIT {1-6}
query SELECT {1=group}, {agg}, {wfun2} FROM {^from} WHERE {bool} GROUP BY {1}
query*2 SELECT {@}.id, {wtie} OVER ({part} ORDER BY {wkey} {ordering} {tieframe}) FROM {^from} WHERE {bool}
query*2 SELECT id, {wfun} OVER ({parts} ORDER BY {wcol}, id {frame}), {wfun} OVER ({parts} ORDER BY id DESC {frame})
    FROM {unique} {+} WHERE {bool}
query SELECT id, {wfun} OVER v, {wfun} OVER (v {frame}) FROM {unique} {+} WINDOW v AS ({parts} ORDER BY {wcol}, id)
query SELECT * FROM (SELECT id, i4, row_number() OVER ({parts} ORDER BY {wcol}, id) AS rn FROM {unique} {+} WHERE
    {bool}) s WHERE rn <= {1-3}
query SELECT id, sum(i4) OVER ({parts} ORDER BY n RANGE BETWEEN {rb} PRECEDING AND {rb} FOLLOWING {exclude}) FROM {w}
    {+}
query SELECT id, count(*) OVER ({parts} ORDER BY d {desc} RANGE BETWEEN '{0-3} days' PRECEDING AND '{0-3} days'
    FOLLOWING {exclude}) FROM {w} {+}
query SELECT id, max(t) OVER ({parts} ORDER BY i4 {desc} RANGE BETWEEN {0-2} FOLLOWING AND {2-5} FOLLOWING) FROM {w} {+}
query*2 ({sel2}) {setop} ({sel2})
query (({sel2}) {setop} ({sel2})) {setop} ({sel2})
query ({sel2}) {setop} (({sel2}) {setop} ({sel2})) ORDER BY 1, 2, 3 LIMIT {1-9}
query WITH c AS {mat} ({!relation}) SELECT {all} FROM c {+} JOIN {^item} ON {bool} WHERE {bool}
query WITH c AS {mat} ({!relation}), e AS {mat} ({ofc}) SELECT x.id, y.i4, count(*), max(x.t) FROM c x LEFT JOIN e y ON
    x.i4 = y.i4 GROUP BY x.id, y.i4
query WITH c AS {mat} ({!relation}) SELECT {anyd}, {anyd} FROM {^item} WHERE EXISTS ({ofc}) AND {@}.i4 IN (SELECT i4
    FROM c)
query WITH RECURSIVE c (a, l) AS ({start} UNION SELECT x.i4, l + 1 FROM c JOIN {w} x ON x.i2 = c.a WHERE l < {1-3})
    SELECT * FROM c
query WITH RECURSIVE c (a, l) AS (SELECT i4::int, 0 FROM {unique} {+} WHERE id < 4 UNION ALL SELECT a + 1, l + 1 FROM
    c WHERE l < {1-4}) SELECT a, count(*), max(l) FROM c GROUP BY a
query WITH RECURSIVE c AS (SELECT id::int, i4::int, i2::int FROM {unique} {+} WHERE id < 3 UNION ALL SELECT
    x.id::int, x.i4::int, x.i2::int FROM {unique} x JOIN c ON x.i2 = c.id) CYCLE id SET looped USING path SELECT id,
    i4, looped, path FROM c
query WITH RECURSIVE c AS (SELECT id::int, i4::int, i2::int FROM {unique} {+} WHERE id = 1 UNION ALL SELECT
    x.id::int, x.i4::int, x.i2::int FROM {unique} x JOIN c ON x.i2 = c.id AND x.id > c.id) SEARCH {search} FIRST BY
    id SET o SELECT id, o FROM c
query SELECT * FROM {1=w} a NATURAL JOIN {1} b WHERE a.id < 9
query SELECT id, i4, a.t, b.t FROM {w} a {using} JOIN {w} b USING (id, i4)
query SELECT id, a.n FROM {w} a {using} JOIN {w} b USING (id) WHERE b.i4 {cmp} a.i4
query VALUES (({count}), ({max})), (1, ({max}))
query SELECT {any}, x, o FROM {^item} CROSS JOIN LATERAL unnest({@}.ia) WITH ORDINALITY u (x, o) WHERE {bool}
query SELECT {any}, generate_series(1, {@}.i2) FROM {w} {+} WHERE {@}.i2 < 9
query SELECT {any}, x FROM {w} {+} LEFT JOIN LATERAL generate_series({@}.i2, 3) x ON x {cmp} {@}.i4
query SELECT {any}, k, v FROM {w} {+} CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof({@}.j) WHEN 'object' THEN {@}.j
    END) e (k, v)
ofc SELECT * FROM c {+} WHERE {bool}
start SELECT {int}, 0 FROM {w} {+} WHERE {bool}
search DEPTH
search BREADTH
using FULL
using LEFT
using RIGHT
using INNER
mat*2 -
mat MATERIALIZED
mat NOT MATERIALIZED
setop UNION
setop UNION ALL
setop INTERSECT
setop EXCEPT
setop INTERSECT ALL
setop EXCEPT ALL
sel2 SELECT {int}, {text}, {date} FROM {^from} WHERE {bool}
sel2 SELECT {int}, {@}.vc, {ts} FROM {w} {+} WHERE {bool}
sel2 SELECT {@}.i8, {@}.t, NULL FROM {w} {+}
sel2 SELECT {int}, {text}, {date} FROM {w} {+} GROUP BY 1, 2, 3
sel2 VALUES (1, 'a', date '2020-01-01'), (NULL, NULL, NULL)
having*2 -
having HAVING count(*) > {0-3}
having HAVING {agg} IS NOT NULL
having HAVING bool_or({bool})
having HAVING count(*) > ({count})
sets ROLLUP
sets CUBE
sets GROUPING SETS
group {@}.i4
group {@}.i2
group {@}.t
group {@}.d
group {@}.b
group {@}.m
group {@}.n
group {@}.ch
group ({int} + 0)
group ({text} || '')
group ({bool})
unique w0
unique w6
unique w8
unique (SELECT * FROM w0 UNION ALL SELECT id + 100, i2, i4, i8, n, f8, t, vc, ch, b, d, ts, tz, iv, m, ia, j, r FROM w8)
ordering*2 -
ordering  DESC
ordering  NULLS FIRST
ordering  DESC NULLS LAST
desc*2 -
desc  DESC
any*2 {anyd}
any {@}.f8 / 2
any {@}.j -> 'b'
any {@}.j
any {@}.ia[1]
any {@}.r
anyd*2 {int}
anyd*2 {text}
anyd {num}
anyd {date}
anyd {ts}
anyd {mood}
anyd {bool}
anyd {ints}
anyd {@}.iv
anyd {@}.ch
anyd {@}.f8
anyd {@}.tz
anyd {scalar}
scalar (SELECT max({int}) FROM {^from} WHERE {bool})
scalar (SELECT sum({@}.i4)::int FROM {w} {+} WHERE {equal})
scalar (SELECT count(*)::int FROM {w} {+} WHERE {bool})
scalar (SELECT count({int})::int FROM {w} {+} WHERE {equal} AND {bool})
scalar (SELECT i4 FROM w0 {+} WHERE id = {0-9} AND {bool})
scalar (SELECT x.i4 FROM {w} x WHERE x.i2 = {@}.i4 ORDER BY 1 LIMIT 1)
scalar (SELECT x.i4 FROM (SELECT * FROM {w} {+} WHERE {bool}) x ORDER BY x.i4 DESC NULLS LAST LIMIT 1)
scalar (SELECT count(*)::int FROM (SELECT {int} AS q FROM {w} {+} WHERE {equal} GROUP BY 1 {having}) x WHERE q > 0)
scalar (SELECT min(q) FROM ({ones} UNION {ones}) x (q))
scalar (WITH c AS {mat} (SELECT i4 FROM {w} {+} WHERE {equal}) SELECT max(i4) FROM c)
ranked (SELECT rank FROM (SELECT id, rank() OVER (ORDER BY i4) FROM {w} {+} WHERE {equal}) x WHERE id = 1 ORDER BY 1
    LIMIT 1)::int
ones SELECT {int} FROM {w} {+}
ones SELECT {int} FROM {w} {+} WHERE {equal}
max SELECT max({int}) FROM {w} {+} WHERE {bool}
count SELECT count(*) FROM {w} {+} WHERE {plain}
agg {agg1}
agg {agg1} FILTER (WHERE {bool})
agg1 count(*)
agg1 count({any})
agg1 count(DISTINCT {anyd})
agg1 sum({int})
agg1 sum({num})
agg1 sum({@}.f8)
agg1 sum(DISTINCT {int})
agg1 avg({int})
agg1 avg({num})
agg1 min({anymin})
agg1 max({anymin})
agg1 bool_and({bool})
agg1 every({bool})
agg1 string_agg({1=text}, ',' ORDER BY {1})
agg1 string_agg(DISTINCT {@}.t, ',')
agg1 array_agg({1=int} ORDER BY {1} {ordering})
agg1 array_agg(DISTINCT {1=date})
agg1 jsonb_agg({1=num} ORDER BY {1})
agg1 bit_or({int})
agg1 variance({int})
agg1 mode() WITHIN GROUP (ORDER BY 1)
agg1 percentile_disc(0.5) WITHIN GROUP (ORDER BY {num})
agg1 percentile_cont(0.25) WITHIN GROUP (ORDER BY {@}.f8)
agg1 rank({0-5}) WITHIN GROUP (ORDER BY {int})
agg1 sum(({scalar}))
agg1 max(CASE WHEN {bool} THEN {int} END)
anymin {int}
anymin {text}
anymin {num}
anymin {date}
anymin {ts}
anymin {mood}
anymin {ints}
anymin {@}.ch
anymin {@}.f8
wkey {@}.i4
wkey {@}.t
wkey {@}.d
wkey {int}
wkey {@}.n
wcol i4
wcol t DESC
wcol d NULLS FIRST
wcol b DESC NULLS LAST
part*2 -
part PARTITION BY {@}.i4
part PARTITION BY {@}.t, {@}.b
part PARTITION BY {bool}
parts -
parts PARTITION BY i2
parts PARTITION BY t
parts PARTITION BY b, m
wtie rank()
wtie dense_rank()
wtie percent_rank()
wtie cume_dist()
wtie sum({int})
wtie min({text})
wtie max({date})
wtie count(*)
wtie count({int}) FILTER (WHERE {bool})
wtie avg({num})
wtie array_agg(1)
tieframe*2 -
tieframe RANGE UNBOUNDED PRECEDING
tieframe RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
tieframe GROUPS BETWEEN {0-2} PRECEDING AND {0-2} FOLLOWING {exclude}
tieframe GROUPS BETWEEN {1-2} FOLLOWING AND UNBOUNDED FOLLOWING
tieframe RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW {exclude}
exclude*2 -
exclude EXCLUDE CURRENT ROW
exclude EXCLUDE GROUP
exclude EXCLUDE TIES
exclude EXCLUDE NO OTHERS
wfun row_number()
wfun rank()
wfun ntile({1-4})
wfun lag({int})
wfun lag({text}, {0-2}, 'none')
wfun lead({int}, {0-3})
wfun lead({date}, i2)
wfun first_value({int})
wfun last_value({text})
wfun nth_value({int}, {1-3})
wfun sum({int})
wfun avg({num})
wfun min({text})
wfun max({mood})
wfun count({int})
wfun count(*) FILTER (WHERE {bool})
wfun array_agg({int})
wfun string_agg({text}, '')
wfun bool_and({bool})
wfun sum({@}.f8)
wfun2 rank() OVER (ORDER BY {agg1})
wfun2 sum(count(*)) OVER ()
frame*2 -
frame ROWS BETWEEN {0-2} PRECEDING AND {0-2} FOLLOWING {exclude}
frame ROWS BETWEEN {1-3} PRECEDING AND {0-1} PRECEDING
frame ROWS BETWEEN {0-1} FOLLOWING AND {1-3} FOLLOWING {exclude}
frame ROWS BETWEEN UNBOUNDED PRECEDING AND {0-2} FOLLOWING
frame ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING {exclude}
frame GROUPS BETWEEN {0-2} PRECEDING AND CURRENT ROW {exclude}
frame ROWS {0-2} PRECEDING
rb 0
rb 1
rb 0.5
rb 2.25
int*5 {@}.i4
int*2 {@}.i2
int {@}.id
int {0-5}
int ({@}.i4 + {0-3})
int ({int} - {@}.i2)
int coalesce({int}, {0-3})
int nullif({int}, {int})
int length({text})
int (CASE WHEN {bool} THEN {int} ELSE {int} END)
int (CASE {int} WHEN 1 THEN {int} WHEN 2 THEN NULL ELSE 7 END)
int greatest({int}, {int})
int {scalar}
int extract(day from {date})::int
int cardinality({ints})
int ({@}.j ->> 'a')::int
int (-{int})
int (abs({int}) % 3)
num*3 {@}.n
num {0-5}.50
num round({@}.n * 2, 2)
num round({@}.n + {int}, 2)
num coalesce({num}, 0.00)
num (CASE WHEN {bool} THEN {num} END)
text*4 {@}.t
text {@}.vc::text
text lower({text})
text upper({text})
text ({text} || {text})
text coalesce({text}, 'none')
text substr({text}, 1, 1)
text 'a'
text {@}.m::text
text ({@}.j ->> 'b')
text (CASE WHEN {bool} THEN {text} ELSE {text} END)
text nullif({text}, 'a')
text trim({@}.ch)
date*3 {@}.d
date ({@}.d + {0-3})
date date '2020-01-0{1-5}'
date coalesce({date}, date '2020-01-03')
date {@}.ts::date
date least({date}, {date})
ts*3 {@}.ts
ts ({@}.ts + {@}.iv)
ts ({@}.d + {@}.iv)
ts {@}.d::timestamp
ts date_trunc('day', {@}.ts)
mood*2 {@}.m
mood coalesce({@}.m, 'ok')
mood 'glad'::mood
ints*3 {@}.ia
ints ({@}.ia || ({int})::int)
ints ARRAY[{int}, {int}]::int[]
ints ARRAY(SELECT i4::int FROM {w} {+} WHERE {equal} ORDER BY 1)
plain {@}.i4 {cmp} {0-5}
plain {@}.t {cmp} 'a'
plain {@}.i2 IS NOT NULL
plain {@}.d {cmp} '2020-01-0{1-4}'
plain {@}.id < {0-30}
plain ({plain}) OR ({plain})
plain NOT ({plain})
bool*3 ({@}.i4 {cmp} {lint0})
bool ({@}.i4 {cmp} {@}.i4)
bool ({@}.id {cmp} {0-20})
bool*2 ({equal})
bool ({@}.i2 {cmp} {lint0})
bool ({@}.i8 {cmp} {lnum0})
bool ({@}.n {cmp} {lint0})
bool ({@}.n {cmp} {lnum0})
bool ({@}.f8 {cmp} {lint0})
bool ({int} {cmp} {int})
bool ({text} {cmp} {text})
bool ({@}.t {cmp} 'a')
bool ({@}.vc {cmp} 'a')
bool ({@}.ch {cmp} 'a')
bool ({@}.ch {cmp} {@}.t)
bool ({@}.d {cmp} date '2020-01-0{1-5}')
bool ({@}.d {cmp} timestamp '2020-01-0{1-5} 12:00')
bool ({@}.ts {cmp} date '2020-01-0{1-5}')
bool ({@}.tz {cmp} date '2020-01-0{1-5}')
bool ({@}.tz {cmp} {@}.d)
bool ({ts} {cmp} {date})
bool ({@}.iv {cmp} interval '{1-4} days')
bool ({@}.m {cmp} 'ok')
bool ({mood} {cmp} {mood})
bool ({ints} {cmp} {ints})
bool ({@}.ia @> ARRAY[{0-3}])
bool ({int} = ANY ({@}.ia))
bool ({int} <> ALL ({@}.ia))
bool ({@}.r @> ({int})::int)
bool ({@}.r && {@}.r)
bool ({@}.r < {@}.r)
bool ({@}.j ? 'a')
bool ({@}.j @> '{"a": 1}')
bool ({@}.j = {@}.j)
bool*2 {@}.b
bool ({@}.b {cmp} {bool})
bool ({@}.b IS {nott} TRUE)
bool ({bool} IS {nott} FALSE)
bool ({bool} IS {nott} UNKNOWN)
bool ({any} IS {nott} NULL)
bool*3 ({bool} AND {bool})
bool*3 ({bool} OR {bool})
bool*2 (NOT {bool})
bool ({int} BETWEEN {int} AND {int})
bool ({int} NOT BETWEEN SYMMETRIC {int} AND {int})
bool ({int} {nott} IN ({lint0}, {lint0}, {int}))
bool ({@}.i4 {nott} IN ({lint0}, {lint0}, {lint0}))
bool ({@}.t {nott} IN ('a', 'b', NULL))
bool ({@}.t {nott} LIKE {like})
bool ({@}.ch {nott} LIKE {like})
bool ({text} ILIKE {like})
bool ({@}.t ~ '^[ab]+$')
bool (({int}, {text}) {cmp} ({int}, {text}))
bool (({@}.i4, {@}.i2) {cmp} ({lint0}, {lint0}))
bool (({@}.i4, {@}.t) {nott} IN ((1, 'a'), (2, 'b'), ({int}, NULL)))
bool*2 {nott} EXISTS (SELECT 1 FROM {^from} WHERE {bool})
bool*2 {nott} EXISTS (SELECT * FROM {w} {+} WHERE {equal})
bool {nott} EXISTS (SELECT count(*) FROM {w} {+} WHERE {equal} GROUP BY i4 HAVING count(*) > {0-2})
bool*2 ({int} {nott} IN ({suba}))
bool*2 ({@}.i4 {nott} IN ({subb}))
bool ({@}.i4 {nott} IN ({subc}))
bool ({@}.t {nott} IN ({subd}))
bool (({int}, {text}) {nott} IN ({sube}))
bool ({int} {cmp} ANY ({suba}))
bool ({int} {cmp} ALL ({suba}))
bool ({int} {nott} IN ({subf}))
bool ({int} = {scalar})
bool ({scalar} {cmp} {scalar})
bool ({@}.i4 = ANY (ARRAY({subb})))
bool ({int} IN ({ones} {setop} {ones}))
bool ({text} IS DISTINCT FROM {text})
bool (row({@}.i4, {@}.t) IS {nott} NULL)
bool ({@} IS {nott} NULL)
bool ({@}.id, {@}.i4) = ({subg})
suba SELECT {int} FROM {w} {+} WHERE {bool}
subb SELECT i4 FROM {w} {+} WHERE {equal}
subc SELECT i4 FROM {w} {+}
subd SELECT t FROM {w} {+} WHERE {plain}
sube SELECT {int}, {text} FROM {w} {+}
subf SELECT max({int}) FROM {w} {+} WHERE {equal} GROUP BY i2
subg SELECT max(id), max(i4) FROM {w} {+} WHERE {equal}
nott*2 -
nott NOT
like 'a%'
like '%b'
like '_'
like 'a\_%'
like 'A%'
lint0*3 {0-5}
lint0 (-{1-3})
lint0 NULL
lint0 3000000000
lint0 2.5
lnum0 {0-5}.5
lnum0 1e0
cmp*3 =
cmp <>
cmp <
cmp <=
cmp >
cmp >=
)grammar";

}  // namespace northstar::hard
