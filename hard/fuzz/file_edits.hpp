// file_edits.hpp -- an input of the whole-file target: which base file, what is changed in it, what is done with it.
//
//   u8  base file
//   u8  what is done: bits of FileUse
//   then edits until the input ends: u8 kind, u16 page, u16 offset in the page, and by kind
//     set_u8, set_u16, set_u64   the number
//     flip                       u8: which bit of the byte
//     set_ref                    u16 page: a ref to it (its checksum bits are right when the file is mended)
//     copy_page                  u16 page: copied over this one, as it is
//     place_page                 the same, and it says that it belongs here
//     cut, extend                the file ends at this page; it is longer by as many pages of zeros (64 at most)
//     zero_page, set_bytes       u8 length, bytes
//
// Small inputs that mean something everywhere in the file: a fuzzer that changed 100 KB of bytes would hardly ever meet
// the few that matter.
#pragma once

#include "hard/fuzz/base_files.hpp"

namespace northstar::hard {

enum FileUse : std::uint8_t {
    k_use_mended = 1,   ///< checksums are made to fit after the changes
    k_use_pread = 2,    ///< the file is read rather than mapped
    k_use_writing = 4,  ///< it is opened for writing too
    k_use_care = 8,     ///< compacted, pruned, redacted and copied
};

struct EditedFile {
    const BaseFile* base = nullptr;
    std::uint8_t use = 0;
    Bytes bytes;
    /// At most a few single bytes differ, and no checksum was mended: what can be read must be right.
    bool plain_damage = false;
};

EditedFile edit_file(std::span<const std::byte> input);

/// Inputs to begin with.
std::vector<Bytes> edit_seeds();

}  // namespace northstar::hard
