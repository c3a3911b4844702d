// artifact.hpp -- what targets that take the artifact of a cartridge share.
#pragma once

#include "hard/fuzz/target.hpp"

#include "cartridge/open.hpp"

#include <optional>

namespace northstar::hard {

/// False: damage was reported.
template <class F>
bool whole(F&& f) {
    try {
        f();
        return true;
    } catch (const Error& error) {
        const bool expected = error.code() == Errc::corrupt || error.code() == Errc::newer_format ||
                              error.code() == Errc::unsupported;
        if (!expected) finding(std::string("damage is called ") + error.what());
        return false;
    }
}

struct OpenedArtifact {
    Cartridge cartridge;
    bool intact = false;  ///< no checksum says otherwise
};
/// A cartridge of that kind whose artifact is these bytes, in memory; nullopt: damage was reported.
std::optional<OpenedArtifact> open_artifact(const char* kind, std::span<const std::byte> input);

/// Makes checksums, lengths and the digest fit the bytes again.
void mend_artifact(Bytes& input);

}  // namespace northstar::hard
