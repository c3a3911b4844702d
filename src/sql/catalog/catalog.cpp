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

std::shared_ptr<Catalog> Catalog::load(const Tree& tree) {
    auto catalog = std::make_shared<Catalog>();
    catalog->add(tree);
    return catalog;
}

void Catalog::add(const Tree& tree) {
    std::vector<std::shared_ptr<Relation>> found;
    std::vector<std::shared_ptr<UserType>> types;
    for (const KeyValue entry : tree.all()) {
        if (entry.key == "version") version_ += std::string(entry.value);
        else if (entry.key.starts_with("schema/")) {
            const std::string name(entry.key.substr(7));
            add_schema(name);
            const std::string comment = Document::parse(entry.value)["comment"].as_string();
            if (!comment.empty()) schema_comments_[name] = comment;
        }
        else if (entry.key.starts_with("extension/")) {
            const Document document = Document::parse(entry.value);
            extensions_[std::string(entry.key.substr(10))] = {static_cast<Oid>(document["oid"].as_integer()),
                                                              document["schema"].as_string(),
                                                              document["comment"].as_string()};
        }
        else if (entry.key.starts_with("type/")) types.push_back(type_from(Document::parse(entry.value)));
        else if (entry.key.starts_with("relation/")) found.push_back(relation_from(Document::parse(entry.value)));
    }
    // A domain stands on types and row types, and on domains that were made before it, which have lower numbers.
    std::sort(types.begin(), types.end(), [](const auto& a, const auto& b) {
        return std::pair(a->kind == 'd', a->oid) < std::pair(b->kind == 'd', b->oid);
    });
    for (const auto& relation : found) add_row_type(*relation);
    for (auto& type : types) put(std::move(type));
    for (const auto& relation : found) put(relation);
}

std::shared_ptr<Catalog> Catalog::copy() const { return std::make_shared<Catalog>(*this); }

std::shared_ptr<const Relation> Catalog::relation(std::string_view schema, std::string_view name) const {
    const auto found = relations_.find(catalog::qualified(schema, name));
    return found == relations_.end() ? nullptr : found->second;
}

std::shared_ptr<const Relation> Catalog::relation(Oid oid) const {
    const auto found = by_oid_.find(oid);
    return found == by_oid_.end() ? nullptr : found->second;
}

std::pair<std::shared_ptr<const Relation>, const Index*> Catalog::index(std::string_view schema,
                                                                        std::string_view name) const {
    for (const auto& [key, relation] : relations_)
        if (relation->schema == schema)
            if (const Index* index = relation->find_index(name)) return {relation, index};
    return {nullptr, nullptr};
}

std::shared_ptr<const UserType> Catalog::user_type(std::string_view schema, std::string_view name) const {
    const auto found = types_.find(catalog::qualified(schema, name));
    return found == types_.end() ? nullptr : found->second;
}

std::shared_ptr<const UserType> Catalog::user_type(Oid oid) const {
    for (const auto& [key, type] : types_)
        if (type->oid == oid) return type;
    return nullptr;
}

bool Catalog::has_schema(std::string_view name) const {
    return std::find(schemas_.begin(), schemas_.end(), name) != schemas_.end();
}

std::vector<std::pair<std::shared_ptr<const Relation>, const ForeignKey*>> Catalog::references_to(Oid table) const {
    std::vector<std::pair<std::shared_ptr<const Relation>, const ForeignKey*>> found;
    for (const auto& [key, relation] : relations_)
        for (const ForeignKey& foreign : relation->foreign_keys)
            if (foreign.table == table) found.emplace_back(relation, &foreign);
    return found;
}

std::vector<std::shared_ptr<const Relation>> Catalog::children_of(Oid table) const {
    std::vector<std::shared_ptr<const Relation>> found;
    if (!inheritance_) return found;
    for (const auto& [key, relation] : relations_)
        if (std::find(relation->inherits.begin(), relation->inherits.end(), table) != relation->inherits.end())
            found.push_back(relation);
    return found;
}

std::vector<std::shared_ptr<const Relation>> Catalog::heirs_of(Oid table) const {
    std::vector<std::shared_ptr<const Relation>> found;
    if (!inheritance_) return found;
    std::vector<Oid> ancestors = {table};
    for (std::size_t i = 0; i < ancestors.size(); ++i)
        for (const auto& [key, relation] : relations_) {
            if (std::find(relation->inherits.begin(), relation->inherits.end(), ancestors[i]) ==
                    relation->inherits.end() ||
                std::find(ancestors.begin(), ancestors.end(), relation->oid) != ancestors.end())
                continue;
            found.push_back(relation);
            ancestors.push_back(relation->oid);
        }
    return found;
}

void Catalog::put(std::shared_ptr<Relation> relation) {
    if (relation->row_type != 0) add_row_type(*relation);
    if (relation->stores_rows()) set_layout(*relation);
    inheritance_ = inheritance_ || !relation->inherits.empty();
    const auto old = by_oid_.find(relation->oid);
    if (old != by_oid_.end()) relations_.erase(catalog::qualified(old->second->schema, old->second->name));
    by_oid_[relation->oid] = relation;
    relations_[catalog::qualified(relation->schema, relation->name)] = relation;
}

void Catalog::remove(const Relation& relation) {
    by_oid_.erase(relation.oid);
    if (relation.row_type != 0) {
        records_.erase(relation.row_type);
        records_.erase(catalog::array_of_rows(relation.row_type));
    }
    relations_.erase(catalog::qualified(relation.schema, relation.name));
}

void Catalog::put(std::shared_ptr<UserType> type) {
    for (auto it = types_.begin(); it != types_.end(); ++it) {
        if (it->second->oid != type->oid) continue;
        types_.erase(it);
        break;
    }
    add_type_record(*type);
    types_[catalog::qualified(type->schema, type->name)] = std::move(type);
}

void Catalog::remove(const UserType& type) {
    records_.erase(type.oid);
    records_.erase(type.array);
    types_.erase(catalog::qualified(type.schema, type.name));
}

void Catalog::add_schema(std::string_view name) {
    if (has_schema(name)) return;
    schemas_.emplace_back(name);
    stored_path_.insert(stored_path_.end() - 1, std::string(name));
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
    records_[type.oid] = std::shared_ptr<const TypeRecord>(record.get(), [record, kept](const TypeRecord*) {});
    if (type.array == 0) return;
    // Elements are of a type that values have, which a domain is not.
    const Oid element = type.kind == 'd' ? type.base : type.oid;
    records_[type.array] = catalog::array_record(*record, type.array, element);
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
    records_[record->info.array] = catalog::array_record(*record, record->info.array, relation.row_type);
    for (const Column& column : relation.columns)
        if (!column.dropped && !column.hidden) names->push_back(column.name);
    std::size_t at = 0;
    for (const Column& column : relation.columns)
        if (!column.dropped && !column.hidden)
            record->fields.push_back({(*names)[at++], column.type, column.typmod, column.domain});
    records_[relation.row_type] =
        std::shared_ptr<const TypeRecord>(record.get(), [record, names](const TypeRecord*) {});
}

const TypeInfo* Catalog::find_type(Oid oid) const {
    const auto found = records_.find(oid);
    return found == records_.end() ? nullptr : &found->second->info;
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
    const auto found = records_.find(oid);
    if (found == records_.end()) return {};
    return found->second->labels;
}

std::span<const FieldInfo> Catalog::fields(Oid oid) const {
    const auto found = records_.find(oid);
    if (found == records_.end()) return {};
    return found->second->fields;
}

bool Catalog::holds_type(Oid type, Oid member) const {
    std::vector<Oid> open = {type};
    std::set<Oid> seen;
    while (!open.empty()) {
        const Oid next = open.back();
        open.pop_back();
        if (next == member) return true;
        if (!seen.insert(next).second) continue;
        const auto found = records_.find(next);
        if (found == records_.end()) continue;
        if (found->second->info.form == Form::array) open.push_back(found->second->info.element);
        for (const FieldInfo& field : found->second->fields) open.push_back(field.type);
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
    const auto found = records_.find(oid);
    if (found == records_.end()) return {};
    const TypeRecord& record = *found->second;
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
    if (const SystemRelation* system = find_system_relation(oid)) return system->name;
    for (const auto& [name, relation] : relations_)
        for (const Index& index : relation->indexes)
            if (index.oid == oid) return written(relation->schema, index.name);
    return {};
}

std::string Catalog::object_name(Oid kind, Oid oid, SearchPath path) const {
    if (kind == type::regproc || kind == type::regprocedure) return catalog::function_name(oid);
    if (kind == type::regrole) return oid == k_owner_oid ? "northstar" : "";
    if (kind == type::regtype) return name_of_type(oid, path);
    if (kind != type::regnamespace) return name_of_relation(oid, path);
    for (const char* schema : {"pg_catalog", "information_schema"})
        if (schema_oid(schema) == oid) return schema;
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
    for (const std::string& each : schemas)
        if (const Oid oid = kind == type::regtype ? type_in(each, name) : relation_in(each, name); oid != 0) return oid;
    const SystemRelation* system = kind == type::regtype ? nullptr : find_system_relation(schema, name);
    return system == nullptr || system->oid == 0 ? std::nullopt : std::optional<Oid>(system->oid);
}

std::optional<Oid> Catalog::object_oid(Oid kind, std::string_view text) const {
    return object_oid(kind, text, stored_path_);
}

}  // namespace northstar::inline v0::sql
