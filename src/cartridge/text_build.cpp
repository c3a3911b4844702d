#include "cartridge/text_build.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/release.hpp"
#include "cartridge/front_code.hpp"
#include "cartridge/text_chunk.hpp"
#include "cartridge/text_encode.hpp"
#include "cartridge/text_layout.hpp"
#include "cartridge/text_run.hpp"

#include <algorithm>
#include <mutex>

namespace northstar::inline v0::detail {

namespace text_build_impl {

constexpr std::size_t k_terms_per_task = k_text_group * 128;
/// A chunk may have this part of all text before it, so that a large text is not in too many.
constexpr std::size_t k_chunk_part = 128;

/// Keys of documents, front-coded in groups.
class KeyWriter {
public:
    void add(std::string_view key) {
        if (count_ % k_text_group == 0) {
            groups_.push_back(text_place(bytes_.size()));
            before_.clear();
        }
        ByteWriter out(bytes_);
        write_front_coded(out, before_, key);
        before_ = key;
        ++count_;
    }
    void finish(CartridgeBuild& build) {
        groups_.push_back(text_place(bytes_.size()));
        build.add(k_text_key_groups, std::move(groups_));
        build.add(k_text_keys, std::move(bytes_));
    }

private:
    std::vector<std::uint32_t> groups_;
    std::vector<std::uint8_t> bytes_;
    std::string before_;
    std::size_t count_ = 0;
};

/// All documents, taken apart.
class Documents {
public:
    Documents(CartridgeBuild& build, const TextOptions& options) : build_(build), options_(options) {
        build.each_fact([&](const Fact& fact) { add(fact); });
        index();
    }

    struct Run {
        std::vector<std::byte> terms;
        std::uint32_t first_document = 0;
    };
    std::vector<Run> runs;
    std::vector<std::uint8_t> lengths;  // codes
    std::uint64_t total_length = 0;
    std::uint64_t total_words = 0;
    KeyWriter keys;

private:
    void add(const Fact& fact) {
        if (documents_ == k_text_most_documents) {
            fail(Errc::unsupported, "a text has too many documents for one cartridge; divide them among trees");
        }
        if (chunks_.empty() || chunks_.back().input_bytes() >= std::max(k_text_chunk_bytes, read_ / k_chunk_part)) {
            if (chunks_.size() == std::min<std::size_t>(build_.threads(), k_text_chunks_at_once)) index();
            chunks_.emplace_back(options_);
        }
        keys.add(fact.key);
        chunks_.back().add({}, fact.value);
        read_ += fact.value.size();
        ++documents_;
    }
    void index() {
        build_.progress("taking texts apart", documents_, 0);
        std::vector<Run> made(chunks_.size());
        std::vector<std::vector<std::uint8_t>> codes(chunks_.size());
        std::mutex totals_mutex;
        build_.parallel(chunks_.size(), [&](std::size_t i) {
            TextChunk chunk = std::move(chunks_[i]);
            chunk.index();
            made[i].terms = text_run(chunk);
            for (std::uint32_t document = 0; document < chunk.documents(); ++document) {
                codes[i].push_back(length_code(chunk.length(document)));
            }
            const std::lock_guard lock(totals_mutex);
            total_length += chunk.total_length();
            total_words += chunk.total_words();
        });
        chunks_.clear();
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i].first_document = static_cast<std::uint32_t>(lengths.size());
            lengths.insert(lengths.end(), codes[i].begin(), codes[i].end());
            runs.push_back(std::move(made[i]));
        }
    }

    CartridgeBuild& build_;
    const TextOptions& options_;
    std::vector<TextChunk> chunks_;  // not indexed yet
    std::size_t read_ = 0;           // bytes of text
    std::uint64_t documents_ = 0;
};

/// The terms of some tasks, of each its part of all runs, and how many there are.
struct TermTasks {
    std::vector<std::vector<std::vector<std::byte>>> runs;
    std::uint64_t terms = 0;
};

/// Takes the runs apart, one after the other: a task can give back its part when it is done.
TermTasks divide_terms(std::vector<Documents::Run>& runs) {
    TermTasks tasks;
    std::vector<std::vector<TextRunCursor>> starts;
    {
        std::vector<TextRunCursor> cursors;
        for (const Documents::Run& run : runs) cursors.emplace_back(run.terms);
        TextRunMerge merge(std::move(cursors));
        std::vector<TextRunCursor> start = merge.rest();
        while (merge.next()) {
            if (tasks.terms++ % k_terms_per_task == 0) starts.push_back(std::move(start));
            if (tasks.terms % k_terms_per_task == 0) start = merge.rest();
        }
    }
    tasks.runs.assign(starts.size(), std::vector<std::vector<std::byte>>(runs.size()));
    for (std::size_t run = 0; run < runs.size(); ++run) {
        for (std::size_t task = 0; task < starts.size(); ++task) {
            const TextRunCursor& start = starts[task][run];
            tasks.runs[task][run] = task + 1 < starts.size() ? start.run_until(starts[task + 1][run])
                                                             : start.run_to_end();
        }
        release_memory(runs[run].terms);
    }
    return tasks;
}

/// Puts the postings of a task's terms together from the runs, in their order.
void encode_task(const TextOptions& options, const Documents& documents, const LengthTable& table,
                 const std::vector<std::vector<std::byte>>& runs, EncodedTerms& out) {
    TermEncoder encoder(options, documents.lengths, table, out);
    TextRunMerge merge({runs.begin(), runs.end()});
    std::string before;
    for (std::size_t i = 0; merge.next(); ++i) {
        if (i % k_text_group == 0) {
            encoder.begin_group();
            before.clear();
        }
        for (const std::uint32_t run : merge.runs()) {
            TextChunk::Walk walk(merge.postings(run), options);
            const std::uint32_t first = documents.runs[run].first_document;
            while (walk.next()) encoder.add(first + walk.document(), walk.frequencies(), walk.positions());
        }
        encoder.finish(merge.term(), before);
        before = merge.term();
    }
    out.shrink();
}

/// The pieces of a section one behind the other; their memory is given back as they are copied.
template <class T>
std::vector<T> joined(std::vector<EncodedTerms>& parts, std::vector<T> EncodedTerms::*piece) {
    std::size_t size = 0;
    for (const EncodedTerms& part : parts) size += (part.*piece).size();
    std::vector<T> all;
    all.reserve(size);
    for (EncodedTerms& part : parts) {
        std::vector<T>& from = part.*piece;
        all.insert(all.end(), from.begin(), from.end());
        release_memory(from);
    }
    return all;
}

/// Groups of all pieces, with their places in the sections; one more behind the last.
std::vector<std::uint32_t> joined_groups(std::vector<EncodedTerms>& parts) {
    std::vector<std::uint32_t> groups;
    std::size_t begins[k_text_group_places] = {};
    for (EncodedTerms& part : parts) {
        for (std::size_t i = 0; i < part.groups.size(); ++i) {
            groups.push_back(text_place(part.groups[i] + begins[i % k_text_group_places]));
        }
        const std::size_t sizes[k_text_group_places] = {part.terms.size(), part.postings.size(), part.positions.size(),
                                                        part.block_last.size()};
        for (std::size_t i = 0; i < k_text_group_places; ++i) begins[i] += sizes[i];
    }
    for (const std::size_t end : begins) groups.push_back(text_place(end));
    return groups;
}

}  // namespace text_build_impl

void build_text(CartridgeBuild& build) {
    using namespace text_build_impl;
    const TextOptions options(build.parameters());
    Documents documents(build, options);
    const LengthTable table(documents.lengths.size(), documents.total_length);
    std::vector<EncodedTerms> parts;
    std::vector<std::uint64_t> totals(k_text_totals_count, 0);
    {
        TermTasks tasks = divide_terms(documents.runs);
        totals[k_total_documents] = documents.lengths.size();
        totals[k_total_terms] = tasks.terms;
        totals[k_total_length] = documents.total_length;
        totals[k_total_words] = documents.total_words;
        parts.resize(tasks.runs.size());
        build.progress("writing postings", 0, tasks.terms);
        build.parallel(parts.size(), [&](std::size_t task) {
            encode_task(options, documents, table, tasks.runs[task], parts[task]);
            release_memory(tasks.runs[task]);
        });
    }
    release_memory(documents.runs);
    build.add(k_text_totals, std::move(totals));
    build.add(k_text_term_groups, joined_groups(parts));
    build.add(k_text_terms, joined(parts, &EncodedTerms::terms));
    build.add(k_text_postings, joined(parts, &EncodedTerms::postings));
    build.add(k_text_block_last, joined(parts, &EncodedTerms::block_last));
    build.add(k_text_block_place, joined(parts, &EncodedTerms::block_place));
    build.add(k_text_block_best, joined(parts, &EncodedTerms::block_best));
    build.add(k_text_positions, joined(parts, &EncodedTerms::positions));
    build.add(k_text_position_place, joined(parts, &EncodedTerms::position_place));
    build.add(k_text_lengths, std::move(documents.lengths));
    documents.keys.finish(build);
}

}  // namespace northstar::inline v0::detail
