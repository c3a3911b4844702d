// log_memory_test.cpp -- what is too long for the log, and what only this machine's memory is too small for.
#include "memory_limit.hpp"

#include "base/error.hpp"
#include "log/operation_list.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string_view>

namespace {

using namespace northstar;
using namespace northstar::detail;

enum class Answer { taken, too_large, no_memory };

Answer annotate(std::string_view key, std::string_view value) {
    OperationList list;
    // Memory ends before anything would be copied.
    const memory_test::Limit limit(std::size_t{1} << 20);
    try {
        list.annotate(key, value);
    } catch (const Error& error) {
        return error.code() == Errc::value_too_large ? Answer::too_large : Answer::no_memory;
    } catch (const std::bad_alloc&) {
        return Answer::no_memory;
    }
    return Answer::taken;
}

}  // namespace

TEST_CASE("an annotation is too large from 4 GiB on, and not before", "[log][fast]") {
    constexpr std::uint64_t k_longest = 0xffffffffu;
    const char letter = 'a';
    const std::string_view longest(&letter, k_longest);
    const std::string_view longer(&letter, k_longest + 1);
    CHECK(annotate("key", "value") == Answer::taken);
    CHECK(annotate("key", longest) == Answer::no_memory);
    CHECK(annotate("key", longer) == Answer::too_large);
    CHECK(annotate(longest, "value") == Answer::no_memory);
    CHECK(annotate(longer, "value") == Answer::too_large);
}
