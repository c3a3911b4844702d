// base_parts.hpp -- the parts of the base files: records of their logs, ledgers, segments of history.
#pragma once

#include "hard/fuzz/base_files.hpp"

#include "txn/ledger.hpp"

namespace northstar::hard {

/// Bytes of the ledger that the newest meta page names.
std::span<const std::byte> ledger_of(const BaseFile& file, const detail::Meta& meta);
/// Every extent of the log.
detail::ExtentDirectory extents_of(const BaseFile& file, const detail::Meta& meta);
/// Every record that lies in the log, in the order of their positions.
std::vector<Bytes> records_of(const BaseFile& file);
/// Every sealed segment of the history.
std::vector<Bytes> segments_of(const BaseFile& file);

}  // namespace northstar::hard
