// grammar.hpp -- random texts of a grammar, for statements of more kinds than code that makes each would be short for.
//
// A grammar is a text of one production a line: the name of its rule, a blank, and what the rule may become. "name*3"
// makes it three times as likely, a production "-" is empty, a line that begins with a blank goes on with the one
// before. In a production
//   {rule}     is a production of that rule, chosen by chance,
//   {1=rule}   is one as well, which {1} repeats within the same production,
//   {@}        is the name of a table that may be used here,
//   {+}        is a new such name, for this production and what it is made of,
//   {&}        is a new one that only those may use who asked for this production by {^rule}: names that come to be
//              in such a rule are known to the rest of the production that asks,
//   {!rule}    is a production that knows none of the names,
//   {9-42}     is a number of that range.
// Names come first, then the rest from left to right. The same seed makes the same texts.
#pragma once

#include "base/random.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::hard {

class Grammar {
public:
    explicit Grammar(std::string_view text);
    /// A text of `rule`: productions that need few others are chosen where it is nested deeper than `depth`.
    std::string make(const std::string& rule, detail::Random& random, int depth);

private:
    static constexpr int k_endless = 1000;
    struct Production {
        std::string text;
        std::uint64_t weight = 1;
        int depth = k_endless;  ///< how many productions within each other it needs at least
    };
    struct Piece {
        std::string text;
        bool is_hole = false;
    };

    void measure();
    static std::vector<Piece> pieces(const std::string& text);
    const Production& choose(const std::string& rule, detail::Random& random, int depth) const;
    std::string expand(const std::string& rule, detail::Random& random, int depth, bool keeps_names);

    std::map<std::string, std::vector<Production>> rules_;
    std::vector<std::string> names_;
    int next_name_ = 0;
};

}  // namespace northstar::hard
