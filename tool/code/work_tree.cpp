#include "work_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.hpp"

namespace northstar_tool::code {

std::vector<std::string> files_below(const std::string& directory) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        throw Failure(k_exit_system, directory + " is no directory" + (error ? ": " + error.message() : ""));
    }
    std::vector<std::string> files;
    fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        const std::string name = at->path().filename().string();
        std::error_code status;
        if (name.front() == '.' || name == "node_modules") {
            at.disable_recursion_pending();
        } else if (!at->is_symlink(status) && at->is_regular_file(status)) {
            files.push_back(at->path().lexically_relative(directory).string());
        }
    }
    if (error) throw Failure(k_exit_system, "cannot list " + directory + ": " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

std::optional<std::string> content_of(const std::string& path, std::uint64_t limit) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return std::nullopt;
    struct stat status {};
    std::string content;
    bool whole = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                 static_cast<std::uint64_t>(status.st_size) <= limit;
    while (whole) {
        char buffer[64u << 10];
        const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        whole = got > 0 && content.size() + static_cast<std::size_t>(got) <= limit;
        if (whole) content.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(descriptor);
    return whole ? std::optional<std::string>(std::move(content)) : std::nullopt;
}

}  // namespace northstar_tool::code
