#include "catalog_view.hpp"

#include <algorithm>

#include "../json.hpp"
#include "names.hpp"
#include "scan.hpp"

namespace northstar_tool::shell {
namespace catalog_view_impl {

/// A document of the catalog in memory: small, and looked at from all sides.
struct Node {
    std::string text;  ///< of a string; of other scalars as they are written
    std::map<std::string, Node> members;
    std::vector<Node> items;

    const Node& operator[](const std::string& name) const {
        static const Node nothing;
        const auto found = members.find(name);
        return found == members.end() ? nothing : found->second;
    }
    bool is_true() const { return text == "true"; }
    std::uint64_t number() const { return std::strtoull(text.c_str(), nullptr, 10); }
};

Node read_node(json::Reader& reader) {
    Node node;
    switch (reader.peek()) {
    case json::Kind::object: {
        reader.begin_object();
        for (std::string name; reader.next_member(name);) {
            const std::string key = name;
            node.members[key] = read_node(reader);
        }
        break;
    }
    case json::Kind::array:
        reader.begin_array();
        while (reader.next_element()) node.items.push_back(read_node(reader));
        break;
    case json::Kind::string: node.text = reader.read_string(); break;
    default: node.text = std::string(reader.read_raw());
    }
    return node;
}

std::string column_name(const RelationView& relation, const Node& place) {
    const std::uint64_t at = place.number();
    return at < relation.columns.size() ? quoted_name(relation.columns[at].name) : "?";
}

std::string column_list(const RelationView& relation, const Node& places) {
    std::string list;
    for (const Node& place : places.items) list += (list.empty() ? "" : ", ") + column_name(relation, place);
    return "(" + list + ")";
}

bool is_plain_call(std::string_view expression) {
    const Span word = next_span(expression, 0);
    return word.kind == SpanKind::word && word.end < expression.size() && expression[word.end] == '(' &&
           expression.back() == ')';
}

IndexView index_view(const RelationView& relation, const Node& from) {
    IndexView index;
    index.name = from["name"].text;
    index.constraint = from["constraint"].text;
    index.unique = from["unique"].is_true();
    index.where = from["where"].text;
    std::string list;
    for (const Node& column : from["columns"].items) {
        list += list.empty() ? "" : ", ";
        const std::string& expression = column["expression"].text;
        if (expression.empty()) list += column_name(relation, column["column"]);
        else list += is_plain_call(expression) ? expression : "(" + expression + ")";
        const bool descending = column["descending"].is_true(), nulls_first = column["nulls_first"].is_true();
        if (descending) list += " DESC";
        if (descending != nulls_first) list += nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
    index.columns = "(" + list + ")";
    if (!from["include"].items.empty()) index.include = column_list(relation, from["include"]);
    return index;
}

RelationView relation_view(const Node& from) {
    RelationView relation;
    relation.schema = from["schema"].text;
    relation.name = from["name"].text;
    relation.kind = from["kind"].text.empty() ? 'r' : from["kind"].text[0];
    relation.oid = from["oid"].number();
    relation.query = from["query"].text;
    relation.comment = from["comment"].text;
    for (const Node& column : from["columns"].items)
        relation.columns.push_back({column["name"].text, column["type"].text, column["default"].text,
                                    column["generated"].text, column["identity"].text, column["comment"].text,
                                    column["not_null"].is_true(), column["dropped"].is_true()});
    for (const Node& index : from["indexes"].items) relation.indexes.push_back(index_view(relation, index));
    for (const Node& check : from["checks"].items)
        relation.checks.emplace_back(check["name"].text, check["check"].text);
    for (const auto& [name, value] : from["sequence"].members) relation.sequence[name] = value.text;
    return relation;
}

std::string upper_case(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return text;
}

/// Foreign keys need the names of the other table, so they come when all tables are known.
void add_foreign_keys(RelationView& relation, const Node& from, const CatalogView& catalog) {
    for (const Node& key : from["foreign_keys"].items) {
        ForeignKeyView view;
        view.name = key["name"].text;
        view.references = key["references"].number();
        const RelationView* const other = catalog.find(view.references);
        view.definition = "FOREIGN KEY " + column_list(relation, key["columns"]) + " REFERENCES " +
                          (other == nullptr
                               ? "?"
                               : other->full_name() + column_list(*other, key["referenced_columns"]));
        if (key["match_full"].is_true()) view.definition += " MATCH FULL";
        for (const char* const event : {"update", "delete"}) {
            const std::string& action = key["on_" + std::string(event)].text;
            if (!action.empty() && action != "no action")
                view.definition += " ON " + upper_case(event) + " " + upper_case(action);
        }
        if (!key["set_columns"].items.empty()) view.definition += " " + column_list(relation, key["set_columns"]);
        if (key["deferrable"].is_true()) view.definition += " DEFERRABLE";
        if (key["initially_deferred"].is_true()) view.definition += " INITIALLY DEFERRED";
        if (key["not_valid"].is_true()) view.definition += " NOT VALID";
        relation.foreign_keys.push_back(std::move(view));
    }
}

/// `base`: what a domain stands on.
TypeView type_view(const Node& from, const std::string& base) {
    TypeView type;
    type.schema = from["schema"].text;
    type.name = from["name"].text;
    type.kind = from["kind"].text;
    type.oid = from["oid"].number();
    type.comment = from["comment"].text;
    if (type.kind == "enum") {
        for (const Node& label : from["labels"].items)
            type.definition += (type.definition.empty() ? "" : ", ") + quoted_text(label["label"].text);
        type.definition = "ENUM (" + type.definition + ")";
    } else if (type.kind == "domain") {
        type.definition = "AS " + base;
        if (!from["default"].text.empty()) type.definition += " DEFAULT " + from["default"].text;
        if (from["not_null"].is_true()) type.definition += " NOT NULL";
        for (const Node& check : from["checks"].items)
            type.definition +=
                " CONSTRAINT " + quoted_name(check["name"].text) + " CHECK (" + check["check"].text + ")";
    }
    return type;
}

/// Columns that own a sequence of a serial type are declared with that type, which makes the sequence again.
std::string serial_type(const ColumnView& column, const RelationView& relation, const CatalogView& catalog) {
    if (column.default_text.rfind("nextval('", 0) != 0 || !column.identity.empty()) return {};
    for (const RelationView& sequence : catalog.relations) {
        if (sequence.kind != 'S') continue;
        const auto owner = sequence.sequence.find("owner_table");
        if (owner == sequence.sequence.end() || owner->second != std::to_string(relation.oid)) continue;
        if (column.default_text.find("'" + sequence.name + "'") == std::string::npos) continue;
        if (sequence.name != relation.name + "_" + column.name + "_seq") return {};
        if (column.type == "integer") return "serial";
        if (column.type == "bigint") return "bigserial";
        if (column.type == "smallint") return "smallserial";
    }
    return {};
}

}  // namespace catalog_view_impl

std::string quoted_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

std::string RelationView::full_name() const {
    if (schema == "public" || schema == "pg_temp") return quoted_name(name);
    return quoted_name(schema) + "." + quoted_name(name);
}

const RelationView* CatalogView::find(std::string_view schema, std::string_view name) const {
    for (const RelationView& relation : relations)
        if (relation.schema == schema && relation.name == name) return &relation;
    return nullptr;
}

const RelationView* CatalogView::find(std::uint64_t oid) const {
    for (const RelationView& relation : relations)
        if (relation.oid == oid) return &relation;
    return nullptr;
}

CatalogView read_catalog(northstar::SqlConnection& connection) {
    using namespace catalog_view_impl;
    CatalogView catalog;
    std::vector<Node> documents;
    std::map<std::string, std::string> domains;  // by number
    const northstar::SqlResult found = connection.execute(
        "SELECT key, document, CASE WHEN key LIKE 'type/%' THEN format_type((document::jsonb->>'base_oid')::oid, "
        "(document::jsonb->>'typmod')::integer) END FROM sys.schema ORDER BY key");
    for (const auto& row : found.rows) {
        json::Reader reader(*row[1]);
        Node node = read_node(reader);
        if (row[0]->rfind("type/", 0) == 0) {
            catalog.types.push_back(type_view(node, row[2].value_or("")));
            const TypeView& type = catalog.types.back();
            if (type.kind == "domain") domains[std::to_string(type.oid)] = quoted_name(type.name);
        } else if (row[0]->rfind("relation/", 0) == 0) {
            catalog.relations.push_back(relation_view(node));
            documents.push_back(std::move(node));
        }
    }
    for (std::size_t i = 0; i < documents.size(); ++i) {
        RelationView& relation = catalog.relations[i];
        for (std::size_t c = 0; c < relation.columns.size(); ++c)
            if (const auto found_domain = domains.find(documents[i]["columns"].items[c]["domain"].text);
                found_domain != domains.end())
                relation.columns[c].type = found_domain->second;
        add_foreign_keys(relation, documents[i], catalog);
    }
    return catalog;
}

std::string create_statements(const RelationView& relation, const CatalogView& catalog) {
    using namespace catalog_view_impl;
    const std::string name = relation.full_name();
    if (relation.kind == 'v') return "CREATE VIEW " + name + " AS " + relation.query + ";\n";
    if (relation.kind == 'm') return "CREATE MATERIALIZED VIEW " + name + " AS " + relation.query + ";\n";
    if (relation.kind == 'S') {
        const auto option = [&](const char* key) {
            const auto found = relation.sequence.find(key);
            return found == relation.sequence.end() ? std::string("1") : found->second;
        };
        return "CREATE SEQUENCE " + name + " INCREMENT BY " + option("increment") + " MINVALUE " + option("minimum") +
               " MAXVALUE " + option("maximum") + " START WITH " + option("start") + " CACHE " + option("cache") +
               (relation.sequence.count("cycle") != 0 && option("cycle") == "true" ? " CYCLE" : "") + ";\n";
    }
    std::string parts;
    const auto part = [&](const std::string& text) { parts += (parts.empty() ? "\n    " : ",\n    ") + text; };
    for (const ColumnView& column : relation.columns) {
        if (column.dropped) continue;
        const std::string serial = serial_type(column, relation, catalog);
        std::string text = quoted_name(column.name) + " " + (serial.empty() ? column.type : serial);
        if (!column.generated.empty()) text += " GENERATED ALWAYS AS (" + column.generated + ") STORED";
        else if (!column.identity.empty()) text += " GENERATED " + upper_case(column.identity) + " AS IDENTITY";
        else if (!column.default_text.empty() && serial.empty()) text += " DEFAULT " + column.default_text;
        if (column.not_null) text += " NOT NULL";
        part(text);
    }
    for (const IndexView& index : relation.indexes)
        if (!index.constraint.empty())
            part("CONSTRAINT " + quoted_name(index.name) + " " + upper_case(index.constraint) + " " + index.columns +
                 (index.include.empty() ? "" : " INCLUDE " + index.include));
    for (const auto& [check, condition] : relation.checks)
        part("CONSTRAINT " + quoted_name(check) + " CHECK (" + condition + ")");
    std::string text = std::string("CREATE ") + (relation.schema == "pg_temp" ? "TEMPORARY " : "") + "TABLE " + name +
                       " (" + parts + "\n);\n";
    for (const IndexView& index : relation.indexes)
        if (index.constraint.empty())
            text += std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " + quoted_name(index.name) +
                    " ON " + name + " " + index.columns + (index.include.empty() ? "" : " INCLUDE " + index.include) +
                    (index.where.empty() ? "" : " WHERE " + index.where) + ";\n";
    return text;
}

std::string foreign_key_statements(const RelationView& relation) {
    std::string text;
    for (const ForeignKeyView& key : relation.foreign_keys)
        text += "ALTER TABLE " + relation.full_name() + " ADD CONSTRAINT " + quoted_name(key.name) + " " +
                key.definition + ";\n";
    return text;
}

std::string create_statement(const TypeView& type) {
    const std::string name = type.schema == "public" ? quoted_name(type.name)
                                                     : quoted_name(type.schema) + "." + quoted_name(type.name);
    if (type.kind == "domain") return "CREATE DOMAIN " + name + " " + type.definition + ";\n";
    return "CREATE TYPE " + name + " AS " + type.definition + ";\n";
}

bool fits_pattern(std::string_view schema, std::string_view name, std::string_view pattern) {
    const std::size_t dot = pattern.find('.');
    if (dot != std::string_view::npos)
        return fits_pattern({}, schema, pattern.substr(0, dot)) && fits_pattern({}, name, pattern.substr(dot + 1));
    if (pattern.empty()) return true;
    if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"')
        return name == pattern.substr(1, pattern.size() - 2);
    // Greedy with one point to return to: a star that fails to match takes one character more.
    std::size_t n = 0, p = 0, star = std::string_view::npos, from = 0;
    while (n < name.size()) {
        const char c = p < pattern.size() ? pattern[p] : '\0';
        const char lower = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (c == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.size() && (c == '?' || lower == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace northstar_tool::shell
