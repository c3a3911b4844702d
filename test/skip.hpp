// skip.hpp -- leaves a test case that cannot run here, visibly: the runner counts the line as a skipped case.
#pragma once

#include <catch2/catch.hpp>

#define NORTHSTAR_SKIP(reason)       \
    do {                             \
        WARN("SKIPPED: " << reason); \
        return;                      \
    } while (false)
