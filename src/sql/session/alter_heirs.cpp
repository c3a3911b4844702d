// ALTER TABLE among tables that inherit: what may not be done to one of them alone, and what the others follow.
#include "sql/catalog/partition.hpp"
#include "sql/session/define_alter.hpp"
#include "sql/session/define_inheritance.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace alter_heirs_impl {

using Kind = syntax::AlterKind;

/// Heirs that have what the table has gained, or lost, and what they make of it.
class Followers {
public:
    Followers(SqlSession& session, const Relation& before)
        : session_(session), before_(before), now_(session.catalog().relation(before.oid)) {}

    void gained(const syntax::AlterAction& action) {
        const std::string_view name = action.column.name;
        const bool column = action.kind == Kind::add_column && before_.find_column(name) < 0;
        std::vector<const CheckConstraint*> checks;
        for (const CheckConstraint& check : now_->checks)
            if (!check.no_inherit && find_check(before_, check.name) == nullptr) checks.push_back(&check);
        if (!column && checks.empty()) return;
        for (const auto& then : session_.catalog().children_of(before_.oid)) {
            const auto child = session_.catalog().relation(then->oid);  // it may have followed another one already
            if (column) gain_column(*child, now_->columns[static_cast<std::size_t>(now_->find_column(name))]);
            for (const CheckConstraint* const check : checks) gain_check(child->oid, *check);
            Followers(session_, *child).gained(action);
        }
    }

    /// `only`: they keep it, as their own.
    void lost(const syntax::AlterAction& action, bool only) {
        const bool column = action.kind == Kind::drop_column;
        const CheckConstraint* const check = column ? nullptr : find_check(before_, action.name);
        if (column ? before_.find_column(action.name) < 0 || now_->find_column(action.name) >= 0
                   : check == nullptr || check->no_inherit)
            return;
        for (const auto& then : session_.catalog().children_of(before_.oid)) {
            const auto child = session_.catalog().relation(then->oid);
            auto kept = std::make_shared<Relation>(*child);
            bool* const inherited = column ? inherited_column(*kept, action.name) : inherited_check(*kept, action.name);
            const bool elsewhere = column ? inherits_column(session_, *child, action.name)
                                          : inherits_check(session_, *child, action.name);
            if (inherited == nullptr || (elsewhere && !only)) continue;
            if (only) {
                *inherited = false;
                session_.put(kept);
                continue;
            }
            syntax::AlterAction same = action;
            same.if_exists = true;
            define_alter::Alteration(session_, child).apply(same);
            Followers(session_, *child).lost(action, false);
        }
    }

private:
    /// The mark of what a table has from others alone; null: it has no such thing.
    static bool* inherited_column(Relation& heir, std::string_view name) {
        const int place = heir.find_column(name);
        if (place < 0) return nullptr;
        Column& column = heir.columns[static_cast<std::size_t>(place)];
        return column.inherited ? &column.inherited : nullptr;
    }
    static bool* inherited_check(Relation& heir, std::string_view name) {
        for (CheckConstraint& check : heir.checks)
            if (check.name == name) return check.inherited ? &check.inherited : nullptr;
        return nullptr;
    }

    void gain_column(const Relation& child, const Column& column) {
        const int place = child.find_column(column.name);
        if (place < 0) {
            define_alter::Alteration(session_, session_.catalog().relation(child.oid)).inherit(column);
            return;
        }
        const Column& have = child.columns[static_cast<std::size_t>(place)];
        if (have.type != column.type || have.typmod != column.typmod)
            raise(sqlstate::datatype_mismatch,
                  "child table \"" + child.name + "\" has different type for column \"" + column.name + "\"");
        session_.notice(sqlstate::successful_completion,
                        "merging definition of column \"" + column.name + "\" for child \"" + child.name + "\"");
    }

    void gain_check(Oid child, const CheckConstraint& check) {
        const auto heir = session_.catalog().relation(child);
        if (!merge_inherited_check(session_, *heir, check, find_check(*heir, check.name)))
            define_alter::Alteration(session_, heir).inherit(check);
    }

    SqlSession& session_;
    const Relation& before_;
    const std::shared_ptr<const Relation> now_;
};

/// The columns of a primary key are NOT NULL, and without its partitions the table cannot make theirs so.
void refuse_unmarked_partitions(const SqlSession& session, const Relation& table,
                                const syntax::ConstraintDefinition& key) {
    for (const auto& partition : all_partitions_of(session.catalog(), table.oid))
        for (const syntax::Name name : key.columns)
            if (const int place = partition->find_column(name);
                place >= 0 && !partition->columns[static_cast<std::size_t>(place)].not_null)
                raise(sqlstate::invalid_table_definition, "constraint must be added to child tables too",
                      "Column \"" + std::string(name) + "\" of relation \"" + partition->name +
                          "\" is not already NOT NULL.",
                      "Do not specify the ONLY keyword.");
}

}  // namespace alter_heirs_impl

void refuse_inherited(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    using namespace alter_heirs_impl;
    if (action.kind == Kind::add_column && table.find_column(action.column.name) < 0 &&
        !session.catalog().children_of(table.oid).empty())
        for (const syntax::ConstraintDefinition& constraint : action.column.constraints)
            if (constraint.kind == syntax::ConstraintKind::identity)
                raise(sqlstate::invalid_table_definition,
                      "cannot recursively add identity column to table that has child tables");
    const bool column = action.kind == Kind::drop_column || action.kind == Kind::set_type;
    if (column && inherits_column(session, table, action.name))
        raise(sqlstate::invalid_table_definition,
              std::string(action.kind == Kind::drop_column ? "cannot drop" : "cannot alter") +
                  " inherited column \"" + std::string(action.name) + "\"");
    if (action.kind == Kind::drop_constraint && find_check(table, action.name) != nullptr &&
        inherits_check(session, table, action.name))
        raise(sqlstate::invalid_table_definition, "cannot drop inherited constraint \"" + std::string(action.name) +
                                                      "\" of relation \"" + table.name + "\"");
}

void refuse_column_of_others(SqlSession& session, const Relation& table, std::string_view column, const char* what) {
    const auto heirs = session.catalog().heirs_of(table.oid);
    for (const auto& heir : heirs) {
        if (heir->find_column(column) < 0) continue;
        for (const Oid oid : heir->inherits) {
            const auto parent = session.catalog().relation(oid);
            const bool goes_along = oid == table.oid || std::any_of(heirs.begin(), heirs.end(), [&](const auto& other) {
                                        return other->oid == oid;
                                    });
            if (!goes_along && parent != nullptr && parent->find_column(column) >= 0)
                raise(sqlstate::invalid_table_definition,
                      std::string(what) + " inherited column \"" + std::string(column) + "\" of relation \"" +
                          heir->name + "\"");
        }
    }
}

void refuse_only(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    using namespace alter_heirs_impl;
    const auto refuse = [](const std::string& message) { raise(sqlstate::invalid_table_definition, message); };
    // That it is there already is what matters then.
    if (action.kind == Kind::add_column && table.find_column(action.column.name) >= 0) return;
    if (table.is_partitioned() && !partitions_of(session.catalog(), table.oid).empty())
        switch (action.kind) {
            case Kind::add_column: refuse("column must be added to child tables too"); break;
            case Kind::set_type:
                refuse("type of inherited column \"" + std::string(action.name) +
                       "\" must be changed in child tables too");
                break;
            case Kind::set_not_null: refuse("constraint must be added to child tables too"); break;
            case Kind::add_constraint:
                if (action.constraint.kind == syntax::ConstraintKind::check)
                    refuse("constraint must be added to child tables too");
                if (action.constraint.kind == syntax::ConstraintKind::primary_key)
                    refuse_unmarked_partitions(session, table, action.constraint);
                break;
            case Kind::drop_column:
                refuse("cannot drop column from only the partitioned table when partitions exist");
                break;
            case Kind::drop_not_null:
            case Kind::drop_constraint:
                if (action.kind == Kind::drop_not_null || find_check(table, action.name) != nullptr)
                    refuse("cannot remove constraint from only the partitioned table when partitions exist");
                break;
            default: break;
        }
    if (session.catalog().children_of(table.oid).empty()) return;
    switch (action.kind) {
        case Kind::add_column: refuse("column must be added to child tables too"); break;
        case Kind::set_type:
            refuse("type of inherited column \"" + std::string(action.name) + "\" must be changed in child tables too");
            break;
        case Kind::add_constraint:
            if (action.constraint.kind == syntax::ConstraintKind::check && !action.constraint.no_inherit)
                refuse("constraint must be added to child tables too");
            break;
        case Kind::validate_constraint:
            if (const CheckConstraint* const check = find_check(table, action.name);
                check != nullptr && !check->validated && !check->no_inherit)
                refuse("constraint must be validated on child tables too");
            break;
        default: break;
    }
}

void alter_heirs(SqlSession& session, const Relation& before, const syntax::AlterAction& action, bool only) {
    using namespace alter_heirs_impl;
    switch (action.kind) {
        case Kind::add_column:
        case Kind::add_constraint: return Followers(session, before).gained(action);
        case Kind::drop_column:
        case Kind::drop_constraint: return Followers(session, before).lost(action, only);
        case Kind::set_default:
        case Kind::drop_default:
        case Kind::set_not_null:
        case Kind::drop_not_null:
        case Kind::set_storage:
        case Kind::drop_expression: break;
        case Kind::validate_constraint:
            if (const CheckConstraint* const check = find_check(before, action.name);
                check == nullptr || check->no_inherit)
                return;
            break;
        default: return;
    }
    if (only) return;
    for (const auto& heir : session.catalog().heirs_of(before.oid))
        define_alter::Alteration(session, session.catalog().relation(heir->oid)).apply(action);
}

}  // namespace northstar::inline v0::sql
