// import: streams records into the database in batches, one transaction each.
//
// A batch is read and checked completely before its transaction begins, so a bad line changes nothing and other writers
// never wait for a slow pipe. With --resume the same transaction that applies a batch also keeps, in tree
// northstar:import, how far the input was read and a fingerprint of everything up to there: after a crash at any moment
// the next run finds both or neither, checks that the input still begins with those bytes, and goes on behind them.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "commands.hpp"
#include "records.hpp"
#include "session.hpp"
#include "signals.hpp"

namespace northstar_tool {
namespace import_impl {

constexpr std::uint64_t k_default_batch = 1000;
constexpr std::uint64_t k_batch_bytes = 16u << 20;
constexpr std::uint64_t k_bad_lines_shown = 10;

/// What northstar:import keeps of one input.
struct Position {
    std::uint64_t line = 0;
    std::uint64_t offset = 0;
    std::string fingerprint;
    std::uint64_t records = 0;
};

std::string write_position(const Position& position) {
    json::Writer writer;
    writer.begin_object().name("line").number(position.line).name("offset").number(position.offset);
    writer.name("fingerprint").string(position.fingerprint).name("records").number(position.records).end_object();
    return writer.text();
}

Position read_position(std::string_view text) {
    Position position;
    json::Reader reader(text);
    std::string name;
    reader.begin_object();
    while (reader.next_member(name)) {
        if (name == "line") position.line = reader.read_unsigned();
        else if (name == "offset") position.offset = reader.read_unsigned();
        else if (name == "fingerprint") position.fingerprint = reader.read_string();
        else if (name == "records") position.records = reader.read_unsigned();
        else reader.read_raw();
    }
    return position;
}

std::string hex64(std::uint64_t number) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<char>(static_cast<unsigned char>(number >> (56 - 8 * i)));
    return hex_encode(bytes);
}

class Import {
public:
    explicit Import(const Arguments& arguments);
    int run(Output& output);

private:
    void resume();
    void read_on();
    /// A record that cannot be imported: ends the command, or is counted with --skip-bad.
    void bad_line(std::uint64_t line, const std::string& reason);
    void commit_batch();
    void apply(northstar::Transaction& transaction);
    void show_progress();
    std::string so_far() const;
    /// Behind an error of the database: the same error, with what was imported before it.
    [[noreturn]] void give_up(const northstar::Error& error);

    const Arguments& arguments_;
    bool skip_bad_;
    bool resume_;
    std::uint64_t batch_limit_;
    std::string default_tree_;
    northstar::WriteOptions write_options_;
    LineSource source_;
    RecordShape shape_;
    std::string identity_;
    northstar::Database database_;
    std::uint64_t max_key_;
    Progress progress_;

    std::optional<RecordReader> reader_;
    std::vector<ImportRecord> batch_;
    std::uint64_t batch_bytes_ = 0;
    std::uint64_t batch_first_line_ = 0;
    Position done_;  ///< what is committed
    std::uint64_t begun_at_records_ = 0;
    std::uint64_t batches_ = 0;
    std::uint64_t bad_lines_ = 0;
    northstar::Txn last_txn_ = 0;
};

RecordShape shape_of(const Arguments& arguments) {
    RecordShape shape;
    shape.format = choose_format(arguments, arguments.operand(1), Format::jsonl);
    shape.encoding = arguments.encoding();
    shape.header = !arguments.has("no-header");
    shape.key_field = arguments.value_or("key-field", "key");
    shape.value_field = arguments.value_or("value-field", "value");
    if (shape.format == Format::jsonl && shape.encoding != Encoding::text) {
        throw UsageError(
            "JSON Lines carry binary as {\"$base64\":...} or {\"$hex\":...}; --hex and --base64 are for csv and tsv");
    }
    if (shape.format == Format::jsonl && !shape.header) throw UsageError("--no-header is for csv and tsv");
    return shape;
}

std::string identity_of(const Arguments& arguments) {
    if (auto name = arguments.value("source")) return *std::move(name);
    const std::string& path = arguments.operand(1);
    if (path == "-") {
        if (arguments.has("resume"))
            throw UsageError("--resume from standard input needs --source NAME to know it again");
        return "-";
    }
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::canonical(path, error);
    return error ? path : canonical.string();
}

/// Batches are lazy unless told otherwise: a crash costs the last of them at most, and sync() comes at the end.
northstar::WriteOptions batch_options(const Arguments& arguments) {
    northstar::WriteOptions options = write_options(arguments);
    if (!options.durability) options.durability = northstar::Durability::lazy;
    return options;
}

Import::Import(const Arguments& arguments)
    : arguments_(arguments),
      skip_bad_(arguments.has("skip-bad")),
      resume_(arguments.has("resume")),
      batch_limit_(arguments.number("batch").value_or(k_default_batch)),
      default_tree_(tree_name(arguments)),
      write_options_(batch_options(arguments)),
      source_(arguments.operand(1), arguments.size("max-line").value_or(k_default_line_limit)),
      shape_(shape_of(arguments)),
      identity_(identity_of(arguments)),
      database_(open_writing(arguments.operand(0), arguments, true)),
      max_key_(database_.max_key_size()),
      progress_(!arguments.has("quiet")) {
    if (batch_limit_ == 0) throw UsageError("--batch takes at least 1");
}

std::string Import::so_far() const {
    if (done_.records == 0) return "nothing was imported";
    return "lines up to " + std::to_string(done_.line) + " are imported (" +
           counted(done_.records, "record", "records") + ")";
}

void Import::give_up(const northstar::Error& error) {
    std::string sentence = std::string(error.what()) + "; " + so_far();
    if (resume_) sentence += ", and --resume goes on behind them";
    try {
        database_.sync();
    } catch (const northstar::Error& second) {
        sentence += "; they may not survive a loss of power: " + std::string(second.what());
    }
    throw Failure(exit_code_of(error.code()), sentence);
}

void Import::bad_line(std::uint64_t line, const std::string& reason) {
    const std::string sentence = source_.name() + ":" + std::to_string(line) + ": " + reason;
    if (!skip_bad_) {
        throw Failure(k_exit_bad_input, sentence + "; its batch is not applied, " + so_far() +
                                            (resume_ ? ", and --resume goes on behind them" : ""));
    }
    ++bad_lines_;
    if (bad_lines_ > k_bad_lines_shown || arguments_.has("quiet")) return;
    progress_.clear();
    notice("northstar: " + sentence + "; skipped");
    if (bad_lines_ == k_bad_lines_shown) notice("northstar: further bad lines are only counted");
}

void Import::resume() {
    std::string text;
    {
        const northstar::Snapshot snapshot = database_.begin_read();
        const auto found = snapshot.tree(k_import_tree).get(identity_);
        if (!found) return;
        text = *found;
    }
    Position position;
    try {
        position = read_position(text);
    } catch (const json::SyntaxError& error) {
        throw Failure(k_exit_bad_input, "what tree " + std::string(k_import_tree) + " keeps about " +
                                            printable(identity_) + " is not readable (" + error.what() +
                                            "); import without --resume");
    }
    // A header line has been read by now; the position lies behind it.
    if (position.offset >= source_.offset()) source_.skip(position.offset - source_.offset());
    if (source_.offset() != position.offset || hex64(source_.fingerprint()) != position.fingerprint) {
        throw Failure(k_exit_bad_input,
                      source_.name() + " no longer begins with the " + std::to_string(position.line) +
                          " lines that were imported from it; import without --resume if that is intended");
    }
    source_.set_line_number(position.line);
    done_ = std::move(position);
    begun_at_records_ = done_.records;
}

void Import::apply(northstar::Transaction& transaction) {
    // Runs of records for one tree whose keys ascend behind its last key are appended, which is much cheaper.
    std::size_t begin = 0;
    while (begin < batch_.size()) {
        std::size_t end = begin + 1;
        bool ascending = batch_[begin].value.has_value();
        while (end < batch_.size() && batch_[end].tree == batch_[begin].tree) {
            ascending = ascending && batch_[end].value && batch_[end].key > batch_[end - 1].key;
            ++end;
        }
        northstar::WritableTree tree =
            transaction.tree(batch_[begin].tree.empty() ? default_tree_ : batch_[begin].tree);
        if (ascending) {
            northstar::Cursor cursor = tree.cursor();
            ascending = !cursor.last() || cursor.key() < batch_[begin].key;
        }
        for (; begin < end; ++begin) {
            const ImportRecord& record = batch_[begin];
            if (!record.value) tree.erase(record.key);
            else if (ascending) tree.append(record.key, *record.value);
            else tree.put(record.key, *record.value);
        }
    }
}

void Import::commit_batch() {
    if (batch_.empty()) return;
    Position next;
    next.line = source_.line_number();
    next.offset = source_.offset();
    next.fingerprint = hex64(source_.fingerprint());
    next.records = done_.records + batch_.size();
    northstar::Transaction transaction = database_.begin_write(write_options_);
    transaction.annotate("import",
                         identity_ + ":" + std::to_string(batch_first_line_) + "-" + std::to_string(next.line));
    annotate(transaction, arguments_);
    apply(transaction);
    if (resume_) transaction.tree(k_import_tree).put(identity_, write_position(next));
    const northstar::Commit commit = transaction.commit();
    last_txn_ = commit.txn;
    done_ = std::move(next);
    ++batches_;
    batch_.clear();
    batch_bytes_ = 0;
}

void Import::show_progress() {
    const double seconds = std::max(progress_.seconds(), 0.001);
    std::string text = "importing: " + counted(done_.records + batch_.size(), "record", "records") + ", " +
                       human_bytes(source_.offset()) + ", " +
                       human_bytes(static_cast<std::uint64_t>(static_cast<double>(source_.offset()) / seconds)) +
                       "/s";
    if (source_.total_bytes() > 0) {
        text += ", " + std::to_string(std::min<std::uint64_t>(100, source_.offset() * 100 / source_.total_bytes())) +
                " %";
    }
    if (bad_lines_ > 0) text += ", " + counted(bad_lines_, "bad line", "bad lines");
    progress_.show(text);
}

void Import::read_on() {
    ImportRecord record;
    for (;;) {
        if (interrupted()) throw Interrupted{};
        const RecordReader::Result result = reader_->next(record);
        if (result == RecordReader::Result::end) break;
        if (progress_.due()) show_progress();
        if (result == RecordReader::Result::bad) {
            bad_line(reader_->line_number(), reader_->reason());
            continue;
        }
        if (record.key.size() > max_key_) {
            bad_line(reader_->line_number(), "the key has " + grouped(record.key.size()) + " bytes, more than the " +
                                                 grouped(max_key_) + " this database allows");
            continue;
        }
        if (record.tree == k_import_tree) {
            bad_line(reader_->line_number(), "tree " + std::string(k_import_tree) + " is kept by import itself");
            continue;
        }
        if (batch_.empty()) batch_first_line_ = reader_->line_number();
        batch_bytes_ += record.key.size() + (record.value ? record.value->size() : 0);
        batch_.push_back(std::move(record));
        if (batch_.size() >= batch_limit_ || batch_bytes_ >= k_batch_bytes) commit_batch();
    }
    commit_batch();
}

int Import::run(Output& output) {
    catch_interrupts();
    try {
        reader_.emplace(source_, shape_);
        if (resume_) resume();
        read_on();
    } catch (const Interrupted&) {
        database_.sync();
        progress_.clear();
        notice("northstar: interrupted; " + so_far() + (resume_ ? ", and the same command goes on behind them" : ""));
        return k_exit_interrupted;
    } catch (const Failure&) {
        // The batches before stay, so they are made durable before the complaint is heard.
        database_.sync();
        throw;
    } catch (const northstar::Error& error) {
        give_up(error);
    }
    database_.sync();
    const double seconds = progress_.seconds();
    progress_.clear();
    if (arguments_.has("quiet")) return k_exit_ok;
    const std::uint64_t now = done_.records - begun_at_records_;
    std::string summary = counted(now, "record", "records") + " in " + counted(batches_, "batch", "batches");
    if (begun_at_records_ > 0)
        summary += " behind " + counted(begun_at_records_, "record", "records") + " imported before";
    if (bad_lines_ > 0) summary += ", " + counted(bad_lines_, "bad line", "bad lines") + " skipped";
    if (last_txn_ != 0) summary += ", txn " + std::to_string(last_txn_);
    char elapsed[32];
    std::snprintf(elapsed, sizeof elapsed, ", %.2f s", seconds);
    output.line(summary + elapsed);
    return k_exit_ok;
}

}  // namespace import_impl

int run_import(const Arguments& arguments, Output& output) { return import_impl::Import(arguments).run(output); }

}  // namespace northstar_tool
