#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// Nothing here is left out of a computation by chance (no CASE, AND, COALESCE), and no argument fails before another
// one by chance: a call fails alike or answers alike. Digits of floats beyond those that all libraries of mathematics
// agree on are rounded off.
const char* const k_calls_grammar = R"grammar(
script SELECT {any}
any*3 {text}
any*2 {int}
any*2 {bool}
any*2 {num}
any {dbl}
any {big}
any {small}
any*2 {ts}
any*2 {tz}
any*2 {date}
any {time}
any*3 {iv}
any*2 {json}
any*2 {ints}
any {texts}
any*2 {range}
any {drange}
any {trange}
any {nrange}
any {bytea}
any {bits}
any {uuid}
any {chr}
any {vchr}
any {real}
any {timetz}
any pg_typeof({mixed})
any {mixed}
mixed {number} {arith} {number}
mixed {small} {arith} {int}
mixed {real} {arith} {num}
mixed {date} - {date}
mixed {ts} - {ts}
mixed {date} + {time}
mixed {date} + {iv}
mixed {date} - {ts}
mixed {ts} - {date}
mixed {tz} - {ts}
mixed {time} - {time}
mixed {time} + {iv}
mixed {iv} * {dbl}
mixed {iv} / {dbl}
mixed {text} || {number}
mixed {number} || {text}
mixed {bool} || {text}
mixed {date} || {text}
mixed {iv} || {text}
mixed {ints} || {int}
mixed {int} || {ints}
mixed {ints} || {ints}
mixed {json} || {json}
mixed {json} -> {key}
mixed {json} ->> {key}
mixed {json} -> {i}
mixed {json} ->> {i}
mixed {json} #> {path}
mixed {json} #>> {path}
mixed {json} - {key}
mixed {json} - {i}
mixed {json} #- {path}
mixed ({ints})[{i}]
mixed ({ints})[{i}:{i}]
mixed ({ints})[:{i}]
mixed ({json})[{key}]
mixed ({json})['a']['b']
mixed abs({number})
mixed sign({number})
mixed - {number}
mixed ~ {int}
mixed ({number})::{numtype}
mixed ({text})::{anytype}
mixed CAST({literal} AS {anytype})
mixed greatest({number}, {number})
mixed least({number}, {number})
mixed sum(x) FROM (VALUES ({number}), ({number})) v (x)
mixed avg(x) FROM (VALUES ({int}), ({int}), ({int})) v (x)
mixed max(x) FROM (VALUES ({text}), ({text}), ({text})) v (x)
mixed string_agg(x, {text} ORDER BY x) FROM (VALUES ({text}), ({text}), ({text})) v (x)
mixed array_agg(x ORDER BY x DESC NULLS LAST) FROM (VALUES ({int}), ({int})) v (x)
mixed json_agg(x ORDER BY x) FROM (VALUES ({ts}), ({ts})) v (x)
mixed jsonb_agg(x ORDER BY x) FROM (VALUES ({num}), ({num})) v (x)
mixed jsonb_object_agg({key}, x) FROM (VALUES ({iv})) v (x)
mixed mode() WITHIN GROUP (ORDER BY x) FROM (VALUES ({int}), ({int}), (1), (1), (1)) v (x)
mixed percentile_disc(0.{0-9}) WITHIN GROUP (ORDER BY x) FROM (VALUES ({num}), ({num}), ({num})) v (x)
mixed percentile_cont(0.{0-9}) WITHIN GROUP (ORDER BY x) FROM (VALUES ({iv}), ({iv})) v (x)
mixed bit_and(x) FROM (VALUES ({int}), ({int})) v (x)
mixed bit_xor(x) FROM (VALUES ({small}), ({small})) v (x)
mixed var_pop(x) FROM (VALUES ({int}), ({int}), ({int})) v (x)
mixed stddev(x) FROM (VALUES ({num}), ({num}), ({num})) v (x)
mixed x FROM unnest({ints}) x ORDER BY 1
mixed x FROM regexp_split_to_table({text}, {regex}) x ORDER BY 1
mixed x FROM regexp_matches({text}, {regex}, 'g') x ORDER BY 1
mixed x FROM string_to_table({text}, {text}) x ORDER BY 1
mixed x FROM generate_series({small}, {small}, {small}) x ORDER BY 1 LIMIT 20
mixed x FROM generate_series({num}, {num}, {num}) x ORDER BY 1 LIMIT 20
mixed x FROM generate_series({ts}, {ts}, interval '{1-9} months') x ORDER BY 1 LIMIT 20
mixed x FROM generate_subscripts({ints}, 1) x ORDER BY 1
mixed x FROM jsonb_each({json}) x ORDER BY 1
mixed x FROM jsonb_each_text({json}) x ORDER BY 1
mixed x FROM jsonb_array_elements({json}) x ORDER BY 1
mixed x FROM jsonb_array_elements_text({json}) x ORDER BY 1
mixed x FROM jsonb_object_keys({json}) x ORDER BY 1
mixed x FROM jsonb_path_query({json}, {jsonpath}) x ORDER BY 1
mixed array_to_string(regexp_matches({text}, {regex}, {flags}), '|')
literal '{digits}'
literal {text}
literal {number}
literal {date}
literal {ts}
literal {iv}
literal {bool}
literal {json}
literal {range}
literal {ints}
literal {time}
literal {tz}
literal {bits}
literal {bytea}
anytype {numtype}
anytype text
anytype varchar({1-5})
anytype char({1-5})
anytype name
anytype boolean
anytype date
anytype time
anytype time({0-6})
anytype timetz
anytype timestamp
anytype timestamp({0-6})
anytype timestamptz
anytype interval
anytype interval year to month
anytype interval day to second({0-6})
anytype interval hour
anytype uuid
anytype bytea
anytype json
anytype jsonb
anytype int[]
anytype text[]
anytype numeric(6,1)[]
anytype date[]
anytype int4range
anytype numrange
anytype daterange
anytype tsrange
anytype bit({1-9})
anytype varbit({1-9})
anytype "char"
anytype oid
anytype regtype
numtype smallint
numtype int
numtype bigint
numtype real
numtype float8
numtype numeric
numtype numeric({1-9})
numtype numeric(9,{1-9})
numtype numeric(4,2)
arith +
arith -
arith *
arith /
arith %
compare =
compare <>
compare <
compare <=
compare >
compare >=
compare IS DISTINCT FROM
compare IS NOT DISTINCT FROM
i {0-4}
i (-{1-3})
i 1
digits {0-9}
digits {10-99}
digits -{1-40000}
digits {0-9}.{0-999}
digits .{0-99}
digits {1-9}e{1-5}
digits {1-9}e-{1-5}
digits  {1-9}
digits +{1-9}
digits 0x{10-99}
digits {1-9}_000
digits NaN
digits Infinity
digits -inf
digits t
digits off
digits {1-12}:{10-59}
digits 20{10-30}-{1-14}-{1-33}
digits 20{10-30}-{1-12}-{1-31} {1-24}:{10-61}
digits {1-9} days
digits {1-9} mons -{1-9} hours
digits P{1-9}DT{1-9}M
digits {1-12}/{1-31}/{1990-2030}
digits Jan {1-31} {1990-2030}
digits {1-9} {1-9}:{10-70}
digits empty
digits a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a{10-99}
digits \x{10-99}
digits 1011
number {int}
number {big}
number {small}
number {num}
number {dbl}
number {real}
small {0-9}::smallint
small (-{1-99})::smallint
small 32767::smallint
small (-32768)::smallint
small NULL::smallint
small ({int})::smallint
small {small} {arith} {small}
small extract(isodow from {date})::smallint
int*3 {0-9}
int*2 {10-1000}
int (-{1-99})
int 2147483647
int (-2147483648)
int NULL::int
int ({int} {arith} {int})
int ({num})::int
int ({dbl})::int
int ({bool})::int
int ({int} & {int})
int ({int} | {int})
int ({int} # {int})
int ({int} << {i})
int ({int} >> {i})
int length({text})
int octet_length({text})
int bit_length({text})
int char_length({chr})
int ascii({text})
int position({text} in {text})
int strpos({text}, {text})
int ({date} - {date})
int extract({part} from {ts})::int
int cardinality({ints})
int array_length({ints}, {i})
int array_lower({ints}, 1)
int array_upper({ints}, 1)
int array_ndims({ints})
int array_position({ints}, {int})
int jsonb_array_length({json})
int div({int}, {int})::int
int mod({int}, {int})
int gcd({int}, {int})
int lcm({small}, {small})::int
int width_bucket({num}, {num}, {num}, {i})
int width_bucket({int}, {ints})
int num_nulls({any0}, {any0}, {any0})
int num_nonnulls({any0}, {any0})
int length({bytea})
int get_byte({bytea}, {i})
int get_bit({bits}, {i})
int length({bits})
int ({bits})::int
int regexp_count({text}, {regex})
int regexp_instr({text}, {regex})
int regexp_instr({text}, {regex}, {1-3}, {1-2}, {0-1})
int scale({num})
int min_scale({num})
int upper({range})
int lower({range})
int factorial({i})::int
int date_part({partq}, {ts})::int
int ({json})::int
int bit_count({bytea})::int
any0 {int}
any0 {text}
any0 NULL
big {0-99}::bigint
big 9223372036854775807
big (-9223372036854775808)
big NULL::bigint
big {big} {arith} {int}
big ({big} {arith} {big})
big ({num})::bigint
big ({dbl})::bigint
big ({big} & {int})
big ({big} << {i})
big count({any0})
big floor({dbl})::bigint
big hashtext({text})::bigint * 0
big ({bits})::bigint
num*2 {0-99}.{0-999}
num (-{0-99}.{10-99})
num 1e{1-20}
num {1-9}e-{1-20}
num 'NaN'::numeric
num 'Infinity'::numeric
num '-Infinity'::numeric
num NULL::numeric
num {int}::numeric
num {int}::numeric(8,{0-5})
num ({num} {arith} {num})
num ({num} {arith} {int})
num ({num})::numeric(10,{0-5})
num ({dbl})::numeric
num round({num}, {i})
num round({num})
num trunc({num}, {i})
num trunc({num})
num ceil({num})
num floor({num})
num abs({num})
num sign({num})
num sqrt({num})
num exp({i}.{0-99})
num ln({num})
num log({num})
num log({num}, {num})
num power({num}, {i})
num power({num}, {num})
num div({num}, {num})
num mod({num}, {num})
num gcd({num}, {num})
num trim_scale({num})
num extract({part} from {iv})
num extract({part} from {ts})
num extract({part} from {date})
num extract({part} from {tz})
num extract({part} from {time})
num to_number('{1-9},{100-999}.{10-99}', '9,999.99')
num to_number('-{10-99}.{1-9}', 'S99.9')
num to_number('{1-9999}', '9999')
num to_number('{10-99}-', '99MI')
num ({json})::numeric
num upper({nrange})
num lower({nrange})
dbl {0-99}.{0-9}::float8
dbl (-{0-9}.5)::float8
dbl 1e{100-308}::float8
dbl 1e-{100-307}::float8
dbl 'NaN'::float8
dbl 'Infinity'::float8
dbl '-Infinity'::float8
dbl '-0'::float8
dbl NULL::float8
dbl {int}::float8
dbl ({dbl} {darith} {dbl})
dbl ({num})::float8
dbl ({real})::float8
dbl round({dbl})
dbl trunc({dbl})
dbl ceil({dbl})
dbl floor({dbl})
dbl sqrt({dbl})
dbl cbrt({dbl})::numeric(20,8)::float8
dbl abs({dbl})
dbl sign({dbl})
dbl power({dbl}, {i})
dbl sin({dbl})::numeric(20,8)::float8
dbl atan2({dbl}, {dbl})::numeric(20,8)::float8
dbl degrees({dbl})
dbl radians({dbl})
dbl date_part({partq}, {ts})
dbl date_part({partq}, {iv})
dbl date_part({partq}, {tz})
dbl date_part({partq}, {date})
darith +
darith -
darith *
darith /
real {0-99}.{0-9}::real
real (-{0-9}.25)::real
real 1e{20-38}::real
real 1e-{20-37}::real
real 'NaN'::real
real NULL::real
real {int}::real
real ({dbl})::real
real ({num})::real
real ({real} {darith} {real})
bool true
bool false
bool NULL::boolean
bool ({int} {compare} {int})
bool ({num} {compare} {num})
bool ({number} {compare} {number})
bool ({dbl} {compare} {dbl})
bool ({text} {compare} {text})
bool ({chr} {compare} {chr})
bool ({chr} {compare} {text})
bool ({vchr} {compare} {chr})
bool ({date} {compare} {date})
bool ({date} {compare} {ts})
bool ({date} {compare} {tz})
bool ({ts} {compare} {tz})
bool ({tz} {compare} {tz})
bool ({iv} {compare} {iv})
bool ({time} {compare} {time})
bool ({timetz} {compare} {timetz})
bool ({ints} {compare} {ints})
bool ({json} {compare} {json})
bool ({range} {compare} {range})
bool ({bytea} {compare} {bytea})
bool ({bits} {compare} {bits})
bool (row({0-2}, 'a') {compare} row({0-2}, {text}))
bool ({bool} {compare} {bool})
bool ({text} LIKE {like})
bool ({text} ILIKE {like})
bool ({text} NOT LIKE {like})
bool ({text} LIKE {like} ESCAPE '#')
bool ({text} SIMILAR TO {sim2})
bool ({text} ~ {regex})
bool ({text} ~* {regex})
bool ({text} !~ {regex})
bool ({chr} ~ {regex})
bool ({chr} LIKE {like})
bool regexp_like({text}, {regex}, {flags})
bool starts_with({text}, {text})
bool ({any0} IS NULL)
bool (row({any0}, {any0}) IS NULL)
bool (row({any0}, {any0}) IS NOT NULL)
bool ({bool} IS NOT TRUE)
bool ({bool} IS UNKNOWN)
bool (NOT {bool})
bool ({int} BETWEEN SYMMETRIC {int} AND {int})
bool ({int} = ANY ({ints}))
bool ({int} {compare0} ALL ({ints}))
bool ({text} = ANY ({texts}))
bool ({ints} @> {ints})
bool ({ints} <@ {ints})
bool ({ints} && {ints})
bool ({json} @> {json})
bool ({json} <@ {json})
bool ({json} ? {key})
bool ({json} ?| ARRAY[{key}, {key}])
bool ({json} ?& ARRAY[{key}, {key}])
bool ({json} @? {jsonpath})
bool ({json} @@ {jsonpath})
bool jsonb_path_exists({json}, {jsonpath})
bool ({json})::boolean
bool ({range} @> {int})
bool ({range} {rangeop} {range})
bool ({drange} {rangeop} {drange})
bool ({nrange} {rangeop} {nrange})
bool ({trange} @> {ts})
bool ({drange} @> {date})
bool isempty({range})
bool lower_inc({nrange})
bool upper_inf({drange})
bool (({ts}, {ts}) OVERLAPS ({ts}, {iv}))
bool (({date}, {date}) OVERLAPS ({date}, {date}))
bool isfinite({date})
bool isfinite({iv})
bool ({text})::boolean
bool ({int})::boolean
compare0 =
compare0 <>
compare0 <
compare0 >=
rangeop &&
rangeop @>
rangeop <@
rangeop <<
rangeop >>
rangeop &<
rangeop &>
rangeop -|-
rangeop =
rangeop <
ints*2 ARRAY[{int}, {int}, {int}]
ints ARRAY[{int}]
ints '{}'::int[]
ints '{1,2,NULL,4}'::int[]
ints '[0:2]={5,6,7}'::int[]
ints '{{1,2},{3,4}}'::int[]
ints NULL::int[]
ints ({ints} || {int})
ints ({int} || {ints})
ints ({ints} || {ints})
ints array_append({ints}, {int})
ints array_prepend({int}, {ints})
ints array_cat({ints}, {ints})
ints array_remove({ints}, {int})
ints array_replace({ints}, {int}, {int})
ints array_fill({int}, ARRAY[{0-3}])
ints array_fill({int}, ARRAY[{1-3}, {1-3}], ARRAY[{i}, 1])
ints array_positions({ints}, {int})
ints trim_array({ints}, {i})
ints ({ints})[{i}:{i}]
ints ({texts})::int[]
ints string_to_array('1,2,3', ',')::int[]
texts ARRAY[{text}, {text}]
texts string_to_array({text}, {text})
texts string_to_array({text}, {text}, {text})
texts regexp_split_to_array({text}, {regex})
texts regexp_match({text}, {regex})
texts regexp_match({text}, {regex}, {flags})
texts ({ints})::text[]
texts array_remove({texts}, {text})
texts '{a,"b c",NULL,"x\"y"}'::text[]
texts ({texts} || {text})
texts NULL::text[]
range int4range({int}, {int})
range int4range({i}, {int}, {bounds})
range '[1,10)'::int4range
range '(,5]'::int4range
range '[{1-9},{1-19})'::int4range
range '({1-9},)'::int4range
range 'empty'::int4range
range '(,)'::int4range
range NULL::int4range
range ({range} * {range})
range ({range} + {range})
range ({range} - {range})
range range_merge({range}, {range})
bounds '[]'
bounds '()'
bounds '(]'
bounds '[)'
nrange numrange({num}, {num}, {bounds})
nrange '[1.5,2.50]'::numrange
nrange ({nrange} * {nrange})
nrange ({nrange} - {nrange})
nrange range_merge({nrange}, {nrange})
drange daterange({date}, {date}, {bounds})
drange daterange({date}, NULL)
drange '[2020-01-01,2020-12-31]'::daterange
drange ({drange} * {drange})
drange ({drange} + {drange})
trange tsrange({ts}, {ts}, {bounds})
trange ({trange} * {trange})
bytea '\x00ff10'::bytea
bytea 'abc'::bytea
bytea '\xc3a4'::bytea
bytea ''::bytea
bytea E'a\\000b'::bytea
bytea NULL::bytea
bytea ({bytea} || {bytea})
bytea substring({bytea} from {i} for {i})
bytea overlay({bytea} placing {bytea} from {1-3})
bytea set_byte({bytea}, {i}, {0-255})
bytea set_bit({bytea}, {i}, {0-1})
bytea trim(both '\x00'::bytea from {bytea})
bytea decode({text}, {encoding})
bytea convert_to({text}, 'UTF8')
bytea sha256({bytea})
bits B'1011'
bits B''
bits B'10101'::bit(5)
bits ({bits} & B'1011')
bits ({bits} | {bits})
bits ({bits} # B'1100')
bits (~ {bits})
bits ({bits} || {bits})
bits ({bits} << {i})
bits ({bits} >> {i})
bits substring({bits} from {i} for {i})
bits overlay({bits} placing {bits} from {1-3})
bits set_bit({bits}, {i}, {0-1})
bits ({int})::bit({1-34})
bits ({bits})::bit({1-9})
bits ({bits})::varbit({1-9})
uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
uuid 'A0EEBC999C0B4EF8BB6D6BB9BD380A{10-99}'::uuid
uuid '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'::uuid
uuid ({text})::uuid
numfmt '999'
numfmt '9990.99'
numfmt 'FM999.00'
numfmt '0000'
numfmt 'S999'
numfmt '999S'
numfmt 'MI99.9'
numfmt '99PR'
numfmt '9,999.99'
numfmt 'FM9,999,999'
numfmt '9.99EEEE'
numfmt '99V99'
numfmt 'L99'
numfmt '"x"99'
numfmt '999th'
numfmt 'SG99'
numfmt 'FMS0099.990'
numfmt 'B99'
numfmt '9G999D99'
numfmt ''
numfmt 'PL99'
numfmt '.99'
numfmt 'FM.999'
)grammar";

}  // namespace northstar::hard
