#include "slt/run.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace slt {

namespace {

std::string render(const northstar::SqlValue& value, char type, bool classic) {
    if (!value) return "NULL";
    if (value->empty()) return "(empty)";
    if (!classic) return *value;
    if (type == 'I') {
        const double number = std::strtod(value->c_str(), nullptr);
        if (value->find_first_of(".eE") != std::string::npos)
            return std::to_string(static_cast<long long>(number));
        if (*value == "t") return "1";
        if (*value == "f") return "0";
        if (value->find_first_not_of("-0123456789") != std::string::npos) return "0";
        return *value;
    }
    if (type == 'R') {
        char text[64];
        std::snprintf(text, sizeof text, "%.3f", std::strtod(value->c_str(), nullptr));
        return text;
    }
    std::string out;
    for (const char c : *value) out.push_back(c >= ' ' && c <= '~' ? c : '@');
    return out;
}

/// Equal texts, or equal numbers where both are numbers.
bool same(const std::string& a, const std::string& b) {
    if (a == b) return true;
    char *end_a = nullptr, *end_b = nullptr;
    const double x = std::strtod(a.c_str(), &end_a);
    const double y = std::strtod(b.c_str(), &end_b);
    if (*end_a != '\0' || *end_b != '\0' || a.empty() || b.empty()) return false;
    return a.find_first_of(".eE") != std::string::npos &&
           std::fabs(x - y) <= 1e-9 * std::max(std::fabs(x), std::fabs(y));
}

std::string check(const Record& record, const northstar::SqlResult& result, bool classic) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : result.rows) {
        rows.emplace_back();
        for (std::size_t c = 0; c < row.size(); ++c)
            rows.back().push_back(render(row[c], c < record.types.size() ? record.types[c] : 'T', classic));
    }
    if (record.sort == Sort::rows) std::sort(rows.begin(), rows.end());
    std::vector<std::string> values;
    for (auto& row : rows)
        for (std::string& value : row) values.push_back(std::move(value));
    if (record.sort == Sort::values) std::sort(values.begin(), values.end());
    if (!record.hash.empty()) {
        if (values.size() != record.hashed_values)
            return "expected " + std::to_string(record.hashed_values) + " values, got " + std::to_string(values.size());
        std::string all;
        for (const std::string& value : values) all += value + "\n";
        return md5(all) == record.hash ? "" : "the values hash to something else";
    }
    // A value of several lines stands in the file as several lines.
    std::vector<std::string> lines;
    for (const std::string& value : values) {
        std::size_t begin = 0;
        for (std::size_t end; (end = value.find('\n', begin)) != std::string::npos; begin = end + 1)
            lines.push_back(value.substr(begin, end - begin));
        lines.push_back(value.substr(begin));
    }
    if (lines.size() != record.expected.size())
        return "expected " + std::to_string(record.expected.size()) + " values, got " + std::to_string(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (!same(record.expected[i], lines[i]))
            return "value " + std::to_string(i + 1) + ": expected " + record.expected[i] + ", got " + lines[i];
    return "";
}

/// A record may hold several statements; the answer is that of the last one.
northstar::SqlResult execute(northstar::SqlConnection& connection, const std::string& text) {
    const std::size_t end = text.find(';');
    const bool several = end != std::string::npos && text.find_first_not_of("; \t\r\n", end) != std::string::npos;
    if (!several) return connection.execute(text);
    std::vector<northstar::SqlResult> results = connection.simple_query(text);
    return results.empty() ? northstar::SqlResult() : std::move(results.back());
}

/// Empty: as expected.
std::string run(northstar::SqlConnection& connection, const Record& record, bool classic) {
    northstar::SqlResult result;
    try {
        result = execute(connection, record.sql);
    } catch (const northstar::SqlFailure& failure) {
        if (record.expect_error && (record.state.empty() || record.state == failure.sqlstate)) return "";
        return (record.expect_error ? "expected " + record.state + ", got " : std::string("failed with ")) +
               failure.sqlstate + ": " + failure.what();
    }
    if (record.expect_error) return "expected an error " + record.state;
    return record.query ? check(record, result, classic) : "";
}

}  // namespace

Outcome run_file(const std::string& path, const RunOptions& options) {
    northstar::Options open;
    open.background = false;
    northstar::Database database = northstar::Database::open(":memory:", open);
    northstar::SqlConnection connection(database);
    if (!options.setup.empty())
        for (const Record& record : read_file(options.setup)) run(connection, record, options.classic);
    Outcome outcome;
    for (const Record& record : read_file(path)) {
        const std::string wrong = run(connection, record, options.classic);
        const bool counts = record.query || record.expect_error || options.count_statements_ok;
        if (options.left_out.count(record.line) != 0 || (!counts && wrong.empty())) continue;
        if (wrong.empty()) {
            ++outcome.passed;
            continue;
        }
        if (counts) ++outcome.failed;
        if (outcome.failures.size() < options.most_failures)
            outcome.failures.push_back(path + ":" + std::to_string(record.line) + ": " + wrong + "\n    " +
                                       record.sql.substr(0, 300));
    }
    return outcome;
}

std::map<std::string, std::set<std::size_t>> read_divergence(const std::string& path) {
    std::map<std::string, std::set<std::size_t>> divergence;
    std::ifstream list(path);
    for (std::string line; std::getline(list, line);) {
        std::istringstream fields(line);
        std::string file;
        std::size_t number = 0;
        if (fields >> file >> number) divergence[file].insert(number);
    }
    return divergence;
}

}  // namespace slt
