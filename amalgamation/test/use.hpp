// use.hpp -- shared by the two translation units of the check program.
#pragma once
#include "northstar.hpp"

int count_entries(const northstar::Snapshot& snapshot);
