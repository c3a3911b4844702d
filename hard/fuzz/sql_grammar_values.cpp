// The grammar of hostile statements: types and values. sql_grammar.hpp says how it is read.
#include "hard/fuzz/sql_grammar.hpp"

namespace northstar::hard {

const char* const k_sql_value_rules = R"GRAMMAR(
= type
int
bigint
smallint
text
varchar(5)
char(3)
numeric
numeric(7,2)
numeric(3,-2)
float4
float8
boolean
date
time(2)
timetz
timestamp
timestamptz(3)
interval
interval day to second
uuid
json
jsonb
bytea
int[]
text[][]
int4range
numrange
daterange
mood
positive
bit(4)
varbit
oid
regclass
record
unknown_type

= any
NULL
1
<string>
<int>
<int>
<big>
<text>
<text>
<num>
<float>
<bool>
<date>
<timestamp>
<timestamptz>
<interval>
<json>
<jsonb>
<int_array>
<text_array>
<int_range>
<num_range>
<bytea>
<uuid>
<mood>
<record>
<bits>
<time>
<scalar_query>
@x
@y.m
@y
$1

= scalar_query
(SELECT 1)
!(SELECT <any>)
!(SELECT <aggregate>)
@!(SELECT <any> FROM t3 WHERE t3.x = x.id LIMIT 1)
@!(SELECT max(n) FROM generate_series(1, x.id) n)
!(WITH w AS (SELECT <int> AS n) SELECT n FROM w)
!(SELECT b FROM t1 <order_plain> LIMIT 1)
!(SELECT count(*) FROM v1)

= order_plain
~
ORDER BY id DESC

= bool
true
false
NULL::boolean
@x.e
@x.a = <int>
@x.id > y.id
@x.b LIKE <text>
@y.j @> <jsonb>
@y.r && <int_range>
@y.m = <mood>
@x.a IN (<int>, <int>, NULL)
@y.ts > <timestamptz>
@x.id = ANY (y.k)
(<bool> AND <bool>)
(<bool> OR <bool>)
NOT <bool>
(<any> IS NULL)
(<bool> IS NOT TRUE)
(<any> IS DISTINCT FROM <any>)
<int> BETWEEN SYMMETRIC <int> AND <int>
<int> = ALL (<int_array>)
<text> SIMILAR TO <pattern>
<text> ~ <pattern>
<text> !~* <pattern>
<text> ILIKE <text> ESCAPE '!'
<jsonb> @? <jsonpath>
<jsonb> @@ <jsonpath>
(<int>, <text>) < (<int>, <text>)
(<date>, <date>) OVERLAPS (<date>, <interval>)
!EXISTS (SELECT <any>)
!EXISTS (<select_xy>)
!<int> IN (SELECT t3.x FROM t3)
!<int> > ALL (SELECT id FROM t2)
CASE WHEN <bool> THEN <bool> ELSE <bool> END
CAST(<text> AS boolean)

= condition_xy
true
<bool>

= int_literal
0
1
2
7
-1

= int
1
0
2
-1
3
7
10
100
-5
32767
-32768
2147483647
-2147483648
@x.id
@x.a
@y.id::int
@y.k[1]
@y.p
@(y.j -> 'a')::int
(<int> + <int>)
(<int> - <int>)
(<int> * <int>)
(<int> / <int>)
(<int> % <int>)
- <int>
(<int>)::smallint
(<num>)::int
(<text>)::int
length(<text>)
CASE <int> WHEN <int> THEN <int> ELSE <int> END
coalesce(<int>, <int>)
nullif(<int>, <int>)
greatest(<int>, <int>)
extract(year FROM <date>)::int
position(<text> IN <text>)
(<int_array>)[<int>]
array_length(<int_array>, <int>)
!(SELECT max(id) FROM t1)
$1

= big
1::bigint
<int>
9223372036854775807
-9223372036854775808
@y.id
(<big> + <big>)
(<big> * <int>)
(<num>)::bigint
count(*)
!nextval('s1')

= num
1.5
0.0
-2.25
100
'NaN'::numeric
'Infinity'::numeric
1e30
1e-30
99999999999999999999999999999
0.000000000000000000000001
@x.c
<int>
(<num> + <num>)
(<num> * <num>)
(<num> / <num>)
(<num> ^ <num>)
round(<num>, <int>)
trunc(<num>, <int>)
(<float>)::numeric
(<text>)::numeric(10,3)
extract(epoch FROM <timestamp>)
to_number(<text>, <template>)

= float
1.5::float8
0::float8
-0.0::float8
'NaN'::float8
'Infinity'::float8
1e308
1e-308
0.1
@y.f
<num>
(<float> + <float>)
(<float> * <float>)
(<float> / <float>)
sqrt(<float>)
power(<float>, <float>)
(<int>)::float4
(<text>)::float8

= string
'a'
''
'abc'
'Zebra'
'%'
'a_c'
'\'
'1'
'-1.5e3'
'NaN'
'infinity'
'-infinity'
'true'
'2024-02-29'
'2024-02-29 23:59:60.999999+05:30'
'0001-01-01 BC'
'294276-12-31 23:59:59'
'1 year 2 mons -3 days 04:05:06.7'
'P1Y2M3DT4H5M6S'
'{1,2,NULL}'
'{{1,2},{3,4}}'
'[2:3]={7,8}'
'{"a": [1, 2.5, null, {"b": "c"}], "d": true}'
'[1, [2, [3]]]'
'[1,10)'
'empty'
'(,5]'
'(1,"a,b",)'
'00000000-0000-0000-0000-000000000001'
'\xdeadbeef'
'calm'
'B101'
'x=1, y'
E'\u00e9\u4e16\U0001f600'
E'a\nb\tc'
$$dollar$$
'Europe/Berlin'
!'now'
'year'
'epoch'

= text
'abc'
<string>
<string>
<string>
@x.b
@y.j ->> 'b'
(<text> || <text>)
(<text> || <any>)
upper(<text>)
substr(<text>, <int>, <int>)
substring(<text> FROM <int> FOR <int>)
substring(<text> FROM <pattern>)
overlay(<text> PLACING <text> FROM <int>)
trim(BOTH <text> FROM <text>)
lpad(<text>, <small>, <text>)
repeat(<text>, <small>)
format(<format>, <any>, <any>)
to_char(<num>, <template>)
to_char(<timestamp>, <template>)
to_char(<interval>, <template>)
regexp_replace(<text>, <pattern>, <text>, 'g')
split_part(<text>, <text>, <int>)
concat_ws(<text>, <any>, <any>)
(<any>)::text
(<text>)::varchar(3)
(<text>)::char(5)
(<text>)::name
CASE WHEN <bool> THEN <text> END
<text> COLLATE "C"
quote_literal(<any>)
<json> ->> <text>
<jsonb> #>> <text_array>
!current_setting('timezone')
$1

= small
3
0
-1
17
255

= format
'%s'
'%1$s %2$L %I'
'%-10s|%5s'
'%%%s %s %s'
'%*1$s'
<text>

= pattern
'a'
'(a|b)*c'
'^\w+\s*$'
'a{2,3}?'
'[[:alpha:]_]+'
'(?i)ABC'
'(a)(b)?\1'
'a(?=b)'
'(((((a*)*)*)*)*)b'
'[^a-z]'
'\m\d+\M'
'('
'x{1000}'
'%a_'
'(.)+(.)+(.)+$'
<string>

= template
'9'
'999,999.99'
'FM9990.099MI'
'S099V9'
'RN'
'9.99EEEE'
'L999PR'
'YYYY-MM-DD HH24:MI:SS.US'
'Day, DDth FMMonth YYYY BC'
'IYYY-IW-ID Q J WW'
'HH12:MI AM TZH:TZM OF'
'"text" YYYY Y,YYY'
'TMMonth FXDD'
'SSSS MS US FF3'
<string>

= bytea
'\x00ff'::bytea
@y.y
(<text>)::bytea
decode(<text>, 'hex')
decode(<text>, 'base64')
convert_to(<text>, 'UTF8')
(<bytea> || <bytea>)
substring(<bytea> FROM <int> FOR <int>)
set_byte(<bytea>, <int>, <int>)

= date
date '2024-02-29'
date 'infinity'
date '4713-01-01 BC'
date '5874897-12-31'
@x.d
(<text>)::date
(<date> + <int>)
(<timestamp>)::date
make_date(<int>, <int>, <int>)
to_date(<text>, <template>)
!current_date

= time
time '12:34:56.789'
time '24:00:00'
timetz '23:59:59+15:59'
(<text>)::time
(<time> + <interval>)
make_time(<int>, <int>, <float>)

= timestamp
timestamp '2024-02-29 12:34:56.123456'
timestamp '-infinity'
timestamp '294276-12-31 23:59:59.999999'
(<date> + <time>)
(<timestamp> + <interval>)
(<timestamp> - <interval>)
(<timestamptz>) AT TIME ZONE <string>
date_trunc(<string>, <timestamp>)
date_bin(<interval>, <timestamp>, <timestamp>)
(<text>)::timestamp(3)
!localtimestamp

= timestamptz
timestamptz '2024-03-31 02:30:00 Europe/Berlin'
timestamptz 'infinity'
@y.ts
(<timestamp>) AT TIME ZONE <string>
to_timestamp(<float>)
to_timestamp(<text>, <template>)
(<timestamptz> + <interval>)
make_timestamptz(<int>, <int>, <int>, <int>, <int>, <float>, <string>)
!now()

= interval
interval '1 day'
interval '-178000000 years'
interval '1 mon -1 day 00:00:01'
interval '5' minute
@y.iv
(<timestamp> - <timestamp>)
age(<timestamp>, <timestamp>)
(<interval> * <float>)
(<interval> / <float>)
(<interval> + <interval>)
justify_interval(<interval>)
make_interval(days => <int>, secs => <float>)
(<text>)::interval

= uuid
'00000000-0000-0000-0000-00000000000b'::uuid
@y.u
!gen_random_uuid()
!uuidv7()
(<text>)::uuid

= json
'{"a": 1}'::json
'[1, {"b": null}, "c"]'::json
(<text>)::json
to_json(<any>)
json_build_array(<any>, <any>)
json_build_object(<text>, <any>)
row_to_json(<record>)
(<json> -> <int>)
(<json> -> <text>)

= jsonb
'{"a": {"b": [1, 2]}, "c": null}'::jsonb
'[]'::jsonb
'1e5'::jsonb
@y.j
(<text>)::jsonb
to_jsonb(<any>)
(<jsonb> || <jsonb>)
(<jsonb> - <text>)
(<jsonb> - <int>)
(<jsonb> #- <text_array>)
(<jsonb> -> <text>)
jsonb_set(<jsonb>, <text_array>, <jsonb>, <bool>)
jsonb_insert(<jsonb>, <text_array>, <jsonb>)
jsonb_path_query_first(<jsonb>, <jsonpath>)
jsonb_path_query_array(<jsonb>, <jsonpath>)
(<jsonb>)[<int>]
(<jsonb>)['a']

= jsonpath
'$'::jsonpath
'$.a.b[*]'::jsonpath
'strict $.**{1 to last}.b ? (@ > 1 && @ < $x)'::jsonpath
'lax $[last - 1, 0 to 1] ? (exists(@.a))'::jsonpath
'$.a ? (@ like_regex "^a.*" flag "iq")'::jsonpath
'$.keyvalue().key ? (@ starts with "a")'::jsonpath
'-$[*].double() * 2 + 1 % 3'::jsonpath
'($.a > 1).type()'::jsonpath
'$.datetime("YYYY-MM-DD") ? (@ < "2024-01-01".datetime())'::jsonpath
(<text>)::jsonpath

= int_array
ARRAY[1, 2, NULL]
'{}'::int[]
ARRAY[[1, 2], [3, 4]]
'[-1:1]={1,2,3}'::int[]
@y.k
ARRAY[<int>, <int>]
array_append(<int_array>, <int>)
(<int_array> || <int_array>)
(<int_array>)[<int>:<int>]
array_fill(<int>, ARRAY[<small>, 2])
!ARRAY(SELECT id FROM t1)
(<text>)::int[]
array_remove(<int_array>, <int>)

= text_array
ARRAY['a', 'b']
'{a,"b c",NULL}'::text[]
ARRAY[<text>, <text>]
string_to_array(<text>, <text>)
regexp_split_to_array(<text>, <pattern>)
regexp_match(<text>, <pattern>)
(<text>)::text[]

= int_range
int4range(1, 5)
'empty'::int4range
@y.r
int4range(<int>, <int>, <brackets>)
int4range(<int>, NULL)
(<int_range> * <int_range>)
(<int_range> + <int_range>)
(<int_range> - <int_range>)
(<text>)::int4range

= brackets
'[]'
'()'
'(]'
<string>

= num_range
numrange(1.5, 2.5)
numrange(<num>, <num>, <brackets>)

= date_range
daterange('2024-01-01', '2024-12-31')
daterange(<date>, <date>)
daterange(NULL, <date>)

= ts_range
tsrange('2024-01-01', '2024-02-01')
tsrange(<timestamp>, <timestamp>)

= tstz_range
tstzrange('2024-01-01', '2024-02-01')
tstzrange(<timestamptz>, <timestamptz>)

= mood
'calm'::mood
'wild'::mood
@y.m
enum_first(<mood>)
(<text>)::mood

= record
ROW(1, 'a')
ROW(<any>, <any>)
ROW()
(<any>, <any>, <any>)
@x

= bits
B'1010'
X'ff'
(<int>)::bit(8)
(<bits> & <bits>)
(<bits> || <bits>)
(<text>)::varbit

= regclass
't1'::regclass
'v1'::regclass
'no_such_thing'::regclass
(<int>)::regclass

= regtype
'int'::regtype
'mood'::regtype
(<text>)::regtype

= set_function
generate_series(1, 3)
generate_series(<int>, <int>, <int>)
generate_series(<timestamp>, <timestamp>, <interval>)
unnest(<int_array>)
jsonb_array_elements(<jsonb>)
jsonb_each_text(<jsonb>)
jsonb_path_query(<jsonb>, <jsonpath>)
regexp_matches(<text>, <pattern>, 'g')
string_to_table(<text>, <text>)
)GRAMMAR";

}  // namespace northstar::hard
