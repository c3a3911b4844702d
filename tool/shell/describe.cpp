// \d and its kin: what there is in the database, and what it is made of.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "../failure.hpp"
#include "../text.hpp"
#include "catalog_view.hpp"
#include "definitions.hpp"
#include "meta_commands.hpp"
#include "names.hpp"
#include "shell.hpp"

namespace northstar_tool::shell {
namespace describe_impl {

using Words = std::vector<std::string>;

std::string pattern_of(const Words& words) { return words.empty() ? std::string() : words[0]; }

const char* name_of_kind(char kind) {
    switch (kind) {
    case 'v': return "view";
    case 'm': return "materialized view";
    case 'S': return "sequence";
    default: return "table";
    }
}

/// Schemas are entries of the tree of definitions; sys.schema shows what lies in them.
std::vector<std::string> created_schemas(const northstar::Database& database) {
    static constexpr std::string_view prefix = "schema/";
    std::vector<std::string> names;
    const northstar::Snapshot snapshot = database.begin_read();
    for (const auto [key, document] : snapshot.tree("sql.catalog").prefix(prefix))
        names.emplace_back(key.substr(prefix.size()));
    return names;
}

/// What tables and indexes take, as people read it, by schema and name.
std::map<std::pair<std::string, std::string>, std::string> read_sizes(Shell& shell) {
    std::map<std::pair<std::string, std::string>, std::string> sizes;
    const northstar::SqlResult found = shell.connection().execute(
        "SELECT n.nspname, c.relname, pg_size_pretty(pg_table_size(c.oid)) FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 'i', 'p')");
    for (const auto& row : found.rows)
        if (row[2]) sizes[{*row[0], *row[1]}] = *row[2];
    return sizes;
}

enum class Detail : std::uint8_t { names, sizes };

void list_relations(Shell& shell, const Words& words, std::string_view kinds, Detail detail) {
    const CatalogView catalog = read_catalog(shell.connection());
    std::map<std::pair<std::string, std::string>, std::string> sizes;
    if (detail == Detail::sizes) sizes = read_sizes(shell);
    std::vector<std::vector<std::string>> rows;
    bool comments = false;
    for (const RelationView& relation : catalog.relations) comments |= !relation.comment.empty();
    for (const RelationView& relation : catalog.relations) {
        if (kinds.find(relation.kind) == std::string_view::npos) continue;
        if (!fits_pattern(relation.schema, relation.name, pattern_of(words))) continue;
        rows.push_back({relation.schema, relation.name, name_of_kind(relation.kind)});
        if (detail == Detail::sizes) rows.back().push_back(sizes[{relation.schema, relation.name}]);
        if (comments) rows.back().push_back(relation.comment);
    }
    if (rows.empty()) {
        shell.complain(words.empty() ? "There are no such objects."
                                     : "Nothing is named like '" + printable(words[0]) + "'.");
        return;
    }
    Words headings = {"Schema", "Name", "Type"};
    if (detail == Detail::sizes) headings.push_back("Size");
    if (comments) headings.push_back("Description");
    shell.print(headings, rows, "List of relations");
}

constexpr char k_everything[] = "rvmS", k_tables[] = "r", k_views[] = "vm", k_stored_views[] = "m", k_sequences[] = "S";

/// Relations of some kinds, as a command of the shell.
template <const char* kinds, Detail detail>
void list_kinds(Shell& shell, const Words& words, std::string_view) {
    list_relations(shell, words, kinds, detail);
}

template <Detail detail>
void list_indexes(Shell& shell, const Words& words, std::string_view) {
    std::map<std::pair<std::string, std::string>, std::string> sizes;
    if (detail == Detail::sizes) sizes = read_sizes(shell);
    std::vector<std::vector<std::string>> rows;
    for (const RelationView& relation : read_catalog(shell.connection()).relations)
        for (const IndexView& index : relation.indexes)
            if (fits_pattern(relation.schema, index.name, pattern_of(words))) {
                rows.push_back({relation.schema, index.name, index.unique ? "unique index" : "index", relation.name,
                                index.columns});
                if (detail == Detail::sizes) rows.back().push_back(sizes[{relation.schema, index.name}]);
            }
    Words headings = {"Schema", "Name", "Type", "Table", "Columns"};
    if (detail == Detail::sizes) headings.push_back("Size");
    if (rows.empty()) shell.complain("There are no such indexes.");
    else shell.print(headings, rows, "List of indexes");
}

void list_extensions(Shell& shell, const Words& words, std::string_view) {
    std::vector<std::vector<std::string>> rows;
    const northstar::SqlResult found = shell.connection().execute(
        "SELECT e.extname, e.extversion, n.nspname, obj_description(e.oid, 'pg_extension') "
        "FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY 1");
    for (const auto& row : found.rows)
        if (fits_pattern({}, *row[0], pattern_of(words)))
            rows.push_back({*row[0], row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
    if (rows.empty()) shell.complain("There are no such extensions.");
    else shell.print({"Name", "Version", "Schema", "Description"}, rows, "List of installed extensions");
}

void list_schemas(Shell& shell, const Words& words, std::string_view) {
    std::set<std::string> names = {"public"};
    for (const RelationView& relation : read_catalog(shell.connection()).relations) names.insert(relation.schema);
    for (const std::string& schema : created_schemas(shell.database())) names.insert(schema);
    std::vector<std::vector<std::string>> rows;
    for (const std::string& name : names)
        if (fits_pattern({}, name, pattern_of(words))) rows.push_back({name});
    shell.print({"Name"}, rows, "List of schemas");
}

void list_types(Shell& shell, const Words& words, std::string_view) {
    std::vector<std::vector<std::string>> rows;
    for (const TypeView& type : read_catalog(shell.connection()).types)
        if (fits_pattern(type.schema, type.name, pattern_of(words)))
            rows.push_back({type.schema, type.name, type.kind, type.definition});
    if (rows.empty()) shell.complain("There are no such types of your own.");
    else shell.print({"Schema", "Name", "Kind", "Definition"}, rows, "List of data types");
}

void list_functions(Shell& shell, const Words& words, std::string_view) {
    std::vector<std::vector<std::string>> rows;
    // A connection of its own: where the block that is open has failed, functions can still be looked up.
    const northstar::SqlResult found = northstar::SqlConnection(shell.database()).execute(
        "SELECT p.proname, format_type(p.prorettype, NULL), "
        "(SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.n) "
        "FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n)), "
        "CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' ELSE 'func' END "
        "FROM pg_catalog.pg_proc p ORDER BY 1, 3");
    for (const auto& row : found.rows)
        if (fits_pattern("pg_catalog", *row[0], pattern_of(words)))
            rows.push_back({*row[0], row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
    if (rows.empty()) shell.complain("There are no such functions.");
    else shell.print({"Name", "Result data type", "Argument data types", "Type"}, rows, "List of functions");
}

void describe_sequence(Shell& shell, const RelationView& relation) {
    Words values;
    for (const char* const key : {"start", "minimum", "maximum", "increment", "cycle", "cache"}) {
        const auto found = relation.sequence.find(key);
        values.push_back(found != relation.sequence.end() ? found->second : std::string(key) == "cycle" ? "false" : "");
    }
    shell.print({"Start", "Minimum", "Maximum", "Increment", "Cycles?", "Cache"}, {values},
                "Sequence \"" + relation.schema + "." + relation.name + "\"");
}

std::string index_line(IndexView index) {
    if (index.constraint == "exclusion") return index_text(index);
    const char* const kind = index.constraint == "primary key" ? "PRIMARY KEY, "
                             : index.constraint == "unique"    ? "UNIQUE CONSTRAINT, "
                             : index.unique                    ? "UNIQUE, "
                                                               : "";
    index.constraint.clear();
    return kind + index_text(index);
}

/// Tables that it is a part of, divided into, or has columns from.
void describe_kin(Shell& shell, const RelationView& relation, const CatalogView& catalog) {
    constexpr std::size_t k_most_listed = 20;
    Words parts, heirs;
    for (const RelationView& other : catalog.relations) {
        if (other.partition_of == relation.oid) parts.push_back(other.full_name() + " " + other.for_values);
        for (const std::uint64_t parent : other.inherits)
            if (parent == relation.oid) heirs.push_back(other.full_name());
    }
    const auto line = [&](const std::string& text) { shell.output().line(text); };
    const auto list = [&](const std::string& heading, const Words& names) {
        if (names.empty()) return;
        if (names.size() > k_most_listed) return line(heading + ": " + std::to_string(names.size()));
        for (std::size_t i = 0; i < names.size(); ++i)
            line((i == 0 ? heading + ": " : std::string(heading.size() + 2, ' ')) + names[i] +
                 (i + 1 < names.size() ? "," : ""));
    };
    if (const RelationView* const whole = catalog.find(relation.partition_of))
        line("Partition of: " + whole->full_name() + " " + relation.for_values);
    if (!relation.partition_by.empty()) line("Partition key: " + relation.partition_by);
    list("Partitions", parts);
    Words parents;
    for (const std::uint64_t parent : relation.inherits)
        if (const RelationView* const table = catalog.find(parent)) parents.push_back(table->full_name());
    list("Inherits", parents);
    list("Child tables", heirs);
    for (const TypeView& type : catalog.types)
        if (type.oid == relation.of_type) line("Typed table of type: " + type.full_name());
}

void describe_relation(Shell& shell, const RelationView& relation, const CatalogView& catalog) {
    if (relation.kind == 'S') {
        describe_sequence(shell, relation);
        return;
    }
    std::string kind = name_of_kind(relation.kind);
    kind[0] = static_cast<char>(kind[0] - 32);
    std::vector<std::vector<std::string>> rows;
    bool comments = false;
    for (const ColumnView& column : relation.columns) comments |= !column.comment.empty();
    for (const ColumnView& column : relation.columns) {
        if (column.dropped) continue;
        std::string value = column.default_text;
        if (!column.generated.empty()) value = "generated always as (" + column.generated + ") stored";
        if (!column.identity.empty()) value = "generated " + column.identity + " as identity";
        rows.push_back({column.name, column.type, column.not_null ? "not null" : "", value});
        if (comments) rows.back().push_back(column.comment);
    }
    Words headings = {"Column", "Type", "Nullable", "Default"};
    if (comments) headings.push_back("Description");
    PrintOptions& print = shell.options().print;
    const bool rows_only = std::exchange(print.tuples_only, false);
    shell.print(headings, rows, kind + " \"" + relation.schema + "." + relation.name + "\"");
    print.tuples_only = rows_only;
    if (print.mode != PrintMode::table) return;
    const auto section = [&](const char* heading, const Words& lines) {
        if (lines.empty()) return;
        shell.output().line(heading);
        for (const std::string& line : lines) shell.output().line("    " + line);
    };
    Words lines;
    for (const IndexView& index : relation.indexes) lines.push_back("\"" + index.name + "\" " + index_line(index));
    section("Indexes:", lines);
    lines.clear();
    for (const CheckView& check : relation.checks) lines.push_back("\"" + check.name + "\" " + check_text(check));
    section("Check constraints:", lines);
    lines.clear();
    for (const ForeignKeyView& key : relation.foreign_keys) lines.push_back("\"" + key.name + "\" " + key.definition);
    section("Foreign-key constraints:", lines);
    lines.clear();
    for (const RelationView& other : catalog.relations)
        for (const ForeignKeyView& key : other.foreign_keys)
            if (key.references == relation.oid)
                lines.push_back("TABLE \"" + other.name + "\" CONSTRAINT \"" + key.name + "\" " + key.definition);
    section("Referenced by:", lines);
    describe_kin(shell, relation, catalog);
    if (!relation.query.empty()) section("View definition:", {relation.query});
    if (!relation.comment.empty()) section("Comment:", {relation.comment});
    shell.output().line("");
}

void describe(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) {
        list_relations(shell, words, k_everything, Detail::names);
        return;
    }
    const CatalogView catalog = read_catalog(shell.connection());
    bool found = false;
    for (const RelationView& relation : catalog.relations) {
        if (!fits_pattern(relation.schema, relation.name, words[0])) continue;
        describe_relation(shell, relation, catalog);
        found = true;
    }
    for (const RelationView& relation : catalog.relations)
        for (const IndexView& index : relation.indexes) {
            if (index.name != words[0]) continue;
            shell.print({"Table", "Columns", "Unique", "Where"},
                        {{relation.name, index.columns, index.unique ? "yes" : "no", index.where}},
                        "Index \"" + relation.schema + "." + index.name + "\"");
            found = true;
        }
    for (const TypeView& type : catalog.types) {
        if (type.name != words[0]) continue;
        shell.print({"Kind", "Definition"}, {{type.kind, type.definition}},
                    "Type \"" + type.schema + "." + type.name + "\"");
        found = true;
    }
    if (!found) shell.complain("There is no relation, index or type named '" + printable(words[0]) + "'.");
}

void describe_more(Shell& shell, const Words& words, std::string_view rest) {
    if (words.empty()) list_relations(shell, words, k_everything, Detail::sizes);
    else describe(shell, words, rest);
}

void tables(Shell& shell, const Words& words, std::string_view) {
    for (const RelationView& relation : read_catalog(shell.connection()).relations)
        if (relation.kind != 'S' && fits_pattern(relation.schema, relation.name, pattern_of(words)))
            shell.output().line(relation.full_name());
}

void schema(Shell& shell, const Words& words, std::string_view) {
    const CatalogView catalog = read_catalog(shell.connection());
    for (const DefinedObject& object : in_order_of_making(catalog)) {
        const TypeView* const type = object.type;
        const RelationView* const relation = object.relation;
        if (type != nullptr ? !fits_pattern(type->schema, type->name, pattern_of(words))
                            : !fits_pattern(relation->schema, relation->name, pattern_of(words)))
            continue;
        shell.output().write(type != nullptr ? create_statement(*type)
                                             : create_statements(*relation, catalog) +
                                                   late_statements(*relation, catalog));
    }
}

}  // namespace describe_impl

std::vector<MetaCommand> describe_commands() {
    using A = CommandArgument;
    using namespace describe_impl;
    return {
        {"\\d", "[NAME]", "what there is, or what a table, view, index, sequence or type is", A::relation, describe,
         describe_more},
        {"\\dt", "[PATTERN]", "tables (* and ? in patterns; schema.name); \\dt+: with sizes, as \\d+, \\di+, \\dm+",
         A::relation, list_kinds<k_tables, Detail::names>, list_kinds<k_tables, Detail::sizes>},
        {"\\di", "[PATTERN]", "indexes", A::text, list_indexes<Detail::names>, list_indexes<Detail::sizes>},
        {"\\dv", "[PATTERN]", "views", A::relation, list_kinds<k_views, Detail::names>},
        {"\\dm", "[PATTERN]", "materialized views", A::relation, list_kinds<k_stored_views, Detail::names>,
         list_kinds<k_stored_views, Detail::sizes>},
        {"\\ds", "[PATTERN]", "sequences", A::text, list_kinds<k_sequences, Detail::names>},
        {"\\dn", "[PATTERN]", "schemas", A::text, list_schemas},
        {"\\dT", "[PATTERN]", "types that were made here", A::text, list_types},
        {"\\df", "[PATTERN]", "functions", A::text, list_functions},
        {"\\dx", "[PATTERN]", "extensions", A::text, list_extensions},
        {".tables", "[PATTERN]", "names of tables and views", A::relation, tables},
        {".schema", "[PATTERN]", "the statements that make them", A::relation, schema},
        {".indexes", "[PATTERN]", "", A::text, list_indexes<Detail::names>},
    };
}

}  // namespace northstar_tool::shell
