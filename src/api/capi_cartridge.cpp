// capi_cartridge.cpp -- the C functions of cartridges and of what is asked of them.
#include "api/capi_handles.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail::capi {

namespace capi_cartridge_impl {

BuildOptions build_options(unsigned threads) {
    BuildOptions options;
    options.threads = threads;
    return options;
}

Freshness freshness_of(int kind, std::uint64_t lag) {
    if (kind < NORTHSTAR_OVERLAY || kind > NORTHSTAR_STALE_OK) {
        fail(Errc::invalid_argument, "there is no freshness " + std::to_string(kind) +
                                         "; use NORTHSTAR_OVERLAY, NORTHSTAR_EXACT or NORTHSTAR_STALE_OK");
    }
    return {static_cast<Freshness::Kind>(kind), lag};
}

/// `elements` of an element type that is a number in the interface.
Embedding embedding_of(const EmbeddingSpace& space, const void* elements) {
    need(elements, "the vector");
    switch (space.element) {
    case VectorElement::f32: return {space, std::span(static_cast<const float*>(elements), space.dimensions)};
    case VectorElement::i8: return {space, std::span(static_cast<const std::int8_t*>(elements), space.dimensions)};
    case VectorElement::u8: break;
    }
    return {space, std::span(static_cast<const std::uint8_t*>(elements), space.dimensions)};
}

TextQuery question_of(std::string_view text, int plain) {
    return plain != 0 ? TextQuery::words(text) : TextQuery::parse(text);
}

/// Keys that begin with a prefix; every key where there is none.
std::function<bool(std::string_view)> accepts_prefix(std::string_view prefix) {
    if (prefix.empty()) return {};
    return [prefix = std::string(prefix)](std::string_view key) { return key.starts_with(prefix); };
}

northstar_hybrid_options default_hybrid_options() {
    const HybridSearch from;
    northstar_hybrid_options options = {};
    options.size = sizeof options;
    options.most = from.most;
    options.depth = from.depth;
    options.text_weight = -1;
    options.vector_weight = -1;
    options.recall = from.vectors.recall;
    return options;
}

std::optional<std::uint32_t> weight_of(std::int32_t number) {
    if (number < 0) return std::nullopt;
    return static_cast<std::uint32_t>(number);
}

HybridSearch hybrid_search_of(const northstar_hybrid_options& from) {
    if (from.recency < NORTHSTAR_RECENCY_NONE || from.recency > NORTHSTAR_RECENCY_FIELD) {
        fail(Errc::invalid_argument,
             "there is no recency " + std::to_string(from.recency) + "; use NORTHSTAR_RECENCY_...");
    }
    HybridSearch options;
    options.most = from.most;
    options.depth = from.depth;
    options.text_weight = weight_of(from.text_weight);
    options.vector_weight = weight_of(from.vector_weight);
    if (from.k != 0) options.k = from.k;
    options.vectors.recall = from.recall;
    options.accepts = accepts_prefix(bytes(from.prefix, from.prefix_size));
    options.recency.time = static_cast<HybridRecency::Time>(from.recency);
    options.recency.half_life_us = from.half_life_us;
    options.recency.field = bytes(from.field, from.field_size);
    if (from.has_now != 0) options.recency.now_us = from.now_us;
    return options;
}

}  // namespace capi_cartridge_impl

}  // namespace northstar::inline v0::detail::capi

// ---- cartridges ----

int northstar_cartridge_build(northstar_db* db, const void* name, size_t name_size, const char* kind,
                              const northstar_parameter* parameters, size_t count, unsigned threads,
                              uint64_t* built_at) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(kind, "the kind");
        if (count != 0) need(parameters, "the list of parameters");
        northstar::CartridgeParameters given;
        for (std::size_t i = 0; i < count; ++i) {
            given[std::string(bytes(parameters[i].name, parameters[i].name_size))] =
                bytes(parameters[i].value, parameters[i].value_size);
        }
        const northstar::CartridgeInfo info =
            h.cartridges.build(std::string(bytes(name, name_size)), kind, given, build_options(threads));
        if (built_at != nullptr) *built_at = info.built_at;
        return NORTHSTAR_OK;
    });
}

int northstar_cartridge_refresh(northstar_db* db, const void* name, size_t name_size, unsigned threads,
                                uint64_t* built_at) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<DbHandle>(db, [&](DbHandle& h) {
        const northstar::CartridgeInfo info =
            h.cartridges.refresh(std::string(bytes(name, name_size)), build_options(threads));
        if (built_at != nullptr) *built_at = info.built_at;
        return NORTHSTAR_OK;
    });
}

int northstar_cartridge_drop(northstar_db* db, const void* name, size_t name_size) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(
        db, [&](DbHandle& h) { return there(h.cartridges.drop(std::string(bytes(name, name_size)))); });
}

int northstar_cartridge_find(northstar_db* db, const void* name, size_t name_size, northstar_cartridge_info* info) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) -> int {
        need(info, "the struct to fill");
        const std::optional<northstar::CartridgeInfo> from = h.cartridges.find(std::string(bytes(name, name_size)));
        if (!from) return NORTHSTAR_ABSENT;
        northstar_cartridge_info to = {};
        to.built_at = from->built_at;
        to.bytes = from->bytes;
        to.kind_version = from->kind_version;
        std::memcpy(to.kind, from->kind.data(), std::min(from->kind.size(), sizeof to.kind - 1));
        std::memcpy(to.digest, from->digest.bytes, sizeof to.digest);
        return give_struct(std::move(to), info);
    });
}

int northstar_cartridge_names(northstar_db* db, northstar_names** names) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(names, "the place for the names");
        std::vector<std::string> all;
        for (northstar::CartridgeInfo& info : h.cartridges.list()) all.push_back(std::move(info.name));
        return open_handle<NamesHandle>(names, h.errors, std::move(all));
    });
}

int northstar_cartridge_verify(northstar_db* db, const void* name, size_t name_size, int rebuild,
                               northstar_report** report) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(report, "the place for the report");
        northstar::Cartridges::VerifyOptions options;
        options.rebuild = rebuild != 0;
        northstar::VerifyReport found;
        found.problems = h.cartridges.verify(std::string(bytes(name, name_size)), options);
        return open_handle<ReportHandle>(report, h.errors, std::move(found));
    });
}

int northstar_cartridge_open(northstar_db* db, northstar_snapshot* snapshot, const void* name, size_t name_size,
                             int freshness, uint64_t lag, northstar_cartridge** cartridge) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<DbHandle>(db, [&](DbHandle& h) {
        return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& s) {
            need(cartridge, "the place for the cartridge");
            if (s.errors != h.errors) {
                northstar::detail::fail(northstar::Errc::invalid_argument,
                                        "the snapshot is of another database; open one of this");
            }
            return open_handle<CartridgeHandle>(
                cartridge, h.errors,
                h.cartridges.open(s.snapshot, std::string(bytes(name, name_size)), freshness_of(freshness, lag)));
        });
    });
}

int northstar_cartridge_close(northstar_cartridge* cartridge) {
    using namespace northstar::detail::capi;
    return close<CartridgeHandle>(cartridge);
}

// ---- graph and closure ----

int northstar_edge_key(const void* from, size_t from_size, const void* type, size_t type_size, const void* to,
                       size_t to_size, void** key, size_t* key_size) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(key, "the place for a pointer");
        need(key_size, "the place for a length");
        const std::string made =
            northstar::edge_key(bytes(from, from_size), bytes(type, type_size), bytes(to, to_size));
        *key = new_copy(made);
        *key_size = made.size();
        return NORTHSTAR_OK;
    });
}

int northstar_graph_size(northstar_cartridge* graph, uint64_t* nodes, uint64_t* edges) {
    using namespace northstar::detail::capi;
    return with<CartridgeHandle>(graph, [&](CartridgeHandle& h) {
        const northstar::Graph& of = h.graph();
        if (nodes != nullptr) *nodes = of.node_count();
        if (edges != nullptr) *edges = of.edge_count();
        return NORTHSTAR_OK;
    });
}

int northstar_graph_node(northstar_cartridge* graph, const void* name, size_t name_size, uint32_t* node) {
    using namespace northstar::detail::capi;
    return with<CartridgeHandle>(
        graph, [&](CartridgeHandle& h) { return give_if(h.graph().find(bytes(name, name_size)), node); });
}

int northstar_graph_name(northstar_cartridge* graph, uint32_t node, const void** name, size_t* name_size) {
    using namespace northstar::detail::capi;
    return with<CartridgeHandle>(graph, [&](CartridgeHandle& h) {
        give(h.graph().name(node), name, name_size);
        return NORTHSTAR_OK;
    });
}

int northstar_graph_neighbours(northstar_cartridge* graph, uint32_t node, int direction, const uint32_t** nodes,
                               size_t* count) {
    using namespace northstar::detail::capi;
    return with<CartridgeHandle>(graph, [&](CartridgeHandle& h) {
        need(nodes, "the place for a pointer");
        need(count, "the place for a number");
        if (direction != NORTHSTAR_OUT && direction != NORTHSTAR_IN) {
            northstar::detail::fail(northstar::Errc::invalid_argument, "there is no direction " +
                                    std::to_string(direction) + "; use NORTHSTAR_OUT or NORTHSTAR_IN");
        }
        const std::span<const northstar::NodeId> found =
            direction == NORTHSTAR_OUT ? h.graph().out(node) : h.graph().in(node);
        *nodes = found.data();
        *count = found.size();
        return NORTHSTAR_OK;
    });
}

int northstar_graph_reaches(northstar_cartridge* closure, uint32_t from, uint32_t to, int* reaches) {
    using namespace northstar::detail::capi;
    return with<CartridgeHandle>(closure, [&](CartridgeHandle& h) {
        return give_number(static_cast<int>(h.closure().reaches(from, to)), reaches);
    });
}

// ---- vectors, text, and both ----

int northstar_vector_value(const northstar_space* space, const void* elements, void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return guard(nullptr, [&] {
        need(space, "the space");
        need(value, "the place for a pointer");
        need(value_size, "the place for a length");
        if (space->size < sizeof *space || space->element < NORTHSTAR_F32 || space->element > NORTHSTAR_U8) {
            northstar::detail::fail(northstar::Errc::invalid_argument,
                                    "the space's size is not set, or it has an element that is none of NORTHSTAR_F32, "
                                    "NORTHSTAR_I8 and NORTHSTAR_U8");
        }
        need(space->model, "the model of the space");
        const northstar::EmbeddingSpace of{space->model, space->dimensions,
                                           static_cast<northstar::VectorElement>(space->element),
                                           space->normalised != 0};
        const northstar::Embedding made = embedding_of(of, elements);
        *value = new_copy(made.value());
        *value_size = made.value().size();
        return NORTHSTAR_OK;
    });
}

int northstar_hashed_embedding(const void* text, size_t text_size, float* elements, uint32_t dimensions) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(elements, "the place for the vector");
        const std::vector<float> floats =
            northstar::hashed_embedding(bytes(text, text_size), {.dimensions = dimensions}).floats();
        std::copy(floats.begin(), floats.end(), elements);
        return NORTHSTAR_OK;
    });
}

int northstar_text_search(northstar_cartridge* text, const void* question, size_t question_size, int plain,
                          size_t most, northstar_hits** hits) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<CartridgeHandle>(text, [&](CartridgeHandle& h) {
        need(hits, "the place for the hits");
        std::vector<northstar::HybridHit> found;
        for (northstar::TextHit& hit : h.text().search(question_of(bytes(question, question_size), plain), most)) {
            northstar::HybridHit& to = found.emplace_back();
            to.key = std::move(hit.key);
            to.score = hit.score;
        }
        return open_handle<HitsHandle>(hits, h.errors, std::move(found));
    });
}

int northstar_vector_search(northstar_cartridge* vectors, const void* elements, uint32_t most, double recall,
                            const void* prefix, size_t prefix_size, northstar_hits** hits) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<CartridgeHandle>(vectors, [&](CartridgeHandle& h) {
        need(hits, "the place for the hits");
        northstar::VectorFilter filter;
        filter.accepts = accepts_prefix(bytes(prefix, prefix_size));
        northstar::VectorSearch options;
        options.recall = recall;
        if (filter.accepts) options.filter = &filter;
        const northstar::Vectors& of = h.vectors();
        std::vector<northstar::HybridHit> found;
        for (const auto& row : of.search(embedding_of(of.space(), elements), most, options).rows) {
            northstar::HybridHit& to = found.emplace_back();
            to.key = row.key;
            to.vector_distance = row.distance;
        }
        return open_handle<HitsHandle>(hits, h.errors, std::move(found));
    });
}

int northstar_hybrid_options_init(northstar_hybrid_options* options, size_t size) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return init_struct(default_hybrid_options(), options, size);
}

int northstar_hybrid_search(northstar_snapshot* snapshot, northstar_cartridge* text, northstar_cartridge* vectors,
                            const void* question, size_t question_size, const void* elements,
                            const northstar_hybrid_options* options, northstar_hits** hits) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_cartridge_impl;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& s) {
        return with<CartridgeHandle>(text, [&](CartridgeHandle& words) {
            return with<CartridgeHandle>(vectors, [&](CartridgeHandle& near) {
                need(hits, "the place for the hits");
                if (words.errors != s.errors || near.errors != s.errors) {
                    northstar::detail::fail(northstar::Errc::invalid_argument,
                                            "snapshot and cartridges are of different databases");
                }
                const northstar_hybrid_options given = known_struct(default_hybrid_options(), options);
                const northstar::Hybrid hybrid(s.snapshot, words.cartridge, near.cartridge);
                const std::string_view asked = bytes(question, question_size);
                const northstar::EmbeddingSpace& space = hybrid.vectors().space();
                if (elements == nullptr && space.model != northstar::hashed_embedding_space().model) {
                    northstar::detail::fail(northstar::Errc::invalid_argument,
                                            "the vector of the question is NULL, and those of the cartridge are no "
                                            "hashed embeddings; give one");
                }
                const northstar::Embedding vector =
                    elements != nullptr ? embedding_of(space, elements)
                                        : northstar::hashed_embedding(asked, {.dimensions = space.dimensions});
                return open_handle<HitsHandle>(
                    hits, s.errors,
                    hybrid.search(question_of(asked, given.plain), vector, hybrid_search_of(given)));
            });
        });
    });
}

int northstar_hits_count(northstar_hits* hits, size_t* count) {
    using namespace northstar::detail::capi;
    return with<HitsHandle>(hits, [&](HitsHandle& h) { return give_number(h.items.size(), count); });
}

int northstar_hits_get(northstar_hits* hits, size_t index, northstar_hit* hit) {
    using namespace northstar::detail::capi;
    return with<HitsHandle>(hits, [&](HitsHandle& h) {
        const northstar::HybridHit& from = item(h.items, index);
        northstar_hit to = {};
        give(from.key, &to.key, &to.key_size);
        to.score = from.score;
        to.distance = from.vector_distance;
        to.text_rank = from.text_rank;
        to.vector_rank = from.vector_rank;
        to.text_part = from.text_part;
        to.vector_part = from.vector_part;
        to.recency = from.recency;
        return give_struct(std::move(to), hit);
    });
}

int northstar_hits_close(northstar_hits* hits) {
    using namespace northstar::detail::capi;
    return close<HitsHandle>(hits);
}
