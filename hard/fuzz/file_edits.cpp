#include "hard/fuzz/file_edits.hpp"

#include "hard/fuzz/mend.hpp"

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "format/page.hpp"
#include "format/ref.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace northstar::hard {

using namespace detail;

namespace {

enum class Edit : std::uint8_t {
    set_u8,
    set_u16,
    set_u64,
    flip,
    set_ref,
    copy_page,
    place_page,
    cut,
    extend,
    zero_page,
    set_bytes,
};
constexpr std::uint8_t k_edits = 11;
constexpr std::size_t k_most_edits = 24;
constexpr unsigned k_most_plain_edits = 3;

class Editor {
public:
    Editor(Bytes& file, std::size_t page_size) : file_(file), page_size_(page_size) {}

    /// True: it changes one byte at most.
    bool apply(InputReader& input) {
        const auto kind = static_cast<Edit>(input.u8() % k_edits);
        const std::size_t pages = std::max<std::size_t>(1, file_.size() / page_size_);
        const std::size_t page = static_cast<std::size_t>(input.number(2)) % pages;
        const std::size_t at = page * page_size_ + static_cast<std::size_t>(input.number(2)) % page_size_;
        switch (kind) {
            case Edit::set_u8: set(at, input.number(1), 1); return true;
            case Edit::set_u16: set(at, input.number(2), 2); return false;
            case Edit::set_u64: set(at, input.number(8), 8); return false;
            case Edit::flip: {
                const unsigned bit = input.u8() % 8u;
                if (at < file_.size()) file_[at] ^= static_cast<std::byte>(1u << bit);
                return true;
            }
            case Edit::set_ref: set(at, Ref::file(input.number(2) % pages, 0).bits(), 8); return false;
            case Edit::copy_page:
            case Edit::place_page: copy(input.number(2) % pages, page, kind == Edit::place_page); return false;
            case Edit::cut: file_.resize(std::min(file_.size(), page * page_size_)); return false;
            case Edit::extend: file_.resize(file_.size() + (at % 64 + 1) * page_size_); return false;
            case Edit::zero_page: zero(page); return false;
            case Edit::set_bytes: {
                const std::span<const std::byte> bytes = input.bytes(input.u8());
                const std::size_t size = std::min(bytes.size(), file_.size() - std::min(at, file_.size()));
                std::copy_n(bytes.begin(), size, file_.begin() + static_cast<std::ptrdiff_t>(at));
                return false;
            }
        }
        return false;
    }

private:
    void set(std::size_t at, std::uint64_t value, std::size_t width) {
        for (std::size_t i = 0; i < width && at + i < file_.size(); ++i) {
            file_[at + i] = static_cast<std::byte>(value >> 8 * i);
        }
    }
    void copy(std::uint64_t from, std::size_t to, bool placed) {
        if ((std::max<std::uint64_t>(from, to) + 1) * page_size_ > file_.size() || from == to) return;
        std::byte* const target = file_.data() + to * page_size_;
        std::memcpy(target, file_.data() + from * page_size_, page_size_);
        if (placed) store_u64(target + k_page_number_offset, to);
    }
    void zero(std::size_t page) {
        const std::size_t end = std::min(file_.size(), (page + 1) * page_size_);
        for (std::size_t i = page * page_size_; i < end; ++i) file_[i] = std::byte{0};
    }

    Bytes& file_;
    const std::size_t page_size_;
};

void append(Bytes& out, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<std::byte>(value >> 8 * i));
}

}  // namespace

EditedFile edit_file(std::span<const std::byte> input) {
    InputReader reader(input);
    EditedFile file;
    file.base = &base_files()[reader.u8() % base_files().size()];
    file.use = reader.u8();
    file.bytes = file.base->bytes;
    file.plain_damage = (file.use & k_use_mended) == 0;
    Editor editor(file.bytes, newest_meta(file.bytes).value().page_size);
    unsigned edits = 0;
    for (; reader.left() > 0 && edits < k_most_edits; ++edits) {
        if (!editor.apply(reader)) file.plain_damage = false;
    }
    if (edits > k_most_plain_edits) file.plain_damage = false;
    if ((file.use & k_use_mended) != 0) mend_file(file.bytes);
    return file;
}

std::vector<Bytes> edit_seeds() {
    std::vector<Bytes> result;
    Random random(9);
    for (std::size_t base = 0; base < base_files().size(); ++base) {
        const Bytes& bytes = base_files()[base].bytes;
        const std::size_t page_size = newest_meta(bytes).value().page_size;
        for (const unsigned use : {0u, 3u, 4u, 5u, 7u, 13u, 15u}) {
            Bytes whole;
            append(whole, base, 1);
            append(whole, use, 1);
            result.push_back(whole);
            // Where bytes are that are not zero, something is changed.
            for (int i = 0; i < 4; ++i) {
                Bytes changed = whole;
                for (std::uint64_t edits = random.between(1, 3); edits > 0; --edits) {
                    std::size_t at = static_cast<std::size_t>(random.below(bytes.size()));
                    for (int tries = 0; tries < 200 && bytes[at] == std::byte{0}; ++tries) {
                        at = static_cast<std::size_t>(random.below(bytes.size()));
                    }
                    append(changed, random.below(k_edits), 1);
                    append(changed, at / page_size, 2);
                    append(changed, at % page_size, 2);
                    append(changed, random.below(bytes.size() / page_size), 2);
                }
                result.push_back(changed);
            }
        }
    }
    return result;
}

}  // namespace northstar::hard
