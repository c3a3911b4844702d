// journal.hpp -- a file in which one thread notes its deeds, so that they outlive its process.
//
// A transaction is noted twice: before it asks to be committed, with all it read and wants to write, and after it
// returned. If the second note is missing its process died between: nobody knows.
#pragma once

#include "hard/isolation/history.hpp"

#include <string>
#include <vector>

namespace northstar::hard {

class Journal {
public:
    /// Makes the file; it must not exist.
    explicit Journal(const std::string& path);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// About to be committed.
    void intend(const Deed& deed);
    /// Returned, or read: everything is known.
    void finish(const Deed& deed);

    /// The deeds of a file, in order. What a dying process wrote half is left out.
    static std::vector<Deed> read(const std::string& path);

private:
    void write(bool finished, const Deed& deed);
    int descriptor_;
    std::vector<std::uint64_t> words_;
};

/// Nanoseconds of a clock that all processes share.
std::uint64_t now_ns();

}  // namespace northstar::hard
