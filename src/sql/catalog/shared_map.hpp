// shared_map.hpp -- a sorted map whose copies share what they have in common.  Layer: sql.
//
// A catalog is copied for every change of a definition, and a database may have ten thousand tables; a copy of this
// map costs a pointer for every 32 to 64 entries, and a change the part that the entry lies in.
//
// [MAP-1] No part is empty, none has more than k_most entries, and keys ascend across parts.
// [MAP-2] A part that another map has as well is never changed.
// Threads: maps that share parts may be read by any number of threads. One thread changes a map, which nobody reads
// meanwhile, and keeps the map that it was copied from as long. Iterators are valid until the map that gave them is
// changed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

template <class Key, class Value>
class SharedMap {
public:
    using Entry = std::pair<Key, Value>;

    class Iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Entry;
        using difference_type = std::ptrdiff_t;
        using pointer = const Entry*;
        using reference = const Entry&;

        reference operator*() const { return (*(*parts_)[part_])[entry_]; }
        pointer operator->() const { return &**this; }
        Iterator& operator++() {
            if (++entry_ < (*parts_)[part_]->size()) return *this;
            ++part_;
            entry_ = 0;
            return *this;
        }
        bool operator==(const Iterator& other) const { return part_ == other.part_ && entry_ == other.entry_; }

    private:
        friend class SharedMap;
        using Parts = std::vector<std::shared_ptr<std::vector<Entry>>>;
        Iterator(const Parts& parts, std::size_t part, std::size_t entry)
            : parts_(&parts), part_(part), entry_(entry) {}
        const Parts* parts_;
        std::size_t part_;
        std::size_t entry_;
    };

    Iterator begin() const { return Iterator(parts_, 0, 0); }
    Iterator end() const { return Iterator(parts_, parts_.size(), 0); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// The first entry that is not below the key. O(log n).
    template <class Wanted>
    Iterator lower_bound(const Wanted& key) const {
        const std::size_t part = part_of(key);
        if (part == parts_.size()) return end();
        return Iterator(parts_, part, place_in(*parts_[part], key));
    }

    /// The value under a key; null: there is none. O(log n).
    template <class Wanted>
    const Value* find(const Wanted& key) const {
        const Iterator found = lower_bound(key);
        return found == end() || std::less<>()(key, found->first) ? nullptr : &found->second;
    }

    /// O(n / k_most).
    void set(Key key, Value value) {
        if (parts_.empty()) {
            parts_.push_back(std::make_shared<std::vector<Entry>>());
            parts_[0]->emplace_back(std::move(key), std::move(value));
            size_ = 1;
            return;
        }
        const std::size_t part = std::min(part_of(key), parts_.size() - 1);
        std::vector<Entry>& entries = own(part);
        const std::size_t place = place_in(entries, key);
        if (place < entries.size() && !std::less<>()(key, entries[place].first)) {
            entries[place].second = std::move(value);
            return;
        }
        entries.emplace(entries.begin() + static_cast<std::ptrdiff_t>(place), std::move(key), std::move(value));
        ++size_;
        if (entries.size() > k_most) split(part);
    }

    /// Whether the key was there. O(n / k_most).
    template <class Wanted>
    bool erase(const Wanted& key) {
        if (find(key) == nullptr) return false;
        const std::size_t part = part_of(key);
        std::vector<Entry>& entries = own(part);
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place_in(entries, key)));
        --size_;
        if (entries.empty()) parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(part));
        else if (part + 1 < parts_.size() && entries.size() + parts_[part + 1]->size() <= k_most / 2) join(part);
        return true;
    }

private:
    static constexpr std::size_t k_most = 64;

    /// The first part whose last key is not below a key; parts_.size(): none.
    template <class Wanted>
    std::size_t part_of(const Wanted& key) const {
        const auto found = std::partition_point(parts_.begin(), parts_.end(), [&key](const auto& part) {
            return std::less<>()(part->back().first, key);
        });
        return static_cast<std::size_t>(found - parts_.begin());
    }

    template <class Wanted>
    static std::size_t place_in(const std::vector<Entry>& entries, const Wanted& key) {
        const auto found = std::partition_point(entries.begin(), entries.end(), [&key](const Entry& entry) {
            return std::less<>()(entry.first, key);
        });
        return static_cast<std::size_t>(found - entries.begin());
    }

    /// A part that no other map has.
    std::vector<Entry>& own(std::size_t part) {
        if (parts_[part].use_count() != 1) parts_[part] = std::make_shared<std::vector<Entry>>(*parts_[part]);
        return *parts_[part];
    }

    /// Keys that come in order leave full parts behind them.
    void split(std::size_t part) {
        std::vector<Entry>& entries = *parts_[part];
        const std::size_t kept = part + 1 == parts_.size() ? k_most - k_most / 8 : entries.size() / 2;
        const auto from = entries.begin() + static_cast<std::ptrdiff_t>(kept);
        auto rest = std::make_shared<std::vector<Entry>>(std::make_move_iterator(from),
                                                         std::make_move_iterator(entries.end()));
        entries.erase(from, entries.end());
        parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(part) + 1, std::move(rest));
    }

    void join(std::size_t part) {
        std::vector<Entry>& entries = *parts_[part];
        const std::vector<Entry>& next = *parts_[part + 1];
        entries.insert(entries.end(), next.begin(), next.end());
        parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(part) + 1);
    }

    std::vector<std::shared_ptr<std::vector<Entry>>> parts_;
    std::size_t size_ = 0;
};

}  // namespace northstar::inline v0::sql
