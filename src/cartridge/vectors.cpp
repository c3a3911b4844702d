// vectors.cpp -- Vectors: the interface of a cartridge of vectors.
#include "api/handles.hpp"
#include "base/error.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/vector_index.hpp"

namespace northstar::inline v0 {

Vectors::Vectors(const Cartridge& cartridge) try
    : index_(detail::VectorIndex::of(detail::of_kind(cartridge, {"vectors"}))) {
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

const EmbeddingSpace& Vectors::space() const { return index_->parameters().space; }
VectorMetric Vectors::metric() const { return index_->parameters().metric; }
std::uint64_t Vectors::size() const { return index_->size(); }
VectorId Vectors::id_limit() const { return index_->limit(); }
bool Vectors::contains(VectorId id) const { return index_->contains(id); }
std::optional<VectorId> Vectors::find(std::string_view key) const { return index_->find(key); }

std::string_view Vectors::key(VectorId id) const {
    if (id >= index_->limit()) {
        detail::fail(Errc::invalid_argument, "vector " + std::to_string(id) + " is not of this cartridge; it has " +
                                                 std::to_string(index_->limit()) + " numbers");
    }
    return index_->key(id);
}

VectorAnswer Vectors::search(const Embedding& query, std::uint32_t k, const VectorSearch& options) const try {
    return index_->search(query, k, options);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<Vectors::RecallPoint> Vectors::recall_curve() const try {
    std::vector<RecallPoint> points;
    for (const detail::RecallOfWidth& point : index_->curve()) points.push_back({point.width, point.of_10 / 1e6});
    return points;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint32_t Vectors::width_for(double recall, std::uint32_t k) const { return index_->width_for(recall, k); }

}  // namespace northstar::inline v0
