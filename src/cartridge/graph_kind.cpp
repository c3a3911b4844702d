// graph_kind.cpp -- the kind "graph": adjacency both ways.
#include "cartridge/graph_data.hpp"
#include "cartridge/kind.hpp"

namespace northstar::inline v0::detail {

namespace graph_kind_impl {

class GraphKind final : public CartridgeKind {
public:
    std::string name() const override { return "graph"; }
    std::uint32_t version() const override { return 1; }
    ValueUse value_use() const override { return ValueUse::none; }
    void check(const CartridgeParameters& parameters) const override { check_graph_parameters(parameters); }
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return graph_trees(parameters);
    }
    void extract(const CartridgeParameters& parameters, std::string_view, std::string_view key, std::string_view,
                 const FactSink& sink) const override {
        extract_graph(parameters, key, sink);
    }
    void build(CartridgeBuild& build) const override { add_graph(build, build_graph(build)); }
    std::string problem_of(const Cartridge& cartridge) const override { return problem_of_graph(cartridge); }
};

}  // namespace graph_kind_impl

std::shared_ptr<const CartridgeKind> make_graph_kind() { return std::make_shared<graph_kind_impl::GraphKind>(); }

}  // namespace northstar::inline v0::detail
