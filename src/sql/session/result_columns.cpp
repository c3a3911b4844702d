#include "sql/session/result_columns.hpp"

namespace northstar::inline v0::sql {

void add_result_column(SqlSession& session, Relation& relation, std::string name, const OutputColumn& result) {
    Column column;
    column.name = std::move(name);
    column.type = result.type;
    column.typmod = result.typmod;
    column.domain = result.declared;
    if (relation.find_column(column.name) >= 0)
        raise(sqlstate::duplicate_column, "column \"" + column.name + "\" specified more than once");
    if (column.type == type::record || column.type == type::void_)
        raise(sqlstate::invalid_table_definition,
              "column \"" + column.name + "\" has pseudo-type " +
                  format_type(column.type, k_no_typmod, session.state().types));
    relation.columns.push_back(std::move(column));
}

}  // namespace northstar::inline v0::sql
