// text_stem.hpp -- the stem of an English word.  Layer: cartridge.  Threads: any.
//
// M. F. Porter, An algorithm for suffix stripping, Program 14(3), 1980, with the two rules that its author put into
// his own programs since (abli becomes able by way of "bli" to "ble", and "logi" becomes "log").
#pragma once

#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

/// Of a folded word. What has other letters than a to z, or fewer than three, is its own stem.
std::string porter_stem(std::string_view word);

}  // namespace northstar::inline v0::detail
