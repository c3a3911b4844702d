// ALTER TABLE: its columns.
#include "sql/session/define_alter.hpp"

#include "sql/catalog/stored_names.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/walk.hpp"
#include "sql/record.hpp"
#include "sql/session/access_methods.hpp"
#include "sql/session/column_storage.hpp"
#include "sql/session/dependencies.hpp"
#include "sql/session/storage_options.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_alter {

void Alteration::apply(const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    relation_ = std::make_shared<Relation>(*session_.catalog().relation(relation_->oid));
    switch (action.kind) {
        case Kind::add_column: add_column(action); break;
        case Kind::drop_column: drop_column(action); break;
        case Kind::set_default:
        case Kind::drop_default: {
            Column& target = column(action.name);
            if (!target.generated_text.empty())
                raise(sqlstate::syntax_error, "column \"" + target.name + "\" of relation \"" + relation_->name +
                                                  "\" is a generated column");
            if (target.identity != 0)
                raise(sqlstate::syntax_error, "column \"" + target.name + "\" of relation \"" + relation_->name +
                                                  "\" is an identity column");
            target.default_text = action.kind == Kind::set_default ? session_.stored_text(action.source) : "";
            store();
            check_definitions();
            break;
        }
        case Kind::set_not_null: {
            Column& target = column(action.name);
            target.not_null = true;
            const int place = relation_->find_column(action.name);
            each_row([&](const Value* row) {
                if (row[place].is_null())
                    raise(sqlstate::not_null_violation, "column \"" + std::string(action.name) +
                                                            "\" of relation \"" + relation_->name +
                                                            "\" contains null values");
            });
            store();
            break;
        }
        case Kind::drop_not_null: {
            Column& target = column(action.name);
            if (target.identity != 0)
                raise(sqlstate::syntax_error, "column \"" + target.name + "\" of relation \"" + relation_->name +
                                                  "\" is an identity column");
            const int key = relation_->primary_key();
            if (key >= 0)
                for (const IndexColumn& part : relation_->indexes[static_cast<std::size_t>(key)].columns)
                    if (part.column == relation_->find_column(action.name))
                        raise(sqlstate::invalid_table_definition,
                              "column \"" + target.name + "\" is in a primary key");
            target.not_null = false;
            store();
            break;
        }
        case Kind::set_type: set_types({&action}); break;
        case Kind::add_constraint: add_constraint(action.constraint); break;
        case Kind::drop_constraint: drop_constraint(action); break;
        case Kind::validate_constraint: validate(action); break;
        case Kind::alter_constraint:
            for (ForeignKey& foreign : relation_->foreign_keys)
                if (foreign.name == action.name) {
                    foreign.deferrable = action.constraint.deferrable;
                    foreign.initially_deferred = action.constraint.initially_deferred;
                    store();
                    return;
                }
            for (const auto& [name, kind] : constraint_names())
                if (name == action.name)
                    raise(sqlstate::wrong_object_type, "constraint \"" + name + "\" of relation \"" +
                                                           relation_->name +
                                                           "\" is not a foreign key constraint");
            no_constraint(action.name);
        case Kind::add_identity: add_identity(action); break;
        case Kind::set_identity: set_identity(action); break;
        case Kind::drop_identity: {
            Column& target = column(action.name);
            if (target.identity == 0) {
                if (!action.if_exists)
                    raise(sqlstate::object_not_in_prerequisite_state,
                          "column \"" + target.name + "\" of relation \"" + relation_->name +
                              "\" is not an identity column");
                break;
            }
            const Oid sequence = target.sequence;
            target.identity = 0;
            target.sequence = 0;
            store();
            if (const auto old = session_.catalog().relation(sequence)) session_.remove(*old);
            break;
        }
        case Kind::drop_expression: {
            Column& target = column(action.name);
            if (target.generated_text.empty() && !action.if_exists)
                raise(sqlstate::object_not_in_prerequisite_state, "column \"" + target.name + "\" of relation \"" +
                                                                     relation_->name +
                                                                     "\" is not a stored generated column");
            target.generated_text.clear();
            store();
            break;
        }
        case Kind::trigger:
            raise(sqlstate::undefined_object, "trigger \"" + std::string(action.name) + "\" for table \"" +
                                                  relation_->name + "\" does not exist");
        case Kind::enable_foreign_keys:
        case Kind::disable_foreign_keys: check_foreign_keys(action.kind == Kind::enable_foreign_keys); break;
        case Kind::set_statistics:
            column(action.name);
            check_storage_options(action.options, StorageOf::column);
            break;
        case Kind::set_storage:
        case Kind::set_compression:
            set_column_storage(column(action.name), action, session_.state().types);
            return store();
        case Kind::set_access_method: check_table_method(action.name, false); break;
        case Kind::set_logged:
        case Kind::set_unlogged: set_logged(action.kind == Kind::set_logged); break;
        case Kind::set_options:
        case Kind::reset_options: options(action); break;
        case Kind::owner:
        case Kind::cluster:
        case Kind::replica_identity: break;
        default: raise(sqlstate::feature_not_supported, "this form of ALTER TABLE is not supported");
    }
}

Column& Alteration::column(std::string_view name) {
    const int place = relation_->find_column(name);
    if (place < 0)
        raise(sqlstate::undefined_column,
              "column \"" + std::string(name) + "\" of relation \"" + relation_->name + "\" does not exist");
    return relation_->columns[static_cast<std::size_t>(place)];
}

void Alteration::options(const syntax::AlterAction& action) {
    if (action.kind == syntax::AlterKind::set_options)
        check_storage_options(action.options, relation_->kind == RelationKind::view ? StorageOf::view
                                              : relation_->is_partitioned()         ? StorageOf::partitioned_table
                                                                                    : StorageOf::table);
    for (const syntax::Option& option : action.options) {
        if (relation_->kind == RelationKind::view) {
            const bool reset = action.kind == syntax::AlterKind::reset_options;
            if (option.name == "check_option") relation_->check_option = reset ? 0 : check_option_of(option);
            store();
            continue;
        }
        if (option.name != "history_retention") continue;
        relation_->history_retention =
            action.kind == syntax::AlterKind::reset_options ? std::string() : retention_text(option);
        store();
        set_retention(session_, *relation_);
    }
}

/// What stays may not refer to what a crash may empty, in PostgreSQL.
void Alteration::set_logged(bool logged) {
    if (relation_->temporary)
        raise(sqlstate::invalid_table_definition, "cannot change logged status of table \"" + relation_->name +
                                                      "\" because it is temporary");
    const auto refuse = [&](const Relation& other) {
        if (other.oid != relation_->oid)
            raise(sqlstate::invalid_table_definition,
                  "could not change table \"" + relation_->name + "\" to " + (logged ? "logged" : "unlogged") +
                      " because it references " + (logged ? "unlogged" : "logged") + " table \"" + other.name + "\"");
    };
    if (logged) {
        for (const ForeignKey& foreign : relation_->foreign_keys)
            if (const auto other = session_.catalog().relation(foreign.table); other->unlogged) refuse(*other);
    } else {
        for (const auto& [child, foreign] : session_.catalog().references_to(relation_->oid))
            if (!child->unlogged) refuse(*child);
    }
    relation_->unlogged = !logged;
    store();
}

void Alteration::check_definitions() {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    BoundChange change;
    change.relation = session_.catalog().relation(relation_->oid);
    binder.prepare_change(change);
}

void Alteration::add_column(const syntax::AlterAction& action) {
    const syntax::ColumnSpec& spec = action.column;
    if (relation_->find_column(spec.name) >= 0) {
        if (!action.if_exists)
            raise(sqlstate::duplicate_column, "column \"" + std::string(spec.name) + "\" of relation \"" +
                                                  relation_->name + "\" already exists");
        session_.notice(sqlstate::duplicate_column, "column \"" + std::string(spec.name) + "\" of relation \"" +
                                                        relation_->name + "\" already exists, skipping");
        return;
    }
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    std::vector<std::shared_ptr<Relation>> sequences;
    auto to = std::make_shared<Relation>(*relation_);
    to->columns.push_back(make_column(session_, binder, *relation_, spec, sequences));
    const std::size_t place = to->columns.size() - 1;
    for (const auto& sequence : sequences) {
        sequence->sequence.owner_table = to->oid;
        session_.put(sequence);
    }
    for (const syntax::ConstraintDefinition& constraint : spec.constraints)
        if (constraint.kind == syntax::ConstraintKind::check) {
            CheckConstraint check;
            check.text = session_.stored_text(constraint.source);
            check.name = constraint.name.empty() ? name_of_check(session_, *to, *to, *constraint.expr)
                                                 : std::string(constraint.name);
            to->checks.push_back(std::move(check));
        }
    rewrite_with_column(to, place);
    for (const syntax::ConstraintDefinition& constraint : spec.constraints) {
        using Kind = syntax::ConstraintKind;
        if (constraint.kind != Kind::primary_key && constraint.kind != Kind::unique &&
            constraint.kind != Kind::foreign_key)
            continue;
        relation_ = std::make_shared<Relation>(*session_.catalog().relation(relation_->oid));
        add_key(constraint, {std::string(spec.name)});
    }
}

void Alteration::rewrite_with_column(std::shared_ptr<Relation> to, std::size_t place) {
    BoundChange change;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    change.relation = to;
    binder.prepare_change(change);
    if (change.generated[place] != nullptr) check_generation(session_, change, place);
    if (change.generated[place] == nullptr && to->checks.size() == relation_->checks.size() &&
        same_in_all_rows(to->columns[place], change.defaults[place])) {
        // Rows that lack the column read as if they had it: nothing is written, and no version of a row is made.
        if (to->columns[place].missing.has_value()) refuse_users_of_row_type();
        session_.put(to);
        relation_ = to;
        std::vector<int> places;
        for (const Column& column : to->columns)
            if (!column.dropped) places.push_back(static_cast<int>(places.size()));
        places.back() = -1;
        rewrite_users_of_row_type(places);
        return;
    }
    refuse_users_of_row_type();
    const std::vector<ColumnId> nothing;
    rewrite(to, [&](std::vector<Value>& row, Execution& execution) {
        row[place] = Value::null(to->columns[place].type);
        for (std::size_t i = 0; i < row.size(); ++i) execution.cell(change.new_columns[i]) = row[i];
        BoundExpr* source = change.generated[place] != nullptr ? change.generated[place] : change.defaults[place];
        if (source != nullptr)
            row[place] = copy_value(Evaluator(*source, nothing, execution).evaluate(values_), values_);
        execution.cell(change.new_columns[place]) = row[place];
        // A domain may refuse its default, and NULL.
        for (const auto& [column, check] : change.domain_checks)
            if (static_cast<std::size_t>(column) == place) Evaluator(*check, nothing, execution).evaluate(values_);
        if (to->columns[place].not_null && row[place].is_null())
            raise(sqlstate::not_null_violation, "column \"" + to->columns[place].name + "\" of relation \"" +
                                                    to->name + "\" contains null values");
        for (const auto& [name, check] : change.checks) {
            const Value holds = Evaluator(*check, nothing, execution).evaluate(values_);
            if (!holds.is_null() && !holds.boolean())
                raise(sqlstate::check_violation, "check constraint \"" + name + "\" of relation \"" + to->name +
                                                     "\" is violated by some row");
        }
    });
}

bool Alteration::may_use(const Relation& view, int place) const {
    const std::size_t number = static_cast<std::size_t>(place);
    std::string_view name = relation_->columns[number].name;
    bool of_partition = false;
    for (const NamedRelation& then : view.names) {
        const auto other = session_.catalog().relation(then.oid);
        of_partition |= other != nullptr && other->is_partition();
    }
    bool named = view.names.empty() || of_partition;
    for (const NamedRelation& then : view.names) {
        if (then.oid != relation_->oid) continue;
        if (number >= then.columns.size()) return false;  // it came later
        name = then.columns[number];
        named = true;
    }
    if (!named) return false;  // it reads the table through another view
    const bool written = rename_identifier(view.query, name, std::string(name) + '_') != view.query ||
                         view.query.find('*') != std::string::npos;
    return written && (of_partition || view_may_name(session_, view, relation_->oid, place));
}

bool Alteration::names_column(const std::string& text, int place) const {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < relation_->columns.size(); ++i) ids.push_back(pool.column());
    return used_columns(binder.bind_text(text, *relation_, ids, "constraints"))
               .count(ids[static_cast<std::size_t>(place)]) != 0;
}

void Alteration::refuse_users_of_row_type() const {
    for (const auto& [name, other] : session_.catalog().relations())
        for (const Column& column : other->columns)
            if (!column.dropped && other->stores_rows() && relation_->row_type != 0 &&
                column.type == relation_->row_type)
                raise(sqlstate::feature_not_supported, "cannot alter table \"" + relation_->name +
                                                           "\" because column \"" + other->name + "." +
                                                           column.name + "\" uses its row type");
}

void Alteration::rewrite_users_of_row_type(const std::vector<int>& places) {
    const Oid row_type = relation_->row_type;
    if (row_type == 0) return;
    std::vector<std::shared_ptr<const Relation>> users;
    for (const auto& [name, other] : session_.catalog().relations()) {
        if (!other->stores_rows()) continue;
        const auto uses = [&](const Column& column) { return !column.dropped && column.type == row_type; };
        if (std::any_of(other->columns.begin(), other->columns.end(), uses)) users.push_back(other);
    }
    const std::vector<FieldInfo> fields = [&] {
        const std::span<const FieldInfo> known = session_.catalog().fields(row_type);
        return std::vector<FieldInfo>(known.begin(), known.end());
    }();
    for (const auto& user : users) {
        Arena arena;
        const auto adapt = [&](std::vector<Value>& row, Execution&) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (user->columns[i].dropped || user->columns[i].type != row_type || row[i].is_null()) continue;
                const RecordView record(row[i]);
                std::vector<Value> values;
                for (std::size_t k = 0; k < places.size(); ++k) {
                    const bool has = places[k] >= 0 && static_cast<std::size_t>(places[k]) < record.size();
                    values.push_back(has ? record.field(static_cast<std::size_t>(places[k]), arena)
                                         : Value::null(fields[k].type));
                }
                row[i] = make_record(row_type, values, arena);
            }
        };
        Alteration(session_, user).rewrite(std::make_shared<Relation>(*user), adapt);
    }
}

std::vector<std::shared_ptr<const Relation>> Alteration::users_of(int place) const {
    std::vector<std::shared_ptr<const Relation>> found;
    for (const auto& [name, view] : session_.catalog().relations())
        if (std::find(view->depends.begin(), view->depends.end(), relation_->oid) != view->depends.end() &&
            may_use(*view, place))
            found.push_back(view);
    return found;
}

bool Alteration::same_in_all_rows(Column& added, BoundExpr* value) {
    if (added.domain != 0) return false;
    if (value == nullptr) return !added.not_null;
    if (is_volatile(value) || has_subquery(value) || find_builtin_type(added.type) == nullptr) return false;
    Execution execution(session_.state(), session_, session_.parameters());
    const std::vector<ColumnId> nothing;
    const Value shared = Evaluator(*value, nothing, execution).evaluate(values_);
    if (shared.is_null()) return !added.not_null;
    Session plain;
    plain.types = session_.state().types;
    added.missing = value_to_text(shared, plain);
    return true;
}

void Alteration::drop_column(const syntax::AlterAction& action) {
    const int place = relation_->find_column(action.name);
    if (place < 0) {
        if (!action.if_exists) column(action.name);
        session_.notice(sqlstate::undefined_column, "column \"" + std::string(action.name) + "\" of relation \"" +
                                                        relation_->name + "\" does not exist, skipping");
        return;
    }
    const auto uses = [&](const std::string& text) { return names_column(text, place); };
    std::vector<std::string> generated;
    for (const Column& other : relation_->columns)
        if (!other.generated_text.empty() && !other.dropped && other.name != action.name &&
            uses(other.generated_text))
            generated.push_back(other.name);
    if (!generated.empty() && !action.cascade)
        raise(sqlstate::dependent_objects_still_exist,
              "cannot drop column " + std::string(action.name) + " of table " + relation_->name +
                  " because other objects depend on it",
              {}, "Use DROP ... CASCADE to drop the dependent objects too.");
    for (const std::string& name : generated) {
        syntax::AlterAction also = action;
        also.name = name;
        drop_column(also);
    }
    for (const auto& view : users_of(place)) {
        if (action.cascade) drop_with_users(session_, view);
        else
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop column " + std::string(action.name) + " of table " + relation_->name +
                      " because other objects depend on it",
                  (view->kind == RelationKind::view ? "view " : "materialized view ") + view->name +
                      " depends on column " + std::string(action.name) + " of table " + relation_->name,
                  "Use DROP ... CASCADE to drop the dependent objects too.");
    }
    std::vector<std::shared_ptr<const Relation>> owned;  // sequences, which go with their column
    for (const auto& [name, other] : session_.catalog().relations())
        if (other->kind == RelationKind::sequence && other->sequence.owner_table == relation_->oid &&
            other->sequence.owner_column == place)
            owned.push_back(other);
    for (const auto& sequence : owned)
        for (const auto& [name, user] : session_.catalog().relations())
            for (const Column& other : user->columns) {
                // What heirs and partitions have of the column goes with it.
                const bool goes = other.name == action.name && (user->oid == relation_->oid || user->is_partition() ||
                                                                !user->inherits.empty());
                if (!action.cascade && !goes && !other.dropped &&
                    text_names(session_.catalog(), other.default_text, type::regclass, sequence->oid))
                    raise(sqlstate::dependent_objects_still_exist,
                          "cannot drop column " + std::string(action.name) + " of table " + relation_->name +
                              " because other objects depend on it",
                          "default value for column " + other.name + " of table " + user->name +
                              " depends on sequence " + sequence->name,
                          "Use DROP ... CASCADE to drop the dependent objects too.");
            }
    const int key = relation_->row_key();
    bool in_key = false;
    if (key >= 0)
        for (const IndexColumn& part : relation_->indexes[static_cast<std::size_t>(key)].columns)
            in_key |= part.column == place;
    for (const auto& [child, foreign] : session_.catalog().references_to(relation_->oid)) {
        const auto& referenced = foreign->referenced;
        if (std::find(referenced.begin(), referenced.end(), place) == referenced.end()) continue;
        const auto& own = foreign->columns;
        const bool goes = child->oid == relation_->oid && std::find(own.begin(), own.end(), place) != own.end();
        if (!action.cascade && !goes)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop column " + std::string(action.name) + " of table " + relation_->name +
                      " because other objects depend on it",
                  {}, "Use DROP ... CASCADE to drop the dependent objects too.");
        drop_reference(child->oid, foreign->name);
    }
    auto to = std::make_shared<Relation>(*relation_);
    to->checks.erase(std::remove_if(to->checks.begin(), to->checks.end(),
                                    [&](const CheckConstraint& check) { return uses(check.text); }),
                     to->checks.end());
    to->foreign_keys.erase(std::remove_if(to->foreign_keys.begin(), to->foreign_keys.end(),
                                          [&](const ForeignKey& foreign) {
                                              return std::find(foreign.columns.begin(), foreign.columns.end(),
                                                               place) != foreign.columns.end();
                                          }),
                           to->foreign_keys.end());
    for (const Index& index : relation_->indexes) {
        bool touched = !index.predicate.empty() && uses(index.predicate);
        for (const IndexColumn& part : index.columns)
            touched |= part.column == place || (part.column < 0 && uses(part.text));
        if (!touched) continue;
        if (!index.holds_rows())
            session_.drop_tree(relation_->index_tree(index), relation_->temporary);
        to->indexes.erase(std::remove_if(to->indexes.begin(), to->indexes.end(),
                                         [&](const Index& other) { return other.oid == index.oid; }),
                          to->indexes.end());
    }
    if (place == to->period_from || place == to->period_to) {
        for (const Index& index : to->indexes)
            if (index.without_overlaps && index.columns.back().column == to->period_from)
                raise(sqlstate::dependent_objects_still_exist,
                      "cannot drop column " + std::string(action.name) + " of table " + to->name +
                          " because other objects depend on it",
                      "constraint " + index.name + " on table " + to->name + " depends on its period");
        to->period_from = to->period_to = -1;
    }
    Column& gone = to->columns[static_cast<std::size_t>(place)];
    gone.dropped = true;
    to->forget_statistics(place);
    gone.not_null = false;
    gone.default_text.clear();
    gone.generated_text.clear();
    gone.identity = 0;
    gone.sequence = 0;
    if (in_key) rewrite(to, [](std::vector<Value>&, Execution&) {});
    else session_.put(to);
    std::vector<int> kept;
    int field = 0;
    for (std::size_t i = 0; i < relation_->columns.size(); ++i) {
        if (relation_->columns[i].dropped) continue;
        if (static_cast<int>(i) != place) kept.push_back(field);
        ++field;
    }
    relation_ = to;
    rewrite_users_of_row_type(kept);
    for (const auto& sequence : owned) drop_with_users(session_, sequence);
}

void Alteration::refuse_identity_of(Oid type) {
    if (type != type::int2 && type != type::int4 && type != type::int8)
        raise(sqlstate::invalid_parameter_value, "identity column type must be smallint, integer, or bigint");
}

void Alteration::refuse_type_change(const syntax::AlterAction& action, const Binder::TypeMeaning& meaning) {
    const Column& old = column(action.name);
    const int place = relation_->find_column(action.name);
    if (!old.generated_text.empty() && action.expr != nullptr)
        raise(sqlstate::invalid_column_definition, "cannot specify USING when altering type of generated column");
    if (!users_of(place).empty())
        raise(sqlstate::feature_not_supported, "cannot alter type of a column used by a view or rule");
    for (const Column& other : relation_->columns)
        if (!other.generated_text.empty() && !other.dropped && names_column(other.generated_text, place))
            raise(sqlstate::feature_not_supported, "cannot alter type of a column used by a generated column",
                  "Column \"" + std::string(action.name) + "\" is used by generated column \"" + other.name +
                      "\".");
    refuse_users_of_row_type();
    bool period = place == relation_->period_from || place == relation_->period_to;
    for (const Index& index : relation_->indexes)
        period |= index.without_overlaps && index.columns.back().column == place;
    if (period) raise(sqlstate::feature_not_supported, "cannot alter type of a column of a period");
    refuse_own_member(session_, meaning.type, relation_->row_type, relation_->name);
    if (old.identity != 0) refuse_identity_of(meaning.domain != 0 ? meaning.domain : meaning.type);
}

BoundExpr* Alteration::converted(Binder& binder, BoundPool& pool, const std::vector<ColumnId>& ids,
                                 const syntax::AlterAction& action, const Binder::TypeMeaning& meaning) {
    const Column& old = column(action.name);
    const auto written = [&] { return format_type(meaning.type, meaning.typmod, session_.state().types); };
    BoundExpr* value = nullptr;
    if (action.expr != nullptr) {
        value = binder.bind_over_table(*action.expr, *relation_, ids, "transform expressions");
        if (!can_coerce(value->type, meaning.type, CastContext::assignment, session_.state().types) &&
            value->type != type::unknown)
            raise(sqlstate::datatype_mismatch,
                  "result of USING clause for column \"" + old.name + "\" cannot be cast automatically to type " +
                      written(),
                  {}, "You might need to add an explicit cast.");
    } else {
        value = pool.expr(BoundKind::column, old.type);
        value->column = ids[static_cast<std::size_t>(relation_->find_column(action.name))];
        value->typmod = old.typmod;
        if (!can_coerce(old.type, meaning.type, CastContext::assignment, session_.state().types))
            raise(sqlstate::datatype_mismatch,
                  "column \"" + old.name + "\" cannot be cast automatically to type " + written(), {},
                  "You might need to specify \"USING " + old.name + "::" + written() + "\".");
    }
    value = binder.coerce(value, meaning.type, meaning.typmod, CastContext::assignment, action.position);
    return meaning.domain == 0 ? value : binder.checked_as(value, meaning.domain, action.position);
}

void Alteration::set_types(const std::vector<const syntax::AlterAction*>& actions) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < relation_->columns.size(); ++i) ids.push_back(pool.column());
    auto to = std::make_shared<Relation>(*relation_);
    std::vector<std::pair<std::size_t, BoundExpr*>> changes;
    for (const syntax::AlterAction* const action : actions) {
        column(action->name);
        const auto place = static_cast<std::size_t>(relation_->find_column(action->name));
        for (const auto& [other, value] : changes)
            if (other == place)
                raise(sqlstate::feature_not_supported,
                      "cannot alter type of column \"" + std::string(action->name) + "\" twice");
        const Binder::TypeMeaning meaning = binder.resolve_type(*action->type);
        refuse_type_change(*action, meaning);
        changes.emplace_back(place, converted(binder, pool, ids, *action, meaning));
        Column& changed = to->columns[place];
        changed.type = meaning.type;
        changed.typmod = meaning.typmod;
        changed.domain = meaning.domain;
        changed.missing.reset();
        to->forget_statistics(static_cast<int>(place));
    }
    const std::vector<ColumnId> nothing;
    // Each expression sees the row as it was.
    rewrite(to, [&](std::vector<Value>& row, Execution& execution) {
        for (std::size_t i = 0; i < row.size(); ++i) execution.cell(ids[i]) = row[i];
        for (const auto& [place, value] : changes) {
            row[place] = copy_value(Evaluator(*value, nothing, execution).evaluate(values_), values_);
            const Column& changed = to->columns[place];
            if (changed.not_null && row[place].is_null())
                raise(sqlstate::not_null_violation, "column \"" + changed.name + "\" of relation \"" + to->name +
                                                        "\" contains null values");
        }
    });
    check_definitions();
    for (const CheckConstraint& check : relation_->checks)
        if (check.validated && std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
                return names_column(check.text, static_cast<int>(change.first));
            }))
            validate_check(check);
    const auto changed = [&](const std::vector<int>& places) {
        return std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
            return std::find(places.begin(), places.end(), static_cast<int>(change.first)) != places.end();
        });
    };
    for (const ForeignKey& foreign : relation_->foreign_keys)
        if (changed(foreign.columns)) check_again(*relation_, foreign);
    for (const auto& [child, foreign] : session_.catalog().references_to(relation_->oid))
        if (changed(foreign->referenced)) check_again(*child, *foreign);
}

/// A foreign key some columns of which have other values now.
void Alteration::check_again(const Relation& child, const ForeignKey& foreign) {
    check_reference_types(session_, child, foreign, *session_.catalog().relation(foreign.table), 0);
    if (foreign.validated)
        Alteration(session_, session_.catalog().relation(child.oid)).validate_foreign_key(foreign);
}

void Alteration::add_identity(const syntax::AlterAction& action) {
    Column& target = column(action.name);
    if (target.identity != 0)
        raise(sqlstate::object_not_in_prerequisite_state, "column \"" + target.name + "\" of relation \"" +
                                                             relation_->name + "\" is already an identity column");
    if (!target.default_text.empty())
        raise(sqlstate::object_not_in_prerequisite_state, "column \"" + target.name + "\" of relation \"" +
                                                             relation_->name + "\" already has a default value");
    refuse_identity_of(target.domain != 0 ? target.domain : target.type);
    if (!target.not_null)
        raise(sqlstate::object_not_in_prerequisite_state,
              "column \"" + target.name + "\" of relation \"" + relation_->name +
                  "\" must be declared NOT NULL before identity can be added");
    auto sequence = make_sequence(session_, relation_->schema,
                                  unique_name(session_, relation_->schema, relation_->name, target.name, "seq"),
                                  relation_->temporary, target.type, action.constraint.options);
    sequence->sequence.identity = true;
    sequence->sequence.owner_table = relation_->oid;
    sequence->sequence.owner_column = relation_->find_column(action.name);
    target.identity = action.constraint.identity_always ? 'a' : 'd';
    target.sequence = sequence->oid;
    session_.put(sequence);
    store();
}

void Alteration::set_identity(const syntax::AlterAction& action) {
    Column& target = column(action.name);
    if (target.identity == 0)
        raise(sqlstate::object_not_in_prerequisite_state, "column \"" + target.name + "\" of relation \"" +
                                                             relation_->name + "\" is not an identity column");
    std::vector<syntax::Option> rest;
    for (const syntax::Option& option : action.options) {
        if (option.name == "always") target.identity = 'a';
        else if (option.name == "by default") target.identity = 'd';
        else rest.push_back(option);
    }
    auto sequence = std::make_shared<Relation>(*session_.catalog().relation(target.sequence));
    std::optional<std::int64_t> restart;
    Arena arena;
    apply_sequence_options(sequence->sequence, syntax::make_list(arena, rest), restart, false);
    session_.put(sequence);
    if (restart) {
        session_.forget_sequence(sequence->oid);
        session_.set_sequence_state(*sequence, *restart, false);
    }
    store();
}

void Alteration::inherit(Column column) {
    auto to = std::make_shared<Relation>(*relation_);
    column.inherited = true;
    column.identity = 0;
    column.sequence = 0;
    column.missing.reset();
    to->columns.push_back(std::move(column));
    rewrite_with_column(to, to->columns.size() - 1);
}

}  // namespace define_alter

}  // namespace northstar::inline v0::sql
