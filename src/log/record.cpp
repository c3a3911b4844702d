#include "log/record.hpp"

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace record_impl {

constexpr std::uint8_t k_known_flags = k_flag_lazy | k_flag_chain | k_flag_parts | k_flag_redacted;

constexpr bool has_operations(RecordKind kind) { return kind == RecordKind::commit || kind == RecordKind::part; }

bool has_value(OperationKind kind, bool to_the_end) {
    switch (kind) {
        case OperationKind::put:
        case OperationKind::create_tree:
        case OperationKind::set_history:
        case OperationKind::redact:
        case OperationKind::prune: return true;
        case OperationKind::erase_range: return !to_the_end;
        case OperationKind::erase:
        case OperationKind::drop_tree: return false;
    }
    return false;
}

const std::byte* parse_operation(const std::byte* at, const std::byte* end, LogOperation& operation) {
    if (at == end) return nullptr;
    const std::uint8_t head = std::to_integer<std::uint8_t>(*at++);
    const std::uint8_t kind = head & k_operation_kind_mask;
    if (kind < 1 || kind > 8) return nullptr;
    operation.kind = static_cast<OperationKind>(kind);
    operation.redacted = (head & k_operation_redacted) != 0;
    operation.to_the_end = (head & k_operation_to_the_end) != 0;
    if ((head & 0x30) != 0) return nullptr;
    if (operation.redacted && operation.kind != OperationKind::put) return nullptr;
    if (operation.to_the_end && operation.kind != OperationKind::erase_range) return nullptr;
    std::uint64_t key_length = 0;
    std::uint64_t value_length = 0;
    at = load_varint(at, end, operation.tree);
    if (at == nullptr) return nullptr;
    at = load_varint(at, end, key_length);
    if (at == nullptr) return nullptr;
    const bool valued = has_value(operation.kind, operation.to_the_end);
    if (valued) {
        at = load_varint(at, end, value_length);
        if (at == nullptr) return nullptr;
    }
    const std::uint64_t room = static_cast<std::uint64_t>(end - at);
    if (key_length > room || value_length > room - key_length) return nullptr;
    if (value_length > 0xffffffffu || key_length > 0xffffffffu) return nullptr;
    const char* text = reinterpret_cast<const char*>(at);
    operation.key = {text, key_length};
    operation.value = {text + key_length, value_length};
    return at + key_length + value_length;
}

void store_header(std::byte* to, const RecordHeader& header) {
    store_u32(to, 0);
    store_u32(to + 4, static_cast<std::uint32_t>(header.length / k_record_align));
    store_u64(to + 8, header.position);
    store_u64(to + 16, header.epoch);
    store_u64(to + 24, header.txn);
    store_u64(to + 32, header.time_us);
    store_u64(to + 40, header.durable);
    to[48] = static_cast<std::byte>(header.kind);
    to[49] = static_cast<std::byte>(header.flags);
    store_u16(to + 50, header.annotations);
    store_u32(to + 52, header.count);
}

std::uint64_t front_size(RecordKind kind, bool chain, bool parts) {
    return k_record_header_size + (has_operations(kind) ? k_record_nonce_size : 0) +
           (chain ? k_record_chain_size : 0) + (parts ? k_record_parts_size : 0);
}

std::byte* store_front(std::byte* to, RecordHeader header, const RecordFields& fields) {
    header.position = fields.position;
    header.epoch = fields.epoch;
    header.txn = fields.txn;
    header.time_us = fields.time_us;
    header.durable = fields.durable;
    header.flags = static_cast<std::uint8_t>((fields.lazy ? k_flag_lazy : 0) | (fields.chain ? k_flag_chain : 0) |
                                             (fields.parts.count != 0 ? k_flag_parts : 0));
    store_header(to, header);
    to += k_record_header_size;
    if (has_operations(header.kind)) {
        std::memcpy(to, fields.nonce.data(), k_record_nonce_size);
        to += k_record_nonce_size;
    }
    if (fields.chain) {
        store_u64(to, fields.chain->txn);
        std::memcpy(to + 8, fields.chain->hash.bytes, sizeof fields.chain->hash.bytes);
        to += k_record_chain_size;
    }
    if (fields.parts.count != 0) {
        store_u64(to, fields.parts.first);
        store_u32(to + 8, fields.parts.count);
        store_u32(to + 12, 0);
        to += k_record_parts_size;
    }
    return to;
}

// Sections of the canonical order.
constexpr int section(OperationKind kind) {
    switch (kind) {
        case OperationKind::drop_tree: return 0;
        case OperationKind::create_tree: return 1;
        case OperationKind::put:
        case OperationKind::erase:
        case OperationKind::erase_range: return 2;
        case OperationKind::set_history: return 3;
        case OperationKind::redact: return 4;
        case OperationKind::prune: return 5;
    }
    return 6;
}

}  // namespace record_impl

std::string encode_history(History history) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(history.kind));
    writer.varint(history.amount);
    return out;
}

History decode_history(const LogOperation& operation) {
    ByteReader reader(operation.value, "retention in a log record");
    if (operation.kind != OperationKind::create_tree && operation.kind != OperationKind::set_history) {
        reader.damaged("belongs to another kind of operation");
    }
    const std::uint8_t kind = reader.u8();
    if (kind > static_cast<std::uint8_t>(History::Kind::duration)) reader.damaged("has an unknown kind");
    History history;
    history.kind = static_cast<History::Kind>(kind);
    history.amount = reader.varint();
    reader.expect_end();
    return history;
}

std::string encode_redaction(const Redaction& redaction) {
    std::string out;
    ByteWriter writer(out);
    writer.varint(redaction.txn);
    writer.varint(redaction.position);
    writer.varint(redaction.part);
    writer.varint(redaction.index);
    writer.bytes(std::as_bytes(std::span(redaction.original.bytes)));
    writer.bytes(std::as_bytes(std::span(redaction.remaining.bytes)));
    return out;
}

std::string encode_pruning(const Pruning& pruning) {
    std::string out;
    ByteWriter writer(out);
    writer.varint(pruning.horizon);
    writer.bytes(std::as_bytes(std::span(pruning.chain.bytes)));
    if (pruning.state) writer.bytes(std::as_bytes(std::span(pruning.state->bytes)));
    return out;
}

Pruning decode_pruning(const LogOperation& operation) {
    ByteReader reader(operation.value, "horizon in a log record");
    if (operation.kind != OperationKind::prune || operation.tree != 0) {
        reader.damaged("belongs to another kind of operation");
    }
    Pruning pruning;
    pruning.horizon = reader.varint();
    std::memcpy(pruning.chain.bytes, reader.bytes(32).data(), 32);
    if (reader.remaining() != 0) std::memcpy(pruning.state.emplace().bytes, reader.bytes(32).data(), 32);
    reader.expect_end();
    return pruning;
}

Redaction decode_redaction(const LogOperation& operation) {
    ByteReader reader(operation.value, "redaction in a log record");
    if (operation.kind != OperationKind::redact) reader.damaged("belongs to another kind of operation");
    Redaction redaction;
    redaction.txn = reader.varint();
    redaction.position = reader.varint();
    const std::uint64_t part = reader.varint();
    const std::uint64_t index = reader.varint();
    if (part > 0xffffffffu || index > 0xffffffffu) reader.damaged("has a number that is too large");
    redaction.part = static_cast<std::uint32_t>(part);
    redaction.index = static_cast<std::uint32_t>(index);
    std::memcpy(redaction.original.bytes, reader.bytes(32).data(), 32);
    std::memcpy(redaction.remaining.bytes, reader.bytes(32).data(), 32);
    reader.expect_end();
    return redaction;
}

std::strong_ordering compare_operations(const LogOperation& a, const LogOperation& b) {
    const int section_a = record_impl::section(a.kind);
    if (const auto order = section_a <=> record_impl::section(b.kind); order != 0) return order;
    if (const auto order = a.tree <=> b.tree; order != 0) return order;
    if (section_a == 2) {
        const int point_a = a.kind == OperationKind::erase_range ? 0 : 1;
        const int point_b = b.kind == OperationKind::erase_range ? 0 : 1;
        if (const auto order = point_a <=> point_b; order != 0) return order;
        return a.key <=> b.key;
    }
    if (section_a == 4) {
        if (const auto order = a.key <=> b.key; order != 0) return order;
        return a.value <=> b.value;
    }
    return std::strong_ordering::equal;
}

bool covers(const LogOperation& erase_range, std::string_view key) {
    return erase_range.key <= key && (erase_range.to_the_end || key < erase_range.value);
}

std::uint32_t record_seed(std::span<const std::byte, 16> uuid) { return crc32c(0, uuid.data(), uuid.size()); }

std::optional<RecordHeader> peek_record(std::span<const std::byte> bytes) {
    if (bytes.size() < k_record_header_size) return std::nullopt;
    const std::byte* p = bytes.data();
    RecordHeader header;
    const std::uint8_t kind = std::to_integer<std::uint8_t>(p[48]);
    header.flags = std::to_integer<std::uint8_t>(p[49]);
    if (kind < 1 || kind > 6 || (header.flags & ~record_impl::k_known_flags) != 0) return std::nullopt;
    header.kind = static_cast<RecordKind>(kind);
    header.length = std::uint64_t{load_u32(p + 4)} * k_record_align;
    header.position = load_u64(p + 8);
    header.epoch = load_u64(p + 16);
    header.txn = load_u64(p + 24);
    header.time_us = load_u64(p + 32);
    header.durable = load_u64(p + 40);
    header.annotations = load_u16(p + 50);
    header.count = load_u32(p + 52);
    if (header.length < k_record_header_size || header.position % k_record_align != 0 ||
        header.position > ~std::uint64_t{0} - header.length || header.durable > header.position) {
        return std::nullopt;
    }
    return header;
}

bool record_intact(std::span<const std::byte> bytes, const RecordHeader& header, std::uint32_t seed) {
    if (bytes.size() < header.length) return false;
    return load_u32(bytes.data()) == crc32c(seed, bytes.data() + 4, static_cast<std::size_t>(header.length) - 4);
}

RecordView::RecordView(std::span<const std::byte> bytes) {
    const std::optional<RecordHeader> header = peek_record(bytes);
    if (!header || header->length > bytes.size()) {
        fail(Errc::corrupt, "a log record has an impossible header; restore the file from a backup");
    }
    header_ = *header;
    bytes_ = bytes.first(static_cast<std::size_t>(header_.length));
    std::uint64_t at = k_record_header_size;
    const bool operations = record_impl::has_operations(header_.kind);
    if (operations) at += k_record_nonce_size;
    if (has(k_flag_chain)) {
        chain_at_ = static_cast<std::uint32_t>(at);
        at += k_record_chain_size;
    }
    if (has(k_flag_parts)) {
        parts_at_ = static_cast<std::uint32_t>(at);
        at += k_record_parts_size;
    }
    const bool commit = header_.kind == RecordKind::commit;
    if (!commit && (header_.flags & (k_flag_lazy | k_flag_parts)) != 0) damaged("has flags of a commit");
    if (!commit && header_.annotations != 0) damaged("has annotations of a commit");
    if (!operations && has(k_flag_redacted)) damaged("has flags of a commit");
    if (at > header_.length) damaged("is shorter than its header says");
    annotations_at_ = operations_at_ = at;
    table_at_ = header_.length;
    if (operations) {
        operations_ = header_.count;
        if (has_table()) {
            const std::uint64_t table = std::uint64_t{operations_} * 4;
            if (table > header_.length - at) damaged("has more operations than bytes");
            table_at_ = header_.length - table;
        }
        if (header_.annotations != 0) {
            const std::byte* p = bytes_.data() + annotations_at_;
            for (std::uint32_t i = 0; i < header_.annotations; ++i) read_annotation(p);
            operations_at_ = static_cast<std::uint64_t>(p - bytes_.data());
        }
        if (parts_at_ != 0) {
            const PartsOf of = parts();
            if (of.count == 0 || of.first >= header_.position) damaged("names impossible parts");
        }
        return;
    }
    if (header_.kind == RecordKind::extents || header_.kind == RecordKind::next) {
        extents_ = header_.count;
        if (header_.kind == RecordKind::next) operations_at_ += 8;
        if (operations_at_ > header_.length || extents_ > (header_.length - operations_at_) / 24) {
            damaged("announces more extents than it holds");
        }
        if (header_.kind == RecordKind::next && continues_at() < end()) damaged("continues before its own end");
    } else if (header_.count != 0) {
        damaged("has operations where none belong");
    }
}

void RecordView::damaged(const char* problem) const {
    fail(Errc::corrupt, "the log record at position " + std::to_string(header_.position) + ' ' + problem +
                            "; restore the file from a backup");
}

Nonce RecordView::nonce() const {
    Nonce nonce{};
    if (record_impl::has_operations(header_.kind)) {
        std::memcpy(nonce.data(), bytes_.data() + k_record_header_size, nonce.size());
    }
    return nonce;
}

std::optional<ChainPoint> RecordView::chain() const {
    if (chain_at_ == 0) return std::nullopt;
    ChainPoint point;
    point.txn = load_u64(bytes_.data() + chain_at_);
    std::memcpy(point.hash.bytes, bytes_.data() + chain_at_ + 8, sizeof point.hash.bytes);
    return point;
}

PartsOf RecordView::parts() const {
    if (parts_at_ == 0) return {};
    return {load_u64(bytes_.data() + parts_at_), load_u32(bytes_.data() + parts_at_ + 8)};
}

RecordView::Annotation RecordView::read_annotation(const std::byte*& at) const {
    const std::byte* const end = bytes_.data() + table_at_;
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    const std::byte* p = load_varint(at, end, key);
    if (p != nullptr) p = load_varint(p, end, value);
    if (p == nullptr) damaged("has a malformed annotation");
    const std::uint64_t room = static_cast<std::uint64_t>(end - p);
    if (key > room || value > room - key) damaged("has an annotation that is longer than the record");
    const char* text = reinterpret_cast<const char*>(p);
    at = p + key + value;
    return {{text, key}, {text + key, value}};
}

const std::byte* RecordView::read_operation(const std::byte* at, LogOperation& operation) const {
    const std::byte* const next = record_impl::parse_operation(at, bytes_.data() + table_at_, operation);
    if (next == nullptr) [[unlikely]] damaged("has a malformed operation");
    operation.position = header_.position + static_cast<std::uint64_t>(at - bytes_.data());
    operation.value_position =
        header_.position + static_cast<std::uint64_t>(next - bytes_.data()) - operation.value.size();
    return next;
}

std::uint64_t RecordView::table_offset(std::uint32_t i) const {
    const std::uint64_t offset = load_u32(bytes_.data() + table_at_ + std::uint64_t{i} * 4);
    if (offset < operations_at_ || offset >= table_at_) damaged("has an operation outside its bytes");
    return offset;
}

LogOperation RecordView::operation(std::uint32_t i) const {
    NORTHSTAR_ASSERT(i < operations_);
    LogOperation operation;
    if (has_table()) {
        read_operation(bytes_.data() + table_offset(i), operation);
        return operation;
    }
    const std::byte* at = bytes_.data() + operations_at_;
    for (std::uint32_t k = 0; k <= i; ++k) at = read_operation(at, operation);
    return operation;
}

std::uint32_t RecordView::lower_bound(const LogOperation& wanted) const {
    std::uint32_t low = 0;
    std::uint32_t count = operations_;
    while (count > 0) {
        const std::uint32_t half = count / 2;
        if (compare_operations(operation(low + half), wanted) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

std::optional<LogOperation> RecordView::find(std::uint64_t tree, std::string_view key) const {
    LogOperation wanted;
    wanted.tree = tree;
    wanted.key = key;
    if (const std::uint32_t i = lower_bound(wanted); i < operations_) {
        const LogOperation found = operation(i);
        if (compare_operations(found, wanted) == 0) return found;
    }
    // The range deletion that begins last at or before the key is the only one that can cover it.
    wanted.kind = OperationKind::erase_range;
    std::uint32_t i = lower_bound(wanted);
    if (i < operations_ && compare_operations(operation(i), wanted) == 0) return operation(i);
    if (i == 0) return std::nullopt;
    const LogOperation before = operation(i - 1);
    if (before.kind == OperationKind::erase_range && before.tree == tree && covers(before, key)) return before;
    return std::nullopt;
}

Extent RecordView::extent(std::uint32_t i) const {
    NORTHSTAR_ASSERT(i < extents_);
    const std::byte* p = bytes_.data() + operations_at_ + std::uint64_t{i} * 24;
    return {load_u64(p), load_u64(p + 8), load_u64(p + 16)};
}

std::uint64_t RecordView::continues_at() const {
    NORTHSTAR_ASSERT(header_.kind == RecordKind::next);
    return load_u64(bytes_.data() + operations_at_ - 8);
}

void RecordView::validate() const {
    if (parts_at_ != 0 && load_u32(bytes_.data() + parts_at_ + 12) != 0) damaged("has bytes where zeros belong");
    const std::byte* at = bytes_.data() + annotations_at_;
    std::string_view last_key;
    for (std::uint32_t i = 0; i < header_.annotations; ++i) {
        const std::string_view key = read_annotation(at).first;
        if (i > 0 && key <= last_key) damaged("has annotations out of order");
        last_key = key;
    }
    at = bytes_.data() + operations_at_ + std::uint64_t{extents_} * 24;
    LogOperation last;
    for (std::uint32_t i = 0; i < operations_; ++i) {
        if (has_table() && table_offset(i) != static_cast<std::uint64_t>(at - bytes_.data())) {
            damaged("has a table that does not fit its operations");
        }
        LogOperation operation;
        at = read_operation(at, operation);
        if (i > 0 && compare_operations(last, operation) >= 0) damaged("has operations out of order");
        if (operation.kind == OperationKind::erase_range) {
            if (!operation.to_the_end && operation.key >= operation.value) damaged("deletes an empty range");
            if (i > 0 && last.kind == OperationKind::erase_range && last.tree == operation.tree &&
                (last.to_the_end || last.value > operation.key)) {
                damaged("has range deletions that overlap");
            }
        }
        if (operation.redacted) {
            if (!has(k_flag_redacted)) damaged("hides a redaction");
            if (operation.value.find_first_not_of('\0') != std::string_view::npos) {
                damaged("keeps a value that was redacted");
            }
        }
        if (operation.kind == OperationKind::create_tree || operation.kind == OperationKind::set_history) {
            decode_history(operation);
        }
        if (operation.kind == OperationKind::redact) decode_redaction(operation);
        if (operation.kind == OperationKind::prune) decode_pruning(operation);
        last = operation;
    }
    if (has(k_flag_redacted) && nonce() != Nonce{}) damaged("keeps the nonce of redacted values");
    const std::byte* const padding_end = bytes_.data() + table_at_;
    if (std::any_of(at, padding_end, [](std::byte b) { return b != std::byte{0}; })) {
        damaged("has bytes where zeros belong");
    }
}

bool redacts(const RecordView& record) {
    // They come last.
    return record.size() != 0 && record.operation(record.size() - 1).kind == OperationKind::redact;
}

std::uint64_t control_record_size(RecordKind kind, std::size_t extents, bool chain, std::uint32_t log_align) {
    NORTHSTAR_ASSERT(!record_impl::has_operations(kind));
    const std::uint64_t size = record_impl::front_size(kind, chain, false) +
                               (kind == RecordKind::next ? 8 : 0) + std::uint64_t{extents} * 24;
    return align_record(size, log_align);
}

void encode_control_record(std::span<std::byte> out, RecordKind kind, const RecordFields& fields,
                           std::span<const Extent> extents, std::uint64_t continues_at, std::uint32_t seed) {
    NORTHSTAR_ASSERT(!record_impl::has_operations(kind) && !fields.lazy && fields.parts.count == 0);
    NORTHSTAR_ASSERT(extents.empty() || kind == RecordKind::extents || kind == RecordKind::next);
    NORTHSTAR_ASSERT(out.size() >= control_record_size(kind, extents.size(), fields.chain.has_value(), 0));
    NORTHSTAR_ASSERT(out.size() % k_record_align == 0 && fields.durable <= fields.position);
    RecordHeader header;
    header.length = out.size();
    header.kind = kind;
    header.count = static_cast<std::uint32_t>(extents.size());
    std::byte* at = record_impl::store_front(out.data(), header, fields);
    if (kind == RecordKind::next) {
        NORTHSTAR_ASSERT(continues_at >= fields.position + out.size());
        store_u64(at, continues_at);
        at += 8;
    }
    for (const Extent& extent : extents) {
        store_u64(at, extent.logical);
        store_u64(at + 8, extent.page);
        store_u64(at + 16, extent.pages);
        at += 24;
    }
    std::memset(at, 0, static_cast<std::size_t>(out.data() + out.size() - at));
    seal_record(out, seed);
}

void place_record(std::span<std::byte> record, const RecordFields& fields) {
    NORTHSTAR_ASSERT(record.size() >= k_record_header_size && fields.durable <= fields.position);
    std::byte* p = record.data();
    store_u64(p + 8, fields.position);
    store_u64(p + 16, fields.epoch);
    store_u64(p + 24, fields.txn);
    store_u64(p + 32, fields.time_us);
    store_u64(p + 40, fields.durable);
}

void seal_record(std::span<std::byte> record, std::uint32_t seed) {
    store_u32(record.data(), crc32c(seed, record.data() + 4, record.size() - 4));
}

}  // namespace northstar::inline v0::detail
