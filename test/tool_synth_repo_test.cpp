// The made-up repository: its bytes depend on seed and size alone, and it hangs together.
#include "base/xxh64.hpp"
#include "tool/gen_synth_repo/synth_repo.cpp"

#include <catch2/catch.hpp>
#include <set>

namespace synth {
namespace synth_repo_test {

/// One number for all files and the first commits of a repository.
std::uint64_t fingerprint(std::uint64_t seed, std::uint64_t files, int commits) {
    const SynthRepo repo(seed, files);
    SynthHistory history(repo);
    std::string all;
    for (int i = 0; i < commits; ++i) {
        const SynthCommit commit = history.next();
        all += std::to_string(commit.time_s) + commit.author + commit.message;
        for (const std::uint64_t file : commit.files) all += repo.path(file) + repo.text(file, history.revision(file));
    }
    return northstar::detail::xxh64(reinterpret_cast<const std::byte*>(all.data()), all.size(), 0);
}

/// How many functions of a file have another body in another revision.
std::size_t different_functions(const SynthRepo& repo, std::uint64_t file, std::uint32_t a, std::uint32_t b) {
    std::size_t different = 0;
    for (std::uint32_t number = 0; number < repo.functions(file); ++number) {
        const std::string name = "int " + repo.name({file, number}) + "(";
        const auto body = [&](std::uint32_t revision) {
            const std::string text = repo.text(file, revision);
            const std::size_t from = text.find(name);
            return text.substr(from, text.find("\n}\n", from) - from);
        };
        different += body(a) == body(b) ? 0 : 1;
    }
    return different;
}

}  // namespace synth_repo_test

using namespace synth_repo_test;

TEST_CASE("a seed names the same bytes for ever", "[tool][fast]") {
    CHECK(fingerprint(1, 50, 40) == 0x7f653572685389b7u);
    CHECK(fingerprint(7, 300, 5) == 0x7951e04a78a5f526u);
}

TEST_CASE("another seed is another repository", "[tool][fast]") {
    CHECK(fingerprint(1, 20, 5) != fingerprint(2, 20, 5));
}

TEST_CASE("paths and names are unique", "[tool][fast]") {
    const SynthRepo repo(3, 2000);
    std::set<std::string> paths;
    std::set<std::string> names;
    std::size_t functions = 0;
    for (std::uint64_t file = 0; file < repo.files(); ++file) {
        paths.insert(repo.path(file));
        for (std::uint32_t number = 0; number < repo.functions(file); ++number, ++functions)
            names.insert(repo.name({file, number}));
    }
    CHECK(paths.size() == repo.files());
    CHECK(names.size() == functions);
}

TEST_CASE("calls go to functions that exist", "[tool][fast]") {
    const SynthRepo repo(4, 500);
    std::size_t calls = 0;
    for (std::uint64_t file = 0; file < repo.files(); ++file) {
        for (const auto& callee : repo.calls({file, 0}, 3)) {
            REQUIRE(callee.file < repo.files());
            REQUIRE(callee.number < repo.functions(callee.file));
            ++calls;
        }
    }
    CHECK(calls > repo.files());
}

TEST_CASE("a revision changes the body of one function", "[tool][fast]") {
    const SynthRepo repo(5, 40);
    for (std::uint64_t file = 0; file < repo.files(); ++file) CHECK(different_functions(repo, file, 1, 2) == 1);
}

TEST_CASE("every commit changes files, and time goes on", "[tool][fast]") {
    const SynthRepo repo(6, 100);
    SynthHistory history(repo);
    std::uint64_t last = 0;
    CHECK(history.next().files.size() == repo.files());
    for (int i = 0; i < 200; ++i) {
        const SynthCommit commit = history.next();
        CHECK_FALSE(commit.files.empty());
        CHECK(commit.time_s > last);
        last = commit.time_s;
    }
}

TEST_CASE("the hundred millionth file of a repository is there at once", "[tool][fast]") {
    const SynthRepo repo(8, 1'000'000'000);
    CHECK(repo.text(99'999'999, 5).size() > 100);
}

}  // namespace synth
