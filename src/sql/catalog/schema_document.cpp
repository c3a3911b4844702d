// The documents of the catalog: relations and types to JSON and back.
#include "sql/catalog/catalog.hpp"
#include "sql/error.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::sql {

namespace schema_document {

constexpr std::string_view k_actions[] = {"no action", "restrict", "cascade", "set null", "set default"};

ForeignAction action_from(const std::string& text) {
    for (std::size_t i = 0; i < std::size(k_actions); ++i)
        if (k_actions[i] == text) return static_cast<ForeignAction>(i);
    return ForeignAction::no_action;
}

Document numbers(const std::vector<int>& values) {
    Document array = Document::array();
    for (const int value : values) array.push(Document::integer(value));
    return array;
}

std::vector<int> numbers_from(const Document& array) {
    std::vector<int> values;
    for (const Document& item : array.items()) values.push_back(static_cast<int>(item.as_integer()));
    return values;
}

Document column_document(const Column& column, const Catalog& catalog) {
    Document out = Document::object();
    out.set("name", Document::string(column.name));
    if (!column.dropped) out.set("type", Document::string(format_type(column.type, column.typmod, &catalog)));
    out.set("type_oid", Document::integer(column.type));
    if (column.typmod != k_no_typmod) out.set("typmod", Document::integer(column.typmod));
    if (column.domain != 0) out.set("domain", Document::integer(column.domain));
    out.set_flag("not_null", column.not_null);
    out.set_flag("dropped", column.dropped);
    out.set_text("default", column.default_text);
    out.set_text("generated", column.generated_text);
    if (column.identity != 0) out.set("identity", Document::string(column.identity == 'a' ? "always" : "by default"));
    if (column.sequence != 0) out.set("sequence", Document::integer(column.sequence));
    if (column.missing) out.set("value_in_older_rows", Document::string(*column.missing));
    if (column.storage != 0) out.set("storage", Document::string(std::string_view(&column.storage, 1)));
    if (column.compression != 0) out.set("compression", Document::string(std::string_view(&column.compression, 1)));
    out.set_flag("inherited", column.inherited);
    out.set_flag("hidden", column.hidden);
    out.set_flag("implicit_document", column.implicit_document);
    out.set_text("comment", column.comment);
    return out;
}

Column column_from(const Document& in) {
    Column column;
    column.name = in["name"].as_string();
    column.type = static_cast<Oid>(in["type_oid"].as_integer());
    column.typmod = static_cast<std::int32_t>(in["typmod"].as_integer(k_no_typmod));
    column.domain = static_cast<Oid>(in["domain"].as_integer());
    column.not_null = in["not_null"].as_boolean();
    column.dropped = in["dropped"].as_boolean();
    column.default_text = in["default"].as_string();
    column.generated_text = in["generated"].as_string();
    const std::string& identity = in["identity"].as_string();
    column.identity = identity.empty() ? '\0' : identity == "always" ? 'a' : 'd';
    column.sequence = static_cast<Oid>(in["sequence"].as_integer());
    if (in.has("value_in_older_rows")) column.missing = in["value_in_older_rows"].as_string();
    const std::string& storage = in["storage"].as_string();
    column.storage = storage.empty() ? '\0' : storage[0];
    const std::string& compression = in["compression"].as_string();
    column.compression = compression.empty() ? '\0' : compression[0];
    column.inherited = in["inherited"].as_boolean();
    column.hidden = in["hidden"].as_boolean();
    column.implicit_document = in["implicit_document"].as_boolean();
    column.comment = in["comment"].as_string();
    return column;
}

constexpr std::pair<ConstraintRole, const char*> k_roles[] = {{ConstraintRole::unique, "unique"},
                                                              {ConstraintRole::primary_key, "primary key"},
                                                              {ConstraintRole::exclusion, "exclusion"}};

const char* role_name(ConstraintRole role) {
    for (const auto& [known, name] : k_roles)
        if (known == role) return name;
    return "";
}
ConstraintRole role_named(const std::string& wanted) {
    for (const auto& [role, name] : k_roles)
        if (name == wanted) return role;
    return ConstraintRole::none;
}

Document index_document(const Index& index) {
    Document out = Document::object();
    out.set("name", Document::string(index.name));
    out.set("oid", Document::integer(index.oid));
    if (index.role != ConstraintRole::none) out.set("constraint", Document::string(role_name(index.role)));
    out.set_flag("unique", index.unique);
    out.set_flag("nulls_not_distinct", index.nulls_not_distinct);
    out.set_flag("deferrable", index.deferrable);
    out.set_flag("initially_deferred", index.initially_deferred);
    out.set_flag("without_overlaps", index.without_overlaps);
    out.set_text("method", index.method);
    Document columns = Document::array();
    for (const IndexColumn& column : index.columns) {
        Document item = Document::object();
        if (column.column >= 0) item.set("column", Document::integer(column.column));
        else item.set("expression", Document::string(column.text));
        item.set_flag("descending", column.order.descending);
        item.set_flag("nulls_first", column.order.nulls_first);
        item.set_text("operator", column.operation);
        columns.push(std::move(item));
    }
    out.set("columns", std::move(columns));
    if (!index.include.empty()) out.set("include", numbers(index.include));
    out.set_text("where", index.predicate);
    if (index.partition != 0) out.set("partition", Document::integer(index.partition));
    if (index.whole != 0) out.set("part_of", Document::integer(index.whole));
    out.set_text("comment", index.comment);
    out.set_text("constraint_comment", index.constraint_comment);
    return out;
}

Index index_from(const Document& in) {
    Index index;
    index.name = in["name"].as_string();
    index.oid = static_cast<Oid>(in["oid"].as_integer());
    index.role = role_named(in["constraint"].as_string());
    index.unique = in["unique"].as_boolean();
    index.nulls_not_distinct = in["nulls_not_distinct"].as_boolean();
    index.deferrable = in["deferrable"].as_boolean();
    index.initially_deferred = in["initially_deferred"].as_boolean();
    index.without_overlaps = in["without_overlaps"].as_boolean();
    index.method = in["method"].as_string();
    for (const Document& item : in["columns"].items()) {
        IndexColumn column;
        column.column = static_cast<int>(item["column"].as_integer(-1));
        column.text = item["expression"].as_string();
        column.order.descending = item["descending"].as_boolean();
        column.order.nulls_first = item["nulls_first"].as_boolean();
        column.operation = item["operator"].as_string();
        index.columns.push_back(std::move(column));
    }
    index.include = numbers_from(in["include"]);
    index.predicate = in["where"].as_string();
    index.partition = static_cast<Oid>(in["partition"].as_integer());
    index.whole = static_cast<Oid>(in["part_of"].as_integer());
    index.comment = in["comment"].as_string();
    index.constraint_comment = in["constraint_comment"].as_string();
    return index;
}

Document check_document(const CheckConstraint& check) {
    Document out = Document::object();
    out.set("name", Document::string(check.name));
    out.set("check", Document::string(check.text));
    out.set_flag("not_valid", !check.validated);
    out.set_flag("no_inherit", check.no_inherit);
    out.set_text("comment", check.comment);
    out.set_flag("inherited", check.inherited);
    return out;
}

CheckConstraint check_from(const Document& in) {
    return {in["name"].as_string(), in["check"].as_string(), !in["not_valid"].as_boolean(),
            in["no_inherit"].as_boolean(), in["comment"].as_string(), in["inherited"].as_boolean()};
}

Document foreign_document(const ForeignKey& foreign) {
    Document out = Document::object();
    out.set("name", Document::string(foreign.name));
    out.set("columns", numbers(foreign.columns));
    out.set("references", Document::integer(foreign.table));
    out.set("referenced_columns", numbers(foreign.referenced));
    out.set_flag("match_full", foreign.match_full);
    out.set("on_delete", Document::string(k_actions[static_cast<int>(foreign.on_delete)]));
    out.set("on_update", Document::string(k_actions[static_cast<int>(foreign.on_update)]));
    if (!foreign.set_columns.empty()) out.set("set_columns", numbers(foreign.set_columns));
    out.set_flag("deferrable", foreign.deferrable);
    out.set_flag("initially_deferred", foreign.initially_deferred);
    out.set_flag("not_valid", !foreign.validated);
    out.set_flag("period", foreign.period);
    if (foreign.partition != 0) out.set("partition", Document::integer(foreign.partition));
    if (foreign.referenced_partition != 0)
        out.set("referenced_partition", Document::integer(foreign.referenced_partition));
    out.set_text("comment", foreign.comment);
    return out;
}

ForeignKey foreign_from(const Document& in) {
    ForeignKey foreign;
    foreign.name = in["name"].as_string();
    foreign.columns = numbers_from(in["columns"]);
    foreign.table = static_cast<Oid>(in["references"].as_integer());
    foreign.referenced = numbers_from(in["referenced_columns"]);
    foreign.match_full = in["match_full"].as_boolean();
    foreign.on_delete = action_from(in["on_delete"].as_string());
    foreign.on_update = action_from(in["on_update"].as_string());
    foreign.set_columns = numbers_from(in["set_columns"]);
    foreign.deferrable = in["deferrable"].as_boolean();
    foreign.initially_deferred = in["initially_deferred"].as_boolean();
    foreign.validated = !in["not_valid"].as_boolean();
    foreign.period = in["period"].as_boolean();
    foreign.partition = static_cast<Oid>(in["partition"].as_integer());
    foreign.referenced_partition = static_cast<Oid>(in["referenced_partition"].as_integer());
    foreign.comment = in["comment"].as_string();
    return foreign;
}

Document bound_values_document(const std::vector<BoundValue>& values) {
    Document array = Document::array();
    for (const BoundValue& value : values) {
        Document item = Document::object();
        if (value.kind == BoundValue::Kind::value) item.set("value", Document::string(value.text));
        else
            item.set("special", Document::string(value.kind == BoundValue::Kind::null     ? "null"
                                                 : value.kind == BoundValue::Kind::lowest ? "minvalue"
                                                                                          : "maxvalue"));
        array.push(std::move(item));
    }
    return array;
}

std::vector<BoundValue> bound_values_from(const Document& array) {
    std::vector<BoundValue> values;
    for (const Document& item : array.items()) {
        BoundValue value;
        value.text = item["value"].as_string();
        const std::string& special = item["special"].as_string();
        if (special == "null") value.kind = BoundValue::Kind::null;
        else if (special == "minvalue") value.kind = BoundValue::Kind::lowest;
        else if (special == "maxvalue") value.kind = BoundValue::Kind::highest;
        values.push_back(std::move(value));
    }
    return values;
}

void partition_document(const Relation& relation, Document& out) {
    if (relation.is_partitioned()) {
        Document key = Document::object();
        const PartitionStrategy strategy = relation.partition_key.strategy;
        key.set("strategy", Document::string(strategy == PartitionStrategy::list   ? "list"
                                             : strategy == PartitionStrategy::hash ? "hash"
                                                                                   : "range"));
        Document parts = Document::array();
        for (const PartitionKey::Part& part : relation.partition_key.parts) {
            Document item = Document::object();
            item.set("expression", Document::string(part.text));
            item.set("type_oid", Document::integer(part.type));
            parts.push(std::move(item));
        }
        key.set("parts", std::move(parts));
        out.set("partition_by", std::move(key));
    }
    if (!relation.is_partition()) return;
    out.set("partition_of", Document::integer(relation.partition_of));
    Document bound = Document::object();
    bound.set_flag("default", relation.bound.rest);
    if (!relation.bound.values.empty()) bound.set("in", bound_values_document(relation.bound.values));
    if (!relation.bound.from.empty()) {
        bound.set("from", bound_values_document(relation.bound.from));
        bound.set("to", bound_values_document(relation.bound.to));
    }
    if (relation.bound.modulus > 0) {
        bound.set("modulus", Document::integer(relation.bound.modulus));
        bound.set("remainder", Document::integer(relation.bound.remainder));
    }
    out.set("for_values", std::move(bound));
}

void partition_from(const Document& in, Relation& relation) {
    const Document& key = in["partition_by"];
    const std::string& strategy = key["strategy"].as_string();
    if (!strategy.empty()) {
        if (strategy != "list" && strategy != "range" && strategy != "hash")
            raise(sqlstate::data_corrupted, "the catalog holds a table divided in an unknown way");
        relation.partition_key.strategy = strategy == "list"   ? PartitionStrategy::list
                                          : strategy == "hash" ? PartitionStrategy::hash
                                                               : PartitionStrategy::range;
        for (const Document& item : key["parts"].items())
            relation.partition_key.parts.push_back(
                {item["expression"].as_string(), static_cast<Oid>(item["type_oid"].as_integer())});
    }
    relation.partition_of = static_cast<Oid>(in["partition_of"].as_integer());
    if (relation.partition_of == relation.oid) relation.partition_of = 0;
    const Document& bound = in["for_values"];
    relation.bound.rest = bound["default"].as_boolean();
    relation.bound.values = bound_values_from(bound["in"]);
    relation.bound.from = bound_values_from(bound["from"]);
    relation.bound.to = bound_values_from(bound["to"]);
    relation.bound.modulus = static_cast<int>(bound["modulus"].as_integer());
    relation.bound.remainder = static_cast<int>(bound["remainder"].as_integer());
}

Document sequence_document(const SequenceOptions& sequence) {
    Document out = Document::object();
    out.set("type_oid", Document::integer(sequence.type));
    out.set("start", Document::integer(sequence.start));
    out.set("increment", Document::integer(sequence.increment));
    out.set("minimum", Document::integer(sequence.minimum));
    out.set("maximum", Document::integer(sequence.maximum));
    out.set("cache", Document::integer(sequence.cache));
    out.set_flag("cycle", sequence.cycle);
    if (sequence.owner_table != 0) {
        out.set("owner_table", Document::integer(sequence.owner_table));
        out.set("owner_column", Document::integer(sequence.owner_column));
    }
    out.set_flag("identity", sequence.identity);
    return out;
}

SequenceOptions sequence_from(const Document& in) {
    SequenceOptions sequence;
    sequence.type = static_cast<Oid>(in["type_oid"].as_integer(type::int8));
    sequence.start = in["start"].as_integer(1);
    sequence.increment = in["increment"].as_integer(1);
    sequence.minimum = in["minimum"].as_integer(1);
    sequence.maximum = in["maximum"].as_integer(INT64_MAX);
    sequence.cache = in["cache"].as_integer(1);
    sequence.cycle = in["cycle"].as_boolean();
    sequence.owner_table = static_cast<Oid>(in["owner_table"].as_integer());
    sequence.owner_column = static_cast<int>(in["owner_column"].as_integer(-1));
    sequence.identity = in["identity"].as_boolean();
    return sequence;
}

// Shares are kept in millionths: the documents have integers only.
Document millionths(double share) { return Document::integer(std::llround(share * 1e6)); }
double share_from(const Document& in) { return static_cast<double>(in.as_integer()) / 1e6; }

Document statistics_document(const TableStatistics& statistics) {
    Document out = Document::object();
    out.set("rows", Document::integer(std::llround(statistics.rows)));
    Document columns = Document::array();
    for (const auto& [place, column] : statistics.columns) {
        Document item = Document::object();
        item.set("column", Document::integer(place));
        item.set("null_millionths", millionths(column.null_share));
        item.set("width", Document::integer(column.width));
        if (column.distinct < 0) item.set("distinct_millionths", millionths(-column.distinct));
        else item.set("distinct", Document::integer(std::llround(column.distinct)));
        if (!column.common.empty()) {
            Document common = Document::array();
            for (const ColumnStatistics::Common& value : column.common) {
                Document entry = Document::object();
                entry.set("value", Document::string(value.text));
                entry.set("millionths", millionths(value.share));
                common.push(std::move(entry));
            }
            item.set("common", std::move(common));
        }
        if (!column.bounds.empty()) {
            Document bounds = Document::array();
            for (const ColumnStatistics::Bound& bound : column.bounds) bounds.push(Document::string(bound.text));
            item.set("bounds", std::move(bounds));
        }
        if (column.correlation) item.set("correlation_millionths", millionths(*column.correlation));
        columns.push(std::move(item));
    }
    out.set("columns", std::move(columns));
    return out;
}

std::shared_ptr<const TableStatistics> statistics_from(const Document& in, const Relation& relation) {
    if (in.is_null()) return nullptr;
    auto statistics = std::make_shared<TableStatistics>();
    statistics->rows = static_cast<double>(in["rows"].as_integer());
    for (const Document& item : in["columns"].items()) {
        const std::int64_t place = item["column"].as_integer(-1);
        if (place < 0 || place >= static_cast<std::int64_t>(relation.columns.size()))
            raise(sqlstate::data_corrupted, "the catalog holds statistics of a column that is not there");
        ColumnStatistics& column = statistics->columns[static_cast<int>(place)];
        column.null_share = share_from(item["null_millionths"]);
        column.width = static_cast<std::int32_t>(item["width"].as_integer());
        column.distinct = item.has("distinct_millionths") ? -share_from(item["distinct_millionths"])
                                                          : static_cast<double>(item["distinct"].as_integer());
        for (const Document& entry : item["common"].items())
            column.common.push_back({entry["value"].as_string(), share_from(entry["millionths"]), {}});
        for (const Document& bound : item["bounds"].items()) column.bounds.push_back({bound.as_string(), {}});
        if (item.has("correlation_millionths")) column.correlation = share_from(item["correlation_millionths"]);
    }
    return statistics;
}

}  // namespace schema_document

std::string Catalog::key_of(const Relation& relation) { return "relation/" + relation.schema + "." + relation.name; }
std::string Catalog::key_of(const UserType& type) { return "type/" + type.schema + "." + type.name; }

Document Catalog::to_document(const Relation& relation, const Catalog& catalog) {
    using namespace schema_document;
    Document out = Document::object();
    out.set("name", Document::string(relation.name));
    out.set("schema", Document::string(relation.schema));
    out.set("kind", Document::string(std::string_view(reinterpret_cast<const char*>(&relation.kind), 1)));
    out.set("oid", Document::integer(relation.oid));
    if (relation.row_type != 0) out.set("row_type_oid", Document::integer(relation.row_type));
    out.set_flag("temporary", relation.temporary);
    out.set_flag("unlogged", relation.unlogged);
    if (relation.of_type != 0) out.set("of_type", Document::integer(relation.of_type));
    Document columns = Document::array();
    for (const Column& column : relation.columns) columns.push(column_document(column, catalog));
    out.set("columns", std::move(columns));
    const auto list = [&](std::string_view name, const auto& items, auto&& convert) {
        if (items.empty()) return;
        Document array = Document::array();
        for (const auto& item : items) array.push(convert(item));
        out.set(name, std::move(array));
    };
    list("indexes", relation.indexes, index_document);
    list("checks", relation.checks, check_document);
    list("foreign_keys", relation.foreign_keys, foreign_document);
    out.set_text("query", relation.query);
    if (relation.check_option != 0) out.set("check_option", Document::integer(relation.check_option));
    out.set_flag("not_populated", !relation.populated);
    if (relation.kind == RelationKind::sequence) out.set("sequence", sequence_document(relation.sequence));
    if (relation.on_commit != 'p') out.set("on_commit", Document::string(std::string_view(&relation.on_commit, 1)));
    out.set_flag("unchecked", relation.unchecked);
    out.set_flag("valid_time", relation.hidden_valid_time);
    if (relation.period_from >= 0) {
        out.set_text("period", relation.period_name);
        out.set("period_from", Document::integer(relation.period_from));
        out.set("period_to", Document::integer(relation.period_to));
    }
    out.set_text("history_retention", relation.history_retention);
    list("depends_on", relation.depends, [](Oid oid) { return Document::integer(oid); });
    list("names", relation.names, [](const NamedRelation& named) {
        Document item = Document::object();
        item.set("oid", Document::integer(named.oid));
        item.set_text("schema", named.schema);
        item.set_text("name", named.name);
        Document names = Document::array();
        for (const std::string& column : named.columns) names.push(Document::string(column));
        item.set("columns", std::move(names));
        return item;
    });
    list("inherits", relation.inherits, [](Oid oid) { return Document::integer(oid); });
    partition_document(relation, out);
    if (relation.statistics != nullptr) out.set("statistics", statistics_document(*relation.statistics));
    out.set_text("comment", relation.comment);
    return out;
}

std::shared_ptr<Relation> Catalog::relation_from(const Document& in) {
    using namespace schema_document;
    auto relation = std::make_shared<Relation>();
    relation->name = in["name"].as_string();
    relation->schema = in["schema"].as_string();
    const std::string& kind = in["kind"].as_string();
    if (kind.size() != 1 || std::string_view("rvmS").find(kind[0]) == std::string_view::npos)
        raise(sqlstate::data_corrupted, "the catalog holds a relation of unknown kind");
    relation->kind = static_cast<RelationKind>(kind[0]);
    relation->oid = static_cast<Oid>(in["oid"].as_integer());
    relation->row_type = static_cast<Oid>(in["row_type_oid"].as_integer());
    relation->temporary = in["temporary"].as_boolean();
    relation->unlogged = in["unlogged"].as_boolean();
    relation->of_type = static_cast<Oid>(in["of_type"].as_integer());
    const std::vector<Document>& columns = in["columns"].items();
    relation->columns.reserve(columns.size());
    for (const Document& item : columns) relation->columns.push_back(column_from(item));
    for (const Document& item : in["indexes"].items()) relation->indexes.push_back(index_from(item));
    for (const Document& item : in["checks"].items()) relation->checks.push_back(check_from(item));
    for (const Document& item : in["foreign_keys"].items()) relation->foreign_keys.push_back(foreign_from(item));
    relation->query = in["query"].as_string();
    relation->check_option = static_cast<int>(in["check_option"].as_integer());
    relation->populated = !in["not_populated"].as_boolean();
    relation->sequence = sequence_from(in["sequence"]);
    const std::string& on_commit = in["on_commit"].as_string();
    relation->on_commit = on_commit.empty() ? 'p' : on_commit[0];
    relation->unchecked = in["unchecked"].as_boolean();
    relation->hidden_valid_time = in["valid_time"].as_boolean();
    relation->period_name = in["period"].as_string();
    const auto places = static_cast<std::int64_t>(relation->columns.size());
    const auto place = [&](std::string_view name) {
        const std::int64_t stored = in[name].as_integer(-1);
        return static_cast<int>(stored < places ? std::max<std::int64_t>(stored, -1) : -1);
    };
    relation->period_from = place("period_from");
    relation->period_to = place("period_to");
    if (relation->period_to < 0) relation->period_from = -1;
    relation->history_retention = in["history_retention"].as_string();
    for (const Index& index : relation->indexes) {
        if (!index.without_overlaps) continue;
        const int last = index.columns.empty() ? -1 : index.columns.back().column;
        const bool known = last >= 0 && last < static_cast<int>(relation->columns.size());
        const TypeInfo* type =
            known ? find_builtin_type(relation->columns[static_cast<std::size_t>(last)].type) : nullptr;
        const bool range = type != nullptr && type->form == Form::range;
        if (!known || (!range && (relation->period_from < 0 || last != relation->period_from)))
            raise(sqlstate::data_corrupted, "the catalog holds a key WITHOUT OVERLAPS of no period");
    }
    for (const Document& item : in["depends_on"].items())
        relation->depends.push_back(static_cast<Oid>(item.as_integer()));
    for (const Document& item : in["names"].items()) {
        NamedRelation& named = relation->names.emplace_back();
        named.oid = static_cast<Oid>(item["oid"].as_integer());
        named.schema = item["schema"].as_string();
        named.name = item["name"].as_string();
        for (const Document& column : item["columns"].items()) named.columns.push_back(column.as_string());
    }
    for (const Document& item : in["inherits"].items())
        relation->inherits.push_back(static_cast<Oid>(item.as_integer()));
    partition_from(in, *relation);
    relation->statistics = statistics_from(in["statistics"], *relation);
    relation->comment = in["comment"].as_string();
    return relation;
}

Document Catalog::to_document(const UserType& type) {
    Document out = Document::object();
    out.set("name", Document::string(type.name));
    out.set("schema", Document::string(type.schema));
    out.set("kind", Document::string(type.kind == 'e' ? "enum" : type.kind == 'c' ? "composite" : "domain"));
    out.set("oid", Document::integer(type.oid));
    out.set("array_oid", Document::integer(type.array));
    if (type.kind == 'e') {
        Document labels = Document::array();
        for (const auto& [label, number] : type.labels) {
            Document item = Document::object();
            item.set("label", Document::string(label));
            item.set("number", Document::integer(number));
            labels.push(std::move(item));
        }
        out.set("labels", std::move(labels));
    } else if (type.kind == 'c') {
        Document fields = Document::array();
        for (const TypeField& field : type.fields) {
            Document item = Document::object();
            item.set("name", Document::string(field.name));
            item.set("type_oid", Document::integer(field.type));
            if (field.typmod != k_no_typmod) item.set("typmod", Document::integer(field.typmod));
            if (field.domain != 0) item.set("domain", Document::integer(field.domain));
            fields.push(std::move(item));
        }
        out.set("fields", std::move(fields));
    } else {
        out.set("base_oid", Document::integer(type.base));
        if (type.parent != 0) out.set("parent_domain", Document::integer(type.parent));
        if (type.typmod != k_no_typmod) out.set("typmod", Document::integer(type.typmod));
        out.set_flag("not_null", type.not_null);
        out.set_text("default", type.default_text);
        Document checks = Document::array();
        for (const CheckConstraint& check : type.checks) checks.push(schema_document::check_document(check));
        out.set("checks", std::move(checks));
    }
    out.set_text("comment", type.comment);
    return out;
}

std::shared_ptr<UserType> Catalog::type_from(const Document& in) {
    auto type = std::make_shared<UserType>();
    type->name = in["name"].as_string();
    type->schema = in["schema"].as_string();
    const std::string& kind = in["kind"].as_string();
    type->kind = kind == "domain" ? 'd' : kind == "composite" ? 'c' : 'e';
    type->oid = static_cast<Oid>(in["oid"].as_integer());
    type->array = static_cast<Oid>(in["array_oid"].as_integer());
    for (const Document& item : in["labels"].items())
        type->labels.emplace_back(item["label"].as_string(), item["number"].as_integer());
    for (const Document& item : in["fields"].items()) {
        type->fields.push_back({item["name"].as_string(), static_cast<Oid>(item["type_oid"].as_integer()),
                                static_cast<std::int32_t>(item["typmod"].as_integer(k_no_typmod)),
                                static_cast<Oid>(item["domain"].as_integer())});
    }
    type->parent = static_cast<Oid>(in["parent_domain"].as_integer());
    type->base = static_cast<Oid>(in["base_oid"].as_integer());
    type->typmod = static_cast<std::int32_t>(in["typmod"].as_integer(k_no_typmod));
    type->not_null = in["not_null"].as_boolean();
    type->default_text = in["default"].as_string();
    for (const Document& item : in["checks"].items()) type->checks.push_back(schema_document::check_from(item));
    type->comment = in["comment"].as_string();
    return type;
}

}  // namespace northstar::inline v0::sql
