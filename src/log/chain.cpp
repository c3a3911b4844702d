#include "log/chain.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace northstar::inline v0::detail {

namespace chain_impl {

void update_text(Sha256& sha, std::string_view text) {
    sha.update_u64(text.size());
    sha.update(text);
}

Hash leaf_of(const Nonce& nonce, std::string_view value) {
    Sha256 sha;
    sha.update(nonce);
    sha.update(value);
    return sha.finish();
}

/// What stands for the values of two neighbours, where they are puts.
std::array<Hash, 2> leaves_of(const Nonce& nonce, std::span<const LogOperation> operations) {
    const auto is_put = [](const LogOperation& operation) { return operation.kind == OperationKind::put; };
    if (operations.size() == 2 && std::all_of(operations.begin(), operations.end(), is_put)) {
        return Sha256::of_two(nonce, operations[0].value, operations[1].value);
    }
    std::array<Hash, 2> leaves;
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (is_put(operations[i])) leaves[i] = leaf_of(nonce, operations[i].value);
    }
    return leaves;
}

/// `leaf` stands for a put's value.
void update_operation(Sha256& sha, const LogOperation& operation, const Hash& leaf) {
    sha.update_u64(static_cast<std::uint64_t>(operation.kind) | (operation.redacted ? 0x80u : 0u) |
                   (operation.to_the_end ? 0x40u : 0u));
    sha.update_u64(operation.tree);
    update_text(sha, operation.key);
    if (operation.kind == OperationKind::put) {
        sha.update_u64(operation.value.size());
        sha.update(leaf.bytes, sizeof leaf.bytes);
    } else {
        update_text(sha, operation.value);
    }
}

}  // namespace chain_impl

Hash record_digest(const RecordView& record) {
    NORTHSTAR_ASSERT(record.kind() == RecordKind::commit || record.kind() == RecordKind::part);
    const RecordHeader& header = record.header();
    const Nonce nonce = record.nonce();
    Sha256 sha;
    sha.update(std::string_view("northstar record"));
    sha.update_u64(static_cast<std::uint64_t>(header.kind));
    sha.update_u64(header.txn);
    sha.update_u64(header.time_us);
    sha.update_u64(header.annotations);
    record.each_annotation([&](std::string_view key, std::string_view value) {
        chain_impl::update_text(sha, key);
        chain_impl::update_text(sha, value);
    });
    sha.update_u64(record.size());
    RecordView::Walk walk = record.walk();
    LogOperation operations[2];
    for (;;) {
        std::size_t count = 0;
        while (count < 2 && walk.next(operations[count])) ++count;
        if (count == 0) return sha.finish();
        const std::array<Hash, 2> leaves = chain_impl::leaves_of(nonce, std::span(operations, count));
        for (std::size_t i = 0; i < count; ++i) chain_impl::update_operation(sha, operations[i], leaves[i]);
    }
}

Hash transaction_digest(std::span<const Hash> parts, const Hash& commit) {
    if (parts.empty()) return commit;
    Sha256 sha;
    for (const Hash& part : parts) sha.update(part.bytes, sizeof part.bytes);
    sha.update(commit.bytes, sizeof commit.bytes);
    return sha.finish();
}

Hash chain_next(const Hash& previous, const Hash& digest) {
    Sha256 sha;
    sha.update(previous.bytes, sizeof previous.bytes);
    sha.update(digest.bytes, sizeof digest.bytes);
    return sha.finish();
}

void redact_record(std::span<std::byte> record, std::uint32_t index, std::uint32_t seed) {
    const RecordView view(record);
    NORTHSTAR_ASSERT(view.kind() == RecordKind::commit || view.kind() == RecordKind::part);
    const auto missing = [&] {
        fail(Errc::corrupt, "the log record at position " + std::to_string(view.position()) +
                                " has no value to redact at operation " + std::to_string(index) +
                                "; restore the file from a backup");
    };
    if (index >= view.size()) missing();
    const LogOperation operation = view.operation(index);
    if (operation.kind != OperationKind::put) missing();
    std::byte* const first = record.data();
    first[operation.position - view.position()] |= std::byte{record_impl::k_operation_redacted};
    std::memset(first + (operation.value_position - view.position()), 0, operation.value.size());
    std::memset(first + k_record_header_size, 0, k_record_nonce_size);
    first[49] |= std::byte{k_flag_redacted};
    seal_record(record.first(static_cast<std::size_t>(view.header().length)), seed);
}

}  // namespace northstar::inline v0::detail
