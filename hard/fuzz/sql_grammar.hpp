// sql_grammar.hpp -- statements of SQL out of bytes: each byte chooses an alternative of a rule.
//
// The rules stand in sql_grammar_statements.cpp and sql_grammar_values.cpp as text; functions, operators and casts come
// from the engine's own pg_proc, pg_operator and pg_type, so that a new one is tried without a line here.
//
// [GRAMMAR-1] Any bytes are a statement, and the same bytes the same one. Behind the end of the input, and where a
//             statement has become deep or long, the first alternative is taken: it is the one that ends.
// [GRAMMAR-2] Columns of the tables x and y stand only where these are in FROM.
#pragma once

#include "hard/fuzz/target.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::hard {

class SqlGrammar {
public:
    /// The one grammar; made at the first call.
    static const SqlGrammar& get();

    struct Piece {
        std::string text;
        std::size_t rule = k_no_rule;  ///< instead of text
    };
    struct Alternative {
        std::vector<Piece> pieces;
        bool impure = false;   ///< may say something else the second time
        bool columns = false;  ///< needs x and y
    };
    struct Rule {
        std::string name;
        bool brings_columns = false;            ///< its FROM has x and y
        std::vector<Alternative> alternatives;  ///< as written
        std::vector<Alternative> known;         ///< from the catalog
    };
    static constexpr std::size_t k_no_rule = ~std::size_t{0};

    const Rule& rule(std::size_t number) const { return rules_[number]; }
    /// Ends the program where there is none.
    std::size_t find(std::string_view name) const;

private:
    SqlGrammar();
    void read(const std::string& text);
    void read_catalog();
    Alternative alternative(std::string text);
    void add_known(std::string_view rule, std::string text, bool impure);
    void must_end() const;

    std::vector<Rule> rules_;
    std::map<std::string, std::size_t, std::less<>> numbers_;
};

/// Writes one text.
class SqlWriter {
public:
    explicit SqlWriter(InputReader& choices) : grammar_(SqlGrammar::get()), choices_(choices) {}
    std::string write(std::string_view rule);
    /// Nothing in the last text depends on chance, on the clock or on the order of rows.
    bool pure() const { return pure_; }

private:
    void expand(std::size_t rule);
    const SqlGrammar::Alternative& choose(const SqlGrammar::Rule& rule);

    const SqlGrammar& grammar_;
    InputReader& choices_;
    std::string out_;
    std::size_t depth_ = 0;
    bool columns_ = false;
    bool pure_ = true;
};

/// The rules as text: "= name" begins a rule, each line behind it is an alternative, <name>
/// stands for a rule, ~ for nothing. A line that begins with ! is impure, with @ needs columns. What a rule named
/// ..._xy becomes has x and y in FROM.
extern const char* const k_sql_statement_rules;
extern const char* const k_sql_value_rules;

}  // namespace northstar::hard
