#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// The rules of the grammar of calls that make texts, patterns and JSON.
const char* const k_calls_text_grammar = R"grammar(
text*2 'abc'
text 'Hello World'
text ''
text ' a '
text 'aXbXc'
text 'a,b,,c'
text '100%_x'
text E'a\nb\tc'
text E'\\back'
text E'\u00e4\u00f6\u00fc \u20ac'
text 'a''b'
text 'xyzxyz'
text NULL::text
text '{digits}'
text lower({text})
text upper({text})
text initcap({text})
text ({text} || {text})
text substr({text}, {i}, {i})
text substr({text}, {i})
text substring({text} from {i} for {i})
text substring({text} from {regex})
text substring({text} similar {similar} escape '#')
text left({text}, {i})
text right({text}, {i})
text lpad({text}, {0-12}, {text})
text rpad({text}, {0-12}, {text})
text lpad({text}, {0-12})
text ltrim({text}, {text})
text rtrim({text}, {text})
text btrim({text}, {text})
text trim(both from {text})
text trim(leading {text} from {text})
text replace({text}, {text}, {text})
text translate({text}, {text}, {text})
text overlay({text} placing {text} from {i})
text overlay({text} placing {text} from {i} for {i})
text reverse({text})
text repeat({text}, {i})
text split_part({text}, {text}, {i})
text chr({int})
text quote_literal({text})
text quote_ident({text})
text quote_nullable({text})
text concat({any0}, {any0}, {any0})
text concat_ws({text}, {any0}, {any0}, {any0})
text format({format1}, {any0}, {any0}, {any0})
text md5({text})
text encode({bytea}, {encoding})
text to_hex({int})
text regexp_replace({text}, {regex}, {replacement})
text regexp_replace({text}, {regex}, {replacement}, {flags})
text regexp_replace({text}, {regex}, {replacement}, {1-3}, {0-2})
text regexp_substr({text}, {regex})
text regexp_substr({text}, {regex}, {1-3}, {1-2}, {flags}, {0-1})
text array_to_string({ints}, {text})
text array_to_string({texts}, {text}, {text})
text array_to_string(regexp_split_to_array({text}, {regex}), '|')
text to_char({num}, {numfmt})
text to_char({int}, {numfmt})
text to_char({int}, 'RN')
text to_char({int}, 'FMRN')
text to_char({dbl}, {numfmt})
text to_char({ts}, {tsfmt})
text to_char({tz}, {tsfmt})
text to_char({iv}, {ivfmt})
text ({int})::text
text ({num})::text
text ({dbl})::text
text ({real})::text
text ({bool})::text
text ({date})::text
text ({ts})::text
text ({tz})::text
text ({iv})::text
text ({time})::text
text ({json})::text
text ({range})::text
text ({ints})::text
text ({chr})::text
text ({bytea})::text
text json_build_object({key}, {any0}, {key}, {ts})::text
text row_to_json(row({any0}, {any0}))::text
text to_json({text})::text
text to_json({ts})::text
text to_jsonb({tz})::text
text array_to_json({ints})::text
text jsonb_pretty({json})
text jsonb_typeof({json})
text age({fts}, {fts})::text
text ({uuid})::text
text row({any0}, {any0}, {date})::text
text starts_with({text}, {text})::text
text normalize({text}, NFD)
text unistr('\0041\00e4')
text convert_from({bytea}, 'UTF8')
text chr(({int}) % 1000 + 300)
text to_char({date}, {tsfmt})
format1 '%s %s'
format1 '%I %L'
format1 '%%|%s|%5s|%-5s|'
format1 '%2$s %1$s'
format1 '%3$L %s'
format1 '%*s'
format1 '%1$*2$s'
format1 '%x'
format1 '%'
encoding 'hex'
encoding 'base64'
encoding 'escape'
replacement {text}
replacement '[\1]'
replacement '<\&>'
replacement '\\'
flags 'g'
flags 'i'
flags 'gi'
flags 'n'
flags 'x'
flags 'q'
flags ''
flags 'c'
flags 's'
regex 'b'
regex 'x+'
regex 'X'
regex '(a)(b)?'
regex '[a-c]+'
regex '^.'
regex '.$'
regex '\w+'
regex '\s*'
regex '\d{1,3}'
regex '(?i)XYZ'
regex 'a|b|'
regex '(.)\1'
regex '[^[:alpha:]]'
regex 'b*?'
regex '.*?b'
regex '(?:xy)+z'
regex 'o(?=r)'
regex 'a(?!b)'
regex '\mW'
regex '('
regex ','
regex ''
regex '(x|xy)(z|zx)'
regex '[[:<:]]w'
regex '\y'
regex '(?<=o)r'
regex '[b-]'
regex 'x{2,}'
regex 'l{2,3}o'
regex E'\u00e4|\u20ac'
similar '%#"b#"%'
similar 'a#"%#"c'
similar '#"(a|b)+#"%'
similar '_#"%#"_'
similar '[a-c]#"%#"'
chr 'abc'::char(5)
chr 'ab '::char(3)
chr ''::char(2)
chr ({text})::char({1-6})
chr NULL::char(4)
vchr ({text})::varchar({1-6})
vchr 'abc'::varchar(3)
key 'a'
key 'b'
key 'c'
key 'x y'
key '0'
path '{a,b}'
path '{c,1}'
path '{c,-1,d}'
path '{}'
path '{"a"}'
path ARRAY[{key}, {key}]
path '{c,x}'
json*2 '{"a": 1, "b": [1, 2, {"d": null}], "c": "x"}'::jsonb
json '{"a": {"b": {"c": 5}}, "c": [10, 20.50, "t", true, null]}'::jsonb
json '[]'::jsonb
json '{}'::jsonb
json '[1, "a", null, [2], {"a": 1.0}]'::jsonb
json '"str"'::jsonb
json '12.50'::jsonb
json '1e3'::jsonb
json 'null'::jsonb
json 'true'::jsonb
json '{"a":1,"a":2, "aa":3, "b":-0.0}'::jsonb
json '"\u00e4\n\""'::jsonb
json NULL::jsonb
json to_jsonb({int})
json to_jsonb({text})
json to_jsonb({num})
json to_jsonb({dbl})
json to_jsonb({ints})
json to_jsonb({bool})
json to_jsonb({date})
json to_jsonb({iv})
json jsonb_build_array({any0}, {any0}, {json})
json jsonb_build_object({key}, {json}, {key}, {any0})
json jsonb_set({json}, {path}, {json})
json jsonb_set({json}, {path}, {json}, false)
json jsonb_insert({json}, {path}, {json})
json jsonb_insert({json}, {path}, {json}, true)
json jsonb_set_lax({json}, {path}, {json}, true, {lax})
json jsonb_strip_nulls({json})
json jsonb_object({texts})
json ({json} || {json})
json ({json} - {key})
json ({json} - {i})
json ({json} #- {path})
json ({json} -> {key})
json ({json} -> {i})
json ({json} #> {path})
json jsonb_path_query_array({json}, {jsonpath})
json jsonb_path_query_first({json}, {jsonpath})
json jsonb_extract_path({json}, {key}, {key})
json to_jsonb(row({any0}, {any0}))
lax 'use_json_null'
lax 'delete_key'
lax 'return_target'
lax 'raise_exception'
jsonpath '$.a'
jsonpath '$.*'
jsonpath '$.b[*]'
jsonpath '$.c[1 to last]'
jsonpath '$[*] ? (@ > 1)'
jsonpath '$.c[*] ? (@.type() == "number")'
jsonpath 'strict $.a.b'
jsonpath '$.**'
jsonpath '$.**{1 to 2}'
jsonpath '$.a + 1'
jsonpath '-$.b[0]'
jsonpath '$.c.size()'
jsonpath '$.a.double()'
jsonpath '$.keyvalue()'
jsonpath '$ ? (exists(@.a))'
jsonpath '$.c ? (@ like_regex "^x")'
jsonpath '$.b[*] ? (@ == null || @ starts with "s")'
jsonpath '$.a == 1'
jsonpath '$[0] / 0'
jsonpath '$.b[last - 1].d'
jsonpath '$.a.ceiling().abs()'
jsonpath '$.b[$.a]'
like 'a%'
like '%b%'
like '_b_'
like '%'
like ''
like 'a\%'
like '#%%'
like '%x_z%'
like E'a\\'
like {text}
sim2 'a%'
sim2 '(a|x)(b|y)%'
sim2 '[a-z]+'
sim2 '_{3,3}'
sim2 '%(b|d)%'
sim2 'a*b?c'
sim2 '[^0-9]%'
)grammar";

}  // namespace northstar::hard
