// int128.hpp -- names for the compilers' 128-bit integers, which ISO C++ does not have. Layer: sql.
#pragma once

namespace northstar::inline v0::sql {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

}  // namespace northstar::inline v0::sql
