#include "hard/sql/picture.hpp"

#include "base/xxh64.hpp"

#include <cstdint>
#include <cstdio>

namespace northstar::hard {

namespace {

/// First column: what it is of; the others are joined.
void add(Picture& picture, const char* kind, const SqlResult& result) {
    for (const auto& row : result.rows) {
        std::string& line = picture[std::string(kind) + " " + row.at(0).value_or("?")];
        for (std::size_t i = 1; i < row.size(); ++i) line += row[i].value_or("-") + " ";
    }
}

std::string rows_of(SqlConnection& sql, const std::string& table) {
    const SqlResult rows = sql.execute("SELECT t::text FROM " + table + " t ORDER BY 1");
    std::uint64_t sum = 0;
    for (const auto& row : rows.rows) {
        const std::string text = row.at(0).value_or("-");
        sum = detail::xxh64(text.data(), text.size(), sum);
    }
    char line[60];
    std::snprintf(line, sizeof line, "%zu rows, %016llx", rows.rows.size(), static_cast<unsigned long long>(sum));
    return line;
}

}  // namespace

Picture picture_of(SqlConnection& sql) {
    Picture picture;
    add(picture, "column",
        sql.execute("SELECT c.relname || '.' || a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), "
                    "a.attnotnull, pg_get_expr(d.adbin, d.adrelid) "
                    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
                    "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 "
                    "AND NOT a.attisdropped"));
    add(picture, "constraint",
        sql.execute("SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"));
    add(picture, "index", sql.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"));
    add(picture, "view", sql.execute("SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'"));
    const SqlResult tables = sql.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace");
    for (const auto& row : tables.rows) picture["table " + *row.at(0)] = rows_of(sql, *row[0]);
    return picture;
}

std::string difference(const Picture& found, const Picture& wanted) {
    std::string text;
    for (const auto& [name, line] : wanted) {
        const auto there = found.find(name);
        if (there == found.end()) text += "; " + name + " is missing";
        else if (there->second != line) text += "; " + name + " is " + there->second + ", not " + line;
    }
    for (const auto& [name, line] : found) {
        if (wanted.count(name) == 0) text += "; there is " + name;
    }
    return text;
}

}  // namespace northstar::hard
