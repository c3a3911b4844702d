// gen_synth_repo -- writes a made-up source repository (synth_repo.hpp) for demonstrations, imports and benchmarks.
//
//   gen_synth_repo [--seed N] [--files N] [--commits N] DIRECTORY
//       the files as the last commit left them, and DIRECTORY/commits.jsonl; the directory must not exist
//   gen_synth_repo [--seed N] [--files N] [--commits N] --jsonl
//       the same files as JSON lines of key and value on standard output, for northstar import
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "synth_repo.hpp"

namespace {

struct Settings {
    std::uint64_t seed = 1;
    std::uint64_t files = 1000;
    std::uint64_t commits = 100;
    bool lines = false;
    std::string directory;
};

std::uint64_t number_of(std::string_view option, std::string_view text) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size())
        throw std::invalid_argument(std::string(option) + " takes a whole number, not '" + std::string(text) + "'");
    return number;
}

Settings settings_of(int count, char** words) {
    Settings settings;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--jsonl") {
            settings.lines = true;
        } else if (word == "--seed" || word == "--files" || word == "--commits") {
            if (i + 1 == count) throw std::invalid_argument(std::string(word) + " needs a value");
            const std::uint64_t value = number_of(word, words[++i]);
            (word == "--seed" ? settings.seed : word == "--files" ? settings.files : settings.commits) = value;
        } else if (word.starts_with("-") || !settings.directory.empty()) {
            throw std::invalid_argument("'" + std::string(word) + "' is not understood");
        } else {
            settings.directory = word;
        }
    }
    if (settings.lines != settings.directory.empty())
        throw std::invalid_argument("a directory that does not exist yet, or --jsonl, is needed");
    if (settings.files == 0 || settings.commits == 0)
        throw std::invalid_argument("--files and --commits must be at least 1");
    return settings;
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out + "\"";
}

std::string line_of(const synth::SynthCommit& commit, const synth::SynthRepo& repo) {
    std::string line = "{\"commit\":" + std::to_string(commit.number) +
                       ",\"time_s\":" + std::to_string(commit.time_s) + ",\"author\":" + json_text(commit.author) +
                       ",\"message\":" + json_text(commit.message) + ",\"files\":[";
    for (std::size_t i = 0; i < commit.files.size(); ++i)
        line += (i == 0 ? "" : ",") + json_text(repo.path(commit.files[i]));
    return line + "]}\n";
}

void write_file(const std::filesystem::path& path, std::string_view text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

int run(const Settings& settings) {
    const synth::SynthRepo repo(settings.seed, settings.files);
    synth::SynthHistory history(repo);
    std::string commits;
    for (std::uint64_t i = 0; i < settings.commits; ++i) commits += line_of(history.next(), repo);
    if (!settings.lines) {
        if (!std::filesystem::create_directory(settings.directory))
            throw std::runtime_error(settings.directory + " exists already");
        write_file(std::filesystem::path(settings.directory) / "commits.jsonl", commits);
    }
    for (std::uint64_t file = 0; file < repo.files(); ++file) {
        const std::string text = repo.text(file, history.revision(file));
        if (!settings.lines) {
            write_file(std::filesystem::path(settings.directory) / repo.path(file), text);
        } else if (std::printf("{\"key\":%s,\"value\":%s}\n", json_text(repo.path(file)).c_str(),
                               json_text(text).c_str()) < 0) {
            throw std::runtime_error("cannot write to standard output");
        }
    }
    if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write to standard output");
    return 0;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run(settings_of(count, words));
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr,
                     "gen_synth_repo: %s\n"
                     "usage: gen_synth_repo [--seed N] [--files N] [--commits N] DIRECTORY|--jsonl\n",
                     error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gen_synth_repo: %s\n", error.what());
        return 1;
    }
}
