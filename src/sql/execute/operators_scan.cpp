// Reading a table: all rows, a range of the primary key, or through an index.
//
// Rows of a batch are gathered as bytes. The columns that conditions use are decoded for all of them, the others only
// for the rows that pass.
#include "sql/execute/operators.hpp"

#include "sql/key_encoding.hpp"

#include <algorithm>
#include <set>

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
        std::set<ColumnId> used;
        for (BoundExpr* condition : plan.conditions) used_columns(condition, used);
        for (const ScanColumn& column : plan.scan_columns) {
            early_.push_back(used.count(column.id) != 0);
            needs_txn_ = needs_txn_ || (column.place <= hidden_commit_from && column.place >= hidden_system_to);
            needs_key_ = needs_key_ || column.place == hidden_row_key || column.place == hidden_commit_to ||
                         column.place == hidden_system_to;
        }
        stable_ = plan.point->past || (execution.host().reads_snapshot() && !plan.relation->temporary);
        random_ = static_cast<std::uint64_t>(plan.sample_seed) * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    }

    void open() override {
        ReadPoint& point = *plan_.point;
        const Relation& relation = *plan_.relation;
        if (!stable_ || !rows_) rows_.emplace(point.tree(relation.tree(), relation.temporary));
        through_index_ = false;
        from_.clear();
        to_.reset();
        done_ = false;
        first_ = true;
        limit_ = 16;
        if (plan_.access.index < 0 && columns_.empty() && conditions_->empty() && plan_.sample < 0) {
            // Nothing of the rows is asked for but how many there are.
            uncounted_ = rows_->size();
            return;
        }
        if (plan_.access.index >= 0) {
            const Index& index = relation.indexes[static_cast<std::size_t>(plan_.access.index)];
            through_index_ = index.role != ConstraintRole::primary_key;
            if (!set_range(index)) {
                done_ = true;
                return;
            }
            if (through_index_) {
                if (!stable_ || !entries_) entries_.emplace(point.tree(relation.index_tree(index), relation.temporary));
                start_cursor(*entries_);
                return;
            }
        }
        start_cursor(*rows_);
    }

    Batch* next() override {
        while (uncounted_ > 0) {
            batch_.reset(0);
            batch_.count = static_cast<std::size_t>(std::min<std::uint64_t>(uncounted_, k_batch_rows));
            uncounted_ -= batch_.count;
            return &batch_;
        }
        while (!done_ && cursor_) {
            batch_.reset(columns_.size());
            read_batch();
            if (batch_.count == 0) return nullptr;
            selected_.resize(batch_.count);
            for (std::size_t i = 0; i < selected_.size(); ++i) selected_[i] = static_cast<std::uint32_t>(i);
            if (!conditions_->empty()) {
                decode(true);
                conditions_->select(batch_, selected_, batch_.arena);
                if (selected_.empty()) continue;
                if (selected_.size() < batch_.count) keep();
            }
            decode(false);
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

    void start_cursor(const Tree& tree) {
        cursor_.emplace(tree.cursor());
        cursor_->watch(from_, to_ && !to_->empty() ? std::optional<std::string_view>(*to_) : std::nullopt);
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
        bytes_.clear();
        keys_.clear();
        txns_.clear();
        while (bytes_.size() < limit_) {
            if (!step()) {
                done_ = true;
                break;
            }
            if (plan_.sample >= 0 && !sampled()) continue;
            if (through_index_) {
                keys_.push_back(kept(cursor_->value()));
                bytes_.emplace_back();
                continue;
            }
            bytes_.push_back(kept(cursor_->value()));
            if (needs_key_) keys_.push_back(batch_.arena.copy(cursor_->key()));
            if (needs_txn_) txns_.push_back(cursor_->txn());
        }
        if (through_index_) fetch();
        batch_.count = bytes_.size();
        // Small first, so that LIMIT 1 reads little.
        limit_ = std::min(limit_ * 4, k_batch_rows);
    }

    /// A view that lives as long as the batch: in a transaction, the next write may end it.
    std::string_view kept(std::string_view view) { return stable_ ? view : batch_.arena.copy(view); }

    /// The rows that entries of an index point to.
    void fetch() {
        found_.resize(keys_.size());
        rows_->multi_get(keys_, found_);
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            if (!found_[i]) raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
            bytes_[i] = kept(*found_[i]);
            if (needs_txn_) txns_.push_back(rows_->txn_of(keys_[i]).value_or(0));
        }
    }

    bool sampled() {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        return static_cast<double>(random_ >> 11) * 0x1.0p-53 * 100 < plan_.sample;
    }

    /// Drops what did not pass from the columns that are decoded already.
    void keep() {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!early_[i]) continue;
            std::vector<Value>& column = batch_.columns[i];
            for (std::size_t k = 0; k < selected_.size(); ++k) column[k] = column[selected_[k]];
            column.resize(selected_.size());
        }
        batch_.count = selected_.size();
    }

    /// The columns that conditions use, of all rows; or the others, of the rows that are selected.
    void decode(bool early) {
        const RowLayout& layout = *plan_.relation->layout;
        const std::size_t count = early ? bytes_.size() : selected_.size();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if ((early_[i] && !conditions_->empty()) != early) continue;
            std::vector<Value>& column = batch_.columns[i];
            column.resize(count);
            const int place = plan_.scan_columns[i].place;
            if (place >= 0) {
                layout.column_of_rows(bytes_.data(), selected_.data(), count, static_cast<std::size_t>(place),
                                      column.data(), batch_.arena);
                continue;
            }
            for (std::size_t k = 0; k < count; ++k) column[k] = hidden(place, selected_[k]);
        }
    }

    Value hidden(int place, std::size_t row) {
        switch (place) {
            case hidden_row_key: return Value::bytes(type::bytea, keys_[row]);
            case hidden_commit_from: return Value::int8(static_cast<std::int64_t>(txns_[row]));
            case hidden_system_from:
                return Value::integer(type::timestamptz,
                                      static_cast<std::int64_t>(execution_.host().commit_time(txns_[row])));
            case hidden_commit_to:
            case hidden_system_to: return end_of_version(place, keys_[row]);
            case hidden_table_oid:
                return Value::integer(type::regclass, static_cast<std::int64_t>(plan_.relation->oid));
            default: raise(sqlstate::internal_error, "a scan was asked for a column that there is not");
        }
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
    std::optional<Tree> rows_, entries_;
    std::optional<Cursor> cursor_;
    bool through_index_ = false;
    bool stable_ = false;   // views into the trees live as long as the statement
    bool needs_txn_ = false;
    bool needs_key_ = false;
    std::vector<bool> early_;  // by column: conditions use it
    std::vector<std::string_view> bytes_, keys_;
    std::vector<std::optional<std::string_view>> found_;
    std::vector<Txn> txns_;
    std::uint64_t uncounted_ = 0;
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
