// base_files.hpp -- small database files that the library makes, the same in every run, and what they hold.
//
// They are where inputs begin: whole, for the target of files; taken apart, for the others.
#pragma once

#include "hard/fuzz/target.hpp"

#include "format/meta.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace northstar::hard {

/// (tree, key) -> value.
using FileState = std::map<std::pair<std::string, std::string>, std::string>;

struct BaseFile {
    const char* what;
    Bytes bytes;
    std::vector<FileState> states;  ///< by txn; those of oldest_txn and later can be read
    Txn oldest_txn = 0;
};

/// Made at the first call.
const std::vector<BaseFile>& base_files();

/// The newest valid meta page; nullopt: there is none (pages of 4 or 8 KiB).
std::optional<detail::Meta> newest_meta(std::span<const std::byte> file);

}  // namespace northstar::hard
