#include "history.hpp"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace northstar_tool::shell {
namespace history_impl {

std::string encoded(std::string_view entry) {
    std::string line;
    for (const char c : entry) {
        if (c == '\n') line += "\\n";
        else if (c == '\\') line += "\\\\";
        else line += c;
    }
    return line + "\n";
}

std::string decoded(std::string_view line) {
    std::string entry;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\' || i + 1 == line.size()) entry += line[i];
        else entry += line[++i] == 'n' ? '\n' : line[i];
    }
    return entry;
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(descriptor, text.data(), text.size());
        if (wrote <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

}  // namespace history_impl

History::History(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::FILE* const file = std::fopen(path_.c_str(), "rb");
    if (file == nullptr) return;
    std::string text;
    char buffer[16384];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
    std::fclose(file);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) break;  // half a line: its writer was killed
        entries_.push_back(history_impl::decoded(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
    }
    const bool cut = entries_.size() > 2 * k_limit;
    if (entries_.size() > k_limit)
        entries_.erase(entries_.begin(), entries_.end() - static_cast<std::ptrdiff_t>(k_limit));
    if (cut) rewrite_file();
}

void History::add(std::string_view entry) {
    if (entry.empty() || entry.front() == ' ' || (!entries_.empty() && entries_.back() == entry)) return;
    entries_.emplace_back(entry);
    append_to_file(entry);
}

std::optional<std::size_t> History::find_before(std::size_t before, std::string_view text) const {
    for (std::size_t i = before; i-- > 0;)
        if (entries_[i].find(text) != std::string::npos) return i;
    return std::nullopt;
}

std::optional<std::size_t> History::find_behind(std::size_t behind, std::string_view text) const {
    for (std::size_t i = behind + 1; i < entries_.size(); ++i)
        if (entries_[i].find(text) != std::string::npos) return i;
    return std::nullopt;
}

std::string History::default_path() {
    if (const char* const given = std::getenv("NORTHSTAR_HISTORY")) return given;
    const char* const home = std::getenv("HOME");
    return home == nullptr || *home == '\0' ? std::string() : std::string(home) + "/.northstar_history";
}

void History::append_to_file(std::string_view entry) const {
    if (path_.empty()) return;
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) return;
    history_impl::write_all(descriptor, history_impl::encoded(entry));
    ::close(descriptor);
}

void History::rewrite_file() const {
    const std::string fresh = path_ + ".new-" + std::to_string(::getpid());
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return;
    std::string text;
    for (const std::string& entry : entries_) text += history_impl::encoded(entry);
    const bool whole = history_impl::write_all(descriptor, text);
    ::close(descriptor);
    if (!whole || ::rename(fresh.c_str(), path_.c_str()) != 0) ::unlink(fresh.c_str());
}

}  // namespace northstar_tool::shell
