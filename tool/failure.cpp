#include "failure.hpp"

namespace northstar_tool {

ExitCode exit_code_of(northstar::Errc code) noexcept {
    using northstar::Errc;
    switch (code) {
    case Errc::invalid_argument:
    case Errc::key_too_large:
    case Errc::value_too_large: return k_exit_usage;
    case Errc::corrupt:
    case Errc::not_a_database:
    case Errc::newer_format:
    case Errc::page_size_mismatch:
    case Errc::truncated: return k_exit_damage;
    case Errc::not_found:
    case Errc::read_only:
    case Errc::no_space:
    case Errc::io:
    case Errc::permission:
    case Errc::is_directory:
    case Errc::network_file_system:
    case Errc::poisoned:
    case Errc::unsupported:
    case Errc::already_exists: return k_exit_system;
    case Errc::still_held:
    case Errc::stale:
    case Errc::timeout:
    case Errc::conflict:
    case Errc::locked:
    case Errc::already_open:
    case Errc::too_many_snapshots: return k_exit_busy;
    case Errc::outcome_unknown: return k_exit_unknown;
    case Errc::before_horizon:
    case Errc::in_the_future: return k_exit_not_retained;
    case Errc::cancelled: return k_exit_interrupted;
    case Errc::misuse:
    case Errc::no_memory:
    case Errc::snapshot_closed:
    case Errc::forked: return k_exit_internal;
    }
    return k_exit_internal;
}

}  // namespace northstar_tool
