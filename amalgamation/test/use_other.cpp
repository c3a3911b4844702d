// use_other.cpp -- the second translation unit.
#include "use.hpp"

int count_entries(const northstar::Snapshot& snapshot) {
    int entries = 0;
    for (const auto& entry : snapshot.tree("t").all()) entries += entry.key.size() == 1;
    return entries;
}
