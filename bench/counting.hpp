// counting.hpp -- counts allocations and flushes of this program by standing in front of the real functions.
//
// operator new is replaced; allocations are counted per thread. fsync, fdatasync, msync and pwritev2 are
// defined here and hand over to the system, so that they are also counted when a peer's shared library calls
// them. A write through a descriptor opened with O_DSYNC (LMDB's meta page) is not seen.
#pragma once

#include <cstdint>

namespace bench {

std::uint64_t allocations_of_this_thread() noexcept;
std::uint64_t flushes_of_this_process() noexcept;

}  // namespace bench
