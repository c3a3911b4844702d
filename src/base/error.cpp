#include "base/error.hpp"

#include <utility>

namespace northstar::inline v0 {

const char* to_string(Errc code) noexcept {
    switch (code) {
        case Errc::invalid_argument: return "invalid_argument";
        case Errc::misuse: return "misuse";
        case Errc::not_found: return "not_found";
        case Errc::timeout: return "timeout";
        case Errc::conflict: return "conflict";
        case Errc::read_only: return "read_only";
        case Errc::key_too_large: return "key_too_large";
        case Errc::value_too_large: return "value_too_large";
        case Errc::no_space: return "no_space";
        case Errc::no_memory: return "no_memory";
        case Errc::io: return "io";
        case Errc::corrupt: return "corrupt";
        case Errc::not_a_database: return "not_a_database";
        case Errc::newer_format: return "newer_format";
        case Errc::page_size_mismatch: return "page_size_mismatch";
        case Errc::truncated: return "truncated";
        case Errc::locked: return "locked";
        case Errc::already_open: return "already_open";
        case Errc::permission: return "permission";
        case Errc::is_directory: return "is_directory";
        case Errc::network_file_system: return "network_file_system";
        case Errc::snapshot_closed: return "snapshot_closed";
        case Errc::forked: return "forked";
        case Errc::poisoned: return "poisoned";
        case Errc::outcome_unknown: return "outcome_unknown";
        case Errc::before_horizon: return "before_horizon";
        case Errc::in_the_future: return "in_the_future";
        case Errc::unsupported: return "unsupported";
        case Errc::too_many_snapshots: return "too_many_snapshots";
        case Errc::already_exists: return "already_exists";
        case Errc::still_held: return "still_held";
        case Errc::cancelled: return "cancelled";
        case Errc::stale: return "stale";
    }
    return "unknown";
}

const char* Error::what() const noexcept {
    if (!message_.empty()) return message_.c_str();
    // Made where not even a sentence could be allocated.
    if (code_ == Errc::outcome_unknown) {
        return "an allocation failed while a commit was made durable; the transaction may or may not be there: close "
               "the database, open it again and look";
    }
    return "an allocation failed and what was begun was undone; free memory and try again";
}

Error::Error(Errc code, std::string message, std::string file, std::uint64_t page)
    : code_(code), message_(std::move(message)), file_(std::move(file)), page_(page) {}

std::string Hash::hex() const {
    static constexpr char k_digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * sizeof bytes);
    for (const unsigned char byte : bytes) {
        text.push_back(k_digits[byte >> 4]);
        text.push_back(k_digits[byte & 15]);
    }
    return text;
}

const char* version() noexcept { return NORTHSTAR_VERSION; }

#ifdef NORTHSTAR_SOURCE_ID
const char* source_id() noexcept { return NORTHSTAR_SOURCE_ID; }
#else
const char* source_id() noexcept { return NORTHSTAR_VERSION "-dev"; }
#endif

namespace detail {

void fail(Errc code, std::string message, std::string file, std::uint64_t page) {
    throw Error(code, std::move(message), std::move(file), page);
}

}  // namespace detail
}  // namespace northstar::inline v0
