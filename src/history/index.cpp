#include "history/index.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace index_impl {

// Walks all sources at once; of those that stand on the same key the newest speaks.
class MergedCursor final : public HistoryCursor {
public:
    MergedCursor(const std::vector<std::shared_ptr<const HistorySource>>& sources, std::uint64_t tree, Txn txn)
        : tree_(tree), txn_(txn) {
        for (const auto& source : sources) {
            if (source->after() < txn) parts_.push_back({source, source->cursor(tree, txn)});
        }
    }

    bool seek(std::string_view key) override {
        for (Part& part : parts_) part.cursor->seek(key);
        forward_ = true;
        return settle();
    }
    bool seek_before(std::optional<std::string_view> key) override {
        for (Part& part : parts_) part.cursor->seek_before(key);
        forward_ = false;
        return settle();
    }
    bool next() override {
        NORTHSTAR_ASSERT(valid_);
        if (!forward_) {
            forward_ = true;
            for (Part& part : parts_) {
                if (part.cursor->seek(key_) && part.cursor->key() == key_) part.cursor->next();
            }
        } else {
            for (Part& part : parts_) {
                if (part.cursor->valid() && part.cursor->key() == key_) part.cursor->next();
            }
        }
        return settle();
    }
    bool prev() override {
        NORTHSTAR_ASSERT(valid_);
        if (forward_) {
            forward_ = false;
            for (Part& part : parts_) part.cursor->seek_before(key_);
        } else {
            for (Part& part : parts_) {
                if (part.cursor->valid() && part.cursor->key() == key_) part.cursor->prev();
            }
        }
        return settle();
    }
    bool valid() const override { return valid_; }
    std::string_view key() const override { return key_; }
    const HistoryVersion& version() const override { return version_; }

private:
    struct Part {
        std::shared_ptr<const HistorySource> source;
        std::unique_ptr<HistoryCursor> cursor;
    };

    bool settle() {
        const Part* best = nullptr;
        for (const Part& part : parts_) {
            if (!part.cursor->valid()) continue;
            if (best == nullptr) {
                best = &part;
                continue;
            }
            const int order = part.cursor->key().compare(best->cursor->key());
            if (order == 0 || (forward_ ? order < 0 : order > 0)) best = &part;  // later parts are newer
        }
        valid_ = best != nullptr;
        if (!valid_) return false;
        key_ = best->cursor->key();
        version_ = best->cursor->version();
        for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
            const Txn range = part->source->newest_range(tree_, key_, txn_);
            if (range > version_.txn) {
                version_ = HistoryVersion{};
                version_.txn = range;
                break;
            }
            if (&*part == best) break;
        }
        return true;
    }

    const std::uint64_t tree_;
    const Txn txn_;
    std::vector<Part> parts_;
    bool forward_ = true;
    bool valid_ = false;
    std::string key_;
    HistoryVersion version_;
};

}  // namespace index_impl

HistoryIndex::HistoryIndex(std::vector<std::shared_ptr<const HistorySource>> sources) : sources_(std::move(sources)) {
    for (std::size_t i = 1; i < sources_.size(); ++i) {
        if (sources_[i - 1]->last() != sources_[i]->after()) {
            fail(Errc::corrupt, "the history has a gap behind transaction " + std::to_string(sources_[i - 1]->last()) +
                                    "; run verify, which rebuilds history from the log");
        }
    }
}

void HistoryIndex::prefetch(std::uint64_t tree, std::string_view key, Txn txn) const {
    for (const auto& source : sources_) {
        if (source->after() < txn) source->prefetch(tree, key);
    }
}

std::optional<HistoryVersion> HistoryIndex::newest(std::uint64_t tree, std::string_view key, Txn txn) const {
    for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
        if ((*source)->after() >= txn) continue;
        if (std::optional<HistoryVersion> version = (*source)->newest(tree, key, txn)) return version;
    }
    return std::nullopt;
}

Txn HistoryIndex::newest_range(std::uint64_t tree, std::string_view key, Txn txn) const {
    Txn newest = 0;
    for (const auto& source : sources_) {
        if (source->after() < txn) newest = std::max(newest, source->newest_range(tree, key, txn));
    }
    return newest;
}

std::unique_ptr<HistoryCursor> HistoryIndex::cursor(std::uint64_t tree, Txn txn) const {
    return std::make_unique<index_impl::MergedCursor>(sources_, tree, txn);
}

void HistoryIndex::each_version(std::uint64_t tree, std::string_view key, Txn above, Txn before,
                                const std::function<bool(const HistoryVersion&)>& f) const {
    // A range deletion is a version where the key was there before it.
    Txn newer = ~Txn{0};
    bool go_on = true;
    const auto erase_between = [&](Txn older) {
        // The oldest range deletion behind the older version is the one that erased it.
        Txn erased = 0;
        for (Txn limit = newer; limit > older + 1;) {
            const Txn found = newest_range(tree, key, limit - 1);
            if (found <= older) break;
            erased = limit = found;
        }
        if (erased == 0) return;
        HistoryVersion version;
        version.txn = erased;
        go_on = f(version);
    };
    for (auto source = sources_.rbegin(); go_on && source != sources_.rend(); ++source) {
        (*source)->each_version(tree, key, [&](const HistoryVersion& version) {
            if (version.txn <= above) return false;
            if (version.kind != HistoryVersion::Kind::erased) erase_between(version.txn);
            if (go_on) go_on = f(version);
            newer = version.txn;
            return go_on;
        });
    }
    if (go_on && before != 0) erase_between(before);
}

std::optional<LogAnchor> HistoryIndex::anchor_of(Txn txn) const {
    for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
        if (std::optional<LogAnchor> anchor = (*source)->anchor_of(txn)) return anchor;
    }
    return std::nullopt;
}

std::optional<LogAnchor> HistoryIndex::anchor_at(std::uint64_t time_us) const {
    for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
        if (std::optional<LogAnchor> anchor = (*source)->anchor_at(time_us)) return anchor;
    }
    return std::nullopt;
}

}  // namespace northstar::inline v0::detail
