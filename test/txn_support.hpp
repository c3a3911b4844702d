// txn_support.hpp -- what the tests of the whole kernel share: places, seeds, sizes of runs.
#pragma once

#include <catch2/catch.hpp>

#include "api/northstar.hpp"
#include "skip.hpp"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace txn_test {

/// A directory of its own for each test, removed at its end; in memory where the system offers that.
class Workplace {
public:
    Workplace() {
        const char* const base = std::getenv("TMPDIR");
        std::string pattern = base != nullptr ? base : ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        pattern += "/northstar-txn-" + std::string(6, 'X');
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    ~Workplace() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Runs are longer by this factor where somebody has the time: NORTHSTAR_TEST_SCALE=20 ...
inline int scaled(int count) {
    const char* const text = std::getenv("NORTHSTAR_TEST_SCALE");
    const double factor = text != nullptr ? std::atof(text) : 1.0;
    return static_cast<int>(count * (factor > 0 ? factor : 1.0)) + 1;
}

/// NORTHSTAR_TEST_SEED repeats a run that failed.
inline std::uint64_t seed(std::uint64_t ordinary) {
    const char* const text = std::getenv("NORTHSTAR_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 0) : ordinary;
}

class Dice {
public:
    explicit Dice(std::uint64_t seed) : generator_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return generator_() % limit; }
    bool chance(unsigned percent) { return below(100) < percent; }
    std::string bytes(std::size_t size) {
        std::string out(size, '\0');
        std::uint64_t word = generator_();
        for (std::size_t i = 0; i < size; ++i) {
            if (i % 64 == 0) word = generator_();
            out[i] = static_cast<char>(word >> (i % 8 * 8));
        }
        return out;
    }

private:
    std::mt19937_64 generator_;
};

/// The code that fn fails with; nullopt: it did not fail. The sentence must say something.
template <class F>
std::optional<northstar::Errc> code_of(F&& fn) {
    try {
        fn();
    } catch (const northstar::Error& error) {
        const std::string sentence = error.what();
        INFO(sentence);
        CHECK(sentence.size() > 20);
        CHECK(sentence.find(' ') != std::string::npos);
        return error.code();
    }
    return std::nullopt;
}

}  // namespace txn_test

namespace Catch {
template <>
struct StringMaker<northstar::Errc> {
    static std::string convert(northstar::Errc code) { return northstar::to_string(code); }
};
template <>
struct StringMaker<std::optional<northstar::Errc>> {
    static std::string convert(const std::optional<northstar::Errc>& code) {
        return code ? northstar::to_string(*code) : "no error";
    }
};
}  // namespace Catch
