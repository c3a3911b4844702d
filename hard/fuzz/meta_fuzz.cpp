// meta_fuzz.cpp -- a meta page: any bytes are judged, and what is valid is written and read as the same [META-1].
#include "hard/fuzz/base_files.hpp"
#include "hard/fuzz/mend.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

namespace {

void run(std::span<const std::byte> input) {
    if (input.size() < k_meta_size) return;
    const Bytes page(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(k_meta_size));
    Meta meta;
    if (decode_meta(page, meta) != MetaState::valid) return;
    if (meta.extents.size() > Meta::k_max_extents) finding("a meta page names more extents than it has room for");
    if (meta.page_size < k_min_page_size || meta.page_size > k_max_page_size) {
        finding("a valid meta page names an impossible page size");
    }
    Bytes again(k_meta_size);
    encode_meta(meta, again);
    Meta second;
    if (decode_meta(again, second) != MetaState::valid)
        finding("a valid meta page that was written again is not valid");
    Bytes third(k_meta_size);
    encode_meta(second, third);
    if (again != third) finding("a meta page that was read is not the one that was written");
}

void mend(Bytes& input) {
    input.resize(k_meta_size);
    mend_meta(input);
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    for (const BaseFile& file : base_files()) {
        Bytes page(k_meta_size);
        encode_meta(newest_meta(file.bytes).value(), page);
        result.push_back(std::move(page));
    }
    return result;
}

}  // namespace

const Target k_meta_target = {"meta", run, mend, seeds};

}  // namespace northstar::hard
