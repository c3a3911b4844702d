// Reading a table: all rows, a range of the primary key, or through an index; columns are decoded as they are needed.
#include "sql/execute/operators.hpp"

#include "sql/key_encoding.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_scan {

class Scan final : public Operator {
public:
    Scan(Plan& plan, Execution& execution) : plan_(plan), execution_(execution) {
        for (const ScanColumn& column : plan.scan_columns) columns_.push_back(column.id);
        conditions_ = std::make_unique<Conditions>(plan.conditions, columns_, execution);
        const std::vector<ColumnId> nothing;
        for (BoundExpr* expr : plan.access.equal) equal_.emplace_back(*expr, nothing, execution);
        if (plan.access.low != nullptr) low_ = std::make_unique<Evaluator>(*plan.access.low, nothing, execution);
        if (plan.access.high != nullptr) high_ = std::make_unique<Evaluator>(*plan.access.high, nothing, execution);
        random_ = static_cast<std::uint64_t>(plan.sample_seed) * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    }

    void open() override {
        ReadPoint& point = *plan_.point;
        const Relation& relation = *plan_.relation;
        rows_.emplace(point.tree(relation.tree(), relation.temporary));
        through_index_ = false;
        from_.clear();
        to_.reset();
        done_ = false;
        first_ = true;
        if (plan_.access.index >= 0) {
            const Index& index = relation.indexes[static_cast<std::size_t>(plan_.access.index)];
            through_index_ = index.role != ConstraintRole::primary_key;
            if (!set_range(index)) {
                done_ = true;
                return;
            }
            if (through_index_) {
                Tree tree = point.tree(relation.index_tree(index), relation.temporary);
                cursor_.emplace(tree.cursor());
                return;
            }
        }
        cursor_.emplace(rows_->cursor());
    }

    Batch* next() override {
        while (!done_) {
            batch_.reset(columns_.size());
            read_batch();
            if (batch_.count == 0) return nullptr;
            if (conditions_->empty()) return &batch_;
            selected_.resize(batch_.count);
            for (std::size_t i = 0; i < selected_.size(); ++i) selected_[i] = static_cast<std::uint32_t>(i);
            conditions_->select(batch_, selected_, batch_.arena);
            if (selected_.empty()) continue;
            if (selected_.size() < batch_.count) batch_.keep(selected_);
            return &batch_;
        }
        return nullptr;
    }

private:
    /// The range of keys to visit; false: nothing can match.
    bool set_range(const Index& index) {
        Arena arena;
        std::string prefix;
        for (std::size_t i = 0; i < equal_.size(); ++i) {
            const Value value = equal_[i].evaluate(arena);
            if (value.is_null()) return false;
            encode_key(value, index.columns[i].order, prefix);
        }
        from_ = prefix;
        to_ = key_successor(prefix);
        const std::size_t at = equal_.size();
        if (low_ == nullptr && high_ == nullptr) return true;
        const KeyOrder order = index.columns[at].order;
        std::string low, high;
        if (low_ != nullptr) {
            const Value value = low_->evaluate(arena);
            if (value.is_null()) return false;
            low = prefix;
            encode_key(value, order, low);
        }
        if (high_ != nullptr) {
            const Value value = high_->evaluate(arena);
            if (value.is_null()) return false;
            high = prefix;
            encode_key(value, order, high);
        }
        bool low_inclusive = plan_.access.low_inclusive;
        bool high_inclusive = plan_.access.high_inclusive;
        if (order.descending) {
            std::swap(low, high);
            std::swap(low_inclusive, high_inclusive);
        }
        if (!low.empty()) from_ = low_inclusive ? low : key_successor(low);
        if (!high.empty()) to_ = high_inclusive ? key_successor(high) : high;
        return true;
    }

    bool step() {
        if (plan_.access.backward) {
            if (std::exchange(first_, false)) {
                const bool bounded = to_ && !to_->empty();
                if (!bounded) return cursor_->last() && cursor_->key() >= from_;
                const bool found = cursor_->lower_bound(*to_) ? cursor_->prev() : cursor_->last();
                return found && cursor_->key() >= from_;
            }
            return cursor_->prev() && cursor_->key() >= from_;
        }
        const bool valid = std::exchange(first_, false)
                               ? (from_.empty() ? cursor_->first() : cursor_->lower_bound(from_))
                               : cursor_->next();
        return valid && (!to_ || to_->empty() || cursor_->key() < *to_);
    }

    void read_batch() {
        execution_.check_cancelled();
        while (batch_.count < limit_) {
            if (!step()) {
                done_ = true;
                break;
            }
            if (plan_.sample >= 0 && !sampled()) continue;
            std::string_view key = cursor_->key();
            std::string_view row = cursor_->value();
            Txn txn = 0;
            if (through_index_) {
                key = row;
                const std::optional<std::string_view> found = rows_->get(key);
                if (!found) raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
                row = *found;
                if (needs_txn()) txn = rows_->txn_of(key).value_or(0);
            } else if (needs_txn()) {
                txn = cursor_->txn();
            }
            add(key, row, txn);
        }
        // Small first, so that LIMIT 1 reads little.
        limit_ = std::min(limit_ * 4, k_batch_rows);
    }

    bool needs_txn() const {
        for (const ScanColumn& column : plan_.scan_columns)
            if (column.place <= hidden_commit_from && column.place >= hidden_system_to) return true;
        return false;
    }

    bool sampled() {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        return static_cast<double>(random_ >> 11) * 0x1.0p-53 * 100 < plan_.sample;
    }

    void add(std::string_view key, std::string_view row, Txn txn) {
        const RowLayout& layout = *plan_.relation->layout;
        for (std::size_t i = 0; i < plan_.scan_columns.size(); ++i) {
            const int place = plan_.scan_columns[i].place;
            Value value;
            switch (place) {
                case hidden_row_key: value = Value::bytes(type::bytea, batch_.arena.copy(key)); break;
                case hidden_commit_from: value = Value::int8(static_cast<std::int64_t>(txn)); break;
                case hidden_system_from:
                    value = Value::integer(type::timestamptz,
                                           static_cast<std::int64_t>(execution_.host().commit_time(txn)));
                    break;
                case hidden_commit_to:
                case hidden_system_to: value = end_of_version(place, key); break;
                case hidden_table_oid:
                    value = Value::integer(type::regclass, static_cast<std::int64_t>(plan_.relation->oid));
                    break;
                default:
                    value = layout.column_of(row, static_cast<std::size_t>(place), batch_.arena);
                    if (in_transaction_) value = copy_value(value, batch_.arena);
            }
            batch_.columns[i].push_back(value);
        }
        ++batch_.count;
    }

    /// When a version that a past state shows was replaced; NULL where it still stands.
    Value end_of_version(int place, std::string_view key) {
        const bool commit = place == hidden_commit_to;
        const Oid type = commit ? type::int8 : type::timestamptz;
        if (!plan_.point->past) return Value::null(type);
        const auto end = execution_.host().commit_after(plan_.relation->tree(), key, plan_.point->txn);
        if (!end) return Value::null(type);
        return Value::integer(type, static_cast<std::int64_t>(commit ? *end : execution_.host().commit_time(*end)));
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Conditions> conditions_;
    std::vector<Evaluator> equal_;
    std::unique_ptr<Evaluator> low_, high_;
    std::optional<Tree> rows_;
    std::optional<Cursor> cursor_;
    bool through_index_ = false;
    bool in_transaction_ = true;
    std::string from_;
    std::optional<std::string> to_;  // empty: no end
    bool done_ = false;
    bool first_ = true;
    std::size_t limit_ = 16;
    std::uint64_t random_ = 0;
    std::vector<std::uint32_t> selected_;
    Batch batch_;
};

}  // namespace operators_scan

std::unique_ptr<Operator> make_scan(Plan& plan, Execution& execution) {
    return std::make_unique<operators_scan::Scan>(plan, execution);
}

}  // namespace northstar::inline v0::sql
