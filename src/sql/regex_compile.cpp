// Writing the program of a regular expression out of its tree, and the parts of which must be known what they take.

#include "sql/error.hpp"
#include "sql/regex_syntax.hpp"
#include "sql/utf8.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

/// Counted repetitions write what they repeat several times, back references what they refer to.
class RegexWriter {
public:
    RegexWriter(Regex& regex, std::string_view pattern)
        : regex_(regex), tree_(read_regex(pattern, regex.options_, regex.sets_)) {}

    void compile() {
        regex_.root_ = convert(*tree_.top);
        emit({Regex::Op::match, false, 0, 0});
        regex_.group_count_ = tree_.groups.size();
        regex_.shortest_ = (tree_.top->flags & regex_flag::shorter) != 0;
        regex_.back_references_ = tree_.has_references;
    }

private:
    using Kind = RegexNode::Kind;
    using Part = Regex::Part;

    static constexpr std::uint32_t k_unbounded = 0xfffffffe;

    /// The most code points that a match of a node can have.
    static std::uint32_t longest(const RegexNode& node) {
        const auto add = [](std::uint64_t a, std::uint64_t b) {
            return static_cast<std::uint32_t>(std::min<std::uint64_t>(a + b, k_unbounded));
        };
        std::uint32_t most = 0;
        switch (node.kind) {
            case Kind::look: return 0;
            case Kind::reference: return k_unbounded;
            case Kind::instruction:
                switch (node.instruction.op) {
                    case Regex::Op::character:
                    case Regex::Op::any:
                    case Regex::Op::set: return 1;
                    default: return 0;
                }
            case Kind::choice:
                for (const auto& part : node.parts) most = std::max(most, longest(*part));
                return most;
            case Kind::sequence:
            case Kind::group:
                for (const auto& part : node.parts) most = add(most, longest(*part));
                return most;
            case Kind::repeat: {
                const std::uint64_t part = longest(*node.parts[0]);
                if (node.most == -1) return part == 0 ? 0 : k_unbounded;
                return static_cast<std::uint32_t>(
                    std::min<std::uint64_t>(part * static_cast<std::uint64_t>(node.most), k_unbounded));
            }
        }
        return k_unbounded;
    }

    std::size_t emit(const Regex::Instruction& instruction) {
        if (regex_.program_.size() >= k_regex_max_program) refuse_regex("regular expression is too complex");
        regex_.program_.push_back(instruction);
        return regex_.program_.size() - 1;
    }
    std::uint32_t here() const { return static_cast<std::uint32_t>(regex_.program_.size()); }

    // ---- the program alone ----

    void write(const RegexNode& node) {
        switch (node.kind) {
            case Kind::instruction:
                if (!node.constraint || !loosely_) emit(node.instruction);
                return;
            case Kind::sequence:
            case Kind::group:
                for (const auto& part : node.parts) write(*part);
                return;
            case Kind::choice:
                write_choice(node, [&](const RegexNode& branch) { write(branch); });
                return;
            case Kind::look: {
                if (loosely_) return;
                const std::uint32_t reach = node.behind ? longest(*node.parts[0]) : 0;
                const std::size_t look = emit({Regex::Op::look, node.negative, 0, node.behind ? reach + 1 : 0});
                write(*node.parts[0]);
                regex_.program_[look].x = here();
                return;
            }
            case Kind::reference: write_reference(node.group); return;
            case Kind::repeat: {
                const RegexPiece piece(node);
                write_repeat(piece, piece.least, piece.most);
                return;
            }
        }
    }
    template <class Write>
    void write_choice(const RegexNode& node, Write&& write_branch) {
        std::vector<std::size_t> jumps;
        for (std::size_t i = 0; i < node.parts.size(); ++i) {
            if (i + 1 == node.parts.size()) {
                write_branch(*node.parts[i]);
                break;
            }
            const std::size_t split = emit({Regex::Op::split, false, here() + 1, 0});
            write_branch(*node.parts[i]);
            jumps.push_back(emit({Regex::Op::jump, false, 0, 0}));
            regex_.program_[split].y = here();
        }
        for (const std::size_t jump : jumps) regex_.program_[jump].x = here();
    }
    /// Whatever its group could have taken, wherever that was.
    void write_reference(std::size_t group) {
        if (++copies_ > k_regex_max_program) refuse_regex("regular expression is too complex");
        const bool outer = std::exchange(loosely_, true);
        write(*tree_.groups[group - 1]);
        loosely_ = outer;
    }
    void write_repeat(const RegexPiece& piece, int least, int most) {
        write_repeat(piece, least, most, [&] { write(piece.atom); });
    }
    /// `write_first` writes the first of the copies.
    template <class Write>
    void write_repeat(const RegexPiece& piece, int least, int most, Write&& write_first) {
        bool first = true;
        const auto copy = [&] {
            if (std::exchange(first, false)) write_first();
            else write(piece.atom);
        };
        for (int i = 0; i < least; ++i) copy();
        if (most == -1) {
            const std::size_t split = emit({Regex::Op::split, false, here() + 1, 0});
            copy();
            emit({Regex::Op::jump, false, static_cast<std::uint32_t>(split), 0});
            regex_.program_[split].y = here();
            return;
        }
        std::vector<std::size_t> splits;
        for (int i = least; i < most; ++i) {
            splits.push_back(emit({Regex::Op::split, false, here() + 1, 0}));
            copy();
        }
        for (const std::size_t split : splits) regex_.program_[split].y = here();
    }

    // ---- with parts ----

    /// Begins a part where the program ends now.
    Part open(Part::Kind kind, unsigned flags) const {
        Part part;
        part.kind = kind;
        part.shorter = (flags & regex_flag::shorter) != 0;
        part.begin = here();
        part.first_group = next_group_;
        return part;
    }
    std::uint32_t close(Part part) {
        constexpr std::size_t k_most_parts = 8000;  // dividing goes into each other as deep as there are some
        if (regex_.parts_.size() >= k_most_parts) refuse_regex("regular expression is too complex");
        part.end = here();
        part.last_group = next_group_;
        regex_.parts_.push_back(std::move(part));
        return static_cast<std::uint32_t>(regex_.parts_.size() - 1);
    }

    std::uint32_t convert(const RegexNode& node) {
        switch (node.kind) {
            case Kind::sequence: return convert_sequence(node, 0);
            case Kind::group: return convert_group(node);
            case Kind::choice:
                if (regex_flag::needs_parts(node.flags)) return convert_choice(node);
                break;
            default: break;
        }
        const Part part = open(Part::Kind::plain, node.flags);
        write(node);
        return close(part);
    }
    std::uint32_t convert_group(const RegexNode& node) {
        Part outer = open(Part::Kind::group, node.flags);
        outer.group = node.group;
        next_group_ = node.group + 1;
        const std::uint32_t inner = convert(*node.parts[0]);
        if (regex_.parts_[inner].group == 0) {
            regex_.parts_[inner].group = node.group;
            regex_.parts_[inner].first_group = outer.first_group;
            return inner;
        }
        outer.parts = {inner};
        return close(std::move(outer));
    }
    std::uint32_t convert_choice(const RegexNode& node) {
        Part part = open(Part::Kind::choice, node.flags);
        write_choice(node, [&](const RegexNode& branch) { part.parts.push_back(convert(branch)); });
        return close(std::move(part));
    }
    /// From the i-th part on.
    std::uint32_t convert_sequence(const RegexNode& node, std::size_t i) {
        Part before = open(Part::Kind::plain, 0);
        unsigned flags = 0;
        for (; i < node.parts.size(); ++i) {
            const RegexPiece piece(*node.parts[i]);
            if (!node.parts[i]->constraint) {
                if (piece.is_left_out()) continue;
                if (!piece.joins(flags)) break;
                flags |= piece.prefers | piece.atom.flags;
            }
            write(*node.parts[i]);
        }
        before.shorter = (flags & regex_flag::shorter) != 0;
        if (i == node.parts.size()) return close(before);
        if (before.begin == here()) return convert_known(node, i);
        // Nothing of it is known, so that it is not asked for what it takes but as the first half.
        const std::uint32_t begin = before.begin;
        const std::size_t first_group = before.first_group;
        const std::uint32_t first = close(before);
        const std::uint32_t second = convert_known(node, i);
        Part whole = open(Part::Kind::sequence, flags != 0 ? flags : regex_.parts_[second].shorter
                                                                         ? regex_flag::shorter
                                                                         : 0);
        whole.begin = begin;
        whole.first_group = first_group;
        whole.parts = {first, second};
        return close(std::move(whole));
    }
    /// The i-th part, which must be known, and the rest behind it.
    std::uint32_t convert_known(const RegexNode& node, std::size_t i) {
        const RegexPiece piece(*node.parts[i]);
        Part whole = open(Part::Kind::sequence, piece.flags());
        const std::uint32_t first = convert_piece(piece);
        if (i + 1 == node.parts.size()) return first;
        const std::uint32_t rest = convert_sequence(node, i + 1);
        if (regex_flag::preference(piece.flags()) == 0) whole.shorter = regex_.parts_[rest].shorter;
        whole.parts = {first, rest};
        return close(std::move(whole));
    }
    std::uint32_t convert_piece(const RegexPiece& piece) {
        const unsigned flags = piece.flags();
        if (piece.atom.kind == Kind::reference) {
            Part part = open(Part::Kind::reference, flags);
            part.reference = piece.atom.group;
            part.least = piece.least;
            part.most = piece.most;
            write_repeat(piece, piece.least, piece.most);
            return close(std::move(part));
        }
        if (piece.is_plain()) return convert(piece.atom);
        if ((piece.atom.flags & (regex_flag::groups | regex_flag::references)) == 0) {
            const Part part = open(Part::Kind::plain, flags);
            write_repeat(piece, piece.least, piece.most);
            return close(part);
        }
        const bool refers = (piece.atom.flags & regex_flag::references) != 0;
        Part part = open(refers || piece.least == 0 ? Part::Kind::repeat : Part::Kind::sequence, flags);
        if (part.kind == Part::Kind::repeat) {
            part.least = piece.least;
            part.most = piece.most;
            write_repeat(piece, piece.least, piece.most, [&] { part.parts = {convert(piece.atom)}; });
            return close(std::move(part));
        }
        // Only what groups take of the last match is told.
        const Part others = open(Part::Kind::plain, flags);
        write_repeat(piece, piece.least - 1, piece.most == -1 ? -1 : piece.most - 1);
        part.parts = {close(others)};
        part.parts.push_back(convert(piece.atom));
        return close(std::move(part));
    }

    Regex& regex_;
    RegexTree tree_;
    std::size_t next_group_ = 1;
    std::size_t copies_ = 0;  ///< of groups, for back references
    bool loosely_ = false;    ///< without what takes no text
};

RegexText::RegexText(std::string_view text) : bytes(text) {
    points.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_size(text, at);
        points.push_back(utf8_code_point(text.substr(at, size)));
        offsets.push_back(at);
        at += size;
    }
    offsets.push_back(text.size());
}

Regex::Regex(std::string_view pattern, RegexOptions options) : options_(options) {
    RegexWriter(*this, pattern).compile();
}

}  // namespace northstar::inline v0::sql
