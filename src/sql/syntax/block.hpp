// block.hpp -- the text of a DO statement: the part of PL/pgSQL that has no variables.  Layer: sql, inside syntax/.
// Threads: values.
//
// Statements of SQL, PERFORM, EXECUTE, IF, RAISE, NULL, RETURN, and blocks with handlers (WHEN duplicate_object THEN
// ..). What needs a variable (DECLARE, INTO, loops over rows, GET DIAGNOSTICS) is refused by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql::syntax {

struct BlockStep;

/// The steps of one WHEN of a handler, or of one branch of IF.
struct BlockBranch {
    std::string_view condition;                ///< of IF; empty: ELSE
    std::vector<std::string> states;           ///< of a handler: SQLSTATEs; "others"
    std::vector<BlockStep> steps;
};

struct Block {
    std::vector<BlockStep> steps;
    std::vector<BlockBranch> handlers;
};

enum class BlockStepKind : unsigned char { statement, perform, execute, conditional, raise, block, finish };

struct BlockStep {
    BlockStepKind kind = BlockStepKind::statement;
    std::string_view text;                     ///< the statement, the query of PERFORM, the expression of EXECUTE
    std::vector<BlockBranch> branches;         ///< of IF
    Block block;
    std::string level;                         ///< of RAISE: notice, warning, exception, ..
    std::string state;                         ///< of RAISE: a SQLSTATE; empty: P0001
    std::string condition;                     ///< of RAISE: its name, which is the message where there is no other
    std::string format;
    bool again = false;                        ///< RAISE alone: what the handler was called with
    std::vector<std::string_view> arguments;   ///< expressions
    std::vector<std::pair<std::string, std::string_view>> options;  ///< USING: message, detail, hint, errcode, ..
};

/// Reads a block; views point into the text. Raises 42601, 42704 for conditions that have no such name, 0A000 for what
/// is left out.
Block parse_block(std::string_view text);

}  // namespace northstar::inline v0::sql::syntax
