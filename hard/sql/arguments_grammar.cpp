#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// $<type> stands for an argument of that type, $<type:rule> for one that a rule of its own makes. Values of each type
// lie close together, so that conditions on single columns are true of some rows and not of others.
const char* const k_arguments_grammar = R"grammar(
setup0 CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad', 'Ok')
setup1 CREATE DOMAIN small AS int CHECK (VALUE < 100)
setup2 CREATE TABLE t (id int PRIMARY KEY, i2 smallint, i4 int, i8 bigint, n numeric, n2 numeric(8,2), f8 float8, t
    text, vc varchar(6), ch char(4), b boolean, d date, ts timestamp, tz timestamptz, iv interval, tm time, m mood, ia
    int[], ta text[], r int4range, nr numrange, tr tsrange, u uuid, y bytea, j jsonb, s small, g int GENERATED ALWAYS AS
    (i4 * 2) STORED)
row {v_int2}, {v_int4}, {v_int8}, {v_numeric}, {v_numeric}, {v_float8}, {v_text}, {v_short}, {v_bpchar}, {v_bool},
    {v_date}, {v_timestamp}, {v_timestamptz}, {v_interval}, {v_time}, {v_mood}, {v_int4_array}, {v_text_array},
    {v_int4range}, {v_numrange}, {v_tsrange}, {v_uuid}, {v_bytea}, {v_jsonb}, {v_int4}
v_int2 '{0-9}'
v_int2 '-{0-3}'
v_int2 NULL
v_int4*3 '{0-9}'
v_int4 '-{1-3}'
v_int4 '40'
v_int4 NULL
v_int8*3 '{0-9}'
v_int8 '5000000000'
v_int8 '-{0-3}'
v_int8 NULL
v_limit '{0-9}'
v_limit '{0-9}'
v_limit NULL
v_numeric '{0-9}'
v_numeric '{0-9}.{0-9}'
v_numeric '{0-9}.{0-9}0'
v_numeric '-{0-3}.5'
v_numeric 'NaN'
v_numeric 'Infinity'
v_numeric '123456789012345678901234567890'
v_numeric NULL
v_float8*3 '{0-9}'
v_float8 '{0-9}.5'
v_float8 '-0'
v_float8 'NaN'
v_float8 '-Infinity'
v_float8 NULL
v_short*3 '{word}'
v_short NULL
v_text*4 '{word}'
v_text '{word} '
v_text '{word}{word}'
v_text NULL
word -
word a
word A
word b
word ab
word aB
word a_b
word a%b
word 10
word 9
word zz
v_pattern '{word}%'
v_pattern '%{word}'
v_pattern '{word}'
v_pattern '_{word}%'
v_pattern 'a\_%'
v_pattern NULL
v_bpchar '{word}'
v_bpchar '{word} '
v_bpchar NULL
v_bool 'true'
v_bool 'false'
v_bool NULL
v_date*3 '2020-01-0{1-9}'
v_date 'infinity'
v_date '0044-03-15 BC'
v_date NULL
v_timestamp*3 '2020-01-0{1-9}'
v_timestamp*2 '2020-01-0{1-9} 1{0-2}:00'
v_timestamp '-infinity'
v_timestamp NULL
v_timestamptz*3 '2020-01-0{1-9}'
v_timestamptz*2 '2020-01-0{1-9} 0{0-2}:00+0{0-2}'
v_timestamptz 'infinity'
v_timestamptz NULL
v_interval '{0-3} days'
v_interval '{1-3}0 days'
v_interval '1 mon'
v_interval '{0-3} days {0-48} hours'
v_interval '-1 day'
v_interval NULL
v_time '0{0-9}:00'
v_time '24:00'
v_time NULL
v_mood 'sad'
v_mood 'ok'
v_mood 'glad'
v_mood 'Ok'
v_mood NULL
v_int4_array*2 '{{0-9},{0-9}}'
v_int4_array '{{0-9},NULL,{0-9}}'
v_int4_array '{{0-9}}'
v_int4_array '{}'
v_int4_array '[0:1]={{0-9},{0-9}}'
v_int4_array '{{{0-9}},{{0-9}}}'
v_int4_array NULL
v_int8_array '{{0-9},5000000000}'
v_int8_array '{{0-9},{0-9},{0-9}}'
v_int8_array NULL
v_numeric_array '{{0-9},{0-9}.50,NaN}'
v_numeric_array '{{0-9}.0}'
v_numeric_array '{}'
v_numeric_array NULL
v_text_array*2 '{a,"{word}"}'
v_text_array '{"{word}",NULL}'
v_text_array '{}'
v_text_array NULL
v_mood_array '{ok,glad}'
v_mood_array '{sad,NULL}'
v_mood_array '{}'
v_mood_array NULL
v_date_array '{2020-01-0{1-9},2020-01-0{1-9}}'
v_date_array NULL
v_int4range '[{0-4},{5-9}]'
v_int4range '({0-4},{5-9})'
v_int4range '[,{0-9}]'
v_int4range '[{0-9},)'
v_int4range 'empty'
v_int4range '(,)'
v_int4range NULL
v_numrange '[{0-4},{5-9}]'
v_numrange '({0-4}.5,{5-9})'
v_numrange '[,{0-9}.0]'
v_numrange 'empty'
v_numrange NULL
v_tsrange '[2020-01-0{1-4},2020-01-0{5-9})'
v_tsrange '[2020-01-0{1-9},infinity]'
v_tsrange '(,2020-01-0{1-9}]'
v_tsrange NULL
v_uuid '0000000{0-9}-0000-0000-0000-000000000000'
v_uuid 'ffffffff-ffff-ffff-ffff-fffffffffff{0-9}'
v_uuid NULL
v_bytea '\x'
v_bytea '\x0{0-9}'
v_bytea '\x0{0-3}00'
v_bytea NULL
v_jsonb '{"a": {0-3}}'
v_jsonb '{"a": "{word}", "b": [1, {0-3}]}'
v_jsonb '[{0-3}, "a"]'
v_jsonb '{0-9}'
v_jsonb 'null'
v_jsonb NULL
v_key 'a'
v_key 'b'
v_key NULL
cmp*2 =
cmp <
cmp <=
cmp >
cmp >=
cmp <>
col {@}.i4
col {@}.t
col {@}.n
col {@}.n2
col {@}.vc
col {@}.ch
col {@}.d
col {@}.ts
col {@}.tz
col {@}.iv
col {@}.m
col {@}.ia
col {@}.r
col {@}.nr
col {@}.j
col {@}.f8
col {@}.g
col {@}.s
cond*9 {simple}
cond*2 {cond} AND {cond}
cond ({cond} OR {cond})
cond NOT ({cond})
cond ({cond}) IS NOT TRUE
cond ({cond}) IS NULL
simple {@}.id {cmp} $<int4>
simple {@}.i2 {cmp} $<int2>
simple {@}.i2 {cmp} $<int4>
simple {@}.i2 {cmp} $<int8>
simple {@}.i4 {cmp} $<int4>
simple {@}.i4 {cmp} $<int8>
simple {@}.i4 {cmp} $<numeric>
simple {@}.i4 {cmp} $<float8>
simple {@}.i8 {cmp} $<int2>
simple {@}.i8 {cmp} $<int8>
simple {@}.i8 {cmp} $<numeric>
simple {@}.n {cmp} $<numeric>
simple {@}.n {cmp} $<int4>
simple {@}.n {cmp} $<float8>
simple {@}.n2 {cmp} $<numeric>
simple {@}.n2 {cmp} $<int8>
simple {@}.f8 {cmp} $<float8>
simple {@}.f8 {cmp} $<numeric>
simple {@}.f8 {cmp} $<int4>
simple {@}.t {cmp} $<text>
simple {@}.t {cmp} $<varchar:short>
simple {@}.t {cmp} $<bpchar>
simple {@}.vc {cmp} $<text>
simple {@}.vc {cmp} $<varchar:text>
simple {@}.ch {cmp} $<bpchar>
simple {@}.ch {cmp} $<text>
simple {@}.ch = {@}.vc || $<text>
simple {@}.t LIKE $<text:pattern>
simple {@}.vc LIKE $<text:pattern>
simple {@}.ch LIKE $<text:pattern>
simple {@}.t ILIKE $<text:pattern>
simple {@}.t NOT LIKE $<text:pattern>
simple starts_with({@}.t, $<text>)
simple {@}.t ^@ $<text>
simple lower({@}.t) {cmp} $<text>
simple {@}.b = $<bool>
simple {@}.b IS DISTINCT FROM $<bool>
simple $<bool>
simple {@}.d {cmp} $<date>
simple {@}.d {cmp} $<timestamp>
simple {@}.d {cmp} $<timestamptz>
simple {@}.ts {cmp} $<timestamp>
simple {@}.ts {cmp} $<date>
simple {@}.ts {cmp} $<timestamptz>
simple {@}.tz {cmp} $<timestamptz>
simple {@}.tz {cmp} $<date>
simple {@}.tz {cmp} $<timestamp>
simple {@}.iv {cmp} $<interval>
simple {@}.tm {cmp} $<time>
simple {@}.ts + $<interval> {cmp} $<timestamp>
simple {@}.d - $<date> {cmp} $<int4>
simple {@}.m {cmp} $<mood>
simple {@}.ia {cmp} $<int4_array>
simple {@}.ia @> $<int4_array>
simple {@}.ia && $<int4_array>
simple {@}.ia <@ $<int4_array>
simple {@}.ia[$<int4>] {cmp} $<int4>
simple $<int4> = ANY ({@}.ia)
simple $<int4> < ALL ({@}.ia)
simple {@}.ta {cmp} $<text_array>
simple $<text> = ANY ({@}.ta)
simple {@}.r {cmp} $<int4range>
simple {@}.r @> $<int4range>
simple {@}.r && $<int4range>
simple {@}.r << $<int4range>
simple {@}.r -|- $<int4range>
simple {@}.r @> $<int4>
simple {@}.nr {cmp} $<numrange>
simple {@}.nr @> $<numeric>
simple {@}.tr {cmp} $<tsrange>
simple {@}.tr @> $<timestamp>
simple {@}.u {cmp} $<uuid>
simple {@}.y {cmp} $<bytea>
simple {@}.j {cmp} $<jsonb>
simple {@}.j @> $<jsonb>
simple {@}.j ->> $<text:key> = $<text>
simple {@}.j ? $<text:key>
simple {@}.s {cmp} $<int4>
simple {@}.g {cmp} $<int4>
simple {@}.i4 + 1 {cmp} $<int4>
simple {@}.i4 % 3 = $<int4>
simple {@}.i4 IN ($<int4>, $<int4>, 3)
simple {@}.i4 NOT IN ($<int4>, 4)
simple {@}.i4 IN ($<int8>, $<numeric>)
simple {@}.t IN ($<text>, $<varchar:short>, 'b')
simple {@}.i4 = ANY ($<int4_array>)
simple {@}.i4 = ANY ($<int8_array>)
simple {@}.i8 = ANY ($<int4_array>)
simple {@}.i4 {cmp} ALL ($<int4_array>)
simple {@}.n = ANY ($<numeric_array>)
simple {@}.t = ANY ($<text_array>)
simple {@}.vc = ANY ($<text_array>)
simple {@}.m = ANY ($<mood_array>)
simple {@}.d = ANY ($<date_array>)
simple {@}.i4 = ANY (ARRAY[$<int4>, {@}.i2])
simple {@}.i4 BETWEEN $<int4> AND $<int4>
simple {@}.n BETWEEN $<int4> AND $<numeric>
simple {@}.t BETWEEN SYMMETRIC $<text> AND $<text>
simple {@}.i4 BETWEEN $<int4> AND $<int8>
simple ({@}.i4, {@}.t) {cmp} ($<int4>, $<text>)
simple ({@}.m, {@}.i4) {cmp} ($<mood>, $<int4>)
simple ({@}.i4, {@}.n) IN (($<int4>, $<numeric>), (3, 3))
simple $<int4> IS NULL
simple {@}.i4 IS NOT DISTINCT FROM $<int4>
simple {@}.t IS DISTINCT FROM $<text>
simple coalesce($<int4>, {@}.i4) = {@}.i4
simple ($<int4> IS NULL OR {@}.i4 = $<int4>)
simple nullif({@}.i4, $<int4>) IS NULL
simple greatest({@}.i4, $<int4>) = {@}.i4
simple CASE {@}.i4 WHEN $<int4> THEN true WHEN 3 THEN $<bool> ELSE {@}.b END
simple {@}.i4 = $<int8>::int
simple {@}.t = $<int4>::text
simple {@}.i4::text = $<text>
simple EXISTS (SELECT FROM t {+} WHERE {cond})
simple EXISTS (SELECT FROM t x WHERE x.i4 = {@}.i4 + $<int4>)
simple {@}.i4 IN (SELECT x.i4 FROM t x WHERE x.t {cmp} $<text>)
simple {@}.i4 NOT IN (SELECT x.i2 FROM t x WHERE x.i2 {cmp} $<int2>)
simple {@}.i4 {cmp} (SELECT count(*) FROM t x WHERE x.i2 = {@}.i2 AND x.m {cmp} $<mood>)
simple {@}.n {cmp} ANY (SELECT x.n2 FROM t x WHERE x.i4 > $<int4>)
query*4 SELECT {@}.* FROM t {+} WHERE {cond}
query*2 SELECT {@}.id, {col} FROM t {+} WHERE {cond}
query SELECT {@}.id, {1=col} FROM t {+} WHERE {cond} ORDER BY {1}, {@}.id LIMIT $<int8:limit>
query SELECT {@}.id, {1=col} FROM t {+} WHERE {cond} ORDER BY {1} DESC NULLS LAST, {@}.id DESC LIMIT $<int8:limit>
    OFFSET $<int8:limit>
query SELECT {@}.id FROM t {+} ORDER BY {@}.id FETCH FIRST ($<int8:limit>) ROWS ONLY
query SELECT count(*), count({1=col}), min({@}.i4), max({@}.ts), sum({@}.n2) FROM t {+} WHERE {cond}
query SELECT max({@}.n), min({@}.m), max({@}.ch) FROM t {+} WHERE {cond}
query SELECT {1=col}, count(*) FROM t {+} WHERE {cond} GROUP BY {1} HAVING count(*) {cmp} $<int8>
query SELECT DISTINCT {col} FROM t {+} WHERE {cond}
query SELECT DISTINCT ON ({1=col}) {1}, {@}.id FROM t {+} WHERE {cond} ORDER BY {1}, {@}.id
query SELECT $<int4> + {@}.i4, $<text> || {@}.t, $<date>, $<mood>, $<numeric> FROM t {+} WHERE {cond}
query SELECT $<int4>, $<int4_array>, $<text>, $<jsonb>, $<int4range>, $<bytea>, $<float8>, $<timestamptz>
query SELECT a.id, b.id FROM t a JOIN t b ON a.i4 = b.i4 WHERE a.m {cmp} $<mood> AND b.t {cmp} $<text>
query SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.i4 = b.id AND b.n {cmp} $<numeric> WHERE a.id {cmp} $<int4>
query SELECT a.id, x.c FROM t a, LATERAL (SELECT count(*) c FROM t b WHERE b.i4 = a.i4 AND b.d {cmp} $<date>) x WHERE
    x.c {cmp} $<int8>
query SELECT a.id, x.id FROM t a, LATERAL (SELECT id FROM t b WHERE b.i4 {cmp} a.i4 ORDER BY id LIMIT $<int8:limit>) x
query SELECT id, rank() OVER (PARTITION BY i4 % 3 ORDER BY n), sum(i2) OVER (ORDER BY id ROWS $<int8:limit> PRECEDING)
    FROM t {+} WHERE {cond}
query SELECT {@}.id FROM t {+} WHERE {cond} UNION SELECT $<int4> EXCEPT SELECT {!sub}
query WITH x AS (SELECT {@}.id, {@}.i4 FROM t {+} WHERE {cond}) SELECT x.*, y.i4 FROM x LEFT JOIN x y ON x.i4 = y.id
query WITH RECURSIVE x (k) AS (SELECT $<int4> UNION SELECT k + 1 FROM x WHERE k < $<int4>) SELECT k FROM x WHERE k < 60
query SELECT x FROM generate_series($<int4>, $<int4>) x WHERE x {cmp} $<int8> ORDER BY x LIMIT 30
query SELECT x FROM unnest($<int4_array>) x WHERE x IN (SELECT i4 FROM t)
query SELECT v.a, v.b FROM (VALUES ($<int4>, $<text>), (3, 'b')) v (a, b) WHERE EXISTS (SELECT FROM t WHERE t.i4 = v.a)
query {over} WHERE c {cmp} $<int8>
query {over} WHERE i4 {cmp} $<int4> AND c > 0
over SELECT * FROM (SELECT i4, count(*) c FROM t GROUP BY i4) x
over SELECT * FROM (SELECT DISTINCT ON (i4) i4, id::int8 c FROM t ORDER BY i4, id DESC) x
over SELECT * FROM (SELECT i4, rank() OVER (PARTITION BY i4 ORDER BY id) c FROM t) x
over SELECT * FROM (SELECT i4, sum(i2) OVER (PARTITION BY b, i4) c FROM t) x
over SELECT * FROM (SELECT i4, i8 c FROM t UNION ALL SELECT i2, id FROM t) x
over SELECT * FROM (SELECT i4, i8 c FROM t INTERSECT SELECT id, i8 FROM t) x
over SELECT * FROM (SELECT i4, i8 c FROM t ORDER BY id LIMIT 7) x
over SELECT * FROM (SELECT unnest(ia) i4, i8 c FROM t) x
over SELECT * FROM (SELECT a.i4, b.i8 c FROM t a LEFT JOIN t b ON a.id = b.i4) x
over SELECT * FROM (SELECT i4, max(i8) c FROM t GROUP BY ROLLUP (i4)) x
over SELECT * FROM (SELECT a.id, x.* FROM t a JOIN (SELECT i4, count(*) c FROM t GROUP BY i4) x ON a.i4 = x.i4) y
sub 3
sub max(i4) FROM t WHERE i4 < $<int4>
change UPDATE t SET i4 = $<int4>, t = $<text>, s = $<int4>, n2 = $<numeric> WHERE id {cmp} $<int4> RETURNING *
change UPDATE t SET i8 = (SELECT count(*) FROM t x WHERE x.i4 = t.i4 AND x.id < $<int4>), m = $<mood> WHERE i4 {cmp}
    $<int4> RETURNING id, i8, m
change UPDATE t SET vc = $<text>, ia[$<int4>] = $<int4>, ch = $<bpchar> WHERE m = $<mood> RETURNING id, vc, ia, ch
change INSERT INTO t (id, i4, t, m, r) VALUES ($<int4>, $<int8>, $<text>, $<mood>, $<int4range>) ON CONFLICT (id) DO
    UPDATE SET i4 = excluded.i4 + $<int4>, t = (SELECT min(x.t) FROM t x WHERE x.i4 = excluded.i4) RETURNING *
change INSERT INTO t (id, n2, ts, tz) SELECT id + 1000, $<numeric>, $<timestamp>, $<timestamptz> FROM t WHERE i4 =
    $<int4> RETURNING id, n2, ts, tz
change DELETE FROM t WHERE i4 = ANY ($<int4_array>) OR t = $<text> RETURNING id
change DELETE FROM t USING t x WHERE t.i4 = x.id AND x.n {cmp} $<numeric> RETURNING t.id
change WITH u AS (UPDATE t SET i4 = i4 + $<int4> WHERE id < $<int4> RETURNING id, i4, g) SELECT * FROM u WHERE g {cmp}
    $<int4>
index CREATE INDEX ON t ({key})
index CREATE INDEX ON t ({key}, {key})
index CREATE INDEX ON t ({key}) INCLUDE (id, i4)
index*2 CREATE INDEX ON t ({key}) WHERE {partial}
key {plain}
key {plain} DESC
key {plain} NULLS FIRST
key (lower(t))
key ((i4 + 1))
key ((i4 % 3))
key (abs(i4))
key ((j ->> 'a'))
key ((i4::text))
key t text_pattern_ops
plain i2
plain i4
plain i8
plain n
plain n2
plain f8
plain t
plain vc
plain ch
plain b
plain d
plain ts
plain tz
plain iv
plain tm
plain m
plain ia
plain ta
plain r
plain nr
plain tr
plain u
plain y
plain j
plain s
plain g
partial i4 > 3
partial i4 IS NOT NULL
partial n IS NULL
partial t LIKE 'a%'
partial m = 'ok'
partial m IN ('ok', 'glad')
partial b
partial NOT b
partial i4 IN (1, 2, 3)
partial d >= '2020-01-03' AND d < '2020-01-07'
partial i4 > 2 OR t = 'b'
partial i4 <> 4
partial i8 BETWEEN 2 AND 7
)grammar";

}  // namespace northstar::hard
