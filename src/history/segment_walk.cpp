#include "history/segment_walk.hpp"

#include "base/error.hpp"

#include <string>
#include <tuple>

namespace northstar::inline v0::detail {

void segments_out_of_order() {
    fail(Errc::corrupt, "history segments do not follow each other in order; run verify, which rebuilds history");
}

SegmentWalk::SegmentWalk(const SegmentView& segment) : segment_(&segment) {
    done_ = segment.version_blocks() == 0;
    if (!done_) segment_->load_keys(0, keys_);
}

void SegmentWalk::take(std::vector<HistoryVersion>& out) {
    const std::uint64_t tree = keys_.tree;
    const std::string key(keys_.key(index_));
    do {
        segment_->each_in(keys_.keys[index_], [&](const HistoryVersion& version) {
            out.push_back(version);
            return true;
        });
        if (++index_ < keys_.keys.size()) break;
        if (keys_.ordinal + 1 >= segment_->version_blocks()) {
            done_ = true;
            break;
        }
        segment_->load_keys(keys_.ordinal + 1, keys_);
        index_ = 0;
    } while (keys_.tree == tree && keys_.key(0) == key);
    if (!done_ && std::tuple(keys_.tree, keys_.key(index_)) <= std::tuple(tree, std::string_view(key))) {
        segments_out_of_order();
    }
}

const SegmentWalk* least_of(const std::vector<SegmentWalk>& walks) {
    const SegmentWalk* least = nullptr;
    for (const SegmentWalk& walk : walks) {
        if (walk.done()) continue;
        if (least == nullptr || std::tuple(walk.tree(), walk.key()) < std::tuple(least->tree(), least->key())) {
            least = &walk;
        }
    }
    return least;
}

void take_key(std::vector<SegmentWalk>& walks, std::uint64_t tree, std::string_view key,
              std::vector<HistoryVersion>& out) {
    out.clear();
    for (auto walk = walks.rbegin(); walk != walks.rend(); ++walk) {
        if (!walk->done() && walk->tree() == tree && walk->key() == key) walk->take(out);
    }
    for (std::size_t i = 1; i < out.size(); ++i) {
        if (out[i].txn >= out[i - 1].txn) segments_out_of_order();
    }
}

}  // namespace northstar::inline v0::detail
