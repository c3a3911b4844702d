// shared_words.hpp -- words in a mapped side file, with sleeping and waking.  Layer: os; nobody above.  Threads: any.
//
// [WORDS-1] The side file has real blocks before it is mapped: a full disk is an Error, never a signal.
// [WORDS-2] A child process sees zeros of its own instead of the words it inherited.
#pragma once

#include "os/system.hpp"
#include "os/vfs.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace northstar::inline v0::detail {

/// Maps the words of an open side file and extends it where needed.
std::unique_ptr<SharedWords> map_shared_words(Descriptor file, const std::string& path, std::size_t count,
                                              ForkList& forks);

}  // namespace northstar::inline v0::detail
