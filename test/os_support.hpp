// os_support.hpp -- what the tests of the os layer share.
#pragma once

#include "base/bytes.hpp"
#include "os/vfs.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace northstar::test {

/// A directory that is removed with everything in it.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        const char* base = std::getenv("TMPDIR");
        path_ = std::string(base != nullptr ? base : "/tmp") + "/northstar-test-" + std::string(6, 'X');
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// A Vfs and where to put files in it.
class Place {
public:
    virtual ~Place() = default;
    virtual const char* name() const = 0;
    virtual detail::Vfs& vfs() = 0;
    virtual std::string path(const std::string& file) = 0;
};

class PosixPlace final : public Place {
public:
    const char* name() const override { return "posix"; }
    detail::Vfs& vfs() override { return detail::posix_vfs(); }
    std::string path(const std::string& file) override { return directory_ / file; }

private:
    TemporaryDirectory directory_;
};

class MemoryPlace final : public Place {
public:
    const char* name() const override { return "memory"; }
    detail::Vfs& vfs() override { return *vfs_; }
    std::string path(const std::string& file) override { return file; }

private:
    std::unique_ptr<detail::Vfs> vfs_ = detail::make_memory_vfs();
};

inline std::vector<std::unique_ptr<Place>> places() {
    std::vector<std::unique_ptr<Place>> all;
    all.push_back(std::make_unique<PosixPlace>());
    all.push_back(std::make_unique<MemoryPlace>());
    return all;
}

inline std::string read_text(detail::File& file, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    text.resize(file.read(offset, {reinterpret_cast<std::byte*>(text.data()), length}));
    return text;
}

/// Code of the Error that a call throws; 0 when it throws none.
template <class Call>
Errc code_of(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return Errc{};
}

/// Message of the Error that a call throws.
template <class Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace northstar::test
