#pragma once
#include "format/meta.hpp"
#include "log/store.hpp"
#include "pager/place.hpp"
#include "txn/ledger.hpp"
namespace northstar::inline v0::detail {
class HistoryIndex {
public:
    HistoryIndex(FilePages&, LogStore&) {}
    void load(const std::vector<StoredSegment>& s, const Meta&) { segments_ = s; }
    std::vector<StoredSegment> seal(Placer&, Meta&) { return segments_; }
    void adopt(const std::vector<StoredSegment>& s) { segments_ = s; }
private:
    std::vector<StoredSegment> segments_;
};
}
