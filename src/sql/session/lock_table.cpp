#include "sql/session/lock_table.hpp"

#include "sql/catalog/partition.hpp"
#include "sql/execute/table_writer.hpp"

#include <set>

namespace northstar::inline v0::sql {

namespace lock_table {

class Locker {
public:
    explicit Locker(SqlSession& session) : session_(session) {}

    void lock(const Relation& relation) {
        if (relation.temporary || !seen_.insert(relation.oid).second) return;
        if (relation.kind == RelationKind::view) {
            for (const Oid used : relation.depends)
                if (const auto read = session_.catalog().relation(used)) lock(*read);
        }
        if (relation.kind != RelationKind::table) return;
        const auto holder = partition_root(session_.catalog(), relation);
        stand_on_definition(session_, *holder);
        // Their number has been read, and so have all of them.
        session_.writable(holder->tree(), false).size();
        for (const auto& heir : session_.catalog().heirs_of(relation.oid)) lock(*heir);
    }

private:
    SqlSession& session_;
    std::set<Oid> seen_;
};

[[noreturn]] void refuse(const Relation& relation, const char* kind) {
    raise(sqlstate::wrong_object_type, "cannot lock relation \"" + relation.name + "\"",
          std::string("This operation is not supported for ") + kind + ".");
}

}  // namespace lock_table

void lock_tables(SqlSession& session, const syntax::Statement& statement) {
    if (!session.in_transaction())
        raise(sqlstate::no_active_sql_transaction, "LOCK TABLE can only be used in transaction blocks");
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    lock_table::Locker locker(session);
    for (const syntax::QualifiedName& name : statement.tables->tables) {
        const auto relation = binder.find_relation(name, session.present(), false);
        if (relation->kind == RelationKind::sequence) lock_table::refuse(*relation, "sequences");
        if (relation->kind == RelationKind::materialized_view) lock_table::refuse(*relation, "materialized views");
        if (statement.locks_rows) locker.lock(*relation);
    }
}

}  // namespace northstar::inline v0::sql
