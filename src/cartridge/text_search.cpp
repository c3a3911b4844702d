#include "cartridge/text_search.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace northstar::inline v0::detail {

namespace text_search_impl {

/// Documents of a window: their scores fit the nearest cache.
constexpr std::uint32_t k_window = 4096;
constexpr std::size_t k_chunk = 16;
/// Postings from which on contributions of words that stand once are worth a table.
constexpr std::uint32_t k_worth_a_table = 512;

/// A list of the question, with what a window may bring of it.
struct WindowList {
    WindowList(PostingCursor given, float given_weight) : cursor(std::move(given)), weight(given_weight) {}
    PostingCursor cursor;
    float weight;
    std::uint32_t bound = 0;                              ///< in this window, in units
    std::unique_ptr<std::array<std::uint32_t, 256>> once; ///< contribution of a frequency of 1, by code of length
};

class AnySearch {
public:
    AnySearch(const TextPlan& plan, bool in_overlay, std::size_t most)
        : side_(in_overlay ? plan.data().overlay_side() : plan.data().base_side()),
          table_(plan.data().table),
          slack_(in_overlay ? 1.0 : plan.data().slack),
          best_(most) {
        lists_.reserve(plan.leaves().size());
        for (std::size_t leaf = 0; leaf < plan.leaves().size(); ++leaf) {
            lists_.emplace_back(plan.cursor(leaf, in_overlay), plan.leaves()[leaf].weight);
            if (plan.leaves()[leaf].document_frequency >= k_worth_a_table) make_table(lists_.back());
        }
        for (WindowList& list : lists_) order_.push_back(&list);
    }

    std::vector<ScoredDocument> run() {
        for (std::uint32_t begin = 0; (begin = next_window(begin)) < side_.documents;) {
            const std::uint32_t end = side_.documents - begin > k_window ? begin + k_window : side_.documents;
            search_window(begin, end);
            begin = end;
        }
        return best_.take();
    }

private:
    void make_table(WindowList& list) {
        list.once = std::make_unique<std::array<std::uint32_t, 256>>();
        for (std::size_t code = 0; code < 256; ++code) {
            (*list.once)[code] = contribution(list.weight, 1, table_.at[code]);
        }
    }
    /// Most units that a saturation stands for. The two more are what rounding may have taken.
    std::uint32_t bound(const WindowList& list, std::uint8_t best) const {
        if (best == 0) return 0;
        const double most = static_cast<double>(list.weight) * std::min(1.0, slack_ * best / 255.0);
        return static_cast<std::uint32_t>(most) + 3;
    }
    std::uint32_t next_window(std::uint32_t begin) const {
        std::uint32_t next = k_no_document;
        for (const WindowList& list : lists_) next = std::min(next, list.cursor.earliest(begin));
        return next;
    }
    std::uint32_t score_of(const WindowList& list, std::uint32_t document, std::uint32_t frequency) const {
        return contribution(list.weight, frequency, table_.at[side_.lengths[document]]);
    }

    void search_window(std::uint32_t begin, std::uint32_t end) {
        std::uint64_t all = 0;
        for (WindowList& list : lists_) {
            list.bound = bound(list, list.cursor.best_within(begin, end));
            all += list.bound;
        }
        if (!best_.wants(static_cast<std::uint32_t>(all))) return;
        std::sort(order_.begin(), order_.end(), [](const WindowList* a, const WindowList* b) {
            return a->bound != b->bound ? a->bound < b->bound : a < b;
        });
        // Lists [0, needed) cannot lift a document over the threshold together.
        std::size_t needed = 0;
        std::uint32_t others = 0;
        while (needed < order_.size() && !best_.wants(others + order_[needed]->bound)) {
            others += order_[needed++]->bound;
        }
        if (needed + 1 == order_.size()) search_one(*order_[needed], end, needed, others, begin);
        else search_several(needed, others, begin, end);
    }

    /// One list brings documents up: block by block, those passed over that cannot matter.
    void search_one(WindowList& list, std::uint32_t end, std::size_t needed, std::uint32_t others,
                    std::uint32_t begin) {
        PostingCursor& cursor = list.cursor;
        for (std::uint32_t from = begin; from < end;) {
            const std::optional<PostingCursor::BlockBound> block = cursor.block_bound(from);
            if (!block) return;
            if (!best_.wants(bound(list, block->best) + others)) {
                if (block->last >= end - 1) return;
                from = block->last + 1;
                continue;
            }
            cursor.seek(from);
            if (cursor.document() >= end) return;
            const std::uint32_t* const documents = cursor.rest_documents();
            const std::size_t count = below(documents, cursor.rest_size(), end);
            from = documents[count - 1] + 1;
            score_postings(list, count);
            for (std::size_t i = 0; i < count; ++i) {
                if (best_.wants(scores_[i] + others)) complete(documents[i], scores_[i], needed, others);
            }
            cursor.skip(count);
        }
    }

    /// Contributions of the first postings of the rest of a block, into scores_.
    void score_postings(WindowList& list, std::size_t count) {
        const std::uint32_t* const documents = list.cursor.rest_documents();
        if (list.once && list.cursor.all_once()) {
            for (std::size_t i = 0; i < count; ++i) scores_[i] = (*list.once)[side_.lengths[documents[i]]];
            return;
        }
        const std::uint32_t* const frequencies = list.cursor.rest_frequencies();
        for (std::size_t i = 0; i < count; ++i) scores_[i] = score_of(list, documents[i], frequencies[i]);
    }

    void search_several(std::size_t needed, std::uint32_t others, std::uint32_t begin, std::uint32_t end) {
        window_.resize(k_window);
        for (std::size_t i = needed; i < order_.size(); ++i) {
            WindowList& list = *order_[i];
            if (list.bound == 0) continue;
            for (list.cursor.seek(begin); list.cursor.document() < end;) {
                const std::uint32_t* const documents = list.cursor.rest_documents();
                const std::size_t count = below(documents, list.cursor.rest_size(), end);
                score_postings(list, count);
                for (std::size_t at = 0; at < count; ++at) window_[documents[at] - begin] += scores_[at];
                list.cursor.skip(count);
            }
        }
        for (std::uint32_t first = 0; first < end - begin; first += k_chunk) {
            std::uint32_t most = 0;
            for (std::size_t i = 0; i < k_chunk; ++i) most = std::max(most, window_[first + i]);
            if (most == 0) continue;
            if (best_.wants(most + others)) {
                for (std::uint32_t i = 0; i < k_chunk; ++i) {
                    const std::uint32_t score = window_[first + i];
                    if (score != 0 && best_.wants(score + others)) complete(begin + first + i, score, needed, others);
                }
            }
            std::fill_n(window_.begin() + first, k_chunk, 0u);
        }
    }

    /// Asks the other lists about a document, those that may add most first.
    void complete(std::uint32_t document, std::uint32_t score, std::size_t needed, std::uint32_t others) {
        for (std::size_t i = needed; i-- > 0 && best_.wants(score + others);) {
            WindowList& list = *order_[i];
            others -= list.bound;
            if (list.bound == 0) continue;
            list.cursor.seek(document);
            if (list.cursor.document() == document) score += score_of(list, document, list.cursor.frequency());
        }
        if (best_.wants(score) && side_.has(document)) best_.offer({document, score});
    }

    /// How many of some ascending documents are before `end`; at least one is.
    static std::size_t below(const std::uint32_t* documents, std::size_t count, std::uint32_t end) {
        if (documents[count - 1] < end) return count;
        return static_cast<std::size_t>(std::lower_bound(documents, documents + count, end) - documents);
    }

    TextSide side_;
    const LengthTable& table_;
    double slack_;
    BestDocuments best_;
    std::vector<WindowList> lists_;
    std::vector<WindowList*> order_;
    std::vector<std::uint32_t> window_;  // scores, by document behind the window's first; 0 between windows
    std::uint32_t scores_[k_text_block];
};

}  // namespace text_search_impl

void BestDocuments::offer(ScoredDocument document) {
    if (!wants(document.score)) return;
    if (found_.size() == most_) {
        std::pop_heap(found_.begin(), found_.end(), better);
        found_.pop_back();
    }
    found_.push_back(document);
    std::push_heap(found_.begin(), found_.end(), better);
}

std::vector<ScoredDocument> BestDocuments::take() {
    std::sort(found_.begin(), found_.end(), better);
    return std::move(found_);
}

std::vector<ScoredDocument> search_any(const TextPlan& plan, bool in_overlay, std::size_t most) {
    return text_search_impl::AnySearch(plan, in_overlay, most).run();
}

}  // namespace northstar::inline v0::detail
