// vectors.hpp -- vectors as people write them.
#pragma once

#include <string>
#include <string_view>

#include "northstar.hpp"

namespace northstar_tool {

/// Numbers between commas or blanks, with or without brackets. A Failure names `where` they stand.
northstar::Embedding parse_vector(const northstar::EmbeddingSpace& space, std::string_view text,
                                  const std::string& where);

/// Name of an element type, e.g. "f32".
const char* element_name(northstar::VectorElement element);

/// Vectors of texts: hashed_embedding() makes such.
bool is_hashed(const northstar::EmbeddingSpace& space);

/// The tree that a cartridge is built from; `otherwise`: where its parameters do not say.
std::string tree_of(const northstar::CartridgeInfo& info, const char* otherwise);

}  // namespace northstar_tool
