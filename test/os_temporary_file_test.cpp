// Files without a name: what is written is read, and the directory stays as it was, whatever happens.
#include "os/temporary_file.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

using namespace northstar;
using namespace northstar::detail;
using namespace northstar::test;

namespace {

std::size_t entries_of(const std::string& directory) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

std::size_t open_descriptors() { return entries_of("/proc/self/fd"); }

}  // namespace

TEST_CASE("a temporary file has no name, takes one descriptor and goes with its owner", "[os][fast][TEMP-1][TEMP-2]") {
    const TemporaryDirectory folder;
    const std::size_t before = open_descriptors();
    {
        const std::unique_ptr<File> one = open_temporary_file(folder.path());
        const std::unique_ptr<File> other = open_temporary_file(folder.path());
        CHECK(open_descriptors() == before + 2);
        CHECK(entries_of(folder.path()) == 0);
        const std::string text = "rows that do not fit into memory";
        one->write(100, {reinterpret_cast<const std::byte*>(text.data()), text.size()});
        CHECK(read_text(*one, 100, text.size()) == text);
        CHECK(other->size() == 0);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a temporary file that cannot be made leaves nothing", "[os][fast][TEMP-2]") {
    const TemporaryDirectory folder;
    CHECK(code_of([&] { open_temporary_file(folder / "absent"); }) == Errc::not_found);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    std::vector<std::unique_ptr<File>> files;
    const rlimit few{static_cast<rlim_t>(open_descriptors() + 4), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const Errc code = code_of([&] {
        for (int i = 0; i < 100; ++i) files.push_back(open_temporary_file(folder.path()));
    });
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(code == Errc::io);
    CHECK_FALSE(files.empty());
    CHECK(entries_of(folder.path()) == 0);
}
