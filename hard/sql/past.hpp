// past.hpp -- whether the past is answered as it was when it was the present: AS OF, versions, differences, REVERT.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/judge.hpp"

#include <map>
#include <vector>

namespace northstar::hard {

class Past {
public:
    explicit Past(std::uint64_t seed);
    const Judge& run();

private:
    /// What all queries answer now, under the number of the newest commit.
    void keep();
    void ask_again();
    void ask_versions();
    void ask_differences();
    void revert();
    void check(const std::string& query, const Answer& then, const Answer& now);
    std::uint64_t any_commit();

    Grammar grammar_;
    detail::Random random_;
    Judge judge_;
    std::map<std::uint64_t, std::vector<Answer>> answers_;
};

}  // namespace northstar::hard
