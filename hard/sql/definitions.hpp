// definitions.hpp -- tables that are defined and changed in every way while they hold rows, and what all their past
// states answer later.
//
// Behind each commit a picture is taken: rows, columns and types of every relation, look-ups through its columns, and
// the catalog. From then on, in four spellings of AS OF and from a session that kept plans as well as from a new one:
//   * pictures: a past state answers as it did when it was the present.
//   * versions: those that stood at a commit are the rows of that state, in the columns that are the same today.
//   * changes: what diff() and changes() tell leads from the rows of one state to those of another; history() tells of
//     a row what changes() does; the values that blame() tells of are those of the row, and were there at its commits.
//   * REVERT TABLE brings back the rows of a state, or says that a constraint or a type is in its way.
//   * verify_sql finds nothing.
// A PostgreSQL server must carry out or refuse the same definitions and changes, where there is one.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/judge.hpp"
#include "hard/sql/replica.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace northstar::hard {

class Definitions {
public:
    static Events no_events();

    Definitions(std::uint64_t seed, const Beside& beside, Events& events);
    const Judge& run();

private:
    using Picture = std::vector<std::pair<std::string, Told>>;  ///< queries, and what they told

    void step(bool& in_block, bool reverts);
    void take_picture();
    void ask_again();
    void compare_versions();
    void compare_differences();
    void compare_changes();
    void compare_history();
    void compare_blame();
    void revert();
    /// Rows of `query` in the present.
    std::vector<std::string> rows_of(const std::string& query);
    /// A table of the present that was the same object at both commits; empty: there is none. `columns` are those that
    /// have one name and one type at both and today; types that may have changed are left out.
    std::string table_since(Txn one, Txn other, std::vector<std::string>& columns);
    /// A table of today with a primary key of one column, and that column; empty: none was met.
    std::pair<std::string, std::string> keyed_table();
    /// The columns as one jsonb, of a row or of `source` that is one.
    static std::string as_object(const std::vector<std::string>& columns, const std::string& source);
    void expect_no_rows(const char* oracle, const std::string& query);
    Txn any_commit();
    std::string make(const std::string& rule) { return grammar_.make(rule, random_, 3); }
    void count(const std::string& event) { ++events_[event]; }

    Grammar grammar_;
    detail::Random random_;
    Judge judge_;
    Events& events_;
    std::map<Txn, Picture> pictures_;
};

}  // namespace northstar::hard
