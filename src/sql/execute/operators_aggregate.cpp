// GROUP BY by hashing: a table of groups for each grouping set, states of the aggregates beside it.
#include "sql/execute/aggregate_state.hpp"
#include "sql/execute/operators.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_aggregate {

class Aggregate final : public Operator {
public:
    Aggregate(Plan& plan, Execution& execution) : plan_(plan), execution_(execution),
                                                  input_(build_operator(*plan.left, execution)) {
        for (PlanColumn& group : plan.groups) {
            columns_.push_back(group.id);
            keys_.emplace_back(*group.expr, input_->columns(), execution);
        }
        for (PlanColumn& column : plan.columns) columns_.push_back(column.id);
        if (plan.grouping_id != k_no_column) columns_.push_back(plan.grouping_id);
        sets_ = plan.grouping_sets;
        if (sets_.empty()) {
            sets_.emplace_back();
            for (std::size_t i = 0; i < plan.groups.size(); ++i) sets_[0].push_back(i);
        }
    }

    void open() override {
        input_->open();
        runners_.clear();
        for (PlanColumn& column : plan_.columns)
            runners_.push_back(std::make_unique<AggregateRunner>(*column.expr, input_->columns(), execution_));
        tables_.clear();
        groups_.clear();
        for (const auto& set : sets_) {
            tables_.emplace_back(set.size());
            groups_.emplace_back();
        }
        while (Batch* batch = input_->next()) take(*batch);
        // Without GROUP BY, and for an empty grouping set, there is a group even of no rows.
        for (std::size_t s = 0; s < sets_.size(); ++s) {
            if (!sets_[s].empty() || tables_[s].size() > 0) continue;
            bool added = false;
            tables_[s].insert(nullptr, added);
            add_group(s);
        }
        set_ = 0;
        group_ = 0;
    }

    Batch* next() override {
        batch_.reset(columns_.size());
        while (set_ < sets_.size() && batch_.count < k_batch_rows) {
            if (group_ >= tables_[set_].size()) {
                ++set_;
                group_ = 0;
                continue;
            }
            const Value* key = tables_[set_].tuple(group_);
            for (std::size_t i = 0; i < plan_.groups.size(); ++i) {
                const auto& set = sets_[set_];
                const auto at = std::find(set.begin(), set.end(), i);
                batch_.columns[i].push_back(at == set.end() ? Value::null(plan_.groups[i].expr->type)
                                                            : key[at - set.begin()]);
            }
            for (std::size_t i = 0; i < runners_.size(); ++i)
                batch_.columns[plan_.groups.size() + i].push_back(
                    runners_[i]->finish(groups_[set_][group_ * runners_.size() + i]));
            if (plan_.grouping_id != k_no_column)
                batch_.columns.back().push_back(Value::int4(static_cast<std::int64_t>(set_)));
            ++batch_.count;
            ++group_;
        }
        return batch_.count == 0 ? nullptr : &batch_;
    }

private:
    void add_group(std::size_t set) {
        for (auto& runner : runners_) groups_[set].push_back(runner->start());
    }

    void take(const Batch& batch) {
        const Rows rows{&batch, every_row(batch.count, every_), batch.count};
        values_.resize(keys_.size());
        Arena arena;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            values_[i].resize(batch.count);
            keys_[i].evaluate(rows, values_[i].data(), arena);
        }
        for (auto& runner : runners_) runner->prepare(rows);
        std::vector<Value> tuple(keys_.size() + 1);
        for (std::size_t s = 0; s < sets_.size(); ++s) {
            const auto& set = sets_[s];
            for (std::size_t row = 0; row < batch.count; ++row) {
                for (std::size_t i = 0; i < set.size(); ++i) tuple[i] = values_[set[i]][row];
                bool added = false;
                const std::size_t group = tables_[s].insert(tuple.data(), added);
                if (added) add_group(s);
                for (std::size_t i = 0; i < runners_.size(); ++i)
                    runners_[i]->step(groups_[s][group * runners_.size() + i], row);
            }
        }
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> input_;
    std::vector<Evaluator> keys_;
    std::vector<std::vector<std::size_t>> sets_;
    std::vector<std::unique_ptr<AggregateRunner>> runners_;
    std::vector<TupleTable> tables_;
    std::vector<std::vector<AggregateRunner::Group>> groups_;
    std::vector<std::vector<Value>> values_;
    std::vector<std::uint32_t> every_;
    std::size_t set_ = 0;
    std::size_t group_ = 0;
    Batch batch_;
};

}  // namespace operators_aggregate

std::unique_ptr<Operator> make_aggregate(Plan& plan, Execution& execution) {
    return std::make_unique<operators_aggregate::Aggregate>(plan, execution);
}

}  // namespace northstar::inline v0::sql
