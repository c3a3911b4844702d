// temporary_file.hpp -- a file without a name, for bytes that go with the process.  Layer: os.
//
// [TEMP-1] Nobody else can open it: it has no name, or had one for a moment that only its owner may open.
// [TEMP-2] Whatever happens, nothing stays in the directory; and nothing of it is flushed there.
#pragma once

#include "os/vfs.hpp"

#include <memory>
#include <string>

namespace northstar::inline v0::detail {

/// Throws Error(io, not_found, permission, no_space). The file takes one descriptor and cannot be locked.
std::unique_ptr<File> open_temporary_file(const std::string& directory);

}  // namespace northstar::inline v0::detail
