// frames.hpp -- window frames of every type, recursion with SEARCH and CYCLE, and changes in WITH and through views.
//
// Without a server: what EXCLUDE leaves out adds up, and a frame is the same read from the other end of the order.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/judge.hpp"

#include <string>

namespace northstar::hard {

class Frames {
public:
    Frames(std::uint64_t seed, const Beside& beside);
    const Judge& run();

private:
    std::string make(const std::string& rule);
    void fill();
    void change();

    Grammar grammar_;
    detail::Random random_;
    Judge judge_;
};

}  // namespace northstar::hard
