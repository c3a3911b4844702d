// What clients ask of the catalog by function: definitions of objects, visibility, comments, privileges, and casts
// among the types that stand for objects.
#include "sql/array.hpp"
#include "sql/catalog/describe_object.hpp"
#include "sql/catalog/stored_names.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/catalog/system_relations.hpp"
#include "sql/datetime.hpp"
#include "sql/numeric.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/syntax/keyword.hpp"
#include "sql/syntax/parser.hpp"
#include "sql/text_io.hpp"

#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

namespace northstar::inline v0::sql {

namespace catalog_functions_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }
Value text_or_null(Call& call, const std::string& text) {
    return text.empty() ? Value::null(type::text) : text_of(call, text);
}
Oid oid_of(const Value& value) { return static_cast<Oid>(value.integer()); }

const Catalog& objects_of(Call& call) {
    static const Catalog k_none;
    const Catalog* objects = call.session.host == nullptr ? nullptr : call.session.host->objects();
    return objects == nullptr ? k_none : *objects;
}

/// Text of a definition as the session reads it that asks.
Value definition(Call& call, std::string_view text) {
    const std::vector<std::string>& path =
        call.session.host == nullptr ? objects_of(call).stored_path() : call.session.host->search_path();
    return text_of(call, shown_text(objects_of(call), text, path));
}

/// The relation that an OID names; the index that it names, and its table.
std::pair<std::shared_ptr<const Relation>, std::optional<Index>> find_object(const Catalog& catalog, Oid oid) {
    if (auto relation = catalog.relation(oid)) return {std::move(relation), std::nullopt};
    for (const auto& [name, relation] : catalog.relations())
        for (ListedIndex& listed : listed_indexes(catalog, relation))
            if (listed.index.oid == oid) return {std::move(listed.table), std::move(listed.index)};
    return {nullptr, std::nullopt};
}

// ---- definitions ----

Value get_expression(Call& call, const Value* a, std::size_t) { return definition(call, a[0].bytes()); }

Value get_constraint(Call& call, const Value* a, std::size_t) {
    const Catalog& catalog = objects_of(call);
    const Oid wanted = oid_of(a[0]);
    for (const auto& [key, relation] : catalog.relations()) {
        for (const auto& [table, index] : listed_indexes(catalog, relation))
            if (index.role != ConstraintRole::none && constraint_oid(table->oid, index.name) == wanted)
                return text_of(call, constraint_definition(*table, index));
        for (const ForeignKey& foreign : relation->foreign_keys)
            if (constraint_oid(relation->oid, foreign.name) == wanted)
                return text_of(call, constraint_definition(*call.session.types, catalog, *relation, foreign));
        for (const CheckConstraint& check : relation->checks)
            if (constraint_oid(relation->oid, check.name) == wanted)
                return definition(call, constraint_definition(check));
    }
    for (const auto& [key, type] : catalog.types())
        for (const CheckConstraint& check : type->checks)
            if (constraint_oid(type->oid, check.name) == wanted) return definition(call, constraint_definition(check));
    return Value::null(type::text);
}

Value get_index(Call& call, const Value* a, std::size_t count) {
    const auto [relation, index] = find_object(objects_of(call), oid_of(a[0]));
    if (!index) return Value::null(type::text);
    if (count > 1 && a[1].integer() != 0)
        return definition(call, index_column_definition(*relation, *index, static_cast<int>(a[1].integer())));
    return definition(call, index_definition(*relation, *index));
}

Value view_text(Call& call, const std::shared_ptr<const Relation>& view) {
    if (view == nullptr || view->query.empty()) return Value::null(type::text);
    std::string text = view->query;
    while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n')) text.pop_back();
    return definition(call, " " + text + ";");
}
Value get_view(Call& call, const Value* a, std::size_t) {
    return view_text(call, objects_of(call).relation(oid_of(a[0])));
}
Value get_view_by_name(Call& call, const Value* a, std::size_t) {
    const Value found = value_from_text(type::regclass, k_no_typmod, a[0].bytes(), call.arena, call.session);
    return view_text(call, objects_of(call).relation(oid_of(found)));
}

/// Sequence of a serial or identity column: the first argument is read as an identifier, the second as a name.
Value get_serial_sequence(Call& call, const Value* a, std::size_t) {
    const Value found = value_from_text(type::regclass, k_no_typmod, a[0].bytes(), call.arena, call.session);
    const Catalog& catalog = objects_of(call);
    const auto relation = catalog.relation(oid_of(found));
    const int place = relation == nullptr ? -1 : relation->find_column(a[1].bytes());
    if (place < 0)
        raise(sqlstate::undefined_column, "column \"" + std::string(a[1].bytes()) + "\" of relation \"" +
                                              std::string(a[0].bytes()) + "\" does not exist");
    // Dumps make a serial column of a sequence that is made before it, and owned by it later.
    for (const auto& [key, sequence] : catalog.relations())
        if (sequence->kind == RelationKind::sequence && sequence->sequence.owner_table == relation->oid &&
            sequence->sequence.owner_column == place)
            return text_of(call, quote_identifier(sequence->schema) + "." + quote_identifier(sequence->name));
    return Value::null(type::text);
}

const FunctionEntry* function_of(Oid oid) {
    std::uint32_t number = 0;
    for (const FunctionEntry* entry : all_functions()) {
        ++number;
        if (entry->oid == oid || (entry->oid == 0 && k_function_oid + number == oid)) return entry;
    }
    return nullptr;
}
Value get_function_arguments(Call& call, const Value* a, std::size_t) {
    const FunctionEntry* entry = function_of(oid_of(a[0]));
    if (entry == nullptr) return Value::null(type::text);
    std::string text;
    for (std::size_t i = 0; i < entry->argument_count; ++i) {
        if (i > 0) text += ", ";
        if (entry->variadic != 0 && i + 1 == entry->argument_count) text += "VARIADIC ";
        text += format_type(entry->arguments[i], k_no_typmod, nullptr);
    }
    return text_of(call, text);
}
Value get_function_result(Call& call, const Value* a, std::size_t) {
    const FunctionEntry* entry = function_of(oid_of(a[0]));
    if (entry == nullptr) return Value::null(type::text);
    return text_of(call, (entry->kind == FunctionKind::set ? "SETOF " : "") +
                             format_type(entry->result, k_no_typmod, nullptr));
}
/// What a sequence was made with; nothing of where it stands.
void sequence_parameters(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const auto relation = objects_of(call).relation(oid_of(a[0]));
    if (relation == nullptr || relation->kind != RelationKind::sequence)
        raise(sqlstate::wrong_object_type,
              relation == nullptr ? "could not open relation with OID " + std::to_string(oid_of(a[0]))
                                  : "\"" + relation->name + "\" is not a sequence");
    const SequenceOptions& options = relation->sequence;
    const Value row[] = {Value::int8(options.start),         Value::int8(options.minimum),
                         Value::int8(options.maximum),       Value::int8(options.increment),
                         Value::boolean(options.cycle),      Value::int8(options.cache),
                         Value::integer(type::oid, options.type)};
    rows.row(row);
}

Value argument_types(Call& call, const Value* a, std::size_t) {
    std::string text;
    for (const Value& type : array_elements(ArrayView(a[0]), call.arena))
        text += (text.empty() ? "" : ", ") + format_type(oid_of(type), k_no_typmod, call.session.types);
    return text_of(call, text);
}

/// The words of the grammar, with what they may name.
void keywords(Call& call, const Value*, std::size_t, RowSink& rows) {
    struct Kind {
        const char* letter;
        const char* description;
    };
    static constexpr Kind k_kinds[] = {{"U", "unreserved"},
                                       {"C", "unreserved (cannot be function or type name)"},
                                       {"T", "reserved (can be function or type name)"},
                                       {"R", "reserved"}};
    for (const KeywordEntry& entry : keyword_table::k_keywords) {
        const Kind& kind = k_kinds[static_cast<std::size_t>(entry.kind)];
        const Value row[] = {text_of(call, entry.word), Value::bytes(type::char_internal, kind.letter),
                             Value::boolean(entry.bare_label), Value::text(kind.description),
                             Value::text(entry.bare_label ? "can be bare label" : "requires AS")};
        if (!rows.row(row)) return;
    }
}

/// "name=value" of storage options, one row each.
void options_as_rows(Call& call, const Value* a, std::size_t, RowSink& rows) {
    for (const Value& option : array_elements(ArrayView(a[0]), call.arena)) {
        const std::string_view text = option.bytes();
        const std::size_t sign = text.find('=');
        const Value row[] = {Value::text(text.substr(0, sign)), sign == std::string_view::npos
                                                                    ? Value::null(type::text)
                                                                    : Value::text(text.substr(sign + 1))};
        if (!rows.row(row)) return;
    }
}

Value temporary_schema(Call& call, const Value*, std::size_t) {
    for (const auto& [name, relation] : objects_of(call).relations())
        if (relation->temporary) return Value::integer(type::oid, schema_oid(relation->schema));
    return Value::integer(type::oid, 0);
}

Value null_class(Call&, const Value*, std::size_t) { return Value::null(type::regclass); }
Value null_oid(Call&, const Value*, std::size_t) { return Value::null(type::oid); }
Value null_inet(Call&, const Value*, std::size_t) { return Value::null(type::inet); }
Value null_text(Call&, const Value*, std::size_t) { return Value::null(type::text); }
/// There are no roles: nobody has privileges that could be told apart.
Value null_privileges(Call& call, const Value*, std::size_t) { return Value::null(call.result_type); }
Value null_int4(Call&, const Value*, std::size_t) { return Value::null(type::int4); }
Value empty_text(Call&, const Value*, std::size_t) { return Value::text({}); }

// ---- names ----

Value user_by_id(Call& call, const Value* a, std::size_t) {
    const Oid oid = oid_of(a[0]);
    const std::string name = oid == k_owner_oid && call.session.host != nullptr
                                 ? call.session.host->current_user()
                                 : "unknown (OID=" + std::to_string(oid) + ")";
    return Value::bytes(type::name, call.arena.copy(name));
}

/// Does the name alone mean the object?
Value is_visible(Call& call, Oid kind, std::string_view name, Oid oid) {
    return Value::boolean(call.session.types->object_oid(kind, quote_identifier(name)) == oid);
}
Value table_is_visible(Call& call, const Value* a, std::size_t) {
    if (const SystemRelation* system = find_system_relation(oid_of(a[0])))
        return Value::boolean(system->schema == std::string_view("pg_catalog"));
    const auto [relation, index] = find_object(objects_of(call), oid_of(a[0]));
    if (relation == nullptr) return Value::null(type::boolean);
    return is_visible(call, type::regclass, index ? index->name : relation->name, oid_of(a[0]));
}
Value type_is_visible(Call& call, const Value* a, std::size_t) {
    if (find_builtin_type(oid_of(a[0])) != nullptr) return Value::boolean(true);
    const TypeInfo* const type = objects_of(call).find_type(oid_of(a[0]));
    if (type == nullptr) return Value::null(type::boolean);
    return is_visible(call, type::regtype, type->name, oid_of(a[0]));
}
Value function_is_visible(Call&, const Value* a, std::size_t) {
    return function_of(oid_of(a[0])) == nullptr ? Value::null(type::boolean) : Value::boolean(true);
}

template <Oid Kind>
Value find_by_name(Call& call, const Value* a, std::size_t) {
    try {
        return value_from_text(Kind, k_no_typmod, a[0].bytes(), call.arena, call.session);
    } catch (const SqlError& error) {
        if (error.state() == sqlstate::undefined_table || error.state() == sqlstate::undefined_object ||
            error.state() == sqlstate::invalid_schema_name || error.state() == sqlstate::undefined_function ||
            error.state() == sqlstate::ambiguous_function)
            return Value::null(Kind);
        throw;
    }
}

Value current_schemas(Call& call, const Value* a, std::size_t) {
    std::vector<Value> names;
    if (call.session.host != nullptr)
        for (const std::string& schema : call.session.host->schemas(a[0].boolean()))
            names.push_back(Value::bytes(type::name, call.arena.copy(schema)));
    return make_array(type::name_array, type::name, names, call.arena);
}

// ---- comments ----

std::string comment_of(Call& call, Oid oid, std::int64_t column) {
    const Catalog& catalog = objects_of(call);
    if (const auto relation = catalog.relation(oid)) {
        if (column == 0) return relation->comment;
        if (column < 0 || static_cast<std::size_t>(column) > relation->columns.size()) return {};
        return relation->columns[static_cast<std::size_t>(column) - 1].comment;
    }
    if (column != 0) return {};
    if (const auto type = catalog.user_type(oid)) return type->comment;
    for (const std::string& schema : catalog.schemas())
        if (schema_oid(schema) == oid) return catalog.schema_comment(schema);
    for (const auto& [name, extension] : catalog.extensions())
        if (extension.oid == oid) return extension.comment;
    for (const auto& [name, relation] : catalog.relations()) {
        const auto is_it = [&, table = relation->oid](const std::string& constraint) {
            return constraint_oid(table, constraint) == oid;
        };
        for (const auto& [table, index] : listed_indexes(catalog, relation)) {
            if (index.oid == oid) return index.comment;
            if (index.role != ConstraintRole::none && constraint_oid(table->oid, index.name) == oid)
                return index.constraint_comment;
        }
        for (const ForeignKey& foreign : relation->foreign_keys)
            if (is_it(foreign.name)) return foreign.comment;
        for (const CheckConstraint& check : relation->checks)
            if (is_it(check.name)) return check.comment;
    }
    for (const auto& [name, type] : catalog.types())
        for (const CheckConstraint& check : type->checks)
            if (constraint_oid(type->oid, check.name) == oid) return check.comment;
    return {};
}
Value object_description(Call& call, const Value* a, std::size_t) {
    return text_or_null(call, comment_of(call, oid_of(a[0]), 0));
}
Value column_description(Call& call, const Value* a, std::size_t) {
    return a[1].integer() == 0 ? Value::null(type::text)
                               : text_or_null(call, comment_of(call, oid_of(a[0]), a[1].integer()));
}

// ---- the server ----

Value yes(Call&, const Value*, std::size_t) { return Value::boolean(true); }
Value no(Call&, const Value*, std::size_t) { return Value::boolean(false); }

Value server_version(Call& call, const Value*, std::size_t) {
    return text_of(call, std::string("PostgreSQL 15.0 (Northstar ") + northstar::version() + ")");
}
Value encoding_name(Call& call, const Value* a, std::size_t) {
    const std::string_view name = a[0].integer() == 6 ? "UTF8" : a[0].integer() == 0 ? "SQL_ASCII" : "";
    return Value::bytes(type::name, call.arena.copy(name));
}
Value encoding_number(Call&, const Value* a, std::size_t) {
    const std::string_view name = a[0].bytes();
    const auto is = [&](std::string_view wanted) {
        return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                          [](char c, char w) { return (c >= 'A' && c <= 'Z' ? c + 32 : c) == w; });
    };
    return Value::int4(is("utf8") || is("utf-8") || is("unicode") ? 6 : is("sql_ascii") ? 0 : -1);
}
Value utf8_name(Call&, const Value*, std::size_t) { return Value::bytes(type::name, "UTF8"); }

Value zero_int4(Call&, const Value*, std::size_t) { return Value::int4(0); }
Value no_processes(Call& call, const Value*, std::size_t) {
    return make_array(type::int4_array, type::int4, std::span<const Value>(), call.arena);
}
/// When the library was loaded: there is no server that was started before.
const std::int64_t k_loaded_at = clock_now();
Value loaded_at(Call&, const Value*, std::size_t) { return Value::integer(type::timestamptz, k_loaded_at); }

Value sleep_for(Call& call, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
        if (call.session.host != nullptr) call.session.host->check_cancelled();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return Value::bytes(type::void_, {});
}
Value sleep(Call& call, const Value* a, std::size_t) { return sleep_for(call, a[0].real()); }
Value sleep_interval(Call& call, const Value* a, std::size_t) {
    return sleep_for(call, static_cast<double>(interval_span(a[0].interval())) / k_microseconds_per_second);
}
Value sleep_until(Call& call, const Value* a, std::size_t) {
    return sleep_for(call, static_cast<double>(a[0].integer() - clock_now()) / k_microseconds_per_second);
}

/// Bytes that a letter may take.
Value widest_letter(Call&, const Value* a, std::size_t) {
    const std::int64_t encoding = a[0].integer();
    return encoding == 6 ? Value::int4(4) : encoding == 0 ? Value::int4(1) : Value::null(type::int4);
}

/// What may be done to the rows of a relation, as bits: 4 UPDATE, 8 INSERT, 16 DELETE.
Value relation_is_updatable(Call& call, const Value* a, std::size_t) {
    const auto relation = objects_of(call).relation(oid_of(a[0]));
    if (relation == nullptr) return Value::null(type::int4);
    Host* const host = call.session.host;
    const bool view = relation->kind == RelationKind::view;
    if (relation->kind != RelationKind::table && (!view || !host->is_changeable(relation->oid, "")))
        return Value::int4(0);
    for (const Column& column : relation->columns)
        if (!view || host->is_changeable(relation->oid, column.name)) return Value::int4(4 | 8 | 16);
    return Value::int4(view ? 16 : 4 | 8 | 16);
}
Value column_is_updatable(Call& call, const Value* a, std::size_t) {
    const auto relation = objects_of(call).relation(oid_of(a[0]));
    const auto place = static_cast<std::size_t>(a[1].integer()) - 1;
    if (relation == nullptr || place >= relation->columns.size()) return Value::boolean(false);
    if (relation->kind == RelationKind::table) return Value::boolean(true);
    return Value::boolean(relation->kind == RelationKind::view &&
                          call.session.host->is_changeable(relation->oid, relation->columns[place].name));
}

/// The relation of an argument if it is part of a partitioned table, or one.
std::shared_ptr<const Relation> divided(const Catalog& catalog, const Value& named) {
    auto found = named.is_null() ? nullptr : catalog.relation(oid_of(named));
    return found != nullptr && (found->is_partition() || found->is_partitioned()) ? found : nullptr;
}
Value class_of(Oid oid) { return Value::integer(type::regclass, oid); }

void partition_ancestors(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const Catalog& catalog = objects_of(call);
    for (auto at = divided(catalog, a[0]); at != nullptr;
         at = at->is_partition() ? catalog.relation(at->partition_of) : nullptr) {
        const Value oid = class_of(at->oid);
        if (!rows.row({&oid, 1})) return;
    }
}

void partition_tree(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const Catalog& catalog = objects_of(call);
    const auto top = divided(catalog, a[0]);
    if (top == nullptr) return;
    std::vector<std::shared_ptr<const Relation>> all = all_partitions_of(catalog, top->oid);
    all.insert(all.begin(), top);
    for (const auto& each : all) {
        std::int64_t level = 0;
        for (auto at = each; at->oid != top->oid; at = catalog.relation(at->partition_of)) ++level;
        const Value row[] = {class_of(each->oid),
                             each->is_partition() ? class_of(each->partition_of) : Value::null(type::regclass),
                             Value::boolean(!each->is_partitioned()), Value::int4(level)};
        if (!rows.row(row)) return;
    }
}

Value partition_root_of(Call& call, const Value* a, std::size_t) {
    const Catalog& catalog = objects_of(call);
    const auto found = divided(catalog, a[0]);
    return found == nullptr ? Value::null(type::regclass) : class_of(partition_root(catalog, *found)->oid);
}

Value get_partition_key(Call& call, const Value* a, std::size_t) {
    const auto found = divided(objects_of(call), a[0]);
    if (found == nullptr || !found->is_partitioned()) return Value::null(type::text);
    return text_of(call, partition_key_text(*found));
}

/// What rows of a partition meet, in terms of its own table.
Value get_partition_constraint(Call& call, const Value* a, std::size_t) {
    const auto found = divided(objects_of(call), a[0]);
    if (found == nullptr || !found->is_partition()) return Value::null(type::text);
    return text_of(call, partition_condition(objects_of(call), *found, OfRest::of_no_sibling));
}

/// The partition of a table that has rows with these values of its key.
Value partition_by_key(Call& call, const Value* a, std::size_t count) {
    const Catalog& catalog = objects_of(call);
    const auto table = a[0].is_null() ? nullptr : catalog.relation(oid_of(a[0]));
    if (table == nullptr || table->partition_key.parts.size() + 1 != count || count < 2 || call.variadic_array)
        return Value::null(type::oid);
    const Oid found = catalog.directory_of(*table)->find({a + 1, count - 1});
    return found == 0 ? Value::null(type::oid) : Value::integer(type::oid, found);
}

Value vector_as_array(Call& call, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    const std::vector<Value> elements = array_elements(view, call.arena);
    return make_array(call.result_type, view.element_type(), view.dimensions(), elements, call.arena);
}
Value as_object(Call& call, const Value* a, std::size_t) {
    if (a[0].integer() < 0 || a[0].integer() > 0xffffffff)
        raise(sqlstate::numeric_value_out_of_range, "OID out of range");
    return Value::integer(call.result_type, a[0].integer());
}

constexpr FunctionSource k_functions[] = {
    {"pg_get_expr(pg_node_tree,oid) text stable", &get_expression},
    {"pg_get_expr(pg_node_tree,oid,bool) text stable", &get_expression},
    {"pg_get_constraintdef(oid) text stable", &get_constraint},
    {"pg_get_constraintdef(oid,bool) text stable", &get_constraint},
    {"pg_get_indexdef(oid) text stable", &get_index},
    {"pg_get_indexdef(oid,int4,bool) text stable", &get_index},
    {"pg_get_viewdef(oid) text stable", &get_view},
    {"pg_get_viewdef(oid,bool) text stable", &get_view},
    {"pg_get_viewdef(oid,int4) text stable", &get_view},
    {"pg_get_viewdef(text) text stable", &get_view_by_name},
    {"pg_get_viewdef(text,bool) text stable", &get_view_by_name},
    {"pg_get_serial_sequence(text,text) text stable", &get_serial_sequence},
    {"pg_get_ruledef(oid) text stable", &null_text},
    {"pg_get_ruledef(oid,bool) text stable", &null_text},
    {"pg_get_triggerdef(oid) text stable", &null_text},
    {"pg_get_triggerdef(oid,bool) text stable", &null_text},
    {"pg_get_statisticsobjdef_columns(oid) text stable", &null_text},
    {"pg_get_function_arguments(oid) text stable", &get_function_arguments},
    {"pg_get_function_identity_arguments(oid) text stable", &get_function_arguments},
    {"pg_get_function_result(oid) text stable", &get_function_result},
    {"pg_get_function_arg_default(oid,int4) text stable", &null_text},
    {"pg_get_function_sqlbody(oid) text stable", &null_text},
    {"pg_get_functiondef(oid) text stable", &null_text},
    {"acldefault(char,oid) _aclitem stable", &null_privileges},
    {"pg_get_statisticsobjdef(oid) text stable", &null_text},
    {"pg_sequence_parameters(oid) record stable columns=start_value:int8,minimum_value:int8,maximum_value:int8,"
     "increment:int8,cycle_option:bool,cache_size:int8,data_type:oid",
     &sequence_parameters},
    {"oidvectortypes(oidvector) text stable", &argument_types},
    {"pg_get_keywords() record stable columns=word:text,catcode:char,barelabel:bool,catdesc:text,baredesc:text",
     &keywords},
    {"pg_options_to_table(_text) record stable columns=option_name:text,option_value:text", &options_as_rows},
    {"pg_my_temp_schema() oid stable", &temporary_schema},
    {"pg_is_other_temp_schema(oid) bool stable", &no},
    {"pg_relation_filenode(regclass) oid stable", &null_oid},
    {"pg_relation_filepath(regclass) text stable", &null_text},
    {"pg_get_replica_identity_index(regclass) regclass stable", &null_class},
    {"pg_get_userbyid(oid) name stable", &user_by_id},
    {"pg_table_is_visible(oid) bool stable", &table_is_visible},
    {"pg_type_is_visible(oid) bool stable", &type_is_visible},
    {"pg_function_is_visible(oid) bool stable", &function_is_visible},
    {"pg_opclass_is_visible(oid) bool stable", &yes},
    {"pg_collation_is_visible(oid) bool stable", &yes},
    {"pg_operator_is_visible(oid) bool stable", &yes},
    {"pg_opfamily_is_visible(oid) bool stable", &yes},
    {"pg_conversion_is_visible(oid) bool stable", &yes},
    {"pg_statistics_obj_is_visible(oid) bool stable", &yes},
    {"pg_collation_actual_version(oid) text stable", &null_text},
    {"pg_database_collation_actual_version(oid) text stable", &null_text},
    {"to_regclass(text) regclass stable", &find_by_name<type::regclass>},
    {"to_regtype(text) regtype stable", &find_by_name<type::regtype>},
    {"to_regnamespace(text) regnamespace stable", &find_by_name<type::regnamespace>},
    {"to_regproc(text) regproc stable", &find_by_name<type::regproc>},
    {"to_regprocedure(text) regprocedure stable", &find_by_name<type::regprocedure>},
    {"to_regrole(text) regrole stable", &find_by_name<type::regrole>},
    {"current_schemas(bool) _name stable", &current_schemas},
    {"obj_description(oid) text stable", &object_description},
    {"obj_description(oid,name) text stable", &object_description},
    {"shobj_description(oid,name) text stable", &null_text},
    {"col_description(oid,int4) text stable", &column_description},
    {"version() text stable", &server_version},
    {"pg_is_in_recovery() bool stable", &no},
    {"pg_relation_is_publishable(regclass) bool stable", &no},
    {"pg_index_column_has_property(regclass,int4,text) bool stable", &no},
    {"pg_encoding_to_char(int4) name stable", &encoding_name},
    {"pg_char_to_encoding(name) int4 stable", &encoding_number},
    {"pg_encoding_max_length(int4) int4", &widest_letter},
    {"pg_client_encoding() name stable", &utf8_name},
    {"getdatabaseencoding() name stable", &utf8_name},
    {"pg_tablespace_location(oid) text stable", &empty_text},
    {"pg_postmaster_start_time() timestamptz stable", &loaded_at},
    {"pg_conf_load_time() timestamptz stable", &loaded_at},
    // Nobody waits for anybody, there are no triggers and no policies, and nothing is compiled while it runs.
    {"pg_blocking_pids(int4) _int4 volatile", &no_processes},
    {"pg_safe_snapshot_blocking_pids(int4) _int4 volatile", &no_processes},
    {"pg_trigger_depth() int4 volatile", &zero_int4},
    {"row_security_active(text) bool stable", &no},
    {"row_security_active(oid) bool stable", &no},
    {"pg_jit_available() bool volatile", &no},
    // As in a session by a socket of the machine.
    {"inet_client_addr() inet stable", &null_inet},
    {"inet_client_port() int4 stable", &null_int4},
    {"inet_server_addr() inet stable", &null_inet},
    {"inet_server_port() int4 stable", &null_int4},
    {"pg_sleep(float8) void volatile", &sleep},
    {"pg_sleep_for(interval) void volatile", &sleep_interval},
    {"pg_sleep_until(timestamptz) void volatile", &sleep_until},
    {"pg_relation_is_updatable(regclass,bool) int4 stable", &relation_is_updatable},
    {"pg_column_is_updatable(regclass,int2,bool) bool stable", &column_is_updatable},
    {"pg_partition_ancestors(regclass) regclass stable", &partition_ancestors},
    {"pg_partition_tree(regclass) record stable columns=relid:regclass,parentrelid:regclass,isleaf:bool,level:int4",
     &partition_tree},
    {"pg_partition_root(regclass) regclass stable", &partition_root_of},
    {"pg_get_partkeydef(oid) text stable", &get_partition_key},
    {"pg_get_partition_constraintdef(oid) text stable", &get_partition_constraint},
    {"northstar_partition(oid,any) oid nonstrict variadic", &partition_by_key},
};

constexpr CastSource k_casts[] = {
    {"int2vector _int2 i", &vector_as_array},
    {"oidvector _oid i", &vector_as_array},
    {"pg_node_tree text i"},
    {"oid regprocedure i"},
    {"regprocedure oid i"},
    {"regproc regprocedure i"},
    {"regprocedure regproc i"},
    {"oid regnamespace i"},
    {"regnamespace oid i"},
    {"oid regrole i"},
    {"regrole oid i"},
    {"int4 regproc i", &as_object},
    {"int8 regproc i", &as_object},
    {"int4 regnamespace i", &as_object},
    {"int8 regnamespace i", &as_object},
    {"int4 regrole i", &as_object},
    {"int8 regrole i", &as_object},
};

}  // namespace catalog_functions_file

std::span<const FunctionSource> catalog_functions() { return catalog_functions_file::k_functions; }
std::span<const CastSource> catalog_casts() { return catalog_functions_file::k_casts; }

}  // namespace northstar::inline v0::sql
