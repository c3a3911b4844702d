// session.hpp -- what most commands do first: open the database the way their options say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "northstar.hpp"
#include "points.hpp"

namespace northstar_tool {

/// Name under which imports keep how far they got; not exported and not counted as a tree of the user's.
inline constexpr std::string_view k_import_tree = "northstar:import";

/// Read-only, and only if it exists.
northstar::Database open_reading(const std::string& path, const Arguments& arguments);
/// For writing; create: make it if it does not exist.
northstar::Database open_writing(const std::string& path, const Arguments& arguments, bool create);

/// --tree.
std::string tree_name(const Arguments& arguments);
/// The state that --as-of names, or the present one.
northstar::Snapshot snapshot_for(const northstar::Database& database, const Arguments& arguments);
/// --as-of, if given.
std::optional<Point> as_of(const Arguments& arguments);

/// --freshness: overlay, exact or stale:N; a UsageError otherwise.
northstar::Freshness freshness(const Arguments& arguments);

/// --durability and --wait.
northstar::WriteOptions write_options(const Arguments& arguments);
/// Applies --annotate and --time.
void annotate(northstar::Transaction& transaction, const Arguments& arguments);

/// "everything", "nothing", "last:N" or "duration:7d"; a UsageError otherwise.
northstar::History parse_history(std::string_view text);
std::string format_history(const northstar::History& history);

/// A key range: --prefix, or --from and --to.
struct KeyRange {
    std::string from;
    std::optional<std::string> to;  ///< exclusive
    bool all() const noexcept { return from.empty() && !to; }
    bool contains(std::string_view key) const noexcept { return key >= from && (!to || key < *to); }
};
KeyRange key_range(const Arguments& arguments);
northstar::Range entries(const northstar::Tree& tree, const KeyRange& range);
/// Smallest key behind all keys with this prefix; nullopt: there is none.
std::optional<std::string> end_of_prefix(std::string prefix);

}  // namespace northstar_tool
