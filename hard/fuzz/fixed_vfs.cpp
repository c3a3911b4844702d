#include "hard/fuzz/fixed_vfs.hpp"

namespace northstar::hard {

Bytes FixedVfs::contents(const std::string& path) {
    bool created = false;
    const std::unique_ptr<detail::File> file = files_->open(path, {false, true}, created);
    Bytes bytes(static_cast<std::size_t>(file->size()));
    if (file->read(0, bytes) != bytes.size()) finding("a file in memory cannot be read to its end");
    return bytes;
}

void FixedVfs::put(const std::string& path, std::span<const std::byte> bytes) {
    bool created = false;
    const std::unique_ptr<detail::File> file = files_->open(path, {true, false}, created);
    file->truncate(0);
    file->write(0, bytes);
}

}  // namespace northstar::hard
