// copy_streams.hpp -- what STDIN and STDOUT are to COPY in the shell.
//
// Rows for COPY .. FROM STDIN stand behind the statement, up to a line \. alone, as in the output of dump programs;
// where none stand there, they come from standard input. COPY .. TO STDOUT writes where results go.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "../output.hpp"
#include "northstar.hpp"

namespace northstar_tool::shell {

/// COPY .. FROM STDIN?
bool reads_standard_input(std::string_view statement);

/// Lines behind a statement, gathered as they come. O(text) altogether.
class CopyLines {
public:
    /// Takes text; where the end mark was in it, what stands behind that.
    std::optional<std::string> take(std::string_view text);
    bool empty() const noexcept { return lines_.empty(); }
    std::string release() noexcept { return std::move(lines_); }

private:
    std::string lines_;
    std::size_t line_ = 0;  // begin of the last one, which has not ended yet
};

/// Gives the lines, or where there are none standard input.
class CopySource final : public northstar::SqlCopySource {
public:
    explicit CopySource(std::optional<std::string> lines) : lines_(std::move(lines)) {}
    bool read(std::string& bytes) override;

private:
    std::optional<std::string> lines_;
};

class CopySink final : public northstar::SqlCopySink {
public:
    explicit CopySink(Output& output) : output_(output) {}
    void write(std::string_view bytes) override { output_.write(bytes); }

private:
    Output& output_;
};

/// What a connection takes for STDIN and STDOUT as long as it lives.
class LentStreams {
public:
    LentStreams(northstar::SqlConnection& connection, CopySource& source, CopySink& sink) : connection_(connection) {
        connection.copy_streams(&source, &sink);
    }
    ~LentStreams() { connection_.copy_streams(nullptr, nullptr); }
    LentStreams(const LentStreams&) = delete;
    LentStreams& operator=(const LentStreams&) = delete;

private:
    northstar::SqlConnection& connection_;
};

}  // namespace northstar_tool::shell
