#include "sql/session/temporary_tables.hpp"

#include "sql/session/define_partition.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace temporary_tables_impl {

using Tables = std::vector<std::shared_ptr<const Relation>>;

void refuse_kept_references(const SqlSession& session, const Tables& emptied) {
    for (const auto& table : emptied)
        for (const auto& [child, foreign] : session.catalog().references_to(table->oid)) {
            const Oid oid = child->oid;
            if (std::any_of(emptied.begin(), emptied.end(), [&](const auto& other) { return other->oid == oid; }))
                continue;
            raise(sqlstate::feature_not_supported, "unsupported ON COMMIT and foreign key combination",
                  "Table \"" + child->name + "\" references \"" + table->name +
                      "\", but they do not have the same ON COMMIT setting.");
        }
}

void empty(SqlSession& session, const Relation& table) {
    if (table.is_partitioned()) return;  // has no rows but those of its partitions
    if (table.is_partition()) erase_partition_rows(session, table);
    else session.drop_trees(table);
}

}  // namespace temporary_tables_impl

char on_commit_of(const syntax::CreateTable& syntax, bool temporary) {
    if (syntax.on_commit == syntax::OnCommit::preserve) return 'p';
    if (!temporary)
        raise(sqlstate::invalid_table_definition, "ON COMMIT can only be used on temporary tables");
    return syntax.on_commit == syntax::OnCommit::drop ? 'D' : 'd';
}

void clear_temporary_tables(SqlSession& session) {
    using namespace temporary_tables_impl;
    Tables emptied, dropped;
    for (const auto& [name, relation] : session.catalog().relations()) {
        if (!relation->temporary || relation->on_commit == 'p') continue;
        (relation->on_commit == 'D' ? dropped : emptied).push_back(relation);
    }
    refuse_kept_references(session, emptied);
    for (const auto& table : emptied) empty(session, *table);
    for (const auto& table : dropped)
        if (const auto still = session.catalog().relation(table->oid)) drop_with_users(session, still);
}

}  // namespace northstar::inline v0::sql
