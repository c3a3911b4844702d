// Joins. Equalities between the two sides are looked up in a hash table of the right side; other conditions are checked
// on the pairs that remain. Without equalities every pair is one that remains.
//
// When the right side outgrows the limit of memory, both sides are divided into files by the hash of their keys, and
// each pair of files is joined by itself (GRACE hash join: Kitsuregawa, Tanaka, Moto-oka, New Generation Computing 1,
// 1983).
#include "sql/execute/operators.hpp"
#include "sql/execute/spill_file.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_join {

struct Equality {
    BoundExpr* left;
    BoundExpr* right;
};

/// The sides of left = right where one uses columns of the left input only and the other of the right one.
bool split_equality(BoundExpr* condition, const std::vector<ColumnId>& left, const std::vector<ColumnId>& right,
                    Equality& out) {
    if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
        condition->args.size() != 2 || condition->args[0]->type != condition->args[1]->type)
        return false;
    const auto within = [](BoundExpr* expr, const std::vector<ColumnId>& side, const std::vector<ColumnId>& other) {
        bool uses = false;
        for (const ColumnId id : used_columns(expr)) {
            if (std::find(other.begin(), other.end(), id) != other.end()) return false;
            uses |= std::find(side.begin(), side.end(), id) != side.end();
        }
        return uses;
    };
    BoundExpr* a = condition->args[0];
    BoundExpr* b = condition->args[1];
    if (is_volatile(a) || is_volatile(b)) return false;
    if (within(a, left, right) && within(b, right, left)) {
        out = {a, b};
        return true;
    }
    if (within(b, left, right) && within(a, right, left)) {
        out = {b, a};
        return true;
    }
    return false;
}

class Join final : public Operator {
public:
    Join(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), left_(build_operator(*plan.left, execution)),
          right_(build_operator(*plan.right, execution)) {
        const std::vector<ColumnId>& left = left_->columns();
        const std::vector<ColumnId>& right = right_->columns();
        both_ = left;
        both_.insert(both_.end(), right.begin(), right.end());
        columns_ = plan.join == JoinType::semi || plan.join == JoinType::anti ? left : both_;
        std::vector<BoundExpr*> rest;
        for (BoundExpr* condition : plan.conditions) {
            Equality equality;
            if (!plan.lateral && split_equality(condition, left, right, equality)) {
                left_keys_.emplace_back(*equality.left, left, execution);
                right_keys_.emplace_back(*equality.right, right, execution);
            } else {
                rest.push_back(condition);
            }
        }
        residual_ = std::make_unique<Conditions>(rest, both_, execution);
        if (plan.lateral) {
            for (const ColumnId id : free_columns(*plan.right)) {
                const auto found = std::find(left.begin(), left.end(), id);
                if (found != left.end())
                    cells_.emplace_back(static_cast<std::size_t>(found - left.begin()), &execution.cell(id));
            }
        }
    }

    void open() override {
        left_->open();
        left_parts_.clear();
        right_parts_.clear();
        part_ = 0;
        if (!plan_.lateral) read_right();
        start_left();
    }

    Batch* next() override {
        for (;;) {
            if (finished_) {
                if (plan_.join == JoinType::full)
                    if (Batch* batch = unmatched_right()) return batch;
                if (!next_part()) return nullptr;
            }
            if (std::exchange(row_is_done_, false)) {
                ++left_row_;
                start_row();
            }
            if (input_ == nullptr || left_row_ >= input_->count) {
                input_ = next_left();
                if (input_ == nullptr) {
                    finished_ = true;
                    continue;
                }
                left_row_ = 0;
                start_input();
            }
            if (Batch* batch = fill()) return batch;
        }
    }

private:
    void start_left() {
        input_ = nullptr;
        hit_.clear();
        left_row_ = 0;
        at_ = 0;
        finished_ = row_is_done_ = false;
        rest_ = 0;
    }

    Batch* next_left() {
        if (left_parts_.empty()) return left_->next();
        return left_parts_[part_]->read(part_batch_) ? &part_batch_ : nullptr;
    }

    /// Goes on to the next pair of files.
    bool next_part() {
        if (left_parts_.empty() || part_ + 1 == left_parts_.size()) return false;
        ++part_;
        load_part();
        start_left();
        return true;
    }

    void load_part() {
        clear_right();
        Batch batch;
        while (right_parts_[part_]->read(batch)) add_right(batch);
        right_parts_[part_].reset();
        if (plan_.join == JoinType::full) matched_.assign(rows_.size(), false);
    }

    /// Rows of a batch to the files of their keys. NULLs have partners nowhere and may lie anywhere.
    void divide(const Batch& batch, std::vector<Evaluator>& evaluators,
                std::vector<std::unique_ptr<SpillFile>>& parts) {
        std::vector<std::vector<Value>> keys(evaluators.size());
        std::vector<Value> tuple(evaluators.size());
        Arena arena;
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        for (std::size_t i = 0; i < keys.size(); ++i) {
            keys[i].resize(batch.count);
            evaluators[i].evaluate(all, keys[i].data(), arena);
        }
        for (std::size_t row = 0; row < batch.count; ++row) {
            for (std::size_t i = 0; i < keys.size(); ++i) tuple[i] = keys[i][row];
            const std::uint64_t code = TupleTable::hash(tuple.data(), tuple.size()) * 0x9e3779b97f4a7c15u;
            parts[code >> 58]->add(batch, row);
        }
    }

    /// The right side is too large: what was read of it, the rest, and the left side go to files.
    void divide_all() {
        for (std::size_t i = 0; i < k_parts; ++i) {
            left_parts_.push_back(std::make_unique<SpillFile>(left_->columns().size()));
            right_parts_.push_back(std::make_unique<SpillFile>(right_->columns().size()));
        }
        Batch batch;
        StoreReader reader;
        reader.start(rows_);
        while (reader.next(batch) != nullptr) divide(batch, right_keys_, right_parts_);
        clear_right();
        while (Batch* more = right_->next()) divide(*more, right_keys_, right_parts_);
        while (Batch* more = left_->next()) divide(*more, left_keys_, left_parts_);
        for (std::size_t i = 0; i < k_parts; ++i) {
            left_parts_[i]->rewind();
            right_parts_[i]->rewind();
        }
        load_part();
    }

    void clear_right() {
        rows_.reset(right_->columns().size());
        table_.reset(right_keys_.size());
        heads_.clear();
        chain_.clear();
        matched_.clear();
    }

    void read_right() {
        clear_right();
        const std::size_t limit = execution_.host().memory_limit();
        right_->open();
        while (Batch* batch = right_->next()) {
            add_right(*batch);
            if (right_keys_.empty() || rows_.bytes() + table_.bytes() <= limit) continue;
            divide_all();
            return;
        }
        if (plan_.join == JoinType::full) matched_.assign(rows_.size(), false);
    }

    void add_right(const Batch& batch) {
        std::vector<std::vector<Value>>& keys = right_values_;
        keys.resize(right_keys_.size());
        std::vector<Value>& tuple = tuple_;
        tuple.resize(right_keys_.size());
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        key_arena_.reset();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            keys[i].resize(batch.count);
            right_keys_[i].evaluate(all, keys[i].data(), key_arena_);
        }
        for (std::size_t row = 0; row < batch.count; ++row) {
            const auto number = static_cast<std::uint32_t>(rows_.size());
            bool null = false;
            for (std::size_t i = 0; i < keys.size(); ++i) {
                tuple[i] = keys[i][row];
                null |= tuple[i].is_null();
            }
            if (null && plan_.join != JoinType::full) continue;  // never equal to anything
            rows_.add(batch, row);
            if (keys.empty()) continue;
            chain_.push_back(k_end);
            if (null) continue;
            bool added = false;
            const std::size_t group = table_.insert(tuple.data(), added);
            if (added) {
                heads_.push_back({number, number});
            } else {
                chain_[heads_[group].last] = number;
                heads_[group].last = number;
            }
        }
    }

    /// Keys of a whole batch of the left side at once.
    void start_input() {
        keys_.resize(left_keys_.size());
        key_arena_.reset();
        const Rows all{input_, every_row(input_->count, every_), input_->count, true};
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            keys_[i].resize(input_->count);
            left_keys_[i].evaluate(all, keys_[i].data(), key_arena_);
        }
        start_row();
    }

    void start_row() {
        at_ = 0;
        if (left_row_ >= input_->count) return;
        if (plan_.lateral) {
            for (const auto& [slot, cell] : cells_) *cell = input_->columns[slot][left_row_];
            rows_.reset(right_->columns().size());
            right_->open();
            while (Batch* batch = right_->next()) rows_.add(*batch);
            return;
        }
        if (keys_.empty()) return;
        std::vector<Value>& tuple = tuple_;
        tuple.resize(keys_.size());
        at_ = k_end;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            tuple[i] = keys_[i][left_row_];
            if (tuple[i].is_null()) return;
        }
        const std::size_t group = table_.find(tuple.data());
        if (group != TupleTable::k_none) at_ = heads_[group].first;
    }

    bool has_candidate() const { return keys_.empty() || plan_.lateral ? at_ < rows_.size() : at_ != k_end; }
    std::size_t take_candidate() {
        const std::size_t row = at_;
        at_ = keys_.empty() || plan_.lateral ? at_ + 1 : chain_[at_];
        return row;
    }

    /// Pairs of as many left rows as fit; nullptr: none of them is part of the result.
    Batch* fill() {
        execution_.check_cancelled();
        pairs_.reset(both_.size());
        left_of_.clear();
        right_of_.clear();
        const std::size_t left_width = left_->columns().size();
        const std::size_t right_width = right_->columns().size();
        // Left rows whose last candidate is among the pairs. A row that goes on in the next call keeps its hit.
        std::vector<std::uint32_t> ends;
        while (left_row_ < input_->count) {
            while (has_candidate() && left_of_.size() < k_pairs) {
                left_of_.push_back(static_cast<std::uint32_t>(left_row_));
                right_of_.push_back(static_cast<std::uint32_t>(take_candidate()));
            }
            if (has_candidate()) break;
            ends.push_back(static_cast<std::uint32_t>(left_row_));
            // A lateral right side is read for one row at a time, and its rows are needed until the pairs are made.
            if (plan_.lateral) break;
            ++left_row_;
            start_row();
            if (left_of_.size() >= k_pairs) break;
        }
        for (std::size_t c = 0; c < left_width; ++c)
            for (const std::uint32_t row : left_of_) pairs_.columns[c].push_back(input_->columns[c][row]);
        for (std::size_t c = 0; c < right_width; ++c)
            for (const std::uint32_t row : right_of_) pairs_.columns[left_width + c].push_back(rows_.row(row)[c]);
        pairs_.count = left_of_.size();
        selected_.resize(pairs_.count);
        for (std::size_t i = 0; i < selected_.size(); ++i) selected_[i] = static_cast<std::uint32_t>(i);
        residual_->select(pairs_, selected_, pairs_.arena);
        std::vector<bool>& hit = hit_;
        if (hit.size() < input_->count) hit.resize(input_->count, false);
        for (const std::uint32_t pair : selected_) {
            hit[left_of_[pair]] = true;
            if (plan_.join == JoinType::full) matched_[right_of_[pair]] = true;
        }
        Batch* out = make_output(ends, left_width);
        for (const std::uint32_t row : ends) hit[row] = false;
        // The batch views the rows of this left row: the next one's come when it is asked for.
        if (plan_.lateral && !ends.empty()) row_is_done_ = true;
        return out->count == 0 ? nullptr : out;
    }

    Batch* make_output(const std::vector<std::uint32_t>& ends, std::size_t left_width) {
        if (plan_.join == JoinType::semi || plan_.join == JoinType::anti) {
            out_.reset(left_width);
            for (const std::uint32_t row : ends) {
                if (hit_[row] != (plan_.join == JoinType::semi)) continue;
                for (std::size_t c = 0; c < left_width; ++c) out_.columns[c].push_back(input_->columns[c][row]);
                ++out_.count;
            }
            return &out_;
        }
        if (selected_.size() < pairs_.count) pairs_.keep(selected_);
        if (plan_.join == JoinType::inner) return &pairs_;
        for (const std::uint32_t row : ends) {
            if (hit_[row]) continue;
            for (std::size_t c = 0; c < left_width; ++c) pairs_.columns[c].push_back(input_->columns[c][row]);
            for (std::size_t c = left_width; c < both_.size(); ++c) pairs_.columns[c].push_back(Value());
            ++pairs_.count;
        }
        return &pairs_;
    }

    Batch* unmatched_right() {
        const std::size_t left_width = left_->columns().size();
        out_.reset(both_.size());
        for (; rest_ < rows_.size() && out_.count < k_batch_rows; ++rest_) {
            if (matched_[rest_]) continue;
            for (std::size_t c = 0; c < left_width; ++c) out_.columns[c].push_back(Value());
            for (std::size_t c = left_width; c < both_.size(); ++c)
                out_.columns[c].push_back(rows_.row(rest_)[c - left_width]);
            ++out_.count;
        }
        return out_.count == 0 ? nullptr : &out_;
    }

    static constexpr std::uint32_t k_end = ~std::uint32_t{0};
    static constexpr std::size_t k_pairs = 4096;
    struct Chain {
        std::uint32_t first;
        std::uint32_t last;
    };

    static constexpr std::size_t k_parts = 64;  // as many as divide() tells apart

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> left_, right_;
    std::vector<std::unique_ptr<SpillFile>> left_parts_, right_parts_;  // empty: the right side fits
    std::size_t part_ = 0;
    Batch part_batch_;
    std::vector<std::vector<Value>> right_values_;
    std::vector<ColumnId> both_;
    std::vector<Evaluator> left_keys_, right_keys_;
    std::unique_ptr<Conditions> residual_;
    std::vector<std::pair<std::size_t, Value*>> cells_;
    RowStore rows_;
    TupleTable table_;
    std::vector<Chain> heads_;
    std::vector<std::uint32_t> chain_;
    std::vector<bool> matched_;
    Batch* input_ = nullptr;
    std::size_t left_row_ = 0;
    std::size_t at_ = 0;
    std::vector<std::vector<Value>> keys_;
    std::vector<Value> tuple_;
    Arena key_arena_;
    std::vector<std::uint32_t> every_;
    Batch pairs_, out_;
    std::vector<std::uint32_t> left_of_, right_of_, selected_;
    std::vector<bool> hit_;
    bool finished_ = false;
    bool row_is_done_ = false;  // lateral: the last batch had the last pairs of its left row
    std::size_t rest_ = 0;
};

}  // namespace operators_join

std::unique_ptr<Operator> make_join(Plan& plan, Execution& execution) {
    return std::make_unique<operators_join::Join>(plan, execution);
}

}  // namespace northstar::inline v0::sql
