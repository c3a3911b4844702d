// Xapian: its default back end, one commit, then compacted; BM25 with its own parameters set to those of the others.
#include <xapian.h>

#include <memory>

#include "machine.hpp"
#include "text_peer.hpp"

namespace bench {
namespace xapian_impl {

class XapianPeer final : public TextPeer {
public:
    void build(const std::string& path, const std::vector<std::string>& documents,
               const TextPeerOptions& options) override {
        if (options.stemming) stemmer_ = Xapian::Stem("porter");
        {
            Xapian::WritableDatabase database(path + ".loose", Xapian::DB_CREATE | Xapian::DB_NO_SYNC);
            Xapian::TermGenerator generator;
            generator.set_stemmer(stemmer_);
            generator.set_stemming_strategy(options.stemming ? Xapian::TermGenerator::STEM_ALL
                                                             : Xapian::TermGenerator::STEM_NONE);
            for (const std::string& text : documents) {
                Xapian::Document document;
                generator.set_document(document);
                if (options.positions) generator.index_text(text);
                else generator.index_text_without_positions(text);
                database.add_document(document);
            }
            database.commit();
            database.compact(path);
        }
        path_ = path;
        database_ = std::make_unique<Xapian::Database>(path);
        enquire_ = std::make_unique<Xapian::Enquire>(*database_);
        enquire_->set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0));
    }

    std::uint64_t bytes() const override { return directory_bytes(path_); }

    void search(const std::vector<std::string>& words, bool all, std::size_t most,
                std::vector<std::uint32_t>& found) override {
        std::vector<std::string> terms;
        for (const std::string& word : words) terms.push_back(stemmer_(word));
        const Xapian::Query::op joined = all ? Xapian::Query::OP_AND : Xapian::Query::OP_OR;
        enquire_->set_query(Xapian::Query(joined, terms.begin(), terms.end()));
        const Xapian::MSet matches = enquire_->get_mset(0, static_cast<Xapian::doccount>(most));
        found.clear();
        for (Xapian::MSetIterator match = matches.begin(); match != matches.end(); ++match) found.push_back(*match - 1);
    }

private:
    std::string path_;
    Xapian::Stem stemmer_;
    std::unique_ptr<Xapian::Database> database_;
    std::unique_ptr<Xapian::Enquire> enquire_;
};

const RegisterTextPeer registration("xapian", [] { return std::make_unique<XapianPeer>(); });

}  // namespace xapian_impl
}  // namespace bench
