// Texts that differ from others in their literals alone: the plan of their shape is made and run.
#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

bool SqlSession::execute_by_shape(std::string_view text, StatementResult& result) {
    if (plan_cache_ == PlanCache::none || failed_ || block_point_ || text.size() > k_longest_kept_text ||
        texts_.find(text) != texts_.end() || !read_shape(text, shape_))
        return false;
    if (shapes_settings_ != settings_number_) shapes_.clear();
    shapes_settings_ = settings_number_;
    ShapeCache::Entry* entry = shapes_.find(shape_.key);
    if (entry == nullptr && plan_cache_ == PlanCache::eager) entry = shapes_.find(shape_.key);
    if (entry == nullptr) return false;
    ShapePlan* plan = entry->find(shape_.literals);
    if (plan == nullptr) {
        const bool refused = entry->refused != nullptr && entry->refused == present_.catalog;
        if (refused || entry->plans.size() >= ShapeCache::k_plans_of_a_shape) return false;
        std::unique_ptr<ShapePlan> made = make_shape_plan(text);
        entry->refused = made == nullptr ? present_.catalog : nullptr;
        if (made == nullptr) return false;
        plan = entry->plans.emplace_back(std::move(made)).get();
    }
    shape_plan_ = plan;
    literal_values_.clear();
    try {
        run(*plan->plan.statement, text, literal_values_, &plan->plan.bound, result);
    } catch (...) {
        if (!plan->plan.bound.reusable) entry->forget(plan);
        throw;
    }
    if (result.has_rows && result.columns.empty()) result.columns = plan->plan.bound.query.columns;
    // The catalog has changed: the next text of the shape has a new plan made.
    if (!plan->plan.bound.reusable) entry->forget(plan);
    return true;
}

/// nullptr: such texts are planned one by one. What is wrong with this one is told when it runs.
std::unique_ptr<ShapePlan> SqlSession::make_shape_plan(std::string_view text) {
    static const std::vector<Value> nothing;
    try {
        auto made = std::make_unique<ShapePlan>(text);
        const syntax::Statement* const statement = made->plan.statement;
        if (statement == nullptr || statement->parameters > 0) return nullptr;
        const bool query = statement->kind == syntax::StatementKind::query && statement->query->into == nullptr;
        if (!query && statement->change == nullptr) return nullptr;
        StatementShape own;
        read_shape(made->plan.text, own);
        made->literals = std::move(own.literals);
        if (!made->agrees()) return nullptr;
        BoundStatement& bound = made->plan.bound;
        bound.literals = std::make_unique<LiteralSlots>(made->literals.size());
        parameters_ = &nothing;
        begin_work(only_reads(*statement) && !in_block_ ? Work::reading : Work::optimistic);
        making_plan_ = true;
        bind(*statement, made->plan.text, bound);
        making_plan_ = false;
        if (!in_block_) end_work();
        return bound.reusable && bound.literals->any_free() ? std::move(made) : nullptr;
    } catch (const std::exception&) {
        making_plan_ = false;
        if (!in_block_) end_work();
        return nullptr;
    }
}

void SqlSession::run_shape_plan(std::string_view text, StatementResult& result) {
    ShapePlan& shape = *shape_plan_;
    BoundStatement& bound = shape.plan.bound;
    bound.reusable = is_usable(bound);
    bool readable = bound.reusable;
    if (readable) {
        literal_arena_.reset();
        try {
            bound.literals->evaluate(shape_.literals, literal_values_, literal_arena_, session_);
            readable = move_points(bound);
            // Labels are those of the state that is read.
            if (types_.is_whole()) bound.literals->evaluate(shape_.literals, literal_values_, literal_arena_, session_);
        } catch (const SqlError&) {
            readable = false;
        }
    }
    if (!readable) {
        // It may mean something else by now, or says itself what is wrong with it.
        literal_values_.clear();
        PreparedPlan own(text);
        result = dispatch(*own.statement, text, &own.bound);
        return;
    }
    try {
        if (bound.point) look_up(*bound.point, result);
        else if (only_reads(*shape.plan.statement)) run_bound_query(bound, result);
        else result = dispatch(*shape.plan.statement, shape.plan.text, &bound);
    } catch (SqlError& error) {
        if (error.report().position > 0)
            error.edit().position = shape.place_in(shape_.literals, error.report().position);
        throw;
    }
}

}  // namespace northstar::inline v0::sql
