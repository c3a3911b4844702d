// checker.hpp -- do the deeds of a run look as if they had been done one after the other?
//
// A graph of the committed deeds, with an edge where one must come before another:
//   ww   wrote a key right before the other one did
//   wr   wrote what the other one read last
//   rw   read what the other one wrote over
//   rt   had returned before the other one was asked for (not for AS OF: it asks for another time)
// A cycle is an anomaly. Its name says what kind of edges it takes: G0 ww; G1c ww and wr; G-single and one rw; G2 and
// several rw; with "-realtime" where it takes rt too; "stale read" is G-single-realtime of a state. Of all cycles the
// shortest of the first kind that there is one of is reported. Besides, without a graph: G1a (an aborted write was
// read), G1b (an intermediate one), "future read" (of a write that had not been asked for), "internal" (a deed does
// not see its own writes, or two states), "incompatible order" (two lists of one key, neither of which begins with the
// other), "lost write" (a list as it was left lacks an element that was committed).
//
// The order of the writes of a register is that of the numbers of their commits; without numbers, what was read before
// it was overwritten comes before that, and nothing at all before everything.
//
// The number of its commit gives a deed a place of its own accord: check_numbers() replays all of them in that order
// and compares each read. That finds what no cycle shows (a state AS OF the wrong commit), and knows nothing of time.
#pragma once

#include "hard/isolation/history.hpp"

#include <string>
#include <vector>

namespace northstar::hard {

struct Anomaly {
    std::string name;
    std::string report;  ///< the cycle or the read, in words
};

/// The last deed is a snapshot that read every list when all others had ended, or lost writes are not looked for.
std::vector<Anomaly> check_history(const std::vector<Deed>& deeds);

/// Commits in the order of their numbers explain every read: of transactions the state before, of states the one after.
std::vector<Anomaly> check_numbers(const std::vector<Deed>& deeds);

}  // namespace northstar::hard
