#include "hard/fuzz/target.hpp"

#include <cstdio>
#include <cstdlib>

namespace northstar::hard {

std::span<const Target> targets() {
    static const Target all[] = {k_node_target,      k_record_target,  k_scan_target,
                                 k_meta_target,      k_ledger_target,  k_segment_target,
                                 k_file_target,      k_import_target,  k_command_line_target,
                                 k_cartridge_target, k_vectors_target, k_text_target,
                                 k_code_target,
#ifndef NORTHSTAR_OMIT_SQL
                                 k_sql_statements_target, k_sql_text_target, k_sql_copy_target, k_sql_patterns_target
#endif
    };
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
