#include "sql/execute/table_writer.hpp"

#include "sql/catalog/definition_marks.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/catalog/period.hpp"
#include "sql/compare.hpp"
#include "sql/execute/index_of_row.hpp"
#include "sql/key_encoding.hpp"
#include "sql/plan/walk.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

namespace northstar::inline v0::sql {

std::string describe_key(const Relation& relation, const std::vector<int>& columns, const Value* row,
                         Session& session) {
    std::string names = "(", values = "(";
    for (const int column : columns) {
        if (names.size() > 1) {
            names += ", ";
            values += ", ";
        }
        names += relation.columns[static_cast<std::size_t>(column)].name;
        const Value& value = row[column];
        values += value.is_null() ? "null" : value_to_text(value, session);
    }
    return names + ")=" + values + ")";
}

TableWriter::TableWriter(std::shared_ptr<const Relation> relation, Execution& execution, WriteAccess& access)
    : relation_(std::move(relation)), execution_(execution), access_(access),
      rows_(access.writable(relation_->tree(), relation_->temporary)), primary_(relation_->row_key()),
      transaction_(access.transaction_number()) {
    for (std::size_t i = 0; i < relation_->indexes.size(); ++i) {
        if (static_cast<int>(i) == primary_) continue;
        const Index& index = relation_->indexes[i];
        IndexAccess entry{
            &index, access.writable(relation_->index_tree(index), relation_->temporary), {}, nullptr, {}, {}};
        bool expressions = index.partial() || index.role == ConstraintRole::exclusion;
        for (const IndexColumn& column : index.columns) expressions |= column.column < 0;
        if (expressions) {
            if (binder_ == nullptr) {
                binder_ = std::make_unique<Binder>(access.bind_environment(), pool_, no_parameters_);
                for (std::size_t c = 0; c < relation_->columns.size(); ++c) {
                    columns_.push_back(0x40000000u + static_cast<ColumnId>(relation_->oid % 100000) * 1700 +
                                       static_cast<ColumnId>(c));
                    cells_.push_back(&execution.cell(columns_.back()));
                }
            }
            for (const IndexColumn& column : index.columns) {
                entry.expressions.emplace_back();
                if (column.column >= 0) continue;
                BoundExpr* bound = binder_->bind_text(column.text, *relation_, columns_, "index expressions");
                entry.expressions.back() = evaluator(bound, entry.read);
            }
            if (index.partial()) {
                const std::string holds = index_condition(*access.bind_environment().present().catalog, index);
                BoundExpr* bound = binder_->condition(
                    binder_->bind_text(holds, *relation_, columns_, "index predicates"), "WHERE", 0);
                entry.predicate = evaluator(bound, entry.read);
            }
            if (index.role == ConstraintRole::exclusion)
                entry.exclusion.emplace(*relation_, index, columns_, *binder_, pool_, execution);
        }
        indexes_.push_back(std::move(entry));
    }
}

void TableWriter::renew() {
    suspects_.clear();
    const bool temporary = relation_->temporary;
    if (transaction_ == access_.transaction_number()) return;
    rows_ = access_.writable(std::string(rows_.name()), temporary);
    for (IndexAccess& access : indexes_) access.tree = access_.writable(std::string(access.tree.name()), temporary);
    transaction_ = access_.transaction_number();  // the first tree may have begun it
}

void stand_on_definition(WriteAccess& access, const Relation& relation) {
    if (relation.temporary) return;
    access.writable(std::string(k_catalog_tree), false).contains(definition_mark(relation.oid));
}

void TableWriter::begin_change() {
    if (standing_in_ == transaction_) return;
    stand_on_definition(access_, *relation_);
    standing_in_ = transaction_;
}

std::unique_ptr<Evaluator> TableWriter::evaluator(BoundExpr* expr, std::vector<std::size_t>& read) {
    const ColumnSet used = used_columns(expr);
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (used.count(columns_[i]) != 0 && std::find(read.begin(), read.end(), i) == read.end()) read.push_back(i);
    return std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution_);
}

bool TableWriter::entry(IndexAccess& access, const Value* row, std::string& key, Uniqueness& unique) {
    for (const std::size_t column : access.read) *cells_[column] = row[column];
    if (access.predicate != nullptr) {
        const Value holds = access.predicate->evaluate(arena_);
        if (holds.is_null() || !holds.boolean()) return false;
    }
    bool null = false;
    for (std::size_t i = 0; i < access.index->columns.size(); ++i) {
        const IndexColumn& column = access.index->columns[i];
        const Value value = column.column >= 0 ? row[column.column] : access.expressions[i]->evaluate(arena_);
        null |= value.is_null();
        encode_key(value, column.order, key);
    }
    if (!access.index->unique || (null && !access.index->nulls_not_distinct)) unique = Uniqueness::never;
    else unique = access.index->deferrable ? Uniqueness::when_checked : Uniqueness::at_once;
    return true;
}

void TableWriter::make_row_key(const Value* row, std::string& key) {
    key.clear();
    if (primary_ >= 0) {
        for (const IndexColumn& column : relation_->indexes[static_cast<std::size_t>(primary_)].columns)
            encode_key(row[column.column], column.order, key);
        return;
    }
    const std::uint64_t number = access_.next_row_number();
    for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
}

/// The row that stands in the way of another one in a key WITHOUT OVERLAPS; nothing: none.
std::optional<std::string> TableWriter::overlapping(const Index& index, WritableTree& tree, const Value* row) {
    const bool rows_themselves = tree.name() == rows_.name();
    const Period period = period_of_key(*relation_, index);
    std::string prefix;
    for (std::size_t i = 0; i + 1 < index.columns.size(); ++i) {
        const Value& value = row[index.columns[i].column];
        if (value.is_null()) return std::nullopt;
        encode_key(value, index.columns[i].order, prefix);
    }
    const Range span = read_period(period, row, arena_);
    if (is_empty_span(span)) {
        if (period.range >= 0 && row[period.range].is_null()) return std::nullopt;
        raise(sqlstate::check_violation, "empty WITHOUT OVERLAPS value found in column \"" + period.name +
                                             "\" in relation \"" + relation_->name + "\"");
    }
    std::string own = prefix;
    encode_key(row[index.columns.back().column], index.columns.back().order, own);
    std::vector<Value> other(relation_->columns.size());
    Cursor cursor = tree.cursor();
    const std::string successor = key_successor(prefix);
    cursor.watch(prefix, successor.empty() ? std::nullopt : std::optional<std::string_view>(successor));
    const auto in_the_way = [&]() -> std::optional<std::string> {
        if (!cursor.key().starts_with(prefix)) return std::nullopt;
        std::string key(rows_themselves ? cursor.key() : cursor.value());
        const std::optional<std::string_view> bytes = rows_themselves ? cursor.value() : rows_.get(key);
        if (!bytes) raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
        relation_->layout->decode(*bytes, other, arena_);
        if (!spans_overlap(span, read_period(period, other.data(), arena_))) return std::nullopt;
        return key;
    };
    const bool behind = cursor.lower_bound(own);
    if (behind)
        if (auto key = in_the_way()) return key;
    if (behind ? cursor.prev() : cursor.last()) return in_the_way();
    return std::nullopt;
}

void TableWriter::refuse_overlap(const Index& index, WritableTree& tree, const Value* row) {
    const std::optional<std::string> key = overlapping(index, tree, row);
    if (!key) return;
    if (relation_->hidden_valid_time) duplicate(index, row);
    SqlError error(sqlstate::exclusion_violation,
                   "conflicting key value violates exclusion constraint \"" + index.name + "\"");
    const Period period = period_of_key(*relation_, index);
    std::vector<int> columns;
    for (const IndexColumn& column : index.columns) columns.push_back(column.column);
    if (period.range < 0) columns.push_back(period.to);
    std::vector<Value> other(relation_->columns.size());
    read(*key, other.data(), arena_);
    error.edit().detail = "Key " + describe_key(*relation_, columns, row, execution_.session()) +
                          " conflicts with existing key " +
                          describe_key(*relation_, columns, other.data(), execution_.session()) + ".";
    error.edit().schema = relation_->schema;
    error.edit().table = relation_->name;
    error.edit().constraint = index.name;
    throw error;
}

void TableWriter::duplicate(const Index& index, const Value* row) {
    const IndexName named = index_of_row(*relation_, index, row, execution_, access_);
    SqlError error(sqlstate::unique_violation,
                   "duplicate key value violates unique constraint \"" + named.index + "\"");
    std::vector<int> columns;
    bool expressions = false;
    for (const IndexColumn& column : index.columns) {
        expressions |= column.column < 0;
        if (column.column >= 0 && !relation_->columns[static_cast<std::size_t>(column.column)].hidden)
            columns.push_back(column.column);
    }
    if (!expressions)
        error.edit().detail =
            "Key " + describe_key(*relation_, columns, row, execution_.session()) + " already exists.";
    error.edit().schema = named.schema;
    error.edit().table = named.table;
    error.edit().constraint = named.index;
    throw error;
}

std::optional<std::string> TableWriter::conflict(std::size_t index, const Value* row) {
    if (static_cast<int>(index) == primary_) {
        if (relation_->indexes[index].without_overlaps) return overlapping(relation_->indexes[index], rows_, row);
        std::string key;
        make_row_key(row, key);
        if (rows_.contains(key)) return key;
        return std::nullopt;
    }
    for (IndexAccess& access : indexes_) {
        if (access.index != &relation_->indexes[index]) continue;
        if (access.index->without_overlaps) return overlapping(*access.index, access.tree, row);
        std::string key;
        Uniqueness unique{};
        if (!entry(access, row, key, unique)) return std::nullopt;
        if (access.exclusion) return access.exclusion->conflict(access.tree, rows_, row, {}, arena_);
        if (unique != Uniqueness::at_once) return std::nullopt;
        if (const std::optional<std::string_view> found = access.tree.get(key)) return std::string(*found);
    }
    return std::nullopt;
}

bool TableWriter::begins_an_entry(WritableTree& tree, std::string_view key) {
    for (const KeyValue found : tree.prefix(key)) return !found.key.empty();
    return false;
}

void TableWriter::check_entry(IndexAccess& access, const Value* row, const std::string& row_key) {
    if (access.index->without_overlaps) refuse_overlap(*access.index, access.tree, row);
    if (!access.exclusion) return;
    const auto other = access.exclusion->conflict(access.tree, rows_, row, row_key, arena_);
    if (!other) return;
    if (!access.index->deferrable) access.exclusion->refuse(rows_, row, *other, arena_);
    suspects_.push_back({access.index, row_key});
}

void TableWriter::insert_entry(IndexAccess& access, const Value* row, const std::string& key_of_row) {
    entry_.clear();
    Uniqueness unique{};
    if (!entry(access, row, entry_, unique)) return;
    check_entry(access, row, key_of_row);
    if (unique == Uniqueness::at_once) {
        if (!access.tree.put_if_absent(entry_, key_of_row)) duplicate(*access.index, row);
        return;
    }
    if (unique == Uniqueness::when_checked && begins_an_entry(access.tree, entry_))
        suspects_.push_back({access.index, entry_});
    entry_ += key_of_row;
    access.tree.put(entry_, key_of_row);
}

void TableWriter::erase_entry(IndexAccess& access, const Value* row, const std::string& key_of_row) {
    entry_.clear();
    Uniqueness unique{};
    if (!entry(access, row, entry_, unique)) return;
    if (unique != Uniqueness::at_once) entry_ += key_of_row;
    access.tree.erase(entry_);
}

void TableWriter::check_suspect(const Index& index, const std::string& key) {
    for (IndexAccess& access : indexes_) {
        if (access.index->oid != index.oid) continue;
        if (access.exclusion) {
            std::vector<Value> row(relation_->columns.size());
            std::string place;
            Uniqueness unique{};
            if (!read(key, row.data(), arena_) || !entry(access, row.data(), place, unique)) return;
            if (const auto other = access.exclusion->conflict(access.tree, rows_, row.data(), key, arena_))
                access.exclusion->refuse(rows_, row.data(), *other, arena_);
            return;
        }
        std::size_t count = 0;
        std::string last;
        for (const KeyValue found : access.tree.prefix(key)) {
            last = found.value;
            if (++count == 2) break;
        }
        if (count < 2) return;
        std::vector<Value> row(relation_->columns.size());
        if (!read(last, row.data(), arena_))
            raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
        duplicate(*access.index, row.data());
    }
}

void TableWriter::check_suspects() {
    for (const SuspectKey& suspect : std::exchange(suspects_, {})) check_suspect(*suspect.index, suspect.key);
}

const std::string& TableWriter::insert(const Value* row) {
    begin_change();
    make_row_key(row, key_);
    bytes_.clear();
    relation_->layout->encode({row, relation_->columns.size()}, bytes_);
    if (primary_ >= 0 && relation_->indexes[static_cast<std::size_t>(primary_)].without_overlaps)
        refuse_overlap(relation_->indexes[static_cast<std::size_t>(primary_)], rows_, row);
    if (!rows_.put_if_absent(key_, bytes_)) {
        if (primary_ < 0) raise(sqlstate::serialization_failure, "two rows were given the same number; try again");
        duplicate(relation_->indexes[static_cast<std::size_t>(primary_)], row);
    }
    for (IndexAccess& access : indexes_) insert_entry(access, row, key_);
    arena_.reset();
    return key_;
}

void TableWriter::put_back(const std::string& key, const Value* row) {
    begin_change();
    bytes_.clear();
    relation_->layout->encode({row, relation_->columns.size()}, bytes_);
    rows_.put(key, bytes_);
}

void TableWriter::insert_entries(const std::string& key, const Value* row) {
    for (IndexAccess& access : indexes_) insert_entry(access, row, key);
    arena_.reset();
}

std::vector<std::pair<std::string, std::string>> TableWriter::entries(const std::string& key, const Value* row) {
    std::vector<std::pair<std::string, std::string>> found;
    for (IndexAccess& access : indexes_) {
        std::string place;
        Uniqueness unique{};
        if (!entry(access, row, place, unique)) continue;
        if (unique != Uniqueness::at_once) place += key;
        found.emplace_back(access.tree.name(), std::move(place));
    }
    arena_.reset();
    return found;
}

void TableWriter::erase(const std::string& key, const Value* row) {
    begin_change();
    rows_.erase(key);
    for (IndexAccess& access : indexes_) erase_entry(access, row, key);
    arena_.reset();
}

std::uint64_t TableWriter::erase_all() {
    begin_change();
    for (IndexAccess& access : indexes_) access.tree.erase_range("", std::nullopt);
    return rows_.erase_range("", std::nullopt);
}

namespace table_writer {

/// The very same payload, as a value has that was carried over; other ones may be the same too.
bool is_carried_over(const Value& before, const Value& after) {
    if (before.is_null() || after.is_null()) return before.is_null() && after.is_null();
    if (before.form() != after.form()) return false;
    switch (before.form()) {
        case Form::boolean: return before.boolean() == after.boolean();
        case Form::integer: return before.integer() == after.integer();
        case Form::real:
            return std::bit_cast<std::uint64_t>(before.real()) == std::bit_cast<std::uint64_t>(after.real());
        case Form::bytes:
        case Form::jsonb:
        case Form::array:
        case Form::range:
        case Form::record: return before.bytes() == after.bytes();
        default: return false;
    }
}

/// Two values of a column, or NULL in both.
bool are_equal(const Value& before, const Value& after) {
    if (before.is_null() || after.is_null()) return before.is_null() && after.is_null();
    if (before.form() == Form::integer) [[likely]] return before.integer() == after.integer();
    return equal_values(before, after);
}

}  // namespace table_writer

bool TableWriter::keeps_entry(const IndexAccess& access, const Value* old_row, const Value* new_row) const {
    if (access.exclusion || access.index->without_overlaps) return false;
    for (const IndexColumn& column : access.index->columns) {
        if (column.column < 0) continue;
        if (!table_writer::are_equal(old_row[column.column], new_row[column.column])) return false;
    }
    // Expressions may tell equal values apart.
    return std::all_of(access.read.begin(), access.read.end(), [&](std::size_t column) {
        return table_writer::is_carried_over(old_row[column], new_row[column]);
    });
}

const std::string& TableWriter::update(const std::string& key, const Value* old_row, const Value* new_row) {
    begin_change();
    bool same_key = true;
    if (primary_ >= 0)
        for (const IndexColumn& column : relation_->indexes[static_cast<std::size_t>(primary_)].columns)
            same_key = same_key && table_writer::are_equal(old_row[column.column], new_row[column.column]);
    bytes_.clear();
    relation_->layout->encode({new_row, relation_->columns.size()}, bytes_);
    const bool overlaps = primary_ >= 0 && relation_->indexes[static_cast<std::size_t>(primary_)].without_overlaps;
    if (same_key && !overlaps) {
        key_ = key;
        rows_.put(key_, bytes_);
    } else {
        make_row_key(new_row, key_);
        rows_.erase(key);
        if (overlaps) refuse_overlap(relation_->indexes[static_cast<std::size_t>(primary_)], rows_, new_row);
        if (!rows_.put_if_absent(key_, bytes_))
            duplicate(relation_->indexes[static_cast<std::size_t>(primary_)], new_row);
    }
    for (IndexAccess& access : indexes_) {
        if (same_key && keeps_entry(access, old_row, new_row)) continue;
        old_entry_.clear();
        entry_.clear();
        Uniqueness old_unique{}, new_unique{};
        const bool had = entry(access, old_row, old_entry_, old_unique);
        const bool has = entry(access, new_row, entry_, new_unique);
        if (had && has && old_entry_ == entry_ && same_key && !access.index->without_overlaps) continue;
        if (had && old_unique != Uniqueness::at_once) old_entry_ += key;
        if (had) access.tree.erase(old_entry_);
        if (has) insert_entry(access, new_row, key_);
    }
    arena_.reset();
    return key_;
}

bool TableWriter::read(const std::string& key, Value* row, Arena& arena) {
    const std::optional<std::string_view> bytes = rows_.get(key);
    if (!bytes) return false;
    // A copy: the view ends with the next write.
    relation_->layout->decode(arena.copy(*bytes), {row, relation_->columns.size()}, arena);
    return true;
}

std::vector<std::string> TableWriter::find(const std::vector<int>& columns, const Value* values) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (values[i].is_null()) return keys;
    const auto covers = [&](const Index& index) {
        if (index.partial() || index.columns.size() < columns.size()) return false;
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (std::find(columns.begin(), columns.end(), index.columns[i].column) == columns.end()) return false;
        return true;
    };
    const auto prefix_of = [&](const Index& index) {
        std::string prefix;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto at = std::find(columns.begin(), columns.end(), index.columns[i].column) - columns.begin();
            encode_key(values[at], index.columns[i].order, prefix);
        }
        return prefix;
    };
    if (primary_ >= 0 && covers(relation_->indexes[static_cast<std::size_t>(primary_)])) {
        const Index& index = relation_->indexes[static_cast<std::size_t>(primary_)];
        std::string prefix = prefix_of(index);
        // A whole key is looked up, so that its neighbours do not count as read.
        if (index.columns.size() == columns.size()) {
            if (rows_.contains(prefix)) keys.push_back(std::move(prefix));
            return keys;
        }
        for (const KeyValue stored : rows_.prefix(prefix)) keys.emplace_back(stored.key);
        return keys;
    }
    for (IndexAccess& access : indexes_) {
        if (!covers(*access.index)) continue;
        for (const KeyValue stored : access.tree.prefix(prefix_of(*access.index))) keys.emplace_back(stored.value);
        return keys;
    }
    Arena arena;
    for (const KeyValue stored : rows_.all()) {
        arena.reset();
        bool equal = true;
        for (std::size_t i = 0; i < columns.size() && equal; ++i) {
            const Value value = relation_->layout->column_of(stored.value, static_cast<std::size_t>(columns[i]), arena);
            equal = !value.is_null() && equal_values(value, values[i]);
        }
        if (equal) keys.emplace_back(stored.key);
    }
    return keys;
}

}  // namespace northstar::inline v0::sql
