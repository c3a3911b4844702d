// actions.hpp -- commands that do one of several things, which their first operand names: cartridge, graph, vector.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "output.hpp"

namespace northstar_tool {

struct Action {
    std::string_view name;
    std::size_t least;  ///< operands, the action's name and the database among them
    std::size_t most;
    std::string_view shape;  ///< what is written behind the command's name
    int (*run)(const Arguments&, Output&);
};

/// Runs the action that the first operand names. Throws UsageError where there is none, or the operands do not fit it.
inline int run_action(const std::string& command, std::span<const Action> actions, const Arguments& arguments,
                      Output& output) {
    std::string names;
    for (const Action& action : actions) {
        names += (names.empty() ? "" : ", ") + std::string(action.name);
        if (action.name != arguments.operand(0)) continue;
        const std::size_t given = arguments.operands().size();
        if (given < action.least || given > action.most) {
            throw UsageError("usage: northstar " + command + ' ' + std::string(action.shape));
        }
        return action.run(arguments, output);
    }
    throw UsageError("northstar " + command + " does one of " + names + ", not '" + printable(arguments.operand(0)) +
                     "'");
}

}  // namespace northstar_tool
