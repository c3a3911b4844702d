#include "txn/core.hpp"
namespace northstar::inline v0::detail {
std::uint64_t DatabaseCore::compact() { return 0; }
}
