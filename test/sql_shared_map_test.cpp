// SharedMap beside std::map: what one copy does is not seen in another.

#include "base/random.hpp"
#include "sql/catalog/shared_map.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t k_seed = 20241129;

using Map = northstar::sql::SharedMap<std::string, int>;
using Model = std::map<std::string, int>;

bool same(const Map& map, const Model& model) {
    if (map.size() != model.size() || map.empty() != model.empty()) return false;
    auto expected = model.begin();
    for (const auto& [key, value] : map) {
        if (expected == model.end() || key != expected->first || value != expected->second) return false;
        ++expected;
    }
    return expected == model.end();
}

}  // namespace

TEST_CASE("a shared map holds what a map would, and its copies keep what they had", "[sql]") {
    INFO("seed " << k_seed);
    northstar::detail::Random random{k_seed};
    std::vector<std::pair<Map, Model>> all(1);
    bool every_copy = true;
    for (int step = 0; step < 30000; ++step) {
        auto& [map, model] = all[random.next() % all.size()];
        const std::string key = std::to_string(random.next() % 700);
        // Long stretches in which entries come, and such in which they go.
        const bool grows = step % 6000 < 3000;
        if (random.next() % 4 == (grows ? 0u : 1u) || (!grows && random.next() % 3 != 0))
            CHECK(map.erase(key) == (model.erase(key) == 1));
        else {
            map.set(key, step);
            model[key] = step;
        }
        if (step % 500 == 0 && all.size() < 6) all.push_back(all[0]);
        if (step % 500 == 250 && all.size() > 3) all.erase(all.begin());
        if (step % 100 == 0)
            for (const auto& [copy, expected] : all) every_copy = every_copy && same(copy, expected);
    }
    CHECK(every_copy);
}

TEST_CASE("a shared map finds entries and the first one behind a key", "[sql]") {
    INFO("seed " << k_seed);
    northstar::detail::Random random{k_seed};
    Map map;
    Model model;
    CHECK(map.find("1") == nullptr);
    CHECK(map.lower_bound("1") == map.end());
    bool right = true;
    for (int step = 0; step < 1000; ++step) {
        const std::string added = std::to_string(random.next() % 3000);
        map.set(added, step);
        model[added] = step;
        const std::string wanted = std::to_string(random.next() % 3000);
        const auto expected = model.find(wanted);
        const int* const found = map.find(wanted);
        right = right && (found == nullptr) == (expected == model.end());
        right = right && (found == nullptr || *found == expected->second);
        const auto next = model.lower_bound(wanted);
        const auto behind = map.lower_bound(std::string_view(wanted));
        right = right && (behind == map.end()) == (next == model.end());
        right = right && (next == model.end() || behind->first == next->first);
    }
    CHECK(right);
}
