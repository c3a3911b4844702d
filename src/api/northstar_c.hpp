// northstar_c.hpp -- the C interface; expanded into northstar.hpp by the amalgamation.
#pragma once
#include <stddef.h>
#include <stdint.h>
