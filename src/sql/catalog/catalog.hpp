// catalog.hpp -- the objects of a database as one commit or one transaction sees them.  Layer: sql.
//
// Every object is one JSON document in the tree "sql.catalog" under "relation/SCHEMA.NAME", "type/SCHEMA.NAME",
// "schema/NAME" or "extension/NAME", changed by the same transactions as the rows; so definitions are transactional
// and have history.
//
// [CAT-1] The entry "version" has another value after every change of a definition, and never one that it had before;
//         a Catalog that was read under a version is right for every state with that version.
// [CAT-2] Catalog is immutable once shared; a change makes a copy (objects are shared between copies).
// [CAT-4] A catalog that follows another one, by a change or by load(), is what load() makes of the documents alone.
// Threads: any number of readers.
#pragma once

#include "api/northstar.hpp"
#include "sql/catalog/document.hpp"
#include "sql/catalog/partition_directory.hpp"
#include "sql/catalog/schema.hpp"
#include "sql/catalog/shared_map.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr std::string_view k_catalog_tree = "sql.catalog";
inline constexpr std::string_view k_sequence_tree = "sql.sequences";
inline constexpr std::string_view k_public_schema = "public";
inline constexpr std::string_view k_temporary_schema = "pg_temp";
/// Objects of the temporary schema, and the types of their rows and of arrays of those, have this bit in their oids.
inline constexpr Oid k_temporary_oid = 0x40000000;

/// Schemas in the order in which a name without one is looked up, "pg_temp" among them.
using SearchPath = std::span<const std::string>;

class Catalog final : public TypeCatalog {
public:
    Catalog();
    /// Of the documents of the tree, and of the temporary objects of a session, which lie in a tree of their own (null:
    /// there are none). Only those documents are parsed that are not in `known` (null: all are). Raises data_corrupted.
    static std::shared_ptr<Catalog> load(const Tree& tree, const Tree* temporary, const Catalog* known);
    /// O(objects / 64).
    std::shared_ptr<Catalog> copy() const;

    // ---- look up ----
    std::shared_ptr<const Relation> relation(std::string_view schema, std::string_view name) const;
    std::shared_ptr<const Relation> relation(Oid oid) const;
    using Relations = SharedMap<std::string, std::shared_ptr<const Relation>>;
    using UserTypes = SharedMap<std::string, std::shared_ptr<const UserType>>;
    /// By SCHEMA.NAME.
    const Relations& relations() const { return relations_; }
    /// The relation that has an index of that name, and the index.
    std::pair<std::shared_ptr<const Relation>, const Index*> index(std::string_view schema,
                                                                   std::string_view name) const;
    std::shared_ptr<const UserType> user_type(std::string_view schema, std::string_view name) const;
    std::shared_ptr<const UserType> user_type(Oid oid) const;
    const UserTypes& types() const { return types_; }
    bool has_schema(std::string_view name) const;
    const std::vector<std::string>& schemas() const { return schemas_; }
    /// Where names are looked up that stand in kept texts (stored_names.hpp): public, every other schema, pg_temp.
    const std::vector<std::string>& stored_path() const { return stored_path_; }
    /// COMMENT ON SCHEMA; empty: none.
    std::string schema_comment(const std::string& name) const;
    /// By name; plpgsql is always there, as in a new database of PostgreSQL.
    const std::map<std::string, Extension>& extensions() const { return extensions_; }
    /// Foreign keys that refer to the table: the referring relations by name, and their keys.
    std::vector<std::pair<std::shared_ptr<const Relation>, const ForeignKey*>> references_to(Oid table) const;
    /// Tables that inherit from a table directly, by name.
    std::vector<std::shared_ptr<const Relation>> children_of(Oid table) const;
    /// Direct partitions of a table, by name.
    std::vector<std::shared_ptr<const Relation>> parts_of(Oid table) const;
    /// Their bounds. Raises what reading these does. The first who asks: O(partitions).
    std::shared_ptr<const PartitionDirectory> directory_of(const Relation& table) const;
    /// Tables that inherit from a table, at any distance, each once, the nearest first.
    std::vector<std::shared_ptr<const Relation>> heirs_of(Oid table) const;

    // ---- change (of a copy) ----
    void put(std::shared_ptr<Relation> relation);
    void put(std::shared_ptr<UserType> type);
    /// The document of a relation or type, as it was written under a key of the tree. Raises data_corrupted.
    void take(const std::string& key, std::string_view document, bool temporary);
    /// What take() gave the key is gone. Nothing happens where nothing was there.
    void drop(const std::string& key, bool temporary);

    // ---- documents ----
    static Document to_document(const Relation& relation, const Catalog& catalog);
    static std::shared_ptr<Relation> relation_from(const Document& document);
    static Document to_document(const UserType& type);
    static std::shared_ptr<UserType> type_from(const Document& document);
    static std::string key_of(const Relation& relation);
    static std::string key_of(const UserType& type);

    /// Layout of its rows; needs the types.
    void set_layout(Relation& relation) const;

    // ---- TypeCatalog ----
    const TypeInfo* find_type(Oid oid) const override;
    const TypeInfo* find_type(std::string_view name) const override;
    std::span<const EnumLabel> enum_labels(Oid oid) const override;
    bool is_uncommitted_label(Oid, std::int64_t) const override { return false; }
    std::span<const FieldInfo> fields(Oid oid) const override;
    /// Whether values of a type have values of a composite type, or of a table's rows, in them; also the type itself.
    bool holds_type(Oid type, Oid member) const;
    std::string object_name(Oid kind, Oid oid) const override;
    std::optional<Oid> object_oid(Oid kind, std::string_view name) const override;
    // The same along a path; those above look along stored_path(), and call visible what is in public or temporary.
    const TypeInfo* find_type(std::string_view name, SearchPath path) const;
    /// With its schema unless the name alone means the object under that path.
    std::string object_name(Oid kind, Oid oid, SearchPath path) const;
    std::optional<Oid> object_oid(Oid kind, std::string_view name, SearchPath path) const;

private:
    struct TypeRecord {
        TypeInfo info;
        std::string name;
        std::string schema;
        std::vector<EnumLabel> labels;
        std::vector<FieldInfo> fields;
    };
    using Documents = SharedMap<std::string, std::shared_ptr<const std::string>>;
    /// What differs between the documents of a tree and those that are known.
    struct Difference {
        std::vector<std::string> gone;
        std::vector<std::pair<std::string, std::string>> found;  ///< key and document
    };
    void take_schema(std::string_view key, std::string_view document);
    Difference difference(const Tree& tree, const Documents& known);
    void take(const Difference& difference, bool temporary);
    void remove(const Relation& relation);
    void remove(const UserType& type);
    void link(std::shared_ptr<const Relation> relation);
    void unlink(const Relation& relation);
    void renew_directory(const Relation& partition);
    /// What relations keep as values of a type (0: of any) follows a change of it.
    void restate_values(Oid type);
    bool keeps_values(const Relation& relation) const;
    void add_type_record(const UserType& type);
    void add_row_type(const Relation& relation);
    /// A type, the type of a table's rows, or of arrays of either; 0: none.
    Oid type_in(std::string_view schema, std::string_view name) const;
    /// A relation or an index; 0: none.
    Oid relation_in(std::string_view schema, std::string_view name) const;
    std::string name_of_type(Oid oid, SearchPath path) const;
    std::string name_of_relation(Oid oid, SearchPath path) const;
    using Pairs = SharedMap<std::pair<Oid, Oid>, bool>;
    /// Relations that are second to `first`, by name.
    std::vector<std::shared_ptr<const Relation>> paired(const Pairs& pairs, Oid first) const;

    Relations relations_;
    SharedMap<Oid, std::shared_ptr<const Relation>> by_oid_;
    SharedMap<std::string, Oid> index_names_;  // SCHEMA.NAME; the relation that has the index
    SharedMap<Oid, Oid> index_oids_;           // the same
    Pairs references_;                         // table referred to, relation that refers
    Pairs heirs_;                              // parent, heir
    Pairs parts_;                              // table, partition
    SharedMap<Oid, std::shared_ptr<LazyPartitions>> directories_;  // of tables that have or had partitions
    SharedMap<Oid, bool> keeping_values_;      // relations that keep values of types that are in this catalog
    UserTypes types_;
    SharedMap<Oid, std::shared_ptr<const UserType>> types_by_oid_;
    SharedMap<Oid, std::shared_ptr<const TypeRecord>> records_;
    Documents documents_[2];  // of relations and types, by key; those of temporary ones
    std::vector<std::string> schemas_;
    std::vector<std::string> stored_path_;
    std::map<std::string, std::string> schema_comments_;
    std::map<std::string, Extension> extensions_;
};

}  // namespace northstar::inline v0::sql
