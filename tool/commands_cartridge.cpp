// cartridge: build, list, refresh, policy, verify, drop, export, attach
#include "actions.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"
#include "signals.hpp"

#include <array>

namespace northstar_tool {
namespace cartridge_impl {

using northstar::CartridgeInfo;
using northstar::Cartridges;
using northstar::RefreshPolicy;

RefreshPolicy parse_policy(std::string_view text) {
    if (text == "manual") return RefreshPolicy::manual();
    if (text == "background") return RefreshPolicy::background();
    if (text.substr(0, 6) == "every:") {
        if (const auto commits = parse_unsigned(text.substr(6))) return RefreshPolicy::every(*commits);
    }
    throw UsageError("a refresh policy is manual, background or every:N (commits), not '" + printable(text) + "'");
}

std::string format_policy(const RefreshPolicy& policy) {
    switch (policy.kind) {
    case RefreshPolicy::Kind::manual: return "manual";
    case RefreshPolicy::Kind::background: return "background";
    case RefreshPolicy::Kind::every: break;
    }
    return "every:" + std::to_string(policy.commits);
}

void print(const CartridgeInfo& info, const Arguments& arguments, Output& output) {
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("cartridge").bytes(info.name).name("kind").string(info.kind);
        writer.name("kind_version").number(info.kind_version).name("builder").bytes(info.builder);
        writer.name("parameters").begin_object();
        for (const auto& [name, value] : info.parameters) writer.name(name).bytes(value);
        writer.end_object().name("txn").number(info.built_at).name("chain").string(info.chain.hex());
        writer.name("digest").string(info.digest.hex()).name("bytes").number(info.bytes);
        writer.name("refresh").string(format_policy(info.refresh));
        if (!info.file.empty()) writer.name("file").bytes(info.file);
        output.line(writer.end_object().text());
        return;
    }
    std::string line = printable(info.name) + "\t" + info.kind + "\ttxn " + std::to_string(info.built_at) + "\t" +
                       human_bytes(info.bytes) + "\t" + info.digest.hex().substr(0, 12) + "\t" +
                       format_policy(info.refresh);
    for (const auto& [name, value] : info.parameters) line += "\t" + printable(name) + "=" + printable(value);
    if (!info.file.empty()) line += "\tin " + printable(info.file);
    output.line(line);
}

/// Progress on a terminal, and an end at Ctrl-C.
class Watch {
public:
    explicit Watch(const Arguments& arguments) : progress_(!arguments.has("quiet")) { catch_interrupts(); }
    northstar::BuildOptions options(const Arguments& arguments) {
        northstar::BuildOptions options;
        const std::uint64_t threads = arguments.number("threads").value_or(0);
        if (threads > 1024) throw UsageError("--threads takes at most 1024");
        options.threads = static_cast<unsigned>(threads);
        options.progress = [this](const northstar::BuildProgress& at) {
            if (progress_.due()) {
                progress_.show(std::string(at.stage) + " " + grouped(at.done) +
                               (at.total != 0 ? " of " + grouped(at.total) : ""));
            }
            return !interrupted();
        };
        return options;
    }

private:
    Progress progress_;
};

int run_build(const Arguments& arguments, Output& output) {
    northstar::CartridgeParameters parameters;
    for (std::size_t i = 4; i < arguments.operands().size(); ++i) {
        const std::string& text = arguments.operand(i);
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw UsageError("a parameter is NAME=VALUE, not '" + printable(text) + "'");
        }
        parameters[text.substr(0, equals)] = text.substr(equals + 1);
    }
    std::optional<RefreshPolicy> policy;
    if (const auto text = arguments.value("refresh")) policy = parse_policy(*text);
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    Cartridges cartridges(database);
    Watch watch(arguments);
    northstar::BuildOptions options = watch.options(arguments);
    if (const auto point = as_of(arguments)) options.at = resolve_txn(database, *point);
    cartridges.build(arguments.operand(2), arguments.operand(3), parameters, options);
    if (policy) cartridges.set_refresh(arguments.operand(2), *policy);
    if (!arguments.has("quiet")) print(cartridges.find(arguments.operand(2)).value(), arguments, output);
    return k_exit_ok;
}

int run_list(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    for (const CartridgeInfo& info : Cartridges(database).list(snapshot_for(database, arguments))) {
        print(info, arguments, output);
    }
    return k_exit_ok;
}

int run_refresh(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    Cartridges cartridges(database);
    Watch watch(arguments);
    const northstar::BuildOptions options = watch.options(arguments);
    std::vector<std::string> names(arguments.operands().begin() + 2, arguments.operands().end());
    if (arguments.has("due")) {
        if (!names.empty()) throw UsageError("--due chooses the cartridges itself; name none");
        names = cartridges.refresh_due(options);
    } else {
        if (names.empty()) {
            for (const CartridgeInfo& info : cartridges.list()) names.push_back(info.name);
        }
        for (const std::string& name : names) cartridges.refresh(name, options);
    }
    if (arguments.has("quiet")) return k_exit_ok;
    for (const std::string& name : names) print(cartridges.find(name).value(), arguments, output);
    return k_exit_ok;
}

int run_policy(const Arguments& arguments, Output& output) {
    const RefreshPolicy policy = parse_policy(arguments.operand(3));
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    Cartridges cartridges(database);
    cartridges.set_refresh(arguments.operand(2), policy);
    if (!arguments.has("quiet")) print(cartridges.find(arguments.operand(2)).value(), arguments, output);
    return k_exit_ok;
}

int run_verify(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    const Cartridges cartridges(database);
    const std::string name = arguments.operands().size() > 2 ? arguments.operand(2) : std::string();
    const std::vector<northstar::Problem> problems = cartridges.verify(name, {.rebuild = arguments.has("rebuild")});
    for (const northstar::Problem& problem : problems) {
        if (arguments.has("json")) {
            json::Writer writer;
            writer.begin_object().name("code").string(northstar::to_string(problem.code));
            writer.name("where").bytes(problem.where).name("what").bytes(problem.what).end_object();
            output.line(writer.text());
        } else {
            output.line(output.paint(Colour::red, printable(problem.where)) + ": " + printable(problem.what));
        }
    }
    if (!problems.empty()) {
        throw Failure(k_exit_damage, "cartridges of " + arguments.operand(1) + " are damaged: " +
                                         counted(problems.size(), "problem", "problems") + " found");
    }
    if (!arguments.has("quiet") && !arguments.has("json")) output.line(output.paint(Colour::green, "intact"));
    return k_exit_ok;
}

int run_drop(const Arguments& arguments, Output&) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    if (Cartridges(database).drop(arguments.operand(2))) return k_exit_ok;
    throw Failure(k_exit_negative, "there is no cartridge '" + printable(arguments.operand(2)) + "'");
}

int run_export(const Arguments& arguments, Output&) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    Cartridges(database).export_to(arguments.operand(2), arguments.operand(3));
    return k_exit_ok;
}

int run_attach(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    const CartridgeInfo info = Cartridges(database).attach(arguments.operand(2), arguments.operand(3));
    if (!arguments.has("quiet")) print(info, arguments, output);
    return k_exit_ok;
}

constexpr std::array<Action, 8> k_actions = {{
    {"build", 4, k_any_number, "build DATABASE NAME KIND [PARAMETER=VALUE...]", run_build},
    {"list", 2, 2, "list DATABASE", run_list},
    {"refresh", 2, k_any_number, "refresh DATABASE [NAME...]", run_refresh},
    {"policy", 4, 4, "policy DATABASE NAME manual|background|every:N", run_policy},
    {"verify", 2, 3, "verify DATABASE [NAME]", run_verify},
    {"drop", 3, 3, "drop DATABASE NAME", run_drop},
    {"export", 4, 4, "export DATABASE NAME FILE", run_export},
    {"attach", 4, 4, "attach DATABASE NAME FILE", run_attach},
}};

int run(const Arguments& arguments, Output& output) {
    return run_action("cartridge", k_actions, arguments, output);
}

}  // namespace cartridge_impl

std::vector<Command> cartridge_commands() {
    return {
        {.name = "cartridge",
         .group = k_group_cartridges,
         .operands = "ACTION DATABASE [NAME...]",
         .least = 2,
         .most = k_any_number,
         .summary = "build, list, refresh, verify, drop, export or attach answers computed ahead",
         .description = "Actions: build DATABASE NAME KIND [PARAMETER=VALUE...] (kinds: graph, closure, vectors, text; "
                        "parameters: tree, types, and for a closure limit; those of vectors: northstar help vector; "
                        "of a text tree, fields, positions, stemming); list DATABASE; refresh DATABASE [NAME...]; "
                        "policy DATABASE NAME manual|background|every:N; verify DATABASE [NAME]; drop DATABASE NAME; "
                        "export DATABASE NAME FILE; attach DATABASE NAME FILE, which uses an exported file where it "
                        "lies. A cartridge is built from the state at a transaction; what changed since is added "
                        "when it is asked.",
         .options = {k_option_as_of,
                     {"threads", 0, "N", "threads of a build (default: as many as the processor has)"},
                     {"refresh", 0, "POLICY", "of a build: manual, background or every:N commits"},
                     {"due", 0, "", "refresh those whose policy says so"},
                     {"rebuild", 0, "", "verify by building again and comparing, too"},
                     k_option_json,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar cartridge build code.db calls graph tree=calls",
                      "northstar cartridge build code.db impact closure tree=includes --refresh every:100",
                      "northstar cartridge list code.db --json", "northstar cartridge refresh code.db --due"},
         .run = cartridge_impl::run},
    };
}

}  // namespace northstar_tool
