#include "os/shared_words.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "base/spin.hpp"
#include "os/posix_file.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace northstar::inline v0::detail {

namespace shared_words_impl {

using Word = std::atomic<std::uint64_t>;
static_assert(sizeof(Word) == sizeof(std::uint64_t) && Word::is_always_lock_free);

inline constexpr std::uint64_t k_granule = 4096;
inline constexpr std::uint64_t k_max_sleep_us = 3600u * 1000000u;

// The futex call takes 32 bits: the lower half of the word, which changes whenever a counter in it moves.
inline std::uint32_t* lower_half(Word& word) {
    return reinterpret_cast<std::uint32_t*>(&word) + (std::endian::native == std::endian::big ? 1 : 0);
}

class MappedWords final : public SharedWords, private ForkSensitive {
public:
    MappedWords(int file, const std::string& path, std::size_t size, std::size_t count, ForkList& forks)
        : address_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)), size_(size) {
        if (address_ == MAP_FAILED) fail_system(errno, "mmap", "map the shared words of", path);
        words_ = {static_cast<Word*>(address_), count};
        forks.enter(*this);
    }
    ~MappedWords() override {
        ForkList forks;
        forks.leave(*this);
        ::munmap(address_, size_);
    }
    MappedWords(const MappedWords&) = delete;
    MappedWords& operator=(const MappedWords&) = delete;

    std::span<Word> words() override { return words_; }

    void wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) override {
        NORTHSTAR_ASSERT(index < words_.size());
        Word& word = words_[index];
        if (word.load(std::memory_order_acquire) != seen || timeout_us == 0) return;
        const std::uint64_t sleep = std::min(timeout_us, k_max_sleep_us);
        struct timespec span {};
        span.tv_sec = static_cast<time_t>(sleep / 1000000);
        span.tv_nsec = static_cast<long>(sleep % 1000000 * 1000);
        // Every way to return (woken, changed already, interrupted, timed out) is allowed by the contract.
        ::syscall(SYS_futex, lower_half(word), FUTEX_WAIT, static_cast<std::uint32_t>(seen), &span, nullptr, 0);
    }

    bool look(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) override {
        NORTHSTAR_ASSERT(index < words_.size());
        const Word& word = words_[index];
        return spin_until([&] { return word.load(std::memory_order_acquire) != seen; },
                          std::chrono::microseconds(timeout_us));
    }

    void wake(std::size_t index) override { wake_some(index, INT_MAX); }
    // Linux keeps those who wait on a word in the order in which they came.
    void wake_one(std::size_t index) override { wake_some(index, 1); }

private:
    void wake_some(std::size_t index, int most) {
        NORTHSTAR_ASSERT(index < words_.size());
        ::syscall(SYS_futex, lower_half(words_[index]), FUTEX_WAKE, most, nullptr, nullptr, 0);
    }
    // Puts private zeros in place of the shared words, so that a child that goes on by mistake changes nothing.
    void forget_in_child() noexcept override {
        ::mmap(address_, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }

    void* const address_;
    const std::size_t size_;
    std::span<Word> words_;
};

inline std::uint64_t size_of(int descriptor, const std::string& path) {
    struct stat status;
    if (::fstat(descriptor, &status) != 0) fail_system(errno, "fstat", "read the size of", path);
    return static_cast<std::uint64_t>(status.st_size);
}

// For file systems without fallocate. Zeros behind the end must not meet words that another process wrote there
// after it had extended the file in the same moment, so one at a time extends. The lock is given back before the
// mapping is made, which would keep it.
inline void extend_with_zeros(int descriptor, std::uint64_t size, const std::string& path) {
    struct flock lock {};
    lock.l_whence = SEEK_SET;
    lock.l_type = F_WRLCK;
    while (::fcntl(descriptor, F_OFD_SETLKW, &lock) != 0) {
        if (errno != EINTR) fail_system(errno, "fcntl", "lock", path);
    }
    const std::vector<std::byte> zeros(k_granule);
    for (std::uint64_t at = size_of(descriptor, path); at < size;) {
        const std::uint64_t part = std::min(size - at, k_granule - at % k_granule);
        write_fully(descriptor, at, std::span(zeros).first(part), path);
        at += part;
    }
    lock.l_type = F_UNLCK;
    while (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) fail_system(errno, "fcntl", "unlock", path);
    }
}

}  // namespace shared_words_impl

std::unique_ptr<SharedWords> map_shared_words(Descriptor file, const std::string& path, std::size_t count,
                                              ForkList& forks) {
    using namespace shared_words_impl;
    const std::uint64_t asked = (count * sizeof(Word) + k_granule - 1) / k_granule * k_granule;
    if (!reserve_space(file.get(), 0, asked, path)) extend_with_zeros(file.get(), asked, path);
    return std::make_unique<MappedWords>(file.get(), path, asked, count, forks);
}

}  // namespace northstar::inline v0::detail
