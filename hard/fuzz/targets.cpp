#include "hard/fuzz/target.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace northstar::hard {

std::span<const Target> targets() {
    static const std::array<Target, 12> all = {k_node_target,    k_record_target,       k_scan_target,
                                               k_meta_target,    k_ledger_target,       k_segment_target,
                                               k_file_target,    k_import_target,       k_command_line_target,
                                               k_cartridge_target, k_vectors_target,      k_text_target};
    return all;
}

const Target* find_target(const std::string& name) {
    for (const Target& target : targets()) {
        if (target.name == name) return &target;
    }
    return nullptr;
}

void finding(const std::string& what) {
    std::fprintf(stderr, "finding: %s\n", what.c_str());
    std::fflush(stderr);
    std::abort();
}

}  // namespace northstar::hard
