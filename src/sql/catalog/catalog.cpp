#include "sql/catalog/catalog.hpp"

#include "sql/catalog/system_relations.hpp"
#include "sql/function.hpp"
#include "sql/syntax/parser.hpp"

#include "sql/error.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

int Relation::primary_key() const {
    for (std::size_t i = 0; i < indexes.size(); ++i)
        if (indexes[i].role == ConstraintRole::primary_key) return static_cast<int>(i);
    return -1;
}

int Relation::row_key() const {
    const int key = primary_key();
    return key >= 0 && indexes[static_cast<std::size_t>(key)].holds_rows() ? key : -1;
}

int Relation::find_column(std::string_view wanted) const {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (!columns[i].dropped && columns[i].name == wanted) return static_cast<int>(i);
    return -1;
}

const Index* Relation::find_index(std::string_view wanted) const {
    for (const Index& index : indexes)
        if (index.name == wanted) return &index;
    return nullptr;
}

std::string Relation::tree() const { return "sql.rows." + std::to_string(oid); }

std::string Relation::index_tree(const Index& index) const { return "sql.index." + std::to_string(index.oid); }

namespace catalog {

/// The type of arrays of a table's rows: the number of the row's type tells it, and is stored alone.
Oid array_of_rows(Oid row_type) { return row_type | 0x80000000u; }

template <class Record>
std::shared_ptr<const Record> array_record(const Record& of, Oid oid, Oid element) {
    auto array = std::make_shared<Record>();
    array->name = "_" + of.name;
    array->schema = of.schema;
    array->info.oid = oid;
    array->info.name = array->info.sql_name = array->name.c_str();
    array->info.form = Form::array;
    array->info.category = Category::array;
    array->info.element = element;
    return array;
}

[[noreturn]] void raise_damage() {
    raise(sqlstate::data_corrupted, "the catalog holds an object under another name or number than its own");
}

std::string qualified(std::string_view schema, std::string_view name) {
    return std::string(schema).append(".").append(name);
}

/// Parts of a name as regclass reads it: folded to lower case unless quoted. Raises 42602.
std::vector<std::string> name_parts(std::string_view text) {
    std::vector<std::string> parts = {""};
    bool any = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            any = true;
            for (++i;; ++i) {
                if (i >= text.size()) raise(sqlstate::invalid_name, "invalid name syntax");
                if (text[i] != '"') parts.back() += text[i];
                else if (i + 1 < text.size() && text[i + 1] == '"') parts.back() += text[i++];
                else break;
            }
        } else if (c == '.') {
            if (!any) raise(sqlstate::invalid_name, "invalid name syntax");
            parts.emplace_back();
            any = false;
        } else if (c != ' ') {
            parts.back() += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
            any = true;
        }
    }
    if (!any) raise(sqlstate::invalid_name, "invalid name syntax");
    return parts;
}

}  // namespace catalog

Catalog::Catalog()
    : schemas_({std::string(k_public_schema)}), stored_path_({schemas_[0], std::string(k_temporary_schema)}),
      extensions_({{"plpgsql", {k_plpgsql_oid, "pg_catalog", "PL/pgSQL procedural language"}}}) {}

std::shared_ptr<Catalog> Catalog::load(const Tree& tree, const Tree* temporary, const Catalog* known) {
    auto catalog = known == nullptr ? std::make_shared<Catalog>() : known->copy();
    const Catalog none;
    catalog->schemas_ = none.schemas_;
    catalog->stored_path_ = none.stored_path_;
    catalog->schema_comments_ = none.schema_comments_;
    catalog->extensions_ = none.extensions_;
    catalog->take(catalog->difference(tree, catalog->documents_[0]), false);
    if (temporary != nullptr) catalog->take(catalog->difference(*temporary, catalog->documents_[1]), true);
    else
        while (!catalog->documents_[1].empty()) catalog->drop(catalog->documents_[1].begin()->first, true);
    return catalog;
}

void Catalog::take_schema(std::string_view key, std::string_view text) {
    const Document document = Document::parse(text);
    if (key.starts_with("extension/")) {
        extensions_[std::string(key.substr(10))] = {static_cast<Oid>(document["oid"].as_integer()),
                                                    document["schema"].as_string(), document["comment"].as_string()};
        return;
    }
    const std::string name(key.substr(7));
    if (document["dropped"].as_boolean()) {
        // The schema that every database begins with.
        std::erase(schemas_, name);
        std::erase(stored_path_, name);
        return;
    }
    const std::string& comment = document["comment"].as_string();
    if (!comment.empty()) schema_comments_[name] = comment;
    if (has_schema(name)) return;
    schemas_.push_back(name);
    stored_path_.insert(stored_path_.end() - 1, name);
}

Catalog::Difference Catalog::difference(const Tree& tree, const Documents& known) {
    Difference result;
    auto old = known.begin();
    for (const KeyValue entry : tree.all()) {
        if (entry.key.starts_with("schema/") || entry.key.starts_with("extension/"))
            take_schema(entry.key, entry.value);
        if (!entry.key.starts_with("relation/") && !entry.key.starts_with("type/")) continue;
        for (; old != known.end() && old->first < entry.key; ++old) result.gone.push_back(old->first);
        if (old != known.end() && old->first == entry.key) {
            const bool same = *old->second == entry.value;
            ++old;
            if (same) continue;
            result.gone.emplace_back(entry.key);
        }
        result.found.emplace_back(entry.key, entry.value);
    }
    for (; old != known.end(); ++old) result.gone.push_back(old->first);
    return result;
}

void Catalog::take(const Difference& difference, bool temporary) {
    std::vector<std::shared_ptr<Relation>> relations;
    std::vector<std::shared_ptr<UserType>> types;
    for (const std::string& key : difference.gone) drop(key, temporary);
    for (const auto& [key, text] : difference.found) {
        documents_[temporary].set(key, std::make_shared<const std::string>(text));
        const bool type = key.starts_with("type/");
        if (type) types.push_back(type_from(Document::parse(text)));
        else relations.push_back(relation_from(Document::parse(text)));
        if ((type ? key_of(*types.back()) : key_of(*relations.back())) != key) catalog::raise_damage();
    }
    // A domain stands on types and row types, and on domains that were made before it, which have lower numbers.
    std::sort(types.begin(), types.end(), [](const auto& a, const auto& b) {
        return std::pair(a->kind == 'd', a->oid) < std::pair(b->kind == 'd', b->oid);
    });
    for (const auto& relation : relations) add_row_type(*relation);
    for (auto& type : types) put(std::move(type));
    for (const auto& relation : relations) put(relation);
    if (!difference.gone.empty()) restate_values(0);
}

void Catalog::take(const std::string& key, std::string_view text, bool temporary) {
    documents_[temporary].set(key, std::make_shared<const std::string>(text));
    if (key.starts_with("type/")) put(type_from(Document::parse(text)));
    else put(relation_from(Document::parse(text)));
}

void Catalog::drop(const std::string& given, bool temporary) {
    const std::string key = given;  // it may lie in the map
    if (!documents_[temporary].erase(key)) return;
    if (key.starts_with("type/")) {
        const auto* const type = types_.find(key.substr(5));
        if (type == nullptr) catalog::raise_damage();
        remove(**type);
    } else {
        const auto* const relation = relations_.find(key.substr(9));
        if (relation == nullptr) catalog::raise_damage();
        remove(**relation);
    }
}

std::shared_ptr<Catalog> Catalog::copy() const { return std::make_shared<Catalog>(*this); }

std::shared_ptr<const Relation> Catalog::relation(std::string_view schema, std::string_view name) const {
    const auto* const found = relations_.find(catalog::qualified(schema, name));
    return found == nullptr ? nullptr : *found;
}

std::shared_ptr<const Relation> Catalog::relation(Oid oid) const {
    const auto* const found = by_oid_.find(oid);
    return found == nullptr ? nullptr : *found;
}

std::pair<std::shared_ptr<const Relation>, const Index*> Catalog::index(std::string_view schema,
                                                                        std::string_view name) const {
    const Oid* const owner = index_names_.find(catalog::qualified(schema, name));
    if (owner == nullptr) return {nullptr, nullptr};
    const auto& relation = *by_oid_.find(*owner);
    return {relation, relation->find_index(name)};
}

std::shared_ptr<const UserType> Catalog::user_type(std::string_view schema, std::string_view name) const {
    const auto* const found = types_.find(catalog::qualified(schema, name));
    return found == nullptr ? nullptr : *found;
}

std::shared_ptr<const UserType> Catalog::user_type(Oid oid) const {
    const auto* const found = types_by_oid_.find(oid);
    return found == nullptr ? nullptr : *found;
}

bool Catalog::has_schema(std::string_view name) const {
    return std::find(schemas_.begin(), schemas_.end(), name) != schemas_.end();
}

std::vector<std::shared_ptr<const Relation>> Catalog::paired(const Pairs& pairs, Oid first) const {
    std::vector<std::shared_ptr<const Relation>> found;
    for (auto at = pairs.lower_bound(std::pair(first, Oid{0})); at != pairs.end() && at->first.first == first; ++at)
        found.push_back(*by_oid_.find(at->first.second));
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::pair(std::string_view(a->schema), std::string_view(a->name)) <
               std::pair(std::string_view(b->schema), std::string_view(b->name));
    });
    return found;
}

std::vector<std::pair<std::shared_ptr<const Relation>, const ForeignKey*>> Catalog::references_to(Oid table) const {
    std::vector<std::pair<std::shared_ptr<const Relation>, const ForeignKey*>> found;
    for (const auto& relation : paired(references_, table))
        for (const ForeignKey& foreign : relation->foreign_keys)
            if (foreign.table == table) found.emplace_back(relation, &foreign);
    return found;
}

std::vector<std::shared_ptr<const Relation>> Catalog::children_of(Oid table) const { return paired(heirs_, table); }

std::vector<std::shared_ptr<const Relation>> Catalog::parts_of(Oid table) const { return paired(parts_, table); }

std::shared_ptr<const PartitionDirectory> Catalog::directory_of(const Relation& table) const {
    const auto* const found = directories_.find(table.oid);
    return found == nullptr ? std::make_shared<PartitionDirectory>(table.partition_key) : (*found)->get(*this, table);
}

void Catalog::renew_directory(const Relation& partition) {
    const auto* const found = directories_.find(partition.partition_of);
    directories_.set(partition.partition_of,
                     LazyPartitions::behind(found == nullptr ? nullptr : *found, partition.oid));
}

std::vector<std::shared_ptr<const Relation>> Catalog::heirs_of(Oid table) const {
    std::vector<std::shared_ptr<const Relation>> found;
    std::set<Oid> seen = {table};
    std::vector<Oid> ancestors = {table};
    for (std::size_t i = 0; i < ancestors.size(); ++i)
        for (const auto& relation : children_of(ancestors[i])) {
            if (!seen.insert(relation->oid).second) continue;
            found.push_back(relation);
            ancestors.push_back(relation->oid);
        }
    return found;
}

void Catalog::put(std::shared_ptr<Relation> relation) {
    const auto old = this->relation(relation->oid);
    if (old != nullptr) unlink(*old);
    if (relation->row_type != 0) add_row_type(*relation);
    if (relation->stores_rows()) set_layout(*relation);
    const Oid row_type = relation->row_type;
    link(std::move(relation));
    if (old != nullptr && row_type != 0) restate_values(row_type);
}

void Catalog::link(std::shared_ptr<const Relation> relation) {
    const Oid oid = relation->oid;
    for (const Index& index : relation->indexes) {
        index_names_.set(catalog::qualified(relation->schema, index.name), oid);
        index_oids_.set(index.oid, oid);
    }
    for (const ForeignKey& foreign : relation->foreign_keys) references_.set({foreign.table, oid}, true);
    for (const Oid parent : relation->inherits) heirs_.set({parent, oid}, true);
    if (relation->is_partition()) {
        parts_.set({relation->partition_of, oid}, true);
        renew_directory(*relation);
    }
    if (keeps_values(*relation)) keeping_values_.set(oid, true);
    relations_.set(catalog::qualified(relation->schema, relation->name), relation);
    by_oid_.set(oid, std::move(relation));
}

void Catalog::unlink(const Relation& relation) {
    const Oid oid = relation.oid;
    for (const Index& index : relation.indexes) {
        const std::string name = catalog::qualified(relation.schema, index.name);
        // Another relation may have taken the name in the same change.
        if (const Oid* const owner = index_names_.find(name); owner != nullptr && *owner == oid)
            index_names_.erase(name);
        if (const Oid* const owner = index_oids_.find(index.oid); owner != nullptr && *owner == oid)
            index_oids_.erase(index.oid);
    }
    for (const ForeignKey& foreign : relation.foreign_keys) references_.erase(std::pair(foreign.table, oid));
    for (const Oid parent : relation.inherits) heirs_.erase(std::pair(parent, oid));
    if (relation.is_partition()) {
        parts_.erase(std::pair(relation.partition_of, oid));
        renew_directory(relation);
    }
    keeping_values_.erase(oid);
    relations_.erase(catalog::qualified(relation.schema, relation.name));
    by_oid_.erase(oid);
}

void Catalog::remove(const Relation& given) {
    const auto relation = this->relation(given.oid);  // lives until the end
    unlink(*relation);
    if (relation->row_type == 0) return;
    records_.erase(relation->row_type);
    records_.erase(catalog::array_of_rows(relation->row_type));
}

void Catalog::put(std::shared_ptr<UserType> type) {
    const auto old = user_type(type->oid);
    if (old != nullptr) types_.erase(catalog::qualified(old->schema, old->name));
    add_type_record(*type);
    const Oid oid = type->oid;
    types_by_oid_.set(oid, type);
    types_.set(catalog::qualified(type->schema, type->name), type);
    if (old != nullptr) restate_values(oid);
}

void Catalog::remove(const UserType& given) {
    const auto type = user_type(given.oid);  // lives until the end
    records_.erase(type->oid);
    records_.erase(type->array);
    types_by_oid_.erase(type->oid);
    types_.erase(catalog::qualified(type->schema, type->name));
}

bool Catalog::keeps_values(const Relation& relation) const {
    if (!relation.stores_rows()) return false;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (column.dropped || records_.find(column.type) == nullptr) continue;
        if (column.missing) return true;
        if (relation.statistics != nullptr && relation.statistics->columns.contains(static_cast<int>(i))) return true;
    }
    return false;
}

void Catalog::restate_values(Oid type) {
    std::vector<Oid> concerned;
    for (const auto& [oid, yes] : keeping_values_) {
        const Relation& relation = **by_oid_.find(oid);
        if (type == 0 || std::any_of(relation.columns.begin(), relation.columns.end(), [&](const Column& column) {
                return !column.dropped && holds_type(column.type, type);
            }))
            concerned.push_back(oid);
    }
    for (const Oid oid : concerned) {
        const Relation& relation = **by_oid_.find(oid);
        // None of one that is being put: it will be taken next.
        const auto* const text = documents_[relation.temporary].find(key_of(relation));
        if (text == nullptr) continue;
        const auto restated = relation_from(Document::parse(**text));
        set_layout(*restated);
        link(restated);
    }
}

std::string Catalog::schema_comment(const std::string& name) const {
    const auto found = schema_comments_.find(name);
    return found == schema_comments_.end() ? std::string() : found->second;
}

void Catalog::set_layout(Relation& relation) const {
    std::vector<Oid> types;
    for (const Column& column : relation.columns) types.push_back(column.type);
    auto layout = std::make_shared<RowLayout>(std::uint16_t{0}, types, this);
    Arena arena;
    Session plain;  // values were written as text without settings
    plain.types = this;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.missing || column.dropped) continue;
        layout->set_missing(i, value_from_text(column.type, column.typmod, *column.missing, arena, plain));
    }
    relation.layout = std::move(layout);
    if (relation.statistics == nullptr) return;
    auto statistics = std::make_shared<TableStatistics>(*relation.statistics);
    std::vector<int> outdated;
    for (auto& [place, found] : statistics->columns) {
        const Column& column = relation.columns[static_cast<std::size_t>(place)];
        const auto key_of_text = [&arena, &plain, &column](const std::string& text) {
            std::string key;
            encode_key(value_from_text(column.type, column.typmod, text, arena, plain), {}, key);
            return key;
        };
        try {
            for (ColumnStatistics::Common& value : found.common) value.key = key_of_text(value.text);
            for (ColumnStatistics::Bound& bound : found.bounds) bound.key = key_of_text(bound.text);
        } catch (const SqlError&) {
            outdated.push_back(place);  // a label was renamed since
        }
    }
    for (const int place : outdated) statistics->columns.erase(place);
    relation.statistics = std::move(statistics);
}

void Relation::forget_statistics(int column) {
    if (statistics == nullptr) return;
    auto left = std::make_shared<TableStatistics>(*statistics);
    left->columns.erase(column);
    statistics = std::move(left);
}

// ---- types
// -----------------------------------------------------------------------------------------------------------

void Catalog::add_type_record(const UserType& type) {
    auto record = std::make_shared<TypeRecord>();
    record->name = type.name;
    record->schema = type.schema;
    if (type.kind == 'd') {
        record->info = type_info(type.base, this);
        record->info.element = 0;
        record->info.type_kind = 'd';
    } else if (type.kind == 'c') {
        record->info.form = Form::record;
        record->info.category = Category::composite;
        record->info.type_kind = 'c';
    } else {
        record->info.form = Form::integer;
        record->info.category = Category::enumeration;
        record->info.length = 8;
        record->info.type_kind = 'e';
        for (const auto& [label, number] : type.labels) record->labels.push_back({label, number});
    }
    record->info.oid = type.oid;
    record->info.array = type.array;
    record->info.name = record->info.sql_name = record->name.c_str();
    // Labels and fields view into a copy of the type that the record keeps.
    auto kept = std::make_shared<const UserType>(type);
    for (std::size_t i = 0; i < record->labels.size(); ++i) record->labels[i].label = kept->labels[i].first;
    for (const TypeField& field : kept->fields)
        record->fields.push_back({field.name, field.type, field.typmod, field.domain});
    records_.set(type.oid, std::shared_ptr<const TypeRecord>(record.get(), [record, kept](const TypeRecord*) {}));
    if (type.array == 0) return;
    // Elements are of a type that values have, which a domain is not.
    const Oid element = type.kind == 'd' ? type.base : type.oid;
    records_.set(type.array, catalog::array_record(*record, type.array, element));
}

void Catalog::add_row_type(const Relation& relation) {
    if (relation.row_type == 0) return;
    auto record = std::make_shared<TypeRecord>();
    auto names = std::make_shared<std::vector<std::string>>();
    record->name = relation.name;
    record->schema = relation.schema;
    record->info.oid = relation.row_type;
    record->info.name = record->info.sql_name = record->name.c_str();
    record->info.form = Form::record;
    record->info.category = Category::composite;
    record->info.type_kind = 'c';
    record->info.array = catalog::array_of_rows(relation.row_type);
    records_.set(record->info.array, catalog::array_record(*record, record->info.array, relation.row_type));
    for (const Column& column : relation.columns)
        if (!column.dropped && !column.hidden) names->push_back(column.name);
    std::size_t at = 0;
    for (const Column& column : relation.columns)
        if (!column.dropped && !column.hidden)
            record->fields.push_back({(*names)[at++], column.type, column.typmod, column.domain});
    records_.set(relation.row_type,
                 std::shared_ptr<const TypeRecord>(record.get(), [record, names](const TypeRecord*) {}));
}

const TypeInfo* Catalog::find_type(Oid oid) const {
    const auto* const found = records_.find(oid);
    return found == nullptr ? nullptr : &(*found)->info;
}

Oid Catalog::type_in(std::string_view schema, std::string_view name) const {
    if (const auto type = user_type(schema, name)) return type->oid;
    const auto table = relation(schema, name);
    if (table != nullptr && table->row_type != 0) return table->row_type;
    if (!name.starts_with('_')) return 0;
    const TypeInfo* const element = find_type(type_in(schema, name.substr(1)));
    return element == nullptr ? 0 : element->array;
}

const TypeInfo* Catalog::find_type(std::string_view name, SearchPath path) const {
    for (const std::string& schema : path)
        if (const Oid oid = type_in(schema, name); oid != 0) return find_type(oid);
    return nullptr;
}

const TypeInfo* Catalog::find_type(std::string_view name) const { return find_type(name, stored_path_); }

std::span<const EnumLabel> Catalog::enum_labels(Oid oid) const {
    const auto* const found = records_.find(oid);
    if (found == nullptr) return {};
    return (*found)->labels;
}

std::span<const FieldInfo> Catalog::fields(Oid oid) const {
    const auto* const found = records_.find(oid);
    if (found == nullptr) return {};
    return (*found)->fields;
}

bool Catalog::holds_type(Oid type, Oid member) const {
    std::vector<Oid> open = {type};
    std::set<Oid> seen;
    while (!open.empty()) {
        const Oid next = open.back();
        open.pop_back();
        if (next == member) return true;
        if (!seen.insert(next).second) continue;
        const auto* const found = records_.find(next);
        if (found == nullptr) continue;
        if ((*found)->info.form == Form::array) open.push_back((*found)->info.element);
        for (const FieldInfo& field : (*found)->fields) open.push_back(field.type);
    }
    return false;
}

namespace catalog {

std::optional<Oid> function_oid(std::string_view name) {
    if (const InputFunction* input = find_input_function(name)) return input->oid;
    const auto named = find_functions(name);
    if (named.empty()) return std::nullopt;
    std::uint32_t number = 0;
    for (const FunctionEntry* entry : all_functions()) {
        ++number;
        if (entry == named[0]) return entry->oid != 0 ? entry->oid : k_function_oid + number;
    }
    return std::nullopt;
}

std::string function_name(Oid oid) {
    if (const InputFunction* input = find_input_function(oid)) return input->name;
    std::uint32_t number = 0;
    for (const FunctionEntry* entry : all_functions()) {
        ++number;
        if (entry->oid == oid || (entry->oid == 0 && k_function_oid + number == oid)) return entry->name;
    }
    return {};
}

}  // namespace catalog

Oid Catalog::relation_in(std::string_view schema, std::string_view name) const {
    if (const auto found = relation(schema, name)) return found->oid;
    const Index* const found = index(schema, name).second;
    return found == nullptr ? 0 : found->oid;
}

std::string Catalog::name_of_type(Oid oid, SearchPath path) const {
    const auto* const found = records_.find(oid);
    if (found == nullptr) return {};
    const TypeRecord& record = **found;
    const bool array = record.info.form == Form::array && record.info.type_kind != 'd';
    const std::string name = array ? record.name.substr(1) : record.name;
    const TypeInfo* const visible = find_type(record.name, path);
    const bool alone = visible != nullptr && visible->oid == oid && find_builtin_type(name) == nullptr;
    const std::string quoted = quote_identifier(name) + (array ? "[]" : "");
    return alone ? quoted : catalog::qualified(quote_identifier(record.schema), quoted);
}

std::string Catalog::name_of_relation(Oid oid, SearchPath path) const {
    const auto written = [&](const std::string& schema, const std::string& name) {
        const std::string quoted = quote_identifier(name);
        for (const std::string& each : path)
            if (const Oid first = relation_in(each, name); first == oid) return quoted;
            else if (first != 0) break;
        return catalog::qualified(quote_identifier(schema), quoted);
    };
    if (const auto found = relation(oid)) return written(found->schema, found->name);
    if (const SystemRelation* system = find_system_relation(oid)) {
        const std::string_view schema = system->schema;
        const bool visible = schema == "pg_catalog" || std::find(path.begin(), path.end(), schema) != path.end();
        return visible ? system->name : catalog::qualified(std::string(schema), system->name);
    }
    if (const auto type = user_type(oid); type != nullptr && type->kind == 'c') return name_of_type(oid, path);
    const Oid* const owner = index_oids_.find(oid);
    if (owner == nullptr) return {};
    const Relation& relation = **by_oid_.find(*owner);
    for (const Index& index : relation.indexes)
        if (index.oid == oid) return written(relation.schema, index.name);
    return {};
}

std::string Catalog::object_name(Oid kind, Oid oid, SearchPath path) const {
    if (kind == type::regproc || kind == type::regprocedure) return catalog::function_name(oid);
    if (kind == type::regrole) return oid == k_owner_oid ? "northstar" : "";
    if (kind == type::regtype) return name_of_type(oid, path);
    if (kind != type::regnamespace) return name_of_relation(oid, path);
    for (const std::string_view schema : {std::string_view("pg_catalog"), std::string_view("information_schema"),
                                          std::string_view(k_temporary_schema)})
        if (schema_oid(schema) == oid) return std::string(schema);
    for (const std::string& schema : schemas_)
        if (schema_oid(schema) == oid) return quote_identifier(schema);
    return {};
}

std::string Catalog::object_name(Oid kind, Oid oid) const {
    const std::string path[] = {std::string(k_temporary_schema), std::string(k_public_schema)};
    return object_name(kind, oid, path);
}

std::optional<Oid> Catalog::object_oid(Oid kind, std::string_view text, SearchPath path) const {
    const std::vector<std::string> parts = catalog::name_parts(text);
    const std::string& name = parts.back();
    if (parts.size() > 3)
        raise(sqlstate::syntax_error,
              "improper qualified name (too many dotted names): " + std::string(text));
    if (kind == type::regproc && find_functions(name).size() > 1)
        raise(sqlstate::ambiguous_function, "more than one function named \"" + std::string(text) + "\"");
    if (kind == type::regproc || kind == type::regprocedure)
        return catalog::function_oid(name.substr(0, name.find('(')));
    if (kind == type::regrole)
        return name == "northstar" ? std::optional<Oid>(k_owner_oid) : std::nullopt;
    if (kind == type::regnamespace) {
        if (!has_schema(name) && name != "pg_catalog" && name != "information_schema") return std::nullopt;
        return schema_oid(name);
    }
    const std::string schema = parts.size() > 1 ? parts[parts.size() - 2] : std::string();
    const std::span<const std::string> schemas = schema.empty() ? path : SearchPath(&schema, 1);
    if (kind == type::regtype && (schema.empty() || schema == "pg_catalog")) {
        if (name == "char" && text.find('"') != text.npos) return type::char_internal;
        if (const TypeInfo* built_in = find_builtin_type(name); built_in != nullptr && built_in->name == name)
            return built_in->oid;
    }
    for (const std::string& each : schemas)
        if (const Oid oid = kind == type::regtype ? type_in(each, name) : relation_in(each, name); oid != 0) return oid;
    if (kind == type::regclass)  // a composite type is a relation without rows
        for (const std::string& each : schemas)
            if (const auto type = user_type(each, name); type != nullptr && type->kind == 'c') return type->oid;
    const SystemRelation* system = kind == type::regtype ? nullptr : find_system_relation(schema, name);
    if (system != nullptr) return number_of(*system);
    for (const std::string& each : schemas)  // where it is not the first one that is looked into
        if (kind != type::regtype && each != "pg_catalog")
            if (const SystemRelation* other = find_system_relation(each, name)) return number_of(*other);
    return std::nullopt;
}

std::optional<Oid> Catalog::object_oid(Oid kind, std::string_view text) const {
    return object_oid(kind, text, stored_path_);
}

}  // namespace northstar::inline v0::sql
