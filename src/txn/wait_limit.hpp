// wait_limit.hpp -- how long somebody waits for the writer's turn.  Layer: txn.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace northstar::inline v0::detail {

struct WaitLimit {
    /// How often gives_up is asked.
    static constexpr std::uint32_t k_pause_ms = 50;

    std::optional<std::uint32_t> timeout_ms = {};  ///< nullopt: for ever
    std::function<bool()> gives_up = {};           ///< empty: never

    bool is_over() const { return gives_up && gives_up(); }
};

}  // namespace northstar::inline v0::detail
