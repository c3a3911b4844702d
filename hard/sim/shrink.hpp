// shrink.hpp -- leaves out of a list what a failure does not need.
//
// Promises a list that still fails, and from which no single item can be left out. Halves are tried first, so that most
// of a long list goes with few runs (delta debugging).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace northstar::hard {

/// `fails(items)` is true. Items keep their order.
template <class T>
std::vector<T> fewest(std::vector<T> items, const std::function<bool(const std::vector<T>&)>& fails) {
    std::size_t length = std::max<std::size_t>(items.size() / 2, 1);  // of what is left out at a time
    while (!items.empty()) {
        bool shorter = false;
        for (std::size_t at = 0; at < items.size();) {
            std::vector<T> rest = items;
            const auto from = rest.begin() + static_cast<std::ptrdiff_t>(at);
            rest.erase(from, from + static_cast<std::ptrdiff_t>(std::min(length, items.size() - at)));
            if (fails(rest)) {
                items = std::move(rest);
                shorter = true;
            } else {
                at += length;
            }
        }
        if (length > 1) {
            length = std::max<std::size_t>(length / 2, 1);
        } else if (!shorter) {
            break;
        }
    }
    return items;
}

}  // namespace northstar::hard
