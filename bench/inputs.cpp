#include "inputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "dataset.hpp"
#include "gen_synth_repo/synth_repo.hpp"

namespace bench {
namespace inputs_impl {

std::vector<std::string> lines_of(const std::string& path, std::uint64_t most) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; lines.size() < most && std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(std::move(line));
    }
    return lines;
}

[[noreturn]] void refuse(const std::string& path, const std::string& line) {
    throw std::runtime_error(path + ": not understood: " + line.substr(0, 60));
}

/// Real names are "file.c:function"; what has no file is a library's.
CodeGraph read_code_graph(const std::string& names, const std::string& edges) {
    CodeGraph graph;
    graph.input = "callgraph-redis";
    for (std::string& name : lines_of(names, ~std::uint64_t{0})) {
        const std::size_t colon = name.find(':');
        graph.files.push_back(colon == std::string::npos ? "library" : name.substr(0, colon));
        graph.symbols.push_back(std::move(name));
    }
    graph.calls.resize(graph.symbols.size());
    for (const std::string& line : lines_of(edges, ~std::uint64_t{0})) {
        if (line.starts_with("#")) continue;
        std::istringstream numbers(line);
        std::size_t caller = 0;
        std::uint32_t callee = 0;
        if (!(numbers >> caller >> callee) || caller >= graph.calls.size() || callee >= graph.calls.size())
            refuse(edges, line);
        graph.calls[caller].push_back(callee);
    }
    return graph;
}

CodeGraph made_code_graph(std::uint64_t seed, std::uint64_t symbols) {
    CodeGraph graph;
    graph.input = "gen_synth_repo";
    const synth::SynthRepo repo(seed, std::max<std::uint64_t>(1, symbols / 6));
    std::vector<std::uint32_t> first;
    for (std::uint64_t file = 0; file < repo.files(); ++file) {
        first.push_back(static_cast<std::uint32_t>(graph.symbols.size()));
        for (std::uint32_t number = 0; number < repo.functions(file); ++number) {
            graph.symbols.push_back(repo.name({file, number}));
            graph.files.push_back(repo.path(file));
        }
    }
    graph.calls.resize(graph.symbols.size());
    for (std::uint64_t file = 0; file < repo.files(); ++file) {
        for (std::uint32_t number = 0; number < repo.functions(file); ++number) {
            for (const auto& callee : repo.calls({file, number}, 0))
                graph.calls[first[static_cast<std::size_t>(file)] + number].push_back(
                    first[static_cast<std::size_t>(callee.file)] + callee.number);
        }
    }
    return graph;
}

std::string made_text(Random& random) {
    // Few words make most of a text, as in any language.
    std::string text;
    const std::uint64_t words = 20 + random.below(300);
    for (std::uint64_t i = 0; i < words; ++i) {
        const std::uint64_t word = random.below(random.below(random.below(20'000) + 1) + 1);
        text += (i == 0 ? "" : " ");
        for (std::uint64_t rest = word + 26; rest != 0; rest /= 26) text += static_cast<char>('a' + rest % 26);
    }
    return text;
}

/// Seconds since 1970 of "2014-02-14 14:30:00".
std::uint64_t seconds_of(const std::string& path, const std::string& line) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (std::sscanf(line.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6)
        refuse(path, line);
    // Days from civil date: years begin in March, so that the leap day is the last of its year.
    const int y = month <= 2 ? year - 1 : year;
    const int m = (month + 9) % 12;
    const std::int64_t days = 365LL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
    return static_cast<std::uint64_t>(days * 86400 + hour * 3600 + minute * 60 + second);
}

}  // namespace inputs_impl

CodeGraph Inputs::code_graph(std::uint64_t symbols) const {
    const std::string stem = directory_ + "/graphs/callgraph-redis";
    const bool real = std::filesystem::exists(stem + ".names") && std::filesystem::exists(stem + ".txt");
    CodeGraph graph = real ? inputs_impl::read_code_graph(stem + ".names", stem + ".txt")
                           : inputs_impl::made_code_graph(seed_, symbols);
    for (auto& calls : graph.calls) {
        std::sort(calls.begin(), calls.end());
        calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
    }
    return graph;
}

Documents Inputs::documents(std::uint64_t count) const {
    Documents documents;
    for (const char* name : {"cranfield", "manpages", "wordnet"}) {
        const std::string path = directory_ + "/text/" + name + "_docs.tsv";
        if (documents.texts.size() >= count || !std::filesystem::exists(path)) continue;
        documents.input += std::string(documents.input.empty() ? "" : ", ") + name;
        for (const std::string& line : inputs_impl::lines_of(path, count - documents.texts.size())) {
            const std::size_t tab = line.find('\t');
            if (tab == std::string::npos) inputs_impl::refuse(path, line);
            documents.texts.push_back(line.substr(tab + 1));
        }
    }
    if (!documents.texts.empty()) return documents;
    documents.input = "made";
    Random random(seed_ + 11);
    while (documents.texts.size() < count) documents.texts.push_back(inputs_impl::made_text(random));
    return documents;
}

Trace Inputs::trace(std::uint64_t requests) const {
    Trace trace;
    const std::string path = directory_ + "/traces/azure_llm_2023_code.csv";
    if (std::filesystem::exists(path)) {
        trace.input = "azure_llm_2023_code";
        const std::vector<std::string> lines = inputs_impl::lines_of(path, requests + 1);
        for (std::size_t i = 1; i < lines.size(); ++i) {
            Trace::Request request{};
            const std::size_t comma = lines[i].find(',');
            if (comma == std::string::npos ||
                std::sscanf(lines[i].c_str() + comma, ",%u,%u", &request.asked, &request.answered) != 2)
                inputs_impl::refuse(path, lines[i]);
            trace.requests.push_back(request);
        }
        return trace;
    }
    trace.input = "made";
    Random random(seed_ + 12);
    while (trace.requests.size() < requests) {
        const auto asked = static_cast<std::uint32_t>(1 + random.below(random.below(7000) + 1));
        trace.requests.push_back({asked, static_cast<std::uint32_t>(1 + random.below(random.below(400) + 1))});
    }
    return trace;
}

TimeSeries Inputs::time_series(std::uint64_t series, std::uint64_t points) const {
    TimeSeries all;
    const std::string folder = directory_ + "/series";
    if (std::filesystem::is_directory(folder)) {
        std::set<std::string> paths;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.path().extension() == ".csv") paths.insert(entry.path().string());
        }
        if (!paths.empty()) all.input = "cloudwatch";
        for (const std::string& path : paths) {
            if (all.series.size() >= series) break;
            std::vector<TimeSeries::Point> one;
            const std::vector<std::string> lines = inputs_impl::lines_of(path, points + 1);
            for (std::size_t i = 1; i < lines.size(); ++i) {
                const std::size_t comma = lines[i].find(',');
                if (comma == std::string::npos) inputs_impl::refuse(path, lines[i]);
                one.push_back({inputs_impl::seconds_of(path, lines[i]), std::stod(lines[i].substr(comma + 1))});
            }
            all.series.push_back(std::move(one));
        }
    }
    if (!all.series.empty()) return all;
    all.input = "made";
    Random random(seed_ + 13);
    for (std::uint64_t s = 0; s < series; ++s) {
        std::vector<TimeSeries::Point> one;
        double value = 50;
        for (std::uint64_t i = 0; i < points; ++i) {
            value += static_cast<double>(random.below(2001)) / 1000 - 1;
            one.push_back({1'392'388'200 + i * 300, value});
        }
        all.series.push_back(std::move(one));
    }
    return all;
}

}  // namespace bench
