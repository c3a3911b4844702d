// DROP with its dependants, TRUNCATE.
#include "sql/catalog/partition.hpp"
#include "sql/catalog/stored_names.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/session/typed_table.hpp"

#include <algorithm>
#include <functional>

namespace northstar::inline v0::sql {

namespace define_drop {

/// Takes away what uses a type: domains over it, fields of composite types, columns of tables, expressions. `refuse` is
/// told of each first.
void drop_users_of_type(SqlSession& session, const UserType& type,
                        const std::function<void(const std::string& detail)>& refuse);

class Dropper {
public:
    Dropper(SqlSession& session, bool cascade) : session_(session), cascade_(cascade) {}

    void relation(std::shared_ptr<const Relation> relation) {
        if (session_.catalog().relation(relation->oid) == nullptr || !begun_.insert(relation->oid).second) return;
        session_.refuse_pending_checks(*relation, "DROP TABLE");
        doomed_.insert(relation->oid);  // or views that read each other, as older files may have, had no end
        // Views over it.
        for (const auto& view : dependants(relation->oid)) {
            if (!cascade_)
                refuse(*relation, kind_name(*view) + " " + view->name + " depends on " + kind_name(*relation) + " " +
                                      relation->name);
            this->relation(view);
        }
        // Tables that inherit from it.
        for (const auto& heir : session_.catalog().heirs_of(relation->oid)) {
            if (!cascade_ && doomed_.count(heir->oid) == 0)
                refuse(*relation, "table " + heir->name + " depends on table " + relation->name);
            this->relation(heir);
        }
        // Foreign keys to it, or to the table that it holds a part of the rows of.
        const Oid referenced =
            relation->is_partition() ? partition_root(session_.catalog(), *relation)->oid : relation->oid;
        for (const auto& [child, foreign] : session_.catalog().references_to(referenced)) {
            if (child->oid == referenced || (referenced != relation->oid && doomed_.count(referenced) != 0)) continue;
            if (!cascade_ && doomed_.count(child->oid) == 0)
                refuse(*relation, "constraint " + foreign->name + " on table " + child->name + " depends on table " +
                                      relation->name);
            auto changed = std::make_shared<Relation>(*session_.catalog().relation(child->oid));
            changed->foreign_keys.erase(
                std::remove_if(changed->foreign_keys.begin(), changed->foreign_keys.end(),
                               [&](const ForeignKey& other) { return other.table == referenced; }),
                changed->foreign_keys.end());
            session_.put(changed);
        }
        users_of_rows(*relation);
        drop_partitions(session_, *relation);
        // Sequences that its columns own.
        std::vector<std::shared_ptr<const Relation>> owned;
        for (const auto& [name, other] : session_.catalog().relations())
            if (other->kind == RelationKind::sequence && other->sequence.owner_table == relation->oid)
                owned.push_back(other);
        for (const auto& sequence : owned) {
            users_of_sequence(*sequence, *relation);
            session_.remove(*sequence);
        }
        if (relation->kind == RelationKind::sequence) users_of_sequence(*relation, *relation);
        if (relation->stores_rows()) session_.drop_trees(*relation);
        session_.remove(*relation);
    }

    void doom(Oid oid) { doomed_.insert(oid); }

private:
    static std::string kind_name(const Relation& relation) {
        switch (relation.kind) {
            case RelationKind::table: return "table";
            case RelationKind::view: return "view";
            case RelationKind::materialized_view: return "materialized view";
            case RelationKind::sequence: return "sequence";
        }
        return {};
    }
    [[noreturn]] static void refuse(const Relation& relation, std::string detail) {
        raise(sqlstate::dependent_objects_still_exist,
              "cannot drop " + kind_name(relation) + " " + relation.name + " because other objects depend on it",
              std::move(detail), "Use DROP ... CASCADE to drop the dependent objects too.");
    }
    std::vector<std::shared_ptr<const Relation>> dependants(Oid oid) const {
        std::vector<std::shared_ptr<const Relation>> found;
        for (const auto& [name, other] : session_.catalog().relations())
            if (other->oid != oid && doomed_.count(other->oid) == 0 &&
                std::find(other->depends.begin(), other->depends.end(), oid) != other->depends.end())
                found.push_back(other);
        return found;
    }
    /// What is made of the type of its rows. Tables that go as well go first.
    void users_of_rows(const Relation& relation) {
        const TypeInfo* const info = session_.catalog().find_type(relation.row_type);
        if (relation.row_type == 0 || info == nullptr) return;
        UserType row;
        row.oid = relation.row_type;
        row.array = info->array;
        row.schema = relation.schema;
        row.name = relation.name;
        for (const Oid oid : std::set<Oid>(doomed_))
            if (const auto other = session_.catalog().relation(oid); other != nullptr && oid != relation.oid)
                if (std::any_of(other->columns.begin(), other->columns.end(), [&](const Column& column) {
                        return !column.dropped && (column.type == row.oid || column.type == row.array);
                    }) || std::any_of(other->checks.begin(), other->checks.end(), [&](const CheckConstraint& check) {
                        return text_names(session_.catalog(), check.text, type::regtype, row.oid);
                    }))
                    this->relation(other);
        drop_users_of_type(session_, row, [&](const std::string& detail) {
            if (!cascade_) refuse(relation, detail);
        });
    }

    /// Defaults that draw from it, those that name it included. `dropped`: what goes, itself or the table that owns it.
    void users_of_sequence(const Relation& sequence, const Relation& dropped) {
        const auto names_it = [&](const std::string& text) {
            return text_names(session_.catalog(), text, type::regclass, sequence.oid);
        };
        std::vector<std::shared_ptr<Relation>> changed;
        for (const auto& [name, other] : session_.catalog().relations()) {
            if (other->oid == dropped.oid) continue;
            for (std::size_t i = 0; i < other->columns.size(); ++i) {
                const Column& column = other->columns[i];
                if (column.dropped || (column.sequence != sequence.oid &&
                                       !names_it(column.default_text)))
                    continue;
                if (!cascade_ && doomed_.count(other->oid) == 0)
                    refuse(dropped, "default value for column " + column.name + " of table " + other->name +
                                         " depends on sequence " + sequence.name);
                if (changed.empty() || changed.back()->oid != other->oid)
                    changed.push_back(std::make_shared<Relation>(*other));
                changed.back()->columns[i].sequence = 0;
                changed.back()->columns[i].default_text.clear();
            }
        }
        for (const auto& relation : changed) session_.put(relation);
        std::vector<std::shared_ptr<const Relation>> views;
        for (const auto& [name, other] : session_.catalog().relations())
            if (doomed_.count(other->oid) == 0 && names_it(other->query))
                views.push_back(other);
        for (const auto& view : views) {
            if (!cascade_) refuse(dropped, "view " + view->name + " depends on sequence " + sequence.name);
            this->relation(view);
        }
    }

    SqlSession& session_;
    bool cascade_;
    std::set<Oid> doomed_;
    std::set<Oid> begun_;  ///< of the doomed ones
};

/// Is it what foreign keys to its columns need? Then they are in the way, or go as well.
void drop_references(SqlSession& session, const Relation& owner, const Index& index, bool cascade) {
    if (!index.unique || !index.predicate.empty()) return;
    for (const auto& [child, foreign] : session.catalog().references_to(owner.oid)) {
        const auto serves = [&, key = foreign](const Index& other) {
            return other.unique && other.predicate.empty() && other.columns.size() == key->referenced.size() &&
                   std::all_of(other.columns.begin(), other.columns.end(), [&](const IndexColumn& column) {
                       return std::find(key->referenced.begin(), key->referenced.end(), column.column) !=
                              key->referenced.end();
                   });
        };
        if (!serves(index) || std::count_if(owner.indexes.begin(), owner.indexes.end(), serves) > 1) continue;
        if (!cascade)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop index " + index.name + " because other objects depend on it",
                  "constraint " + foreign->name + " on table " + child->name + " depends on index " + index.name,
                  "Use DROP ... CASCADE to drop the dependent objects too.");
        auto changed = std::make_shared<Relation>(*session.catalog().relation(child->oid));
        std::erase_if(changed->foreign_keys,
                      [&, key = foreign](const ForeignKey& other) { return other.name == key->name; });
        session.put(changed);
    }
}

/// The index of a partition goes with the one that it is a part of.
[[noreturn]] void refuse_part(const SqlSession& session, const Relation& partition, const Index& part) {
    std::string whole;
    for (const Oid oid : {partition.partition_of, partition_root(session.catalog(), partition)->oid})
        for (const Index& index : session.catalog().relation(oid)->indexes)
            if (index.oid == part.whole) whole = index.name;
    raise(sqlstate::dependent_objects_still_exist,
          "cannot drop index " + part.name + " because index " + whole + " requires it", {},
          "You can drop index " + whole + " instead.");
}

/// DROP of one kind of relation names one of another. `article`: the kind that the statement is about, "a table".
[[noreturn]] void not_such(std::string_view name, const std::string& article, const char* found) {
    std::string upper(found);
    for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    raise(sqlstate::wrong_object_type, "\"" + std::string(name) + "\" is not " + article, {},
          "Use DROP " + upper + " to remove " + (found[0] == 'i' ? "an " : "a ") + found + ".");
}

const char* kind_of(const Relation& relation) {
    switch (relation.kind) {
        case RelationKind::view: return "view";
        case RelationKind::materialized_view: return "materialized view";
        case RelationKind::sequence: return "sequence";
        default: return "table";
    }
}

void drop_index(SqlSession& session, Binder& binder, const syntax::QualifiedName& name, bool if_exists,
                bool cascade) {
    if (const auto [owner, index] = find_index(session, name); index != nullptr) {
        if (index->whole != 0) refuse_part(session, *owner, *index);
        if (index->role != ConstraintRole::none)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop index " + index->name + " because constraint " + index->name + " on table " +
                      owner->name + " requires it",
                  {}, "You can drop constraint " + index->name + " on table " + owner->name + " instead.");
        drop_references(session, *owner, *index, cascade);
        auto changed = std::make_shared<Relation>(*session.catalog().relation(owner->oid));
        session.drop_tree(owner->index_tree(*index), owner->temporary);
        const std::string wanted = index->name;
        changed->indexes.erase(std::remove_if(changed->indexes.begin(), changed->indexes.end(),
                                              [&](const Index& other) { return other.name == wanted; }),
                               changed->indexes.end());
        session.put(changed);
        if (owner->is_partitioned()) follow_indexes(session, owner->oid);
        return;
    }
    if (const auto other = binder.find_relation(name, session.present(), true))
        not_such(name.last(), "an index", kind_of(*other));
    if (!if_exists) {
        check_schema_of(session, name);
        raise(sqlstate::undefined_object, "index \"" + std::string(name.last()) + "\" does not exist");
    }
    session.notice(sqlstate::undefined_object, "index \"" + std::string(name.last()) + "\" does not exist, skipping");
}

/// Nobody waits for a DROP INDEX here, but CONCURRENTLY asks for what it asks for in PostgreSQL.
void check_concurrent_drop(SqlSession& session, const syntax::Drop& syntax) {
    if (session.in_transaction())
        raise(sqlstate::active_sql_transaction, "DROP INDEX CONCURRENTLY cannot run inside a transaction block");
    if (syntax.names.size() != 1)
        raise(sqlstate::feature_not_supported, "DROP INDEX CONCURRENTLY does not support dropping multiple objects");
    if (syntax.cascade) raise(sqlstate::feature_not_supported, "DROP INDEX CONCURRENTLY does not support CASCADE");
    const auto [owner, index] = find_index(session, syntax.names[0]);
    if (index != nullptr && owner->is_partitioned() && !owner->temporary)
        raise(sqlstate::feature_not_supported,
              "cannot drop partitioned index \"" + index->name + "\" concurrently");
}

/// Old rows have values of dropped columns: where their type goes too, they are bytes of the same form from now on.
template <typename Uses>
void forget_type_in_dropped_columns(SqlSession& session, const Uses& uses) {
    std::vector<std::shared_ptr<Relation>> changed;
    for (const auto& [key, relation] : session.catalog().relations()) {
        const auto gone = [&](const Column& column) {
            return column.dropped && (uses(column.type) || uses(column.domain));
        };
        if (std::none_of(relation->columns.begin(), relation->columns.end(), gone)) continue;
        changed.push_back(std::make_shared<Relation>(*relation));
        for (Column& column : changed.back()->columns)
            if (gone(column)) {
                column.domain = 0;
                if (!uses(column.type)) continue;
                const Form form = type_info(column.type, session.state().types).form;
                column.type = form == Form::integer ? type::int8 : type::bytea;
                column.typmod = k_no_typmod;
            }
    }
    for (const auto& relation : changed) session.put(relation);
}

/// Most texts do not even have the name in them.
bool names_type(SqlSession& session, const std::string& text, const UserType& type) {
    if (text.empty()) return false;
    const bool quoted = type.name.find('"') != std::string::npos;
    return (quoted || text.find(type.name) != std::string::npos) &&
           text_names(session.catalog(), text, type::regtype, type.oid);
}

/// Defaults, checks and indexes whose expressions name a type.
template <typename Refuse>
void drop_expressions_of_type(SqlSession& session, const UserType& type, const Refuse& refuse) {
    const auto names_it = [&](const std::string& text) { return names_type(session, text, type); };
    const auto default_names = [&](const Column& column) { return names_it(column.default_text); };
    const auto check_names = [&](const CheckConstraint& check) { return names_it(check.text); };
    const auto index_names = [&](const Index& index) {
        return names_it(index.predicate) ||
               std::any_of(index.columns.begin(), index.columns.end(),
                           [&](const IndexColumn& column) { return names_it(column.text); });
    };
    std::vector<std::shared_ptr<const Relation>> concerned;
    for (const auto& [key, relation] : session.catalog().relations())
        if (relation->stores_rows() &&
            (std::any_of(relation->columns.begin(), relation->columns.end(), default_names) ||
             std::any_of(relation->checks.begin(), relation->checks.end(), check_names) ||
             std::any_of(relation->indexes.begin(), relation->indexes.end(), index_names)))
            concerned.push_back(relation);
    for (const auto& relation : concerned) {
        auto left = std::make_shared<Relation>(*relation);
        const auto goes = [&](bool names, const std::string& what) {
            if (names) refuse(what + " depends on type " + type.name);
            return names;
        };
        for (Column& column : left->columns)
            if (goes(default_names(column), "default value for column " + column.name + " of table " + left->name))
                column.default_text.clear();
        std::erase_if(left->checks, [&](const CheckConstraint& check) {
            return goes(check_names(check), "constraint " + check.name + " on table " + left->name);
        });
        std::erase_if(left->indexes, [&](const Index& index) {
            if (!goes(index_names(index), "index " + index.name)) return false;
            session.drop_tree(left->index_tree(index), left->temporary);
            return true;
        });
        session.put(left);
    }
}

void drop_type_with_users(SqlSession& session, const UserType& type, bool cascade) {
    drop_users_of_type(session, type, [&](const std::string& detail) {
        if (!cascade)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop type " + type.name + " because other objects depend on it", detail,
                  "Use DROP ... CASCADE to drop the dependent objects too.");
    });
    session.remove(type);
}

/// A composite type loses no field that rows have values of: they keep the fields that they were stored with.
void refuse_loss_of_stored_field(const SqlSession& session, const UserType& composite, const UserType& type) {
    for (const auto& [key, relation] : session.catalog().relations()) {
        if (relation->kind == RelationKind::view) continue;
        for (const Column& column : relation->columns)
            if (session.catalog().holds_type(column.type, composite.oid))
                raise(sqlstate::feature_not_supported,
                      "cannot drop type " + type.name + " because column \"" + relation->name + "." + column.name +
                          "\" has values of the composite type " + composite.name);
    }
}

void drop_users_of_type(SqlSession& session, const UserType& type,
                        const std::function<void(const std::string& detail)>& refuse) {
    const auto uses = [&](Oid oid) { return oid != 0 && (oid == type.oid || oid == type.array); };
    const auto has_type = [&](const TypeField& field) { return uses(field.type) || uses(field.domain); };
    std::vector<std::shared_ptr<const UserType>> domains;
    std::vector<std::shared_ptr<UserType>> composites;
    for (const auto& [key, other] : session.catalog().types()) {
        if (other->oid == type.oid) continue;
        if (other->kind == 'd' && (uses(other->base) || uses(other->parent))) {
            refuse("type " + other->name + " depends on type " + type.name);
            domains.push_back(other);
        } else if (std::any_of(other->fields.begin(), other->fields.end(), has_type)) {
            refuse("column of composite type " + other->name + " depends on type " + type.name);
            refuse_loss_of_stored_field(session, *other, type);
            auto changed = std::make_shared<UserType>(*other);
            std::erase_if(changed->fields, has_type);
            composites.push_back(std::move(changed));
        }
    }
    std::vector<std::shared_ptr<const Relation>> views;
    for (const auto& [key, relation] : session.catalog().relations()) {
        if (relation->query.empty()) continue;
        const auto& shown = relation->columns;
        if (std::none_of(shown.begin(), shown.end(), [&](const Column& column) { return uses(column.type); }) &&
            !names_type(session, relation->query, type))
            continue;
        refuse("view " + relation->name + " depends on type " + type.name);
        views.push_back(relation);
    }
    std::vector<std::pair<Oid, std::string>> columns;
    for (const auto& [key, relation] : session.catalog().relations())
        for (const Column& column : relation->columns)
            if (!column.dropped && relation->kind == RelationKind::table &&
                (uses(column.type) || uses(column.domain) ||
                 names_type(session, column.generated_text, type))) {
                refuse("column " + column.name + " of table " + relation->name + " depends on type " + type.name);
                columns.emplace_back(relation->oid, column.name);
            }
    const auto typed = tables_of_type(session, type.oid);
    for (const auto& table : typed) refuse("table " + table->name + " depends on type " + type.name);
    for (const auto& table : typed) Dropper(session, true).relation(table);
    for (const auto& view : views) Dropper(session, true).relation(view);
    for (const auto& domain : domains) drop_type_with_users(session, *domain, true);
    for (const auto& composite : composites) session.put(composite);
    for (const auto& [oid, name] : columns) {
        auto table = session.catalog().relation(oid);
        while (table != nullptr && table->find_column(name) >= 0) {
            // What is divided by the column cannot be without it.
            if (const auto divided = table_divided_by(session, *table, name)) Dropper(session, true).relation(divided);
            else drop_table_column(session, *table, name);
            table = session.catalog().relation(oid);
        }
    }
    drop_expressions_of_type(session, type, refuse);
    forget_type_in_dropped_columns(session, uses);
}

void drop_type(SqlSession& session, const syntax::QualifiedName& name, bool domain, bool if_exists, bool cascade) {
    const std::shared_ptr<const UserType> type = find_type(session, name);
    if (type == nullptr || (domain && type->kind != 'd')) {
        if (type != nullptr) raise(sqlstate::wrong_object_type, "\"" + type->name + "\" is not a domain");
        if (!if_exists) {
            check_schema_of(session, name);
            raise(sqlstate::undefined_object, "type \"" + std::string(name.last()) + "\" does not exist");
        }
        session.notice(sqlstate::undefined_object,
                       "type \"" + std::string(name.last()) + "\" does not exist, skipping");
        return;
    }
    drop_type_with_users(session, *type, cascade);
}

}  // namespace define_drop

void drop_with_users(SqlSession& session, const std::shared_ptr<const Relation>& relation) {
    define_drop::Dropper(session, true).relation(relation);
}

void drop_objects(SqlSession& session, const syntax::Drop& syntax) {
    using Kind = syntax::ObjectKind;
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    if (syntax.concurrently) define_drop::check_concurrent_drop(session, syntax);
    define_drop::Dropper dropper(session, syntax.cascade);
    std::vector<std::shared_ptr<const Relation>> doomed;
    for (const syntax::QualifiedName& name : syntax.names) {
        switch (syntax.kind) {
            case Kind::index:
                define_drop::drop_index(session, binder, name, syntax.if_exists, syntax.cascade);
                continue;
            case Kind::type:
            case Kind::domain:
                define_drop::drop_type(session, name, syntax.kind == Kind::domain, syntax.if_exists, syntax.cascade);
                continue;
            case Kind::schema: {
                const std::string schema(name.last());
                if (!session.catalog().has_schema(schema)) {
                    if (!syntax.if_exists) no_schema(schema);
                    session.notice(sqlstate::invalid_schema_name, "schema \"" + schema + "\" does not exist, skipping");
                    continue;
                }
                std::vector<std::shared_ptr<const Relation>> inside;
                std::vector<std::shared_ptr<const UserType>> inside_types;
                for (const auto& [key, relation] : session.catalog().relations())
                    if (relation->schema == schema) inside.push_back(relation);
                for (const auto& [key, type] : session.catalog().types())
                    if (type->schema == schema) inside_types.push_back(type);
                std::vector<std::string> inside_extensions;
                for (const auto& [extension, made] : session.catalog().extensions())
                    if (made.schema == schema) inside_extensions.push_back(extension);
                if (!syntax.cascade && !(inside.empty() && inside_types.empty() && inside_extensions.empty()))
                    raise(sqlstate::dependent_objects_still_exist,
                          "cannot drop schema " + schema + " because other objects depend on it", {},
                          "Use DROP ... CASCADE to drop the dependent objects too.");
                for (const auto& relation : inside) dropper.relation(relation);
                for (const auto& type : inside_types)
                    if (session.catalog().user_type(type->oid) != nullptr)
                        define_drop::drop_type_with_users(session, *type, true);
                for (const std::string& extension : inside_extensions) session.remove_extension(extension);
                session.remove_schema(schema);
                continue;
            }
            case Kind::extension: drop_extension(session, std::string(name.last()), syntax.if_exists); continue;
            case Kind::table:
            case Kind::view:
            case Kind::materialized_view:
            case Kind::sequence: break;
            case Kind::trigger:
            case Kind::function:
                if (syntax.if_exists) continue;
                raise(sqlstate::undefined_function, "function " + std::string(name.last()) + "() does not exist");
            case Kind::database:
                // A file is one database, which stays as long as it is open.
                if (name.last() == session.current_database())
                    raise(sqlstate::object_in_use, "cannot drop the currently open database");
                if (!syntax.if_exists)
                    raise(sqlstate::invalid_catalog_name,
                          "database \"" + std::string(name.last()) + "\" does not exist");
                continue;
            default:
                if (syntax.if_exists) continue;
                raise(sqlstate::feature_not_supported, "DROP of this kind of object is not supported");
        }
        static constexpr const char* words[] = {"table", "index", "view", "materialized view", "schema", "sequence"};
        const std::string word = words[static_cast<int>(syntax.kind)];
        const std::string article = "a " + word;
        auto relation = binder.find_relation(name, session.present(), true);
        if (relation == nullptr && find_index(session, name).second != nullptr)
            define_drop::not_such(name.last(), article, "index");
        if (const auto type = relation == nullptr ? find_type(session, name) : nullptr; type && type->kind == 'c')
            define_drop::not_such(name.last(), article, "type");
        if (relation == nullptr) {
            const std::string message = word + " \"" + std::string(name.last()) + "\" does not exist";
            if (!syntax.if_exists) {
                check_schema_of(session, name);
                raise(sqlstate::undefined_table, message);
            }
            session.notice(sqlstate::undefined_table, message + ", skipping");
            continue;
        }
        const RelationKind wanted = syntax.kind == Kind::table  ? RelationKind::table
                                    : syntax.kind == Kind::view ? RelationKind::view
                                    : syntax.kind == Kind::sequence ? RelationKind::sequence
                                                                    : RelationKind::materialized_view;
        if (relation->kind != wanted)
            define_drop::not_such(relation->name, article, define_drop::kind_of(*relation));
        doomed.push_back(relation);
        dropper.doom(relation->oid);
    }
    for (const auto& relation : doomed) dropper.relation(relation);
}

void truncate_tables(SqlSession& session, const syntax::Truncate& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    std::vector<std::shared_ptr<const Relation>> tables, partitions;
    std::set<Oid> known;
    for (std::size_t i = 0; i < syntax.tables.size(); ++i) {
        const auto table = binder.find_relation(syntax.tables[i], session.present(), false);
        if (table->kind != RelationKind::table)
            raise(sqlstate::wrong_object_type, "\"" + table->name + "\" is not a table");
        if (syntax.only[i] && table->is_partitioned())
            raise(sqlstate::wrong_object_type, "cannot truncate only a partitioned table", {},
                  "Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.");
        session.refuse_pending_checks(*table, "TRUNCATE");
        if (table->is_partition()) {
            partitions.push_back(table);
            continue;
        }
        if (known.insert(table->oid).second) tables.push_back(table);
        if (!syntax.only[i])
            for (const auto& heir : session.catalog().heirs_of(table->oid))
                if (known.insert(heir->oid).second) tables.push_back(heir);
    }
    const auto follow_references = [&](const Relation& table, Oid referenced) {
        for (const auto& [child, foreign] : session.catalog().references_to(referenced)) {
            if (known.count(child->oid) != 0) continue;
            if (!syntax.cascade)
                raise(sqlstate::feature_not_supported,
                      "cannot truncate a table referenced in a foreign key constraint",
                      "Table \"" + child->name + "\" references \"" + table.name + "\".",
                      "Truncate table \"" + child->name + "\" at the same time, or use TRUNCATE ... CASCADE.");
            known.insert(child->oid);
            tables.push_back(child);
        }
    };
    for (const auto& partition : partitions)
        follow_references(*partition, partition_root(session.catalog(), *partition)->oid);
    for (std::size_t i = 0; i < tables.size(); ++i) follow_references(*tables[i], tables[i]->oid);
    for (const auto& partition : partitions) erase_partition_rows(session, *partition);
    for (const auto& table : tables) {
        stand_on_definition(session, *table);
        session.writable(table->tree(), table->temporary).erase_range("", std::nullopt);
        for (const Index& index : table->indexes)
            if (!index.holds_rows())
                session.writable(table->index_tree(index), table->temporary).erase_range("", std::nullopt);
        if (!syntax.restart_identity) continue;
        for (const auto& [name, sequence] : session.catalog().relations())
            if (sequence->kind == RelationKind::sequence && sequence->sequence.owner_table == table->oid) {
                session.forget_sequence(sequence->oid);
                session.set_sequence_state(*sequence, sequence->sequence.start, false);
            }
    }
}

}  // namespace northstar::inline v0::sql
