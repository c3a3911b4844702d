// hybrid.cpp -- Hybrid: two searches, their ranks fused, and the age of what they found.
#include "cartridge/access.hpp"
#include "cartridge/rank_fusion.hpp"
#include "cartridge/valid_time.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0 {

namespace detail {

namespace hybrid_impl {

constexpr std::size_t k_least_depth = 100;
constexpr std::size_t k_depth_for_each = 4;
/// Chosen on judged questions: on Cranfield's, on the same with letters exchanged, and on pages of a manual found by
/// one of their passages, these are above the better leg alone, whatever the seeds of the hashes.
constexpr std::uint32_t k_text_weight_beside_hashes = 6;
constexpr std::uint32_t k_fusion_of_hashes = 30;
constexpr std::uint32_t k_fusion = 60;

[[noreturn]] void refuse(const std::string& sentence) { fail(Errc::invalid_argument, sentence); }

std::string tree_of(const Cartridge& cartridge, const char* otherwise) {
    const CartridgeParameters& parameters = cartridge.info().parameters;
    const auto found = parameters.find("tree");
    return found != parameters.end() ? found->second : otherwise;
}

bool is_hashed(const EmbeddingSpace& space) {
    return space.model == hashed_embedding_space().model && space.element == VectorElement::f32;
}

/// Where no more is asked for than there is: what a search is given as its bound.
std::size_t depth_of(const HybridSearch& options) {
    if (options.depth != 0) return options.depth;
    return std::max(k_least_depth, std::min(options.most, ~std::size_t{0} / k_depth_for_each) * k_depth_for_each);
}

/// The best answers that pass. A search by words knows no filter: it is asked for more until enough of them do.
std::vector<TextHit> text_leg(const Text& text, const TextQuery& words, std::size_t depth,
                              const HybridSearch& options) {
    if (!options.accepts) return text.search(words, depth);
    for (std::size_t asked = depth;; asked = asked > ~std::size_t{0} / 4 ? ~std::size_t{0} : asked * 4) {
        std::vector<TextHit> hits = text.search(words, asked);
        const bool all = hits.size() < asked;
        std::erase_if(hits, [&](const TextHit& hit) { return !options.accepts(hit.key); });
        if (!all && hits.size() < depth) continue;
        if (hits.size() > depth) hits.resize(depth);
        return hits;
    }
}

std::vector<VectorAnswer::Row> vector_leg(const Vectors& vectors, const Embedding& vector, std::size_t depth,
                                          const HybridSearch& options) {
    VectorSearch search = options.vectors;
    VectorFilter filter;
    filter.accepts = options.accepts;
    search.filter = options.accepts ? &filter : nullptr;
    const std::uint64_t rows = std::max<std::uint64_t>(vectors.size(), 1);
    return vectors.search(vector, static_cast<std::uint32_t>(std::min<std::uint64_t>(depth, rows)), search).rows;
}

/// Times of documents, of one search.
class Clock {
public:
    Clock(const HybridRecency& recency, const Tree& documents, const Tree& entries)
        : recency_(recency), documents_(documents), entries_(entries) {}

    std::optional<std::uint64_t> time_of(const std::string& key) {
        switch (recency_.time) {
        case HybridRecency::Time::commit: return commit_time(key);
        case HybridRecency::Time::field: {
            const std::optional<std::string_view> value = documents_.get(key);
            return value ? time_of_member(*value, recency_.field) : std::nullopt;
        }
        case HybridRecency::Time::given: return recency_.valid_time_us(key, documents_.get(key));
        case HybridRecency::Time::none: break;
        }
        return std::nullopt;
    }

private:
    std::optional<std::uint64_t> commit_time(const std::string& key) {
        std::optional<Txn> txn = documents_.txn_of(key);
        if (!txn) txn = entries_.txn_of(key);
        if (!txn) return std::nullopt;  // gone by now: an older state was allowed
        const auto [known, is_new] = commits_.emplace(*txn, 0);
        if (!is_new) return known->second;
        const ReadView& view = CartridgeAccess::view(documents_);
        const Base& base = *view.root->base;
        if (view.core->keeps_history(*view.root)) base.history->index(view.root->txn.load());
        const std::uint64_t time = view.core->time_of(base, *txn);
        return known->second = time != 0 ? time : base.horizon.first.time_us;
    }

    const HybridRecency& recency_;
    const Tree& documents_;
    const Tree& entries_;
    std::map<Txn, std::uint64_t> commits_;  // many documents are of one commit
};

/// The numbers of the fusion, with the defaults for these vectors.
struct Weights {
    Weights(const HybridSearch& options, const EmbeddingSpace& space)
        : text(options.text_weight.value_or(is_hashed(space) ? k_text_weight_beside_hashes : 1)),
          vectors(options.vector_weight.value_or(1)),
          k(options.k.value_or(is_hashed(space) ? k_fusion_of_hashes : k_fusion)) {}
    const std::uint32_t text;
    const std::uint32_t vectors;
    const std::uint32_t k;
};

void check(const Weights& weights, const HybridRecency& recency) {
    if (std::max(weights.text, weights.vectors) > k_fusion_most_weight) {
        refuse("the leg of a hybrid search weighs at most 1000, not " +
               std::to_string(std::max(weights.text, weights.vectors)));
    }
    if (weights.text == 0 && weights.vectors == 0) refuse("both legs of a hybrid search weigh 0; one must count");
    if (weights.k == 0) refuse("the k of a hybrid search is at least 1");
    if (recency.time == HybridRecency::Time::none) return;
    if (recency.half_life_us == 0) refuse("the half-life of a hybrid search is at least 1 microsecond");
    if (recency.time == HybridRecency::Time::field && recency.field.empty()) {
        refuse("the recency of a hybrid search does not say which member of a document is its time");
    }
    if (recency.time == HybridRecency::Time::given && !recency.valid_time_us) {
        refuse("the recency of a hybrid search has no function that gives the time of a document");
    }
}

/// What was found, before it is put in order.
struct Candidate {
    HybridHit hit;
    std::uint64_t units = 0;
};

}  // namespace hybrid_impl

}  // namespace detail

Hybrid::Hybrid(const Snapshot& snapshot, const Cartridge& text, const Cartridge& vectors) try
    : text_(text), vectors_(vectors),
      documents_(snapshot.tree(detail::hybrid_impl::tree_of(text, "documents"))),
      entries_(snapshot.tree(detail::hybrid_impl::tree_of(vectors, "vectors"))),
      snapshot_time_us_(snapshot.time_us()) {
    for (const Cartridge* const cartridge : {&text, &vectors}) {
        if (cartridge->txn() == snapshot.txn()) continue;
        detail::hybrid_impl::refuse("the cartridge '" + cartridge->info().name + "' was opened for txn " +
                                    std::to_string(cartridge->txn()) + ", and the snapshot is of txn " +
                                    std::to_string(snapshot.txn()) + "; open both for one snapshot");
    }
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<HybridHit> Hybrid::search(const TextQuery& words, const Embedding& vector,
                                      const HybridSearch& options) const try {
    using namespace detail::hybrid_impl;
    const Weights weights(options, vectors_.space());
    check(weights, options.recency);
    if (options.most == 0) return {};
    const std::size_t depth = depth_of(options);

    std::map<std::string, Candidate, std::less<>> found;
    if (weights.text != 0) {
        std::uint32_t rank = 0;
        for (TextHit& one : text_leg(text_, words, depth, options)) {
            Candidate& candidate = found[one.key];
            candidate.hit.text_rank = ++rank;
            candidate.hit.text_score = one.score;
            const std::uint64_t part = detail::fusion_part(weights.text, weights.k, rank);
            candidate.units += part;
            candidate.hit.text_part = detail::fusion_points(part);
        }
    }
    if (weights.vectors != 0) {
        std::uint32_t rank = 0;
        for (const VectorAnswer::Row& row : vector_leg(vectors_, vector, depth, options)) {
            auto place = found.find(row.key);
            if (place == found.end()) place = found.emplace(std::string(row.key), Candidate()).first;
            Candidate& candidate = place->second;
            candidate.hit.vector_rank = ++rank;
            candidate.hit.vector_distance = row.distance;
            const std::uint64_t part = detail::fusion_part(weights.vectors, weights.k, rank);
            candidate.units += part;
            candidate.hit.vector_part = detail::fusion_points(part);
        }
    }

    Clock clock(options.recency, documents_, entries_);
    const std::uint64_t now = options.recency.now_us.value_or(snapshot_time_us_);
    std::vector<Candidate> ranked;
    ranked.reserve(found.size());
    for (auto& [key, candidate] : found) {
        candidate.hit.key = key;
        candidate.hit.time_us = clock.time_of(key);
        if (candidate.hit.time_us && *candidate.hit.time_us < now) {
            const std::uint64_t age = now - *candidate.hit.time_us;
            const std::uint64_t half_life = options.recency.half_life_us;
            candidate.units = detail::fusion_aged(candidate.units, age, half_life);
            candidate.hit.recency = detail::fusion_points(detail::fusion_aged(detail::k_fusion_one, age, half_life));
        }
        candidate.hit.score = detail::fusion_points(candidate.units);
        ranked.push_back(std::move(candidate));
    }
    // They are in the order of keys: equal scores stay in it.
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Candidate& a, const Candidate& b) { return a.units > b.units; });
    if (ranked.size() > options.most) ranked.resize(options.most);
    std::vector<HybridHit> hits;
    hits.reserve(ranked.size());
    for (Candidate& candidate : ranked) hits.push_back(std::move(candidate.hit));
    return hits;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<HybridHit> Hybrid::search(std::string_view text, const HybridSearch& options) const try {
    using namespace detail::hybrid_impl;
    const EmbeddingSpace& space = vectors_.space();
    if (!is_hashed(space)) {
        refuse("the vectors are of " + to_string(space) + ", which no text can be turned into here; give the vector of "
               "the question");
    }
    return search(TextQuery::words(text), hashed_embedding(text, {.dimensions = space.dimensions}), options);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
