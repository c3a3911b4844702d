#include "texts_hybrid.hpp"

#include <algorithm>

#include "command.hpp"
#include "measure.hpp"
#include "northstar.hpp"

namespace bench {

namespace texts_hybrid_impl {

std::string key_of(std::size_t number) {
    const std::string digits = std::to_string(number);
    return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

void fill(northstar::Database& database, const std::vector<std::string>& documents) {
    northstar::Transaction tx = database.begin_write();
    northstar::WritableTree texts = tx.tree("documents");
    northstar::WritableTree vectors = tx.tree("vectors");
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (stop_requested()) throw Interrupted();
        texts.append(key_of(i), documents[i]);
        vectors.append(key_of(i), northstar::hashed_embedding(documents[i]).value());
    }
    tx.commit();
}

}  // namespace texts_hybrid_impl

std::vector<HybridRow> measure_hybrid(const std::string& path, const std::vector<std::string>& documents,
                                      const std::vector<std::string>& questions, std::size_t most, unsigned rounds,
                                      const std::function<double(const HybridSearchFunction&)>& judge) {
    using namespace texts_hybrid_impl;
    northstar::Database database = northstar::Database::open(path);
    fill(database, documents);
    northstar::Cartridges cartridges(database);
    cartridges.build("text", "text", {{"stemming", "porter"}, {"positions", "no"}});
    const northstar::EmbeddingSpace space = northstar::hashed_embedding_space();
    cartridges.build("vectors", "vectors", {{"model", space.model},
                                            {"dimensions", std::to_string(space.dimensions)},
                                            {"normalised", "yes"}});
    database.checkpoint();
    const northstar::Snapshot snapshot = database.begin_read();
    const northstar::Hybrid hybrid(snapshot, cartridges.open(snapshot, "text"), cartridges.open(snapshot, "vectors"));

    const std::size_t depth = std::max<std::size_t>(100, 4 * most);  // of both legs, so that each alone is asked alike
    const auto numbers = [](const auto& hits, std::size_t limit) {
        std::vector<std::uint32_t> found;
        for (const auto& hit : hits) {
            if (found.size() == limit) break;
            found.push_back(static_cast<std::uint32_t>(std::stoul(std::string(hit.key))));
        }
        return found;
    };
    struct Way {
        const char* name;
        HybridSearchFunction search;
        LatencyHistogram latencies;
    };
    Way ways[] = {{"words",
                   [&](const std::string& question) {
                       return numbers(hybrid.text().search(northstar::TextQuery::words(question), depth), most);
                   },
                   {}},
                  {"vectors",
                   [&](const std::string& question) {
                       const northstar::Embedding vector = northstar::hashed_embedding(question);
                       return numbers(hybrid.vectors().search(vector, static_cast<std::uint32_t>(depth)).rows, most);
                   },
                   {}},
                  {"both",
                   [&](const std::string& question) {
                       northstar::HybridSearch options;
                       options.most = most;
                       options.depth = depth;
                       return numbers(hybrid.search(question, options), most);
                   },
                   {}}};
    for (unsigned round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < std::size(ways); ++i) {
            Way& way = ways[(i + round) % std::size(ways)];
            for (const std::string& question : questions) {
                if (stop_requested()) throw Interrupted();
                const std::uint64_t start = thread_cpu_ns();
                way.search(question);
                way.latencies.add(thread_cpu_ns() - start);
            }
        }
    }
    std::vector<HybridRow> rows;
    for (const Way& way : ways) {
        rows.push_back({way.name, way.latencies.percentile(0.5) / 1e3, way.latencies.percentile(0.99) / 1e3,
                        judge(way.search)});
    }
    return rows;
}

}  // namespace bench
