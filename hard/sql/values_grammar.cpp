#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// A table with a column of each type, whose rows hold the values at the edges of these types: infinities, the first and
// the last moment, the hours that summer time takes and gives, arrays that do not begin with 1, empty ranges, documents
// of every shape. A query computes with columns of two rows, or with literals, which are computed while it is planned.
const char* const k_values_grammar = R"grammar(
query*4 SELECT {expression} FROM v a, v b WHERE a.id = {1-12} AND b.id = {1-12}
query*2 SELECT {condition} FROM v a, v b WHERE a.id = {1-12} AND b.id = {1-12}
query SELECT a.id, b.id FROM v a, v b WHERE {condition}
query SELECT a.id, count(*) FROM v a JOIN v b ON {condition} GROUP BY a.id
query SELECT {aggregate} FROM v a JOIN v b ON a.id = b.id
query SELECT {aggregate} FROM v a JOIN v b ON a.id < b.id WHERE {condition}
setup0 CREATE TABLE v (id int PRIMARY KEY, iv interval, ts timestamp, tz timestamptz, d date, tm time, ttz timetz,
    i4 int, f8 float8, n numeric, ia int[], ta text[], na numeric[], r int4range, nr numrange, dr daterange, tr
    tsrange, j jsonb, t text, bits varbit, by bytea, bo boolean)
setup1 CREATE TYPE made AS (a int, b int[], c jsonb)
row {l_iv}, {l_ts}, {l_tz}, {l_d}, {l_tm}, {l_ttz}, {l_i}, {l_f}, {l_n}, {l_ia}, {l_ta}, {l_na}, {l_r}, {l_nr},
    {l_dr}, {l_tr}, {l_j}, {l_t}, {l_bits}, {l_by}, {l_b}
l_iv '1 mon'
l_iv '-1 mon 40 days -30:00'
l_iv '0'
l_iv '178956970 years 7 mons'
l_iv '-178956970 years -8 mons'
l_iv '2147483647 days'
l_iv '-2147483648 days'
l_iv '2562040000 hours'
l_iv '-2562040000 hours'
l_iv '1 year 2 mons 3 days 04:05:06.7'
l_iv '0.000001 s'
l_iv '23:59:59.9999995'
l_iv '-0.5 s'
l_iv '1 mon -1 day'
l_iv NULL
l_iv '100 years ago'
l_iv '1.5 mon'
l_iv '-13 mon'
l_iv '0.3 year'
l_ts 'infinity'
l_ts '-infinity'
l_ts '2020-01-31 12:00'
l_ts '2020-02-29'
l_ts '1999-12-31 23:59:59.999999'
l_ts '294276-12-31 23:59:59.999999'
l_ts '4714-11-24 BC'
l_ts '0001-01-01 BC'
l_ts '0001-01-01'
l_ts '2000-01-01'
l_ts NULL
l_ts '1969-12-31 23:59:59.5'
l_ts '2020-12-31'
l_ts '2021-01-03'
l_ts '2026-12-28'
l_tz 'infinity'
l_tz '-infinity'
l_tz '2020-03-29 00:59:59.999+00'
l_tz '2020-03-29 01:00+00'
l_tz '2020-10-25 00:30+00'
l_tz '2020-10-25 01:30+00'
l_tz '294276-12-31 23:59:59.999999+00'
l_tz '4714-11-24 00:00+00 BC'
l_tz '1893-03-31 12:00+00'
l_tz '1940-04-01 02:30 Europe/Berlin'
l_tz NULL
l_tz '1945-05-24 02:00 Europe/Berlin'
l_tz '2038-01-19 03:14:08+00'
l_tz '2100-07-01 00:00 America/New_York'
l_tz '2011-12-30 12:00 Pacific/Apia'
l_d 'infinity'
l_d '-infinity'
l_d '2020-01-31'
l_d '2020-02-29'
l_d '5874897-12-31'
l_d '4714-11-24 BC'
l_d '0001-01-01 BC'
l_d '2000-01-01'
l_d NULL
l_d '1970-01-01'
l_d '2021-01-03'
l_tm '00:00'
l_tm '24:00'
l_tm '12:34:56.789'
l_tm '23:59:59.9999999'
l_tm NULL
l_tm '01:00'
l_ttz '00:00+00'
l_ttz '24:00-15:59'
l_ttz '12:00+02'
l_ttz '10:00+00'
l_ttz '12:30:00.5-03:30:15'
l_ttz NULL
l_i 0
l_i 1
l_i -1
l_i 2
l_i 3
l_i 2147483647
l_i -2147483648
l_i NULL
l_i 10
l_i -3
l_i 5
l_f 0
l_f 1
l_f -1
l_f 0.5
l_f 1.5
l_f -2.25
l_f 1e10
l_f 1e-7
l_f 'NaN'
l_f 'Infinity'
l_f '-Infinity'
l_f NULL
l_f 1e300
l_f 33.333333
l_n 0
l_n 1.50
l_n -1
l_n 'NaN'
l_n 'Infinity'
l_n '-Infinity'
l_n 1e20
l_n -1e-20
l_n NULL
l_n 123456789012345678901234567890.123
l_n 0.5
l_n 99.995
l_n 12345.678
l_ia '{}'
l_ia '{1,2,3}'
l_ia '{ NULL }'
l_ia '{1,NULL,2,1}'
l_ia '{{1,2},{3,4}}'
l_ia '[0:2]={7,8,9}'
l_ia '[-3:-2][2:3]={{1,2},{3,NULL}}'
l_ia NULL
l_ia '{{ 1 },{ 2 },{ 3 }}'
l_ia '{ 2 }'
l_ia '{{{1,2}}}'
l_ta '{}'
l_ta '{a,b,NULL}'
l_ta '{""," ","NULL"}'
l_ta '{{a,b},{c,d}}'
l_ta NULL
l_ta '{a,"b,c","d\\"e"}'
l_ta '[2:3]={x,y}'
l_na '{1.0,1.00,2}'
l_na '{NaN,Infinity}'
l_na '{}'
l_na NULL
l_na '{NULL,1}'
l_r 'empty'
l_r '[1,5)'
l_r '[5,5]'
l_r '(,3)'
l_r '[3,)'
l_r '(,)'
l_r NULL
l_r '[2147483647,)'
l_r '(1,2)'
l_r '[1,2147483647)'
l_r '[-2147483648,0)'
l_r '[10,20]'
l_nr 'empty'
l_nr '[1,5)'
l_nr '(1,5]'
l_nr '[1.0,1.00]'
l_nr '(,3)'
l_nr '[3,)'
l_nr '(,)'
l_nr NULL
l_nr '[NaN,NaN]'
l_nr '[1,Infinity)'
l_nr '[1,Infinity]'
l_nr '(-Infinity,)'
l_nr '[5,5.00]'
l_nr '(5,7)'
l_dr 'empty'
l_dr '[2020-01-01,2020-02-01)'
l_dr '(2020-01-01,2020-01-03]'
l_dr '[,infinity)'
l_dr '[,infinity]'
l_dr '(-infinity,2020-01-01]'
l_dr NULL
l_dr '[2020-02-01,)'
l_dr '(,)'
l_tr 'empty'
l_tr '[2020-01-01,2020-02-01)'
l_tr '(2020-01-01,2020-01-03 12:00]'
l_tr '[,infinity)'
l_tr '[,infinity]'
l_tr '(-infinity,2020-01-01]'
l_tr NULL
l_tr '[2020-02-01,)'
l_j 'null'
l_j '1'
l_j '1.0'
l_j '-0'
l_j '"a"'
l_j '""'
l_j '[]'
l_j '{}'
l_j '[1,2,3]'
l_j '[1,"a",null,true,[2,[3]],{"a":1}]'
l_j '{"a":1,"b":[1,2],"c":{"d":null}}'
l_j '{"a":null}'
l_j 'true'
l_j NULL
l_j '[[1,2],[3,4]]'
l_j '{"":1,"aa":2,"b":3}'
l_j '{"a":{"b":{"c":[0,{"a":"x"}]}}}'
l_j '[null]'
l_j '"2020-01-01"'
l_j '["2020-01-01","12:00:00","2020-01-01 10:00:00+02"]'
l_j '1e400'
l_j '[1.5,2.5,"NaN"]'
l_j '{"x":"abc","y":["aBc","b\nc"]}'
l_j '12345678901234567890'
l_t 'abc'
l_t ''
l_t ' a b '
l_t 'ABCabc'
l_t NULL
l_t 'a%b_c'
l_t E'a\nb'
l_t E'a\\b'
l_t E'\u00e4\u00f6\u00dc\u00df'
l_t '123'
l_t '-1.5e3'
l_t 'aaa'
l_t 'a,b,,c'
l_t 'foo bar  baz'
l_t 'x''y"z'
l_t E'\u0130\u0131\u017f'
l_t E'\u65e5\u672c\u8a9e'
l_t 'ab12cd345'
l_bits '101'
l_bits ''
l_bits NULL
l_bits '0000'
l_bits '11111111111111111111111111111111'
l_bits '10000000'
l_by '\x'
l_by '\x00'
l_by '\xdeadbeef'
l_by NULL
l_by '\x616263'
l_by '\xff'
l_b true
l_b false
l_b NULL
iv*4 a.iv
iv*3 b.iv
iv ({l_iv})::interval
ts*4 a.ts
ts*3 b.ts
ts ({l_ts})::timestamp
tz*4 a.tz
tz*3 b.tz
tz ({l_tz})::timestamptz
d*4 a.d
d*3 b.d
d ({l_d})::date
tm*4 a.tm
tm*3 b.tm
tm ({l_tm})::time
ttz*4 a.ttz
ttz*3 b.ttz
ttz ({l_ttz})::timetz
i*4 a.i4
i*3 b.i4
i ({l_i})::int
f*4 a.f8
f*3 b.f8
f ({l_f})::float8
n*4 a.n
n*3 b.n
n ({l_n})::numeric
ia*4 a.ia
ia*3 b.ia
ia ({l_ia})::int[]
ta*4 a.ta
ta*3 b.ta
ta ({l_ta})::text[]
na*4 a.na
na*3 b.na
na ({l_na})::numeric[]
r*4 a.r
r*3 b.r
r ({l_r})::int4range
nr*4 a.nr
nr*3 b.nr
nr ({l_nr})::numrange
dr*4 a.dr
dr*3 b.dr
dr ({l_dr})::daterange
tr*4 a.tr
tr*3 b.tr
tr ({l_tr})::tsrange
j*4 a.j
j*3 b.j
j ({l_j})::jsonb
t*4 a.t
t*3 b.t
t ({l_t})::text
bits*4 a.bits
bits*3 b.bits
bits ({l_bits})::varbit
by*4 a.by
by*3 b.by
by ({l_by})::bytea
b*4 a.bo
b*3 b.bo
b ({l_b})::boolean
zone 'UTC'
zone 'Europe/Berlin'
zone 'America/St_Johns'
zone 'Asia/Kathmandu'
zone '+05:30'
zone 'EST5EDT'
zone 'CEST'
zone 'Pacific/Apia'
zone 'Australia/Lord_Howe'
zone 'Europe/Dublin'
zone 'Africa/Casablanca'
zone ''
zone '-13:30:30'
zone '<+03>-3'
zone 'utc'
zone 'Z'
zone 'America/Sao_Paulo'
zone 'FOO7BAR'
zone 'europe/berlin'
part 'century'
part 'decade'
part 'year'
part 'quarter'
part 'month'
part 'week'
part 'day'
part 'hour'
part 'minute'
part 'second'
part 'milliseconds'
part 'microseconds'
part 'millennium'
part 'isoyear'
part 'dow'
part 'isodow'
part 'doy'
part 'epoch'
part 'julian'
part 'timezone'
part 'timezone_hour'
part 'timezone_minute'
part 'YEARS'
part 'mil'
part 'us'
part 'h'
part 'foo'
k 'a'
k 'b'
k ''
k 'c'
k NULL::text
k '0'
k '-1'
path '{}'::text[]
path '{ a }'::text[]
path '{a,b,c}'::text[]
path '{ 0 }'::text[]
path '{ -1 }'::text[]
path '{b,1}'::text[]
path '{b,-1}'::text[]
path '{b,10}'::text[]
path '{c,d}'::text[]
path '{4,1,0}'::text[]
path '{ NULL }'::text[]
path NULL::text[]
path '{a,NULL}'::text[]
path '{c,x,y}'::text[]
path '{""}'::text[]
path '{b,x}'::text[]
path '{1.5}'::text[]
path '{ 1}'::text[]
path '{ -10 }'::text[]
path '{ 99999999999 }'::text[]
re 'a'
re '^a'
re 'b$'
re '(a)(b)?'
re 'a|b'
re '(a|ab)(c|bcd)?'
re '[[:alpha:]]+'
re '\d+'
re '\m\w'
re '(?i)B'
re '(.)\1'
re 'a{2,2}'
re 'a{1,2}?'
re '.*?'
re ''
re 'x*'
re '(?n)^.'
re '[^a]'
re '(?:a)b'
re 'a(?=b)'
re '(?<!a)b'
re '\Ab'
re '\Z'
re '[a-c]{2,}'
re '*a'
re '(?q)a%'
re 'a**'
re '[z-a]'
re 'a\'
re '\y'
re '[[=a=]]'
re '\x41'
re '\u00e4'
re '[\w-]+'
re '***=a%b'
re '***:a'
re '(?x) a b'
re E'\u00e4|\u65e5'
re '\s'
re '\W+'
re NULL::text
re '\1(a)'
re 'a{0,0}'
re 'a{,2}'
re 'a{256,256}'
re '()'
re '(|a)b'
re 'b\M'
re '^*'
re 'a+?b*'
fl ''
fl 'g'
fl 'i'
fl 'gi'
fl 'n'
fl 'p'
fl 'w'
fl 's'
fl 'm'
fl 'x'
fl 'q'
fl 'c'
fl 't'
fl NULL::text
fl 'z'
fl 'ic'
nf '999.99'
nf 'FM999.99'
nf 'S9'
nf '9G999D99'
nf '0000'
nf '99PR'
nf '9.9EEEE'
nf 'RN'
nf 'V9'
nf '99V99'
nf 'MI9999'
nf 'SG9'
nf '9th'
nf '9TH'
nf '$999'
nf 'L9'
nf '"a"9'
nf 'B999'
nf 'FM0.00'
nf '.99'
nf '9.'
nf ''
nf '999,999,999'
nf 'PL99'
nf '99MI'
nf 'FMRN'
nf 'rn'
nf '00.9'
nf '9 9'
nf '9-9'
nf 'D9'
nf 'FM9.999999'
nf 'TH9'
nf '99999999999999999999999999999999'
tf 'YYYY-MM-DD'
tf 'IYYY-IW-ID'
tf 'J'
tf 'Day Dy D'
tf 'FMMonth'
tf 'HH12:MI:SS.MS AM'
tf 'US FF1 FF6 SSSSS'
tf 'CC BC'
tf 'TZ tz OF TZH:TZM'
tf 'Q RM rm'
tf 'Y,YYY Y YY YYY'
tf 'DDD IDDD WW W'
tf 'FMDDth'
tf '"q"YYYY'
tf 'FXYYYY'
tf 'yyyySP'
tf 'TMmonth'
tf 'A.D. p.m.'
tf 'IY IYY I'
tf 'DDTH DDth'
tf '\"YYYY\\'
tf 'HH24HH'
tf 'MON mon Mon MONTH month'
tf 'DAY day Day dy DY'
jp '$'::jsonpath
jp '$.a'::jsonpath
jp '$.*'::jsonpath
jp '$[*]'::jsonpath
jp '$[0]'::jsonpath
jp '$[last]'::jsonpath
jp '$[1 to last]'::jsonpath
jp '$[*] ? (@ > 1)'::jsonpath
jp 'strict $.a'::jsonpath
jp 'strict $[*]'::jsonpath
jp 'strict $.a.b.c'::jsonpath
jp 'lax $.a.b.c[*]'::jsonpath
jp '$.**'::jsonpath
jp '$.**{2 to 2}'::jsonpath
jp '$.**{1 to last}'::jsonpath
jp '$.b[*] ? (@ >= $x)'::jsonpath
jp '$.a + $x'::jsonpath
jp '$[*] + 1'::jsonpath
jp '-$[*]'::jsonpath
jp '$.b.size()'::jsonpath
jp '$.type()'::jsonpath
jp '$[*].type()'::jsonpath
jp '$.a.double()'::jsonpath
jp '$[*].double()'::jsonpath
jp '$.**.floor()'::jsonpath
jp '$.keyvalue()'::jsonpath
jp '$.*.keyvalue().key'::jsonpath
jp '$ ? (exists(@.a ? (@ > 0)))'::jsonpath
jp '$[*] ? (@ like_regex "^A" flag "i")'::jsonpath
jp '$.y[*] ? (@ starts with $y)'::jsonpath
jp '$.a == 1'::jsonpath
jp '$.a > $x'::jsonpath
jp '($.a == 1) is unknown'::jsonpath
jp '$ ? ((@.a > 1) is unknown)'::jsonpath
jp '$[*] ? (@ == null)'::jsonpath
jp '$.a / 0'::jsonpath
jp '$[*].abs()'::jsonpath
jp '$.ceiling()'::jsonpath
jp '$[$.a]'::jsonpath
jp '$[1.7]'::jsonpath
jp '$[-1]'::jsonpath
jp '$[last - 1]'::jsonpath
jp '$[*].datetime()'::jsonpath
jp '$.datetime()'::jsonpath
jp '$.datetime("YYYY-MM-DD")'::jsonpath
jp '$[*] ? (@.datetime() < "2021-01-01".datetime())'::jsonpath
jp 'strict $.**'::jsonpath
jp '$.**.a'::jsonpath
jp '$.a ? (@ == 1 || @ == 2)'::jsonpath
jp '1'::jsonpath
jp '"a"'::jsonpath
jp 'null'::jsonpath
jp '$x'::jsonpath
jp '$y'::jsonpath
jp '$nope'::jsonpath
jp '@'::jsonpath
jp 'last'::jsonpath
jp '$.a.'::jsonpath
jp '$..a'::jsonpath
jp '$."a"'::jsonpath
jp '$."\u0061"'::jsonpath
jp '$.a[*]?(@>1)'::jsonpath
jp '!($.a == 1)'::jsonpath
jp '$.a == 1 && $.b == 2'::jsonpath
jp '$ ? (@ == @)'::jsonpath
jp '$.c ? (@.d == null)'::jsonpath
jp '$ ? (!exists(@.z))'::jsonpath
jp '($[0] + 1) * 2 % 2'::jsonpath
jp '$[*] ? (@[*] > 1)'::jsonpath
jp '$[0 to 1, 3]'::jsonpath
jp '$.double().type()'::jsonpath
jp '$.x like_regex "B" flag "iq"'::jsonpath
jp '$.** ? (@.type() == "number")'::jsonpath
jp '1.5.type()'::jsonpath
jp '(1).type()'::jsonpath
jp '$.a < "b"'::jsonpath
jp '"a" < "b"'::jsonpath
jp '$[*] < 3'::jsonpath
jp '$ == $'::jsonpath
jp 'strict $[5]'::jsonpath
jp 'lax $[5]'::jsonpath
jp '$ ? (@ > "2020-01-01")'::jsonpath
jp '$.size() + 1'::jsonpath
jp '$[0] - $[1]'::jsonpath
jp '1e400'::jsonpath
jp '-1'::jsonpath
jp '+$.a'::jsonpath
jp '$.a.b == null'::jsonpath
jp '$ starts with "a"'::jsonpath
jp '$ ? (1 == 1)'::jsonpath
jp '$[*].keyvalue().value'::jsonpath
jp 'strict $.*'::jsonpath
jp '$.b[1 to 0]'::jsonpath
jp '$.b[*] ? (@ != 1)'::jsonpath
jp '$.**{last to last}.type()'::jsonpath
jp '$[*] ? (@ <> 2)'::jsonpath
jp '$.a.size()'::jsonpath
jp 'strict $.a.size()'::jsonpath
jp '$[*] * 0.1'::jsonpath
jp '$[*] % 0'::jsonpath
jp '$.a ? (@ > 0) ? (@ < 2)'::jsonpath
jp 'strict $[*] ? (@.a == 1)'::jsonpath
jp '$[last + 1]'::jsonpath
jp '$[2147483648]'::jsonpath
jp '-(-$.a)'::jsonpath
jp '$.**{0 to 0}'::jsonpath
jp 'strict $ ? (@.z == 1)'::jsonpath
jp '($.a > 1) is unknown'::jsonpath
jp '$[0].datetime().type()'::jsonpath
jp '$[2].datetime() == $[2].datetime()'::jsonpath
jp '$[*] ? (@.datetime("HH24:MI:SS") < "13:00".datetime("HH24:MI"))'::jsonpath
ivf 'YYYY-MM-DD'
ivf 'HH12:MI:SS.MS AM'
ivf 'US FF1 FF6 SSSSS'
ivf 'RM rm'
ivf 'Y,YYY YYY'
ivf 'FMDDth FMMM'
ivf '"q"YYYY'
ivf 'yyyySP'
ivf 'HH24HH'
ivf 'DDTH DDth'
jpv '$'::jsonpath
jpv '$.a'::jsonpath
jpv '$.*'::jsonpath
jpv '$[*]'::jsonpath
jpv '$[0]'::jsonpath
jpv '$[last]'::jsonpath
jpv '$[1 to last]'::jsonpath
jpv '$[*] ? (@ > 1)'::jsonpath
jpv 'strict $.a'::jsonpath
jpv 'strict $[*]'::jsonpath
jpv 'strict $.a.b.c'::jsonpath
jpv 'lax $.a.b.c[*]'::jsonpath
jpv '$.**'::jsonpath
jpv '$.**{2 to 2}'::jsonpath
jpv '$.**{1 to last}'::jsonpath
jpv '$[*] + 1'::jsonpath
jpv '-$[*]'::jsonpath
jpv '$.b.size()'::jsonpath
jpv '$.type()'::jsonpath
jpv '$[*].type()'::jsonpath
jpv '$.a.double()'::jsonpath
jpv '$[*].double()'::jsonpath
jpv '$.**.floor()'::jsonpath
jpv '$.keyvalue()'::jsonpath
jpv '$.*.keyvalue().key'::jsonpath
jpv '$ ? (exists(@.a ? (@ > 0)))'::jsonpath
jpv '$[*] ? (@ like_regex "^A" flag "i")'::jsonpath
jpv '$.a == 1'::jsonpath
jpv '($.a == 1) is unknown'::jsonpath
jpv '$ ? ((@.a > 1) is unknown)'::jsonpath
jpv '$[*] ? (@ == null)'::jsonpath
jpv '$.a / 0'::jsonpath
jpv '$[*].abs()'::jsonpath
jpv '$.ceiling()'::jsonpath
jpv '$[$.a]'::jsonpath
jpv '$[1.7]'::jsonpath
jpv '$[-1]'::jsonpath
jpv '$[last - 1]'::jsonpath
jpv 'strict $.**'::jsonpath
jpv '$.**.a'::jsonpath
jpv '$.a ? (@ == 1 || @ == 2)'::jsonpath
jpv '1'::jsonpath
jpv '"a"'::jsonpath
jpv 'null'::jsonpath
jpv '$."a"'::jsonpath
jpv '$."\u0061"'::jsonpath
jpv '$.a[*]?(@>1)'::jsonpath
jpv '!($.a == 1)'::jsonpath
jpv '$.a == 1 && $.b == 2'::jsonpath
jpv '$ ? (@ == @)'::jsonpath
jpv '$.c ? (@.d == null)'::jsonpath
jpv '$ ? (!exists(@.z))'::jsonpath
jpv '($[0] + 1) * 2 % 2'::jsonpath
jpv '$[*] ? (@[*] > 1)'::jsonpath
jpv '$[0 to 1, 3]'::jsonpath
jpv '$.double().type()'::jsonpath
jpv '$.x like_regex "B" flag "iq"'::jsonpath
jpv '$.** ? (@.type() == "number")'::jsonpath
jpv '1.5.type()'::jsonpath
jpv '(1).type()'::jsonpath
jpv '$.a < "b"'::jsonpath
jpv '"a" < "b"'::jsonpath
jpv '$[*] < 3'::jsonpath
jpv '$ == $'::jsonpath
jpv 'strict $[5]'::jsonpath
jpv 'lax $[5]'::jsonpath
jpv '$ ? (@ > "2020-01-01")'::jsonpath
jpv '$.size() + 1'::jsonpath
jpv '$[0] - $[1]'::jsonpath
jpv '1e400'::jsonpath
jpv '-1'::jsonpath
jpv '+$.a'::jsonpath
jpv '$.a.b == null'::jsonpath
jpv '$ starts with "a"'::jsonpath
jpv '$ ? (1 == 1)'::jsonpath
jpv '$[*].keyvalue().value'::jsonpath
jpv 'strict $.*'::jsonpath
jpv '$.b[1 to 0]'::jsonpath
jpv '$.b[*] ? (@ != 1)'::jsonpath
jpv '$.**{last to last}.type()'::jsonpath
jpv '$[*] ? (@ <> 2)'::jsonpath
jpv '$.a.size()'::jsonpath
jpv 'strict $.a.size()'::jsonpath
jpv '$[*] * 0.1'::jsonpath
jpv '$[*] % 0'::jsonpath
jpv '$.a ? (@ > 0) ? (@ < 2)'::jsonpath
jpv 'strict $[*] ? (@.a == 1)'::jsonpath
jpv '$[last + 1]'::jsonpath
jpv '$[2147483648]'::jsonpath
jpv '-(-$.a)'::jsonpath
jpv '$.**{0 to 0}'::jsonpath
jpv 'strict $ ? (@.z == 1)'::jsonpath
jpv '($.a > 1) is unknown'::jsonpath
)grammar";

}  // namespace northstar::hard
