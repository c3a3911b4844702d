// What a refused statement is told: SQLSTATE, position, message, detail, hint, and the names of what it met. Records
// of sqllogictest files look at the SQLSTATE alone. Texts are those of PostgreSQL 15.
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

using namespace northstar;

constexpr const char* k_definitions[] = {
    "create table parent (id int primary key, name varchar(5) unique not null, size int check (size > 0), a int, b "
    "int, unique (a, b))",
    "create table child (id int, p int references parent, a int, b int, foreign key (a, b) references parent (a, b) "
    "match full, constraint odd check (id % 2 = 1))",
    "create table gen (id int generated always as identity, twice int generated always as (id * 2) stored)",
    "create unique index folded on parent (lower(name))",
    "create view small as select id, name from parent where size < 5 with check option",
    "create view seen as select id, size * 2 as twice from parent",
    "create table parts (k int, v text) partition by range (k)",
    "create table parts1 partition of parts for values from (0) to (10)",
    "create domain positive as int constraint above_zero check (value > 0)",
    "create type mood as enum ('sad', 'happy')",
    "create table e (r int4range, m mood, d positive, t text, exclude using gist (r with &&))",
    "create sequence s maxvalue 2",
    "create table x (a int, b text)",
    "insert into parent values (1, 'one', 1, 1, 1), (2, 'two', 9, 2, null)",
    "insert into child values (1, 1, 1, 1)",
    "insert into e values ('[1,5)', 'sad', 1, 'a')",
    "insert into x values (1, 'a'), (2, 'b')",
    "create view graded as select d, m from e",
    "create type point as (x int, y int)",
};

struct Refused {
    const char* statement;
    const char* told;  ///< SQLSTATE and position, then a line for each part
};

constexpr Refused k_refused[] = {
    {"insert into parent values (1, 'x', 1)",
     "23505 0 duplicate key value violates unique constraint \"parent_pkey\"\nDETAIL: Key (id)=(1) already "
     "exists.\nAT: public.parent\nCONSTRAINT: parent_pkey"},
    {"insert into parent values (3, 'one', 1)",
     "23505 0 duplicate key value violates unique constraint \"parent_name_key\"\nDETAIL: Key (name)=(one) already "
     "exists.\nAT: public.parent\nCONSTRAINT: parent_name_key"},
    {"insert into parent values (3, 'three', 1, 1, 1)",
     "23505 0 duplicate key value violates unique constraint \"parent_a_b_key\"\nDETAIL: Key (a, b)=(1, 1) already "
     "exists.\nAT: public.parent\nCONSTRAINT: parent_a_b_key"},
    {"insert into parent values (null, 'x', 1)",
     "23502 0 null value in column \"id\" of relation \"parent\" violates not-null constraint\nDETAIL: Failing row "
     "contains (null, x, 1, null, null).\nAT: public.parent.id"},
    {"insert into parent (id) values (3)",
     "23502 0 null value in column \"name\" of relation \"parent\" violates not-null constraint\nDETAIL: Failing row "
     "contains (3, null, null, null, null).\nAT: public.parent.name"},
    {"insert into parent values (3, 'x', 0)",
     "23514 0 new row for relation \"parent\" violates check constraint \"parent_size_check\"\nDETAIL: Failing row "
     "contains (3, x, 0, null, null).\nAT: public.parent\nCONSTRAINT: parent_size_check"},
    {"insert into parent values (3, 'toolong', 1)",
     "22001 0 value too long for type character varying(5)"},
    {"insert into child values (2, 1)",
     "23514 0 new row for relation \"child\" violates check constraint \"odd\"\nDETAIL: Failing row contains (2, 1, "
     "null, null).\nAT: public.child\nCONSTRAINT: odd"},
    {"insert into child values (1, 7)",
     "23503 0 insert or update on table \"child\" violates foreign key constraint \"child_p_fkey\"\nDETAIL: Key "
     "(p)=(7) is not present in table \"parent\".\nAT: public.child\nCONSTRAINT: child_p_fkey"},
    {"insert into child values (1, 1, 1, null)",
     "23503 0 insert or update on table \"child\" violates foreign key constraint \"child_a_b_fkey\"\nDETAIL: MATCH "
     "FULL does not allow mixing of null and nonnull key values.\nAT: public.child\nCONSTRAINT: child_a_b_fkey"},
    {"insert into child values (1, 1, 9, 9)",
     "23503 0 insert or update on table \"child\" violates foreign key constraint \"child_a_b_fkey\"\nDETAIL: Key "
     "(a, b)=(9, 9) is not present in table \"parent\".\nAT: public.child\nCONSTRAINT: child_a_b_fkey"},
    {"delete from parent where id = 1",
     "23503 0 update or delete on table \"parent\" violates foreign key constraint \"child_p_fkey\" on table "
     "\"child\"\nDETAIL: Key (id)=(1) is still referenced from table \"child\".\nAT: public.child\nCONSTRAINT: "
     "child_p_fkey"},
    {"update parent set id = 5 where id = 1",
     "23503 0 update or delete on table \"parent\" violates foreign key constraint \"child_p_fkey\" on table "
     "\"child\"\nDETAIL: Key (id)=(1) is still referenced from table \"child\".\nAT: public.child\nCONSTRAINT: "
     "child_p_fkey"},
    {"update parent set b = 5 where id = 1",
     "23503 0 update or delete on table \"parent\" violates foreign key constraint \"child_a_b_fkey\" on table "
     "\"child\"\nDETAIL: Key (a, b)=(1, 1) is still referenced from table \"child\".\nAT: public.child\nCONSTRAINT: "
     "child_a_b_fkey"},
    {"update child set p = 8",
     "23503 0 insert or update on table \"child\" violates foreign key constraint \"child_p_fkey\"\nDETAIL: Key "
     "(p)=(8) is not present in table \"parent\".\nAT: public.child\nCONSTRAINT: child_p_fkey"},
    {"insert into small values (3, 'x')",
     "44000 0 new row violates check option for view \"small\"\nDETAIL: Failing row contains (3, x, null, null, "
     "null)."},
    {"insert into parts values (10, 'x')",
     "23514 0 no partition of relation \"parts\" found for row\nDETAIL: Partition key of the failing row contains "
     "(k) = (10).\nAT: public.parts"},
    {"insert into parts values (null, 'x')",
     "23514 0 no partition of relation \"parts\" found for row\nDETAIL: Partition key of the failing row contains "
     "(k) = (null).\nAT: public.parts"},
    {"insert into parts1 values (11, 'x')",
     "23514 0 new row for relation \"parts1\" violates partition constraint\nDETAIL: Failing row contains (11, "
     "x).\nAT: public.parts1"},
    {"insert into e values ('[4,9)')",
     "23P01 0 conflicting key value violates exclusion constraint \"e_r_excl\"\nDETAIL: Key (r)=([4,9)) conflicts "
     "with existing key (r)=([1,5)).\nAT: public.e\nCONSTRAINT: e_r_excl"},
    {"insert into e (m) values ('angry')",
     "22P02 27 invalid input value for enum mood: \"angry\""},
    {"select null::mood::int",
     "42846 18 cannot cast type mood to integer"},
    {"select nextval('s'), nextval('s'), nextval('s')",
     "2200H 0 nextval: reached maximum value of sequence \"s\" (2)"},
    {"select * from nothing",
     "42P01 15 relation \"nothing\" does not exist"},
    {"select * from public.nothing",
     "42P01 15 relation \"public.nothing\" does not exist"},
    {"select nothing from x",
     "42703 8 column \"nothing\" does not exist"},
    {"select x.nothing from x",
     "42703 8 column x.nothing does not exist"},
    {"select y.a from x",
     "42P01 8 missing FROM-clause entry for table \"y\""},
    {"select a from x, x y",
     "42702 8 column reference \"a\" is ambiguous"},
    {"select x from y",
     "42P01 15 relation \"y\" does not exist"},
    {"select nothing(1)",
     "42883 8 function nothing(integer) does not exist\nHINT: No function matches the given name and argument types. "
     "You might need to add explicit type casts."},
    {"select lower(1, 2)",
     "42883 8 function lower(integer, integer) does not exist\nHINT: No function matches the given name and argument "
     "types. You might need to add explicit type casts."},
    {"select lower(true)",
     "42883 8 function lower(boolean) does not exist\nHINT: No function matches the given name and argument types. "
     "You might need to add explicit type casts."},
    {"select a + b from x",
     "42883 10 operator does not exist: integer + text\nHINT: No operator matches the given name and argument types. "
     "You might need to add explicit type casts."},
    {"select a = 'x' from x",
     "22P02 12 invalid input syntax for type integer: \"x\""},
    {"select b = 1 from x",
     "42883 10 operator does not exist: text = integer\nHINT: No operator matches the given name and argument types. "
     "You might need to add explicit type casts."},
    {"select not a from x",
     "42804 12 argument of NOT must be type boolean, not type integer"},
    {"select - b from x",
     "42883 8 operator does not exist: - text\nHINT: No operator matches the given name and argument type. You might "
     "need to add an explicit type cast."},
    {"select a from x group by b",
     "42803 8 column \"x.a\" must appear in the GROUP BY clause or be used in an aggregate function"},
    {"select a, count(*) from x",
     "42803 8 column \"x.a\" must appear in the GROUP BY clause or be used in an aggregate function"},
    {"select b, a from x group by b having a > 1",
     "42803 11 column \"x.a\" must appear in the GROUP BY clause or be used in an aggregate function"},
    {"select * from x where sum(a) > 1",
     "42803 23 aggregate functions are not allowed in WHERE"},
    {"select a from x order by 3",
     "42P10 26 ORDER BY position 3 is not in select list"},
    {"select a from x order by nothing",
     "42703 26 column \"nothing\" does not exist"},
    {"select distinct a from x order by b",
     "42P10 35 for SELECT DISTINCT, ORDER BY expressions must appear in select list"},
    {"select case when a then 1 end from x",
     "42804 18 argument of CASE/WHEN must be type boolean, not type integer"},
    {"select case a when 'x' then 1 end from x",
     "22P02 20 invalid input syntax for type integer: \"x\""},
    {"select coalesce(a, 'x') from x",
     "22P02 20 invalid input syntax for type integer: \"x\""},
    {"select array[1, 'x']",
     "22P02 17 invalid input syntax for type integer: \"x\""},
    {"select (select a from x)",
     "21000 0 more than one row returned by a subquery used as an expression"},
    {"select (select a, b from x)",
     "42601 8 subquery must return only one column"},
    {"select a in (select a, b from x) from x",
     "42601 10 subquery has too many columns"},
    {"select (1, 2) = (1, 2, 3)",
     "42601 15 unequal number of entries in row expressions"},
    {"select 1 / 0",
     "22012 0 division by zero"},
    {"select 1.0 / 0",
     "22012 0 division by zero"},
    {"select 2147483647 + 1",
     "22003 0 integer out of range"},
    {"select '12x'::int",
     "22P02 8 invalid input syntax for type integer: \"12x\""},
    {"select '99999999999'::int",
     "22003 8 value \"99999999999\" is out of range for type integer"},
    {"select 'x'::date",
     "22007 8 invalid input syntax for type date: \"x\""},
    {"select '2024-02-30'::date",
     "22008 8 date/time field value out of range: \"2024-02-30\""},
    {"select 'x'::bool",
     "22P02 8 invalid input syntax for type boolean: \"x\""},
    {"select '{1'::int[]",
     "22P02 8 malformed array literal: \"{1\"\nDETAIL: Unexpected end of input."},
    {"select '{\"a\"'::json",
     "22P02 8 invalid input syntax for type json\nDETAIL: The input string ended unexpectedly."},
    {"select '[1,2'::int4range",
     "22P02 8 malformed range literal: \"[1,2\"\nDETAIL: Unexpected end of input."},
    {"select int4range(2, 1)",
     "22000 0 range lower bound must be less than or equal to range upper bound"},
    {"select 'zz'::uuid",
     "22P02 8 invalid input syntax for type uuid: \"zz\""},
    {"select 1::date",
     "42846 9 cannot cast type integer to date"},
    {"select a::date from x",
     "42846 9 cannot cast type integer to date"},
    {"select cast(a as nothing) from x",
     "42704 18 type \"nothing\" does not exist"},
    {"select 1::varchar(0)",
     "22023 11 length for type varchar must be at least 1"},
    {"select 1::numeric(0)",
     "22023 11 NUMERIC precision 0 must be between 1 and 1000"},
    {"select 1000::numeric(3, 1)",
     "22003 0 numeric field overflow\nDETAIL: A field with precision 3, scale 1 must round to an absolute value less "
     "than 10^2."},
    {"select 'abc' like 'a\\'",
     "22025 0 LIKE pattern must not end with escape character"},
    {"select 'a' ~ '('",
     "2201B 0 invalid regular expression: parentheses () not balanced"},
    {"select substring('a' from 1 for -1)",
     "22011 0 negative substring length not allowed"},
    {"select sqrt(-1)",
     "2201F 0 cannot take square root of a negative number"},
    {"select ln(0)",
     "2201E 0 cannot take logarithm of zero"},
    {"select power(0, -1)",
     "2201F 0 zero raised to a negative power is undefined"},
    {"select chr(0)",
     "54000 0 null character not permitted"},
    {"select repeat('x', 2000000000)",
     "54000 0 requested length too large"},
    {"select to_date('x', 'YYYY')",
     "22007 0 invalid value \"x\" for \"YYYY\"\nDETAIL: Value must be an integer."},
    {"select extract(fortnight from now())",
     "22023 0 unit \"fortnight\" not recognized for type timestamp with time zone"},
    {"select interval '1 x'",
     "22007 17 invalid input syntax for type interval: \"1 x\""},
    {"select now() at time zone 'nowhere'",
     "22023 0 time zone \"nowhere\" not recognized"},
    {"select array_fill(1, array[-1])",
     "54000 0 array size exceeds the maximum allowed (134217727)"},
    {"select (array[1, 2])['x']",
     "22P02 22 invalid input syntax for type integer: \"x\""},
    {"select jsonb_array_length('{}')",
     "22023 0 cannot get array length of a non-array"},
    {"select * from jsonb_each('[1]')",
     "22023 0 cannot call jsonb_each on a non-object"},
    {"select generate_series(1, 2, 0)",
     "22023 0 step size cannot equal zero"},
    {"select lag(a) from x",
     "42809 8 window function lag requires an OVER clause"},
    {"select row_number() over (rows 1 following) from x",
     "42P20 32 frame starting from following row cannot end with current row"},
    {"select a from x limit -1",
     "2201W 0 LIMIT must not be negative"},
    {"select a from x limit a",
     "42P10 23 argument of LIMIT must not contain variables"},
    {"select a from x limit 'x'",
     "22P02 23 invalid input syntax for type bigint: \"x\""},
    {"select a from x for update of y",
     "42P01 31 relation \"y\" in FOR UPDATE clause not found in FROM clause"},
    {"select 1 from",
     "42601 14 syntax error at end of input"},
    {"selec 1",
     "42601 1 syntax error at or near \"selec\""},
    {"select 1 1a",
     "42601 10 trailing junk after numeric literal at or near \"1a\""},
    {"select a b c from x",
     "42601 12 syntax error at or near \"c\""},
    {"insert into x (a, a) values (1, 2)",
     "42701 19 column \"a\" specified more than once"},
    {"insert into x (c) values (1)",
     "42703 16 column \"c\" of relation \"x\" does not exist"},
    {"insert into x values ('x')",
     "22P02 23 invalid input syntax for type integer: \"x\""},
    {"insert into nothing values (1)",
     "42P01 13 relation \"nothing\" does not exist"},
    {"insert into parent (id, name) values (9, 'q'), (9, 'q') on conflict (id) do update set a = 1",
     "21000 0 ON CONFLICT DO UPDATE command cannot affect row a second time\nHINT: Ensure that no rows proposed for "
     "insertion within the same command have duplicate constrained values."},
    {"insert into x values (1) returning c",
     "42703 36 column \"c\" does not exist"},
    {"update x set c = 1",
     "42703 14 column \"c\" of relation \"x\" does not exist"},
    {"update x set a = sum(a)",
     "42803 18 aggregate functions are not allowed in UPDATE"},
    {"delete from x where c = 1",
     "42703 21 column \"c\" does not exist"},
    {"merge into x using x y on true when matched then delete",
     "21000 0 MERGE command cannot affect row a second time\nHINT: Ensure that not more than one source row matches "
     "any one target row."},
    {"create table x (a int)",
     "42P07 0 relation \"x\" already exists"},
    {"create table y (a nothing)",
     "42704 19 type \"nothing\" does not exist"},
    {"create table y (a int primary key, b int primary key)",
     "42P16 42 multiple primary keys for table \"y\" are not allowed"},
    {"create table y (a int, primary key (b))",
     "42703 24 column \"b\" named in key does not exist"},
    {"create table y (a int check (b > 1))",
     "42703 30 column \"b\" does not exist"},
    {"create table y (a int check (sum(a) > 1))",
     "42803 30 aggregate functions are not allowed in check constraints"},
    {"create table y partition of x for values in (1)",
     "42P17 0 \"x\" is not partitioned"},
    {"create table nowhere.y (a int)",
     "3F000 14 schema \"nowhere\" does not exist"},
    {"create view v as select c from x",
     "42703 25 column \"c\" does not exist"},
    {"create view x as select 1",
     "42P07 0 relation \"x\" already exists"},
    {"create view v (a, b) as select 1",
     "42601 0 CREATE VIEW specifies more column names than columns"},
    {"create or replace view seen as select id from parent",
     "42P16 0 cannot drop columns from view"},
    {"create sequence s",
     "42P07 0 relation \"s\" already exists"},
    {"create sequence s2 increment 0",
     "22023 0 INCREMENT must not be zero"},
    {"create schema public",
     "42P06 0 schema \"public\" already exists"},
    {"create type mood as enum ('a')",
     "42710 0 type \"mood\" already exists"},
    {"create domain positive as int",
     "42710 0 type \"positive\" already exists"},
    {"alter table x add a int",
     "42701 0 column \"a\" of relation \"x\" already exists"},
    {"alter table x drop c",
     "42703 0 column \"c\" of relation \"x\" does not exist"},
    {"alter table x alter c set not null",
     "42703 0 column \"c\" of relation \"x\" does not exist"},
    {"alter table x alter b type int",
     "42804 0 column \"b\" cannot be cast automatically to type integer\nHINT: You might need to specify \"USING "
     "b::integer\"."},
    {"alter table x rename a to b",
     "42701 0 column \"b\" of relation \"x\" already exists"},
    {"alter table x rename c to d",
     "42703 0 column \"c\" does not exist"},
    {"alter table x rename to parent",
     "42P07 0 relation \"parent\" already exists"},
    {"alter table x drop constraint nothing",
     "42704 0 constraint \"nothing\" of relation \"x\" does not exist"},
    {"alter table parent drop constraint parent_pkey",
     "2BP01 0 cannot drop constraint parent_pkey on table parent because other objects depend on it\nDETAIL: "
     "constraint child_p_fkey on table child depends on index parent_pkey\nHINT: Use DROP ... CASCADE to drop the "
     "dependent objects too."},
    {"alter table parent alter id drop not null",
     "42P16 0 column \"id\" is in a primary key"},
    {"alter type mood add value 'sad'",
     "42710 0 enum label \"sad\" already exists"},
    {"drop table nothing",
     "42P01 0 table \"nothing\" does not exist"},
    {"drop view x",
     "42809 0 \"x\" is not a view\nHINT: Use DROP TABLE to remove a table."},
    {"drop table seen",
     "42809 0 \"seen\" is not a table\nHINT: Use DROP VIEW to remove a view."},
    {"drop index nothing",
     "42704 0 index \"nothing\" does not exist"},
    {"drop index parent_pkey",
     "2BP01 0 cannot drop index parent_pkey because constraint parent_pkey on table parent requires it\nHINT: You "
     "can drop constraint parent_pkey on table parent instead."},
    {"drop schema nothing",
     "3F000 0 schema \"nothing\" does not exist"},
    {"truncate parent",
     "0A000 0 cannot truncate a table referenced in a foreign key constraint\nDETAIL: Table \"child\" references "
     "\"parent\".\nHINT: Truncate table \"child\" at the same time, or use TRUNCATE ... CASCADE."},
    {"comment on column x.c is 'a'",
     "42703 0 column \"c\" of relation \"x\" does not exist"},
    {"execute nothing",
     "26000 0 prepared statement \"nothing\" does not exist"},
    {"deallocate nothing",
     "26000 0 prepared statement \"nothing\" does not exist"},
    {"fetch nothing",
     "34000 0 cursor \"nothing\" does not exist"},
    {"close nothing",
     "34000 0 cursor \"nothing\" does not exist"},
    {"declare c cursor for select 1",
     "25P01 0 DECLARE CURSOR can only be used in transaction blocks"},
    {"savepoint a",
     "25P01 0 SAVEPOINT can only be used in transaction blocks"},
    {"rollback to a",
     "25P01 0 ROLLBACK TO SAVEPOINT can only be used in transaction blocks"},
    {"set nothing = 1",
     "42704 0 unrecognized configuration parameter \"nothing\""},
    {"set timezone = 'x'",
     "22023 0 invalid value for parameter \"TimeZone\": \"x\""},
    {"set default_transaction_isolation = 'x'",
     "22023 0 invalid value for parameter \"default_transaction_isolation\": \"x\"\nHINT: Available values: "
     "serializable, repeatable read, read committed, read uncommitted."},
    {"show nothing",
     "42704 0 unrecognized configuration parameter \"nothing\""},
    {"lock table x",
     "25P01 0 LOCK TABLE can only be used in transaction blocks"},
    {"with q as (select 1), q as (select 2) select 1",
     "42712 23 WITH query name \"q\" specified more than once"},
    {"with recursive q as (select 1 from q) select 1",
     "42P19 16 recursive query \"q\" does not have the form non-recursive-term UNION [ALL] recursive-term"},
    {"with q (a, b) as (select 1) select 1",
     "42P10 6 WITH query \"q\" has 1 columns available but 2 columns specified"},
    {"select * from (values (1), (2, 3)) v",
     "42601 29 VALUES lists must all be the same length"},
    {"select * from x join x y on a = 1",
     "42702 29 column reference \"a\" is ambiguous"},
    {"select * from x join parent using (b)",
     "42804 0 JOIN/USING types text and integer cannot be matched"},
    {"select grouping(a) from x",
     "42803 17 arguments to GROUPING must be grouping expressions of the associated query level"},
    {"select a from x group by rollup (b)",
     "42803 8 column \"x.a\" must appear in the GROUP BY clause or be used in an aggregate function"},
    {"select count(distinct a, b) from x",
     "42883 8 function count(integer, text) does not exist\nHINT: No function matches the given name and argument "
     "types. You might need to add explicit type casts."},
    {"select string_agg(distinct b, ',' order by a) from x",
     "42P10 44 in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"},
    {"select percentile_cont(0.5) from x",
     "42883 8 function percentile_cont(numeric) does not exist\nHINT: No function matches the given name and "
     "argument types. You might need to add explicit type casts."},
    {"select percentile_cont(2) within group (order by a) from x",
     "22003 0 percentile value 2 is not between 0 and 1"},
    {"select sum(a) within group (order by a) from x",
     "42883 8 function sum(integer, integer) does not exist\nHINT: No function matches the given name and argument "
     "types. You might need to add explicit type casts."},
    {"select max(a) filter (where b) from x",
     "42804 29 argument of FILTER must be type boolean, not type text"},
    {"create or replace view graded as select 1 as d, m from e",
     "42P16 0 cannot change data type of view column \"d\" from positive to integer"},
    {"create or replace view graded as select d, 'x'::varchar(3) as m from e",
     "42P16 0 cannot change data type of view column \"m\" from mood to character varying(3)"},
    {"create table y (a int, b point) partition by range (c)",
     "42703 53 column \"c\" named in partition key does not exist"},
    {"insert into parent values (4, 'four', 1, 2, 2), (5, 'five', 1, 2, 2)",
     "23505 0 duplicate key value violates unique constraint \"parent_a_b_key\"\nDETAIL: Key (a, b)=(2, 2) already "
     "exists.\nAT: public.parent\nCONSTRAINT: parent_a_b_key"},
    {"insert into e values ('[8,9)', 'sad'), ('[8,20)', 'sad')",
     "23P01 0 conflicting key value violates exclusion constraint \"e_r_excl\"\nDETAIL: Key (r)=([8,20)) conflicts "
     "with existing key (r)=([8,9)).\nAT: public.e\nCONSTRAINT: e_r_excl"},
    {"insert into parts1 values (1, 'a'), (null, 'b')",
     "23514 0 new row for relation \"parts1\" violates partition constraint\nDETAIL: Failing row contains (null, "
     "b).\nAT: public.parts1"},
    {"alter table parent add unique (size, size)",
     "42701 24 column \"size\" appears twice in unique constraint"},
};

std::string told(SqlConnection& sql, const char* statement) {
    try {
        sql.execute(statement);
    } catch (const SqlFailure& failure) {
        std::string text = failure.sqlstate + ' ' + std::to_string(failure.position) + ' ' + failure.what();
        if (!failure.detail.empty()) text += "\nDETAIL: " + failure.detail;
        if (!failure.hint.empty()) text += "\nHINT: " + failure.hint;
        std::string where;
        for (const std::string* name : {&failure.schema, &failure.table, &failure.column})
            if (!name->empty()) where += (where.empty() ? "" : ".") + *name;
        if (!where.empty()) text += "\nAT: " + where;
        if (!failure.constraint.empty()) text += "\nCONSTRAINT: " + failure.constraint;
        return text;
    }
    return "not refused";
}

}  // namespace

TEST_CASE("a refused statement is told what PostgreSQL tells", "[sql]") {
    const test::TemporaryDirectory folder;
    Database db = Database::open(folder / "a.db");
    SqlConnection sql(db);
    for (const char* definition : k_definitions) sql.execute(definition);
    for (const Refused& refused : k_refused) {
        INFO(refused.statement);
        CHECK(told(sql, refused.statement) == refused.told);
    }
}
