// fixed_vfs.hpp -- files in memory, with a clock and random numbers that are the same in every run.
#pragma once

#include "hard/fuzz/target.hpp"

#include "base/random.hpp"
#include "os/vfs.hpp"

#include <memory>
#include <string>

namespace northstar::hard {

class FixedVfs final : public detail::Vfs {
public:
    explicit FixedVfs(std::uint64_t seed) : random_(seed) {}

    /// The whole file.
    Bytes contents(const std::string& path);
    void put(const std::string& path, std::span<const std::byte> bytes);

    std::unique_ptr<detail::File> open(const std::string& path, detail::OpenMode mode, bool& created) override {
        return files_->open(path, mode, created);
    }
    void sync_entry(const std::string& path) override { files_->sync_entry(path); }
    bool exists(const std::string& path) override { return files_->exists(path); }
    void remove(const std::string& path) override { files_->remove(path); }
    void rename(const std::string& from, const std::string& to) override { files_->rename(from, to); }
    detail::FileIdentity identity(const std::string& path) override { return files_->identity(path); }
    detail::FileSystem file_system(const std::string& path) override { return files_->file_system(path); }
    std::unique_ptr<detail::SharedWords> shared_words(const std::string& path, std::size_t count,
                                                      bool create) override {
        return files_->shared_words(path, count, create);
    }
    std::uint64_t now_us() override { return k_begin_us + 1000 * ++calls_; }
    std::uint64_t monotonic_us() override { return 1000 * ++calls_; }
    void random(std::span<std::byte> out) override { random_.fill(out); }
    std::uint64_t memory_bytes() override { return std::uint64_t{1} << 28; }

private:
    static constexpr std::uint64_t k_begin_us = 1'700'000'000'000'000;
    std::unique_ptr<detail::Vfs> files_ = detail::make_memory_vfs();
    detail::Random random_;
    std::uint64_t calls_ = 0;
};

}  // namespace northstar::hard
