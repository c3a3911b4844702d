// points.hpp -- moments of a database's life as people write them, and times as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "northstar.hpp"

namespace northstar_tool {

/// A moment as written on the command line.
struct Point {
    enum class Kind {
        latest,      ///< "latest", or "latest~N": N commits before it
        txn,         ///< "17"
        time,        ///< ISO 8601, "@seconds", "NNNus", "now" or "2h-ago"
        annotation,  ///< "NAME=VALUE": newest commit so annotated; "NAME^=PREFIX": value begins so
    };
    Kind kind = Kind::latest;
    std::uint64_t value = 0;  ///< commits back, txn, or microseconds
    std::string name;
    std::string text;
    bool prefix = false;
};

/// A UsageError if the text is none of these.
Point parse_point(std::string_view text);
/// Microseconds since 1970 of an ISO 8601 date or time ("2024-05-01", "2024-05-01T12:30:00.5+02:00"; UTC unless an
/// offset is given), of "@seconds[.fraction]", of "NNNus", of "now" or of "2h-ago"; nullopt otherwise.
std::optional<std::uint64_t> parse_time(std::string_view text);
/// "2024-05-01T12:30:00.000000Z".
std::string format_time(std::uint64_t microseconds);

/// What a database says the moment is; a Failure if no commit has the annotation.
northstar::AsOf resolve(const northstar::Database& database, const Point& point);
/// The first commit at or after that moment, where a list of commits begins; for a transaction its own number.
northstar::Txn resolve_first(const northstar::Database& database, const Point& point);
/// The number of the commit that is the newest at that moment.
northstar::Txn resolve_txn(const northstar::Database& database, const Point& point);
/// The first commit whose record is kept; 1 for a database that was never pruned.
northstar::Txn oldest_commit(const northstar::Database& database);
/// The newest commit a reader sees; 0: none.
northstar::Txn newest_commit(const northstar::Database& database);

}  // namespace northstar_tool
