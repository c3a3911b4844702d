#include "sql/session/system_tables.hpp"

#include "sql/catalog/describe_object.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/catalog/system_relations.hpp"
#include "sql/session/column_storage.hpp"
#include "sql/session/dependencies.hpp"
#include "sql/session/postgres_settings.hpp"
#include "sql/session/row_maker.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace northstar::inline v0::sql {

namespace system_tables {

constexpr Oid k_heap = 2, k_btree = 403;  // of pg_am
constexpr Oid k_internal_language = 12;

std::vector<OutputColumn> read_columns(std::string_view text) {
    std::vector<OutputColumn> columns;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view item = text.substr(0, end);
        const std::size_t colon = item.find(':');
        const std::string_view type = item.substr(colon + 1);
        OutputColumn column;
        column.name = item.substr(0, colon);
        column.type = type == "char" ? type::char_internal : find_builtin_type(type)->oid;
        columns.push_back(std::move(column));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return columns;
}

const std::vector<VirtualTable>& tables() {
    static const std::vector<VirtualTable> list = [] {
        std::vector<VirtualTable> made;
        for (const auto relations : {system_relations(), empty_relations_of_postgres()})
            for (const SystemRelation& relation : relations) {
                VirtualTable table;
                table.schema = relation.schema;
                table.name = relation.name;
                table.columns = read_columns(relation.columns);
                table.query = relation.query;
                table.oid = relation.oid;
                made.push_back(std::move(table));
            }
        return made;
    }();
    return list;
}

bool by_value(const TypeInfo& type) {
    return type.length == 1 || type.length == 2 || type.length == 4 || type.length == 8;
}
char alignment(const TypeInfo& type) {
    switch (type.length) {
        case 1: return 'c';
        case 2: return 's';
        case 8: return 'd';
        default: return type.oid == type::uuid || type.oid == type::name ? 'c' : 'i';
    }
}
Oid collation(Oid type) {
    if (type == type::name) return 950;
    return type == type::text || type == type::varchar || type == type::bpchar ? 100 : 0;
}
Oid operator_class(Oid type) {
    constexpr std::pair<Oid, Oid> classes[] = {
        {16, 10016}, {17, 10021}, {18, 10020}, {20, 3124}, {21, 1979}, {23, 1978}, {25, 3126}, {26, 1981},
        {700, 1970}, {701, 3123}, {1042, 10017}, {1043, 3126}, {1082, 3122}, {1083, 10041}, {1114, 3128},
        {1184, 3127}, {1186, 10023}, {1700, 3125}, {2950, 10065}, {3802, 10083}};
    for (const auto& [of, number] : classes)
        if (of == type) return number;
    return 0;
}

std::vector<std::int64_t> attribute_numbers(const std::vector<int>& places) {
    std::vector<std::int64_t> numbers;
    for (const int place : places) numbers.push_back(place + 1);
    return numbers;
}

// ---- relations ----

void class_row(RowMaker& maker, const Catalog& catalog, Oid oid, std::string_view name, Oid schema, char kind,
               const Relation* relation, const Index* index, std::size_t attributes, bool has_heirs = false) {
    const bool table = relation != nullptr && index == nullptr;
    const Oid method = kind == 'i' || kind == 'I' ? k_btree : kind == 'r' || kind == 'm' ? k_heap : 0;
    maker.row().number(oid).text(name).number(schema).number(table ? relation->row_type : kind == 'c' ? oid : 0);
    maker.number(table ? relation->of_type : 0);
    maker.numbers({k_owner_oid, method, oid, 0});
    maker.number(0).real(table && relation->statistics != nullptr ? relation->statistics->rows : -1).numbers({0, 0});
    maker.flag(table && !relation->indexes.empty()).flag(false);
    maker.letter(relation == nullptr ? 'p' : relation->temporary ? 't' : relation->unlogged ? 'u' : 'p').letter(kind);
    maker.number(static_cast<std::int64_t>(attributes));
    maker.number(table ? static_cast<std::int64_t>(relation->checks.size()) : 0);
    maker.flags({kind == 'v' || kind == 'm', false, has_heirs, false, false, !table || relation->populated});
    const bool part = table ? relation->is_partition() : index != nullptr && index->whole != 0;
    maker.letter(kind == 'r' ? 'd' : 'n').flag(part).numbers({0, 0, 0}).null();
    if (table && relation->check_option != 0)
        maker.texts({relation->check_option == 1 ? "check_option=local" : "check_option=cascaded"});
    else maker.null();
    const auto parent = table && relation->is_partition() ? catalog.relation(relation->partition_of) : nullptr;
    if (parent == nullptr) maker.null();
    else maker.text(bound_text(*parent, relation->bound));
}

void class_rows(RowMaker& maker, const Catalog& catalog) {
    for (const VirtualTable& table : tables())
        if (table.oid != 0)
            class_row(maker, catalog, table.oid, table.name, schema_oid(table.schema),
                      table.query.empty() ? 'r' : 'v', nullptr, nullptr, table.columns.size());
    std::set<Oid> parents;
    for (const auto& [key, relation] : catalog.relations()) {
        parents.insert(relation->inherits.begin(), relation->inherits.end());
        if (relation->is_partition()) parents.insert(relation->partition_of);
        for (const Index& index : relation->indexes) parents.insert(index.whole);
    }
    for (const auto& [key, relation] : catalog.relations()) {
        const Oid schema = schema_oid(relation->schema);
        class_row(maker, catalog, relation->oid, relation->name, schema,
                  relation->is_partitioned() ? 'p' : static_cast<char>(relation->kind), relation.get(),
                  nullptr, relation->kind == RelationKind::sequence ? 3 : relation->columns.size(),
                  parents.count(relation->oid) != 0);
        for (const auto& [table, index] : listed_indexes(catalog, relation))
            class_row(maker, catalog, index.oid, index.name, schema, table->is_partitioned() ? 'I' : 'i',
                      table.get(), &index, index.columns.size() + index.include.size(),
                      parents.count(index.oid) != 0);
    }
    // A composite type is a relation without rows, and has one number as both.
    for (const auto& [key, type] : catalog.types())
        if (type->kind == 'c')
            class_row(maker, catalog, type->oid, type->name, schema_oid(type->schema), 'c', nullptr, nullptr,
                      type->fields.size());
}

/// Of so many tables that one inherits from directly something is true.
template <class Holds>
std::int64_t parents_that(const Catalog& catalog, const Relation& table, Holds&& holds) {
    return std::count_if(table.inherits.begin(), table.inherits.end(), [&](Oid oid) {
        const auto parent = catalog.relation(oid);
        return parent != nullptr && holds(*parent);
    });
}

/// `owner`: the table that has `column`.
void attribute_row(RowMaker& maker, const Catalog& catalog, Oid relation, std::string_view name, Oid type,
                   std::int32_t typmod, int number, const Column* column, const Relation* owner = nullptr) {
    const bool dropped = column != nullptr && column->dropped;
    static const TypeInfo k_nothing;
    const TypeInfo& info = dropped ? k_nothing : type_info(type, &catalog);
    maker.row().number(relation);
    maker.text(dropped ? "........pg.dropped." + std::to_string(number) + "........" : std::string(name));
    maker.number(dropped ? 0 : type).number(-1).number(info.length).number(number);
    maker.number(info.form == Form::array ? 1 : 0).numbers({-1, typmod});
    maker.flag(by_value(info)).letter(alignment(info));
    maker.letter(column != nullptr && column->storage != 0 ? column->storage : default_storage(info));
    maker.letter(column == nullptr ? '\0' : column->compression);
    maker.flag(column != nullptr && column->not_null);
    maker.flag(column != nullptr && !dropped && !default_definition(catalog, *column).empty());
    maker.flag(column != nullptr && column->missing.has_value());
    maker.letter(column == nullptr ? '\0' : column->identity);
    maker.letter(column != nullptr && !column->generated_text.empty() ? 's' : '\0');
    const bool partition = owner != nullptr && owner->is_partition();
    std::int64_t inherited = partition ? 1 : 0;
    if (owner != nullptr && !dropped)
        inherited += parents_that(catalog, *owner,
                                  [&](const Relation& parent) { return parent.find_column(name) >= 0; });
    maker.flags({dropped, column == nullptr || !(partition || column->inherited)}).number(inherited);
    maker.number(collation(type)).null(4);
}

void attribute_rows(RowMaker& maker, const Catalog& catalog) {
    for (const VirtualTable& table : tables()) {
        if (table.oid == 0) continue;
        int number = 0;
        for (const OutputColumn& column : table.columns)
            attribute_row(maker, catalog, table.oid, column.name, column.type, k_no_typmod, ++number, nullptr);
    }
    for (const auto& [key, relation] : catalog.relations()) {
        int number = 0;
        for (const Column& column : relation->columns) {
            ++number;
            // A modifier is part of the domain.
            if (column.hidden) continue;
            const bool plain = column.domain == 0;
            attribute_row(maker, catalog, relation->oid, column.name, plain ? column.type : column.domain,
                          plain ? column.typmod : k_no_typmod, number, &column, relation.get());
        }
        for (const auto& [table, index] : listed_indexes(catalog, relation)) {
            number = 0;
            for (const IndexColumn& column : index.columns) {
                const Column* const base =
                    column.column < 0 ? nullptr : &table->columns[static_cast<std::size_t>(column.column)];
                attribute_row(maker, catalog, index.oid, base == nullptr ? "expr" : base->name,
                              base == nullptr ? type::text : base->type, base == nullptr ? k_no_typmod : base->typmod,
                              number + 1, nullptr);
                ++number;
            }
        }
        if (relation->kind != RelationKind::sequence) continue;
        attribute_row(maker, catalog, relation->oid, "last_value", type::int8, k_no_typmod, 1, nullptr);
        attribute_row(maker, catalog, relation->oid, "log_cnt", type::int8, k_no_typmod, 2, nullptr);
        attribute_row(maker, catalog, relation->oid, "is_called", type::boolean, k_no_typmod, 3, nullptr);
    }
    for (const auto& [key, type] : catalog.types()) {
        int number = 0;
        for (const TypeField& field : type->fields)
            attribute_row(maker, catalog, type->oid, field.name, field.domain != 0 ? field.domain : field.type,
                          field.domain != 0 ? k_no_typmod : field.typmod, ++number, nullptr);
    }
}

void default_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations())
        for (std::size_t i = 0; i < relation->columns.size(); ++i) {
            const Column& column = relation->columns[i];
            const std::string text = column.dropped ? "" : default_definition(catalog, column);
            if (text.empty()) continue;
            const int place = static_cast<int>(i);
            maker.row().number(default_oid(relation->oid, place)).number(relation->oid).number(place + 1).text(text);
        }
}

// ---- indexes and constraints ----

void index_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations())
        for (const auto& [table, index] : listed_indexes(catalog, relation)) {
            std::vector<std::int64_t> columns, collations, classes, options;
            std::string expressions;
            for (const IndexColumn& column : index.columns) {
                columns.push_back(column.column + 1);
                const Oid type = column.column < 0 ? 0 : table->columns[static_cast<std::size_t>(column.column)].type;
                collations.push_back(collation(type));
                classes.push_back(operator_class(type));
                options.push_back((column.order.descending ? 1 : 0) | (column.order.nulls_first ? 2 : 0));
                if (column.column < 0) expressions += (expressions.empty() ? "" : ", ") + column.text;
            }
            for (const int place : index.include) columns.push_back(place + 1);
            maker.row().number(index.oid).number(table->oid);
            maker.number(static_cast<std::int64_t>(columns.size()));
            maker.number(static_cast<std::int64_t>(index.columns.size()));
            maker.flag(index.unique).flag(index.nulls_not_distinct);
            maker.flag(index.role == ConstraintRole::primary_key);
            maker.flag(index.role == ConstraintRole::exclusion).flag(!index.deferrable);
            maker.flags({false, true, false, true, true, false});
            maker.list(columns).list(collations).list(classes).list(options);
            maker.text_or_null(expressions).text_or_null(index_predicate(index));
        }
}

struct ConstraintRow {
    Oid table = 0, type = 0, index = 0, referenced = 0;
    std::string_view name;
    Oid schema = 0;
    char kind = 'c';
    bool deferrable = false, deferred = false, validated = true;
    bool local = true, heirs = false;  ///< declared by the table itself; its heirs have it
    std::int64_t inherited = 0;        ///< from so many tables
    const ForeignKey* foreign = nullptr;
    std::vector<int> columns;
    std::string expression;
};

void constraint_row(RowMaker& maker, const ConstraintRow& row) {
    maker.row().number(constraint_oid(row.table != 0 ? row.table : row.type, row.name)).text(row.name);
    maker.number(row.schema).letter(row.kind).flags({row.deferrable, row.deferred, row.validated});
    maker.numbers({row.table, row.type, row.index, 0, row.referenced});
    maker.letter(row.foreign == nullptr ? ' ' : action_letter(row.foreign->on_update));
    maker.letter(row.foreign == nullptr ? ' ' : action_letter(row.foreign->on_delete));
    maker.letter(row.foreign == nullptr ? ' ' : row.foreign->match_full ? 'f' : 's');
    maker.flag(row.local).number(row.inherited).flag(!row.heirs);
    if (row.columns.empty()) maker.null();
    else maker.list(attribute_numbers(row.columns));
    if (row.foreign == nullptr) maker.null();
    else maker.list(attribute_numbers(row.foreign->referenced));
    maker.null(3);
    if (row.foreign == nullptr || row.foreign->set_columns.empty()) maker.null();
    else maker.list(attribute_numbers(row.foreign->set_columns));
    maker.null().text_or_null(row.expression);
}

void constraint_rows(RowMaker& maker, const Catalog& catalog, SqlSession& session) {
    for (const auto& [key, relation] : catalog.relations()) {
        ConstraintRow base;
        base.table = relation->oid;
        base.schema = schema_oid(relation->schema);
        for (const auto& [table, index] : listed_indexes(catalog, relation)) {
            if (index.role == ConstraintRole::none) continue;
            ConstraintRow row = base;
            row.table = table->oid;
            row.name = index.name;
            row.kind = index.role == ConstraintRole::primary_key ? 'p'
                       : index.role == ConstraintRole::exclusion ? 'x'
                                                                 : 'u';
            row.index = index.oid;
            row.deferrable = index.deferrable;
            row.deferred = index.initially_deferred;
            row.local = index.whole == 0;
            row.inherited = index.whole == 0 ? 0 : 1;
            for (const IndexColumn& column : index.columns) row.columns.push_back(column.column);
            constraint_row(maker, row);
        }
        for (const ForeignKey& foreign : relation->foreign_keys) {
            ConstraintRow row = base;
            row.name = foreign.name;
            row.kind = 'f';
            row.foreign = &foreign;
            row.referenced = foreign.table;
            row.index = referenced_index(catalog, foreign);
            row.deferrable = foreign.deferrable;
            row.deferred = foreign.initially_deferred;
            row.validated = foreign.validated;
            row.columns = foreign.columns;
            constraint_row(maker, row);
        }
        for (const CheckConstraint& check : relation->checks) {
            ConstraintRow row = base;
            row.name = check.name;
            row.validated = check.validated;
            row.expression = check.text;
            row.columns = columns_named_by(session, *relation, check.text);
            row.local = !check.inherited;
            row.heirs = !check.no_inherit;
            row.inherited = parents_that(catalog, *relation, [&](const Relation& parent) {
                return std::any_of(parent.checks.begin(), parent.checks.end(), [&](const CheckConstraint& other) {
                    return other.name == check.name && !other.no_inherit;
                });
            });
            constraint_row(maker, row);
        }
    }
    for (const auto& [key, type] : catalog.types())
        for (const CheckConstraint& check : type->checks) {
            ConstraintRow row;
            row.type = type->oid;
            row.schema = schema_oid(type->schema);
            row.name = check.name;
            row.validated = check.validated;
            row.expression = check.text;
            row.heirs = true;
            constraint_row(maker, row);
        }
}

// ---- types ----

void type_row(RowMaker& maker, const TypeInfo& type, Oid schema, Oid relation, const UserType* domain) {
    const bool vector = type.oid == type::int2vector || type.oid == type::oidvector;
    maker.row().number(type.oid).text(type.name).number(schema).number(k_owner_oid).number(type.length);
    maker.flag(by_value(type)).letter(type.type_kind).letter(static_cast<char>(type.category)).flag(type.preferred);
    maker.flag(true).letter(',').number(relation).number(0);
    maker.number(type.form == Form::range ? 0 : type.element).number(type.array);
    maker.number(input_function(type).oid).numbers({0, 0, 0, 0, 0, 0});
    maker.letter(alignment(type)).letter(default_storage(type)).flag(domain != nullptr && domain->not_null);
    // The domain below, or the base type, as format_type names it.
    const Oid below = domain == nullptr ? 0 : domain->parent != 0 ? domain->parent : domain->base;
    maker.number(below).number(domain == nullptr ? -1 : domain->typmod);
    maker.number(0).number(vector ? 0 : collation(domain == nullptr ? type.oid : domain->base)).null();
    maker.text_or_null(domain == nullptr ? std::string_view() : domain->default_text).null();
}

void type_rows(RowMaker& maker, const Catalog& catalog) {
    for (const TypeInfo& type : builtin_types()) type_row(maker, type, k_system_schema_oid, 0, nullptr);
    for (const auto& [key, user] : catalog.types()) {
        const Oid schema = schema_oid(user->schema);
        if (const TypeInfo* type = catalog.find_type(user->oid))
            type_row(maker, *type, schema, user->kind == 'c' ? user->oid : 0, user->kind == 'd' ? user.get() : nullptr);
        if (const TypeInfo* array = catalog.find_type(user->array)) type_row(maker, *array, schema, 0, nullptr);
    }
    for (const auto& [key, relation] : catalog.relations())
        if (const TypeInfo* type = relation->row_type == 0 ? nullptr : catalog.find_type(relation->row_type)) {
            type_row(maker, *type, schema_oid(relation->schema), relation->oid, nullptr);
            type_row(maker, *catalog.find_type(type->array), schema_oid(relation->schema), 0, nullptr);
        }
}

void enum_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, type] : catalog.types()) {
        int order = 0;
        for (const auto& [label, number] : type->labels)
            maker.row().number(named_oid("label", key + "/" + label)).number(type->oid).real(++order).text(label);
    }
}

void range_rows(RowMaker& maker) {
    for (const TypeInfo& type : builtin_types())
        if (type.type_kind == 'r')
            maker.row().numbers({type.oid, type.element, 0, 0, operator_class(type.element), 0, 0});
}

// ---- functions and operators ----

void function_rows(RowMaker& maker) {
    std::uint32_t number = 0;
    for (const FunctionEntry* entry : all_functions()) {
        ++number;
        std::vector<std::int64_t> arguments;
        for (std::size_t i = 0; i < entry->argument_count; ++i) arguments.push_back(entry->arguments[i]);
        const bool set = entry->kind == FunctionKind::set;
        maker.row().number(entry->oid != 0 ? entry->oid : k_function_oid + number).text(entry->name);
        maker.numbers({k_system_schema_oid, k_owner_oid, k_internal_language}).real(1).real(set ? 1000 : 0);
        maker.number(entry->variadic).number(0).letter(set ? 'f' : static_cast<char>(entry->kind));
        maker.flags({false, false, entry->strict, set}).letter(static_cast<char>(entry->volatility)).letter('s');
        maker.number(static_cast<std::int64_t>(arguments.size())).number(entry->default_count).number(entry->result);
        maker.list(arguments).null(5).text(entry->name).null(4);
    }
}

void operator_rows(RowMaker& maker) {
    for (const OperatorEntry* entry : all_operators()) {
        const std::string signature =
            std::string(entry->name) + "/" + std::to_string(entry->left) + "/" + std::to_string(entry->right);
        maker.row().number(named_oid("operator", signature)).text(entry->name);
        maker.numbers({k_system_schema_oid, k_owner_oid}).letter(entry->left == 0 ? 'l' : 'b');
        maker.flag(entry->comparison == Comparison::equal).flag(entry->comparison == Comparison::equal);
        maker.numbers({entry->left, entry->right, entry->result, 0, 0, 0, 0, 0});
    }
}

// ---- the rest ----

void statistics_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations()) {
        if (relation->statistics == nullptr) continue;
        for (const auto& [place, column] : relation->statistics->columns) {
            std::vector<std::string_view> common, bounds;
            std::vector<double> shares;
            for (const ColumnStatistics::Common& value : column.common) {
                common.push_back(value.text);
                shares.push_back(value.share);
            }
            for (const ColumnStatistics::Bound& bound : column.bounds) bounds.push_back(bound.text);
            maker.row().text(relation->schema).text(relation->name);
            maker.text(relation->columns[static_cast<std::size_t>(place)].name).flag(relation->is_partitioned());
            maker.real(column.null_share).number(column.width).real(column.distinct);
            maker.texts(common).reals(shares).texts(bounds);
            if (column.correlation) maker.real(*column.correlation);
            else maker.null();
            maker.null(3);
        }
    }
}

void namespace_rows(RowMaker& maker, const Catalog& catalog) {
    std::vector<std::string> schemas = {"pg_catalog", "information_schema"};
    schemas.insert(schemas.end(), catalog.schemas().begin(), catalog.schemas().end());
    for (const auto& [key, relation] : catalog.relations())
        if (relation->temporary && std::find(schemas.begin(), schemas.end(), relation->schema) == schemas.end())
            schemas.push_back(relation->schema);
    for (const std::string& schema : schemas)
        maker.row().number(schema_oid(schema)).text(schema).number(k_owner_oid).null();
}

void extension_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [name, extension] : catalog.extensions()) {
        maker.row().number(extension.oid).text(name).numbers({k_owner_oid, schema_oid(extension.schema)});
        maker.flag(name != "plpgsql").text(extension_version(name)).null(2);
    }
}

void sequence_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations()) {
        if (relation->kind != RelationKind::sequence) continue;
        const SequenceOptions& options = relation->sequence;
        maker.row().numbers({relation->oid, options.type, options.start, options.increment, options.maximum,
                             options.minimum, options.cache}).flag(options.cycle);
    }
}

void description_rows(RowMaker& maker, const Catalog& catalog) {
    const Oid classes = find_system_relation("", "pg_class")->oid;
    const Oid types = find_system_relation("", "pg_type")->oid;
    const Oid constraints = find_system_relation("", "pg_constraint")->oid;
    const Oid schemas = find_system_relation("", "pg_namespace")->oid;
    const auto add = [&](Oid object, Oid kind, std::int64_t column, const std::string& text) {
        if (!text.empty()) maker.row().numbers({object, kind, column}).text(text);
    };
    for (const auto& [key, relation] : catalog.relations()) {
        add(relation->oid, classes, 0, relation->comment);
        for (std::size_t i = 0; i < relation->columns.size(); ++i)
            if (!relation->columns[i].dropped)
                add(relation->oid, classes, static_cast<std::int64_t>(i) + 1, relation->columns[i].comment);
        const auto constraint = [&, table = relation->oid](const std::string& name, const std::string& text) {
            add(constraint_oid(table, name), constraints, 0, text);
        };
        for (const auto& [holder, index] : listed_indexes(catalog, relation)) {
            add(index.oid, classes, 0, index.comment);
            add(constraint_oid(holder->oid, index.name), constraints, 0, index.constraint_comment);
        }
        for (const ForeignKey& foreign : relation->foreign_keys) constraint(foreign.name, foreign.comment);
        for (const CheckConstraint& check : relation->checks) constraint(check.name, check.comment);
    }
    for (const auto& [key, type] : catalog.types()) {
        add(type->oid, types, 0, type->comment);
        for (const CheckConstraint& check : type->checks)
            add(constraint_oid(type->oid, check.name), constraints, 0, check.comment);
    }
    for (const std::string& schema : catalog.schemas())
        add(schema_oid(schema), schemas, 0, catalog.schema_comment(schema));
    for (const auto& [name, extension] : catalog.extensions())
        add(extension.oid, find_system_relation("", "pg_extension")->oid, 0, extension.comment);
}

void inheritance_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations()) {
        std::int64_t number = 0;
        for (const Oid parent : relation->inherits)
            maker.row().numbers({relation->oid, parent, ++number}).flag(false);
        if (relation->is_partition()) maker.row().numbers({relation->oid, relation->partition_of, 1}).flag(false);
        for (const Index& index : relation->indexes)
            if (index.whole != 0) maker.row().numbers({index.oid, index.whole, 1}).flag(false);
    }
}

void partitioned_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [key, relation] : catalog.relations()) {
        if (!relation->is_partitioned()) continue;
        std::vector<std::int64_t> places, classes, collations;
        std::string expressions;
        for (const PartitionKey::Part& part : relation->partition_key.parts) {
            const int place = relation->find_column(part.text);
            places.push_back(place + 1);
            if (place < 0) expressions += (expressions.empty() ? "" : ", ") + part.text;
            classes.push_back(operator_class(part.type));
            collations.push_back(collation(part.type));
        }
        Oid rest = 0;
        for (const auto& part : partitions_of(catalog, relation->oid))
            if (part->bound.rest) rest = part->oid;
        maker.row().number(relation->oid).letter(static_cast<char>(relation->partition_key.strategy));
        maker.number(static_cast<std::int64_t>(places.size())).number(rest).list(places).list(classes);
        maker.list(collations).text_or_null(expressions);
    }
}

void cast_rows(RowMaker& maker) {
    constexpr const char* k_contexts[] = {"i", "a", "e"};
    for (const CastEntry& entry : all_casts()) {
        const std::string signature = std::to_string(entry.source) + "/" + std::to_string(entry.target);
        maker.row().number(named_oid("cast", signature)).numbers({entry.source, entry.target, 0});
        maker.text(k_contexts[static_cast<int>(entry.context)]).letter(entry.body == nullptr ? 'b' : 'f');
    }
}

void setting_rows(RowMaker& maker, const SqlSession& session) {
    std::map<std::string, std::string, std::less<>> settings(session.all_settings());
    for (const PostgresSetting& setting : postgres_settings())
        settings.emplace(std::string(setting.name), std::string(setting.value));
    for (const auto& [name, shown] : settings) {
        const SettingForm& form = form_of_setting(name);
        const std::string value = plain_setting(form, shown);
        maker.row().text(shown_setting_name(name)).text(value).text_or_null(name_of(form.unit));
        maker.text("Client Connection Defaults").text("").null().text("user").text(name_of(form.kind)).text("default");
        const bool number = form.kind == SettingKind::integer || form.kind == SettingKind::real;
        if (number) maker.text(plain_number(form, form.least)).text(plain_number(form, form.most));
        else maker.null(2);
        if (form.kind == SettingKind::word) maker.texts(words_of(form));
        else maker.null();
        maker.text(value).text(value).null(2).flag(false);
    }
}

/// Of this session: nobody waits for a table or a row here.
void lock_rows(RowMaker& maker, SqlSession& session) {
    const std::int64_t process = session.process_id();
    const std::string transaction = std::to_string(process) + "/1";
    maker.row().text("virtualxid").null(4).text(transaction).null(4).text(transaction).number(process);
    maker.text("ExclusiveLock").flags({true, true}).null();
    std::set<std::tuple<LockName, bool>> held;
    for (const AdvisoryHolder::Held* const locks : {&session.advisory().of_session(),
                                                    &session.advisory().of_transaction()})
        for (const auto& [lock, count] : *locks) held.insert(lock);
    for (const auto& [name, shared] : held) {
        maker.row().text("advisory").number(k_database_oid).null(5);
        maker.number(static_cast<std::int64_t>(name.number >> 32));
        maker.number(static_cast<std::int64_t>(name.number & 0xffffffff));
        maker.number(name.space == LockSpace::two_numbers ? 2 : 1).text(transaction).number(process);
        maker.text(shared ? "ShareLock" : "ExclusiveLock").flags({true, false}).null();
    }
}

void document_rows(RowMaker& maker, const Catalog& catalog) {
    for (const auto& [name, relation] : catalog.relations())
        maker.row().text(Catalog::key_of(*relation)).text(Catalog::to_document(*relation, catalog).text());
    for (const auto& [name, type] : catalog.types())
        maker.row().text(Catalog::key_of(*type)).text(Catalog::to_document(*type).text());
}

}  // namespace system_tables

int find_system_table(std::string_view schema, std::string_view name) {
    const std::vector<VirtualTable>& tables = system_tables::tables();
    if (schema.empty()) schema = "pg_catalog";
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].schema == schema && tables[i].name == name) return static_cast<int>(i);
    return -1;
}

const VirtualTable& system_table(int number) { return system_tables::tables()[static_cast<std::size_t>(number)]; }

void system_rows(const VirtualTable& table, const Catalog& catalog, SqlSession& session, RowStore& rows) {
    using namespace system_tables;
    RowMaker maker(table, rows);
    const std::string& name = table.name;
    const auto empty = empty_relations_of_postgres();
    if (std::any_of(empty.begin(), empty.end(), [&](const SystemRelation& relation) { return relation.name == name; }))
        return;
    if (name == "pg_class") class_rows(maker, catalog);
    else if (name == "pg_attribute") attribute_rows(maker, catalog);
    else if (name == "pg_attrdef") default_rows(maker, catalog);
    else if (name == "pg_index") index_rows(maker, catalog);
    else if (name == "pg_constraint") constraint_rows(maker, catalog, session);
    else if (name == "pg_type") type_rows(maker, catalog);
    else if (name == "pg_enum") enum_rows(maker, catalog);
    else if (name == "pg_range") range_rows(maker);
    else if (name == "pg_proc") function_rows(maker);
    else if (name == "pg_operator") operator_rows(maker);
    else if (name == "pg_namespace") namespace_rows(maker, catalog);
    else if (name == "pg_extension") extension_rows(maker, catalog);
    else if (name == "pg_sequence") sequence_rows(maker, catalog);
    else if (name == "pg_description") description_rows(maker, catalog);
    else if (name == "pg_depend") dependency_rows(maker, catalog, session);
    else if (name == "pg_stats") statistics_rows(maker, catalog);
    else if (name == "pg_inherits") inheritance_rows(maker, catalog);
    else if (name == "pg_partitioned_table") partitioned_rows(maker, catalog);
    else if (name == "pg_cast") cast_rows(maker);
    else if (name == "pg_settings") setting_rows(maker, session);
    else if (name == "pg_locks") lock_rows(maker, session);
    else document_rows(maker, catalog);
}

}  // namespace northstar::inline v0::sql
