// export, and the descriptions of import and export.
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "commands.hpp"
#include "entries.hpp"
#include "session.hpp"

namespace northstar_tool {
namespace export_impl {

void export_tree(const northstar::Tree& tree, const KeyRange& range, EntryWriter& writer, Progress& progress,
                 std::uint64_t& count) {
    for (const auto& [key, value] : entries(tree, range)) {
        writer.write(tree.name(), key, value, 0);
        ++count;
        if (progress.due()) progress.show("exporting: " + counted(count, "entry", "entries"));
    }
}

/// A file to be made under its own name, or what is there already and takes bytes as they come: a pipe or a device.
class Destination {
public:
    Destination(const std::string& path, const std::string& database, bool replace) {
        namespace fs = std::filesystem;
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (fs::is_directory(status)) throw Failure(k_exit_system, path + " is a directory, not a file");
        if (fs::exists(status) && !fs::is_regular_file(status)) {
            descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            if (descriptor_ < 0)
                throw Failure(k_exit_system, "cannot open " + path + ": " + std::strerror(errno));
        } else {
            if (fs::equivalent(path, database, error))
                throw UsageError(path + " is the database itself; give another file");
            // Behind a symbolic link it is the file that is replaced, not the link.
            const fs::path real = fs::is_regular_file(status) ? fs::canonical(path, error) : fs::path();
            file_.emplace(real.empty() ? path : real.string(), replace);
        }
        output_.emplace(file_ ? file_->descriptor() : descriptor_, path);
    }
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;
    ~Destination() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Output& output() { return *output_; }
    void finish() {
        if (file_) file_->finish();
    }

private:
    int descriptor_ = -1;
    std::optional<NewFile> file_;
    std::optional<Output> output_;
};

}  // namespace export_impl

int run_export(const Arguments& arguments, Output& output) {
    const KeyRange range = key_range(arguments);
    const std::string path = arguments.operands().size() > 1 ? arguments.operand(1) : "-";
    const Format format = choose_format(arguments, path, Format::jsonl);
    if (arguments.has("all-trees") && arguments.has("tree"))
        throw UsageError("--tree and --all-trees exclude each other");
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);

    std::optional<export_impl::Destination> destination;
    if (path != "-") destination.emplace(path, arguments.operand(0), arguments.has("force"));
    Output* const target = destination ? &destination->output() : &output;
    EntryColumns columns;
    columns.tree = arguments.has("all-trees");
    EntryWriter writer(*target, format, arguments.encoding(), columns);
    Progress progress(!arguments.has("quiet") && !target->terminal());
    if (!arguments.has("no-header")) writer.header();
    std::uint64_t count = 0;
    if (columns.tree) {
        for (const std::string& name : snapshot.tree_names()) {
            if (name == k_import_tree) continue;
            export_impl::export_tree(snapshot.tree(name), range, writer, progress, count);
        }
    } else {
        export_impl::export_tree(snapshot.tree(tree_name(arguments)), range, writer, progress, count);
    }
    target->flush();
    if (!destination) return k_exit_ok;
    destination->finish();
    progress.clear();
    if (!arguments.has("quiet"))
        output.line(counted(count, "entry", "entries") + " of txn " + std::to_string(snapshot.txn()));
    return k_exit_ok;
}

std::vector<Command> transfer_commands() {
    static constexpr OptionSpec no_header{"no-header", 0, "",
                                          "csv, tsv: there is no line with the names of the columns"};
    return {
        {.name = "import",
         .group = k_group_entries,
         .operands = "DATABASE FILE",
         .least = 2,
         .most = 2,
         .summary = "read entries from JSON Lines, CSV or TSV",
         .description = "FILE - is standard input. Records are applied in batches, one transaction each; a bad "
                        "line ends the command with file:line and the reason, and nothing of its batch is "
                        "applied. With --resume every batch also keeps how far the input was read, so that the "
                        "same command after a crash, a kill or Ctrl-C goes on exactly behind the last batch: "
                        "nothing is lost and nothing comes twice. Batches are lazy unless --durability says "
                        "otherwise; all is on stable storage when the command ends. See northstar help formats.",
         .options = {k_option_tree,
                     k_option_format,
                     {"batch", 'b', "N", "records in one transaction (default 1000; 16 MiB end one too)"},
                     {"resume", 'r', "", "go on behind the last batch of an earlier run with --resume"},
                     {"source", 0, "NAME", "name under which --resume knows the input (default: its path)"},
                     {"skip-bad", 's', "", "skip bad lines and count them"},
                     {"key-field", 0, "NAME", "member or column with the key (default key)"},
                     {"value-field", 0, "NAME",
                      "member or column with the value (default value); * is the whole record"},
                     no_header,
                     {"max-line", 0, "BYTES", "longest line that is read (default 64MiB)"},
                     {"memory", 0, "BYTES", "for changed pages (default an eighth of the machine's, at most 1GiB)"},
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_exclusive,
                     k_option_hex,
                     k_option_base64,
                     k_option_quiet},
         .examples =
             {"northstar import app.db users.jsonl --resume -A who=ada",
              "northstar import app.db people.csv --key-field email --value-field '*'",
              "zcat dump.tsv.gz | northstar import app.db - --format tsv --no-header --batch 10000 --skip-bad"},
         .run = run_import},
        {.name = "export",
         .group = k_group_entries,
         .operands = "DATABASE [FILE]",
         .least = 1,
         .most = 2,
         .summary = "write entries as JSON Lines, CSV or TSV",
         .description = "Without FILE, or with -, to standard output. A file appears under its name only when it "
                        "is complete. Keys and values that are not UTF-8 are written {\"$base64\":...} in JSON "
                        "Lines; import reads all of it back.",
         .options = {k_option_tree,
                     {"all-trees", 0, "", "every tree, each record with the name of its own"},
                     k_option_as_of,
                     k_option_prefix,
                     k_option_from_key,
                     k_option_to_key,
                     k_option_format,
                     no_header,
                     {"force", 0, "", "replace FILE if it exists"},
                     k_option_hex,
                     k_option_base64,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar export app.db backup.jsonl --all-trees",
                      "northstar export app.db --as-of 2024-05-01 --format csv | less",
                      "northstar export old.db | northstar import new.db -"},
         .run = run_export},
    };
}

}  // namespace northstar_tool
