// arguments.hpp -- whether prepared statements answer as the same statements with literals do, and with indexes.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/judge.hpp"

#include <string>
#include <vector>

namespace northstar::hard {

class Arguments {
public:
    Arguments(std::uint64_t seed, const Beside& beside);
    const Judge& run();

private:
    /// A statement in pieces, and between them what stands there: the type of an argument and the rule of its values.
    struct Template {
        struct Argument {
            std::string type, rule;
        };
        std::vector<std::string> pieces;
        std::vector<Argument> arguments;
        std::string with(const std::vector<std::string>& values) const;
    };

    static Template split(const std::string& text);
    std::string make(const std::string& rule, int depth) { return grammar_.make(rule, random_, depth); }
    void fill();
    /// The same arguments as literals and as those of EXECUTE; again and again with others.
    void judge_template(const Template& statement, bool changes);
    void judge_arguments(const Template& statement, bool changes, bool typed, const std::string& prepared);
    /// What a statement answers here; a change is taken back.
    Answer ask(const std::string& statement, bool changes);
    /// The rows are the same through whatever index.
    void indexed(const Template& statement);

    Grammar grammar_;
    detail::Random random_;
    Judge judge_;
};

}  // namespace northstar::hard
