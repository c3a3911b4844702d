// text_query.hpp -- a question about texts as a tree.  Layer: cartridge.  Threads: values.
//
// [TEXT-10] A question written by text() and parsed again is the same tree.
#pragma once

#include "api/northstar.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

struct QueryNode {
    enum class Kind : std::uint8_t { word = 0, prefix = 1, phrase = 2, group = 3 };
    Kind kind = Kind::group;
    std::string text;   ///< of a word, prefix or phrase, as it was written
    std::string field;  ///< empty: any
    // Of a group: all of `must`, if there are any, else one of `should`; none of `never`.
    std::vector<QueryNode> must;
    std::vector<QueryNode> should;
    std::vector<QueryNode> never;
};

/// In the notation of TextQuery::parse.
void write_query(const QueryNode& node, bool nested, std::string& out);

}  // namespace northstar::inline v0::detail
