// sql_subject.hpp -- a database in memory and a session on it that may be asked anything: what targets of SQL share.
//
// A bounded statement has 20 milliseconds (200 under sanitizers), and a megabyte before it spills. Whatever it was, it
// fails with a SQLSTATE of its own, never with that of an internal error [SQLERR-1]; the session answers afterwards,
// and what it stored agrees with itself.
#pragma once

#include "hard/fuzz/target.hpp"

#include "api/northstar.hpp"

#include <string>
#include <string_view>

namespace northstar::hard {

class SqlSubject {
public:
    /// Runs the script that makes its objects; without bounds yet.
    explicit SqlSubject(const char* schema);

    Database& database() { return database_; }
    SqlConnection& connection() { return connection_; }

    /// "00000", or the SQLSTATE with which it failed. What is none is a finding.
    template <class F>
    std::string outcome(F&& f) {
        try {
            f();
        } catch (const SqlFailure& failure) {
            check(failure);
            return failure.sqlstate;
        }
        return "00000";
    }
    std::string run(std::string_view statement) {
        return outcome([&] { connection_.execute(statement); });
    }
    /// The bounds of time and memory, again behind each statement that may have changed them.
    void bound();
    /// Leaves a block, asks for an answer, and has everything verified.
    void must_be_well();

private:
    static void check(const SqlFailure& failure);

    Database database_;
    SqlConnection connection_;
};

/// Tables, views, types, a sequence and rows that statements of the grammar are about.
extern const char* const k_sql_schema;

}  // namespace northstar::hard
