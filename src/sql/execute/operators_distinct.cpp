// DISTINCT and set operations, by hashing.
//
// When the tuples outgrow the limit of memory, rows of further ones go to files, by the hash of the tuple; each file is
// an input of its own when those in memory are done.
#include "sql/execute/operators.hpp"
#include "sql/execute/partition_files.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_distinct {

class Distinct final : public Operator {
public:
    Distinct(Plan& plan, Execution& execution) : execution_(execution), input_(build_operator(*plan.left, execution)),
                                                 sorted_(is_sorted(plan)) {
        columns_ = input_->columns();
        for (BoundExpr* expr : plan.distinct_on) on_.emplace_back(*expr, columns_, execution);
        values_.resize(on_.size());
        views_.resize(on_.size());
    }
    void open() override {
        input_->open();
        limit_ = execution_.host().memory_limit();
        aside_.reset(columns_.size());
        file_ = nullptr;
        start_input();
    }
    Batch* next() override {
        for (;;) {
            Batch* batch = read();
            if (batch == nullptr) {
                file_ = aside_.next();
                if (file_ == nullptr) return nullptr;
                start_input();
                continue;
            }
            find_new(*batch);
            if (rows_.empty()) continue;
            if (rows_.size() < batch->count) batch->keep(rows_);
            return batch;
        }
    }

private:
    /// Equal rows are neighbours: the optimizer says so, or the input comes out of a sort whose first keys are the
    /// expressions, in any order (DISTINCT ON).
    static bool is_sorted(const Plan& plan) {
        if (plan.in_order) return true;
        const Plan& input = *plan.left;
        if (input.kind != PlanKind::sort || input.keys.size() < plan.distinct_on.size()) return false;
        const auto end = input.keys.begin() + static_cast<std::ptrdiff_t>(plan.distinct_on.size());
        return std::all_of(plan.distinct_on.begin(), plan.distinct_on.end(), [&](const BoundExpr* on) {
            return std::any_of(input.keys.begin(), end, [&](const SortKey& key) { return same_expr(*key.expr, *on); });
        });
    }
    void start_input() {
        seen_.reset(on_.size());
        full_ = false;
    }
    Batch* read() {
        if (file_ == nullptr) return input_->next();
        return file_->read(batch_) ? &batch_ : nullptr;
    }

    /// rows_: the rows whose tuple comes for the first time. While memory is full those are put aside.
    void find_new(Batch& batch) {
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        for (std::size_t i = 0; i < on_.size(); ++i) views_[i] = on_[i].view(all, values_[i], batch.arena);
        numbers_.resize(batch.count);
        rows_.clear();
        if (full_) {
            seen_.find_rows(views_.data(), batch.count, numbers_.data());
            std::vector<Value> tuple(on_.size() + 1);
            for (std::size_t row = 0; row < batch.count; ++row) {
                if (numbers_[row] != TupleTable::k_no_tuple) continue;
                for (std::size_t i = 0; i < on_.size(); ++i) tuple[i] = views_[i][row];
                aside_.add(batch, row, TupleTable::hash(tuple.data(), on_.size()));
            }
            return;
        }
        std::size_t known = seen_.size();
        seen_.insert_rows(views_.data(), batch.count, numbers_.data());
        for (std::size_t row = 0; row < batch.count; ++row) {
            if (numbers_[row] != known) continue;
            rows_.push_back(static_cast<std::uint32_t>(row));
            ++known;
        }
        if (seen_.bytes() <= limit_) return;
        if (sorted_) forget_all_but(batch.count - 1);
        else full_ = aside_.can_divide();
    }

    /// Equal tuples follow each other where the input is sorted.
    void forget_all_but(std::size_t row) {
        std::vector<Value> tuple(on_.size() + 1);
        for (std::size_t i = 0; i < on_.size(); ++i) tuple[i] = views_[i][row];
        seen_.reset(on_.size());
        bool added = false;
        seen_.insert(tuple.data(), added);
    }

    Execution& execution_;
    std::unique_ptr<Operator> input_;
    const bool sorted_;
    std::vector<Evaluator> on_;
    std::vector<std::vector<Value>> values_;
    std::vector<const Value*> views_;
    std::vector<std::uint32_t> every_, numbers_, rows_;
    std::size_t limit_ = 0;
    TupleTable seen_;
    bool full_ = false;  // rows of new tuples go to files
    PartitionFiles aside_;
    SpillFile* file_ = nullptr;  // being read; nullptr: the input is
    Batch batch_;
};

/// UNION, INTERSECT and EXCEPT count how often a tuple comes from the left and from the right. A row that was put aside
/// has its side behind its columns.
class SetOperation final : public Operator {
public:
    SetOperation(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), left_(build_operator(*plan.left, execution)),
          right_(build_operator(*plan.right, execution)), left_places_(places(*plan.left, *left_)),
          right_places_(places(*plan.right, *right_)) {
        columns_ = plan.output;
        views_.resize(columns_.size());
    }
    void open() override {
        left_->open();
        right_->open();
        in_right_ = false;
        if (plan_.set == SetKind::union_ && plan_.all) return;
        limit_ = execution_.host().memory_limit();
        aside_.reset(columns_.size() + 1);
        start_input();
        const auto take_all = [&](Operator& from, const std::vector<std::size_t>& at, bool is_left) {
            while (const Batch* batch = from.next()) {
                for (std::size_t i = 0; i < columns_.size(); ++i) views_[i] = batch->columns[at[i]].data();
                take(batch->count, is_left);
            }
        };
        take_all(*left_, left_places_, true);
        take_all(*right_, right_places_, false);
    }
    Batch* next() override {
        if (plan_.set == SetKind::union_ && plan_.all) return next_of_all();
        for (;;) {
            hand_out();
            if (batch_.count > 0) return &batch_;
            SpillFile* const file = aside_.next();
            if (file == nullptr) return nullptr;
            start_input();
            take_file(*file);
        }
    }

private:
    static std::vector<std::size_t> places(const Plan& plan, const Operator& op) {
        std::vector<std::size_t> at;
        for (const ColumnId id : plan.output)
            at.push_back(static_cast<std::size_t>(std::find(op.columns().begin(), op.columns().end(), id) -
                                                  op.columns().begin()));
        return at;
    }

    Batch* next_of_all() {
        if (!in_right_) {
            if (const Batch* batch = left_->next()) return pick(*batch, left_places_);
            in_right_ = true;
        }
        const Batch* batch = right_->next();
        return batch == nullptr ? nullptr : pick(*batch, right_places_);
    }
    Batch* pick(const Batch& from, const std::vector<std::size_t>& at) {
        batch_.reset(columns_.size());
        batch_.count = from.count;
        for (std::size_t i = 0; i < columns_.size(); ++i) batch_.columns[i] = from.columns[at[i]];
        return &batch_;
    }

    void start_input() {
        table_.reset(columns_.size());
        counts_.clear();
        full_ = false;
        tuple_ = 0;
        copies_ = 0;
    }

    /// Rows of an input that was put aside: those of the left side come first.
    void take_file(SpillFile& file) {
        Batch batch;
        while (file.read(batch)) {
            const std::vector<Value>& side = batch.columns[columns_.size()];
            for (std::size_t begin = 0; begin < batch.count;) {
                std::size_t end = begin + 1;
                while (end < batch.count && side[end].boolean() == side[begin].boolean()) ++end;
                for (std::size_t i = 0; i < columns_.size(); ++i) views_[i] = batch.columns[i].data() + begin;
                take(end - begin, side[begin].boolean());
                begin = end;
            }
        }
    }

    /// Counts the rows in views_.
    void take(std::size_t count, bool is_left) {
        const bool adds = is_left || plan_.set == SetKind::union_;
        numbers_.resize(count);
        if (adds && !full_) table_.insert_rows(views_.data(), count, numbers_.data());
        else table_.find_rows(views_.data(), count, numbers_.data());
        counts_.resize(table_.size());
        for (std::size_t row = 0; row < count; ++row) {
            if (numbers_[row] == TupleTable::k_no_tuple) {
                if (full_) put_aside(row, is_left, adds);
                continue;
            }
            Counts& counts = counts_[numbers_[row]];
            ++(is_left ? counts.left : counts.right);
        }
        full_ = full_ || (aside_.can_divide() && table_.bytes() + counts_.capacity() * sizeof(Counts) > limit_);
    }

    void put_aside(std::size_t row, bool is_left, bool adds) {
        row_.resize(columns_.size() + 1);
        for (std::size_t i = 0; i < columns_.size(); ++i) row_[i] = views_[i][row];
        row_.back() = Value::boolean(is_left);
        const std::uint64_t hash = TupleTable::hash(row_.data(), columns_.size());
        if (adds || aside_.has(hash)) aside_.add(row_.data(), hash);
    }

    struct Counts {
        std::uint64_t left = 0, right = 0;
    };
    std::uint64_t copies_of(const Counts& counts) const {
        switch (plan_.set) {
            case SetKind::intersect:
                return plan_.all ? std::min(counts.left, counts.right) : (counts.right > 0 ? 1 : 0);
            case SetKind::except:
                return plan_.all ? counts.left - std::min(counts.left, counts.right) : (counts.right == 0 ? 1 : 0);
            default: return 1;
        }
    }
    /// As many rows of the table as a batch has.
    void hand_out() {
        batch_.reset(columns_.size());
        while (batch_.count < k_batch_rows && tuple_ < table_.size()) {
            const std::uint64_t wanted = copies_of(counts_[tuple_]) - copies_;
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, k_batch_rows - batch_.count));
            for (std::size_t i = 0; i < columns_.size(); ++i)
                batch_.columns[i].insert(batch_.columns[i].end(), count, table_.tuple(tuple_)[i]);
            batch_.count += count;
            copies_ += count;
            if (count < wanted) return;
            ++tuple_;
            copies_ = 0;
        }
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> left_, right_;
    std::vector<std::size_t> left_places_, right_places_;
    bool in_right_ = false;
    std::size_t limit_ = 0;
    TupleTable table_;
    std::vector<Counts> counts_;  // by tuple
    bool full_ = false;           // rows of new tuples go to files
    PartitionFiles aside_;
    std::size_t tuple_ = 0;       // the next to be handed out
    std::uint64_t copies_ = 0;    // of it that were
    std::vector<const Value*> views_;
    std::vector<std::uint32_t> numbers_;
    std::vector<Value> row_;
    Batch batch_;
};

}  // namespace operators_distinct

std::unique_ptr<Operator> make_distinct(Plan& plan, Execution& execution) {
    return std::make_unique<operators_distinct::Distinct>(plan, execution);
}
std::unique_ptr<Operator> make_set_operation(Plan& plan, Execution& execution) {
    return std::make_unique<operators_distinct::SetOperation>(plan, execution);
}

}  // namespace northstar::inline v0::sql
