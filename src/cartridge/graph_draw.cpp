// graph_draw.cpp -- a part of a graph as text: Graphviz DOT, and SVG.
#include "api/handles.hpp"
#include "base/error.hpp"
#include "cartridge/graph_data.hpp"
#include "cartridge/graph_layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

namespace northstar::inline v0 {

namespace detail {

namespace graph_draw_impl {

constexpr std::size_t k_longest_label = 44;  // characters; longer names lose their middle
constexpr double k_character_width = 7.3;
constexpr double k_label_padding = 12;
constexpr double k_title_height = 34;
constexpr double k_legend_line = 18;
constexpr const char* k_replacement = "\xef\xbf\xbd";  // U+FFFD, for bytes that are no text

/// Colours of edges, by type: told apart by most eyes, and in print.
constexpr std::array<const char*, 8> k_colours = {"#4a6fa5", "#c8553d", "#3c8d5a", "#8e5aa8",
                                                  "#b7862c", "#2f8f9d", "#a23e6e", "#6b7280"};

/// Characters of a name; a byte that does not belong to well-formed UTF-8, or to what XML may hold, becomes one.
std::vector<std::string> characters(std::string_view name) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < name.size();) {
        const auto byte = static_cast<unsigned char>(name[at]);
        std::size_t size = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
        bool fits = size != 0 && at + size <= name.size() && byte >= 0x20 && byte != 0x7f;
        for (std::size_t i = 1; fits && i < size; ++i) {
            fits = (static_cast<unsigned char>(name[at + i]) & 0xc0) == 0x80;
        }
        if (fits && size > 2) {
            const auto next = static_cast<unsigned char>(name[at + 1]);  // overlong, surrogate, too large
            fits = !(byte == 0xe0 && next < 0xa0) && !(byte == 0xed && next > 0x9f) && !(byte == 0xf0 && next < 0x90) &&
                   !(byte == 0xf4 && next > 0x8f);
            // U+FFFE and U+FFFF are the two that XML has no place for.
            fits = fits && name.substr(at, size) != "\xef\xbf\xbe" && name.substr(at, size) != "\xef\xbf\xbf";
        }
        out.emplace_back(fits ? std::string(name.substr(at, size)) : std::string(k_replacement));
        at += fits ? size : 1;
    }
    return out;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) out += part;
    return out;
}

/// What fits into a box: the beginning and the end.
std::vector<std::string> label_of(std::string_view name) {
    std::vector<std::string> all = characters(name);
    if (all.size() <= k_longest_label) return all;
    const auto half = static_cast<std::ptrdiff_t>(k_longest_label / 2 - 1);
    std::vector<std::string> label(all.begin(), all.begin() + half);
    label.emplace_back("...");
    label.insert(label.end(), all.end() - half, all.end());
    return label;
}

std::string xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string dot_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

std::string number(double value) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 1);
    return {text, end};
}

/// One line through all points, level where it begins, bends and ends.
std::string curve(const std::vector<GraphLayout::Point>& route) {
    std::string path = std::string("M") + number(route[0].x) + " " + number(route[0].y);
    for (std::size_t i = 1; i < route.size(); ++i) {
        const double middle = (route[i - 1].x + route[i].x) / 2;
        path += " C" + number(middle) + " " + number(route[i - 1].y) + " " + number(middle) + " " +
                number(route[i].y) + " " + number(route[i].x) + " " + number(route[i].y);
    }
    return path;
}

std::string loop(const GraphLayout::Box& box) {
    const double x = box.x + box.width - 14;
    const double y = box.y - k_box_height / 2;
    return std::string("M") + number(x) + " " + number(y) + " C" + number(x - 4) + " " + number(y - 20) + " " +
           number(x + 26) + " " + number(y - 16) + " " + number(box.x + box.width) + " " + number(box.y - 4);
}

}  // namespace graph_draw_impl

}  // namespace detail

std::string Graph::dot(const Part& part, std::string_view title) const try {
    using namespace detail::graph_draw_impl;
    std::string out = "digraph " + dot_string(joined(characters(title))) + " {\n  rankdir=LR;\n"
                      "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f6fa\", fontname=\"Helvetica\"];\n"
                      "  edge [color=\"#4a6fa5\", fontname=\"Helvetica\", fontsize=10];\n";
    for (const NodeId node : part.nodes) {
        out += "  n" + std::to_string(node) + " [label=" + dot_string(joined(characters(name(node)))) + "];\n";
    }
    for (const Part::Edge& edge : part.edges) {
        out += "  n" + std::to_string(edge.from) + " -> n" + std::to_string(edge.to);
        const std::string_view type = data_->type(edge.type);
        if (!type.empty()) out += " [label=" + dot_string(joined(characters(type))) + "]";
        out += ";\n";
    }
    return out += "}\n";
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::string Graph::svg(const Part& part, std::string_view title) const try {
    using namespace detail::graph_draw_impl;
    std::map<NodeId, std::size_t> place;
    std::vector<std::vector<std::string>> labels;
    std::vector<double> widths;
    for (const NodeId node : part.nodes) {
        place.emplace(node, labels.size());
        labels.push_back(label_of(name(node)));
        widths.push_back(static_cast<double>(labels.back().size()) * k_character_width + 2 * k_label_padding);
    }
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    std::set<std::uint16_t> types;
    for (const Part::Edge& edge : part.edges) {
        if (!place.contains(edge.from) || !place.contains(edge.to)) {
            detail::fail(Errc::invalid_argument, "a part of a graph has edges between its own nodes only");
        }
        edges.emplace_back(place[edge.from], place[edge.to]);
        types.insert(edge.type);
    }
    const detail::GraphLayout layout = detail::lay_out(widths, edges);
    const bool legend = types.size() > 1 || (types.size() == 1 && !data_->type(*types.begin()).empty());
    const double legend_height = legend ? static_cast<double>(types.size()) * k_legend_line + 12 : 0;
    const std::string shown_title = joined(characters(title)) + (part.cut ? " (a part of it)" : "");
    const double title_width = static_cast<double>(shown_title.size()) * 8.6 + 48;
    const std::string width = number(std::max(layout.width, title_width));
    const std::string height = number(layout.height + k_title_height + legend_height);

    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                      "\" viewBox=\"0 0 " + width + " " + height + "\" font-size=\"12\" "
                      "font-family=\"Menlo,DejaVu Sans Mono,monospace\">\n"
                      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<defs>\n";
    for (std::size_t i = 0; i < k_colours.size(); ++i) {
        out += "<marker id=\"a" + std::to_string(i) + "\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
               "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 1 L10 5 L0 9 z\" fill=\"" +
               k_colours[i] + "\"/></marker>\n";
    }
    out += "</defs>\n<text x=\"24\" y=\"26\" font-family=\"Helvetica,DejaVu Sans,sans-serif\" font-size=\"15\" "
           "font-weight=\"bold\" fill=\"#1f2933\">" + xml(shown_title) + "</text>\n<g transform=\"translate(0 " +
           number(k_title_height) + ")\">\n<g fill=\"none\" stroke-width=\"1.3\" stroke-opacity=\"0.75\">\n";
    for (std::size_t e = 0; e < edges.size(); ++e) {
        const std::size_t colour = part.edges[e].type % k_colours.size();
        const std::string path =
            layout.routes[e].empty() ? loop(layout.boxes[edges[e].first]) : curve(layout.routes[e]);
        out += "<path d=\"" + path + "\" stroke=\"" + k_colours[colour] + "\" marker-end=\"url(#a" +
               std::to_string(colour) + ")\"/>\n";
    }
    out += "</g>\n";
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const detail::GraphLayout::Box& box = layout.boxes[i];
        // The first is what was asked about.
        const bool first = i == 0;
        out += "<g><title>" + xml(joined(characters(name(part.nodes[i])))) + "</title><rect x=\"" + number(box.x) +
               "\" y=\"" + number(box.y - detail::k_box_height / 2) + "\" width=\"" + number(box.width) +
               "\" height=\"" + number(detail::k_box_height) + "\" rx=\"7\" fill=\"" + (first ? "#ffe9b8" : "#f4f6fa") +
               "\" stroke=\"" + (first ? "#b7862c" : "#9aa8bd") + "\"/><text x=\"" + number(box.x + box.width / 2) +
               "\" y=\"" + number(box.y + 4) + "\" text-anchor=\"middle\" fill=\"#1f2933\">" + xml(joined(labels[i])) +
               "</text></g>\n";
    }
    out += "</g>\n";
    if (legend) {
        double y = layout.height + k_title_height + 6;
        for (const std::uint16_t type : types) {
            const std::string colour = k_colours[type % k_colours.size()];
            out += "<path d=\"M24 " + number(y) + " h28\" stroke=\"" + colour +
                   "\" stroke-width=\"2\"/><text x=\"60\" y=\"" + number(y + 4) + "\" fill=\"#1f2933\">" +
                   xml(data_->type(type).empty() ? "(no type)" : joined(characters(data_->type(type)))) + "</text>\n";
            y += k_legend_line;
        }
    }
    return out += "</svg>\n";
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
