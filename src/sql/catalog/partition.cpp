#include "sql/catalog/partition.hpp"

#include "sql/error.hpp"
#include "sql/syntax/parser.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace partition {

constexpr int k_most_levels = 200;

std::string literal(const Catalog& catalog, const PartitionKey::Part& part, const BoundValue& value) {
    // "character" without a length would be cut to one.
    const std::string type = part.type == type::bpchar ? "bpchar" : format_type(part.type, k_no_typmod, &catalog);
    return "CAST(" + quote_literal(value.text) + " AS " + type + ")";
}

/// The first `count` parts against the values, as rows where they are several.
std::string comparison(const Catalog& catalog, const PartitionKey& key, const std::vector<BoundValue>& values,
                       std::size_t count, const char* op) {
    std::string left, right;
    for (std::size_t i = 0; i < count; ++i) {
        left += (i == 0 ? "(" : ", (") + key.parts[i].text + ")";
        right += (i == 0 ? "" : ", ") + literal(catalog, key.parts[i], values[i]);
    }
    if (count > 1) return "ROW(" + left + ") " + op + " ROW(" + right + ")";
    return left + " " + op + " " + right;
}

/// One end of a range. MINVALUE and MAXVALUE stand for whatever the rest of a row holds.
std::string end_condition(const Catalog& catalog, const PartitionKey& key, const std::vector<BoundValue>& values,
                          bool lower) {
    const std::size_t count = std::min(values.size(), key.parts.size());
    std::size_t known = 0;
    while (known < count && values[known].kind == BoundValue::Kind::value) ++known;
    if (known == count) return comparison(catalog, key, values, known, lower ? ">=" : "<");
    const bool highest = values[known].kind == BoundValue::Kind::highest;
    if (known == 0) return lower == highest ? "false" : "";
    if (lower) return comparison(catalog, key, values, known, highest ? ">" : ">=");
    return comparison(catalog, key, values, known, highest ? "<=" : "<");
}

std::string range_condition(const Catalog& catalog, const PartitionKey& key, const PartitionBound& bound) {
    std::string text;
    for (const PartitionKey::Part& part : key.parts)
        text += (text.empty() ? "(" : " AND (") + part.text + ") IS NOT NULL";
    for (const bool lower : {true, false}) {
        const std::string end = end_condition(catalog, key, lower ? bound.from : bound.to, lower);
        if (!end.empty()) text += " AND " + end;
    }
    return text;
}

std::string list_condition(const Catalog& catalog, const PartitionKey& key, const PartitionBound& bound) {
    const std::string value = "(" + key.parts[0].text + ")";
    std::string items;
    bool null = false;
    for (const BoundValue& item : bound.values) {
        if (item.kind == BoundValue::Kind::null) null = true;
        else items += (items.empty() ? "" : ", ") + literal(catalog, key.parts[0], item);
    }
    if (items.empty()) return value + " IS NULL";
    const std::string listed = value + " IN (" + items + ")";
    return null ? value + " IS NULL OR " + listed : value + " IS NOT NULL AND " + listed;
}

std::string hash_condition(const Relation& parent, const PartitionBound& bound) {
    std::string text = "satisfies_hash_partition(" + std::to_string(parent.oid) + ", " +
                       std::to_string(bound.modulus) + ", " + std::to_string(bound.remainder);
    for (const PartitionKey::Part& part : parent.partition_key.parts) text += ", (" + part.text + ")";
    return text + ")";
}

/// The partition that the directory of the table finds for a row, as an expression of type oid.
std::string found_in_directory(const Relation& table) {
    std::string text = "northstar_partition(" + std::to_string(table.oid);
    for (const PartitionKey::Part& part : table.partition_key.parts) text += ", (" + part.text + ")";
    return text + ")";
}

std::string case_of_row(const Catalog& catalog, const Relation& table, OfRest rest, int depth) {
    const auto parts = partitions_of(catalog, table.oid);
    if (!table.is_partitioned() || parts.empty() || depth > k_most_levels)
        return "CAST(" + std::to_string(table.oid) + " AS oid)";
    const bool by_directory = rest == OfRest::by_directory;
    std::string text;
    for (const auto& part : parts)
        if (!by_directory || part->is_partitioned())
            text += " WHEN " +
                    (by_directory ? std::to_string(part->oid)
                                  : bound_condition(catalog, table, part->bound, part->oid, rest)) +
                    " THEN " + case_of_row(catalog, *part, rest, depth + 1);
    if (!by_directory) return "CASE" + text + " END";
    const std::string found = found_in_directory(table);
    return text.empty() ? found : "CASE " + found + text + " ELSE " + found + " END";
}

std::string value_text(const BoundValue& value, Oid type) {
    switch (value.kind) {
        case BoundValue::Kind::null: return "NULL";
        case BoundValue::Kind::lowest: return "MINVALUE";
        case BoundValue::Kind::highest: return "MAXVALUE";
        case BoundValue::Kind::value: break;
    }
    const bool plain = type == type::int2 || type == type::int4 || type == type::int8 || type == type::numeric;
    return plain ? value.text : quote_literal(value.text);
}

std::string values_text(const Relation& parent, const std::vector<BoundValue>& values, bool list) {
    std::string text = "(";
    for (std::size_t i = 0; i < values.size(); ++i)
        text += (i == 0 ? "" : ", ") + value_text(values[i], parent.partition_key.parts[list ? 0 : i].type);
    return text + ")";
}

}  // namespace partition

std::shared_ptr<const Relation> partition_root(const Catalog& catalog, const Relation& relation) {
    auto at = catalog.relation(relation.oid);
    for (int level = 0; at != nullptr && at->is_partition() && level < partition::k_most_levels; ++level)
        at = catalog.relation(at->partition_of);
    if (at == nullptr || at->is_partition())
        raise(sqlstate::data_corrupted, "partition \"" + relation.name + "\" belongs to no table");
    return at;
}

std::vector<std::shared_ptr<const Relation>> partitions_of(const Catalog& catalog, Oid table) {
    std::vector<std::shared_ptr<const Relation>> found = catalog.parts_of(table);
    std::stable_partition(found.begin(), found.end(), [](const auto& part) { return !part->bound.rest; });
    return found;
}

std::vector<std::shared_ptr<const Relation>> all_partitions_of(const Catalog& catalog, Oid table) {
    std::vector<std::shared_ptr<const Relation>> found = partitions_of(catalog, table);
    for (std::size_t i = 0; i < found.size() && found.size() <= catalog.relations().size(); ++i)
        for (auto& part : partitions_of(catalog, found[i]->oid)) found.push_back(std::move(part));
    return found;
}

bool is_within_partition(const Catalog& catalog, const Relation& relation, Oid partition) {
    auto at = catalog.relation(relation.oid);
    for (int level = 0; at != nullptr && level < partition::k_most_levels; ++level) {
        if (at->oid == partition) return true;
        at = at->is_partition() ? catalog.relation(at->partition_of) : nullptr;
    }
    return false;
}

std::string bound_condition(const Catalog& catalog, const Relation& parent, const PartitionBound& bound,
                            Oid partition, OfRest rest) {
    const PartitionKey& key = parent.partition_key;
    if (key.strategy == PartitionStrategy::hash) return partition::hash_condition(parent, bound);
    if (!bound.rest)
        return key.strategy == PartitionStrategy::list ? partition::list_condition(catalog, key, bound)
                                                       : partition::range_condition(catalog, key, bound);
    if (rest == OfRest::by_directory) {
        const std::string found = partition::found_in_directory(parent);
        if (catalog.directory_of(parent)->rest() != partition) return found + " IS NULL";  // it is yet to be attached
        return found + " = CAST(" + std::to_string(partition) + " AS oid)";
    }
    std::string text;
    for (const auto& sibling : partitions_of(catalog, parent.oid))
        if (sibling->oid != partition && !sibling->bound.rest)
            text += (text.empty() ? "((" : " AND ((") +
                    bound_condition(catalog, parent, sibling->bound, sibling->oid, rest) + ") IS NOT TRUE)";
    return text.empty() ? "true" : text;
}

std::string partition_condition(const Catalog& catalog, const Relation& relation, OfRest rest) {
    std::string text;
    auto at = catalog.relation(relation.oid);
    for (int level = 0; at != nullptr && at->is_partition() && level < partition::k_most_levels; ++level) {
        const auto parent = catalog.relation(at->partition_of);
        if (parent == nullptr) break;
        const std::string own = bound_condition(catalog, *parent, at->bound, at->oid, rest);
        text = "(" + own + ")" + (text.empty() ? "" : " AND ") + text;
        at = parent;
    }
    return text.empty() ? "true" : text;
}

const Index* index_with_entries(const Catalog& catalog, const Relation& owner, const Index& index) {
    if (index.whole == 0) return &index;
    const auto find = [&](const Relation& relation) -> const Index* {
        for (const Index& other : relation.indexes)
            if (other.oid == index.whole) return &other;
        return nullptr;
    };
    const auto above = catalog.relation(owner.partition_of);
    if (above == nullptr) return nullptr;
    if (const Index* const whole = find(*above)) return index_with_entries(catalog, *above, *whole);
    return find(*partition_root(catalog, owner));  // one that the table above has alone
}

Index over_partition(const Relation& root, const Relation& partition, Index index) {
    const auto own_place = [&](int place) {
        return partition.find_column(root.columns[static_cast<std::size_t>(place)].name);
    };
    for (IndexColumn& column : index.columns)
        if (column.column >= 0) column.column = own_place(column.column);
    for (int& column : index.include) column = own_place(column);
    return index;
}

std::vector<ListedIndex> listed_indexes(const Catalog& catalog, const std::shared_ptr<const Relation>& relation) {
    std::vector<ListedIndex> listed;
    for (const Index& index : relation->indexes) {
        const auto partition = index.partition == 0 ? nullptr : catalog.relation(index.partition);
        if (partition == nullptr) listed.push_back({relation, index});
        else listed.push_back({partition, over_partition(*relation, *partition, index)});
    }
    return listed;
}

std::string index_condition(const Catalog& catalog, const Index& index) {
    if (index.partition == 0) return index.predicate;
    const auto part = catalog.relation(index.partition);
    if (part == nullptr) raise(sqlstate::data_corrupted, "index \"" + index.name + "\" is over no partition");
    const std::string own = partition_condition(catalog, *part, OfRest::by_directory);
    return index.predicate.empty() ? own : own + " AND (" + index.predicate + ")";
}

std::string partition_of_row(const Catalog& catalog, const Relation& table, OfRest rest) {
    return "CAST(" + partition::case_of_row(catalog, table, rest, 0) + " AS oid)";
}

std::string bound_text(const Relation& parent, const PartitionBound& bound) {
    if (bound.rest) return "DEFAULT";
    if (parent.partition_key.strategy == PartitionStrategy::hash)
        return "FOR VALUES WITH (modulus " + std::to_string(bound.modulus) + ", remainder " +
               std::to_string(bound.remainder) + ")";
    if (parent.partition_key.strategy == PartitionStrategy::list)
        return "FOR VALUES IN " + partition::values_text(parent, bound.values, true);
    return "FOR VALUES FROM " + partition::values_text(parent, bound.from, false) + " TO " +
           partition::values_text(parent, bound.to, false);
}

std::string partition_key_text(const Relation& table) {
    const PartitionStrategy strategy = table.partition_key.strategy;
    std::string text = strategy == PartitionStrategy::list ? "LIST (" : strategy == PartitionStrategy::hash ? "HASH ("
                                                                                                            : "RANGE (";
    for (std::size_t i = 0; i < table.partition_key.parts.size(); ++i)
        text += (i == 0 ? "" : ", ") + table.partition_key.parts[i].text;
    return text + ")";
}

std::vector<int> places_in_root(const Relation& root, const Relation& partition) {
    std::vector<int> places;
    for (const Column& column : partition.columns)
        if (!column.dropped) places.push_back(root.find_column(column.name));
    return places;
}

}  // namespace northstar::inline v0::sql
