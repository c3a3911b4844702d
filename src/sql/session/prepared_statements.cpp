// Statements that are kept bound: the cache of texts, what makes a bound one valid, and look-ups by primary key.
#include "sql/execute/fold_constants.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace prepared_statements {

constexpr std::size_t k_kept_texts = 256;

/// A statement's part of the text of a script; the whole text of one that stands inside of another statement.
std::string_view own_text(const syntax::Statement& statement, std::string_view text) {
    return statement.end == 0 ? text : text.substr(statement.begin, statement.end - statement.begin);
}

/// Literals that mean another time at each execution: 'now', 'today', 'tomorrow', 'yesterday'.
bool mentions_clock(std::string_view text) {
    for (std::size_t at = text.find('\''); at != std::string_view::npos; at = text.find('\'', at + 1)) {
        std::size_t from = at + 1;
        while (from < text.size() && (text[from] == ' ' || text[from] == '\t' || text[from] == '\n')) ++from;
        for (const std::string_view word : {"now", "today", "tomorrow", "yesterday"}) {
            bool same = from + word.size() <= text.size();
            for (std::size_t i = 0; i < word.size() && same; ++i) same = (text[from + i] | 0x20) == word[i];
            if (same) return true;
        }
    }
    return false;
}

/// False: some cannot be computed, which is said when the statement runs and not while it is prepared.
bool compute_constants(BoundStatement& bound, Session& session, ExecutionHost& host, bool describing) {
    ConstantFolder folder(*bound.pool, session, host);
    if (bound.literals != nullptr) folder.know_literals(*bound.literals);
    if (describing) folder.keep_failures();
    if (bound.query.plan != nullptr) folder.fold(*bound.query.plan);
    const auto fold = [&](BoundChange& change) {
        folder.fold(change);
        for (BoundChange* const heir : change.heirs) folder.fold(*heir);
    };
    if (bound.change != nullptr) fold(*bound.change);
    for (const auto& common : bound.binder->common_changes()) fold(*common->change);
    return !folder.has_kept_failures();
}

}  // namespace prepared_statements

PreparedPlan::PreparedPlan(std::string_view source, Literals literals) : text(source) {
    const std::vector<const syntax::Statement*> parsed =
        literals == Literals::numbered ? parse_numbered_script(text, arena) : parse_script(text, arena);
    if (parsed.size() > 1)
        raise(sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement");
    if (parsed.empty()) return;
    statement = parsed[0];
    bound.declared.resize(statement->parameters, 0);
}

PreparedPlan& SqlSession::prepared(std::string_view text) {
    const auto found = texts_.find(text);
    if (found != texts_.end()) return *found->second;
    std::unique_ptr<PreparedPlan> made;
    try {
        made = std::make_unique<PreparedPlan>(text);
    } catch (...) {
        translate_failure(text);
    }
    const bool worth_it = text.size() <= k_longest_kept_text && made->statement != nullptr &&
                          (made->statement->kind == syntax::StatementKind::query || made->statement->change != nullptr);
    if (!worth_it) return *(last_text_ = std::move(made));
    // Whoever sends so many different texts does not send them again.
    if (texts_.size() >= prepared_statements::k_kept_texts) texts_.clear();
    const std::string_view key = made->text;
    return *(texts_[key] = std::move(made));
}

void SqlSession::describe(PreparedPlan& plan) {
    static const std::vector<Value> nothing;
    const bool bindable = plan.statement->kind == syntax::StatementKind::query || plan.statement->change != nullptr;
    if (!bindable) return;
    parameters_ = &nothing;
    if (failed_) refuse_in_failed_block();
    begin_work(in_block_ ? Work::optimistic : Work::reading);
    try {
        refuse_other_databases(*plan.statement);
        if (!is_usable(plan.bound)) {
            // Another schema may mean other types.
            plan.bound.declared.assign(plan.statement->parameters, 0);
            bind_described(plan);
        }
    } catch (...) {
        if (!in_block_) end_work();
        translate_failure(plan.text);
    }
    if (!in_block_) end_work();
}

bool SqlSession::is_usable(BoundStatement& bound) {
    return plan_cache_ != PlanCache::none && bound.reusable && bound.catalog == present_.catalog &&
           bound.settings == settings_number_ && !block_point_ && !has_outgrown(bound);
}

bool SqlSession::has_outgrown(BoundStatement& bound) {
    // Of small tables every plan is quick; and between such sizes, no other plan is much quicker. To count a part takes
    // some look-ups, which are to be a small part of what a statement costs.
    constexpr double k_small = 250, k_times = 4;
    constexpr std::uint64_t k_parts_every = 32;  // commits
    const bool temporary = std::any_of(bound.sizes.begin(), bound.sizes.end(),
                                       [](const PlannedSize& size) { return size.temporary; });
    if (bound.sizes.empty() || (bound.sizes_compared == present_.txn && !temporary)) return false;
    bound.sizes_compared = present_.txn;
    const bool parts = present_.txn - bound.parts_compared >= k_parts_every;
    if (parts) bound.parts_compared = present_.txn;
    const bool outgrown = std::any_of(bound.sizes.begin(), bound.sizes.end(), [&](const PlannedSize& size) {
        if (size.part && !parts) return false;
        const double now = size.part ? present_.entry_count(size.tree, size.temporary, size.from, size.to)
                                     : present_.row_count(size.tree, size.temporary);
        return std::max(now, size.rows) > k_times * std::max(k_small, std::min(now, size.rows));
    });
    if (outgrown) bound.reusable = false;
    return outgrown;
}

void SqlSession::bind(const syntax::Statement& statement, std::string_view text, BoundStatement& bound) {
    if (is_usable(bound) && move_points(bound)) return;
    types_.set_whole(nullptr);
    takes_past_types_ = statement.kind == syntax::StatementKind::query && statement.query->into == nullptr;
    const std::uint64_t outside_uses = outside_uses_;
    const std::size_t notices = notices_.size();
    bound.reusable = false;
    bound.kept.reset();
    bound.point.reset();
    bound.point_change.reset();
    bound.points.clear();
    bound.sizes.clear();
    bound.sizes_compared = bound.parts_compared = present_.txn;
    bound.change = nullptr;
    bound.parameter_types = bound.declared;
    if (bound.parameter_types.size() < statement.parameters) bound.parameter_types.resize(statement.parameters, 0);
    bound.binder.reset();
    bound.pool = std::make_unique<BoundPool>();
    bound.binder = std::make_unique<Binder>(*this, *bound.pool, bound.parameter_types);
    bound.binder->declare_parameters(bound.domains);
    if (bound.literals != nullptr) bound.binder->free_literals(*bound.literals);
    if (bound.kept_literals != nullptr) {
        // What names mean may have changed: then the statement is read anew.
        if (bound.catalog != present_.catalog || bound.path != search_path()) bound.kept_literals->forget();
        bound.path = search_path();
        bound.binder->keep_literals(*bound.kept_literals);
    }
    BoundStatement* const outer = std::exchange(binding_, &bound);
    bool computed = false;
    try {
        bind_and_plan(statement, bound);
        computed = prepared_statements::compute_constants(bound, session_, *this, describing_);
    } catch (...) {
        binding_ = outer;
        throw;
    }
    binding_ = outer;
    if (describing_) bound.binder->check_parameters();
    bound.catalog = present_.catalog;
    bound.settings = settings_number_;
    bound.reusable = computed && outside_uses_ == outside_uses && notices_.size() == notices &&
                     !prepared_statements::mentions_clock(prepared_statements::own_text(statement, text));
    if (!bound.binder->common_changes().empty()) return;
    if (bound.change != nullptr) {
        if (PointChange::fits(*bound.change))
            bound.point_change = std::make_unique<PointChange>(*bound.change, session_, *this, *this);
        if (bound.point_change != nullptr) bound.sizes.clear();
        return;
    }
    if (!bound.reusable) return;
    std::vector<ColumnId> wanted;
    for (const OutputColumn& column : bound.query.columns) wanted.push_back(column.id);
    bound.point = PointQuery::recognize(*bound.query.plan, wanted);
    if (bound.point) bound.sizes.clear();
}

void SqlSession::bind_and_plan(const syntax::Statement& statement, BoundStatement& bound) {
    std::vector<BoundChange*> changes;
    const auto add = [&](BoundChange* change) {
        changes.push_back(change);
        changes.insert(changes.end(), change->heirs.begin(), change->heirs.end());
    };
    if (statement.kind == syntax::StatementKind::query) bound.query = bound.binder->bind_query(*statement.query);
    else add(bound.change = bound.binder->bind_change(statement));
    for (const auto& common : bound.binder->common_changes()) add(common->change);
    optimize(bound.query.plan, changes, *present_.catalog, *bound.pool);
}

void SqlSession::bind_described(PreparedPlan& plan) {
    describing_ = true;
    try {
        bind(*plan.statement, plan.text, plan.bound);
    } catch (...) {
        describing_ = false;
        throw;
    }
    describing_ = false;
    plan.bound.declared = plan.bound.parameter_types;
}

void SqlSession::run_bound(const syntax::Statement& statement, std::string_view text, BoundStatement* bound,
                           StatementResult& result) {
    const syntax::Statement& query = query_of(statement);
    const bool shows =
        query.kind == syntax::StatementKind::query || query.kind == syntax::StatementKind::declare_cursor;
    if (shows && query.locks_rows && is_read_only())
        raise(sqlstate::read_only_sql_transaction, "cannot execute SELECT FOR UPDATE in a read-only transaction");
    const bool quick = bound != nullptr && (bound->point || bound->point_change != nullptr ||
                                            (statement.kind == syntax::StatementKind::query && only_reads(statement)));
    if (bound != nullptr && bound->literals != nullptr) {
        run_shape_plan(text, result);
    } else if (!quick || !is_usable(*bound) || !move_points(*bound)) {
        result = dispatch(statement, text, bound);
    } else if (bound->point) {
        look_up(*bound->point, result);
    } else if (bound->point_change == nullptr) {
        run_bound_query(*bound, result);
    } else {
        refuse_changes_to_readers();
        note_statement(statement, text, bound);
        run_point_change(statement, *bound, result);
    }
}

void SqlSession::look_up(const PointQuery& point, StatementResult& result) {
    const Relation& relation = point.relation();
    result.has_rows = true;
    result.columns.clear();
    result.rows.clear(point.width());
    result.txn = 0;
    row_key_.clear();
    std::optional<std::string_view> row;
    if (point.key(*parameters_, row_key_)) row = point.source().tree(relation.tree(), relation.temporary).get(row_key_);
    if (row && row->empty() && point.source().past) row.reset();  // erased since
    if (row) {
        Value* const values = result.rows.add();
        point.columns(*row, values, result.rows.arena());
        // Views into the row end with the snapshot.
        for (std::size_t i = 0; i < point.width(); ++i) values[i] = copy_value(values[i], result.rows.arena());
    }
    result.tag = row ? "SELECT 1" : "SELECT 0";
}

}  // namespace northstar::inline v0::sql
