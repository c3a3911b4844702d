// PREPARE and EXECUTE, cursors; relations that the session computes.
#include "sql/session/sql_session.hpp"
#include "sql/session/system_tables.hpp"

#include "sql/array.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace session_statements {

const std::vector<OutputColumn>& columns_of(const BoundStatement& bound) {
    return bound.change != nullptr ? bound.change->returning_columns : bound.query.columns;
}

bool same_columns(const std::vector<OutputColumn>& one, const std::vector<OutputColumn>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const OutputColumn& a, const OutputColumn& b) {
                          return a.name == b.name && a.type == b.type && a.typmod == b.typmod;
                      });
}

/// Rows that are locked are shown once, in order, while the transaction lasts.
void check_options(const syntax::Cursor& cursor) {
    if (cursor.scroll && cursor.no_scroll)
        raise(sqlstate::invalid_cursor_definition, "cannot specify both SCROLL and NO SCROLL");
    if (cursor.insensitive && cursor.asensitive)
        raise(sqlstate::invalid_cursor_definition, "cannot specify both ASENSITIVE and INSENSITIVE");
    if (cursor.query->locking.empty() || cursor.query->from.empty()) return;
    const std::string clause = clause_name(cursor.query->locking[0].strength);
    if (cursor.hold)
        raise(sqlstate::feature_not_supported, "DECLARE CURSOR WITH HOLD ... " + clause + " is not supported",
              "Holdable cursors must be READ ONLY.");
    if (cursor.scroll)
        raise(sqlstate::feature_not_supported, "DECLARE SCROLL CURSOR ... " + clause + " is not supported",
              "Scrollable cursors must be READ ONLY.");
    if (cursor.insensitive)
        raise(sqlstate::invalid_cursor_definition, "DECLARE INSENSITIVE CURSOR ... " + clause + " is not valid",
              "Insensitive cursors must be READ ONLY.");
}

}  // namespace session_statements

void SqlSession::describe(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                          std::vector<OutputColumn>& columns) {
    static const std::vector<Value> nothing;
    parameters_ = &nothing;
    begin_work();
    describing_ = true;
    try {
        describe_bound(statement, parameter_types, columns);
    } catch (...) {
        describing_ = false;
        if (!in_block_) end_work();
        throw;
    }
    describing_ = false;
    if (!in_block_) end_work();
}

void SqlSession::describe_bound(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                                std::vector<OutputColumn>& columns) {
    BoundPool pool;
    Binder binder(*this, pool, parameter_types);
    if (statement.kind == syntax::StatementKind::query) columns = binder.bind_query(*statement.query).columns;
    else if (statement.change != nullptr) columns = binder.bind_change(statement)->returning_columns;
    if (parameter_types.size() < statement.parameters) parameter_types.resize(statement.parameters, 0);
    binder.check_parameters();
}

StatementResult SqlSession::prepare(const syntax::Prepare& statement) {
    const std::string name(statement.name);
    auto made = std::make_unique<PreparedPlan>(statement.source);
    BoundPool pool;
    std::vector<Oid> none;
    std::vector<Oid> declared;
    for (const syntax::TypeName* type : statement.types) {
        const Binder::TypeMeaning meaning = Binder(*this, pool, none).resolve_type(*type);
        declared.push_back(meaning.type);
        made->bound.domains.push_back(meaning.domain);
    }
    declared.resize(std::max(declared.size(), made->bound.declared.size()), 0);
    made->bound.declared = std::move(declared);
    made->bound.kept_literals = std::make_unique<KeptLiterals>();
    bind_described(*made);
    made->promised = session_statements::columns_of(made->bound);
    made->declared_by = text_;
    made->since = session_.statement_time;
    if (prepared_.count(name) != 0)
        raise(sqlstate::duplicate_prepared_statement, "prepared statement \"" + name + "\" already exists");
    prepared_[name] = std::move(made);
    StatementResult result;
    result.tag = "PREPARE";
    return result;
}

PreparedPlan& SqlSession::prepared_plan(const syntax::Prepare& statement) {
    const std::string name(statement.name);
    const auto found = prepared_.find(name);
    if (found == prepared_.end())
        raise(sqlstate::invalid_sql_statement_name, "prepared statement \"" + name + "\" does not exist");
    // For the types of its parameters, which have no values yet.
    if (!is_usable(found->second->bound)) {
        PreparedPlan& plan = *found->second;
        bind_described(plan);
        if (!session_statements::same_columns(plan.promised, session_statements::columns_of(plan.bound))) {
            plan.bound.catalog.reset();  // so that the next EXECUTE finds the same
            raise(sqlstate::feature_not_supported, "cached plan must not change result type");
        }
    }
    return *found->second;
}

std::vector<Value> SqlSession::arguments_of(const syntax::Prepare& statement, const PreparedPlan& prepared,
                                            Arena& arena) {
    const std::vector<Oid>& types = prepared.bound.parameter_types;
    if (statement.arguments.size() != types.size()) {
        SqlError error(sqlstate::syntax_error, "wrong number of parameters for prepared statement \"" +
                                                   std::string(statement.name) + "\"");
        error.edit().detail = "Expected " + std::to_string(types.size()) + " parameters but got " +
                              std::to_string(statement.arguments.size()) + ".";
        throw error;
    }
    std::vector<Value> values;
    BoundPool pool;
    for (std::size_t i = 0; i < types.size(); ++i) {
        Binder binder(*this, pool, parameter_types_);
        BoundExpr* bound = binder.bind_standalone(*statement.arguments[i], "EXECUTE parameters");
        const Oid wanted = types[i];
        if (bound->type != type::unknown && bound->type != wanted &&
            !can_coerce(bound->type, wanted, CastContext::assignment, session_.types))
            raise_at(sqlstate::datatype_mismatch,
                     "parameter $" + std::to_string(i + 1) + " of type " +
                         format_type(bound->type, k_no_typmod, session_.types) +
                         " cannot be coerced to the expected type " + format_type(wanted, k_no_typmod, session_.types),
                     statement.arguments[i]->position, {}, "You will need to rewrite or cast the expression.");
        bound = binder.coerce(bound, wanted, k_no_typmod, CastContext::assignment, 0);
        const std::vector<Oid>& domains = prepared.bound.domains;
        if (i < domains.size() && domains[i] != 0) bound = binder.checked_as(bound, domains[i], 0);
        values.push_back(evaluate(*bound, arena));
        if (values.back().is_null()) values.back() = Value::null(wanted);
    }
    return values;
}

StatementResult SqlSession::execute_prepared(const syntax::Prepare& statement) {
    PreparedPlan& prepared = prepared_plan(statement);
    Arena arena;
    const std::vector<Value> values = arguments_of(statement, prepared, arena);
    const ParameterScope scope(*this, values, prepared.bound.parameter_types);
    return dispatch(*prepared.statement, prepared.text, &prepared.bound);
}

StatementResult SqlSession::deallocate(const syntax::Prepare& statement) {
    StatementResult result;
    result.tag = statement.name.empty() ? "DEALLOCATE ALL" : "DEALLOCATE";
    if (statement.name.empty()) prepared_.clear();
    else if (prepared_.erase(std::string(statement.name)) == 0)
        raise(sqlstate::invalid_sql_statement_name,
              "prepared statement \"" + std::string(statement.name) + "\" does not exist");
    return result;
}

StatementResult SqlSession::cursor(const syntax::Statement& statement) {
    using Direction = syntax::Cursor::Direction;
    const syntax::Cursor& syntax = *statement.cursor;
    const std::string name(syntax.name);
    StatementResult result;
    if (statement.kind == syntax::StatementKind::declare_cursor) {
        if (!in_block_ && !syntax.hold)
            raise(sqlstate::no_active_sql_transaction, "DECLARE CURSOR can only be used in transaction blocks");
        session_statements::check_options(syntax);
        if (cursors_.count(name) != 0)
            raise(sqlstate::duplicate_cursor, "cursor \"" + name + "\" already exists");
        std::vector<Oid> tables;
        KeptRows rows;
        std::vector<OutputColumn> columns = keep_query(*syntax.query, rows, &tables);
        OpenCursor& cursor = cursors_[name];
        cursor.tables = std::move(tables);
        cursor.text = text_;
        cursor.number = ++cursors_declared_;
        cursor.since = session_.statement_time;
        cursor.columns = std::move(columns);
        cursor.rows = std::move(rows);
        cursor.hold = syntax.hold;
        cursor.held = !in_block_;
        cursor.scroll = !syntax.no_scroll;
        result.tag = "DECLARE CURSOR";
        return result;
    }
    if (statement.kind == syntax::StatementKind::close_cursor) {
        if (syntax.all) cursors_.clear();
        else if (cursors_.erase(name) == 0)
            raise(sqlstate::invalid_cursor_name, "cursor \"" + name + "\" does not exist");
        result.tag = syntax.all ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
        return result;
    }
    const auto found = cursors_.find(name);
    if (found == cursors_.end()) raise(sqlstate::invalid_cursor_name, "cursor \"" + name + "\" does not exist");
    OpenCursor& cursor = found->second;
    const auto end = static_cast<std::int64_t>(cursor.rows.size()) + 1;
    const auto move_to = [&](std::int64_t position) {
        cursor.position = std::clamp<std::int64_t>(position, 0, end);
    };
    std::vector<std::int64_t> taken;
    const auto take_here = [&] {
        if (cursor.position > 0 && cursor.position < end) taken.push_back(cursor.position - 1);
    };
    bool backward = syntax.direction == Direction::backward;
    std::int64_t count = syntax.all ? end + 1 : syntax.count;
    if (!syntax.all && count < 0 && (backward || syntax.direction == Direction::forward)) {
        backward = !backward;
        count = -count;
    }
    if (backward && !cursor.scroll)
        raise(sqlstate::object_not_in_prerequisite_state, "cursor can only scan forward");
    switch (syntax.direction) {
        case Direction::absolute:
            move_to(syntax.count >= 0 ? syntax.count : end + syntax.count);
            take_here();
            break;
        case Direction::relative:
            move_to(cursor.position + syntax.count);
            take_here();
            break;
        default:
            if (count == 0) take_here();
            for (std::int64_t i = 0; i < count; ++i) {
                move_to(cursor.position + (backward ? -1 : 1));
                if (cursor.position == 0 || cursor.position == end) break;
                take_here();
            }
    }
    result.tag = (syntax.move ? "MOVE " : "FETCH ") + std::to_string(taken.size());
    if (syntax.move) return result;
    result.has_rows = true;
    result.columns = cursor.columns;
    result.rows.reset(cursor.columns.size());
    for (const std::int64_t row : taken) {
        const Value* const from = cursor.rows.row(static_cast<std::size_t>(row));
        Value* to = result.rows.add();
        for (std::size_t i = 0; i < cursor.columns.size(); ++i) to[i] = copy_value(from[i], result.rows.arena());
    }
    return result;
}

std::string SqlSession::cursor_row(std::string_view name, const Relation& table) {
    const auto found = cursors_.find(std::string(name));
    if (found == cursors_.end())
        raise(sqlstate::invalid_cursor_name, "cursor \"" + std::string(name) + "\" does not exist");
    OpenCursor& cursor = found->second;
    const auto refuse = [&](const std::string& why) {
        raise(sqlstate::invalid_cursor_state, "cursor \"" + found->first + "\" " + why);
    };
    if (cursor.held) refuse("is held from a previous transaction");
    const auto place = std::find(cursor.tables.begin(), cursor.tables.end(), table.oid);
    if (place == cursor.tables.end()) refuse("is not a simply updatable scan of table \"" + table.name + "\"");
    const auto row = static_cast<std::size_t>(cursor.position) - 1;
    if (cursor.position == 0 || row >= cursor.rows.size()) refuse("is not positioned on a row");
    const std::size_t column = cursor.columns.size() + static_cast<std::size_t>(place - cursor.tables.begin());
    return std::string(cursor.rows.row(row)[column].bytes());
}

// ---- computed relations
// ----------------------------------------------------------------------------------------------

int SqlSession::find_virtual_table(std::string_view schema, std::string_view name) {
    return find_system_table(schema, name);
}

const VirtualTable& SqlSession::virtual_table(int number) { return system_table(number); }

void SqlSession::virtual_rows(Execution& execution, const Plan& plan, RowStore& rows) {
    if (plan.history.kind != HistoryKind::none) return history_rows(execution, plan, rows);
    Arena& arena = rows.arena();
    const auto text = [&](std::string_view value) { return Value::text(arena.copy(value)); };
    if (plan.relation != nullptr) {  // a sequence read as a table
        const bool past = plan.point != nullptr && plan.point->past;
        SequenceState state{plan.relation->sequence.start, false};
        if (!past) state = sequence_state(*plan.relation);
        else if (const auto stored = plan.point->tree(std::string(k_sequence_tree), false)
                                         .get(std::to_string(plan.relation->oid)))
            state = StoredSequence::parse(*stored).state;
        Value* row = rows.add();
        row[0] = Value::int8(state.value);
        row[1] = Value::int8(0);
        row[2] = Value::boolean(state.called);
        return;
    }
    const VirtualTable& table = virtual_table(plan.virtual_table);
    if (table.name == "retention") {
        for (const auto& [name, relation] : plan.point->catalog->relations()) {
            if (!relation->stores_rows() || relation->temporary) continue;
            Value* row = rows.add();
            row[0] = text(relation->schema);
            row[1] = text(relation->name);
            row[2] = text(relation->history_retention.empty() ? "default" : relation->history_retention);
        }
        return;
    }
    if (table.name == "tags") return tag_rows(*plan.point, rows);
    if (table.name == "commits") {
        constexpr std::int64_t epoch_2000_us = 946684800000000;
        for (const CommitRecord& record : database_.commits()) {
            if (plan.point->past && record.txn > plan.point->txn) break;
            Value* row = rows.add();
            row[0] = Value::int8(static_cast<std::int64_t>(record.txn));
            row[1] = Value::integer(type::timestamptz, static_cast<std::int64_t>(record.time_us) - epoch_2000_us);
            row[2] = row[3] = row[4] = Value::null(type::text);
            for (const auto& [key, value] : record.annotations) {
                if (key == "author") row[2] = text(value);
                if (key == "reason") row[3] = text(value);
                if (key == "statement") row[4] = text(value);
            }
            row[5] = Value::int8(static_cast<std::int64_t>(record.operations.size()));
        }
        return;
    }
    if (table.name == "pg_prepared_statements") return prepared_rows(rows);
    if (table.name == "pg_cursors") return cursor_rows(rows);
    system_rows(table, *plan.point->catalog, *this, rows);
}

void SqlSession::prepared_rows(RowStore& rows) {
    Arena& arena = rows.arena();
    for (const auto& [name, plan] : prepared_) {
        const BoundStatement& bound = plan->bound;
        std::vector<Value> types;
        for (std::size_t i = 0; i < bound.parameter_types.size(); ++i) {
            const bool domain = i < bound.domains.size() && bound.domains[i] != 0;
            types.push_back(Value::integer(type::regtype, domain ? bound.domains[i] : bound.parameter_types[i]));
        }
        Value* row = rows.add();
        row[0] = Value::text(arena.copy(name));
        row[1] = Value::text(arena.copy(plan->declared_by));
        row[2] = Value::integer(type::timestamptz, plan->since);
        row[3] = make_array(type::regtype_array, type::regtype, types, arena);
        row[4] = Value::boolean(true);
        row[5] = row[6] = Value::int8(0);
    }
}

void SqlSession::cursor_rows(RowStore& rows) {
    for (const auto& [name, cursor] : cursors_) {
        Value* row = rows.add();
        row[0] = Value::text(rows.arena().copy(name));
        row[1] = Value::text(rows.arena().copy(cursor.text));
        row[2] = Value::boolean(cursor.hold);
        row[3] = Value::boolean(false);
        row[4] = Value::boolean(cursor.scroll);
        row[5] = Value::integer(type::timestamptz, cursor.since);
    }
}

}  // namespace northstar::inline v0::sql
