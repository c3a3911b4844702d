// Changes of the catalog: documents written, the copy that the session sees replaced, the version moved on.
#include "sql/catalog/definition_marks.hpp"
#include "sql/catalog/stored_names.hpp"
#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

void SqlSession::touch_catalog(bool temporary) {
    // A value that no catalog had before: the number of the row generator grows, and the session adds its own part.
    const std::string version = std::to_string(next_row_number());
    WritableTree tree = writable(std::string(k_catalog_tree), temporary);
    tree.contains("version");  // who else defines something meanwhile is in conflict with this
    tree.put("version", version);
}

void SqlSession::follow(std::shared_ptr<Catalog> changed, bool temporary) {
    touch_catalog(temporary);
    defined_version_ = catalog_version();
    kept_catalog(defined_version_) = std::move(changed);
    load_catalog();
}

Oid SqlSession::allocate_oid(bool temporary) {
    WritableTree tree = writable(std::string(k_catalog_tree), temporary);
    const auto stored = tree.get("next_oid");
    const Oid next = stored ? static_cast<Oid>(std::strtoul(std::string(*stored).c_str(), nullptr, 10))
                            : (temporary ? k_temporary_oid : k_first_user_oid);
    tree.put("next_oid", std::to_string(next + 1));
    return next;
}

namespace session_catalog {

/// Gives marks another value, or takes that of a table away which is gone.
void mark_changed(SqlSession& session, const Catalog& after, const std::vector<Oid>& tables) {
    if (tables.empty()) return;
    const std::string value = std::to_string(session.next_row_number());
    WritableTree tree = session.writable(std::string(k_catalog_tree), false);
    for (const Oid table : tables) {
        const bool gone = after.relation(table) == nullptr && tree.erase(definition_mark(table));
        if (!gone) tree.put(definition_mark(table), value);
    }
}

constexpr std::size_t k_most_columns = 1600;
constexpr std::size_t k_most_key_columns = 32;

/// Raises 54011. Whatever defines or changes a relation comes by here.
void check_limits(const Relation& relation) {
    if (relation.columns.size() > k_most_columns)
        raise(sqlstate::too_many_columns, "tables can have at most 1600 columns");
    for (const Index& index : relation.indexes)
        if (index.columns.size() + index.include.size() > k_most_key_columns)
            raise(sqlstate::too_many_columns, "cannot use more than 32 columns in an index");
    for (const ForeignKey& foreign : relation.foreign_keys)
        if (foreign.columns.size() > k_most_key_columns)
            raise(sqlstate::too_many_columns, "cannot have more than 32 keys in a foreign key");
}

/// What stays cannot be made of the rows of a table that goes with the session.
void refuse_temporary_type(Oid type, const std::string& what) {
    if ((type & k_temporary_oid) != 0)
        raise(sqlstate::feature_not_supported, what + " cannot have the row type of a temporary table");
}

}  // namespace session_catalog

void SqlSession::put(std::shared_ptr<Relation> relation) {
    session_catalog::check_limits(*relation);
    if (!relation->temporary && relation->stores_rows())
        for (const Column& column : relation->columns)
            if (!column.dropped)
                session_catalog::refuse_temporary_type(column.type, "column \"" + column.name + "\" of \"" +
                                                                        relation->name + "\"");
    auto changed = catalog().copy();
    const auto old = catalog().relation(relation->oid);
    const std::string key = Catalog::key_of(*relation);
    WritableTree tree = writable(std::string(k_catalog_tree), relation->temporary);
    if (old != nullptr && Catalog::key_of(*old) != key) {
        tree.erase(Catalog::key_of(*old));
        changed->drop(Catalog::key_of(*old), relation->temporary);
    }
    changed->put(relation);
    const std::string document = Catalog::to_document(*relation, *changed).text();
    tree.put(key, document);
    changed->take(key, document, relation->temporary);
    if (!relation->temporary)
        session_catalog::mark_changed(*this, *changed,
                                      tables_concerned(catalog(), *changed, old.get(), relation.get()));
    if (relation->stores_rows()) create_trees(*relation);
    follow(std::move(changed), relation->temporary);
}

/// Made with the table: sessions whose first rows made them at the same time would conflict.
void SqlSession::create_trees(const Relation& relation) {
    Transaction& transaction = relation.temporary ? *temp_ : *main_;
    transaction.create_tree(relation.tree());
    for (const Index& index : relation.indexes)
        if (!index.holds_rows()) transaction.create_tree(relation.index_tree(index));
}

void SqlSession::remove(const Relation& relation) {
    auto changed = catalog().copy();
    const std::string key = Catalog::key_of(relation);
    const bool temporary = relation.temporary;
    writable(std::string(k_catalog_tree), temporary).erase(key);
    changed->drop(key, temporary);
    if (!temporary)
        session_catalog::mark_changed(*this, *changed, tables_concerned(catalog(), *changed, &relation, nullptr));
    follow(std::move(changed), temporary);
}

void SqlSession::put(std::shared_ptr<UserType> type, bool temporary) {
    if (!temporary) {
        session_catalog::refuse_temporary_type(type->base, "domain \"" + type->name + "\"");
        for (const TypeField& field : type->fields)
            session_catalog::refuse_temporary_type(field.type, "attribute \"" + field.name + "\" of type \"" +
                                                                   type->name + "\"");
    }
    write({type}, temporary);
}

void SqlSession::put(const std::vector<std::shared_ptr<UserType>>& types) { write(types, false); }

void SqlSession::write(const std::vector<std::shared_ptr<UserType>>& types, bool temporary) {
    auto changed = catalog().copy();
    WritableTree tree = writable(std::string(k_catalog_tree), temporary);
    for (const auto& type : types) {
        const std::string key = Catalog::key_of(*type);
        if (const auto old = catalog().user_type(type->oid); old != nullptr && Catalog::key_of(*old) != key) {
            tree.erase(Catalog::key_of(*old));
            changed->drop(Catalog::key_of(*old), temporary);
        }
        const std::string document = Catalog::to_document(*type).text();
        tree.put(key, document);
        changed->take(key, document, temporary);
        if (!temporary && catalog().user_type(type->oid) != nullptr)
            session_catalog::mark_changed(*this, *changed, tables_that_hold(catalog(), type->oid));
    }
    follow(std::move(changed), temporary);
}

void SqlSession::remove(const UserType& type) {
    auto changed = catalog().copy();
    const std::string key = Catalog::key_of(type);
    const bool temporary = (type.oid & k_temporary_oid) != 0;
    writable(std::string(k_catalog_tree), temporary).erase(key);
    changed->drop(key, temporary);
    if (!temporary) session_catalog::mark_changed(*this, *changed, tables_that_hold(catalog(), type.oid));
    follow(std::move(changed), temporary);
}

void SqlSession::add_schema(std::string_view name, std::string_view comment) {
    Document document = Document::object();
    document.set_text("comment", std::string(comment));
    writable(std::string(k_catalog_tree), false).put("schema/" + std::string(name), document.text());
    touch_catalog(false);
    load_catalog();
}

void SqlSession::remove_schema(std::string_view name) {
    const std::string key = "schema/" + std::string(name);
    if (name == k_public_schema) {
        // It is there without an entry; so this says that it is not.
        Document document = Document::object();
        document.set_flag("dropped", true);
        writable(std::string(k_catalog_tree), false).put(key, document.text());
    } else {
        writable(std::string(k_catalog_tree), false).erase(key);
    }
    touch_catalog(false);
    load_catalog();
}

void SqlSession::put(const std::string& name, const Extension& extension) {
    Document document = Document::object();
    document.set("oid", Document::integer(extension.oid));
    document.set_text("schema", extension.schema);
    document.set_text("comment", extension.comment);
    writable(std::string(k_catalog_tree), false).put("extension/" + name, document.text());
    touch_catalog(false);
    load_catalog();
}

void SqlSession::remove_extension(const std::string& name) {
    writable(std::string(k_catalog_tree), false).erase("extension/" + name);
    touch_catalog(false);
    load_catalog();
}

void refuse_schema_name(SqlSession& session, const std::string& name) {
    if (session.catalog().has_schema(name))
        raise(sqlstate::duplicate_schema, "schema \"" + name + "\" already exists");
    if (name.rfind("pg_", 0) == 0) raise(sqlstate::reserved_name, "unacceptable schema name \"" + name + "\"");
}

void no_schema(const std::string& name) {
    raise(sqlstate::invalid_schema_name, "schema \"" + name + "\" does not exist");
}

void check_schema_of(const SqlSession& session, const syntax::QualifiedName& name) {
    const std::string schema(name.schema());
    if (!schema.empty() && !session.catalog().object_oid(type::regnamespace, quote_identifier(schema)))
        no_schema(schema);
}

std::string SqlSession::stored_text(std::string_view text) const {
    const std::string only_public[] = {std::string(k_public_schema)};
    return respell_names(catalog(), text, types_.search_path(), only_public);
}

std::shared_ptr<const UserType> find_type(SqlSession& session, const syntax::QualifiedName& name) {
    if (!name.schema().empty()) return session.catalog().user_type(name.schema(), name.last());
    for (const std::string& schema : session.search_path())
        if (auto found = session.catalog().user_type(schema, name.last())) return found;
    return nullptr;
}

std::shared_ptr<const UserType> type_named(SqlSession& session, const syntax::QualifiedName& name) {
    const std::shared_ptr<const UserType> found = find_type(session, name);
    if (found == nullptr) {
        check_schema_of(session, name);
        raise(sqlstate::undefined_object, "type \"" + std::string(name.last()) + "\" does not exist");
    }
    return found;
}

const char* SqlSession::discard(std::string_view what) {
    const bool all = what == "all";
    if (all && in_block_)
        raise(sqlstate::active_sql_transaction, "DISCARD ALL cannot run inside a transaction block");
    // Plans that are kept follow changes of the schema and settings by themselves; they may be bound anew at any time.
    if (all) {
        cursors_.clear();
        prepared_.clear();
        advisory_.release_all();
        notifications_.unlisten({});
        reset_settings({}, false);
    }
    if (all || what == "sequences") {
        sequence_memory_.clear();
        last_sequence_ = 0;
    }
    if (all || what.starts_with("temp")) {
        std::vector<std::shared_ptr<const Relation>> temporary;
        for (const auto& [name, relation] : catalog().relations())
            if (relation->temporary) temporary.push_back(relation);
        for (const auto& relation : temporary) {
            drop_trees(*relation);
            remove(*relation);
        }
    }
    return all ? "DISCARD ALL" : what == "plans" ? "DISCARD PLANS" : what == "sequences" ? "DISCARD SEQUENCES"
                                                                                         : "DISCARD TEMP";
}

bool SqlSession::drop_tree(const std::string& name, bool temporary) {
    writable(name, temporary);
    return temporary ? temp_->drop_tree(name) : main_->drop_tree(name);
}

void SqlSession::refuse_pending_checks(const Relation& table, const char* statement) const {
    for (const PendingCheck& pending : deferred_) {
        // A row that others refer to waits in its own table.
        bool waits = pending.table == table.oid && pending.kind != PendingCheck::Kind::referred;
        const auto child = catalog().relation(pending.table);
        if (child != nullptr && pending.kind == PendingCheck::Kind::referred)
            for (const ForeignKey& foreign : child->foreign_keys)
                waits |= foreign.name == pending.constraint && foreign.table == table.oid;
        if (waits)
            raise(sqlstate::object_in_use, std::string("cannot ") + statement + " \"" + table.name +
                                               "\" because it has pending trigger events");
    }
}

void SqlSession::drop_trees(const Relation& relation) {
    drop_tree(relation.tree(), relation.temporary);
    for (const Index& index : relation.indexes)
        if (!index.holds_rows()) drop_tree(relation.index_tree(index), relation.temporary);
}

std::string SqlSession::creation_schema(const syntax::QualifiedName& name, bool temporary) {
    if (!name.schema().empty()) {
        const std::string schema(name.schema());
        if (temporary && schema != k_temporary_schema)
            raise_at(sqlstate::invalid_table_definition, "cannot create temporary relation in non-temporary schema",
                     name.position);
        if (schema != k_temporary_schema && !catalog().has_schema(schema))
            raise_at(sqlstate::invalid_schema_name, "schema \"" + schema + "\" does not exist", name.position);
        return schema;
    }
    if (temporary) return std::string(k_temporary_schema);
    const std::string schema = current_schema();
    if (schema.empty()) raise(sqlstate::invalid_schema_name, "no schema has been selected to create in");
    return schema;
}

StatementResult SqlSession::define(const syntax::Statement& statement, std::string_view text) {
    return define_object(*this, statement, text);
}

/// By binding a change of it.
bool SqlSession::is_changeable(Oid oid, std::string_view column) {
    const auto relation = catalog().relation(oid);
    if (relation == nullptr) return false;
    std::string text = "DELETE FROM ";
    if (!column.empty()) text = "UPDATE ";
    text += quote_identifier(relation->schema) + "." + quote_identifier(relation->name);
    if (!column.empty()) text += " SET " + quote_identifier(column) + " = NULL";
    Arena arena;
    BoundPool pool;
    std::vector<Oid> types;
    try {
        Binder(*this, pool, types).bind_change(*parse_script(arena.copy(text), arena).front());
    } catch (const SqlError&) {
        return false;
    }
    return true;
}

StoredBytes SqlSession::stored_bytes(const std::string& tree, bool temporary) {
    const TreeSpace space = present_.tree(tree, temporary).space();
    if (space.bytes == 0) return {};
    const std::uint64_t pages = space.inner_pages + space.leaf_pages;
    const std::uint64_t page_size = space.bytes / (pages + space.value_pages);
    return {static_cast<std::int64_t>(pages * page_size), static_cast<std::int64_t>(space.value_pages * page_size)};
}

std::int64_t SqlSession::bytes_of_file() { return static_cast<std::int64_t>(database_.statistics().file_bytes); }

}  // namespace northstar::inline v0::sql
