// texts_hybrid.hpp -- search by words and by vectors together, beside each of them alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What one way to ask costs and finds.
struct HybridRow {
    std::string name;  ///< "words", "vectors" or "both"
    double p50_us = 0;
    double p99_us = 0;
    double gain = 0;  ///< as the caller judges; 0 where it does not
};

/// Builds a text with Porter's stems and hashed embeddings of the documents in a database at `path`, and asks for the
/// best `most` documents, `rounds` times. judge(search) gives a gain; search(question) gives numbers of documents.
using HybridSearchFunction = std::function<std::vector<std::uint32_t>(const std::string& question)>;
std::vector<HybridRow> measure_hybrid(const std::string& path, const std::vector<std::string>& documents,
                                      const std::vector<std::string>& questions, std::size_t most, unsigned rounds,
                                      const std::function<double(const HybridSearchFunction&)>& judge);

}  // namespace bench
