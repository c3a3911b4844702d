// workload.hpp -- transactions of SQL for the crash suite: bulk inserts, COPY, big updates, definitions, savepoints.
//
// [WORK-1] A step follows from the random numbers and the number of steps before it; it runs the same on two databases
//          that hold the same.
#pragma once

#include "base/random.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace northstar::hard {

struct SqlStep {
    struct Statement {
        std::string text;
        std::string input;  ///< what COPY reads
    };
    const char* kind = "";
    bool block = true;  ///< between BEGIN and COMMIT; otherwise it is one statement
    std::vector<Statement> statements;
};

/// The objects that steps are about.
extern const char* const k_workload_schema;

class SqlWorkload {
public:
    SqlStep next(detail::Random& random);
    /// All kinds of steps.
    static std::vector<std::string> kinds();
    /// The one that always fails.
    static constexpr const char* k_failing = "block that fails";

private:
    std::uint64_t last_id_ = 0;
};

}  // namespace northstar::hard
