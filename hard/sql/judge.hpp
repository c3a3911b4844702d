// judge.hpp -- a database in memory, a PostgreSQL server beside it where there is one, and whether they answer alike.
//
// A statement that fails by its data (class 22) on one side alone says nothing: plans may leave expressions out.
// Findings are printed with the statements that lead to them.
#pragma once

#include "hard/sql/recorder.hpp"
#include "hard/sql/server.hpp"
#include "northstar.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace northstar::hard {

/// What a round has beside Northstar.
struct Beside {
    Server* server = nullptr;  ///< null: there is none
    std::string records;       ///< the folder for what both answered alike; empty: it is not recorded
};

class Judge {
public:
    /// The schema of the server is emptied.
    Judge(std::string kind, std::uint64_t seed, const Beside& beside);

    /// What Northstar answers, without judging it.
    Answer ask(const std::string& statement);
    /// A statement that changes something, on both sides. Whether Northstar carried it out.
    bool change(const std::string& statement);
    /// The same for one that may fail: both must fail alike, with equal rows of RETURNING.
    void attempt(const std::string& statement);
    /// The same for one that several things may be wrong with: which of them is told nobody says.
    void attempt_any_failure(const std::string& statement);
    /// A query on both sides, in whatever order its rows come.
    void compare(const std::string& query);
    /// The same for one that a grammar made: it may be refused, by both alike.
    void compare_made(const std::string& query);
    /// A query that nothing is left out of: it fails alike as well.
    void compare_failures(const std::string& query);
    /// A query of which failures say nothing, but for those inside of the engine.
    void compare_answers(const std::string& query);
    /// Two queries that must have equal rows here.
    void same_rows(const char* oracle, const std::string& one, const std::string& other);
    void finding(const std::string& oracle, const std::string& what, const std::vector<std::string>& queries);
    /// A failure that is none of the data's is a finding.
    bool is_wrong(const Answer& answer, const char* oracle, const std::string& query);

    /// A statement that was carried out here alone.
    void changed_alone(const std::string& statement) {
        history_.push_back(statement);
        part();
    }
    SqlConnection& connection() { return connection_; }
    Database& database() { return database_; }
    bool has_server() const { return server_ != nullptr; }
    int findings() const { return findings_; }
    std::uint64_t judged() const { return judged_; }
    void count() { ++judged_; }

private:
    void attempt(const std::string& statement, bool any_failure);
    enum class Excuse : std::uint8_t { nothing, data, failure };
    void judge(const Answer& ours, const std::string& query, Excuse excuse);
    /// Rows that differ are a finding.
    bool rows_agree(const Answer& ours, const Answer& theirs, const std::string& query);
    /// What both sides have is not the same any more.
    void part() {
        server_ = nullptr;
        recorder_.reset();
    }

    std::string kind_;
    std::uint64_t seed_;
    Server* server_;
    std::unique_ptr<Recorder> recorder_;
    Database database_;
    SqlConnection connection_;
    std::vector<std::string> history_;
    int findings_ = 0;
    std::uint64_t judged_ = 0;
};

/// Whether a statement failed by its data.
bool by_data(const Answer& answer);

}  // namespace northstar::hard
