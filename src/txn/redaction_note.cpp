#include "txn/redaction_note.hpp"

namespace northstar::inline v0::detail {

std::string redaction_note_key(std::string_view tree) { return std::string("r\0", 2).append(tree); }

void leave_redaction_note(WriteTxn& txn, std::string_view tree, bool empty_in_the_present) {
    const int artifacts = txn.find_tree(k_artifacts_tree);
    if (artifacts < 0 || tree == k_artifacts_tree) return;
    const std::string key = redaction_note_key(tree);
    const std::optional<TreeValue> before = tree_get(txn.source(), txn.work().tree(artifacts).root.root, key);
    const bool stays = empty_in_the_present || (before && !before->value.empty());
    txn.put(artifacts, key, stays ? k_empty_in_the_present : std::string_view());
}

}  // namespace northstar::inline v0::detail
