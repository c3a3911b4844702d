// regex_run.hpp -- one search of a regular expression: the text, what its groups have taken, and how much was done for
// it.  Layer: sql.  Threads: one.
#pragma once

#include "sql/regex.hpp"

namespace northstar::inline v0::sql {

struct Regex::Run {
    const RegexText& text;
    std::vector<RegexGroup>& groups;
    std::size_t steps = 0;
    std::size_t tried = 0;  ///< places of the program that ends_of() and reaches() looked at, for who counts them

    /// Raises 54001 where it was too much. [REGEX-2]
    void work(std::size_t done);
};

}  // namespace northstar::inline v0::sql
