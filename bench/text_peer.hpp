// text_peer.hpp -- what the benchmark of texts asks of a library that searches by words.
//
// A peer is measured as its own documentation calls fast, by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

struct TextPeerOptions {
    bool positions = false;
    bool stemming = false;
};

class TextPeer {
public:
    virtual ~TextPeer() = default;
    /// Takes all documents, numbered from 0, and makes the index as small and fast as it gets. `path`: a file or
    /// directory that does not exist yet.
    virtual void build(const std::string& path, const std::vector<std::string>& documents,
                       const TextPeerOptions& options) = 0;
    /// Bytes of the index.
    virtual std::uint64_t bytes() const = 0;
    /// The best documents that have any of the words, or all of them; best first. Words have letters and digits only.
    virtual void search(const std::vector<std::string>& words, bool all, std::size_t most,
                        std::vector<std::uint32_t>& found) = 0;
};

struct TextPeerEntry {
    std::string name;
    std::function<std::unique_ptr<TextPeer>()> make;
};
std::vector<TextPeerEntry>& text_peers();

struct RegisterTextPeer {
    RegisterTextPeer(std::string name, std::function<std::unique_ptr<TextPeer>()> make) {
        text_peers().push_back({std::move(name), std::move(make)});
    }
};

}  // namespace bench
