// replica.hpp -- what a statement told, and a second database in memory where statements run once more, alone.
#pragma once

#include "northstar.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace northstar::hard {

/// All that a statement told: an SQLSTATE, or the tag and the rows in an order of their own.
struct Told {
    std::string state;  ///< empty: it succeeded
    std::string message;
    std::string tag;
    std::vector<std::string> rows;  ///< led by the names and types of the columns
    Txn txn = 0;                    ///< commit that it made; 0: none

    bool failed() const { return !state.empty(); }
    /// Whether both told the same. Messages and numbers of commits do not count.
    bool same_as(const Told& other) const {
        return state == other.state && tag == other.tag && rows == other.rows;
    }
    /// In a line, for people.
    std::string line() const;
};

Told told_by(SqlConnection& connection, const std::string& statement);

/// How often each kind of event happened. One that never did fails a run of many rounds.
using Events = std::map<std::string, std::uint64_t>;

class Replica {
public:
    Replica();
    Told run(const std::string& statement) { return told_by(connection_, statement); }

private:
    Database database_;
    SqlConnection connection_;
};

/// A database in memory that works in the foreground, so that the same statements do the same.
Database open_in_memory();

}  // namespace northstar::hard
