#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// The rules of the grammar of values that compute with them.
const char* const k_values_calls_grammar = R"grammar(
expression {iv} + {iv}
expression {iv} - {iv}
expression {iv} * {f}
expression {iv} / {f}|-{iv}
expression {ts} + {iv}
expression {ts} - {iv}
expression {tz} + {iv}
expression {tz} - {iv}
expression {d} + {iv}
expression {d} - {iv}
expression {d} + {i}
expression {d} - {i}
expression {d} - {d}
expression {d} + {tm}
expression {d} + {ttz}
expression {tm} + {iv}
expression {tm} - {iv}
expression {ttz} + {iv}
expression {ttz} - {iv}
expression {tm} - {tm}
expression {iv} + {tm}
condition ({ts} < {tz})
condition ({d} < {tz})
condition ({d} = {ts})
condition ({iv} < {iv})
condition ({iv} = {iv})
condition ({ttz} < {ttz})
expression date_trunc({part}, {ts})
expression date_trunc({part}, {tz})
expression date_trunc({part}, {tz}, {zone})
expression date_trunc({part}, {iv})
expression date_part({part}, {ts})
expression date_part({part}, {tz})
expression date_part({part}, {iv})
expression date_part({part}, {d})
expression date_part({part}, {tm})
expression date_part({part}, {ttz})
expression date_bin({iv}, {ts}, {ts})
expression date_bin({iv}, {tz}, {tz})
expression {ts} AT TIME ZONE {zone}
expression {tz} AT TIME ZONE {zone}
expression {ttz} AT TIME ZONE {zone}
expression timezone({iv}, {ts})
expression timezone({iv}, {tz})
expression {d}::timestamptz
expression {ts}::timestamptz
expression {tz}::timestamp
expression {tz}::date
expression {tz}::time
expression {tz}::timetz
expression {iv}::time
expression {tm}::interval
expression {iv}::interval day
expression {iv}::interval month
expression {iv}::interval(2)
expression {iv}::interval hour to minute
expression {iv}::interval year
expression {ts}::timestamp(0)
expression {tz}::timestamptz(3)
expression {tm}::time(1)
expression justify_hours({iv})
expression justify_days({iv})
expression justify_interval({iv})
expression ({ts}, {iv}) OVERLAPS ({ts}, {iv})
expression ({tz}, {tz}) OVERLAPS ({tz}, {iv})
expression to_char({ts}, {tf})
expression to_char({tz}, {tf})
expression to_char({iv}, {ivf})
expression make_time({i}, {i}, {f})
expression make_date({i}, {i}, {i})
expression make_timestamptz({i}, {i}, {i}, {i}, {i}, {f}, {zone})
expression to_timestamp({f})
condition (isfinite({tz}))
expression extract(epoch from {iv})
expression extract(epoch from {d})
expression extract(julian from {ts})
aggregate sum({iv})
aggregate avg({iv})
aggregate percentile_cont(0.3) within group (order by {tz})
expression ({iv})::text
expression ({tz})::text
expression to_jsonb({tz})
expression to_jsonb({iv})
expression to_json({ts})
expression greatest({ts}, {tz})
expression least({d}, {ts})
expression {ia} || {ia}
expression {ia} || {i}
expression {i} || {ia}
condition ({ia} = {ia})
condition ({ia} < {ia})
condition ({ia} @> {ia})
condition ({ia} && {ia})
condition ({ia} <@ {ia})
expression array_append({ia}, {i})
expression array_prepend({i}, {ia})
expression array_cat({ia}, {ia})
expression array_dims({ia})
expression array_length({ia}, {i})
expression array_lower({ia}, {i})
expression array_upper({ia}, {i})
expression array_ndims({ia})
expression cardinality({ia})
expression array_position({ia}, {i})
expression array_position({ia}, {i}, {i})
expression array_positions({ia}, {i})
expression array_remove({ia}, {i})
expression array_replace({ia}, {i}, {i})
expression array_to_string({ia}, {k})
expression array_to_string({ta}, {k}, {k})
expression trim_array({ia}, {i})
expression ({ia})[{i}]
expression ({ia})[{i}:{i}]
expression ({ia})[{i}:]
expression ({ia})[:{i}]
expression ({ia})[{i}][{i}]
expression ({ia})[{i}:{i}][{i}:{i}]
expression ({ia})[:][{i}]
expression ({ia})[{i}:{i}][{i}]
expression array_fill({i}, array[2,{i}])
expression array_fill({i}, {ia}, {ia})
condition ({i} = any({ia}))
expression {i} <> all({ia})
condition ({i} < any({ia}))
expression {i} >= all({ia})
expression array(select unnest({ia}))
expression array(select generate_subscripts({ia}, {i}))
expression array(select generate_subscripts({ia}, {i}, true))
expression ({ia})::text
expression ({ia})::text[]
expression ({ta})::int[]
expression ({na})::int[]
expression ({ia})::numeric[]
expression to_json({ia})
expression to_jsonb({ta})
expression array_to_json({ia}, {b})
condition ({na} = {na})
expression {ia}::numeric[] = {na}
expression {ta} || {ta}
expression {ta} || {t}
expression string_to_array({t}, {k})
expression string_to_array({t}, {t}, {k})
expression array[{ia}, {ia}]
expression array[{ta}, {ta}]
aggregate array_agg({ia} order by a.id, b.id)
aggregate array_agg({1=i} order by {1})
aggregate max({ia})
expression width_bucket({i}, {ia})
expression width_bucket({n}, {na})
expression array(select x||':'||y from unnest({ia}, {ta}) u(x,y))
expression array(select x||':'||coalesce(o,-1) from unnest({ta}) with ordinality u(x,o))
expression {ia} is distinct from {ia}
aggregate count(distinct {ia})
expression ({ia})[{i}::smallint]
expression cardinality({ta})
condition ({ta} @> {ta})
condition ({t} = any({ta}))
condition ({t} like any({ta}))
condition ({t} ~ all({ta}))
condition ({na} @> {na})
expression array_remove({na}, {n})
expression array_position({na}, {n})
condition ({r} = {r})
condition ({r} < {r})
condition ({r} @> {r})
condition ({r} <@ {r})
condition ({r} && {r})
condition ({r} << {r})
condition ({r} >> {r})
condition ({r} &< {r})
condition ({r} &> {r})
condition ({r} -|- {r})
expression {r} + {r}
expression {r} * {r}
expression {r} - {r}
expression range_merge({r}, {r})
condition ({r} @> {i})
condition ({i} <@ {r})
expression lower({r})
expression upper({r})
condition (isempty({r}))
condition (lower_inc({r}))
condition (upper_inc({r}))
condition (lower_inf({r}))
condition (upper_inf({r}))
expression int4range({i}, {i})
expression int4range({i}, {i}, '[]')
expression int4range({i}, {i}, '(]')
expression int4range({i}, {i}, '()')
expression int8range({i}, {i}, '(]')
condition ({nr} = {nr})
condition ({nr} < {nr})
condition ({nr} @> {nr})
condition ({nr} && {nr})
condition ({nr} << {nr})
condition ({nr} &< {nr})
condition ({nr} &> {nr})
condition ({nr} -|- {nr})
expression {nr} + {nr}
expression {nr} * {nr}
expression {nr} - {nr}
expression range_merge({nr}, {nr})
condition ({nr} @> {n})
expression numrange({n}, {n}, '[]')
expression numrange({n}, {n}, '()')
expression numrange({n}, {n}, {k})
expression lower({nr})
expression upper({nr})
condition (upper_inc({nr}))
condition ({dr} = {dr})
condition ({dr} @> {d})
condition ({dr} && {dr})
condition ({dr} -|- {dr})
expression {dr} + {dr}
expression {dr} * {dr}
expression {dr} - {dr}
expression daterange({d}, {d}, '[]')
expression daterange({d}, {d}, '(]')
expression lower({dr})
expression upper({dr})
condition (upper_inf({dr}))
condition (upper_inc({dr}))
condition (lower_inc({dr}))
condition (lower_inf({tr}))
condition (upper_inf({tr}))
condition (upper_inc({tr}))
condition ({tr} = {tr})
condition ({tr} @> {ts})
condition ({tr} && {tr})
condition ({tr} -|- {tr})
expression {tr} + {tr}
expression {tr} * {tr}
expression {tr} - {tr}
expression tsrange({ts}, {ts}, '[]')
expression tstzrange({tz}, {tz})
expression ({r})::text
expression ({nr})::text
expression to_jsonb({r})
expression array[{r},{r}]::text
aggregate array_agg({1=r} order by {1} desc)
aggregate array_agg(distinct {nr})
expression range_merge({dr}, {dr})
expression ({t})::int4range
aggregate min({nr})
expression {j} -> {k}
expression {j} ->> {k}
expression {j} -> {i}
expression {j} ->> {i}
expression {j} #> {path}
expression {j} #>> {path}
expression {j} || {j}
expression {j} - {k}
expression {j} - {i}
expression {j} - {ta}
expression {j} #- {path}
condition ({j} @> {j})
condition ({j} <@ {j})
condition ({j} ? {k})
expression {j} ?
expression  {ta}
condition ({j} ?& {ta})
condition ({j} = {j})
condition ({j} < {j})
condition ({j} > {j})
expression jsonb_set({j}, {path}, {j})
expression jsonb_set({j}, {path}, {j}, {b})
expression jsonb_insert({j}, {path}, {j})
expression jsonb_insert({j}, {path}, {j}, {b})
expression jsonb_set_lax({j}, {path}, {j}, {b}, 'delete_key')
expression jsonb_strip_nulls({j})
expression jsonb_pretty({j})
expression jsonb_typeof({j})
expression jsonb_array_length({j})
expression array(select x from jsonb_array_elements({j}) x)
expression array(select x from jsonb_array_elements_text({j}) x)
expression array(select x from jsonb_each({j}) x)
expression array(select x from jsonb_each_text({j}) x)
expression array(select x from jsonb_object_keys({j}) x)
expression ({j})::text
expression ({j})::int
expression ({j})::numeric
expression ({j})::boolean
expression ({j})::float8
expression ({j})::bigint
expression ({j})::smallint
expression to_json({j})
expression ({j})::json
expression ({j})::json -> {k}
expression ({j})::json ->> {i}
expression ({j})::json #> {path}
expression ({j})::json #>> {path}
expression json_array_length(({j})::json)
expression json_typeof(({j})::json)
expression array(select x from json_each(({j})::json) x)::text
expression array(select x from json_array_elements_text(({j})::json) x)
expression json_strip_nulls(({j})::json)
expression jsonb_path_query_array({j}, {jp})
expression jsonb_path_query_array({j}, {jp}, '{"x":1,"y":"b"}', true)
condition (jsonb_path_exists({j}, {jpv}))
expression jsonb_path_match({j}, {jp})
expression jsonb_path_query_first({j}, {jp})
condition ({j} @? {jpv})
condition ({j} @@ {jpv})
expression jsonb_path_query_array_tz({j}, {jp})
expression jsonb_object({ta})
expression jsonb_object({ta}, {ta})
expression json_object({ta})
expression jsonb_build_array({j}, {n}, {tz}, {ia}, {r})
expression jsonb_build_object({k}, {j}, {t}, {iv})
expression json_build_object({k}, {f}, {t}, {by})
aggregate jsonb_agg({j} order by a.id, b.id)
aggregate jsonb_object_agg(a.id, {j} order by b.id)
expression array(select x from jsonb_populate_record(null::made, {j}) x)
expression array(select x from jsonb_populate_recordset(null::made, {j}) x)
expression array(select x from jsonb_to_record({j}) x(a int, b int[], c jsonb))
expression array(select x from jsonb_to_recordset({j}) x(a text, b jsonb))
expression array(select x from json_to_record(({j})::json) x(a text, "B" text, b text[]))
expression ({j})[{k}]
expression ({j})[{i}]
expression ({j})['a'][{i}]
aggregate count(distinct {j})
expression ({t})::jsonb
expression ({t})::json::text
expression jsonb_extract_path({j}, {k}, {k})
expression jsonb_extract_path_text({j}, variadic {path})
condition ({t} ~ {re})
condition ({t} ~* {re})
condition ({t} !~ {re})
expression regexp_match({t}, {re})
expression regexp_match({t}, {re}, {fl})
expression array(select x from regexp_matches({t}, {re}, 'g') x)
expression array(select x from regexp_matches({t}, {re}, {fl}) x)
expression regexp_replace({t}, {re}, '<\&\1>')
expression regexp_replace({t}, {re}, '<\&>', 'g')
expression regexp_replace({t}, {re}, '[\2]', {fl})
expression regexp_replace({t}, {re}, 'X', {i}, {i})
expression regexp_replace({t}, {re}, 'X', {i}, {i}, {fl})
expression regexp_split_to_array({t}, {re})
expression regexp_split_to_array({t}, {re}, {fl})
expression array(select x from regexp_split_to_table({t}, {re}) x)
expression regexp_count({t}, {re})
expression regexp_count({t}, {re}, {i}, {fl})
expression regexp_instr({t}, {re}, {i}, {i}, {i})
expression regexp_instr({t}, {re}, 1, 1, 0, {fl}, {i})
expression regexp_substr({t}, {re}, {i}, {i})
expression regexp_substr({t}, {re}, 1, 1, {fl}, {i})
condition (regexp_like({t}, {re}, {fl}))
expression substring({t} from {re})
expression substring({t} similar {re} escape '#')
condition ({t} similar to {re})
condition ({t} like {t})
condition ({t} ilike {t})
condition ({t} like {re})
condition ({t} like {t} escape '')
condition ({t} like {t} escape 'a')
expression to_char({n}, {nf})
expression to_char({f}, {nf})
expression to_char({i}, {nf})
expression to_char({i}::bigint, {nf})
expression to_char(({f})::real, {nf})
expression substr({t}, {i}, {i})
expression substring({t}, {i})
expression left({t}, {i})
expression right({t}, {i})
expression lpad({t}, 10, {t})
expression rpad({t}, 10, {t})
expression split_part({t}, {k}, {i})
expression translate({t}, {t}, {t})
expression replace({t}, {k}, {t})
expression overlay({t} placing {t} from {i})
expression overlay({t} placing {t} from {i} for {i})
expression position({t} in {t})
expression strpos({t}, {k})
expression initcap({t})
expression upper({t})
expression lower({t})
expression reverse({t})
expression format('%s|%L|%I', {t}, {t}, 'x')
expression format('%-10s;%5s', {t}, {t})
expression format('%*s', {i}, {t})
expression format({t}, {t})
expression concat_ws({k}, {t}, {n}, {t})
expression quote_literal({t})
expression quote_ident({t})
expression quote_nullable({t})
expression ltrim({t}, {t})
expression btrim({t}, {k})
expression encode({by}, 'escape')
expression encode({by}, 'base64')
expression decode({t}, 'escape')
expression decode({t}, 'hex')
expression ({t})::bytea
expression md5({t})
expression ascii({t})
expression chr({i})
expression length({t})
expression octet_length({t})
expression ({t})::int
expression ({t})::numeric
expression ({t})::float8
expression ({t})::date
expression ({t})::interval
expression ({t})::boolean
expression ({t})::char(3)
expression ({t})::varchar(2)
expression ({t})::uuid
expression ({t})::bit(4)
expression ({t})::int[]
expression normalize({t}, NFKD)
condition ({t} is normalized)
expression unistr({t})
expression ({n})::text
expression ({f})::text
expression ({f})::real::text
expression ({bits})::text
expression {bits} & {bits}
expression {bits} || {bits}
condition ({bits} = {bits})
condition ({bits} < {bits})
expression {bits}::bit(5)
expression ({bits})::int
expression ({i})::bit(40)
expression get_bit({bits}, {i})
expression set_bit({bits}, {i}, 1)
expression substring({bits} from {i} for {i})
expression overlay({bits} placing {bits} from {i})
expression position({bits} in {bits})
expression bit_count({bits})
expression {bits} << {i}
expression {bits} >> {i}
expression {by} || {by}
expression substring({by} from {i} for {i})
expression overlay({by} placing {by} from {i})
expression position({by} in {by})
expression get_byte({by}, {i})
expression get_bit({by}, {i})
expression set_bit({by}, {i}, 1)
expression trim({by} from {by})
expression ltrim({by}, {by})
expression bit_count({by})
expression sha256({by})
expression {n} + {n}
expression {n} - {n}
expression {n} * {n}
expression {n} / {n}
expression {n} % {n}
expression {n} ^ {n}
condition ({n} = {n})
condition ({n} < {n})
expression {f} + {f}
expression {f} * {f}
expression {f} / {f}
expression {f} ^ {f}
condition ({f} < {f})
expression {i} + {i}
expression {i} * {i}
expression {i} / {i}
expression {i} % {i}
expression {i} << {i}
expression {i} >> {i}
expression {i} # {i}|-{i}
expression abs({i})
expression abs({n})
expression round({n}, {i})
expression trunc({n}, {i})
expression ceil({n})
expression floor({n})
expression sign({n})
expression sqrt({n})
expression cbrt({f})
expression ln({n})
expression log({n})
expression log({n}, {n})
expression exp({n})
expression power({n}, {n})
expression power({f}, {f})
expression div({n}, {n})
expression mod({n}, {n})
expression gcd({n}, {n})
expression lcm({n}, {n})
expression gcd({i}, {i})
expression lcm({i}, {i})
expression factorial({i})
expression width_bucket({n}, {n}, {n}, {i})
expression width_bucket({f}, {f}, {f}, {i})
expression scale({n})
expression min_scale({n})
expression trim_scale({n})
expression ({n})::int
expression ({n})::bigint
expression ({n})::smallint
expression ({n})::float8
expression ({n})::real
expression ({n})::numeric(5,2)
expression ({n})::numeric(3,-2)
expression ({n})::numeric(2,5)
expression ({f})::int
expression ({f})::bigint
expression ({f})::numeric
expression ({f})::real
expression ({f})::numeric(10,3)
expression {i}::float8 / {n}
expression {i} + {f}
condition ({n} > {f})
condition ({i} = {n})
expression greatest({n}, {i}, {f})
aggregate sum({n})
aggregate avg({n})
aggregate var_samp({n})
aggregate percentile_cont(0.{1-9}) within group (order by {f})
aggregate percentile_disc(0.{1-9}) within group (order by {n})
aggregate percentile_disc(array[0,0.5,1,null]) within group (order by {n})
aggregate mode() within group (order by {n})
aggregate rank({n}) within group (order by {n})
aggregate cume_dist({n}) within group (order by {n} desc)
aggregate percent_rank({i}) within group (order by {i} nulls first)
expression sin({f})
expression tan({f})
expression asin({f})
expression acosh({f})
expression atanh({f})
expression sind({f})
expression cosd({f})
expression tand({f})
expression cotd({f})
expression asind({f})
expression acosd({f})
expression atan2d({f},{f})
expression degrees({f})
aggregate min({f})
aggregate array_agg({1=f} order by {1})
aggregate bit_and({i})
aggregate bool_or({b})
expression {b} and {b}
expression {b} or {b}
condition ({b} < {b})
expression {b} is distinct from {b}
expression ({i})::boolean
expression num_nulls({i},{n},{b})
condition ({i} between symmetric {i} and {i})
expression ({i},{n}) < ({i},{n})
expression ({i},{n}) = ({i},{n})
expression ({i},{n}) is null
expression ({i},{n}) is not null
expression row({i},{n})::text
condition ({i} in ({i},{i},{i}))
condition ({i} not in ({i},{n}))
expression nullif({n},{i})
expression hashint4({i})
expression hash_numeric({n})
expression hashfloat8({f})
)grammar";

}  // namespace northstar::hard
