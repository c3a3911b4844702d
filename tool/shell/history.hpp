// history.hpp -- what was entered before, kept in a file from one session to the next.
//
// One entry a line, line feeds and backslashes inside written \n and \\. Every entry is appended at once, so that
// several shells share a file and a killed one loses nothing; a file that has grown to twice the limit is cut at the
// next start. The file is readable by its owner alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar_tool::shell {

class History {
public:
    static constexpr std::size_t k_limit = 10'000;

    /// Reads the file, if there is one; an empty path: nothing is kept.
    explicit History(std::string path);
    /// Ignores what is empty, equals the newest entry or begins with a blank. A file that cannot be written is no
    /// failure: the entry is known to this session.
    void add(std::string_view entry);
    std::size_t size() const noexcept { return entries_.size(); }
    const std::string& entry(std::size_t index) const { return entries_[index]; }
    /// The newest entry before `before` that contains the text.
    std::optional<std::size_t> find_before(std::size_t before, std::string_view text) const;
    /// The oldest entry behind `behind` that contains it.
    std::optional<std::size_t> find_behind(std::size_t behind, std::string_view text) const;

    /// $NORTHSTAR_HISTORY, or .northstar_history in the home directory; empty where there is neither.
    static std::string default_path();

private:
    void append_to_file(std::string_view entry) const;
    void rewrite_file() const;

    std::string path_;
    std::vector<std::string> entries_;
};

}  // namespace northstar_tool::shell
