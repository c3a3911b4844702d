#include "definitions.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "names.hpp"

namespace northstar_tool::shell {
namespace definitions_impl {

std::string option_of(const RelationView& sequence, const char* key) {
    const auto found = sequence.sequence.find(key);
    return found == sequence.sequence.end() ? std::string() : found->second;
}

/// Options that say otherwise than a new sequence of its type has them, each with a blank in front.
std::string sequence_options(const RelationView& sequence) {
    const bool descends = option_of(sequence, "increment").rfind('-', 0) == 0;
    const std::string type = option_of(sequence, "type_oid");
    const char* const largest = type == "21" ? "32767" : type == "23" ? "2147483647" : "9223372036854775807";
    const char* const least = type == "21" ? "-32768" : type == "23" ? "-2147483648" : "-9223372036854775808";
    const std::string minimum = descends ? least : "1", maximum = descends ? "-1" : largest;
    std::string text;
    const auto add = [&](const char* words, const char* key, const std::string& usual) {
        if (option_of(sequence, key) != usual) text += std::string(" ") + words + " " + option_of(sequence, key);
    };
    add("INCREMENT BY", "increment", "1");
    add("MINVALUE", "minimum", minimum);
    add("MAXVALUE", "maximum", maximum);
    add("START WITH", "start", descends ? option_of(sequence, "maximum") : option_of(sequence, "minimum"));
    add("CACHE", "cache", "1");
    if (option_of(sequence, "cycle") == "true") text += " CYCLE";
    return text;
}

std::string create_sequence(const RelationView& sequence) {
    const std::string type = option_of(sequence, "type_oid");
    const char* const as = type == "21" ? " AS smallint" : type == "23" ? " AS integer" : "";
    return "CREATE SEQUENCE " + sequence.full_name() + as + sequence_options(sequence) + ";\n";
}

const RelationView* sequence_of(const RelationView& relation, std::size_t column, const CatalogView& catalog) {
    for (const RelationView& sequence : catalog.relations)
        if (sequence.kind == 'S' && option_of(sequence, "owner_table") == std::to_string(relation.oid) &&
            option_of(sequence, "owner_column") == std::to_string(column))
            return &sequence;
    return nullptr;
}

/// The type that makes a column's sequence again; empty: it has none, or one that says more than the type.
std::string serial_type(const RelationView& relation, std::size_t at, const CatalogView& catalog) {
    const ColumnView& column = relation.columns[at];
    if (column.default_text.rfind("nextval('", 0) != 0 || !column.not_null) return {};
    const RelationView* const sequence = sequence_of(relation, at, catalog);
    if (sequence == nullptr || sequence->name != relation.name + "_" + column.name + "_seq" ||
        sequence->schema != relation.schema || !sequence_options(*sequence).empty() ||
        column.default_text.find("'" + sequence->name + "'") == std::string::npos)
        return {};
    const std::string type = option_of(*sequence, "type_oid");
    if (column.type == "integer" && type == "23") return "serial";
    if (column.type == "bigint" && type == "20") return "bigserial";
    return column.type == "smallint" && type == "21" ? "smallserial" : "";
}

std::string column_text(const RelationView& relation, std::size_t at, const CatalogView& catalog) {
    const ColumnView& column = relation.columns[at];
    const std::string serial = serial_type(relation, at, catalog);
    std::string text = quoted_name(column.name) + " " + (serial.empty() ? column.type : serial);
    if (!column.generated.empty()) {
        text += " GENERATED ALWAYS AS (" + column.generated + ") STORED";
    } else if (!column.identity.empty()) {
        text += " GENERATED " + upper_case(column.identity) + " AS IDENTITY";
        const RelationView* const sequence = catalog.find(column.sequence);
        const std::string options = sequence == nullptr ? "" : sequence_options(*sequence);
        if (!options.empty()) text += " (" + options.substr(1) + ")";
    } else if (!column.default_text.empty() && serial.empty()) {
        text += " DEFAULT " + column.default_text;
    }
    if (column.not_null) text += " NOT NULL";
    return text;
}

/// What a column of a typed table has besides its type; empty: nothing.
std::string typed_column_text(const ColumnView& column) {
    std::string text;
    if (!column.generated.empty()) text += " GENERATED ALWAYS AS (" + column.generated + ") STORED";
    else if (!column.default_text.empty()) text += " DEFAULT " + column.default_text;
    if (column.not_null) text += " NOT NULL";
    return text.empty() ? "" : quoted_name(column.name) + " WITH OPTIONS" + text;
}

/// SET STORAGE and SET COMPRESSION of columns.
std::string storage_of_columns(const RelationView& relation) {
    static const std::map<std::string, const char*> k_words = {
        {"p", "PLAIN"}, {"e", "EXTERNAL"}, {"m", "MAIN"}, {"x", "EXTENDED"}};
    std::string text;
    for (const ColumnView& column : relation.columns) {
        if (column.dropped) continue;
        const std::string alter =
            "ALTER TABLE ONLY " + relation.full_name() + " ALTER COLUMN " + quoted_name(column.name) + " SET ";
        if (const auto word = k_words.find(column.storage); word != k_words.end())
            text += alter + "STORAGE " + word->second + ";\n";
        if (!column.compression.empty())
            text += alter + "COMPRESSION " + (column.compression == "l" ? "lz4" : "pglz") + ";\n";
    }
    return text;
}

/// Made by the period or the hidden valid time of the table.
bool comes_with_period(const RelationView& relation, const CheckView& check) {
    return !relation.period.empty() && check.name == relation.name + "_" + relation.period + "_check" &&
           check.condition == quoted_name(relation.period_from) + " < " + quoted_name(relation.period_to);
}

std::string options_text(const RelationView& relation) {
    std::string options;
    if (relation.valid_time) options = "valid_time";
    if (!relation.history_retention.empty())
        options += (options.empty() ? "" : ", ") + ("history_retention = " + quoted_text(relation.history_retention));
    return options.empty() ? "" : " WITH (" + options + ")";
}

std::string constraint_text(const std::string& name, const std::string& text) {
    return "CONSTRAINT " + quoted_name(name) + " " + text;
}

std::string add_constraint(const std::string& table, const std::string& name, const std::string& text) {
    return "ALTER TABLE " + table + " ADD " + constraint_text(name, text) + ";\n";
}

std::string create_index(const IndexView& index, const std::string& table) {
    return std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " + quoted_name(index.name) + " ON " +
           table + " " + index_text(index) + ";\n";
}

const ColumnView* column_named(const RelationView& relation, const std::string& name) {
    for (const ColumnView& column : relation.columns)
        if (!column.dropped && column.name == name) return &column;
    return nullptr;
}

/// What a column that the table has from others has otherwise than they have it.
std::string changed_columns(const RelationView& relation, const CatalogView& catalog) {
    std::string text;
    for (const ColumnView& column : relation.columns) {
        if (!column.is_declared() || !column.inherited || !column.generated.empty()) continue;
        const ColumnView* above = nullptr;
        for (const std::uint64_t parent : relation.inherits)
            if (const RelationView* const table = catalog.find(parent); table != nullptr && above == nullptr)
                above = column_named(*table, column.name);
        const std::string alter =
            "ALTER TABLE ONLY " + relation.full_name() + " ALTER COLUMN " + quoted_name(column.name);
        if (above == nullptr) continue;
        if (above->default_text != column.default_text)
            text += alter + (column.default_text.empty() ? " DROP DEFAULT" : " SET DEFAULT " + column.default_text) +
                    ";\n";
        if (column.not_null && !above->not_null) text += alter + " SET NOT NULL;\n";
    }
    return text;
}

/// Columns, constraints and what follows them of a table that is no partition.
std::string table_body(const RelationView& relation, const CatalogView& catalog) {
    std::string parts;
    const auto part = [&](const std::string& text) { parts += (parts.empty() ? "\n    " : ",\n    ") + text; };
    const auto of = std::find_if(catalog.types.begin(), catalog.types.end(),
                                 [&](const TypeView& type) { return type.oid == relation.of_type; });
    const bool typed = of != catalog.types.end();
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        if (!relation.columns[i].is_declared() || relation.columns[i].inherited) continue;
        const std::string column =
            typed ? typed_column_text(relation.columns[i]) : column_text(relation, i, catalog);
        if (!column.empty()) part(column);
    }
    if (!relation.period.empty() && !relation.valid_time)
        part("PERIOD FOR " + quoted_name(relation.period) + " (" + quoted_name(relation.period_from) + ", " +
             quoted_name(relation.period_to) + ")");
    for (const IndexView& index : relation.indexes)
        if (!index.constraint.empty() && index.partition == 0) part(constraint_text(index.name, index_text(index)));
    for (const CheckView& check : relation.checks)
        if (!check.inherited && !check.not_valid && !comes_with_period(relation, check))
            part(constraint_text(check.name, check_text(check)));
    std::string parents;
    for (const std::uint64_t parent : relation.inherits)
        if (const RelationView* const table = catalog.find(parent))
            parents += (parents.empty() ? "" : ", ") + table->full_name();
    const std::string type = typed ? " OF " + of->full_name() : "";
    return type + (typed && parts.empty() ? "" : " (" + parts + "\n)") +
           (parents.empty() ? "" : " INHERITS (" + parents + ")") +
           (relation.partition_by.empty() ? "" : " PARTITION BY " + relation.partition_by) + options_text(relation);
}

/// A table declared with nothing but a primary key says so again; what it has more came later.
std::string create_documents(const RelationView& relation, const CatalogView& catalog) {
    std::string key, more;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const ColumnView& column = relation.columns[i];
        if (!column.is_declared()) continue;
        if (key.empty()) key = quoted_name(column.name) + " " + column.type + " PRIMARY KEY";
        else more += "ALTER TABLE " + relation.full_name() + " ADD COLUMN " + column_text(relation, i, catalog) + ";\n";
    }
    for (const IndexView& index : relation.indexes)
        if (!index.constraint.empty() && index.constraint != "primary key")
            more += add_constraint(relation.full_name(), index.name, index_text(index));
    for (const CheckView& check : relation.checks)
        if (!comes_with_period(relation, check))
            more += add_constraint(relation.full_name(), check.name, check_text(check));
    return "CREATE TABLE " + relation.full_name() + " (" + key + ")" + options_text(relation) + ";\n" + more;
}

std::string create_partition(const RelationView& relation, const CatalogView& catalog) {
    const RelationView* const parent = catalog.find(relation.partition_of);
    if (parent == nullptr) return {};
    std::string parts;
    const auto part = [&](const std::string& text) { parts += (parts.empty() ? "" : ", ") + text; };
    for (const ColumnView& column : relation.columns) {
        const ColumnView* const above = column_named(*parent, column.name);
        if (above == nullptr || !column.is_declared()) continue;
        std::string text;
        if (above->default_text != column.default_text && column.generated.empty())
            text += " DEFAULT " + (column.default_text.empty() ? "NULL" : column.default_text);
        if (column.not_null && !above->not_null) text += " NOT NULL";
        if (!text.empty()) part(quoted_name(column.name) + text);
    }
    for (const CheckView& check : relation.checks)
        if (!check.inherited && !check.not_valid) part(constraint_text(check.name, check_text(check)));
    return "CREATE TABLE " + relation.full_name() + " PARTITION OF " + parent->full_name() +
           (parts.empty() ? "" : " (" + parts + ")") + " " + relation.for_values +
           (relation.partition_by.empty() ? "" : " PARTITION BY " + relation.partition_by) + options_text(relation) +
           ";\n";
}

std::string create_view(const RelationView& relation) {
    std::string columns, defaults;
    for (const ColumnView& column : relation.columns) {
        columns += (columns.empty() ? "" : ", ") + quoted_name(column.name);
        if (!column.default_text.empty())
            defaults += "ALTER VIEW " + relation.full_name() + " ALTER COLUMN " + quoted_name(column.name) +
                        " SET DEFAULT " + column.default_text + ";\n";
    }
    std::string text = std::string("CREATE ") + (relation.kind == 'm' ? "MATERIALIZED " : "") + "VIEW " +
                       relation.full_name() + (columns.empty() ? "" : " (" + columns + ")") + " AS " + relation.query;
    if (relation.check_option != 0)
        text += std::string(" WITH ") + (relation.check_option == 1 ? "LOCAL" : "CASCADED") + " CHECK OPTION";
    if (!relation.populated) text += " WITH NO DATA";
    text += ";\n" + defaults;
    for (const IndexView& index : relation.indexes) text += create_index(index, relation.full_name());
    return text;
}

std::string comment(const std::string& on, const std::string& text) {
    return text.empty() ? "" : "COMMENT ON " + on + " IS " + quoted_text(text) + ";\n";
}

/// Visits what an object is made of before the object.
class Ordering {
public:
    explicit Ordering(const CatalogView& catalog) : catalog_(catalog) {
        for (const TypeView& type : catalog.types) add({nullptr, &type}, type.oid, type.full_name());
        for (const RelationView& relation : catalog.relations)
            add({&relation, nullptr}, relation.oid, relation.full_name());
    }
    std::vector<DefinedObject> run() {
        const auto all = [&](auto&& chosen) {
            for (const auto& [oid, object] : by_age_)
                if (chosen(object)) visit(oid, object);
        };
        // Defaults name sequences, and views may name whatever else there is.
        all([](const DefinedObject& object) { return object.relation != nullptr && object.relation->kind == 'S'; });
        all([](const DefinedObject& object) { return object.type != nullptr || object.relation->kind == 'r'; });
        all([](const DefinedObject&) { return true; });
        return std::move(order_);
    }

private:
    void add(DefinedObject object, std::uint64_t oid, const std::string& name) {
        by_age_.emplace(oid, object);
        by_name_.emplace(name, oid);
    }
    void visit(std::uint64_t oid, const DefinedObject& object) {
        if (!visited_.insert(oid).second) return;
        if (object.type != nullptr) {
            for (const std::string& type : object.type->uses) visit_type(type);
        } else {
            const RelationView& relation = *object.relation;
            for (const ColumnView& column : relation.columns) visit_type(column.type);
            visit_number(relation.of_type);
            for (const std::uint64_t parent : relation.inherits) visit_number(parent);
            for (const std::uint64_t base : relation.depends_on) visit_number(base);
            visit_number(relation.partition_of);
        }
        order_.push_back(object);
    }
    void visit_number(std::uint64_t oid) {
        if (const auto found = by_age_.find(oid); found != by_age_.end()) visit(oid, found->second);
    }
    void visit_type(std::string name) {
        while (name.size() > 2 && name.substr(name.size() - 2) == "[]") name.resize(name.size() - 2);
        if (const auto found = by_name_.find(name); found != by_name_.end()) visit_number(found->second);
    }

    const CatalogView& catalog_;
    std::map<std::uint64_t, DefinedObject> by_age_;
    std::map<std::string, std::uint64_t> by_name_;
    std::set<std::uint64_t> visited_;
    std::vector<DefinedObject> order_;
};

}  // namespace definitions_impl

std::string index_text(const IndexView& index) {
    std::string text;
    if (index.constraint == "exclusion") text = "EXCLUDE USING " + index.method + " ";
    else if (index.constraint == "primary key") text = "PRIMARY KEY ";
    else if (index.constraint == "unique") text = index.nulls_not_distinct ? "UNIQUE NULLS NOT DISTINCT " : "UNIQUE ";
    text += index.columns;
    if (!index.include.empty()) text += " INCLUDE " + index.include;
    if (index.constraint.empty() && index.nulls_not_distinct) text += " NULLS NOT DISTINCT";
    if (!index.where.empty())
        text += index.constraint.empty() ? " WHERE " + index.where : " WHERE (" + index.where + ")";
    if (index.deferrable) text += " DEFERRABLE";
    if (index.initially_deferred) text += " INITIALLY DEFERRED";
    return text;
}

std::string check_text(const CheckView& check) {
    return "CHECK (" + check.condition + ")" + (check.no_inherit ? " NO INHERIT" : "") +
           (check.not_valid ? " NOT VALID" : "");
}

bool comes_with_column(const RelationView& sequence, const CatalogView& catalog) {
    using namespace definitions_impl;
    if (option_of(sequence, "identity") == "true") return true;
    const std::string owner = option_of(sequence, "owner_table");
    if (owner.empty()) return false;
    const RelationView* const table = catalog.find(std::strtoull(owner.c_str(), nullptr, 10));
    const std::size_t column = std::strtoull(option_of(sequence, "owner_column").c_str(), nullptr, 10);
    return table != nullptr && column < table->columns.size() && !serial_type(*table, column, catalog).empty();
}

std::string create_statements(const RelationView& relation, const CatalogView& catalog) {
    using namespace definitions_impl;
    if (relation.kind == 'v' || relation.kind == 'm') return create_view(relation);
    if (relation.kind == 'S') return comes_with_column(relation, catalog) ? "" : create_sequence(relation);
    if (relation.partition_of != 0) return create_partition(relation, catalog);
    const std::string name = relation.full_name();
    std::string text = relation.holds_documents()
                           ? create_documents(relation, catalog)
                           : std::string("CREATE ") + (relation.schema == "pg_temp" ? "TEMPORARY "
                                                       : relation.unlogged          ? "UNLOGGED "
                                                                                    : "") +
                                 "TABLE " + name + table_body(relation, catalog) + ";\n" +
                                 changed_columns(relation, catalog) + storage_of_columns(relation);
    for (const IndexView& index : relation.indexes)
        if (index.constraint.empty() && index.partition == 0) text += create_index(index, name);
    return text;
}

std::string late_statements(const RelationView& relation, const CatalogView& catalog) {
    using namespace definitions_impl;
    std::string text;
    if (relation.kind == 'S' && !comes_with_column(relation, catalog) && !option_of(relation, "owner_table").empty()) {
        const RelationView* const owner =
            catalog.find(std::strtoull(option_of(relation, "owner_table").c_str(), nullptr, 10));
        const std::size_t column = std::strtoull(option_of(relation, "owner_column").c_str(), nullptr, 10);
        if (owner != nullptr && column < owner->columns.size())
            text += "ALTER SEQUENCE " + relation.full_name() + " OWNED BY " + owner->full_name() + "." +
                    quoted_name(owner->columns[column].name) + ";\n";
    }
    const auto name_of = [&](std::uint64_t partition) {
        const RelationView* const part = catalog.find(partition);
        return part == nullptr ? relation.full_name() : part->full_name();
    };
    for (const IndexView& index : relation.indexes) {
        if (index.partition == 0) continue;
        if (index.constraint.empty()) text += create_index(index, name_of(index.partition));
        else text += add_constraint(name_of(index.partition), index.name, index_text(index));
    }
    for (const CheckView& check : relation.checks)
        if (check.not_valid && !check.inherited && !relation.holds_documents())
            text += add_constraint(relation.full_name(), check.name, check_text(check));
    for (const ForeignKeyView& key : relation.foreign_keys)
        text += add_constraint(name_of(key.partition), key.name, key.definition);
    return text;
}

std::string comment_statements(const RelationView& relation) {
    using namespace definitions_impl;
    const std::string name = relation.full_name();
    const char* const kind = relation.kind == 'v'   ? "VIEW "
                             : relation.kind == 'm' ? "MATERIALIZED VIEW "
                             : relation.kind == 'S' ? "SEQUENCE "
                                                    : "TABLE ";
    std::string text = comment(kind + name, relation.comment);
    for (const ColumnView& column : relation.columns)
        if (!column.dropped) text += comment("COLUMN " + name + "." + quoted_name(column.name), column.comment);
    const std::string schema = relation.schema == "public" ? "" : quoted_name(relation.schema) + ".";
    const auto constraint = [&](const std::string& of) { return "CONSTRAINT " + quoted_name(of) + " ON " + name; };
    for (const IndexView& index : relation.indexes) {
        text += comment("INDEX " + schema + quoted_name(index.name), index.comment);
        text += comment(constraint(index.name), index.constraint_comment);
    }
    for (const CheckView& check : relation.checks) text += comment(constraint(check.name), check.comment);
    for (const ForeignKeyView& key : relation.foreign_keys) text += comment(constraint(key.name), key.comment);
    return text;
}

std::string create_statement(const TypeView& type) {
    return (type.kind == "domain" ? "CREATE DOMAIN " : "CREATE TYPE ") + type.full_name() + " " + type.definition +
           ";\n";
}

std::string comment_statement(const TypeView& type) {
    return definitions_impl::comment((type.kind == "domain" ? "DOMAIN " : "TYPE ") + type.full_name(), type.comment);
}

std::vector<DefinedObject> in_order_of_making(const CatalogView& catalog) {
    return definitions_impl::Ordering(catalog).run();
}

}  // namespace northstar_tool::shell
