#include "hard/sql/replica.hpp"

#include <algorithm>

namespace northstar::hard {

Database open_in_memory() {
    Options options;
    options.background = false;
    return Database::open(":memory:", options);
}

Replica::Replica() : database_(open_in_memory()), connection_(database_) {}

std::string Told::line() const {
    if (failed()) return state + ": " + message;
    std::string text = tag;
    for (std::size_t i = 1; i < rows.size(); ++i) text += (i == 1 ? ": " : " ") + rows[i];
    return text;
}

Told told_by(SqlConnection& connection, const std::string& statement) {
    Told told;
    try {
        const SqlResult result = connection.execute(statement);
        told.tag = result.tag;
        told.txn = result.txn;
        if (!result.has_rows) return told;
        for (const auto& row : result.rows) {
            std::string line = "(";
            for (const SqlValue& value : row) line += (line.size() > 1 ? "," : "") + value.value_or("NULL");
            told.rows.push_back(line + ")");
        }
        std::sort(told.rows.begin(), told.rows.end());
        std::string columns;
        for (const SqlColumn& column : result.columns) columns += column.name + " " + column.type + ",";
        told.rows.insert(told.rows.begin(), columns);
    } catch (const SqlFailure& failure) {
        told.state = failure.sqlstate;
        told.message = failure.what();
    }
    return told;
}

}  // namespace northstar::hard
