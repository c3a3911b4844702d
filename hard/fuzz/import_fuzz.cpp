// import_fuzz.cpp -- what `northstar import` reads: JSON Lines, CSV and TSV of any bytes give records or say what is
// wrong with a line, and what the writers make of a record is read as the same.
//
// Input: a byte with format, encoding and columns; then the file.
#include "hard/fuzz/target.hpp"

#include "tool/csv.hpp"
#include "tool/json.hpp"
#include "tool/records.hpp"

#include <stdexcept>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using namespace northstar_tool;

constexpr std::uint64_t k_line_limit = 1u << 16;

/// The input as a file that has a path.
class InputFile {
public:
    explicit InputFile(std::span<const std::byte> bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
        if (descriptor_ < 0) throw std::runtime_error("cannot make a file in memory");
        while (!bytes.empty()) {
            const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
            if (wrote <= 0) throw std::runtime_error("cannot write a file in memory");
            bytes = bytes.subspan(static_cast<std::size_t>(wrote));
        }
    }
    ~InputFile() { ::close(descriptor_); }
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

RecordShape shape_of(std::uint8_t choice) {
    RecordShape shape;
    shape.format = static_cast<Format>(choice % 3);
    shape.encoding = static_cast<Encoding>(choice / 3 % 3);
    shape.header = choice / 9 % 2 == 0;
    if (choice / 18 % 2 == 1) shape.value_field = "*";
    return shape;
}

/// A key as a line of JSON Lines is the same key when it is read.
void json_again(const ImportRecord& record) {
    std::string line;
    json::append_bytes(line, record.key);
    json::Reader reader(line);
    if (json::read_bytes(reader) != record.key) finding("a key written as JSON is read as another one");
    reader.finish();
}

void fields_again(const ImportRecord& record, csv::Dialect dialect) {
    std::string line;
    csv::append_field(line, dialect, record.key);
    line += dialect == csv::Dialect::csv ? ',' : '\t';
    csv::append_field(line, dialect, record.value.value_or(""));
    line += '\n';
    csv::Parser parser(dialect);
    csv::Parser::Status status = csv::Parser::Status::more;
    for (std::string_view rest = line; !rest.empty() && status == csv::Parser::Status::more;) {
        const std::size_t end = rest.find('\n') + 1;
        status = parser.feed(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    if (status != csv::Parser::Status::complete || parser.fields().size() != 2 || parser.fields()[0] != record.key ||
        parser.fields()[1] != record.value.value_or("")) {
        finding("fields that were written are read as others");
    }
}

void run(std::span<const std::byte> input) {
    InputReader reader(input);
    const RecordShape shape = shape_of(reader.u8());
    const InputFile file(reader.rest());
    try {
        LineSource source(file.path(), k_line_limit);
        RecordReader records(source, shape);
        std::uint64_t seen = 0;
        for (;;) {
            ImportRecord record;
            const RecordReader::Result result = records.next(record);
            if (result == RecordReader::Result::end) break;
            if (++seen > 2 * input.size() + 2) finding("an import does not end");
            if (result == RecordReader::Result::bad) {
                if (records.reason().empty()) finding("a line is bad for no reason");
                continue;
            }
            json_again(record);
            fields_again(record, csv::Dialect::csv);
            fields_again(record, csv::Dialect::tsv);
        }
        if (source.offset() != source.total_bytes()) finding("an import ended before its input");
    } catch (const Failure&) {
        // A header without the columns that were asked for.
    }
    if (shape.format == Format::jsonl) {
        const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
        try {
            json::Reader whole(text);
            whole.read_raw();
            whole.finish();
        } catch (const json::SyntaxError& error) {
            if (error.offset() > text.size()) finding("an error of syntax lies behind the text");
        }
    }
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](char choice, std::string_view text) {
        std::string whole(1, choice);
        whole += text;
        const std::span<const std::byte> bytes = std::as_bytes(std::span(whole));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    add(0, "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":{\"$base64\":\"AAE=\"},\"value\":{\"$hex\":\"00ff\"}}\n"
           "{\"tree\":\"t\",\"key\":\"x\",\"value\":null}\n");
    add(18, "{\"key\":\"\\u00e9\\ud83d\\ude00\",\"n\":[1,2.5e-3,true,null,{\"a\":\"\\n\"}]}\n");
    add(1, "key,value,tree\na,b,t\n\"q\"\"q\",\"line\nline\",\n");
    add(2, "key\tvalue\na\tb\\n\\t\\\\\nc\t\\0\n");
    add(4, "key,value\n00ff,aa\n");
    add(8, "key\tvalue\nAAE=\tYQ==\n");
    add(10, "a,b\r\nc,d\r\n");
    add(19, "key,one,two\na,1,2\n");
    return result;
}

}  // namespace

const Target k_import_target = {"import", run, nullptr, seeds};

}  // namespace northstar::hard
