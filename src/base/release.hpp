// release.hpp -- memory of a container, given back before the container ends.  Layer: base.  Threads: values.
#pragma once

namespace northstar::inline v0::detail {

/// Empties a vector or a string and frees what it holds. To assign {} to one empties it and keeps its memory: that is
/// the assignment of a list of no elements.
template <class Container>
void release_memory(Container& container) {
    Container().swap(container);
}

}  // namespace northstar::inline v0::detail
