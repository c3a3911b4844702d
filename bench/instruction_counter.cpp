#include "instruction_counter.hpp"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>

namespace bench {

bool can_count_instructions() noexcept { return true; }
void toggle_instruction_counter() noexcept { CALLGRIND_TOGGLE_COLLECT; }

}  // namespace bench

#else

namespace bench {

bool can_count_instructions() noexcept { return false; }
void toggle_instruction_counter() noexcept {}

}  // namespace bench

#endif
