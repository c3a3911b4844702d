#include "sql/execute/change_target.hpp"
#include "sql/execute/source_flow.hpp"

#include "sql/plan/read_point.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

std::uint64_t ChangeRunner::run(BoundChange& change, KeptRows& returned) {
    const std::uint64_t count = apply_all(change, returned);
    settle();
    return count;
}

std::uint64_t ChangeRunner::run_part(BoundChange& change, KeptRows& returned) {
    parts_ = true;
    return apply_all(change, returned);
}

/// The change, and that of tables which inherit from its own: all sources are read before anything is written, but for
/// one that never meets what is written. [CHANGE-1]
std::uint64_t ChangeRunner::apply_all(BoundChange& change, KeptRows& returned) {
    if (takes_all_rows(change)) return TableWriter(change.relation, execution_, access_).erase_all();
    if (!parts_ && flows(change)) {
        Target target(change, execution_, access_, true);
        target.returned = &returned;
        while (target.read_on()) apply(change, target);
        return target.count;
    }
    std::vector<std::unique_ptr<Target>> targets;
    targets.push_back(std::make_unique<Target>(change, execution_, access_));
    for (BoundChange* heir : change.heirs) targets.push_back(std::make_unique<Target>(*heir, execution_, access_));
    std::uint64_t count = 0;
    for (const std::unique_ptr<Target>& target : targets) {
        target->returned = &returned;
        apply(target->change, *target);
        count += target->count;
    }
    return count;
}

/// DELETE of whatever the table holds, where neither the statement asks for a row nor a table that refers to it.
bool ChangeRunner::takes_all_rows(const BoundChange& change) {
    const Plan& source = *change.source;
    if (change.kind != ChangeKind::erase || parts_ || change.redact || change.portion.present ||
        !change.heirs.empty() || !change.returning.empty() || change.partition_check != nullptr ||
        execution_.host().actuals() != nullptr)
        return false;
    if (source.kind != PlanKind::scan || !source.conditions.empty() || !source.reads_all() || source.sample >= 0 ||
        source.versions.present || source.point->past || source.relation->oid != change.relation->oid)
        return false;
    return access_.bind_environment().present().catalog->references_to(change.relation->oid).empty();
}

void ChangeRunner::start_again(std::uint64_t transaction) {
    events_.clear();
    event_arena_.reset();
    suspects_.clear();
    deferred_.clear();
    redactions_.clear();
    erases_ = false;
    pools_.clear();
    if (std::exchange(transaction_, transaction) != transaction) writers_.clear();
}

void ChangeRunner::apply(BoundChange& change, Target& target) {
    erases_ = erases_ || change.redact;
    switch (change.kind) {
        case ChangeKind::insert: return insert(change, target);
        case ChangeKind::update: return update(change, target);
        case ChangeKind::erase: return erase(change, target);
        case ChangeKind::merge: return merge(change, target);
    }
}

/// The row target.key was changed before: by this change, joined more than once, of which the first counts, or by
/// another part of the statement.
bool ChangeRunner::passes_over(Target& target) {
    if (parts_ && changed_.count({target.change.relation->oid, target.key}) != 0) return true;
    return !target.rows_once && !target.seen.insert(target.key).second;
}

void ChangeRunner::changed(Target& target, const std::string& key) {
    target.touch(key);
    if (parts_) changed_.emplace(target.change.relation->oid, key);
}

/// Generated columns, NOT NULL, checks: what a row must pass before it is stored.
void ChangeRunner::finish_row(BoundChange& change, Target& target, std::vector<Value>& row) {
    const Relation& relation = *change.relation;
    if (target.looks_at_row) {
        for (std::size_t i = 0; i < row.size(); ++i) *target.cells[i] = row[i];
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (target.generated[i] == nullptr) continue;
            row[i] = target.generated[i]->evaluate(target.arena);
            *target.cells[i] = row[i];
        }
        for (const auto& check : target.domain_checks) check->evaluate(target.arena);
    }
    const auto failing_row = [&] { return describe_failing(relation, row); };
    for (const std::size_t i : target.not_null) {
        if (!row[i].is_null()) continue;
        const Column& column = relation.columns[i];
        SqlError error(sqlstate::not_null_violation, "null value in column \"" + column.name + "\" of relation \"" +
                                                         relation.name + "\" violates not-null constraint");
        error.edit().detail = failing_row();
        error.edit().schema = relation.schema;
        error.edit().table = relation.name;
        error.edit().column = column.name;
        throw error;
    }
    for (std::size_t i = 0; i < target.checks.size(); ++i) {
        const Value holds = target.checks[i]->evaluate(target.arena);
        if (holds.is_null() || holds.boolean()) continue;
        SqlError error(sqlstate::check_violation, "new row for relation \"" + relation.name +
                                                      "\" violates check constraint \"" + change.checks[i].first +
                                                      "\"");
        error.edit().detail = failing_row();
        error.edit().schema = relation.schema;
        error.edit().table = relation.name;
        error.edit().constraint = change.checks[i].first;
        throw error;
    }
    if (target.partition_check != nullptr) {
        const Value holds = target.partition_check->evaluate(target.arena);
        if (holds.is_null() || !holds.boolean()) {
            SqlError error(sqlstate::check_violation, "new row for relation \"" + change.partition_name +
                                                          "\" violates partition constraint");
            error.edit().detail = failing_row();
            error.edit().schema = relation.schema;
            error.edit().table = change.partition_name;
            throw error;
        }
    }
    if (target.route != nullptr)
        if (const auto refusal = target.route->refusal(row.data(), target.arena)) {
            SqlError error(refusal->state, refusal->message);
            error.edit().detail = refusal->detail.empty() ? failing_row() : refusal->detail;
            error.edit().schema = relation.schema;
            error.edit().table = refusal->partition;
            error.edit().constraint = refusal->constraint;
            error.edit().column = refusal->column;
            throw error;
        }
}

std::string ChangeRunner::describe_failing(const Relation& relation, const std::vector<Value>& row) {
    std::string text = "Failing row contains (";
    bool first = true;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (relation.columns[i].dropped || relation.columns[i].hidden) continue;
        if (!first) text += ", ";
        first = false;
        text += row[i].is_null() ? "null" : value_to_text(row[i], execution_.session());
    }
    return text + ").";
}

/// Views look at a row once it is stored: what its keys refuse, or ON CONFLICT sees to, comes first.
void ChangeRunner::check_views(const BoundChange& change, Target& target, const std::vector<Value>& row) {
    for (const auto& check : target.view_checks) {
        const Value holds = check->evaluate(target.arena);
        if (!holds.is_null() && holds.boolean()) continue;
        SqlError error(sqlstate::with_check_option_violation,
                       "new row violates check option for view \"" + change.view_name + "\"");
        error.edit().detail = describe_failing(*change.relation, row);
        throw error;
    }
}

void ChangeRunner::returning(Target& target, const std::vector<Value>& row, std::size_t source_row) {
    ++target.count;
    if (target.returning.empty()) return;
    for (std::size_t i = 0; i < row.size(); ++i) *target.cells[i] = row[i];
    target.returned_row.clear();
    for (const auto& expression : target.returning)
        target.returned_row.push_back(target.value(*expression, source_row));
    target.returned->add(target.returned_row.data());
}

namespace run_change {

[[noreturn]] void refuse_arbiter(const Relation& relation, const Index& index) {
    SqlError error(sqlstate::object_not_in_prerequisite_state,
                   "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters");
    error.edit().schema = relation.schema;
    error.edit().table = relation.name;
    error.edit().constraint = index.name;
    throw error;
}

}  // namespace run_change

// ---- INSERT
// ----------------------------------------------------------------------------------------------------------

void ChangeRunner::insert(BoundChange& change, Target& target) {
    target.evaluate_assignments();
    for (std::size_t r = 0; r < target.source->count; ++r) {
        if ((r & 0xfff) == 0) execution_.check_cancelled();
        for (std::size_t i = 0; i < target.row.size(); ++i)
            target.row[i] = target.assigned[i].present ? target.assigned[i].values[r] : target.unassigned(i);
        insert_row(change, target, target.row, r);
    }
}

bool ChangeRunner::insert_row(BoundChange& change, Target& target, std::vector<Value>& row, std::size_t source_row) {
    finish_row(change, target, row);
    const Relation& relation = *change.relation;
    if (change.on_conflict) {
        const auto stands_in_the_way = [&](std::size_t arbiter) {
            if (!relation.indexes[arbiter].excludes_at_once())
                run_change::refuse_arbiter(relation, relation.indexes[arbiter]);
            const std::optional<std::string> key = target.writer->conflict(arbiter, row.data());
            if (key && change.conflict_update) conflict_update(change, target, *key, row, source_row);
            return key.has_value();
        };
        for (const int arbiter : change.arbiters)
            if (stands_in_the_way(static_cast<std::size_t>(arbiter))) return false;
        for (std::size_t i = 0; change.arbiters.empty() && i < relation.indexes.size(); ++i)
            if (relation.indexes[i].excludes() && stands_in_the_way(i)) return false;
    }
    changed(target, target.writer->insert(row.data()));
    check_views(change, target, row);
    take_suspects(relation, *target.writer);
    note(relation, nullptr, row.data());
    note_presence(change, false);
    returning(target, row, source_row);
    return true;
}

void ChangeRunner::conflict_update(BoundChange& change, Target& target, const std::string& key,
                                   const std::vector<Value>& row, std::size_t source_row) {
    if (target.touched.count(key) != 0 || (parts_ && changed_.count({change.relation->oid, key}) != 0)) {
        SqlError error(sqlstate::cardinality_violation,
                       "ON CONFLICT DO UPDATE command cannot affect row a second time");
        error.edit().hint = "Ensure that no rows proposed for insertion within the same command have duplicate "
                            "constrained values.";
        throw error;
    }
    if (target.conflict == nullptr) make_conflict_ready(change, target);
    std::vector<Value>& old_row = target.old_row;
    if (!target.writer->read(key, old_row.data(), target.arena))
        raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
    for (std::size_t i = 0; i < row.size(); ++i) {
        *target.conflict->existing[i] = old_row[i];
        *target.conflict->excluded[i] = row[i];
    }
    for (std::size_t i = 0; i < change.conflict_shown.size(); ++i) {
        const Value holds = target.conflict->shown[i]->evaluate(target.arena);
        if (holds.is_null() || !holds.boolean())
            raise(sqlstate::object_not_in_prerequisite_state,
                  "conflicting row is not visible through view \"" + change.conflict_shown[i].first + "\"");
    }
    for (const auto& condition : target.conflict->conditions) {
        const Value holds = condition->evaluate(target.arena);
        if (holds.is_null() || !holds.boolean()) return;
    }
    std::vector<Value> new_row = old_row;
    for (std::size_t i = 0; i < change.conflict_assignments.size(); ++i) {
        const auto column = static_cast<std::size_t>(change.conflict_assignments[i].column);
        const auto& value = target.conflict->values[i];
        new_row[column] = value != nullptr ? value->evaluate(target.arena) : target.unassigned(column);
    }
    // The values may have come from another part of the statement, which changed the row first.
    if (parts_ && changed_.count({change.relation->oid, key}) != 0) return;
    note_presence(change, true);
    update_row(change, target, key, old_row, new_row, source_row);
}

void ChangeRunner::note_presence(const BoundChange& change, bool was_there) {
    if (change.row_was_there != k_no_column)
        execution_.cell(change.row_was_there) = Value::integer(type::xid, was_there ? 1 : 0);
}

void ChangeRunner::make_conflict_ready(BoundChange& change, Target& target) {
    auto made = std::make_unique<Target::Conflict>();
    for (const ColumnId id : change.existing_columns) made->existing.push_back(&execution_.cell(id));
    for (const ColumnId id : change.excluded_columns) made->excluded.push_back(&execution_.cell(id));
    for (const auto& shown : change.conflict_shown) made->shown.push_back(Target::evaluator(shown.second, execution_));
    for (BoundExpr* condition : change.conflict_where)
        made->conditions.push_back(Target::evaluator(condition, execution_));
    for (const ColumnAssignment& assignment : change.conflict_assignments)
        made->values.push_back(Target::evaluator(assignment.value, execution_));
    target.conflict = std::move(made);
    target.find_keys_that_look(change.conflict_assignments, access_);
}

// ---- UPDATE, DELETE, MERGE
// -------------------------------------------------------------------------------------------

void ChangeRunner::update_row(BoundChange& change, Target& target, const std::string& key,
                              const std::vector<Value>& old_row, std::vector<Value>& row, std::size_t source_row) {
    if (change.portion.present && !clip(change, target, old_row, row)) return;
    finish_row(change, target, row);
    changed(target, key);
    changed(target, target.writer->update(key, old_row.data(), row.data()));
    check_views(change, target, row);
    take_suspects(*change.relation, *target.writer);
    if (target.keys_look.value_or(true)) note(*change.relation, old_row.data(), row.data());
    returning(target, row, source_row);
    if (change.portion.present) keep_rest(change, target, old_row);
}

void ChangeRunner::update(BoundChange& change, Target& target) {
    target.evaluate_assignments();
    target.find_row_columns();
    if (!target.keys_look && !change.portion.present) target.find_keys_that_look(change.assignments, access_);
    for (std::size_t r = 0; r < target.source->count; ++r) {
        if ((r & 0xfff) == 0) execution_.check_cancelled();
        target.key.assign(target.row_key(r));
        if (passes_over(target)) continue;
        target.read_rows(r);
        update_row(change, target, target.key, target.old_row, target.row, r);
    }
}

void ChangeRunner::erase_row(BoundChange& change, Target& target, const std::string& key,
                             const std::vector<Value>& row, std::size_t source_row) {
    std::vector<Value> part;
    if (change.portion.present) {
        part = row;
        if (!clip(change, target, row, part)) return;
    }
    changed(target, key);
    target.writer->erase(key, row.data());
    if (change.redact) redactions_.emplace_back(change.relation->oid, key);
    note(*change.relation, row.data(), nullptr);
    returning(target, change.portion.present ? part : row, source_row);
    if (change.portion.present) keep_rest(change, target, row);
}

void ChangeRunner::erase(BoundChange& change, Target& target) {
    for (std::size_t r = 0; r < target.source->count; ++r) {
        if ((r & 0xfff) == 0) execution_.check_cancelled();
        target.key.assign(target.row_key(r));
        if (passes_over(target)) continue;
        target.read_old_row(r, target.old_row);
        erase_row(change, target, target.key, target.old_row, r);
    }
}

void ChangeRunner::merge(BoundChange& change, Target& target) {
    const std::size_t width = change.relation->columns.size();
    std::vector<Value> old_row(width), row(width);
    struct Ready {
        std::vector<std::unique_ptr<Evaluator>> conditions;
        std::vector<std::unique_ptr<Evaluator>> values;
    };
    std::vector<Ready> ready;
    for (const MergeBranch& branch : change.branches) {
        ready.emplace_back();
        for (BoundExpr* condition : branch.condition)
            ready.back().conditions.push_back(target.over_source(condition, execution_));
        for (const ColumnAssignment& assignment : branch.assignments)
            ready.back().values.push_back(target.over_source(assignment.value, execution_));
    }
    for (std::size_t r = 0; r < target.source->count; ++r) {
        if ((r & 0xfff) == 0) execution_.check_cancelled();
        const Value& key_value = target.source->columns[target.key_place][r];
        const bool matched = !key_value.is_null();
        for (std::size_t b = 0; b < change.branches.size(); ++b) {
            const MergeBranch& branch = change.branches[b];
            if (branch.matched != matched) continue;
            bool applies = true;
            for (const auto& condition : ready[b].conditions) {
                const Value holds = target.value(*condition, r);
                applies = applies && !holds.is_null() && holds.boolean();
            }
            if (!applies) continue;
            const auto assign = [&](std::size_t i) {
                const auto column = static_cast<std::size_t>(branch.assignments[i].column);
                row[column] = ready[b].values[i] != nullptr ? target.value(*ready[b].values[i], r)
                                                            : target.unassigned(column);
            };
            if (branch.action == MergeBranch::Action::insert) {
                std::vector<bool> given(width, false);
                for (std::size_t i = 0; i < branch.assignments.size(); ++i) {
                    given[static_cast<std::size_t>(branch.assignments[i].column)] = true;
                    assign(i);
                }
                for (std::size_t c = 0; c < width; ++c)
                    if (!given[c]) row[c] = target.unassigned(c);
                insert_row(change, target, row, r);
            } else if (branch.action != MergeBranch::Action::nothing) {
                const std::string key(key_value.bytes());
                if (parts_ && changed_.count({change.relation->oid, key}) != 0) break;
                if (!target.touched.insert(key).second) {
                    SqlError error(sqlstate::cardinality_violation,
                                   "MERGE command cannot affect row a second time");
                    error.edit().hint = "Ensure that not more than one source row matches any one target row.";
                    throw error;
                }
                target.read_old_row(r, old_row);
                if (branch.action == MergeBranch::Action::erase) {
                    erase_row(change, target, key, old_row, r);
                } else {
                    row = old_row;
                    for (std::size_t i = 0; i < branch.assignments.size(); ++i) assign(i);
                    update_row(change, target, key, old_row, row, r);
                }
            }
            break;
        }
    }
}

// ---- REVERT TABLE
// ----------------------------------------------------------------------------------------------------

std::uint64_t ChangeRunner::restore(BoundChange& change, std::vector<RestoredRow>& rows) {
    Target target(change, execution_, access_);
    const Relation& relation = *change.relation;
    Arena arena;
    std::vector<std::vector<Value>> old_rows(rows.size());
    // Everything that differs goes first, so that no row is in the way of another one's unique key.
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<Value> row(relation.columns.size());
        if (!target.writer->read(rows[i].key, row.data(), arena)) continue;
        target.writer->erase(rows[i].key, row.data());
        old_rows[i] = std::move(row);
    }
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RestoredRow& wanted = rows[i];
        if (wanted.present) {
            for (std::size_t place = wanted.row.size(); place < relation.columns.size(); ++place)
                wanted.row.push_back(target.defaults[place] != nullptr
                                         ? copy_value(target.defaults[place]->evaluate(arena), arena)
                                         : Value::null(relation.columns[place].type));
            finish_row(change, target, wanted.row);
            if (relation.row_key() >= 0) {
                target.writer->insert(wanted.row.data());
            } else {
                target.writer->put_back(wanted.key, wanted.row.data());
                target.writer->insert_entries(wanted.key, wanted.row.data());
            }
            take_suspects(relation, *target.writer);
        }
        const bool had = !old_rows[i].empty();
        if (!had && !wanted.present) continue;
        note(relation, had ? old_rows[i].data() : nullptr, wanted.present ? wanted.row.data() : nullptr);
        ++count;
    }
    settle();
    return count;
}

}  // namespace northstar::inline v0::sql
