// record_fuzz.cpp -- one record of the log: every function of its view stays inside it [RECORD-2], and one that
// validate() lets pass is byte for byte what the writer makes of its operations [RECORD-3].
#include "hard/fuzz/base_parts.hpp"
#include "hard/fuzz/mend.hpp"

#include "base/bytes.hpp"
#include "history/changes.hpp"
#include "log/chain.hpp"
#include "log/operation_list.hpp"
#include "log/record.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::uint32_t k_seed = 0x1234567;

/// Bytes are read, so that a sanitizer sees them.
std::uint64_t touch(std::string_view text) {
    std::uint64_t sum = 0;
    for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum;
}

template <class F>
void accept_damage(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) finding(std::string("damage is called ") + to_string(error.code()));
    }
}

void payload(const LogOperation& operation) {
    accept_damage([&] { decode_history(operation); });
    accept_damage([&] { decode_redaction(operation); });
    accept_damage([&] { decode_pruning(operation); });
}

void look(const RecordView& record) {
    std::uint64_t sum = 0;
    std::uint32_t walked = 0;
    accept_damage([&] {
        record.each_annotation([&](std::string_view key, std::string_view value) { sum += touch(key) + touch(value); });
    });
    accept_damage([&] {
        LogOperation operation;
        for (RecordView::Walk walk = record.walk(); walk.next(operation); ++walked) {
            sum += touch(operation.key) + touch(operation.value);
            payload(operation);
            if (walked < 64) {
                accept_damage([&] { record.find(operation.tree, operation.key); });
                accept_damage([&] { record.find(operation.tree, {}); });
            }
        }
    });
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(record.size(), 300); ++i) {
        accept_damage([&] { sum += touch(record.operation(i).value); });
    }
    for (std::uint32_t i = 0; i < record.extents(); ++i) sum += record.extent(i).page;
    if (record.kind() == RecordKind::next) sum += record.continues_at();
    if (record.chain()) sum += record.chain()->txn;
    sum += record.parts().count + std::to_integer<std::uint64_t>(record.nonce()[0]);
    accept_damage([&] {
        ChangeReader reader;
        if (reader.add(record)) {
            for (const ChangeReader::Change& change : reader.changes()) sum += touch(change.key);
        }
    });
    if (record.kind() == RecordKind::commit || record.kind() == RecordKind::part) {
        accept_damage([&] { sum += touch(record_digest(record).hex()); });
    }
    if (sum == 1) finding("a sum of bytes is one, which nothing says it cannot be");
}

/// What the writer makes of the same operations.
void write_again(const RecordView& record) {
    if (record.kind() != RecordKind::commit && record.kind() != RecordKind::part) return;
    if (record.has(k_flag_redacted)) return;
    OperationList list;
    LogOperation operation;
    for (RecordView::Walk walk = record.walk(); walk.next(operation);) list.repeat(operation);
    record.each_annotation([&](std::string_view key, std::string_view value) { list.annotate(key, value); });
    list.finish();
    RecordFields fields;
    fields.position = record.position();
    fields.epoch = record.header().epoch;
    fields.txn = record.txn();
    fields.time_us = record.header().time_us;
    fields.durable = record.header().durable;
    fields.lazy = record.has(k_flag_lazy);
    fields.chain = record.chain();
    fields.parts = record.parts();
    fields.nonce = record.nonce();
    const std::uint64_t size =
        list.record_size(record.kind(), fields.chain.has_value(), fields.parts.count != 0, 0);
    if (list.count() != record.size()) finding("a valid record has operations that cancel each other");
    // A record may be longer than it must be: zeros behind it, where records are aligned.
    if (size > record.header().length) finding("a valid record is too short for its operations");
    if (size != record.header().length) return;
    Bytes again(static_cast<std::size_t>(size));
    list.encode(again, record.kind(), fields);
    seal_record(again, k_seed);
    if (std::memcmp(again.data(), record.bytes().data(), again.size()) != 0) {
        finding("a valid record is not what the writer would have written");
    }
}

void run(std::span<const std::byte> input) {
    if (input.size() < k_record_header_size) return;
    const Bytes bytes(input.begin(), input.end());
    const std::optional<RecordHeader> header = peek_record(bytes);
    if (!header || header->length > bytes.size() || !record_intact(bytes, *header, k_seed)) return;
    // Of exactly its size, so that a sanitizer sees every step outside.
    const Bytes exact(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(header->length));
    accept_damage([&] {
        const RecordView record(exact);
        look(record);
        record.validate();
        write_again(record);
    });
}

void mend(Bytes& input) { mend_record(input, k_seed); }

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    for (const BaseFile& file : base_files()) {
        for (Bytes& record : records_of(file)) {
            if (record.size() > 8192) continue;
            mend(record);
            result.push_back(std::move(record));
        }
    }
    return result;
}

}  // namespace

const Target k_record_target = {"record", run, mend, seeds};

}  // namespace northstar::hard
