// Sorting and LIMIT.
#include "sql/execute/operators.hpp"
#include "sql/execute/row_sorter.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_sort {

/// Keys that are columns are read where they lie in a row; the others stand behind the columns. Where rows come in the
/// order of the first keys, they are taken in portions, each up to where these change.
class Sort final : public Operator {
public:
    Sort(Plan& plan, Execution& execution, std::size_t top)
        : plan_(plan), execution_(execution), input_(build_operator(*plan.left, execution)),
          key_bound_(plan.keys[0]), top_(top) {
        columns_ = input_->columns();
        width_ = columns_.size();
        for (SortKey& key : plan.keys) {
            keys_.emplace_back(*key.expr, columns_, execution);
            const int slot = keys_.back().slot();
            places_.push_back(slot >= 0 ? static_cast<std::size_t>(slot) : width_++);
        }
        sorter_.start(width_, places_, plan.keys);
        const bool is_column = plan.keys[0].expr->kind == BoundKind::column && keys_[0].slot() >= 0;
        if (is_column && plan.ordered_keys == 0) input_->accept_bound(key_bound_, plan.keys[0].expr->column);
    }
    /// Before open(): no more than the first so many rows are asked for; 0: all.
    void set_top(std::size_t top) {
        top_ = top;
        if (plan_.left->kind == PlanKind::scan || plan_.left->kind == PlanKind::project)
            input_->want_of_each_member(top);
        input_->want_first(top, plan_.keys);
    }

    void open() override {
        from_ = nullptr;
        ended_ = false;
        portion_ = k_first_portion;
        input_->open();
        sort_portion();
    }
    bool finish_run() override {
        from_ = nullptr;
        return !sorter_.has_runs() && sorter_.rows().bytes() <= k_kept_bytes && input_->finish_run() &&
               std::all_of(keys_.begin(), keys_.end(), [](const Evaluator& key) { return key.outlasts_run(); });
    }
    Batch* next() override {
        for (;;) {
            if (Batch* batch = hand_out()) return batch;
            if (ended_) return nullptr;
            sort_portion();
        }
    }

private:
    static constexpr std::size_t k_first_portion = 32;  // rows, at least
    static constexpr std::size_t k_growth = 4;

    Batch* hand_out() {
        if (sorter_.has_runs()) return merge();
        return reader_.next(batch_);
    }

    void sort_portion() {
        sorter_.clear();
        forget_bound();
        const std::size_t limit = execution_.host().memory_limit();
        for (std::size_t taken = 0;;) {
            if (from_ == nullptr || at_ == from_->count) {
                from_ = input_->next();
                at_ = 0;
                if (from_ == nullptr) break;
                view_keys();
            }
            const std::size_t end = end_of_portion(taken);
            take(end);
            taken += end - at_;
            at_ = end;
            // With LIMIT only the first rows matter: cut now and then.
            if (top_ != 0 && sorter_.rows().size() > 4 * top_ + k_batch_rows) {
                sorter_.cut(top_);
                bound_ = sorter_.rows().row(top_ - 1);
                key_bound_.prefix = key_bound_.prefix_of.of(bound_[places_[0]]);
                key_bound_.known = true;
            }
            if (sorter_.rows().bytes() > limit) {
                sorter_.put_aside(top_);
                forget_bound();
            }
            if (at_ < from_->count) break;
            if (plan_.ordered_keys > 0) remember_keys();
        }
        ended_ = from_ == nullptr;
        portion_ = std::min(portion_ * k_growth, k_batch_rows);
        sorter_.sort(top_);
        merged_ = 0;
        if (!sorter_.has_runs()) reader_.start(sorter_.rows(), 0, sorter_.rows().size(), columns_.size());
    }

    void view_keys() {
        const Rows all{from_, every_row(from_->count, every_), from_->count, true};
        views_.resize(keys_.size());
        values_.resize(keys_.size());
        key_arena_.reset();
        for (std::size_t i = 0; i < keys_.size(); ++i) views_[i] = keys_[i].view(all, values_[i], key_arena_);
    }

    /// Where the first keys change behind enough rows, `taken` of which came in batches before; else the batch's end.
    std::size_t end_of_portion(std::size_t taken) const {
        if (plan_.ordered_keys == 0) return from_->count;
        const auto changes = [&](std::size_t row) {
            for (std::size_t i = 0; i < plan_.ordered_keys; ++i) {
                const Value& before = row > 0 ? views_[i][row - 1] : last_keys_[i];
                if (compare_by_key(before, views_[i][row], plan_.keys[i]) != 0) return true;
            }
            return false;
        };
        for (std::size_t row = at_; row < from_->count; ++row)
            if (taken + (row - at_) >= portion_ && changes(row)) return row;
        return from_->count;
    }
    /// Of the last row of a batch, for the first one of the next.
    void remember_keys() {
        last_arena_.reset();
        last_keys_.clear();
        for (std::size_t i = 0; i < plan_.ordered_keys; ++i)
            last_keys_.push_back(copy_value(views_[i][from_->count - 1], last_arena_));
    }

    /// The rows of the batch up to `end`.
    void take(std::size_t end) {
        const Batch& batch = *from_;
        RowStore& rows = sorter_.rows();
        for (std::size_t row = at_; row < end; ++row) {
            if (bound_ != nullptr && comes_too_late(row)) continue;
            Value* to = rows.add();
            for (std::size_t c = 0; c < columns_.size(); ++c) to[c] = keep_value(batch.columns[c][row], rows.arena());
            for (std::size_t i = 0; i < keys_.size(); ++i)
                if (places_[i] >= columns_.size()) to[places_[i]] = keep_value(views_[i][row], rows.arena());
        }
    }

    void forget_bound() {
        bound_ = nullptr;
        key_bound_.known = false;
    }

    /// As many rows as are wanted are known that come before the row.
    bool comes_too_late(std::size_t row) const {
        const std::uint64_t prefix = key_bound_.prefix_of.of(views_[0][row]);
        if (prefix != key_bound_.prefix) return prefix > key_bound_.prefix;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const int order = compare_by_key(views_[i][row], bound_[places_[i]], plan_.keys[i]);
            if (order != 0) return order > 0;
        }
        return true;
    }

    Batch* merge() {
        batch_.reset(columns_.size());
        while (batch_.count < k_batch_rows && (top_ == 0 || merged_ < top_)) {
            const Value* const row = sorter_.front();
            if (row == nullptr) break;
            for (std::size_t c = 0; c < columns_.size(); ++c)
                batch_.columns[c].push_back(keep_value(row[c], batch_.arena));
            ++batch_.count;
            ++merged_;
            sorter_.pop();
        }
        return batch_.count == 0 ? nullptr : &batch_;
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> input_;
    KeyBound key_bound_;       // of the first key
    std::size_t top_;
    std::size_t width_ = 0;            // columns, and keys that are none of them
    std::vector<std::size_t> places_;  // of the keys, in a row
    std::vector<Evaluator> keys_;
    std::vector<std::vector<Value>> values_;
    std::vector<const Value*> views_;
    std::vector<std::uint32_t> every_;
    Arena key_arena_;
    Batch* from_ = nullptr;    // the batch that is being taken
    std::size_t at_ = 0;       // its first row that is not taken yet
    bool ended_ = false;       // the input has
    std::size_t portion_ = 0;  // rows, at least, where they come in the order of the first keys
    std::vector<Value> last_keys_;
    Arena last_arena_;
    const Value* bound_ = nullptr;  // the last of the rows that LIMIT wants, of those seen so far
    RowSorter sorter_;
    std::size_t merged_ = 0;   // rows of runs that were handed out
    StoreReader reader_;
    Batch batch_;
};

class Limit final : public Operator {
public:
    Limit(Plan& plan, Execution& execution) : plan_(plan) {
        const std::vector<ColumnId> nothing;
        if (plan.limit != nullptr) limit_ = std::make_unique<Evaluator>(*plan.limit, nothing, execution);
        if (plan.offset != nullptr) offset_ = std::make_unique<Evaluator>(*plan.offset, nothing, execution);
        // A sort right below needs to keep no more rows than are asked for.
        if (plan.left->kind == PlanKind::sort && !plan.with_ties) {
            auto sort = std::make_unique<Sort>(*plan.left, execution, 0);
            sort_ = sort.get();
            input_ = measured(std::move(sort), *plan.left, execution);
        } else {
            input_ = build_operator(*plan.left, execution);
        }
        columns_ = input_->columns();
        if (plan.with_ties)
            for (SortKey& key : plan.tie_keys) ties_.emplace_back(*key.expr, columns_, execution);
    }

    void open() override {
        Arena arena;
        const auto count = [&](Evaluator* evaluator, const char* clause, SqlState state, std::uint64_t absent) {
            if (evaluator == nullptr) return absent;
            const Value value = evaluator->evaluate(arena);
            if (value.is_null()) return absent;
            if (value.integer() < 0) raise(state, std::string(clause) + " must not be negative");
            return static_cast<std::uint64_t>(value.integer());
        };
        left_ = count(limit_.get(), "LIMIT", sqlstate::invalid_row_count_in_limit_clause, ~std::uint64_t{0});
        skip_ = count(offset_.get(), "OFFSET", sqlstate::invalid_row_count_in_result_offset_clause, 0);
        if (sort_ != nullptr)
            sort_->set_top(left_ < (std::uint64_t{1} << 30) && skip_ < (std::uint64_t{1} << 30)
                               ? static_cast<std::size_t>(std::max<std::uint64_t>(left_ + skip_, 1)) : 0);
        last_.reset(ties_.size());
        done_ = left_ == 0;
        if (!done_) input_->open();
        if (!done_ && skip_ > 0) skip_ -= input_->skip(skip_);
    }

    bool finish_run() override {
        const auto outlasts = [](const std::unique_ptr<Evaluator>& count) {
            return count == nullptr || count->outlasts_run();
        };
        return ties_.empty() && outlasts(limit_) && outlasts(offset_) && input_->finish_run();
    }

    Batch* next() override {
        while (!done_) {
            Batch* batch = input_->next();
            if (batch == nullptr) break;
            if (skip_ >= batch->count) {
                skip_ -= batch->count;
                continue;
            }
            if (ties_.empty() && skip_ == 0 && batch->count <= left_) {
                left_ -= batch->count;
                done_ = left_ == 0;
                return batch;
            }
            rows_.clear();
            for (std::size_t row = skip_; row < batch->count; ++row) {
                if (left_ > 0) {
                    --left_;
                    rows_.push_back(static_cast<std::uint32_t>(row));
                    if (left_ == 0 && !ties_.empty()) remember(*batch, row);
                    continue;
                }
                if (ties_.empty() || !tied(*batch, row)) {
                    done_ = true;
                    break;
                }
                rows_.push_back(static_cast<std::uint32_t>(row));
            }
            skip_ = 0;
            if (left_ == 0 && ties_.empty()) done_ = true;
            if (rows_.empty()) break;
            batch->keep(rows_);
            return batch;
        }
        done_ = true;
        return nullptr;
    }

private:
    void keys_of(const Batch& batch, std::size_t row, std::vector<Value>& keys, Arena& arena) {
        const std::uint32_t index = static_cast<std::uint32_t>(row);
        keys.resize(ties_.size());
        for (std::size_t i = 0; i < ties_.size(); ++i) ties_[i].evaluate({&batch, &index, 1}, &keys[i], arena);
    }
    void remember(const Batch& batch, std::size_t row) {
        Arena arena;
        std::vector<Value> keys;
        keys_of(batch, row, keys, arena);
        last_.reset(ties_.size());
        Value* to = last_.add();
        for (std::size_t i = 0; i < keys.size(); ++i) to[i] = copy_value(keys[i], last_.arena());
    }
    bool tied(const Batch& batch, std::size_t row) {
        if (last_.size() == 0) return false;
        Arena arena;
        std::vector<Value> keys;
        keys_of(batch, row, keys, arena);
        return compare_keys(last_.row(0), keys.data(), plan_.tie_keys) == 0;
    }

    Plan& plan_;
    std::unique_ptr<Operator> input_;
    Sort* sort_ = nullptr;
    std::unique_ptr<Evaluator> limit_, offset_;
    std::vector<Evaluator> ties_;
    RowStore last_;
    std::uint64_t left_ = 0;
    std::uint64_t skip_ = 0;
    bool done_ = false;
    std::vector<std::uint32_t> rows_;
};

}  // namespace operators_sort

std::unique_ptr<Operator> make_sort(Plan& plan, Execution& execution) {
    return std::make_unique<operators_sort::Sort>(plan, execution, 0);
}
std::unique_ptr<Operator> make_limit(Plan& plan, Execution& execution) {
    return std::make_unique<operators_sort::Limit>(plan, execution);
}

}  // namespace northstar::inline v0::sql
