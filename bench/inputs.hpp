// inputs.hpp -- data for the macro suites: real data sets where a directory has them, made from a seed where not.
//
// Each input says what it is; the name goes into the results, and results of different inputs are not compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// Functions and who calls whom.
struct CodeGraph {
    std::string input;
    std::vector<std::string> symbols;               ///< unique, in the order of their files
    std::vector<std::string> files;                 ///< of each symbol
    std::vector<std::vector<std::uint32_t>> calls;  ///< of each symbol; ascending, each once
};

struct Documents {
    std::string input;
    std::vector<std::string> texts;
};

/// Requests in the order of their arrival.
struct Trace {
    std::string input;
    struct Request {
        std::uint32_t asked;     ///< tokens
        std::uint32_t answered;  ///< tokens
    };
    std::vector<Request> requests;
};

/// Several series of measurements.
struct TimeSeries {
    std::string input;
    struct Point {
        std::uint64_t time_s;
        double value;
    };
    std::vector<std::vector<Point>> series;
};

class Inputs {
public:
    /// A directory with graphs/, text/, traces/ and series/, of which any may be missing; "none": there is no
    /// directory.
    Inputs(std::string directory, std::uint64_t seed) : directory_(std::move(directory)), seed_(seed) {}
    /// About so many symbols where it is made; a real graph is as large as it is.
    CodeGraph code_graph(std::uint64_t symbols) const;
    /// So many at most.
    Documents documents(std::uint64_t count) const;
    Trace trace(std::uint64_t requests) const;
    /// So many series at most, of so many points at most each.
    TimeSeries time_series(std::uint64_t series, std::uint64_t points) const;

private:
    std::string directory_;
    std::uint64_t seed_;
};

}  // namespace bench
