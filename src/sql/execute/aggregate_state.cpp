#include "sql/execute/aggregate_state.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::sql {

AggregateRunner::AggregateRunner(BoundExpr& call, const std::vector<ColumnId>& input,
                                 const std::vector<ColumnId>& groups, Execution& execution)
    : call_(call), clauses_(call.clauses), body_(call.function->aggregate), execution_(execution) {
    if (body_ == nullptr)
        raise(sqlstate::feature_not_supported, std::string("aggregate ") + call.function->name + " is not supported");
    for (std::size_t i = 0; i < call.args.size(); ++i) {
        BoundExpr* arg = call.args[i];
        if (i < clauses_->direct_count) {
            direct_.emplace_back(*arg, groups, execution);
            continue;
        }
        arguments_.emplace_back(*arg, input, execution);
        types_.push_back(arg->type);
    }
    order_ = clauses_->order;
    // Then what is equal comes together.
    if (clauses_->distinct && sorts())
        for (BoundExpr* arg : call.args) {
            const auto sorts_by = [arg](const SortKey& key) { return same_expr(*key.expr, *arg); };
            if (std::none_of(order_.begin(), order_.end(), sorts_by)) order_.push_back({arg, false, false});
        }
    for (const SortKey& key : order_) keys_.emplace_back(*key.expr, input, execution);
    if (call.function->aggregate_kind != AggregateKind::normal)
        for (const SortKey& key : clauses_->order) orders_.push_back({key.descending, key.nulls_first});
    if (clauses_->filter != nullptr) filter_ = std::make_unique<Evaluator>(*clauses_->filter, input, execution);
    plain_ = !clauses_->distinct && clauses_->filter == nullptr && !sorts() && direct_.empty() &&
             arguments_.size() <= 1;
    views_.resize(arguments_.size());
    values_.resize(arguments_.size());
    key_values_.resize(keys_.size());
    direct_values_.resize(direct_.size());
    row_.resize(arguments_.size() + keys_.size());
}

void AggregateRunner::reset(std::size_t limit) {
    empty_arena(arena_);
    kept_ = 0;
    limit_ = limit;
    aside_.reset(arguments_.size() + 1);
    put_aside_ = false;
    if (!sorts()) return;
    std::vector<std::size_t> places{0};
    for (std::size_t i = 0; i < keys_.size(); ++i) places.push_back(1 + arguments_.size() + i);
    std::vector<SortKey> keys{SortKey{}};
    keys.insert(keys.end(), order_.begin(), order_.end());
    sorter_.start(1 + row_.size(), std::move(places), std::move(keys));
    sorter_reads_ = false;
}

AggregateCall AggregateRunner::context(Group& group, Arena& arena) {
    return {arena, execution_.session(), call_.type, types_, group.direct, orders_, group.steps};
}

AggregateRunner::Group AggregateRunner::start() {
    Group group;
    char* bytes = arena_.allocate(body_->state_size + 16);
    bytes += (16 - reinterpret_cast<std::uintptr_t>(bytes) % 16) % 16;
    std::memset(bytes, 0, body_->state_size);
    group.state = bytes;
    AggregateCall call = context(group);
    body_->init(call, group.state);
    if (clauses_->distinct && !sorts()) group.seen = std::make_unique<TupleTable>(arguments_.size());
    if (sorts()) group.sorted = std::make_unique<RowStore>(arguments_.size() + keys_.size());
    return group;
}

void AggregateRunner::init(char* state) {
    Group none;
    AggregateCall call = context(none);
    body_->init(call, state);
}

void AggregateRunner::step_all(char* const* states, std::size_t offset, std::size_t count) {
    Group none;
    AggregateCall call = context(none);
    const Value* const values = arguments_.empty() ? nullptr : views_[0];
    const bool strict = call_.function->strict;
    if (body_->step_rows != nullptr && (values == nullptr || strict))
        return body_->step_rows(call, states, offset, values, count);
    const auto step = body_->step;
    for (std::size_t k = 0; k < count; ++k) {
        if (values == nullptr) step(call, states[k] + offset, nullptr, 0);
        else if (!strict || !values[k].is_null()) step(call, states[k] + offset, values + k, 1);
    }
}

void AggregateRunner::step_run(char* state, std::size_t count) {
    Group none;
    AggregateCall call = context(none);
    const Value* const values = arguments_.empty() ? nullptr : views_[0];
    const bool strict = call_.function->strict;
    if (body_->step_run != nullptr && (values == nullptr || strict))
        return body_->step_run(call, state, values, count);
    const auto step = body_->step;
    for (std::size_t k = 0; k < count; ++k) {
        if (values == nullptr) step(call, state, nullptr, 0);
        else if (!strict || !values[k].is_null()) step(call, state, values + k, 1);
    }
}

void AggregateRunner::step(char* state, std::size_t k) {
    Group none;
    AggregateCall call = context(none);
    const std::size_t count = arguments_.size();
    const Value* const value = count == 0 ? nullptr : views_[0] + k;
    if (value == nullptr || !call_.function->strict || !value->is_null()) body_->step(call, state, value, count);
}

Value AggregateRunner::finish(char* state, Arena& arena) {
    Group none;
    AggregateCall call = context(none, arena);
    const Value result = body_->final(call, state);
    return result.is_null() ? Value::null(call_.type) : result;
}

void AggregateRunner::prepare(const Rows& rows) {
    row_arena_.reset();
    if (filter_ != nullptr) return prepare_filtered(rows);
    for (std::size_t i = 0; i < arguments_.size(); ++i) views_[i] = arguments_[i].view(rows, values_[i], row_arena_);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        key_values_[i].resize(rows.count);
        keys_[i].evaluate(rows, key_values_[i].data(), row_arena_);
    }
}

/// FILTER first: the arguments may have no value for the rows that it leaves out.
void AggregateRunner::prepare_filtered(const Rows& rows) {
    filter_values_.resize(rows.count);
    filter_->evaluate(rows, filter_values_.data(), row_arena_);
    std::vector<std::uint32_t> kept, places;
    for (std::size_t k = 0; k < rows.count; ++k) {
        if (!included(k)) continue;
        kept.push_back(rows.index == nullptr ? static_cast<std::uint32_t>(k) : rows.index[k]);
        places.push_back(static_cast<std::uint32_t>(k));
    }
    const Rows selected{rows.batch, kept.data(), kept.size(), false};
    std::vector<Value> found(kept.size());
    const auto scatter = [&](Evaluator& evaluator, std::vector<Value>& out) {
        out.resize(rows.count);
        if (kept.empty()) return;
        evaluator.evaluate(selected, found.data(), row_arena_);
        for (std::size_t i = 0; i < kept.size(); ++i) out[places[i]] = found[i];
    };
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
        if (arguments_[i].slot() >= 0) {
            views_[i] = arguments_[i].view(rows, values_[i], row_arena_);
            continue;
        }
        scatter(arguments_[i], values_[i]);
        views_[i] = values_[i].data();
    }
    for (std::size_t i = 0; i < keys_.size(); ++i) scatter(keys_[i], key_values_[i]);
}

void AggregateRunner::step(Group& group, std::size_t k, std::size_t number) {
    if (!included(k)) return;
    for (std::size_t i = 0; i < arguments_.size(); ++i) row_[i] = views_[i][k];
    if (!sorts()) {
        if (group.seen == nullptr || sees_first(group, row_.data(), number)) feed(group, row_.data());
        return;
    }
    for (std::size_t i = 0; i < keys_.size(); ++i) row_[arguments_.size() + i] = key_values_[i][k];
    if (!orders_.empty() && (!call_.function->strict || !row_[0].is_null())) ++group.steps;
    keep_sorted(group, number);
}

/// ORDER BY: the first rows stay with their group, those beyond the limit are sorted for all groups together.
void AggregateRunner::keep_sorted(Group& group, std::size_t number) {
    const bool is_full = kept_ > limit_;
    RowStore& rows = is_full ? sorter_.rows() : *group.sorted;
    const std::size_t before = rows.bytes();
    Value* to = rows.add();
    if (is_full) *to++ = Value::int8(static_cast<std::int64_t>(number));
    for (std::size_t i = 0; i < row_.size(); ++i) to[i] = keep_value(row_[i], rows.arena());
    if (!is_full) kept_ += rows.bytes() - before;
    else if (rows.bytes() > limit_) sorter_.put_aside();
}

void AggregateRunner::step_run(Group& group, std::size_t count, std::size_t number) {
    if (plain_) return step_run(static_cast<char*>(group.state), count);
    const bool together = group.seen != nullptr && filter_ == nullptr && !sorts() && kept_ <= limit_;
    if (!together) {
        for (std::size_t k = 0; k < count; ++k) step(group, k, number);
        return;
    }
    const std::size_t known = group.seen->size();
    tuples_.resize(count);
    group.seen->insert_rows(views_.data(), count, tuples_.data());
    for (std::size_t tuple = known; tuple < group.seen->size(); ++tuple) {
        note_seen(group.seen->tuple(tuple));
        feed(group, group.seen->tuple(tuple));
    }
}

void AggregateRunner::step(Group& group, const Value* arguments) {
    if (group.seen != nullptr) {
        bool added = false;
        group.seen->insert(arguments, added);
        if (!added) return;
    }
    feed(group, arguments);
}

/// DISTINCT: what was not seen is remembered, or put aside where memory is used up.
bool AggregateRunner::sees_first(Group& group, const Value* arguments, std::size_t number) {
    if (kept_ > limit_) {
        if (group.seen->find(arguments) != TupleTable::k_none) return false;
        std::vector<Value> row{Value::int8(static_cast<std::int64_t>(number))};
        row.insert(row.end(), arguments, arguments + arguments_.size());
        aside_.add(row.data(), TupleTable::hash(row.data(), row.size()));
        put_aside_ = true;
        return false;
    }
    bool added = false;
    group.seen->insert(arguments, added);
    if (added) note_seen(arguments);
    return added;
}

/// About what a table takes for a tuple: vectors that grow twofold, slots that are half full at most.
void AggregateRunner::note_seen(const Value* arguments) {
    kept_ += 48 + 2 * sizeof(Value) * arguments_.size();
    for (std::size_t i = 0; i < arguments_.size(); ++i)
        if (!arguments[i].is_null() && arguments[i].form() == Form::bytes) kept_ += arguments[i].bytes().size();
}

void AggregateRunner::take_rest(const std::function<Group&(std::size_t number)>& group_of) {
    if (!put_aside_) return;
    TupleTable seen(arguments_.size() + 1);
    while (SpillFile* const file = aside_.next()) {
        seen.reset(arguments_.size() + 1);
        Batch batch;
        std::vector<Value> row(arguments_.size() + 1);
        while (file->read(batch))
            for (std::size_t k = 0; k < batch.count; ++k) {
                for (std::size_t i = 0; i < row.size(); ++i) row[i] = batch.columns[i][k];
                const bool full = aside_.can_divide() && seen.bytes() > limit_;
                bool added = false;
                if (!full) seen.insert(row.data(), added);
                else if (seen.find(row.data()) == TupleTable::k_none)
                    aside_.add(row.data(), TupleTable::hash(row.data(), row.size()));
                if (added) feed(group_of(static_cast<std::size_t>(row[0].integer())), row.data() + 1);
            }
    }
    put_aside_ = false;
}

void AggregateRunner::feed(Group& group, const Value* arguments) {
    const std::size_t count = arguments_.size();
    if (call_.function->strict)
        for (std::size_t i = 0; i < count; ++i)
            if (arguments[i].is_null()) return;
    AggregateCall call = context(group);
    body_->step(call, group.state, arguments, count);
}

void AggregateRunner::step(char* state, const Value* arguments) {
    Group own;
    own.state = state;
    feed(own, arguments);
}

void AggregateRunner::combine(char* state, const char* other) {
    Group none;
    AggregateCall call = context(none);
    body_->combine(call, state, other);
}

void AggregateRunner::invert(Group& group, const Value* arguments) {
    const std::size_t count = arguments_.size();
    if (call_.function->strict)
        for (std::size_t i = 0; i < count; ++i)
            if (arguments[i].is_null()) return;
    AggregateCall call = context(group);
    body_->inverse(call, group.state, arguments, count);
}

void AggregateRunner::prepare_direct(const Rows& groups) {
    sorted_arena_.reset();
    for (std::size_t i = 0; i < direct_.size(); ++i) {
        direct_values_[i].resize(groups.count);
        direct_[i].evaluate(groups, direct_values_[i].data(), arena_);
    }
}

Value AggregateRunner::finish(Group& group, std::size_t k, std::size_t number) {
    group.direct.clear();
    for (const std::vector<Value>& values : direct_values_) group.direct.push_back(values[k]);
    if (group.sorted != nullptr) step_sorted(group, number);
    return finish(group, group.sorted == nullptr ? arena_ : sorted_arena_);
}

/// Takes the rows of a group in order: those that it kept, and those that were put aside, which came behind them.
void AggregateRunner::step_sorted(Group& group, std::size_t number) {
    std::vector<Value*>& rows = group.sorted->rows();
    const std::size_t width = arguments_.size();
    std::stable_sort(rows.begin(), rows.end(), [&](const Value* a, const Value* b) {
        return compare_keys(a + width, b + width, order_) < 0;
    });
    std::vector<Value> last;  // what DISTINCT took
    const auto take = [&](const Value* arguments) {
        if (clauses_->distinct) {
            if (!last.empty() && TupleTable::equal(last.data(), arguments, width)) return;
            last.clear();
            last_arena_.reset();
            for (std::size_t i = 0; i < width; ++i) last.push_back(keep_value(arguments[i], last_arena_));
        }
        feed(group, arguments);
    };
    for (std::size_t at = 0;;) {
        const Value* const other = first_put_aside(number);
        if (at < rows.size() &&
            (other == nullptr || compare_keys(rows[at] + width, other + 1 + width, order_) <= 0)) {
            take(rows[at++]);
            continue;
        }
        if (other == nullptr) break;
        take(other + 1);
        sorter_.pop();
    }
    rows.clear();
}

/// Of the rows that were put aside the next one, if it is of that group.
const Value* AggregateRunner::first_put_aside(std::size_t number) {
    if (!sorter_reads_) sorter_.sort();
    sorter_reads_ = true;
    const Value* const row = sorter_.front();
    return row != nullptr && row[0].integer() == static_cast<std::int64_t>(number) ? row : nullptr;
}

Value AggregateRunner::finish(Group& group, Arena& arena) {
    AggregateCall call = context(group, arena);
    Value result = body_->final(call, group.state);
    return result.is_null() ? Value::null(call_.type) : result;
}

}  // namespace northstar::inline v0::sql
