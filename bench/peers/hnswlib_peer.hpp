// hnswlib_peer.hpp -- hnswlib as a peer of the benchmark of vectors.
#pragma once

#include "vector_peer.hpp"

#include <memory>

namespace bench {

/// One for vectors of bytes, or of floats.
std::unique_ptr<VectorPeer> make_hnswlib_peer(bool of_bytes);

}  // namespace bench
