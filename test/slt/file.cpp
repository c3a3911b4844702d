#include "slt/file.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace slt {

namespace {

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) {
        if (word[0] == '#') break;
        words.push_back(word);
    }
    return words;
}

/// "30 values hashing to 3c13..."; true if the line is of that form.
bool read_hash(const std::string& line, Record& record) {
    const auto at = line.find(" values hashing to ");
    if (at == std::string::npos) return false;
    record.hashed_values = static_cast<std::size_t>(std::strtoull(line.c_str(), nullptr, 10));
    record.hash = line.substr(at + 19);
    return true;
}

}  // namespace

std::vector<Record> parse(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(line);
    }
    std::vector<Record> records;
    bool skip = false;
    for (std::size_t i = 0; i < lines.size();) {
        const std::vector<std::string> words = words_of(lines[i]);
        if (words.empty() || lines[i][0] == '#') {
            ++i;
            continue;
        }
        if (words[0] == "skipif" || words[0] == "onlyif") {
            const bool ours = words.size() > 1 && words[1] == "postgresql";
            skip = skip || (words[0] == "skipif" ? ours : !ours);
            ++i;
            continue;
        }
        if (words[0] == "halt") {
            if (!skip) break;
            skip = false;
            ++i;
            continue;
        }
        if (words[0] != "statement" && words[0] != "query") {
            skip = false;
            ++i;  // hash-threshold and other settings of the original runner
            continue;
        }
        Record record;
        record.line = i + 1;
        record.query = words[0] == "query";
        if (record.query) {
            record.types = words.size() > 1 ? words[1] : "";
            const std::string sort = words.size() > 2 ? words[2] : "nosort";
            record.sort = sort == "rowsort" ? Sort::rows : sort == "valuesort" ? Sort::values : Sort::none;
        } else {
            record.expect_error = words.size() > 1 && words[1] == "error";
            if (record.expect_error && words.size() > 2) record.state = words[2];
        }
        for (++i; i < lines.size() && !lines[i].empty() && !(record.query && lines[i] == "----"); ++i) {
            if (!record.sql.empty()) record.sql += '\n';
            record.sql += lines[i];
        }
        if (record.query && i < lines.size() && lines[i] == "----")
            for (++i; i < lines.size() && !lines[i].empty(); ++i)
                if (!(record.expected.empty() && read_hash(lines[i], record))) record.expected.push_back(lines[i]);
        if (!skip) records.push_back(std::move(record));
        skip = false;
    }
    return records;
}

std::vector<Record> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be read");
    return parse({std::istreambuf_iterator<char>(file), {}});
}

}  // namespace slt
