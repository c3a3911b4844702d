// unicode_normal.hpp -- Unicode normalization forms (UAX #15) of texts, by the data of Unicode 14.  Layer: sql.
// Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

enum class NormalForm { nfc, nfd, nfkc, nfkd };

/// Of valid UTF-8.
std::string unicode_normalized(std::string_view text, NormalForm form);

}  // namespace northstar::inline v0::sql
