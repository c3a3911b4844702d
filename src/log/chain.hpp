// chain.hpp -- digests of records, the chain over them, and redaction.  Layer: log.  Threads: any.
//
//   leaf     = SHA-256(nonce, value)                             of a put
//   digest   = SHA-256(framing with each put's value replaced by its leaf)
//   of a transaction with parts: SHA-256(digest of each part in order, digest of the commit)
//   chain    = SHA-256(chain before, digest of the transaction);  the chain before the first is 32 zero bytes
//
// [CHAIN-1] A digest depends on what was committed (number, time, annotations, operations, nonce) and not on where
//           the record lies, in which epoch, or what was durable: a copy of the log has the same chain.
// [CHAIN-2] Who has a redacted record cannot try out values against any digest: value and nonce are gone. Its own
//           digest is then `Redaction::remaining`; the chain goes on with `Redaction::original`.
#pragma once

#include "log/record.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace northstar::inline v0::detail {

/// Digest of a commit or part record as its bytes are now.
Hash record_digest(const RecordView& record);
/// Digest of a transaction from those of its parts (in order; may be none) and of its commit record.
Hash transaction_digest(std::span<const Hash> parts, const Hash& commit);
/// The chain after a transaction.
Hash chain_next(const Hash& previous, const Hash& digest);

/// Overwrites the value of the put number `index` and the record's nonce with zeros, sets the flags and the checksum.
/// Doing it again changes nothing. The record must be intact. Error(corrupt) where there is no such put.
/// To learn `remaining` beforehand, apply it to a copy and take record_digest().
void redact_record(std::span<std::byte> record, std::uint32_t index, std::uint32_t seed);

}  // namespace northstar::inline v0::detail
