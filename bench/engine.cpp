#include "engine.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace bench {

std::size_t Reader::multi_get(std::span<const std::string_view> keys, std::uint64_t& sum) {
    std::size_t hits = 0;
    std::string_view value;
    for (const std::string_view key : keys) {
        if (!get(key, value)) continue;
        sum += static_cast<unsigned char>(value.front());
        ++hits;
    }
    return hits;
}

std::vector<EngineEntry>& engine_registry() {
    static std::vector<EngineEntry> entries;
    return entries;
}

RegisterEngine::RegisterEngine(std::string name, int position, bool by_default, EngineFactory make) {
    auto& entries = engine_registry();
    const auto place = std::find_if(entries.begin(), entries.end(),
                                    [&](const EngineEntry& entry) { return entry.position > position; });
    entries.insert(place, {std::move(name), position, by_default, std::move(make)});
}

std::unique_ptr<Engine> make_engine(std::string_view name) {
    for (const EngineEntry& entry : engine_registry()) {
        if (entry.name == name) return entry.make();
    }
    throw std::runtime_error("no engine named '" + std::string(name) + "' in this build");
}

}  // namespace bench
