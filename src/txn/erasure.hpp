// erasure.hpp -- a value that a durable commit redacted and that is still to be erased from the file.  Layer: txn.
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

}  // namespace northstar::inline v0::detail
