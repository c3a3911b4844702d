#include "txn/spool.hpp"

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace spool_impl {

constexpr std::uint64_t k_block = std::uint64_t{1} << 20;

[[noreturn]] void damaged(std::uint64_t page) {
    fail(Errc::corrupt, "operations of this transaction that were kept in the file cannot be read back; check the disk "
                        "and try again", {}, page);
}

/// What a record of one put has in front of the value.
std::vector<std::byte> front_of_put(std::uint64_t tree, std::string_view key, std::uint64_t value_size,
                                    RecordFields fields, std::uint32_t log_align, std::uint64_t& size) {
    std::vector<std::byte> front(record_impl::front_size(RecordKind::part, false, false) + 1 + 3 * k_max_varint_size +
                                 key.size());
    RecordHeader header;
    header.kind = RecordKind::part;
    header.count = 1;
    std::byte* at = front.data() + record_impl::front_size(RecordKind::part, false, false);
    *at++ = static_cast<std::byte>(OperationKind::put);
    at = store_varint(at, tree);
    at = store_varint(at, key.size());
    at = store_varint(at, value_size);
    if (!key.empty()) std::memcpy(at, key.data(), key.size());
    at += key.size();
    front.resize(static_cast<std::size_t>(at - front.data()));
    size = align_record(front.size() + value_size, log_align);
    header.length = size;
    record_impl::store_front(front.data(), header, fields);
    return front;
}

}  // namespace spool_impl

std::uint64_t OperationSpool::largest() const {
    std::uint64_t largest = 0;
    for (const Chunk& chunk : chunks_) largest = std::max(largest, chunk.size);
    return largest;
}

OperationSpool::Chunk OperationSpool::take(std::uint64_t size, EarlyPages& space) {
    if (chunks_.size() == chunks_.capacity()) chunks_.reserve(2 * chunks_.size() + 1);
    const std::uint64_t page_size = space.source().pages().page_size();
    return {space.exactly((size + page_size - 1) / page_size), size};
}

void OperationSpool::add(const OperationList& operations, const Nonce& nonce, EarlyPages& space) {
    const std::uint64_t size = operations.record_size(RecordKind::part, false, false, log_align_);
    const Chunk chunk = take(size, space);
    try {
        RecordFields fields;
        fields.position = chunk.run.page * space.source().pages().page_size();
        fields.nonce = nonce;
        buffer_.resize(size);
        operations.encode(buffer_, RecordKind::part, fields);
        seal_record(buffer_, seed_);
        space.source().file().write(fields.position, buffer_);
    } catch (...) {
        space.give_back(chunk.run);
        throw;
    }
    chunks_.push_back(chunk);
    bytes_ += size;
}

void OperationSpool::add_put(std::uint64_t tree, std::string_view key, std::string_view value, const Nonce& nonce,
                             EarlyPages& space) {
    RecordFields fields;
    fields.nonce = nonce;
    std::uint64_t size = 0;
    std::vector<std::byte> front = spool_impl::front_of_put(tree, key, value.size(), fields, log_align_, size);
    const Chunk chunk = take(size, space);
    try {
        fields.position = chunk.run.page * space.source().pages().page_size();
        place_record(front, fields);
        const std::vector<std::byte> rest(size - front.size() - value.size());
        std::uint32_t sum = crc32c(seed_, front.data() + 4, front.size() - 4);
        sum = crc32c(sum, value.data(), value.size());
        sum = crc32c(sum, rest.data(), rest.size());
        store_u32(front.data(), sum);
        File& file = space.source().file();
        file.write(fields.position, front);
        file.write(fields.position + front.size(), std::as_bytes(std::span(value)));
        if (!rest.empty()) file.write(fields.position + front.size() + value.size(), rest);
    } catch (...) {
        space.give_back(chunk.run);
        throw;
    }
    chunks_.push_back(chunk);
    bytes_ += size;
}

void OperationSpool::truncate(std::size_t count, EarlyPages& space) {
    while (chunks_.size() > count) {
        space.give_back(chunks_.back().run);
        bytes_ -= chunks_.back().size;
        chunks_.pop_back();
    }
}

template <class F>
void OperationSpool::each_block(const Chunk& chunk, File& file, std::uint64_t page_size, F&& fn) {
    const std::uint64_t block = std::min(chunk.size, spool_impl::k_block);
    if (buffer_.size() < block) buffer_.resize(static_cast<std::size_t>(block));
    for (std::uint64_t at = 0; at < chunk.size;) {
        const std::size_t wanted = static_cast<std::size_t>(std::min(block, chunk.size - at));
        const std::span<std::byte> part(buffer_.data(), wanted);
        if (file.read(chunk.run.page * page_size + at, part) != wanted) spool_impl::damaged(chunk.run.page);
        fn(at, part);
        at += wanted;
    }
}

std::uint32_t OperationSpool::checksum_of(std::size_t i, const RecordFields& fields, File& file,
                                          std::uint64_t page_size) {
    const Chunk& chunk = chunks_[i];
    std::uint32_t found = 0;
    std::uint32_t wanted = seed_;
    std::uint32_t placed = seed_;
    each_block(chunk, file, page_size, [&](std::uint64_t at, std::span<std::byte> part) {
        if (at != 0) {
            wanted = crc32c(wanted, part.data(), part.size());
            placed = crc32c(placed, part.data(), part.size());
            return;
        }
        const std::optional<RecordHeader> header = peek_record(part);
        if (!header || header->position != chunk.run.page * page_size || header->length != chunk.size) {
            spool_impl::damaged(chunk.run.page);
        }
        found = load_u32(part.data());
        wanted = crc32c(wanted, part.data() + 4, part.size() - 4);
        place_record(part, fields);
        placed = crc32c(placed, part.data() + 4, part.size() - 4);
    });
    if (found != wanted) spool_impl::damaged(chunk.run.page);
    return placed;
}

void OperationSpool::append_to(LogStore& log, std::size_t i, const RecordFields& fields, std::uint32_t checksum,
                               File& file) {
    const Chunk& chunk = chunks_[i];
    each_block(chunk, file, log.pages().page_size(), [&](std::uint64_t at, std::span<std::byte> part) {
        if (at == 0) {
            place_record(part, fields);
            store_u32(part.data(), checksum);
        }
        log.add_block(at, part);
    });
    log.end_blocks(chunk.size);
}

}  // namespace northstar::inline v0::detail
