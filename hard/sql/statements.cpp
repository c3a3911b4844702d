#include "hard/sql/statements.hpp"

#include <regex>

namespace northstar::hard {

namespace {

const char* name_of(ColumnType type) {
    switch (type) {
        case ColumnType::integer: return "int";
        case ColumnType::bigint: return "bigint";
        case ColumnType::numeric: return "numeric(12,3)";
        case ColumnType::text: return "text";
        case ColumnType::boolean: return "boolean";
        case ColumnType::date: return "date";
    }
    return "";
}

constexpr ColumnType k_types[] = {ColumnType::integer, ColumnType::bigint,  ColumnType::numeric,
                                  ColumnType::text,    ColumnType::boolean, ColumnType::date};

bool is_number(ColumnType type) {
    return type == ColumnType::integer || type == ColumnType::bigint || type == ColumnType::numeric;
}

// Nothing else looks like the name of a column. Terms have one: PostgreSQL 15 takes a constant in ROLLUP for no group.
const std::regex k_column("\\b(c[0-9]+|id)\\b");

std::string joined(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? std::string() : std::string(between)) + part;
    return text;
}

}  // namespace

std::string Statements::literal(ColumnType type) {
    if (random_.chance(1, 10)) return std::string("CAST(NULL AS ") + name_of(type) + ")";
    const auto digits = [&](std::uint64_t most) { return std::to_string(random_.below(most)); };
    switch (type) {
        case ColumnType::integer:
            return random_.chance(1, 20) ? "2147483647" : (random_.chance(1, 3) ? "(-" + digits(10) + ")" : digits(10));
        case ColumnType::bigint:
            return "CAST(" + (random_.chance(1, 20) ? std::string("9223372036854775807") : digits(10)) + " AS bigint)";
        case ColumnType::numeric: return "CAST(" + digits(20) + "." + digits(10) + " AS numeric(12,3))";
        case ColumnType::text: {
            static constexpr const char* k_words[] = {"''", "'a'", "'A'", "'ab'", "'b%'", "'zz'", "' a '", "'_'"};
            return k_words[random_.below(std::size(k_words))];
        }
        case ColumnType::boolean: return random_.chance(1, 2) ? "true" : "false";
        case ColumnType::date: return "DATE '2020-0" + std::to_string(1 + random_.below(3)) + "-1" + digits(10) + "'";
    }
    return "NULL";
}

std::vector<std::string> Statements::schema() {
    std::vector<std::string> statements;
    const std::size_t count = 2 + random_.below(2);
    for (std::size_t t = 0; t < count; ++t) {
        RandomTable table;
        table.name = "t" + std::to_string(t);
        std::vector<std::string> columns = {"id int PRIMARY KEY"};
        table.columns.push_back({"id", ColumnType::integer});
        const std::size_t width = 2 + random_.below(4);
        for (std::size_t c = 0; c < width; ++c) {
            const RandomColumn column{"c" + std::to_string(c), k_types[random_.below(std::size(k_types))]};
            columns.push_back(column.name + " " + name_of(column.type));
            table.columns.push_back(column);
        }
        statements.push_back("CREATE TABLE " + table.name + " (" + joined(columns, ", ") + ")");
        if (random_.chance(2, 3)) {
            const RandomColumn& column = table.columns[1 + random_.below(width)];
            statements.push_back("CREATE INDEX ON " + table.name + " (" + column.name +
                                 (random_.chance(1, 3) ? " DESC" : "") + ")");
        }
        if (random_.chance(1, 2)) statements.push_back(index_of_terms(table));
        std::vector<std::string> rows;
        // Some tables have so many rows that indexes are worth it.
        const std::size_t size = random_.chance(1, 5) ? 60 + random_.below(60) : random_.below(25);
        for (std::size_t r = 0; r < size; ++r) {
            std::vector<std::string> values = {std::to_string(r)};
            for (std::size_t c = 0; c < width; ++c) values.push_back(literal(table.columns[c + 1].type));
            rows.push_back("(" + joined(values, ", ") + ")");
        }
        if (!rows.empty()) statements.push_back("INSERT INTO " + table.name + " VALUES " + joined(rows, ", "));
        tables_.push_back(std::move(table));
    }
    return statements;
}

std::string Statements::index_of_terms(RandomTable& table) {
    const std::vector<Reference> columns = references(table, "");
    const RandomColumn& column = table.columns[1 + random_.below(table.columns.size() - 1)];
    std::string key = column.name;
    if (random_.chance(1, 2)) {
        const ColumnType type = k_types[random_.below(std::size(k_types))];
        const std::string expression = value(columns, type, 1);
        if (std::regex_search(expression, k_column)) {
            key = "(" + expression + ")";
            table.terms.push_back({key, type});
        }
    }
    std::string where;
    if (random_.chance(2, 3)) {
        const std::string holds = condition(columns, 0);
        if (std::regex_search(holds, k_column)) table.terms.push_back({holds, ColumnType::boolean});
        where = " WHERE " + holds;
    }
    return "CREATE INDEX ON " + table.name + " (" + key + (random_.chance(1, 3) ? " DESC" : "") + ")" + where;
}

std::vector<Reference> Statements::references(const RandomTable& table, const std::string& alias) {
    const std::string prefix = alias.empty() ? alias : alias + ".";
    std::vector<Reference> all;
    for (const RandomColumn& column : table.columns) all.push_back({prefix + column.name, column.type});
    for (const RandomColumn& term : table.terms)
        all.push_back({std::regex_replace(term.name, k_column, prefix + "$1"), term.type});
    return all;
}

std::string Statements::value(const std::vector<Reference>& columns, ColumnType type, int depth) {
    std::vector<std::string> fitting;
    for (const Reference& column : columns)
        if (column.type == type) fitting.push_back(column.text);
    if (depth == 0 || random_.chance(1, 3))
        return fitting.empty() || random_.chance(1, 4) ? literal(type) : fitting[random_.below(fitting.size())];
    const auto part = [&](ColumnType of) { return value(columns, of, depth - 1); };
    if (random_.chance(1, 6))
        return "CASE WHEN " + condition(columns, depth - 1) + " THEN " + part(type) + " ELSE " + part(type) + " END";
    if (random_.chance(1, 6)) return "COALESCE(" + part(type) + ", " + part(type) + ")";
    if (random_.chance(1, 10)) return "NULLIF(" + part(type) + ", " + part(type) + ")";
    if (random_.chance(1, 10)) return "GREATEST(" + part(type) + ", " + part(type) + ")";
    if (is_number(type)) {
        static constexpr const char* k_operators[] = {" + ", " - ", " * "};
        if (random_.chance(1, 6)) return "abs(" + part(type) + ")";
        if (random_.chance(1, 8)) return "(- " + part(type) + ")";
        if (type == ColumnType::integer && random_.chance(1, 6)) return "length(" + part(ColumnType::text) + ")";
        return "(" + part(type) + k_operators[random_.below(3)] + part(type) + ")";
    }
    switch (type) {
        case ColumnType::text:
            switch (random_.below(5)) {
                case 0: return "upper(" + part(type) + ")";
                case 1: return "(" + part(type) + " || " + part(type) + ")";
                case 2: return "substr(" + part(type) + ", 1, 2)";
                case 3: return "replace(" + part(type) + ", 'a', 'x')";
                default: return "CAST(" + part(ColumnType::integer) + " AS text)";
            }
        case ColumnType::boolean: return "(" + condition(columns, depth - 1) + ")";
        case ColumnType::date: return "(" + part(type) + " + " + std::to_string(random_.below(40)) + ")";
        default: return literal(type);
    }
}

std::string Statements::condition(const std::vector<Reference>& columns, int depth) {
    const auto inner = [&] { return condition(columns, depth - 1); };
    if (depth > 0) {
        switch (random_.below(8)) {
            case 0: return "(" + inner() + " AND " + inner() + ")";
            case 1: return "(" + inner() + " OR " + inner() + ")";
            case 2: return "(NOT " + inner() + ")";
            case 3: {
                const RandomTable& table = any_table();
                const std::string alias = "s" + std::to_string(next_alias_++);
                std::vector<Reference> all = columns;
                for (Reference& reference : references(table, alias)) all.push_back(std::move(reference));
                return std::string(random_.chance(1, 3) ? "NOT " : "") + "EXISTS (SELECT 1 FROM " + table.name + " " +
                       alias + " WHERE " + condition(all, depth - 1) + ")";
            }
            case 4: {
                const RandomTable& table = any_table();
                const RandomColumn& column = table.columns[random_.below(table.columns.size())];
                return "(" + value(columns, column.type, 1) + (random_.chance(1, 2) ? " IN" : " NOT IN") + " (SELECT " +
                       column.name + " FROM " + table.name + "))";
            }
            default: break;
        }
    }
    const ColumnType type = k_types[random_.below(std::size(k_types))];
    if (type == ColumnType::boolean && random_.chance(1, 2)) return value(columns, type, 0);
    const std::string left = value(columns, type, 1);
    switch (random_.below(8)) {
        case 0: return "(" + left + (random_.chance(1, 2) ? " IS NULL" : " IS NOT NULL") + ")";
        case 1: return "(" + left + " BETWEEN " + value(columns, type, 1) + " AND " + value(columns, type, 1) + ")";
        case 2: return one_of(left, type, columns);
        case 3: return "(" + left + " IS DISTINCT FROM " + value(columns, type, 1) + ")";
        case 4:
            if (type == ColumnType::text) return "(" + left + " LIKE " + literal(type) + ")";
            [[fallthrough]];
        default: {
            static constexpr const char* k_operators[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
            return "(" + left + k_operators[random_.below(6)] + value(columns, type, 1) + ")";
        }
    }
}

std::string Statements::one_of(const std::string& left, ColumnType type, const std::vector<Reference>& columns) {
    std::vector<std::string> values{literal(type)};
    while (random_.chance(1, 2)) values.push_back(random_.chance(1, 6) ? "NULL" : literal(type));
    const std::string list = joined(values, ", ");
    switch (random_.below(5)) {
        case 0: return "(" + left + " IN (" + list + ", " + value(columns, type, 1) + "))";
        case 1: return "(" + left + " = ANY (ARRAY[" + list + "]))";
        case 2: return "(" + left + " <> ALL (ARRAY[" + list + "]))";
        case 3: return "(" + left + " = " + joined(values, (" OR " + left + " = ").c_str()) + ")";
        default: return "(" + left + (random_.chance(1, 3) ? " NOT" : "") + " IN (" + list + "))";
    }
}

std::string Statements::from(std::vector<Reference>& columns) {
    std::string text;
    const std::size_t count = 1 + random_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
        const RandomTable& table = any_table();
        const std::string alias = "r" + std::to_string(next_alias_++);
        const std::vector<Reference> own = references(table, alias);
        const std::string item = table.name + " " + alias;
        if (i == 0) {
            text = item;
            columns = own;
            continue;
        }
        std::vector<Reference> all = columns;
        all.insert(all.end(), own.begin(), own.end());
        static constexpr const char* k_joins[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " JOIN "};
        // FULL JOIN wants conditions that PostgreSQL can hash or merge.
        if (random_.chance(1, 8)) {
            text += " FULL JOIN " + item + " ON " + columns[0].text + " = " + own[0].text;
        } else {
            text += k_joins[random_.below(4)] + item + " ON " +
                    (random_.chance(1, 2) ? columns[0].text + " = " + own[0].text : condition(all, 1));
        }
        columns = std::move(all);
    }
    return text;
}

std::string Statements::select(std::size_t width, std::vector<ColumnType>& types) {
    std::vector<Reference> columns;
    const std::string source = from(columns);
    std::vector<std::string> targets;
    for (std::size_t i = 0; i < width; ++i) {
        if (types.size() <= i) types.push_back(k_types[random_.below(std::size(k_types))]);
        targets.push_back(value(columns, types[i]));
    }
    return std::string("SELECT ") + (random_.chance(1, 5) ? "DISTINCT " : "") + joined(targets, ", ") + " FROM " +
           source + (random_.chance(3, 4) ? " WHERE " + condition(columns) : std::string());
}

std::string Statements::grouped() {
    std::vector<Reference> columns;
    const std::string source = from(columns);
    std::vector<std::string> groups, targets;
    const std::size_t count = random_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
        groups.push_back(columns[random_.below(columns.size())].text);
        targets.push_back(groups.back());
    }
    const auto aggregate = [&]() -> std::string {
        const ColumnType type = k_types[random_.below(std::size(k_types))];
        const std::string distinct = random_.chance(1, 4) ? "DISTINCT " : "";
        const std::string filter =
            random_.chance(1, 5) ? " FILTER (WHERE " + condition(columns, 1) + ")" : std::string();
        switch (random_.below(5)) {
            case 0: return "count(*)" + filter;
            case 1: return "count(" + distinct + value(columns, type, 1) + ")" + filter;
            case 2: return "sum(" + distinct + value(columns, ColumnType::numeric, 1) + ")" + filter;
            case 3:
                return type == ColumnType::boolean ? "bool_or(" + value(columns, type, 1) + ")" + filter
                                                   : "min(" + value(columns, type, 1) + ")" + filter;
            default:
                return type == ColumnType::boolean ? "bool_and(" + value(columns, type, 1) + ")" + filter
                                                   : "max(" + value(columns, type, 1) + ")" + filter;
        }
    };
    for (std::size_t i = 0, n = 1 + random_.below(2); i < n; ++i) targets.push_back(aggregate());
    std::string text = "SELECT " + joined(targets, ", ") + " FROM " + source +
                       (random_.chance(1, 2) ? " WHERE " + condition(columns, 2) : std::string());
    if (!groups.empty())
        text += random_.chance(1, 5) ? " GROUP BY ROLLUP (" + joined(groups, ", ") + ")"
                                     : " GROUP BY " + joined(groups, ", ");
    if (random_.chance(1, 4)) text += " HAVING count(*) > " + std::to_string(random_.below(4));
    return text;
}

std::string Statements::windowed() {
    std::vector<Reference> columns;
    const std::string source = from(columns);
    const std::string partition = random_.chance(1, 3) ? "1" : columns[random_.below(columns.size())].text;
    // Peers decide by all columns, so that every function has one answer.
    std::vector<std::string> order;
    for (const Reference& column : columns) order.push_back(column.text);
    static constexpr const char* k_functions[] = {"row_number()", "rank()", "dense_rank()", "ntile(3)"};
    if (random_.chance(1, 2))
        return "SELECT " + columns[0].text + ", " + k_functions[random_.below(4)] + " OVER (PARTITION BY " + partition +
               " ORDER BY " + joined(order, ", ") + ") FROM " + source;
    // Sums of numbers, the least and the greatest are the same whatever order equal rows come in, of whole peers.
    static constexpr const char* k_aggregates[] = {"sum", "avg", "min", "max", "count"};
    const ColumnType type = random_.chance(1, 2) ? ColumnType::numeric : ColumnType::integer;
    const std::string call = std::string(k_aggregates[random_.below(5)]) + "(" + value(columns, type, 1) + ")" +
                             (random_.chance(1, 4) ? " FILTER (WHERE " + condition(columns, 0) + ")" : std::string());
    return "SELECT " + columns[0].text + ", " + call + " OVER (PARTITION BY " + partition + " ORDER BY " +
           joined(order, ", ") + frame() + ") FROM " + source;
}

std::string Statements::frame() {
    if (random_.chance(1, 4)) return "";
    static constexpr const char* k_begins[] = {" PRECEDING", " PRECEDING", " FOLLOWING"};
    const std::string begin =
        random_.chance(1, 6) ? "UNBOUNDED PRECEDING" : std::to_string(random_.below(4)) + k_begins[random_.below(3)];
    const std::string end = random_.chance(1, 4) ? "CURRENT ROW" : std::to_string(random_.below(4)) + " FOLLOWING";
    if (end == "CURRENT ROW" && begin.find("FOLLOWING") != std::string::npos) return "";
    static constexpr const char* k_omissions[] = {" EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"};
    return std::string(random_.chance(1, 3) ? " GROUPS" : " ROWS") + " BETWEEN " + begin + " AND " + end +
           (random_.chance(1, 6) ? k_omissions[random_.below(3)] : "");
}

/// The first rows in some order, or of each value the first one. Behind the keys all columns decide, so that rows of
/// which one is cut off and another is not differ in nothing.
std::string Statements::first_rows() {
    static constexpr const char* k_directions[] = {"", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"};
    std::vector<Reference> columns;
    const std::string source = from(columns) + (random_.chance(1, 2) ? " WHERE " + condition(columns, 1) : "");
    std::vector<std::string> all, keys;
    for (const Reference& column : columns) all.push_back(column.text);
    for (std::uint64_t k = 1 + random_.below(3); k > 0; --k)
        keys.push_back(all[random_.below(all.size())] + k_directions[random_.below(5)]);
    const std::string rest = ", " + joined(all, ", ");
    if (random_.chance(1, 4)) {
        const std::string of = all[random_.below(all.size())];
        return "SELECT DISTINCT ON (" + of + ") " + joined(all, ", ") + " FROM " + source + " ORDER BY " + of +
               k_directions[random_.below(5)] + ", " + joined(keys, ", ") + rest;
    }
    return "SELECT " + joined(all, ", ") + " FROM " + source + " ORDER BY " + joined(keys, ", ") + rest + " LIMIT " +
           std::to_string(1 + random_.below(5)) +
           (random_.chance(1, 4) ? " OFFSET " + std::to_string(random_.below(30)) : "");
}

std::string Statements::query() {
    switch (random_.below(10)) {
        case 0:
        case 1: return grouped();
        case 2: return windowed();
        case 3: {
            static constexpr const char* k_operations[] = {" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "};
            std::vector<ColumnType> types;
            const std::string left = select(2, types);
            return "(" + left + ")" + k_operations[random_.below(4)] + "(" + select(2, types) + ")";
        }
        case 4: {
            std::vector<ColumnType> types;
            return select(2, types) + " ORDER BY 1, 2 LIMIT " + std::to_string(random_.below(6));
        }
        case 5: {
            std::vector<ColumnType> types;
            const std::string inner = select(2, types) + " ORDER BY 1, 2 LIMIT 100";
            return "WITH w (x, y) AS (" + inner + ") SELECT a.x, b.y FROM w a JOIN w b ON a.x = b.x";
        }
        case 6:
        case 7: return first_rows();
        default: {
            std::vector<ColumnType> types;
            return select(1 + random_.below(3), types);
        }
    }
}

std::string Statements::change() {
    const RandomTable& table = any_table();
    const std::vector<Reference> columns = references(table, table.name);
    const RandomColumn& column = table.columns[1 + random_.below(table.columns.size() - 1)];
    switch (random_.below(3)) {
        case 0:
            return "UPDATE " + table.name + " SET " + column.name + " = " + value(columns, column.type) + " WHERE " +
                   condition(columns, 2);
        case 1: return "DELETE FROM " + table.name + " WHERE " + condition(columns, 2) + " AND id > 10";
        default:
            return "INSERT INTO " + table.name + " (id, " + column.name + ") SELECT id + 100, " +
                   value(columns, column.type) + " FROM " + table.name + " WHERE " + condition(columns, 1) +
                   " ON CONFLICT (id) DO UPDATE SET " + column.name + " = excluded." + column.name;
    }
}

}  // namespace northstar::hard
