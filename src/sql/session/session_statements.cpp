// PREPARE and EXECUTE, cursors, EXPLAIN; relations that the session computes.
#include "sql/session/sql_session.hpp"

#include "sql/plan/describe.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

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
    if (prepared_.count(name) != 0)
        raise(sqlstate::duplicate_prepared_statement, "prepared statement \"" + name + "\" already exists");
    auto made = std::make_unique<PreparedPlan>(statement.source);
    BoundPool pool;
    std::vector<Oid> none;
    for (const syntax::TypeName* type : statement.types)
        made->bound.declared.push_back(Binder(*this, pool, none).resolve_type(*type).type);
    bind_described(*made);
    prepared_[name] = std::move(made);
    StatementResult result;
    result.tag = "PREPARE";
    return result;
}

StatementResult SqlSession::execute_prepared(const syntax::Prepare& statement) {
    const std::string name(statement.name);
    const auto found = prepared_.find(name);
    if (found == prepared_.end())
        raise(sqlstate::invalid_sql_statement_name, "prepared statement \"" + name + "\" does not exist");
    PreparedPlan& prepared = *found->second;
    bind(*prepared.statement, prepared.text, prepared.bound);
    const std::vector<Oid>& types = prepared.bound.parameter_types;
    if (statement.arguments.size() != types.size()) {
        SqlError error(sqlstate::syntax_error, "wrong number of parameters for prepared statement \"" + name + "\"");
        error.edit().detail = "Expected " + std::to_string(types.size()) + " parameters but got " +
                              std::to_string(statement.arguments.size()) + ".";
        throw error;
    }
    Arena arena;
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
        values.push_back(evaluate(*bound, arena));
        if (values.back().is_null()) values.back() = Value::null(wanted);
    }
    const std::vector<Value>* const outer = std::exchange(parameters_, &values);
    const std::vector<Oid> outer_types = std::exchange(parameter_types_, types);
    StatementResult result = dispatch(*prepared.statement, prepared.text, &prepared.bound);
    parameters_ = outer;
    parameter_types_ = outer_types;
    return result;
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
        if (cursors_.count(name) != 0)
            raise(sqlstate::duplicate_cursor, "cursor \"" + name + "\" already exists");
        StatementResult rows = run_query(*syntax.query);
        OpenCursor& cursor = cursors_[name];
        cursor.columns = std::move(rows.columns);
        cursor.rows = std::move(rows.rows);
        cursor.hold = syntax.hold;
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
        Value* to = result.rows.add();
        for (std::size_t i = 0; i < cursor.columns.size(); ++i)
            to[i] = copy_value(cursor.rows.row(static_cast<std::size_t>(row))[i], result.rows.arena());
    }
    return result;
}

StatementResult SqlSession::explain(const syntax::Explain& statement) {
    bool analyze = false;
    for (const syntax::Option& option : statement.options) {
        const bool off = option.value != nullptr && (option.value->text == "off" || option.value->text == "false");
        if (option.name == "analyze") analyze = !off;
    }
    StatementResult result;
    result.has_rows = true;
    OutputColumn column;
    column.name = "QUERY PLAN";
    column.type = type::text;
    result.columns.push_back(column);
    result.rows.reset(1);
    const auto line = [&](const std::string& text) {
        Value* row = result.rows.add();
        row[0] = Value::text(result.rows.arena().copy(text));
    };
    const syntax::Statement& inner = *statement.statement;
    BoundPool pool;
    Binder binder(*this, pool, parameter_types_);
    Plan* plan = nullptr;
    std::string head;
    if (inner.kind == syntax::StatementKind::query) {
        plan = binder.bind_query(*inner.query).plan;
    } else if (inner.change != nullptr) {
        BoundChange* change = binder.bind_change(inner);
        static constexpr const char* names[] = {"Insert", "Update", "Delete", "Merge"};
        head = std::string(names[static_cast<int>(change->kind)]) + " on " + change->relation->name;
        plan = change->source;
    } else {
        raise(sqlstate::feature_not_supported, "EXPLAIN of this statement is not supported");
    }
    plan = optimize(plan, pool);
    std::vector<std::string> lines;
    if (!head.empty()) lines.push_back(head);
    describe_plan(*plan, head.empty() ? 0 : 1, session_, lines);
    for (const std::string& text : lines) line(text);
    if (analyze) {
        const std::int64_t begin = clock_now();
        const StatementResult ran = dispatch(inner, {});
        line("Actual rows: " + std::to_string(ran.rows.size()));
        line("Execution time: " + std::to_string(clock_now() - begin) + " us");
    }
    result.tag = "EXPLAIN";
    return result;
}

// ---- computed relations
// ----------------------------------------------------------------------------------------------

namespace session_statements {

OutputColumn column(const char* name, Oid type) {
    OutputColumn out;
    out.name = name;
    out.type = type;
    return out;
}

const std::vector<VirtualTable>& tables() {
    static const std::vector<VirtualTable> list = {
        {"sys", "commits",
         {column("txn", type::int8), column("committed_at", type::timestamptz), column("author", type::text),
          column("reason", type::text), column("operations", type::int8)}},
        {"sys", "schema", {column("key", type::text), column("document", type::json)}},
        {"information_schema", "tables",
         {column("table_catalog", type::text), column("table_schema", type::text), column("table_name", type::text),
          column("table_type", type::text)}},
        {"information_schema", "columns",
         {column("table_catalog", type::text), column("table_schema", type::text), column("table_name", type::text),
          column("column_name", type::text), column("ordinal_position", type::int4),
          column("column_default", type::text), column("is_nullable", type::text), column("data_type", type::text)}},
    };
    return list;
}

}  // namespace session_statements

int SqlSession::find_virtual_table(std::string_view schema, std::string_view name) {
    const std::vector<VirtualTable>& tables = session_statements::tables();
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].schema == schema && tables[i].name == name) return static_cast<int>(i);
    return -1;
}

const VirtualTable& SqlSession::virtual_table(int number) {
    return session_statements::tables()[static_cast<std::size_t>(number)];
}

void SqlSession::virtual_rows(Execution&, const Plan& plan, RowStore& rows) {
    Arena& arena = rows.arena();
    const auto text = [&](std::string_view value) { return Value::text(arena.copy(value)); };
    if (plan.relation != nullptr) {  // a sequence read as a table
        const auto [value, called] = sequence_state(*plan.relation);
        Value* row = rows.add();
        row[0] = Value::int8(value);
        row[1] = Value::int8(0);
        row[2] = Value::boolean(called);
        return;
    }
    const VirtualTable& table = virtual_table(plan.virtual_table);
    if (table.name == "commits") {
        constexpr std::int64_t epoch_2000_us = 946684800000000;
        for (const CommitRecord& record : database_.commits()) {
            if (plan.point->past && record.txn > plan.point->txn) break;
            Value* row = rows.add();
            row[0] = Value::int8(static_cast<std::int64_t>(record.txn));
            row[1] = Value::integer(type::timestamptz, static_cast<std::int64_t>(record.time_us) - epoch_2000_us);
            row[2] = row[3] = Value::null(type::text);
            for (const auto& [key, value] : record.annotations) {
                if (key == "author") row[2] = text(value);
                if (key == "reason") row[3] = text(value);
            }
            row[4] = Value::int8(static_cast<std::int64_t>(record.operations.size()));
        }
        return;
    }
    const Catalog& shown = *plan.point->catalog;
    if (table.name == "schema") {
        for (const auto& [name, relation] : shown.relations()) {
            Value* row = rows.add();
            row[0] = text(Catalog::key_of(*relation));
            row[1] = Value::bytes(type::json, arena.copy(Catalog::to_document(*relation, shown).text()));
        }
        for (const auto& [name, type] : shown.types()) {
            Value* row = rows.add();
            row[0] = text(Catalog::key_of(*type));
            row[1] = Value::bytes(type::json, arena.copy(Catalog::to_document(*type).text()));
        }
        return;
    }
    for (const auto& [name, relation] : shown.relations()) {
        if (relation->kind == RelationKind::sequence || relation->kind == RelationKind::materialized_view) continue;
        if (table.name == "tables") {
            Value* row = rows.add();
            row[0] = text(current_database());
            row[1] = text(relation->schema);
            row[2] = text(relation->name);
            row[3] = text(relation->kind == RelationKind::view ? "VIEW"
                          : relation->temporary                ? "LOCAL TEMPORARY"
                                                               : "BASE TABLE");
            continue;
        }
        std::int64_t ordinal = 0;
        for (const Column& column : relation->columns) {
            ++ordinal;
            if (column.dropped) continue;
            Value* row = rows.add();
            row[0] = text(current_database());
            row[1] = text(relation->schema);
            row[2] = text(relation->name);
            row[3] = text(column.name);
            row[4] = Value::int4(ordinal);
            row[5] = column.default_text.empty() ? Value::null(type::text) : text(column.default_text);
            row[6] = text(column.not_null ? "NO" : "YES");
            row[7] = text(format_type(column.type, k_no_typmod, &shown));
        }
    }
}

/// Versions of rows that were visible at some commit of the range, from the commits themselves.
void SqlSession::version_rows(Execution& execution, const Plan& plan, RowStore& rows) {
    const Relation& relation = *plan.relation;
    const VersionRange& range = plan.versions;
    if (range.to < range.from) return;
    struct Open {
        std::string bytes;
        std::uint64_t from = 0;
    };
    std::map<std::string, Open> open;
    const std::string name = relation.tree();
    const auto emit = [&](const std::string& key, const Open& version, std::uint64_t to) {
        if (to != 0 && to <= range.from) return;
        Value* row = rows.add();
        for (std::size_t i = 0; i < plan.scan_columns.size(); ++i) {
            const int place = plan.scan_columns[i].place;
            switch (place) {
                case hidden_row_key: row[i] = Value::bytes(type::bytea, rows.arena().copy(key)); break;
                case hidden_commit_from: row[i] = Value::int8(static_cast<std::int64_t>(version.from)); break;
                case hidden_commit_to:
                    row[i] = to == 0 ? Value::null(type::int8) : Value::int8(static_cast<std::int64_t>(to));
                    break;
                case hidden_system_from:
                    row[i] = Value::integer(type::timestamptz, static_cast<std::int64_t>(commit_time(version.from)));
                    break;
                case hidden_system_to:
                    row[i] = to == 0 ? Value::null(type::timestamptz)
                                     : Value::integer(type::timestamptz, static_cast<std::int64_t>(commit_time(to)));
                    break;
                case hidden_table_oid: row[i] = Value::integer(type::regclass, relation.oid); break;
                default: {
                    const std::string_view kept = rows.arena().copy(version.bytes);
                    row[i] = relation.layout->column_of(kept, static_cast<std::size_t>(place), rows.arena());
                }
            }
        }
    };
    for (const CommitRecord& record : database_.commits()) {
        execution.check_cancelled();
        if (record.txn > range.to) {
            // Later commits only close what is open.
            if (open.empty()) break;
        }
        for (const Operation& operation : record.operations) {
            if (operation.tree != name) continue;
            const std::string key(operation.key);
            if (operation.kind == Operation::Kind::erase_range) {
                for (auto it = open.lower_bound(key);
                     it != open.end() && (!operation.to || it->first < *operation.to);) {
                    emit(it->first, it->second, record.txn);
                    it = open.erase(it);
                }
                continue;
            }
            if (operation.kind != Operation::Kind::put && operation.kind != Operation::Kind::erase) continue;
            if (const auto it = open.find(key); it != open.end()) {
                emit(key, it->second, record.txn);
                open.erase(it);
            }
            if (operation.kind == Operation::Kind::put && record.txn <= range.to && !operation.redacted)
                open[key] = {std::string(operation.value), record.txn};
        }
    }
    for (const auto& [key, version] : open) emit(key, version, 0);
}

}  // namespace northstar::inline v0::sql
