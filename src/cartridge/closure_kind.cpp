// closure_kind.cpp -- the kind "closure": a graph, and what each of its nodes reaches.
#include "base/error.hpp"
#include "cartridge/closure_data.hpp"
#include "cartridge/kind.hpp"

namespace northstar::inline v0::detail {

namespace closure_kind_impl {

class ClosureKind final : public CartridgeKind {
public:
    std::string name() const override { return "closure"; }
    std::uint32_t version() const override { return 1; }
    ValueUse value_use() const override { return ValueUse::none; }
    void check(const CartridgeParameters& parameters) const override {
        closure_limit(parameters);
        CartridgeParameters rest = parameters;
        rest.erase(std::string(k_parameter_limit));
        check_graph_parameters(rest);
    }
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return graph_trees(parameters);
    }
    void extract(const CartridgeParameters& parameters, std::string_view, std::string_view key, std::string_view,
                 const FactSink& sink) const override {
        extract_graph(parameters, key, sink);
    }
    void build(CartridgeBuild& build) const override {
        BuiltGraph graph = build_graph(build);
        const auto progress = [&](std::string_view stage, std::uint64_t done, std::uint64_t total) {
            build.progress(stage, done, total);
        };
        BuiltClosure closure = build_closure(graph, closure_limit(build.parameters()), progress);
        add_graph(build, std::move(graph));
        build.add(k_components, std::move(closure.components));
        build.add(k_member_offsets, std::move(closure.member_offsets));
        build.add(k_members, std::move(closure.members));
        build.add(k_row_places, std::move(closure.row_places));
        build.add(k_rows, std::move(closure.rows));
        build.add(k_descendant_counts, std::move(closure.descendant_counts));
        build.add(k_ancestor_counts, std::move(closure.ancestor_counts));
    }
    std::string problem_of(const Cartridge& cartridge) const override { return problem_of_closure(cartridge); }
};

}  // namespace closure_kind_impl

std::shared_ptr<const CartridgeKind> make_closure_kind() { return std::make_shared<closure_kind_impl::ClosureKind>(); }

}  // namespace northstar::inline v0::detail
