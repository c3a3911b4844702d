// instruction_counter.hpp -- tells callgrind which part of a program's run is the measured one.
//
// Outside of callgrind, and where its header was missing when this program was compiled, nothing happens.
#pragma once

namespace bench {

/// False: compiled without valgrind's header, so that no instructions can be counted.
bool can_count_instructions() noexcept;
/// Begins to count the instructions of the calling thread if it does not count, and ends it otherwise.
void toggle_instruction_counter() noexcept;

}  // namespace bench
