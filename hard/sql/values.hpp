// values.hpp -- operators and functions of columns that hold the values at the edges of their types.
//
// Without a server: a condition holds for as many rows in WHERE as it is true for in a select list.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/judge.hpp"

#include <string>

namespace northstar::hard {

class Values {
public:
    Values(std::uint64_t seed, const Beside& beside);
    const Judge& run();

private:
    std::string make(const std::string& rule);
    void count_twice();

    Grammar grammar_;
    detail::Random random_;
    Judge judge_;
};

}  // namespace northstar::hard
