#include "peers/hnswlib_peer.hpp"

namespace bench {
namespace hnswlib_peer {

const RegisterVectorPeer floats("hnswlib-f32", false, [] { return make_hnswlib_peer(false); });
const RegisterVectorPeer bytes("hnswlib-u8", true, [] { return make_hnswlib_peer(true); });

}  // namespace hnswlib_peer
}  // namespace bench
