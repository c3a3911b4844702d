#include "os/temporary_file.hpp"

#include "base/error.hpp"
#include "os/posix_file.hpp"
#include "os/system.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace northstar::inline v0::detail {

namespace temporary_file_impl {

constexpr mode_t k_owner_only = S_IRUSR | S_IWUSR;

// -1 where the file system has no files without a name.
Descriptor open_nameless(const std::string& directory) {
    for (;;) {
        Descriptor opened(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, k_owner_only));
        if (opened.valid() || errno == EOPNOTSUPP || errno == EISDIR) return opened;
        if (errno != EINTR) fail_system(errno, "open", "make a temporary file in", directory);
    }
}

Descriptor open_and_remove(const std::string& directory) {
    for (;;) {
        std::array<std::byte, 16> random{};
        posix_vfs().random(random);
        std::string path = directory + "/northstar-temporary-";
        for (const std::byte byte : random) path.push_back(static_cast<char>('a' + std::to_integer<int>(byte) % 26));
        Descriptor opened(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, k_owner_only));
        if (opened.valid()) {
            if (::unlink(path.c_str()) != 0) fail_system(errno, "unlink", "remove", path);
            return opened;
        }
        if (errno != EEXIST && errno != EINTR) fail_system(errno, "open", "create", path);
    }
}

}  // namespace temporary_file_impl

std::unique_ptr<File> open_temporary_file(const std::string& directory) {
    ForkList forks;
    Descriptor file = temporary_file_impl::open_nameless(directory);
    if (!file.valid()) file = temporary_file_impl::open_and_remove(directory);
    return std::make_unique<PosixFile>("a temporary file in " + directory, std::move(file), Descriptor(), false,
                                       FileSystem::in_place, forks);
}

}  // namespace northstar::inline v0::detail
