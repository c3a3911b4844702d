#include "session.hpp"

namespace northstar_tool {

northstar::Database open_reading(const std::string& path, const Arguments& arguments) {
    northstar::Options options;
    options.create = false;
    // A handle that only reads shares the file with others by its nature.
    options.exclusive = arguments.has("exclusive");
    options.read_only = !options.exclusive;
    if (arguments.has("pread")) options.read_mode = northstar::ReadMode::pread;
    return northstar::Database::open(path, options);
}

northstar::Database open_writing(const std::string& path, const Arguments& arguments, bool create) {
    northstar::Options options;
    options.create = create;
    options.exclusive = arguments.has("exclusive");
    options.overlay_limit = arguments.size("memory").value_or(0);
    if (arguments.has("pread")) options.read_mode = northstar::ReadMode::pread;
    if (arguments.value_or("durability", "full") == "lazy") options.durability = northstar::Durability::lazy;
    return northstar::Database::open(path, options);
}

std::string tree_name(const Arguments& arguments) { return arguments.value_or("tree", "main"); }

std::optional<Point> as_of(const Arguments& arguments) {
    const auto text = arguments.value("as-of");
    if (!text) return std::nullopt;
    return parse_point(*text);
}

northstar::Snapshot snapshot_for(const northstar::Database& database, const Arguments& arguments) {
    const auto point = as_of(arguments);
    return point ? database.begin_read(resolve(database, *point)) : database.begin_read();
}

northstar::Freshness freshness(const Arguments& arguments) {
    const std::string text = arguments.value_or("freshness", "overlay");
    if (text == "overlay") return northstar::Freshness::overlay();
    if (text == "exact") return northstar::Freshness::exact();
    if (text.substr(0, 6) == "stale:") {
        const auto lag = parse_unsigned(std::string_view(text).substr(6));
        if (lag) return northstar::Freshness::stale_ok(*lag);
    }
    throw UsageError("--freshness is overlay, exact or stale:N (commits), not '" + printable(text) + "'");
}

northstar::WriteOptions write_options(const Arguments& arguments) {
    northstar::WriteOptions options;
    if (const auto level = arguments.value("durability")) {
        options.durability = *level == "lazy" ? northstar::Durability::lazy : northstar::Durability::full;
    }
    if (const auto seconds = arguments.number("wait")) {
        if (*seconds > 4'000'000) throw UsageError("--wait takes at most 4000000 seconds");
        options.timeout_ms = static_cast<std::uint32_t>(*seconds * 1000);
    }
    return options;
}

void annotate(northstar::Transaction& transaction, const Arguments& arguments) {
    for (const auto& [name, value] : arguments.pairs("annotate")) transaction.annotate(name, value);
    if (const auto text = arguments.value("time")) {
        const auto time = parse_time(*text);
        if (!time)
            throw UsageError("--time takes a time such as 2024-05-01T12:00:00Z or @seconds, not '" +
                             printable(*text) + "'");
        transaction.set_time_us(*time);
    }
}

northstar::History parse_history(std::string_view text) {
    if (text == "everything") return northstar::History::everything();
    if (text == "nothing") return northstar::History::nothing();
    if (text.substr(0, 5) == "last:") {
        if (const auto txns = parse_unsigned(text.substr(5))) return northstar::History::last(*txns);
    }
    if (text.substr(0, 9) == "duration:") {
        if (const auto micros = parse_duration(text.substr(9))) return northstar::History::duration(*micros);
    }
    throw UsageError(
        "a retention is everything, nothing, last:N (transactions) or duration:N with one of ms s m h d w, not '" +
        printable(text) + "'");
}

std::string format_history(const northstar::History& history) {
    using Kind = northstar::History::Kind;
    switch (history.kind) {
    case Kind::nothing: return "nothing";
    case Kind::everything: return "everything";
    case Kind::last_txns: return "last:" + std::to_string(history.amount);
    case Kind::duration: break;
    }
    static constexpr std::pair<std::uint64_t, const char*> units[] = {
        {86'400'000'000u, "d"}, {3'600'000'000u, "h"}, {60'000'000u, "m"}, {1'000'000u, "s"}, {1'000u, "ms"}};
    for (const auto& [size, suffix] : units) {
        if (history.amount != 0 && history.amount % size == 0) {
            return "duration:" + std::to_string(history.amount / size) + suffix;
        }
    }
    return "duration:" + std::to_string(history.amount) + "us";
}

std::optional<std::string> end_of_prefix(std::string prefix) {
    while (!prefix.empty()) {
        const auto last = static_cast<unsigned char>(prefix.back());
        if (last != 0xff) {
            prefix.back() = static_cast<char>(static_cast<unsigned char>(last + 1));
            return prefix;
        }
        prefix.pop_back();
    }
    return std::nullopt;
}

KeyRange key_range(const Arguments& arguments) {
    KeyRange range;
    const auto prefix = arguments.bytes_of("prefix");
    const auto from = arguments.bytes_of("from");
    auto to = arguments.bytes_of("to");
    if (prefix && (from || to)) throw UsageError("--prefix excludes --from and --to");
    if (prefix) {
        range.from = *prefix;
        range.to = end_of_prefix(*prefix);
    } else {
        if (from) range.from = *from;
        range.to = std::move(to);
    }
    return range;
}

northstar::Range entries(const northstar::Tree& tree, const KeyRange& range) {
    if (range.all()) return tree.all();
    return range.to ? tree.range(range.from, *range.to) : tree.from(range.from);
}

}  // namespace northstar_tool
