// FOR UPDATE and its kin: rows are locked one by one, as far as they are asked for.
#include "sql/execute/operators.hpp"

namespace northstar::inline v0::sql {

namespace operators_lock {

class LockRows final : public Operator {
public:
    LockRows(Plan& plan, Execution& execution)
        : execution_(execution), input_(build_operator(*plan.left, execution)) {
        columns_ = input_->columns();
        for (RowLock& lock : plan.row_locks) {
            locks_.push_back({lock.strength, lock.wait, Evaluator(*lock.table, columns_, execution),
                              Evaluator(*lock.key, columns_, execution)});
            skips_ = skips_ || lock.wait == LockWait::skip;
        }
    }

    void open() override {
        const Unwatched reading(*this);
        input_->open();
        batch_ = nullptr;
        at_ = 0;
    }

    bool finish_run() override {
        batch_ = nullptr;
        return input_->finish_run() && std::all_of(locks_.begin(), locks_.end(), [](const Lock& lock) {
                   return lock.table.outlasts_run() && lock.key.outlasts_run();
               });
    }

    Batch* next() override {
        for (;;) {
            while (batch_ == nullptr || at_ == batch_->count) {
                const Unwatched reading(*this);
                batch_ = input_->next();
                at_ = 0;
                if (batch_ == nullptr) return nullptr;
            }
            const auto row = static_cast<std::uint32_t>(at_++);
            if (!locked(row)) continue;
            out_.reset(columns_.size());
            for (std::size_t i = 0; i < columns_.size(); ++i) out_.columns[i].push_back(batch_->columns[i][row]);
            out_.count = 1;
            return &out_;
        }
    }

private:
    struct Lock {
        LockStrength strength;
        LockWait wait;
        Evaluator table, key;
    };

    /// What SKIP LOCKED leaves out may change meanwhile, whatever was read to find that out.
    class Unwatched {
    public:
        explicit Unwatched(LockRows& rows) : rows_(rows) {
            if (rows_.skips_) rows_.execution_.host().watch_reads(false);
        }
        Unwatched(const Unwatched&) = delete;
        Unwatched& operator=(const Unwatched&) = delete;
        ~Unwatched() {
            if (rows_.skips_) rows_.execution_.host().watch_reads(true);
        }

    private:
        LockRows& rows_;
    };

    bool locked(std::uint32_t row) {
        const Rows rows{batch_, &row, 1};
        for (Lock& lock : locks_) {
            Value table, key;
            lock.table.evaluate(rows, &table, out_.arena);
            lock.key.evaluate(rows, &key, out_.arena);
            if (key.is_null()) continue;
            if (!execution_.host().lock_row(static_cast<Oid>(table.integer()), key.bytes(), lock.strength, lock.wait))
                return false;
        }
        return true;
    }

    Execution& execution_;
    std::unique_ptr<Operator> input_;
    std::vector<Lock> locks_;
    bool skips_ = false;
    Batch* batch_ = nullptr;
    std::size_t at_ = 0;
    Batch out_;
};

}  // namespace operators_lock

std::unique_ptr<Operator> make_lock_rows(Plan& plan, Execution& execution) {
    return std::make_unique<operators_lock::LockRows>(plan, execution);
}

}  // namespace northstar::inline v0::sql
