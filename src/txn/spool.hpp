// spool.hpp -- operations of a transaction too large for memory, kept in the file until it is committed.
// Layer: txn.  Threads: the transaction's.
//
// A chunk has the form of a part record, in pages that only the transaction knows. The commit copies the chunks into
// the log as its parts, once their room there is reserved: until then the log knows nothing of the transaction, and
// taking it back costs nothing.
//
// [SPOOL-1] Bytes of a chunk are verified before they are believed, as everything that was in the file.
#pragma once

#include "log/operation_list.hpp"
#include "log/store.hpp"
#include "pager/early_pages.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class OperationSpool {
public:
    explicit OperationSpool(const LogStore& log) : seed_(log.seed()), log_align_(log.log_align()) {}

    bool empty() const { return chunks_.empty(); }
    std::size_t size() const { return chunks_.size(); }
    /// Bytes that the chunks take in the log.
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t largest() const;

    /// Adds the operations of a finished list. After an error nothing is added.
    void add(const OperationList& operations, const Nonce& nonce, EarlyPages& space);
    /// Adds one put, whose value is written from where it lies.
    void add_put(std::uint64_t tree, std::string_view key, std::string_view value, const Nonce& nonce,
                 EarlyPages& space);
    /// Forgets all chunks but the first `count`.
    void truncate(std::size_t count, EarlyPages& space);
    void clear() {
        chunks_.clear();
        bytes_ = 0;
    }

    /// Checksum of chunk i as a part with these fields. Throws Error(corrupt) where the chunk is not as it was written.
    std::uint32_t checksum_of(std::size_t i, const RecordFields& fields, File& file, std::uint64_t page_size);
    /// Appends chunk i to the log as that part. Call with the turn, behind checksum_of(): it needs no more memory.
    void append_to(LogStore& log, std::size_t i, const RecordFields& fields, std::uint32_t checksum, File& file);

private:
    struct Chunk {
        PageRun run;
        std::uint64_t size;
    };
    Chunk take(std::uint64_t size, EarlyPages& space);
    /// Calls fn(offset in the chunk, bytes that may be changed) for each block.
    template <class F>
    void each_block(const Chunk& chunk, File& file, std::uint64_t page_size, F&& fn);
    const std::uint32_t seed_;
    const std::uint32_t log_align_;
    std::vector<Chunk> chunks_;
    std::uint64_t bytes_ = 0;
    std::vector<std::byte> buffer_;
};

}  // namespace northstar::inline v0::detail
