// log_support.hpp -- a log in memory for tests: extents in a byte vector, records appended by the rules.
#pragma once

#include "base/random.hpp"
#include "log/chain.hpp"
#include "log/extents.hpp"
#include "log/operation_list.hpp"
#include "log/record.hpp"
#include "log/scan.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace log_test {

using namespace northstar;
using namespace northstar::detail;

inline constexpr std::uint32_t k_page = 4096;

/// A record of the list's operations, sealed with the seed 7.
inline std::vector<std::byte> encode(OperationList& list, const RecordFields& fields, std::uint32_t log_align = 0,
                                     RecordKind kind = RecordKind::commit) {
    list.finish();
    std::vector<std::byte> bytes(
        list.record_size(kind, fields.chain.has_value(), fields.parts.count != 0, log_align));
    list.encode(bytes, kind, fields);
    seal_record(bytes, 7);
    return bytes;
}

inline RecordView view_of(const std::vector<std::byte>& bytes, std::uint32_t seed = 7) {
    const std::optional<RecordHeader> header = peek_record(bytes);
    REQUIRE(header);
    REQUIRE(record_intact(bytes, *header, seed));
    return RecordView(bytes);
}

inline RecordFields some_fields() {
    RecordFields fields;
    fields.position = 4096;
    fields.epoch = 3;
    fields.txn = 17;
    fields.time_us = 123456789;
    fields.durable = 4000;
    fields.nonce.fill(std::byte{0x5a});
    return fields;
}

class MemoryLog : public LogBytes {
public:
    explicit MemoryLog(std::uint64_t pages) : file(pages * k_page) {}
    std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
        bytes_read += length;
        if (offset >= file.size()) return {};
        // A copy of exact size, so that the address sanitizer sees every step outside.
        buffer.assign(file.begin() + static_cast<std::ptrdiff_t>(offset),
                      file.begin() + static_cast<std::ptrdiff_t>(offset + std::min(length, file.size() - offset)));
        return buffer;
    }
    std::vector<std::byte> file;
    std::vector<std::byte> buffer;
    std::uint64_t bytes_read = 0;
};

inline Nonce random_nonce(Random& random) {
    Nonce nonce;
    random.fill(nonce);
    return nonce;
}

// Appends records to a MemoryLog as a writer would.
class Writer {
public:
    Writer(MemoryLog& log, std::vector<Extent> extents, std::uint64_t random_seed)
        : log_(log), spare_(std::move(extents)), random_(random_seed) {
        directory.add(spare_.front());
        at.position = spare_.front().logical;
        at.epoch = next_epoch(0, static_cast<std::uint32_t>(random_.next()));
        spare_.erase(spare_.begin());
    }

    RecordFields fields() {
        RecordFields f;
        f.position = at.position;
        f.epoch = at.epoch;
        f.txn = at.txn;
        f.time_us = at.time_us;
        f.durable = at.durable;
        return f;
    }
    std::byte* place(std::uint64_t position) {
        return log_.file.data() + directory.find(position)->offset;
    }
    // Makes room for `size` bytes, over a `next` record if need be.
    void make_room(std::uint64_t size) {
        if (directory.find(at.position)->remaining >= size + k_extent_reserve) return;
        REQUIRE(!spare_.empty());
        const Extent extent = spare_.front();
        spare_.erase(spare_.begin());
        const std::uint64_t length = control_record_size(RecordKind::next, 1, false, 0);
        encode_control_record({place(at.position), length}, RecordKind::next, fields(), {&extent, 1},
                              extent.logical, seed);
        directory.add(extent);
        starts.push_back(at.position);
        at.position = extent.logical;
    }
    std::uint64_t control(RecordKind kind, std::optional<ChainPoint> chain = {}) {
        const std::uint64_t length = control_record_size(kind, 0, chain.has_value(), 0);
        make_room(length);
        RecordFields f = fields();
        f.chain = chain;
        encode_control_record({place(at.position), length}, kind, f, {}, 0, seed);
        starts.push_back(at.position);
        at.position += length;
        return starts.back();
    }
    std::uint64_t piece(OperationList& list, RecordKind kind, PartsOf parts = {}) {
        list.finish();
        const std::uint64_t length = list.record_size(kind, false, parts.count != 0, log_align);
        make_room(length);
        if (kind == RecordKind::commit) ++at.txn;
        at.time_us += random_.below(1000);
        RecordFields f = fields();
        f.parts = parts;
        f.nonce = random_nonce(random_);
        std::span<std::byte> out(place(at.position), length);
        list.encode(out, kind, f);
        seal_record(out, seed);
        starts.push_back(at.position);
        at.position += length;
        if (kind == RecordKind::part) {
            list.clear_operations();
        } else {
            list.clear();
        }
        return starts.back();
    }
    std::uint64_t commit(OperationList& list) { return piece(list, RecordKind::commit); }

    ExtentDirectory directory{k_page};
    LogCursor at;
    std::vector<std::uint64_t> starts;
    std::uint32_t seed = 0x1234567;
    std::uint32_t log_align = 0;

private:
    MemoryLog& log_;
    std::vector<Extent> spare_;
    Random random_;
};

}  // namespace log_test
