// vector_peer.hpp -- what the benchmark of vectors asks of a library that finds near ones.
//
// A peer is measured as its own documentation calls fast, with the same links and width of build, by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// Vectors side by side, of floats or of bytes.
struct VectorRows {
    std::uint32_t dimensions = 0;
    std::vector<float> floats;
    std::vector<std::uint8_t> bytes;  ///< the same numbers, where they are bytes
    bool of_bytes = false;
    std::size_t count() const { return dimensions == 0 ? 0 : floats.size() / dimensions; }
    const float* row(std::size_t i) const { return floats.data() + i * dimensions; }
    const std::uint8_t* byte_row(std::size_t i) const { return bytes.data() + i * dimensions; }
};

enum class VectorMeasure : std::uint8_t { l2, inner_product };

class VectorPeer {
public:
    virtual ~VectorPeer() = default;
    /// Takes all rows, numbered from 0.
    virtual void build(const VectorRows& rows, VectorMeasure measure, std::size_t links, std::size_t width) = 0;
    virtual void save(const std::string& path) = 0;
    /// A new index, out of what save() wrote.
    virtual void load(const std::string& path, const VectorRows& rows, VectorMeasure measure) = 0;
    /// Numbers of the k nearest rows to query `i`, in any order.
    virtual void search(const VectorRows& queries, std::size_t i, std::size_t k, std::size_t width,
                        std::vector<std::uint32_t>& found) = 0;
};

struct VectorPeerEntry {
    std::string name;
    bool of_bytes = false;  ///< takes vectors of bytes, and no others
    std::function<std::unique_ptr<VectorPeer>()> make;
};
std::vector<VectorPeerEntry>& vector_peers();

struct RegisterVectorPeer {
    RegisterVectorPeer(std::string name, bool of_bytes, std::function<std::unique_ptr<VectorPeer>()> make) {
        vector_peers().push_back({std::move(name), of_bytes, std::move(make)});
    }
};

}  // namespace bench
