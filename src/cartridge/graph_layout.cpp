#include "cartridge/graph_layout.hpp"

#include <algorithm>
#include <numeric>

namespace northstar::inline v0::detail {

namespace graph_layout_impl {

constexpr double k_between_boxes = 12;   // in a layer
constexpr double k_between_layers = 90;
constexpr double k_bend_height = 8;      // what an edge that passes a layer takes there
constexpr double k_margin = 24;
/// Of all edges. Of large graphs they would be many times what is drawn, and nobody could follow them.
constexpr std::size_t k_most_bends = 100'000;
constexpr std::size_t k_any_span = ~std::size_t{0};
constexpr int k_order_sweeps = 24;
constexpr int k_place_sweeps = 40;

class Layout {
public:
    Layout(const std::vector<double>& widths, const std::vector<std::pair<std::size_t, std::size_t>>& edges)
        : nodes_(widths.size()), edges_(edges) {
        for (const double width : widths) items_.push_back({width, k_box_height, 0, 0, {}, {}});
    }

    GraphLayout make() {
        break_cycles();
        assign_layers();
        std::size_t longest = longest_that_bends();
        if (longest != k_any_span) {
            turn_against_order();
            assign_layers();
            longest = longest_that_bends();
        }
        add_bends(longest);
        order_layers();
        place();
        return finish();
    }

private:
    struct Item {  // a box, or where an edge bends
        double width;
        double height;
        std::size_t layer;
        double y;
        std::vector<std::size_t> before;  // neighbours in the layer before, and behind
        std::vector<std::size_t> behind;
    };

    /// Edges as they point on paper: those that close a cycle are turned round.
    void break_cycles() {
        std::vector<std::vector<std::size_t>> out(nodes_);
        for (std::size_t e = 0; e < edges_.size(); ++e) out[edges_[e].first].push_back(e);
        turned_.assign(edges_.size(), false);
        enum class Colour : std::uint8_t { white, grey, black };
        std::vector<Colour> colour(nodes_, Colour::white);
        std::vector<std::pair<std::size_t, std::size_t>> path;  // node, next edge
        for (std::size_t root = 0; root < nodes_; ++root) {
            if (colour[root] != Colour::white) continue;
            colour[root] = Colour::grey;
            path.emplace_back(root, 0);
            while (!path.empty()) {
                auto& [node, next] = path.back();
                if (next == out[node].size()) {
                    colour[node] = Colour::black;
                    path.pop_back();
                    continue;
                }
                const std::size_t edge = out[node][next++];
                const std::size_t target = edges_[edge].second;
                if (colour[target] == Colour::grey) {
                    turned_[edge] = true;
                } else if (colour[target] == Colour::white) {
                    colour[target] = Colour::grey;
                    path.emplace_back(target, 0);
                }
            }
        }
    }

    /// The other way to break cycles: no path is longer than what ascends by chance.
    void turn_against_order() {
        for (std::size_t e = 0; e < edges_.size(); ++e) turned_[e] = edges_[e].first > edges_[e].second;
    }

    std::pair<std::size_t, std::size_t> on_paper(std::size_t edge) const {
        const auto [from, to] = edges_[edge];
        return turned_[edge] ? std::pair(to, from) : std::pair(from, to);
    }
    bool loop(std::size_t edge) const { return edges_[edge].first == edges_[edge].second; }

    void assign_layers() {
        for (Item& item : items_) item.layer = 0;
        std::vector<std::vector<std::size_t>> out(nodes_);
        std::vector<std::size_t> waiting(nodes_, 0);
        for (std::size_t e = 0; e < edges_.size(); ++e) {
            if (loop(e)) continue;
            const auto [from, to] = on_paper(e);
            out[from].push_back(to);
            ++waiting[to];
        }
        std::vector<std::size_t> order;
        for (std::size_t node = 0; node < nodes_; ++node) {
            if (waiting[node] == 0) order.push_back(node);
        }
        for (std::size_t at = 0; at < order.size(); ++at) {
            for (const std::size_t next : out[order[at]]) {
                items_[next].layer = std::max(items_[next].layer, items_[order[at]].layer + 1);
                if (--waiting[next] == 0) order.push_back(next);
            }
        }
        // What nothing points at stands right before the first that it points at.
        std::vector<bool> pointed_at(nodes_, false);
        for (const auto& targets : out) {
            for (const std::size_t target : targets) pointed_at[target] = true;
        }
        for (std::size_t node = 0; node < nodes_; ++node) {
            if (pointed_at[node] || out[node].empty()) continue;
            std::size_t nearest = items_[out[node].front()].layer;
            for (const std::size_t next : out[node]) nearest = std::min(nearest, items_[next].layer);
            items_[node].layer = nearest - 1;
        }
    }

    /// From layer to layer.
    std::size_t span(std::size_t edge) const {
        const auto [from, to] = on_paper(edge);
        return items_[to].layer - items_[from].layer;
    }

    /// The longest span of edges such that all that are not longer have so few bends as there may be.
    std::size_t longest_that_bends() const {
        std::vector<std::size_t> edges_of;  // by span
        for (std::size_t e = 0; e < edges_.size(); ++e) {
            edges_of.resize(std::max(edges_of.size(), span(e) + 1));
            ++edges_of[span(e)];
        }
        std::size_t bends = 0;
        for (std::size_t layers = 2; layers < edges_of.size(); ++layers) {
            bends += edges_of[layers] * (layers - 1);
            if (bends > k_most_bends) return layers - 1;
        }
        return k_any_span;
    }

    void add_bends(std::size_t longest) {
        chains_.resize(edges_.size());
        for (std::size_t e = 0; e < edges_.size(); ++e) {
            if (loop(e)) continue;
            const auto [from, to] = on_paper(e);
            if (span(e) > longest) {
                chains_[e] = {from, to};
                continue;
            }
            std::size_t last = from;
            chains_[e].push_back(from);
            for (std::size_t layer = items_[from].layer + 1; layer < items_[to].layer; ++layer) {
                items_.push_back({0, k_bend_height, layer, 0, {}, {}});
                link(last, items_.size() - 1);
                last = items_.size() - 1;
                chains_[e].push_back(last);
            }
            link(last, to);
            chains_[e].push_back(to);
        }
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (items_[i].layer >= layers_.size()) layers_.resize(items_[i].layer + 1);
            layers_[items_[i].layer].push_back(i);
        }
    }

    void link(std::size_t from, std::size_t to) {
        items_[from].behind.push_back(to);
        items_[to].before.push_back(from);
    }

    void order_layers() {
        std::vector<std::size_t> place(items_.size());
        const auto number = [&] {
            for (const auto& layer : layers_) {
                for (std::size_t i = 0; i < layer.size(); ++i) place[layer[i]] = i;
            }
        };
        number();
        std::vector<std::vector<std::size_t>> best = layers_;
        std::size_t fewest = crossings(place);
        std::vector<double> wish(items_.size());
        for (int sweep = 0; sweep < k_order_sweeps && fewest != 0; ++sweep) {
            for (std::size_t step = 0; step < layers_.size(); ++step) {
                const bool forward = sweep % 2 == 0;
                auto& layer = layers_[forward ? step : layers_.size() - 1 - step];
                for (const std::size_t item : layer) {
                    const auto& near = forward ? items_[item].before : items_[item].behind;
                    double sum = 0;
                    for (const std::size_t other : near) sum += static_cast<double>(place[other]);
                    wish[item] = static_cast<double>(place[item]);
                    if (!near.empty()) wish[item] = sum / static_cast<double>(near.size());
                }
                std::stable_sort(layer.begin(), layer.end(),
                                 [&](std::size_t a, std::size_t b) { return wish[a] < wish[b]; });
                for (std::size_t i = 0; i < layer.size(); ++i) place[layer[i]] = i;
            }
            const std::size_t now = crossings(place);
            if (now < fewest) {
                fewest = now;
                best = layers_;
            }
        }
        layers_ = std::move(best);
    }

    std::size_t crossings(const std::vector<std::size_t>& place) const {
        std::size_t count = 0;
        std::vector<std::size_t> ends;  // Fenwick tree: links so far, by where they end in the next layer
        for (std::size_t number = 0; number + 1 < layers_.size(); ++number) {
            ends.assign(layers_[number + 1].size() + 1, 0);
            std::size_t links = 0;
            for (const std::size_t item : layers_[number]) {
                // Those of items above it cross the ones that end above where they do.
                for (const std::size_t next : items_[item].behind) {
                    std::size_t not_below = 0;
                    for (std::size_t i = place[next] + 1; i != 0; i &= i - 1) not_below += ends[i];
                    count += links - not_below;
                }
                for (const std::size_t next : items_[item].behind) {
                    for (std::size_t i = place[next] + 1; i < ends.size(); i += i & (~i + 1)) ++ends[i];
                }
                links += items_[item].behind.size();
            }
        }
        return count;
    }

    double distance(std::size_t upper, std::size_t lower) const {
        return (items_[upper].height + items_[lower].height) / 2 + k_between_boxes;
    }

    /// Every layer begins packed round the middle; then each item is drawn to the middle of its neighbours, and where
    /// that brings two of them too close they are moved apart by as little as possible.
    void place() {
        for (const auto& layer : layers_) {
            double y = 0;
            for (std::size_t i = 0; i < layer.size(); ++i) {
                if (i != 0) y += distance(layer[i - 1], layer[i]);
                items_[layer[i]].y = y;
            }
            for (const std::size_t item : layer) items_[item].y -= y / 2;
        }
        for (int sweep = 0; sweep < k_place_sweeps; ++sweep) {
            for (std::size_t step = 0; step < layers_.size(); ++step) {
                draw(layers_[sweep % 2 == 0 ? step : layers_.size() - 1 - step]);
            }
        }
    }

    void draw(const std::vector<std::size_t>& layer) {
        // Blocks of items that touch; each stands where its members wish it on average.
        struct Block {
            std::size_t first;
            double y;       // of its first item
            double wishes;  // sum of what the members wish for the first
            double count;
        };
        std::vector<Block> blocks;
        std::vector<double> packed(layer.size(), 0);  // where each were if all touched
        for (std::size_t i = 0; i < layer.size(); ++i) {
            if (i != 0) packed[i] = packed[i - 1] + distance(layer[i - 1], layer[i]);
            const Item& item = items_[layer[i]];
            double sum = item.y;
            double count = 1;
            for (const auto* near : {&item.before, &item.behind}) {
                for (const std::size_t other : *near) {
                    sum += items_[other].y;
                    count += 1;
                }
            }
            const double wish = sum / count;
            blocks.push_back({i, wish, wish, 1});
            while (blocks.size() > 1) {
                Block& upper = blocks[blocks.size() - 2];
                const Block lower = blocks.back();
                const double needed = packed[lower.first] - packed[upper.first];
                if (upper.y + needed <= lower.y) break;
                upper.wishes += lower.wishes - needed * lower.count;
                upper.count += lower.count;
                upper.y = upper.wishes / upper.count;
                blocks.pop_back();
            }
        }
        for (std::size_t b = 0; b < blocks.size(); ++b) {
            const std::size_t end = b + 1 < blocks.size() ? blocks[b + 1].first : layer.size();
            for (std::size_t i = blocks[b].first; i < end; ++i) {
                items_[layer[i]].y = blocks[b].y + (packed[i] - packed[blocks[b].first]);
            }
        }
    }

    GraphLayout finish() {
        GraphLayout layout;
        double top = 0;
        double bottom = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const double up = items_[i].y - items_[i].height / 2;
            const double down = items_[i].y + items_[i].height / 2;
            top = i == 0 ? up : std::min(top, up);
            bottom = i == 0 ? down : std::max(bottom, down);
        }
        std::vector<double> left;
        std::vector<double> wide;
        double x = k_margin;
        for (const auto& layer : layers_) {
            double width = 0;
            for (const std::size_t item : layer) width = std::max(width, items_[item].width);
            left.push_back(x);
            wide.push_back(width);
            x += width + k_between_layers;
        }
        layout.width = layers_.empty() ? 2 * k_margin : x - k_between_layers + k_margin;
        layout.height = bottom - top + 2 * k_margin;
        const auto y_of = [&](std::size_t item) { return items_[item].y - top + k_margin; };
        for (std::size_t node = 0; node < nodes_; ++node) {
            const Item& item = items_[node];
            // Boxes of a layer are as wide as its widest, so that no edge runs over one on its way to another.
            layout.boxes.push_back({left[item.layer], y_of(node), wide[item.layer], item.layer});
        }
        layout.routes.resize(edges_.size());
        for (std::size_t e = 0; e < edges_.size(); ++e) {
            if (loop(e)) continue;
            std::vector<GraphLayout::Point>& route = layout.routes[e];
            const GraphLayout::Box& first = layout.boxes[chains_[e].front()];
            const GraphLayout::Box& last = layout.boxes[chains_[e].back()];
            route.push_back({first.x + first.width, first.y});
            for (std::size_t i = 1; i + 1 < chains_[e].size(); ++i) {
                const std::size_t layer = items_[chains_[e][i]].layer;
                route.push_back({left[layer], y_of(chains_[e][i])});
                if (wide[layer] > 0) route.push_back({left[layer] + wide[layer], y_of(chains_[e][i])});
            }
            route.push_back({last.x, last.y});
            if (turned_[e]) std::reverse(route.begin(), route.end());
        }
        return layout;
    }

    const std::size_t nodes_;
    const std::vector<std::pair<std::size_t, std::size_t>>& edges_;
    std::vector<Item> items_;                       // the boxes, then the bends
    std::vector<bool> turned_;
    std::vector<std::vector<std::size_t>> chains_;  // items of each edge, as on paper
    std::vector<std::vector<std::size_t>> layers_;
};

}  // namespace graph_layout_impl

GraphLayout lay_out(const std::vector<double>& widths, const std::vector<std::pair<std::size_t, std::size_t>>& edges) {
    return graph_layout_impl::Layout(widths, edges).make();
}

}  // namespace northstar::inline v0::detail
