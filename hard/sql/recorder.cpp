#include "hard/sql/recorder.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace northstar::hard {

namespace {

constexpr std::size_t k_most_text = 4000;  // of the rows of one record
constexpr int k_repetitions_for_one = 8;

bool has_line_ends(const std::string& text) { return text.find_first_of("\r\n") != std::string::npos; }

/// The lines behind "----"; nothing where they would not be read as they are, or are too many.
std::optional<std::string> lines_of(const Answer& answer) {
    std::vector<std::vector<std::string>> rows;
    std::size_t size = 0;
    for (const auto& row : answer.rows) {
        rows.emplace_back();
        for (const auto& value : row) {
            rows.back().push_back(!value ? "NULL" : value->empty() ? "(empty)" : *value);
            size += rows.back().back().size() + 1;
            if (has_line_ends(rows.back().back()) || size > k_most_text) return std::nullopt;
        }
    }
    std::sort(rows.begin(), rows.end());
    std::string lines;
    for (const auto& row : rows)
        for (const std::string& value : row) lines += value + "\n";
    return lines;
}

std::optional<std::string> record_of(const std::string& statement, const Answer& answer) {
    if (!answer.state.empty()) return "statement error " + answer.state + "\n" + statement + "\n";
    if (answer.columns == 0) return "statement ok\n" + statement + "\n";
    const std::optional<std::string> lines = lines_of(answer);
    if (!lines) return std::nullopt;
    return "query " + std::string(answer.columns, 'T') + " rowsort\n" + statement + "\n----\n" + *lines;
}

/// Whether it changes rows and nothing else, so that another query of the same rows takes the same way to them.
bool is_of_rows(const std::string& statement) {
    for (const char* word : {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "BEGIN", "SAVEPOINT", "EXECUTE"})
        if (statement.starts_with(word)) return true;
    return false;
}

}  // namespace

Recorder::Recorder(const std::string& folder, const std::string& kind, std::uint64_t seed)
    : path_(folder + "/" + kind + "_" + std::to_string(seed) + ".test"), file_(path_, std::ios::binary) {
    write("# What PostgreSQL 15 answers to statements of sql_oracle_suite, kind " + kind + ", seed " +
          std::to_string(seed) + ".\n# Made by hard/sql/record.sh; not to be edited.\n");
}

void Recorder::query(const std::string& statement, const Answer& answer) {
    const std::optional<std::string> record = record_of(statement, answer);
    if (!record || has_line_ends(statement)) return;
    Told& told = told_[statement];
    // A failure may end a transaction, unless it tells that this has come to pass.
    const bool changes_nothing = answer.state.empty() || answer.state == "25P02";
    if (changes_nothing && told.record == *record && ++told.repetitions % k_repetitions_for_one != 0) return;
    told.record = *record;
    write(*record);
}

void Recorder::change(const std::string& statement, const Answer& answer) {
    if (has_line_ends(statement)) throw std::runtime_error("cannot be recorded: " + statement);
    if (!is_of_rows(statement)) told_.clear();
    write(record_of(statement, answer).value_or("statement ok\n" + statement + "\n"));
}

void Recorder::any_failure(const std::string& statement) { write("statement error\n" + statement + "\n"); }

void Recorder::write(const std::string& record) {
    file_ << record << "\n" << std::flush;
    if (!file_) throw std::runtime_error(path_ + " cannot be written");
}

}  // namespace northstar::hard
