#include "sql/catalog/definition_marks.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace definition_marks {

/// The definition without what ANALYZE found.
std::string text_of(const Relation& relation, const Catalog& catalog) {
    Relation plain = relation;
    plain.statistics = nullptr;
    return Catalog::to_document(plain, catalog).text();
}

/// The table whose tree has the rows of a partition; any other relation itself.
Oid holder_of(const Catalog& catalog, const Relation& relation) {
    Oid holder = relation.oid;
    for (Oid next = relation.partition_of; next != 0;) {
        holder = next;
        const auto above = catalog.relation(next);
        next = above == nullptr ? 0 : above->partition_of;
    }
    return holder;
}

bool same_key(const ForeignKey& a, const ForeignKey& b) {
    return a.name == b.name && a.table == b.table && a.columns == b.columns && a.referenced == b.referenced &&
           a.partition == b.partition && a.referenced_partition == b.referenced_partition;
}

/// Are values of a type checked or laid out as another one says: a domain over it, an array, a record of such fields?
bool stands_on(const Catalog& catalog, Oid type, Oid other) {
    std::vector<Oid> open = {type};
    std::set<Oid> seen;
    while (!open.empty()) {
        const Oid next = open.back();
        open.pop_back();
        if (next == other) return true;
        if (!seen.insert(next).second) continue;
        if (const auto user = catalog.user_type(next)) open.insert(open.end(), {user->base, user->parent});
        if (const TypeInfo* const info = catalog.find_type(next); info != nullptr && info->form == Form::array)
            open.push_back(info->element);
        for (const FieldInfo& field : catalog.fields(next)) open.push_back(field.type);
    }
    return false;
}

/// Tables with rows of their own.
class Tables {
public:
    void add(const Catalog& catalog, Oid table) {
        const auto relation = catalog.relation(table);
        if (relation != nullptr) add(catalog, *relation);
    }
    void add(const Catalog& catalog, const Relation& relation) {
        if (relation.is_partition()) return add(catalog, holder_of(catalog, relation));
        if (relation.stores_rows()) found_.insert(relation.oid);
    }
    /// What the relation inherits from, at any distance, and all that inherits from that or from it.
    void add_family(const Catalog& catalog, const Relation& relation) {
        for (const auto& heir : catalog.heirs_of(relation.oid)) add(catalog, *heir);
        std::vector<Oid> above = relation.inherits;
        std::set<Oid> seen;
        for (std::size_t i = 0; i < above.size(); ++i) {
            if (!seen.insert(above[i]).second) continue;
            add(catalog, above[i]);
            for (const auto& heir : catalog.heirs_of(above[i])) add(catalog, *heir);
            if (const auto parent = catalog.relation(above[i]))
                above.insert(above.end(), parent->inherits.begin(), parent->inherits.end());
        }
    }
    std::vector<Oid> found() const { return {found_.begin(), found_.end()}; }

private:
    std::set<Oid> found_;
};

}  // namespace definition_marks

std::string definition_mark(Oid table) { return "changed/" + std::to_string(table); }

std::vector<Oid> tables_concerned(const Catalog& before, const Catalog& after, const Relation* old,
                                  const Relation* changed) {
    if (old != nullptr && changed != nullptr &&
        definition_marks::text_of(*old, before) == definition_marks::text_of(*changed, after))
        return {};
    definition_marks::Tables tables;
    for (const auto& [relation, catalog] : {std::pair(old, &before), std::pair(changed, &after)}) {
        if (relation == nullptr) continue;
        tables.add(*catalog, *relation);
        tables.add_family(*catalog, *relation);
        const Relation* const other = relation == old ? changed : old;
        for (const ForeignKey& foreign : relation->foreign_keys) {
            const bool stays = other != nullptr && std::any_of(other->foreign_keys.begin(), other->foreign_keys.end(),
                                                               [&](const ForeignKey& key) {
                                                                   return definition_marks::same_key(foreign, key);
                                                               });
            if (!stays) tables.add(*catalog, foreign.table);
        }
    }
    return tables.found();
}

std::vector<Oid> tables_that_hold(const Catalog& catalog, Oid type) {
    std::vector<Oid> tables;
    for (const auto& [name, relation] : catalog.relations()) {
        if (!relation->stores_rows()) continue;
        for (const Column& column : relation->columns) {
            const Oid declared = column.domain != 0 ? column.domain : column.type;
            if (column.dropped || !definition_marks::stands_on(catalog, declared, type)) continue;
            tables.push_back(relation->oid);
            break;
        }
    }
    return tables;
}

}  // namespace northstar::inline v0::sql
