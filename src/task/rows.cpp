#include "task/rows.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace rows_impl {

[[noreturn]] void bad_key() {
    fail(Errc::corrupt, "a row of the task queue has a key of another shape; run 'northstar verify', and restore the "
                        "file from a backup or drop the trees of the queue");
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

constexpr std::size_t k_number = 8;

}  // namespace rows_impl

std::string dedup_row_key(std::string_view type, std::string_view key) {
    std::string row(1, 'k');
    row.append(type).append(1, '\0').append(key);
    return row;
}

ReadyKey parse_ready_key(std::string_view key) {
    using namespace rows_impl;
    const std::size_t end = key.find('\0', 1);
    if (end == std::string_view::npos || end == 1 || end - 1 > k_longest_task_type ||
        key.size() != end + 2 + k_number) {
        bad_key();
    }
    return {key.substr(1, end - 1), static_cast<std::uint8_t>(255 - static_cast<unsigned char>(key[end + 1])),
            big_endian(key.substr(end + 2))};
}

TimedKey parse_timed_key(std::string_view key) {
    using namespace rows_impl;
    if (key.size() != 1 + 2 * k_number) bad_key();
    return {big_endian(key.substr(1)), big_endian(key.substr(1 + k_number))};
}

TaskId parse_task_id(std::string_view bytes) {
    if (bytes.size() != rows_impl::k_number) rows_impl::bad_key();
    return rows_impl::big_endian(bytes);
}

void TaskBody::encode(std::string& out) const {
    out.clear();
    out.reserve(32 + type.size() + dedup_key.size() + payload.size());
    ByteWriter writer(out);
    writer.u64(enqueued_us);
    writer.u64(backoff_us);
    writer.u64(longest_backoff_us);
    writer.u32(max_attempts);
    writer.u8(priority);
    writer.u8(static_cast<std::uint8_t>(type.size()));
    writer.u16(static_cast<std::uint16_t>(dedup_key.size()));
    writer.text(type);
    writer.text(dedup_key);
    writer.text(payload);
}

TaskBody TaskBody::decode(std::string_view bytes) {
    ByteReader reader(bytes, "the body of a task");
    TaskBody body;
    body.enqueued_us = reader.u64();
    body.backoff_us = reader.u64();
    body.longest_backoff_us = reader.u64();
    body.max_attempts = reader.u32();
    body.priority = reader.u8();
    const std::size_t type_size = reader.u8();
    const std::size_t key_size = reader.u16();
    if (type_size == 0 || type_size > k_longest_task_type) reader.damaged("has a type of impossible length");
    body.type = reader.text(type_size);
    body.dedup_key = reader.text(key_size);
    body.payload = reader.text(reader.remaining());
    return body;
}

std::uint64_t TaskBody::pause_after(std::uint32_t attempts) const {
    std::uint64_t pause = backoff_us;
    for (std::uint32_t i = 1; i < attempts && pause != 0 && pause < longest_backoff_us; ++i) {
        pause = later(pause, pause);
    }
    return std::min(pause, longest_backoff_us);
}

void DelayedRow::encode(std::string& out) const {
    out.clear();
    ByteWriter writer(out);
    writer.u32(attempts);
    writer.u8(priority);
    writer.text(type);
}

DelayedRow DelayedRow::decode(std::string_view bytes) {
    ByteReader reader(bytes, "the row of a delayed task");
    DelayedRow row;
    row.attempts = reader.u32();
    row.priority = reader.u8();
    if (reader.at_end() || reader.remaining() > k_longest_task_type) {
        reader.damaged("has a type of impossible length");
    }
    row.type = reader.text(reader.remaining());
    return row;
}

namespace rows_impl {

/// The end that lease and dead rows have in common.
void write_end(ByteWriter<std::string>& writer, std::uint32_t attempts, std::uint8_t priority, std::string_view type,
               std::string_view text) {
    writer.u32(attempts);
    writer.u8(priority);
    writer.u8(static_cast<std::uint8_t>(type.size()));
    writer.text(type);
    writer.text(text);
}

void read_end(ByteReader& reader, std::uint32_t& attempts, std::uint8_t& priority, std::string_view& type,
              std::string_view& text) {
    attempts = reader.u32();
    priority = reader.u8();
    const std::size_t size = reader.u8();
    if (size == 0 || size > k_longest_task_type) reader.damaged("has a type of impossible length");
    type = reader.text(size);
    text = reader.text(reader.remaining());
}

}  // namespace rows_impl

void LeaseRow::encode(std::string& out) const {
    out.clear();
    ByteWriter writer(out);
    writer.u64(claim);
    writer.u64(deadline_us);
    rows_impl::write_end(writer, attempts, priority, type, worker);
}

LeaseRow LeaseRow::decode(std::string_view bytes) {
    ByteReader reader(bytes, "the row of a leased task");
    LeaseRow row;
    row.claim = reader.u64();
    row.deadline_us = reader.u64();
    rows_impl::read_end(reader, row.attempts, row.priority, row.type, row.worker);
    return row;
}

void DeadRow::encode(std::string& out) const {
    out.clear();
    ByteWriter writer(out);
    writer.u64(since_us);
    rows_impl::write_end(writer, attempts, priority, type, reason);
}

DeadRow DeadRow::decode(std::string_view bytes) {
    ByteReader reader(bytes, "the row of a dead task");
    DeadRow row;
    row.since_us = reader.u64();
    rows_impl::read_end(reader, row.attempts, row.priority, row.type, row.reason);
    return row;
}

std::uint32_t decode_attempts(std::string_view bytes) {
    ByteReader reader(bytes, "the row of a ready task");
    const std::uint32_t attempts = reader.u32();
    reader.expect_end();
    return attempts;
}

std::uint64_t decode_number(std::string_view bytes) {
    ByteReader reader(bytes, "a number in the task queue");
    const std::uint64_t number = reader.u64();
    reader.expect_end();
    return number;
}

void check_task_type(std::string_view type) {
    if (type.empty() || type.size() > k_longest_task_type || type.find('\0') != std::string_view::npos) {
        fail(Errc::invalid_argument, "the type of a task has 1 to 64 bytes, none of them zero; this one has " +
                                         std::to_string(type.size()));
    }
}

void check_task_spec(const TaskSpec& task) {
    check_task_type(task.type);
    if (task.dedup_key.size() > k_longest_dedup_key) {
        fail(Errc::invalid_argument, "the dedup key of a task has at most 512 bytes; this one has " +
                                         std::to_string(task.dedup_key.size()) + ": use a hash of it");
    }
    if (task.max_attempts == 0) {
        fail(Errc::invalid_argument, "a task that may not be attempted can never be done; allow at least 1 attempt");
    }
    if (task.payload.size() > Database::max_value_size() - 1024) {
        fail(Errc::value_too_large, "the payload of a task is longer than a value may be; keep it in another tree");
    }
}

void check_claim_request(const TaskClaimRequest& request) {
    for (const std::string& type : request.types) check_task_type(type);
    if (request.count == 0) fail(Errc::invalid_argument, "a claim of 0 tasks asks for nothing; ask for at least 1");
    check_lease(request.lease_us);
    if (request.worker.size() > k_longest_worker) {
        fail(Errc::invalid_argument, "the name of a worker has at most 255 bytes; this one has " +
                                         std::to_string(request.worker.size()));
    }
}

void check_lease(std::uint64_t lease_us) {
    if (lease_us == 0) fail(Errc::invalid_argument, "a lease of no time is over at once; give it at least 1 us");
}

}  // namespace northstar::inline v0::detail
