#include "os/posix_file.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace northstar::inline v0::detail {

static_assert(sizeof(off_t) == 8, "Northstar needs 64-bit file offsets: compile with -D_FILE_OFFSET_BITS=64.");

namespace posix_file_impl {

inline constexpr std::uint64_t k_max_size = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
inline constexpr std::size_t k_direct_alignment = 4096;
inline constexpr std::size_t k_direct_chunk = std::size_t{1} << 20;
inline constexpr std::size_t k_zero_chunk = std::size_t{1} << 16;

struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
};

inline std::string where(const char* verb, std::uint64_t size, std::uint64_t offset) {
    return std::string(verb) + " " + std::to_string(size) + " bytes at " + std::to_string(offset) + " of";
}

inline void write_zeros(int descriptor, std::uint64_t offset, std::uint64_t length, const std::string& path) {
    static constexpr std::byte k_zeros[k_zero_chunk] = {};
    while (length > 0) {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length, k_zero_chunk));
        write_fully(descriptor, offset, {k_zeros, part}, path);
        offset += part;
        length -= part;
    }
}

inline std::uint64_t size_of(int descriptor, const std::string& path) {
    struct stat status;
    if (::fstat(descriptor, &status) != 0) fail_system(errno, "fstat", "read the size of", path);
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace posix_file_impl

std::size_t read_fully(int descriptor, std::uint64_t offset, std::span<std::byte> out, const std::string& path) {
    std::size_t done = 0;
    while (done < out.size() && offset + done <= posix_file_impl::k_max_size) {
        const ssize_t count =
            ::pread(descriptor, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (count == 0) break;
        if (count < 0) {
            if (errno == EINTR) continue;
            fail_system(errno, "pread", posix_file_impl::where("read", out.size(), offset), path);
        }
        done += static_cast<std::size_t>(count);
    }
    return done;
}

void check_size_limit(std::uint64_t end, const std::string& path) {
    struct rlimit limit;
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) fail_system(errno, "getrlimit", "read the size limit for", path);
    const std::uint64_t most =
        limit.rlim_cur == RLIM_INFINITY ? posix_file_impl::k_max_size : std::uint64_t{limit.rlim_cur};
    if (end > most) {
        fail_system(EFBIG, "RLIMIT_FSIZE", "extend to " + std::to_string(end) + " bytes", path);
    }
}

void write_fully(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, const std::string& path) {
    const std::uint64_t end = offset + bytes.size();
    check_size_limit(end < offset ? ~std::uint64_t{0} : end, path);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count =
            ::pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        fail_system(count == 0 ? ENOSPC : errno, "pwrite", posix_file_impl::where("write", bytes.size(), offset), path);
    }
}

bool reserve_space(int descriptor, std::uint64_t offset, std::uint64_t length, const std::string& path) {
    if (length == 0) return true;
    const std::uint64_t end = offset + length;
    check_size_limit(end < offset ? ~std::uint64_t{0} : end, path);
    while (::fallocate(descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
        if (errno == EINTR) continue;
        if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
        fail_system(errno, "fallocate", posix_file_impl::where("reserve", length, offset), path);
    }
    return true;
}

PosixFile::PosixFile(std::string path, Descriptor data, Descriptor locks, bool read_only, FileSystem file_system,
                     ForkList& forks)
    : path_(std::move(path)),
      data_(std::move(data)),
      locks_(std::move(locks)),
      read_only_(read_only),
      file_system_(file_system) {
    forks.enter(*this);
}

PosixFile::~PosixFile() {
    ForkList forks;
    forks.leave(*this);
    if (map_ != nullptr) ::munmap(map_, map_size_);
    locks_.close();
    data_.close();
}

void PosixFile::forget_in_child() noexcept {
    locks_.close();
    data_.close();
    map_ = nullptr;  // was not inherited; something else may lie there by now
}

int PosixFile::data_descriptor() const {
    if (!data_.valid()) {
        fail(Errc::forked, "'" + path_ + "' was opened before fork(); open it again in the child process", path_);
    }
    return data_.get();
}

int PosixFile::lock_descriptor() const {
    data_descriptor();
    return locks_.get();
}

void PosixFile::check_writable(const char* action) const {
    if (read_only_) {
        fail(Errc::read_only,
             std::string("cannot ") + action + " '" + path_ + "': it was opened read-only; open it for writing", path_);
    }
}

std::size_t PosixFile::read(std::uint64_t offset, std::span<std::byte> out) {
    return read_fully(data_descriptor(), offset, out, path_);
}

std::size_t PosixFile::read_uncached(std::uint64_t offset, std::span<std::byte> out) {
    std::size_t done = 0;
    if (read_direct(offset, out, done)) return done;
    // Second best: ask the cache to drop what it holds of the range (it keeps what is dirty), then read as usual.
    const int descriptor = data_descriptor();
    ::posix_fadvise(descriptor, static_cast<off_t>(std::min(offset, posix_file_impl::k_max_size)),
                    static_cast<off_t>(out.size()), POSIX_FADV_DONTNEED);
    return read_fully(descriptor, offset, out, path_);
}

// Reads past the cache through a descriptor of its own; false where the file system cannot.
bool PosixFile::read_direct(std::uint64_t offset, std::span<std::byte> out, std::size_t& done) {
    using namespace posix_file_impl;
    const std::string self = "/proc/self/fd/" + std::to_string(data_descriptor());
    const Descriptor direct(::open(self.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    if (!direct.valid()) return false;
    const std::size_t chunk =
        std::min((out.size() / k_direct_alignment + 2) * k_direct_alignment, k_direct_chunk);
    const std::unique_ptr<std::byte, Free> buffer(
        static_cast<std::byte*>(std::aligned_alloc(k_direct_alignment, chunk)));
    if (buffer == nullptr) throw std::bad_alloc();
    done = 0;
    while (done < out.size() && offset + done <= k_max_size) {
        const std::uint64_t start = (offset + done) / k_direct_alignment * k_direct_alignment;
        const auto lead = static_cast<std::size_t>(offset + done - start);
        const std::size_t wanted = std::min(out.size() - done + lead, chunk);
        const std::size_t asked = (wanted + k_direct_alignment - 1) / k_direct_alignment * k_direct_alignment;
        const ssize_t count = ::pread(direct.get(), buffer.get(), asked, static_cast<off_t>(start));
        if (count < 0) {
            if (errno == EINTR) continue;
            if (errno == EINVAL) return false;
            fail_system(errno, "pread", where("read", out.size(), offset), path_);
        }
        const std::size_t got = std::min(static_cast<std::size_t>(count), wanted);
        if (got <= lead) break;
        std::memcpy(out.data() + done, buffer.get() + lead, got - lead);
        done += got - lead;
        if (got % k_direct_alignment != 0 && got < wanted) break;  // an unaligned end is the end of the file
    }
    return true;
}

void PosixFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    check_writable("write to");
    write_fully(data_descriptor(), offset, bytes, path_);
}

void PosixFile::sync() {
    const int descriptor = data_descriptor();
    while (::fdatasync(descriptor) != 0) {
        if (errno == EINTR) continue;
        // A medium that nobody can write has nothing to flush.
        if (read_only_ && (errno == EINVAL || errno == EROFS)) return;
        // Whatever the reason, dirty pages may be lost: never "no space, try again".
        fail(Errc::io,
             "cannot flush '" + path_ + "': " + std::generic_category().message(errno) +
                 " (fdatasync); what was written since the last flush may be lost, close and reopen to recover",
             path_);
    }
}

void PosixFile::begin_sync() {
    // Errors of writing stay with the file until somebody waits for it. Systems and file systems that know nothing of
    // this leave it all to sync().
    ::sync_file_range(data_descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

std::uint64_t PosixFile::size() { return posix_file_impl::size_of(data_descriptor(), path_); }

void PosixFile::truncate(std::uint64_t size) {
    check_writable("change the size of");
    const int descriptor = data_descriptor();
    check_size_limit(size, path_);
    while (::ftruncate(descriptor, static_cast<off_t>(size)) != 0) {
        if (errno == EINTR) continue;
        fail_system(errno, "ftruncate", "set the size to " + std::to_string(size) + " bytes of", path_);
    }
}

void PosixFile::allocate(std::uint64_t offset, std::uint64_t length) {
    check_writable("reserve space in");
    const int descriptor = data_descriptor();
    if (!reserve_space(descriptor, offset, length, path_)) fill_holes(descriptor, offset, length);
}

// Writes zeros where the file has no blocks: behind its end and in its holes.
void PosixFile::fill_holes(int descriptor, std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t end = offset + length;
    const std::uint64_t size = posix_file_impl::size_of(descriptor, path_);
    std::uint64_t at = offset;
    while (at < std::min(end, size)) {
        const off_t hole = ::lseek(descriptor, static_cast<off_t>(at), SEEK_HOLE);
        if (hole < 0) fail_system(errno, "lseek", "look for holes in", path_);
        at = static_cast<std::uint64_t>(hole);
        if (at >= std::min(end, size)) break;
        const off_t data = ::lseek(descriptor, hole, SEEK_DATA);
        if (data < 0 && errno != ENXIO) fail_system(errno, "lseek", "look for holes in", path_);
        const std::uint64_t hole_end = std::min({data < 0 ? size : static_cast<std::uint64_t>(data), end, size});
        posix_file_impl::write_zeros(descriptor, at, hole_end - at, path_);
        at = hole_end;
    }
    if (end > size) {
        const std::uint64_t from = std::max(offset, size);
        posix_file_impl::write_zeros(descriptor, from, end - from, path_);
    }
}

const std::byte* PosixFile::map(std::uint64_t reserve) {
    const int descriptor = data_descriptor();
    NORTHSTAR_ASSERT(map_ == nullptr);
    if (reserve == 0 || reserve > posix_file_impl::k_max_size) return nullptr;
    void* address = ::mmap(nullptr, reserve, PROT_READ, MAP_SHARED, descriptor, 0);
    if (address == MAP_FAILED) return nullptr;
    if (::madvise(address, reserve, MADV_DONTFORK) != 0) {
        ::munmap(address, reserve);
        return nullptr;
    }
    map_ = static_cast<std::byte*>(address);
    map_size_ = reserve;
    return map_;
}

std::byte* PosixFile::map_writable(std::uint64_t offset, std::uint64_t length) {
    const int descriptor = data_descriptor();
    if (read_only_ || file_system_ != FileSystem::in_place || length == 0) return nullptr;
    void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, static_cast<off_t>(offset));
    if (address == MAP_FAILED) return nullptr;
    if (::madvise(address, length, MADV_DONTFORK) != 0) {
        ::munmap(address, length);
        return nullptr;
    }
    return static_cast<std::byte*>(address);
}

void PosixFile::unmap_writable(std::byte* address, std::uint64_t length) noexcept {
    if (data_.valid()) ::munmap(address, length);  // a child did not inherit it
}

}  // namespace northstar::inline v0::detail
