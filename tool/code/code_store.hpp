// code_store.hpp -- brings the code trees of a database from one state of a repository to the next.
//
// [STORE-1] The trees are a function of the files alone: the order in which files came, and whether they came in one
// run
//           or in many, makes no difference.
// [STORE-2] Entries that stay as they are are not written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chunks.hpp"
#include "code_model.hpp"
#include "northstar.hpp"

namespace northstar_tool::code {

/// The embedding of chunks: model and dimensions are those of northstar_embedding.hpp.
inline constexpr std::uint32_t k_dimensions = 256;

class CodeStore {
public:
    /// Reads what the database holds. threads: how many embed chunks; 0: as many as the processor has.
    explicit CodeStore(const northstar::Database& database, unsigned threads = 0);

    const CodeModel& model() const { return model_; }
    /// Whether the file is there with this content.
    bool has(const std::string& node, std::string_view blob) const;
    /// content: nullopt where it was not read, and `skipped` says why (or the language is not known).
    void put_file(const std::string& node, std::string blob, const std::optional<std::string>& content,
                  std::string_view skipped);
    void remove_file(const std::string& node);
    /// Writes everything since the last time. To be followed by a commit.
    void write(northstar::Transaction& transaction);

    /// Names and edges that were longer than a key may be, so far.
    std::uint64_t left_out() const { return left_out_; }
    /// Entries written or erased so far.
    std::uint64_t written() const { return written_; }

private:
    struct Pending {
        std::map<std::string, std::string> functions_before;  ///< id -> name
        std::vector<std::string> chunks_before;               ///< keys
        std::vector<Chunk> chunks;
        std::vector<std::string> embeddings;                  ///< of chunks, in their order; made by embed_chunks()
    };
    Pending& pending(const std::string& node);
    void put(northstar::WritableTree& tree, std::string_view key, std::string_view value);
    void erase(northstar::WritableTree& tree, std::string_view key);
    void write_functions(northstar::Transaction& transaction, const std::string& node, const Pending& change);
    using PendingFiles = std::map<std::string, Pending>;
    /// On several threads: each is a function of its chunk alone, so that their number makes no difference.
    void embed_chunks(PendingFiles::iterator first, PendingFiles::iterator last);
    void write_file(northstar::Transaction& transaction, const std::string& node, const Pending& change);
    void write_chunks(northstar::Transaction& transaction, const Pending& change);
    /// Makes the edges that leave a node these.
    void write_edges(northstar::WritableTree& tree, const std::string& node,
                     const std::map<std::string, std::string_view>& edges);

    CodeModel model_;
    std::size_t longest_key_;
    unsigned threads_;
    PendingFiles pending_;
    std::uint64_t left_out_ = 0;
    std::uint64_t written_ = 0;
};

}  // namespace northstar_tool::code
