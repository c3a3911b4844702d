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

/// Is all of it in one pair of parentheses?
bool is_in_parentheses(std::string_view expression) {
    int depth = 0;
    for (std::size_t at = 0; at < expression.size();) {
        const Span span = next_span(expression, at);
        if (expression[at] == '(') ++depth;
        if (expression[at] == ')') --depth;
        at = std::max(span.end, at + 1);
        if (depth == 0) return at >= expression.size() && expression.front() == '(';
    }
    return false;
}

bool is_plain_call(std::string_view expression) {
    const Span word = next_span(expression, 0);
    return word.kind == SpanKind::word && is_in_parentheses(expression.substr(word.end));
}

/// The last column of a key WITHOUT OVERLAPS, which may stand for a period; empty: it is hidden.
std::string period_of_key(const RelationView& relation, const std::string& column) {
    if (relation.valid_time) return {};
    return (column == quoted_name(relation.period_from) ? quoted_name(relation.period) : column) + " WITHOUT OVERLAPS";
}

std::string index_element(const RelationView& relation, const Node& from, bool period) {
    const std::string& expression = from["expression"].text;
    if (period) return period_of_key(relation, column_name(relation, from["column"]));
    std::string text = expression.empty()          ? column_name(relation, from["column"])
                       : is_plain_call(expression) ? expression
                                                   : "(" + expression + ")";
    const bool descending = from["descending"].is_true(), nulls_first = from["nulls_first"].is_true();
    if (descending) text += " DESC";
    if (descending != nulls_first) text += nulls_first ? " NULLS FIRST" : " NULLS LAST";
    if (!from["operator"].text.empty()) text += " WITH " + from["operator"].text;
    return text;
}

IndexView index_view(const RelationView& relation, const Node& from) {
    IndexView index;
    index.name = from["name"].text;
    index.constraint = from["constraint"].text;
    index.method = from["method"].text;
    index.unique = from["unique"].is_true();
    index.nulls_not_distinct = from["nulls_not_distinct"].is_true();
    index.deferrable = from["deferrable"].is_true();
    index.initially_deferred = from["initially_deferred"].is_true();
    index.partition = from["partition"].number();
    index.where = from["where"].text;
    index.comment = from["comment"].text;
    index.constraint_comment = from["constraint_comment"].text;
    std::string list;
    const std::vector<Node>& columns = from["columns"].items;
    for (const Node& column : columns) {
        const bool period = from["without_overlaps"].is_true() && &column == &columns.back();
        const std::string element = index_element(relation, column, period);
        if (!element.empty()) list += (list.empty() ? "" : ", ") + element;
    }
    index.columns = "(" + list + ")";
    if (!from["include"].items.empty()) index.include = column_list(relation, from["include"]);
    return index;
}

std::string bound_values(const Node& from) {
    std::string list;
    for (const Node& value : from.items) {
        std::string text = quoted_text(value["value"].text);
        if (!value["special"].text.empty()) text = upper_case(value["special"].text);
        list += (list.empty() ? "" : ", ") + text;
    }
    return "(" + list + ")";
}

std::string for_values(const Node& from) {
    if (from["default"].is_true()) return "DEFAULT";
    if (!from["in"].items.empty()) return "FOR VALUES IN " + bound_values(from["in"]);
    if (!from["from"].items.empty())
        return "FOR VALUES FROM " + bound_values(from["from"]) + " TO " + bound_values(from["to"]);
    return "FOR VALUES WITH (MODULUS " + from["modulus"].text + ", REMAINDER " + from["remainder"].text + ")";
}

void read_partitioning(RelationView& relation, const Node& from) {
    relation.partition_of = from["partition_of"].number();
    if (relation.partition_of != 0) relation.for_values = for_values(from["for_values"]);
    std::string parts;
    for (const Node& part : from["partition_by"]["parts"].items) {
        const std::string& expression = part["expression"].text;
        bool column = false;
        for (const ColumnView& known : relation.columns) column |= known.name == expression;
        const bool bare = !column && !is_in_parentheses(expression);
        parts += (parts.empty() ? "" : ", ") +
                 (column ? quoted_name(expression) : bare ? "(" + expression + ")" : expression);
    }
    if (!parts.empty()) relation.partition_by = upper_case(from["partition_by"]["strategy"].text) + " (" + parts + ")";
}

RelationView relation_view(const Node& from) {
    RelationView relation;
    relation.schema = from["schema"].text;
    relation.name = from["name"].text;
    relation.kind = from["kind"].text.empty() ? 'r' : from["kind"].text[0];
    relation.oid = from["oid"].number();
    relation.query = from["query"].text;
    relation.comment = from["comment"].text;
    for (const Node& column : from["columns"].items) {
        ColumnView view;
        view.name = column["name"].text;
        view.type = column["type"].text;
        view.default_text = column["default"].text;
        view.generated = column["generated"].text;
        view.identity = column["identity"].text;
        view.comment = column["comment"].text;
        view.not_null = column["not_null"].is_true();
        view.dropped = column["dropped"].is_true();
        view.hidden = column["hidden"].is_true();
        view.inherited = column["inherited"].is_true();
        view.implicit_document = column["implicit_document"].is_true();
        view.sequence = column["sequence"].number();
        view.storage = column["storage"].text;
        view.compression = column["compression"].text;
        relation.columns.push_back(std::move(view));
    }
    relation.of_type = from["of_type"].number();
    relation.unlogged = from["unlogged"].is_true();
    relation.valid_time = from["valid_time"].is_true();
    relation.period = from["period"].text;
    if (!relation.period.empty()) {
        const auto column = [&](const char* end) {
            const std::uint64_t place = from[end].number();
            return place < relation.columns.size() ? relation.columns[place].name : std::string();
        };
        relation.period_from = column("period_from");
        relation.period_to = column("period_to");
    }
    for (const Node& index : from["indexes"].items) relation.indexes.push_back(index_view(relation, index));
    for (const Node& check : from["checks"].items)
        relation.checks.push_back({check["name"].text, check["check"].text, check["comment"].text,
                                   check["no_inherit"].is_true(), check["not_valid"].is_true(),
                                   check["inherited"].is_true()});
    for (const auto& [name, value] : from["sequence"].members) relation.sequence[name] = value.text;
    for (const Node& parent : from["inherits"].items) relation.inherits.push_back(parent.number());
    for (const Node& base : from["depends_on"].items) relation.depends_on.push_back(base.number());
    read_partitioning(relation, from);
    relation.populated = !from["not_populated"].is_true();
    relation.history_retention = from["history_retention"].text;
    relation.check_option = static_cast<int>(from["check_option"].number());
    return relation;
}

/// "(a, b)"; of a foreign key with PERIOD the last columns are a period: "(a, PERIOD v)".
std::string key_columns(const RelationView& relation, const Node& places, bool period) {
    if (!period) return column_list(relation, places);
    std::string list;
    for (const Node& place : places.items) {
        const std::string name = column_name(relation, place);
        if (name == quoted_name(relation.period_to)) continue;
        const bool last = name == quoted_name(relation.period_from) || &place == &places.items.back();
        const std::string shown = name == quoted_name(relation.period_from) ? quoted_name(relation.period) : name;
        list += (list.empty() ? "" : ", ") + (last ? "PERIOD " + shown : shown);
    }
    return "(" + list + ")";
}

/// Foreign keys need the names of the other table, so they come when all tables are known.
void add_foreign_keys(RelationView& relation, const Node& from, const CatalogView& catalog) {
    for (const Node& key : from["foreign_keys"].items) {
        ForeignKeyView view;
        view.name = key["name"].text;
        view.comment = key["comment"].text;
        view.references = key["references"].number();
        view.partition = key["partition"].number();
        const bool period = key["period"].is_true();
        const RelationView* const other = catalog.find(view.references);
        const RelationView* const part = catalog.find(key["referenced_partition"].number());
        view.definition = "FOREIGN KEY " + key_columns(relation, key["columns"], period) + " REFERENCES " +
                          (other == nullptr ? "?"
                                            : (part == nullptr ? other : part)->full_name() +
                                                  key_columns(*other, key["referenced_columns"], period));
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

/// The topmost table's document holds the indexes and keys that only one of its partitions has.
void give_to_partitions(CatalogView& catalog) {
    const auto move = [&](RelationView& from, auto RelationView::* list) {
        auto& items = from.*list;
        for (auto& item : items)
            for (RelationView& relation : catalog.relations)
                if (item.partition != 0 && relation.oid == item.partition && relation.oid != from.oid)
                    (relation.*list).push_back(item);
        std::erase_if(items, [&](const auto& item) { return item.partition != 0 && item.partition != from.oid; });
    };
    for (RelationView& relation : catalog.relations) {
        if (relation.partition_by.empty() || relation.partition_of != 0) continue;
        move(relation, &RelationView::indexes);
        move(relation, &RelationView::foreign_keys);
    }
}

/// `base`: what a domain stands on, or the fields of a composite type, one a line.
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
        type.definition = "AS ENUM (" + type.definition + ")";
    } else if (type.kind == "composite") {
        std::size_t at = 0;
        for (const Node& field : from["fields"].items) {
            const std::size_t end = std::min(base.find('\n', at), base.size());
            type.uses.push_back(base.substr(at, end - at));
            type.definition += (type.definition.empty() ? "" : ", ") + quoted_name(field["name"].text) + " " +
                               type.uses.back();
            at = std::min(end + 1, base.size());
        }
        type.definition = "AS (" + type.definition + ")";
    } else if (type.kind == "domain") {
        type.uses.push_back(base);
        type.definition = "AS " + base;
        if (!from["default"].text.empty()) type.definition += " DEFAULT " + from["default"].text;
        if (from["not_null"].is_true()) type.definition += " NOT NULL";
        for (const Node& check : from["checks"].items)
            type.definition +=
                " CONSTRAINT " + quoted_name(check["name"].text) + " CHECK (" + check["check"].text + ")";
    }
    return type;
}

}  // namespace catalog_view_impl

std::string upper_case(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return text;
}

std::string quoted_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

namespace catalog_view_impl {

std::string full_name(const std::string& schema, const std::string& name) {
    const bool bare = schema == "public" || schema == "pg_temp";
    return (bare ? "" : quoted_name(schema) + ".") + quoted_name(name);
}

}  // namespace catalog_view_impl

std::string RelationView::full_name() const { return catalog_view_impl::full_name(schema, name); }
std::string TypeView::full_name() const { return catalog_view_impl::full_name(schema, name); }

bool RelationView::holds_documents() const {
    return std::any_of(columns.begin(), columns.end(),
                       [](const ColumnView& column) { return column.implicit_document; });
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
    const northstar::SqlResult schemas = connection.execute(
        "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND "
        "nspname NOT IN ('information_schema', 'sys') ORDER BY 1");
    for (const auto& row : schemas.rows) catalog.schemas.push_back({*row[0], row[1].value_or("")});
    const northstar::SqlResult extensions =
        connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1");
    for (const auto& row : extensions.rows) catalog.extensions.push_back(*row[0]);
    const northstar::SqlResult found = connection.execute(
        "SELECT key, document, CASE WHEN d->>'kind' = 'domain' THEN format_type(coalesce((d->>'parent_domain')::oid, "
        "(d->>'base_oid')::oid), (d->>'typmod')::integer) WHEN d->>'kind' = 'composite' THEN (SELECT "
        "string_agg(format_type(coalesce((f->>'domain')::oid, (f->>'type_oid')::oid), CASE WHEN f->>'domain' IS NULL "
        "THEN (f->>'typmod')::integer END), E'\\n' ORDER BY n) FROM jsonb_array_elements(d->'fields') WITH ORDINALITY "
        "AS fields (f, n)) END FROM (SELECT key, document, CASE WHEN key LIKE 'type/%' THEN document::jsonb END AS d "
        "FROM sys.schema) AS all_documents ORDER BY key");
    for (const auto& row : found.rows) {
        json::Reader reader(*row[1]);
        Node node = read_node(reader);
        if (row[0]->rfind("type/", 0) == 0) {
            catalog.types.push_back(type_view(node, row[2].value_or("")));
            const TypeView& type = catalog.types.back();
            if (type.kind == "domain") domains[std::to_string(type.oid)] = type.full_name();
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
    give_to_partitions(catalog);
    return catalog;
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
