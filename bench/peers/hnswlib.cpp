// hnswlib as its README advises: vectors of floats with the distances that its header picks for this processor (this
// file is compiled for it), vectors of bytes with its space of whole numbers. Cosine is the inner product of normalised
// vectors. Nothing here runs before main(), so that the other benchmarks can be looked at by tools that do not know all
// instructions of the processor, as valgrind does not.
#include "peers/hnswlib_peer.hpp"

#include <hnswlib/hnswlib.h>

namespace bench {
namespace hnswlib_peer {

constexpr std::size_t k_seed = 100;

template <class Distance>
class HnswlibPeer final : public VectorPeer {
public:
    void build(const VectorRows& rows, VectorMeasure measure, std::size_t links, std::size_t width) override {
        make_space(rows, measure);
        index_ = std::make_unique<hnswlib::HierarchicalNSW<Distance>>(space_.get(), rows.count(), links / 2, width,
                                                                      k_seed);
        for (std::size_t i = 0; i < rows.count(); ++i) index_->addPoint(bytes_of(rows, i), i);
    }
    void save(const std::string& path) override { index_->saveIndex(path); }
    void load(const std::string& path, const VectorRows& rows, VectorMeasure measure) override {
        make_space(rows, measure);
        index_ = std::make_unique<hnswlib::HierarchicalNSW<Distance>>(space_.get(), path);
    }
    void search(const VectorRows& queries, std::size_t i, std::size_t k, std::size_t width,
                std::vector<std::uint32_t>& found) override {
        index_->setEf(width);
        auto result = index_->searchKnn(bytes_of(queries, i), k);
        found.clear();
        for (; !result.empty(); result.pop()) found.push_back(static_cast<std::uint32_t>(result.top().second));
    }

private:
    static constexpr bool k_bytes = std::is_same_v<Distance, int>;
    static const void* bytes_of(const VectorRows& rows, std::size_t i) {
        return k_bytes ? static_cast<const void*>(rows.byte_row(i)) : rows.row(i);
    }
    void make_space(const VectorRows& rows, VectorMeasure measure) {
        if constexpr (k_bytes) {
            space_ = std::make_unique<hnswlib::L2SpaceI>(rows.dimensions);
        } else if (measure == VectorMeasure::l2) {
            space_ = std::make_unique<hnswlib::L2Space>(rows.dimensions);
        } else {
            space_ = std::make_unique<hnswlib::InnerProductSpace>(rows.dimensions);
        }
    }
    std::unique_ptr<hnswlib::SpaceInterface<Distance>> space_;
    std::unique_ptr<hnswlib::HierarchicalNSW<Distance>> index_;
};

}  // namespace hnswlib_peer

std::unique_ptr<VectorPeer> make_hnswlib_peer(bool of_bytes) {
    if (of_bytes) return std::make_unique<hnswlib_peer::HnswlibPeer<int>>();
    return std::make_unique<hnswlib_peer::HnswlibPeer<float>>();
}

}  // namespace bench
