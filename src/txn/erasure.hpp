// erasure.hpp -- values that durable commits redacted and that are still to be erased from the file.  Layer: txn.
// Threads: values.
#pragma once

#include "log/record.hpp"

#include <cstdint>
#include <string>

namespace northstar::inline v0::detail {

struct Erasure {
    std::uint64_t tree = 0;
    std::string key;
    Redaction redaction;
    Txn by = 0;  ///< the commit that redacts it
};

/// Whoever reads this generation or a later one needs no value of the log in front of the position.
struct ErasableFront {
    std::uint64_t generation = 0;
    std::uint64_t position = 0;
};

}  // namespace northstar::inline v0::detail
