// recorder.hpp -- what PostgreSQL answered in a round, as a sqllogictest file for machines that have no server.
//
// A file has the statements of one round that the judge found to be answered alike, in their order, from an empty
// database on. Rows are sorted, as nothing fixes their order. What is left out changes nothing that comes behind it:
//   * queries with a value that has line ends, or with more text than somebody reads;
//   * failures that depend on the plan, which the judge does not compare either;
//   * most of the repetitions of a query that still answers the same, as nothing but rows changed since.
// A change whose rows cannot be told that way is recorded as one that succeeds.
#pragma once

#include "hard/sql/server.hpp"

#include <cstdint>
#include <fstream>
#include <map>
#include <string>

namespace northstar::hard {

class Recorder {
public:
    /// Begins FOLDER/KIND_SEED.test, in the place of one that is there. Throws where it cannot be written.
    Recorder(const std::string& folder, const std::string& kind, std::uint64_t seed);
    /// A query that changes nothing.
    void query(const std::string& statement, const Answer& answer);
    /// A statement that may change something, or that fails and so may end its transaction.
    void change(const std::string& statement, const Answer& answer);
    /// One that fails, where nobody says with which SQLSTATE.
    void any_failure(const std::string& statement);

private:
    void write(const std::string& record);

    struct Told {
        std::string record;
        int repetitions = 0;
    };

    std::string path_;
    std::ofstream file_;
    std::map<std::string, Told> told_;  ///< queries since something else than rows changed
};

}  // namespace northstar::hard
