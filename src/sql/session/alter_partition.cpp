// ALTER TABLE of partitions, and what ALTER TABLE of a partitioned table means for its partitions.
#include "sql/catalog/partition.hpp"
#include "sql/plan/walk.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/access_methods.hpp"
#include "sql/session/column_storage.hpp"
#include "sql/session/storage_options.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace alter_partition_parts {

class PartitionAlteration {
public:
    PartitionAlteration(SqlSession& session, const Relation& partition)
        : session_(session), partition_(std::make_shared<Relation>(*session.catalog().relation(partition.oid))),
          root_(partition_root(session.catalog(), partition)) {}

    void apply(const syntax::AlterAction& action) {
        using Kind = syntax::AlterKind;
        switch (action.kind) {
            case Kind::add_column: raise(sqlstate::wrong_object_type, "cannot add column to a partition");
            case Kind::drop_column:
                column(action.name);
                raise(sqlstate::invalid_table_definition,
                      "cannot drop inherited column \"" + std::string(action.name) + "\"");
            case Kind::set_type:
                column(action.name);
                raise(sqlstate::invalid_table_definition,
                      "cannot alter inherited column \"" + std::string(action.name) + "\"");
            case Kind::set_default:
            case Kind::drop_default:
                column(action.name).default_text =
                    action.kind == Kind::set_default ? session_.stored_text(action.source) : "";
                return store();
            case Kind::set_not_null: {
                column(action.name).not_null = true;
                const auto place = static_cast<std::size_t>(root_->find_column(action.name));
                Arena arena;
                for (const auto& [key, row] : partition_rows(session_, *root_, partition_->oid, arena))
                    if (row[place].is_null())
                        raise(sqlstate::not_null_violation, "column \"" + std::string(action.name) +
                                                                "\" of relation \"" + partition_->name +
                                                                "\" contains null values");
                return store();
            }
            case Kind::drop_not_null: {
                const auto parent = session_.catalog().relation(partition_->partition_of);
                const int place = parent->find_column(action.name);
                if (place >= 0 && parent->columns[static_cast<std::size_t>(place)].not_null)
                    raise(sqlstate::invalid_table_definition,
                          "column \"" + std::string(action.name) + "\" is marked NOT NULL in parent table");
                column(action.name).not_null = false;
                return store();
            }
            case Kind::add_constraint: return add_constraint(action.constraint);
            case Kind::drop_constraint: return drop_constraint(action);
            case Kind::reset_options: return;
            case Kind::set_options:
                return check_storage_options(
                    action.options, partition_->is_partitioned() ? StorageOf::partitioned_table : StorageOf::table);
            case Kind::set_statistics:
                column(action.name);
                return check_storage_options(action.options, StorageOf::column);
            case Kind::set_storage:
            case Kind::set_compression:
                set_column_storage(column(action.name), action, session_.state().types);
                return store();
            case Kind::set_access_method: return check_table_method(action.name, false);
            case Kind::set_logged:
            case Kind::set_unlogged:
                partition_->unlogged = action.kind == Kind::set_unlogged;
                return store();
            case Kind::owner:
            case Kind::cluster:
            case Kind::replica_identity: return;
            default:
                raise(sqlstate::feature_not_supported, "this form of ALTER TABLE is not supported for a partition");
        }
    }

private:
    Column& column(std::string_view name) {
        const int place = partition_->find_column(name);
        if (place < 0)
            raise(sqlstate::undefined_column,
                  "column \"" + std::string(name) + "\" of relation \"" + partition_->name + "\" does not exist");
        return partition_->columns[static_cast<std::size_t>(place)];
    }
    void store() { session_.put(partition_); }

    void add_constraint(const syntax::ConstraintDefinition& constraint) {
        std::vector<std::string> names;
        for (const syntax::Name name : constraint.columns) names.emplace_back(name);
        if (constraint.kind == syntax::ConstraintKind::exclude) exclusion_index(session_, *partition_, constraint);
        if (constraint.kind != syntax::ConstraintKind::check)
            return add_partition_key(session_, *partition_, constraint, names);
        CheckConstraint check;
        check.text = session_.stored_text(constraint.source);
        check.validated = !constraint.not_valid;
        check.name = constraint.name.empty() ? name_of_check(session_, *partition_, *root_, *constraint.expr)
                                             : std::string(constraint.name);
        BoundPool pool;
        std::vector<Oid> none;
        Binder binder(session_, pool, none);
        std::vector<ColumnId> ids;
        for (std::size_t i = 0; i < root_->columns.size(); ++i) ids.push_back(pool.column());
        BoundExpr* bound =
            binder.condition(binder.bind_text(check.text, *root_, ids, "check constraints"), "CHECK", 0);
        Execution execution(session_.state(), session_, session_.parameters());
        Evaluator evaluator(*bound, {}, execution);
        Arena arena;
        if (check.validated)
            for (const auto& [key, row] : partition_rows(session_, *root_, partition_->oid, arena)) {
                for (std::size_t i = 0; i < ids.size(); ++i) execution.cell(ids[i]) = row[i];
                const Value holds = evaluator.evaluate(arena);
                if (!holds.is_null() && !holds.boolean())
                    raise(sqlstate::check_violation, "check constraint \"" + check.name + "\" of relation \"" +
                                                         partition_->name + "\" is violated by some row");
            }
        partition_->checks.push_back(std::move(check));
        store();
    }

    void drop_constraint(const syntax::AlterAction& action) {
        for (const CheckConstraint& check : root_->checks)
            if (check.name == action.name) inherited(action.name);
        const auto own = std::find_if(partition_->checks.begin(), partition_->checks.end(),
                                      [&](const CheckConstraint& check) { return check.name == action.name; });
        if (own != partition_->checks.end()) {
            partition_->checks.erase(own);
            return store();
        }
        if (const Index* const part = partition_->find_index(action.name); part != nullptr &&
                                                                          part->role != ConstraintRole::none)
            inherited(action.name);
        auto root = std::make_shared<Relation>(*root_);
        const auto foreign = std::find_if(root->foreign_keys.begin(), root->foreign_keys.end(),
                                          [&](const ForeignKey& key) { return key.name == action.name; });
        if (foreign != root->foreign_keys.end()) {
            if (foreign->partition != partition_->oid || said_above(*foreign)) inherited(action.name);
            root->foreign_keys.erase(foreign);
            return session_.put(root);
        }
        const auto index = std::find_if(root->indexes.begin(), root->indexes.end(), [&](const Index& other) {
            return other.name == action.name && other.role != ConstraintRole::none;
        });
        if (index != root->indexes.end()) {
            if (index->partition != partition_->oid) inherited(action.name);
            session_.drop_tree(root->index_tree(*index), root->temporary);
            root->indexes.erase(index);
            session_.put(root);
            return follow_indexes(session_, root->oid);
        }
        if (!action.if_exists)
            raise(sqlstate::undefined_object, "constraint \"" + std::string(action.name) + "\" of relation \"" +
                                                  partition_->name + "\" does not exist");
    }

    /// Does the table above have the same foreign key? Then that of the partition is a part of it.
    bool said_above(const ForeignKey& own) const {
        return std::any_of(root_->foreign_keys.begin(), root_->foreign_keys.end(), [&](const ForeignKey& other) {
            const bool above = other.partition == 0 ||
                               (other.partition != partition_->oid &&
                                is_within_partition(session_.catalog(), *partition_, other.partition));
            return above && other.table == own.table && other.columns == own.columns &&
                   other.referenced == own.referenced && other.on_delete == own.on_delete &&
                   other.on_update == own.on_update && other.match_full == own.match_full;
        });
    }

    [[noreturn]] void inherited(std::string_view name) {
        raise(sqlstate::invalid_table_definition, "cannot drop inherited constraint \"" + std::string(name) +
                                                      "\" of relation \"" + partition_->name + "\"");
    }

    SqlSession& session_;
    std::shared_ptr<Relation> partition_;
    std::shared_ptr<const Relation> root_;
};

}  // namespace alter_partition_parts

void alter_partition(SqlSession& session, const Relation& partition, const syntax::AlterAction& action) {
    alter_partition_parts::PartitionAlteration(session, partition).apply(action);
}

void add_partition_key(SqlSession& session, Relation& partition, const syntax::ConstraintDefinition& constraint,
                       const std::vector<std::string>& names) {
    using Kind = syntax::ConstraintKind;
    auto root = std::make_shared<Relation>(*partition_root(session.catalog(), partition));
    // What the definition says is read as if it were the topmost table's; then it is bound to the partition.
    Relation made = *root;
    made.schema = partition.schema;
    made.name = partition.name;
    // Dumps give each partition a key of its own, to be attached to that of the whole.
    if (constraint.kind == Kind::primary_key && root->primary_key() >= 0) {
        Index& whole = made.indexes[static_cast<std::size_t>(root->primary_key())];
        const auto same = [&](const IndexColumn& part, const std::string& name) {
            return part.column == made.find_column(name);
        };
        if (std::equal(whole.columns.begin(), whole.columns.end(), names.begin(), names.end(), same))
            whole.role = ConstraintRole::unique;
    }
    Execution execution(session.state(), session, session.parameters());
    if (constraint.kind == Kind::foreign_key) {
        make_foreign_key(session, made, constraint, names);
        ForeignKey foreign = made.foreign_keys.back();
        foreign.partition = partition.oid;
        root->foreign_keys.push_back(foreign);
        session.put(root);
        if (!foreign.validated) return;
        ChangeRunner runner(execution, session);
        Arena arena;
        for (const auto& [key, row] : partition_rows(session, *root, partition.oid, arena)) {
            PendingCheck pending;
            pending.table = root->oid;
            pending.constraint = foreign.name;
            pending.kind = PendingCheck::Kind::referring;
            bool null = false;
            for (const int column : foreign.columns) {
                pending.values.push_back(row[static_cast<std::size_t>(column)]);
                null |= pending.values.back().is_null();
            }
            if (!null) runner.check(pending);
        }
        return;
    }
    if (constraint.kind != Kind::primary_key && constraint.kind != Kind::unique)
        raise_at(sqlstate::feature_not_supported, "this constraint is not supported for a partition",
                 constraint.position);
    if (constraint.kind == Kind::primary_key && partition.primary_key() >= 0)
        raise_at(sqlstate::invalid_table_definition,
                 "multiple primary keys for table \"" + partition.name + "\" are not allowed", constraint.position);
    Index index = make_key_index(session, made, constraint, names);
    const bool primary = index.role == ConstraintRole::primary_key;
    if (index.name.empty()) index.name = index_name_of_its_own(session, made, index);
    index.role = ConstraintRole::unique;
    index.partition = partition.oid;
    if (primary) {
        Arena arena;
        const auto rows = partition_rows(session, *root, partition.oid, arena);
        for (const IndexColumn& part : index.columns) {
            const std::string& name = root->columns[static_cast<std::size_t>(part.column)].name;
            for (const auto& [key, row] : rows)
                if (row[static_cast<std::size_t>(part.column)].is_null())
                    raise(sqlstate::not_null_violation,
                          "column \"" + name + "\" of relation \"" + partition.name + "\" contains null values");
            partition.columns[static_cast<std::size_t>(partition.find_column(name))].not_null = true;
        }
        session.put(std::make_shared<Relation>(partition));
    }
    const Oid made_index = index.oid;
    root->indexes.push_back(std::move(index));
    session.put(root);
    TableWriter(session.catalog().relation(root->oid), execution, session).build_index(root->indexes.size() - 1);
    if (partition.is_partitioned()) make_index_parts(session, partition.oid, made_index);
}

std::shared_ptr<const Relation> table_divided_by(SqlSession& session, const Relation& table, std::string_view column) {
    const int place = table.find_column(column);
    if (place < 0) return nullptr;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < table.columns.size(); ++i) ids.push_back(pool.column());
    std::vector<std::shared_ptr<const Relation>> tables = all_partitions_of(session.catalog(), table.oid);
    tables.insert(tables.begin(), session.catalog().relation(table.oid));
    for (const auto& divided : tables)
        for (const PartitionKey::Part& part : divided->partition_key.parts)
            if (used_columns(binder.bind_text(part.text, table, ids, "partition key expressions"))
                    .count(ids[static_cast<std::size_t>(place)]) != 0)
                return divided;
    return nullptr;
}

void check_partition_key_kept(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    if (action.kind != Kind::drop_column && action.kind != Kind::set_type) return;
    if (const auto divided = table_divided_by(session, table, action.name))
        raise(sqlstate::invalid_table_definition,
              std::string(action.kind == Kind::drop_column ? "cannot drop" : "cannot alter") + " column \"" +
                  std::string(action.name) + "\" because it is part of the partition key of relation \"" +
                  divided->name + "\"");
}

void follow_topmost_table(SqlSession& session, const Relation& before, const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    const auto now = session.catalog().relation(before.oid);
    for (const auto& old : all_partitions_of(session.catalog(), before.oid)) {
        auto part = std::make_shared<Relation>(*old);
        for (std::size_t i = before.columns.size(); i < now->columns.size(); ++i) {
            part->columns.push_back(now->columns[i]);
            part->columns.back().identity = 0;
            part->columns.back().sequence = 0;
        }
        part->columns.erase(std::remove_if(part->columns.begin(), part->columns.end(),
                                           [&](const Column& column) { return now->find_column(column.name) < 0; }),
                            part->columns.end());
        const int place = part->find_column(action.name);
        const int above = now->find_column(action.name);
        if (place >= 0 && above >= 0) {
            Column& own = part->columns[static_cast<std::size_t>(place)];
            const Column& theirs = now->columns[static_cast<std::size_t>(above)];
            own.type = theirs.type;
            own.typmod = theirs.typmod;
            own.domain = theirs.domain;
            if (action.kind == Kind::set_not_null || action.kind == Kind::drop_not_null) own.not_null = theirs.not_null;
            if (action.kind == Kind::set_default || action.kind == Kind::drop_default)
                own.default_text = theirs.default_text;
            if (action.kind == Kind::set_storage) own.storage = theirs.storage;
        }
        if (action.kind == Kind::drop_column && before.find_column(action.name) >= 0) {
            BoundPool pool;
            std::vector<Oid> none;
            Binder binder(session, pool, none);
            std::vector<ColumnId> ids;
            for (std::size_t i = 0; i < before.columns.size(); ++i) ids.push_back(pool.column());
            const auto gone = static_cast<std::size_t>(before.find_column(action.name));
            part->checks.erase(std::remove_if(part->checks.begin(), part->checks.end(),
                                              [&](const CheckConstraint& check) {
                                                  return used_columns(binder.bind_text(check.text, before, ids,
                                                                                       "check constraints"))
                                                             .count(ids[gone]) != 0;
                                              }),
                               part->checks.end());
        }
        session.put(part);
    }
    follow_indexes(session, before.oid);
}

void rename_partition_columns(SqlSession& session, Relation& table, std::string_view from, const std::string& to) {
    const auto rename_key = [&](Relation& relation) {
        for (PartitionKey::Part& part : relation.partition_key.parts)
            part.text = rename_identifier(part.text, from, to);
    };
    rename_key(table);
    for (const auto& old : all_partitions_of(session.catalog(), table.oid)) {
        auto part = std::make_shared<Relation>(*old);
        rename_key(*part);
        for (CheckConstraint& check : part->checks) check.text = rename_identifier(check.text, from, to);
        const int place = part->find_column(from);
        if (place >= 0) part->columns[static_cast<std::size_t>(place)].name = to;
        session.put(part);
    }
}

}  // namespace northstar::inline v0::sql
