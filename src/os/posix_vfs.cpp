#include "base/check.hpp"
#include "base/error.hpp"
#include "os/posix_file.hpp"
#include "os/shared_words.hpp"
#include "os/system.hpp"
#include "os/vfs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

namespace northstar::inline v0::detail {

namespace posix_vfs_impl {

// Read and write for whom the umask lets; the descriptor does not survive exec; a pipe or terminal at the path must
// neither block us nor become ours.
inline constexpr int k_open_flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
inline constexpr mode_t k_permissions = 0666;

inline std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

inline int status_of(const std::string& path, struct stat& status) {
    return ::stat(path.c_str(), &status) == 0 ? 0 : errno;
}

inline FileIdentity identity_of(const struct stat& status) {
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

inline FileIdentity identity_of(int descriptor, const std::string& path) {
    struct stat status;
    if (::fstat(descriptor, &status) != 0) fail_system(errno, "fstat", "identify", path);
    if (!S_ISREG(status.st_mode)) {
        fail(Errc::is_directory,
             "cannot open '" + path + "': it is a directory or a device; name a regular file", path);
    }
    return identity_of(status);
}

inline void check_path(const std::string& path) {
    if (path.empty()) fail(Errc::invalid_argument, "the path of the file is empty; name a file");
    if (path.find('\0') != std::string::npos) {
        fail(Errc::invalid_argument, "the path of the file has a zero byte in it; check the path");
    }
}

// Says which part of the path is missing.
[[noreturn]] inline void fail_missing(const std::string& path, int error) {
    const std::string directory = directory_of(path);
    struct stat status;
    if (status_of(directory, status) != 0) {
        fail(Errc::not_found, "cannot open '" + path + "': the directory '" + directory + "' does not exist; make it",
             path);
    }
    if (!S_ISDIR(status.st_mode)) {
        fail(Errc::not_found, "cannot open '" + path + "': '" + directory + "' is not a directory; check the path",
             path);
    }
    fail_system(error, "open", "open", path);
}

// -1 only when the file does not exist.
inline Descriptor open_existing(const std::string& path, bool read_only) {
    for (;;) {
        Descriptor opened(::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | k_open_flags));
        if (opened.valid() || errno == ENOENT) return opened;
        if (errno == EINTR) continue;
        if (errno == ENOTDIR) fail_missing(path, errno);
        fail_system(errno, "open", "open", path);
    }
}

// -1 only when somebody else made the file meanwhile (or the path is a symbolic link to nothing).
inline Descriptor create_new(const std::string& path) {
    for (;;) {
        Descriptor opened(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | k_open_flags, k_permissions));
        if (opened.valid() || errno == EEXIST) return opened;
        if (errno == EINTR) continue;
        if (errno == ENOENT || errno == ENOTDIR) fail_missing(path, errno);
        fail_system(errno, "open", "create", path);
    }
}

// Makes the directory entry of an open file durable.
inline void sync_directory_of(const std::string& path, int file) {
    struct Free {
        void operator()(char* memory) const { std::free(memory); }
    };
    const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
    const std::string directory = directory_of(real != nullptr ? std::string(real.get()) : path);
    const auto open_directory = [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); };
    int number = open_directory();
    while (number < 0 && errno == EINTR) number = open_directory();
    const Descriptor opened(number);
    if (!opened.valid()) {
        // A directory may be writable without being readable; then the whole file system is flushed.
        if (errno != EACCES) fail_system(errno, "open", "flush the directory of", path);
        if (::syncfs(file) != 0) fail_system(errno, "syncfs", "flush the directory of", path);
        return;
    }
    while (::fsync(opened.get()) != 0) {
        if (errno == EINTR) continue;
        if (errno == EINVAL || errno == EROFS) return;  // this file system has no flush for directories
        fail_system(errno, "fsync", "flush the directory of", path);
    }
}

inline FileSystem classify(std::uint32_t type) {
    switch (type) {
        case 0xef53:        // ext2, ext3, ext4
        case 0x58465342:    // xfs
        case 0x01021994:    // tmpfs
        case 0x858458f6:    // ramfs
            return FileSystem::in_place;
        case 0x6969:        // nfs
        case 0x517b:        // smb
        case 0xfe534d42:    // smb2
        case 0xff534d42:    // cifs
        case 0x01021997:    // 9p
        case 0x65735546:    // fuse, virtiofs
        case 0x00c36400:    // ceph
        case 0x5346414f:    // afs
        case 0x6b414653:    // afs, the kernel's own
        case 0x73757245:    // coda
        case 0x564c:        // ncp
        case 0x01161970:    // gfs2
        case 0x7461636f:    // ocfs2
        case 0x0bd00bd0:    // lustre
        case 0x47504653:    // gpfs
        case 0x786f4256:    // shared folders of virtual machines: vboxsf,
        case 0xbacbacbc:    // vmhgfs,
        case 0x7c7c6673:    // prl_fs
        case 0x19830326:    // beegfs
        case 0x20030528:    // orangefs
            return FileSystem::network;
        default:
            // btrfs, zfs, bcachefs, f2fs, overlayfs and everything unknown: nothing may rest on overwriting in place.
            return FileSystem::copy_on_write;
    }
}

inline FileSystem file_system_of(int descriptor, const std::string& path) {
    struct statfs status;
    while (::fstatfs(descriptor, &status) != 0) {
        if (errno != EINTR) fail_system(errno, "fstatfs", "identify the file system of", path);
    }
    return classify(static_cast<std::uint32_t>(status.f_type));
}

inline std::uint64_t clock_us(clockid_t clock) {
    struct timespec now;
    if (::clock_gettime(clock, &now) != 0) fail_system(errno, "clock_gettime", "read", "clock");
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// The number in a small system file; nothing where there is none (or it says "max").
inline std::optional<std::uint64_t> number_in(const char* path) {
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return std::nullopt;
    char text[32] = {};
    const ssize_t length = ::read(file.get(), text, sizeof text - 1);
    if (length <= 0 || text[0] < '0' || text[0] > '9') return std::nullopt;
    return std::strtoull(text, nullptr, 10);
}

class PosixVfs final : public Vfs {
public:
    std::unique_ptr<File> open(const std::string& path, OpenMode mode, bool& created) override;
    bool exists(const std::string& path) override;
    void remove(const std::string& path) override;
    void sync_entry(const std::string& path) override;
    void rename(const std::string& from, const std::string& to) override;
    FileIdentity identity(const std::string& path) override;
    FileSystem file_system(const std::string& path) override;
    std::unique_ptr<SharedWords> shared_words(const std::string& path, std::size_t count, bool create) override;
    std::uint64_t now_us() override { return clock_us(CLOCK_REALTIME); }
    std::uint64_t monotonic_us() override { return clock_us(CLOCK_MONOTONIC); }
    void random(std::span<std::byte> out) override;
    std::uint64_t memory_bytes() override;

private:
    Descriptor open_or_create(const std::string& path, OpenMode mode, bool& created);
};

Descriptor PosixVfs::open_or_create(const std::string& path, OpenMode mode, bool& created) {
    for (int attempt = 0; attempt < 8; ++attempt) {
        Descriptor opened = open_existing(path, mode.read_only);
        if (opened.valid()) return opened;
        if (!mode.create || mode.read_only) fail_missing(path, ENOENT);
        opened = create_new(path);
        if (opened.valid()) {
            created = true;
            return opened;
        }
    }
    fail(Errc::not_found, "cannot open '" + path + "': it is a symbolic link to nothing; make or remove its target",
         path);
}

std::unique_ptr<File> PosixVfs::open(const std::string& path, OpenMode mode, bool& created) {
    check_path(path);
    created = false;
    std::unique_ptr<PosixFile> file;
    int for_directory = -1;
    {
        ForkList forks;
        for (int attempt = 0; file == nullptr; ++attempt) {
            bool now_created = false;
            Descriptor data = open_or_create(path, mode, now_created);
            created = created || now_created;
            const FileIdentity identity = identity_of(data.get(), path);
            Descriptor locks = open_existing(path, mode.read_only);
            // Renamed or removed between the two: start over.
            if (!locks.valid() || identity_of(locks.get(), path) != identity) {
                if (attempt < 8) continue;
                fail(Errc::io, "cannot open '" + path + "': it is being replaced again and again; try later", path);
            }
            const FileSystem file_system = file_system_of(data.get(), path);
            for_directory = data.get();
            file = std::make_unique<PosixFile>(path, std::move(data), std::move(locks), mode.read_only, file_system,
                                               forks);
        }
    }
    if (created) sync_directory_of(path, for_directory);
    return file;
}

void PosixVfs::sync_entry(const std::string& path) {
    check_path(path);
    const Descriptor file = open_existing(path, true);
    if (!file.valid()) fail_missing(path, ENOENT);
    sync_directory_of(path, file.get());
}

bool PosixVfs::exists(const std::string& path) {
    check_path(path);
    struct stat status;
    const int error = status_of(path, status);
    if (error == 0) return true;
    if (error == ENOENT || error == ENOTDIR) return false;
    fail_system(error, "stat", "look for", path);
}

void PosixVfs::remove(const std::string& path) {
    check_path(path);
    if (::unlink(path.c_str()) != 0) fail_system(errno, "unlink", "remove", path);
}

void PosixVfs::rename(const std::string& from, const std::string& to) {
    check_path(from);
    check_path(to);
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
        if (errno != EINVAL && errno != ENOSYS) fail_system(errno, "renameat2", "rename '" + from + "' to", to);
        // Without that call: a second name never replaces anything either.
        if (::link(from.c_str(), to.c_str()) != 0) fail_system(errno, "link", "rename '" + from + "' to", to);
        if (::unlink(from.c_str()) != 0) fail_system(errno, "unlink", "remove", from);
    }
    const Descriptor file = open_existing(to, true);
    sync_directory_of(to, file.get());
    if (directory_of(from) != directory_of(to)) sync_directory_of(from, file.get());
}

FileIdentity PosixVfs::identity(const std::string& path) {
    check_path(path);
    struct stat status;
    if (const int error = status_of(path, status); error != 0) fail_system(error, "stat", "identify", path);
    return identity_of(status);
}

FileSystem PosixVfs::file_system(const std::string& path) {
    check_path(path);
    struct statfs status;
    int error = ::statfs(path.c_str(), &status) == 0 ? 0 : errno;
    if (error == ENOENT || error == ENOTDIR) {
        if (::statfs(directory_of(path).c_str(), &status) != 0) fail_missing(path, errno);
        error = 0;
    }
    if (error != 0) fail_system(error, "statfs", "identify the file system of", path);
    return classify(static_cast<std::uint32_t>(status.f_type));
}

std::unique_ptr<SharedWords> PosixVfs::shared_words(const std::string& path, std::size_t count, bool create) {
    check_path(path);
    ForkList forks;
    Descriptor file;
    if (create) {
        bool created = false;
        file = open_or_create(path, {.create = true, .read_only = false}, created);
    } else {
        file = open_existing(path, false);
        if (!file.valid()) return nullptr;
    }
    identity_of(file.get(), path);
    return map_shared_words(std::move(file), path, count, forks);
}

void PosixVfs::random(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t count = ::getrandom(out.data() + done, out.size() - done, 0);
        if (count < 0) {
            if (errno == EINTR) continue;
            fail_system(errno, "getrandom", "read", "random numbers");
        }
        done += static_cast<std::size_t>(count);
    }
}

std::uint64_t PosixVfs::memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_size = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_size <= 0) fail(Errc::io, "the system does not tell how much memory it has (sysconf)");
    std::uint64_t bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size);
    // A container may have less than the machine.
    for (const char* limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        if (const auto number = number_in(limit); number.has_value() && *number > 0) bytes = std::min(bytes, *number);
    }
    return bytes;
}

}  // namespace posix_vfs_impl

Vfs& posix_vfs() {
    static Vfs& the_vfs = *new posix_vfs_impl::PosixVfs;  // never destroyed: files may outlive main()
    return the_vfs;
}

}  // namespace northstar::inline v0::detail
