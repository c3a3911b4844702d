// How curves are shown: a table for the terminal, a document, and a plot for each thing that grows.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "scale.hpp"

namespace bench {
namespace scale_report_impl {

std::string format(const char* pattern, double value) {
    char text[64];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

/// "380 ns", "1.2 us", "15 ms".
std::string time_text(double ns) {
    const char* unit = "ns";
    double value = ns;
    if (ns >= 1e9) {
        value = ns / 1e9;
        unit = "s";
    } else if (ns >= 1e6) {
        value = ns / 1e6;
        unit = "ms";
    } else if (ns >= 1e3) {
        value = ns / 1e3;
        unit = "us";
    }
    return format(value < 10 ? "%.2f " : value < 100 ? "%.1f " : "%.0f ", value) + unit;
}

/// "100 ns", "1 us": a power of ten.
std::string decade_text(double ns) {
    const std::size_t thousands = ns >= 1e9 ? 3 : ns >= 1e6 ? 2 : ns >= 1e3 ? 1 : 0;
    constexpr std::array<const char*, 4> k_units{" ns", " us", " ms", " s"};
    return format("%g", ns / std::pow(1e3, static_cast<double>(thousands))) + k_units[thousands];
}

/// "10 k", "3 M".
std::string size_text(double size) {
    if (size >= 1e6) return format("%g", size / 1e6) + " M";
    if (size >= 1e3) return format("%g", size / 1e3) + " k";
    return format("%g", size);
}

std::string escape(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else {
            out += c;
        }
    }
    return out;
}

/// The part of a name between the first two slashes behind "scale": curves that share it share a plot.
std::string group_of(const Curve& curve) {
    const std::size_t first = curve.spec.name.find('/') + 1;
    return curve.spec.name.substr(first, curve.spec.name.find('/', first) - first);
}

std::vector<std::vector<const Curve*>> grouped(const std::vector<Curve>& curves) {
    std::vector<std::vector<const Curve*>> groups;
    for (const Curve& curve : curves) {
        if (curve.points.empty()) continue;
        if (groups.empty() || group_of(*groups.back().front()) != group_of(curve)) groups.emplace_back();
        groups.back().push_back(&curve);
    }
    return groups;
}

constexpr std::array<const char*, 9> k_colours{"#3b6fb6", "#d1653a", "#3f9166", "#8e5ea8", "#b5922b",
                                               "#4aa3b5", "#c0487a", "#6b7280", "#7a9a3a"};
constexpr double k_panel_width = 650;
constexpr double k_plot_width = 300;
constexpr double k_plot_height = 220;
constexpr double k_left = 66;
constexpr double k_top = 44;
constexpr double k_panel_height = 310;

/// A range of powers of ten that holds all values.
struct Axis {
    double low;
    double high;
    double length;
    double at(double value) const { return length * (std::log10(value) - low) / (high - low); }
};

Axis axis_over(double least, double most, double length, bool whole_decades) {
    double low = std::log10(least);
    double high = std::log10(most);
    if (whole_decades) {
        low = std::floor(low + 1e-9);
        high = std::ceil(high - 1e-9);
    }
    if (high - low < 0.5) {
        low -= 0.5;
        high += 0.5;
    }
    return {low, high, length};
}

class Panel {
public:
    Panel(const std::vector<const Curve*>& curves, double x, double y)
        : curves_(curves), x_(x + k_left), y_(y + k_top) {
        double least_size = 1e300, most_size = 0, least_cost = 1e300, most_cost = 0;
        for (const Curve* curve : curves_) {
            for (const auto& [size, cost] : curve->points) {
                least_size = std::min(least_size, size);
                most_size = std::max(most_size, size);
                least_cost = std::min(least_cost, cost);
                most_cost = std::max(most_cost, cost);
            }
        }
        sizes_ = axis_over(least_size, most_size, k_plot_width, false);
        costs_ = axis_over(std::max(1.0, least_cost), std::max(1.0, most_cost), k_plot_height, true);
    }

    std::string svg() const {
        std::string out =
            text(x_ - k_left + 8, y_ - 22, "h",
                 "cost against " + curves_.front()->spec.axis +
                     (group_of(*curves_.front()).ends_with("_limited") ? ", under a limit of memory" : ""));
        out += grid();
        for (std::size_t i = 0; i < curves_.size(); ++i) out += line(*curves_[i], k_colours[i % k_colours.size()], i);
        return out;
    }

private:
    static std::string text(double x, double y, const char* style, const std::string& what) {
        return "<text x=\"" + format("%.1f", x) + "\" y=\"" + format("%.1f", y) + "\" class=\"" + style + "\">" +
               escape(what) + "</text>\n";
    }

    static std::string segment(double x1, double y1, double x2, double y2, const char* style) {
        char out[200];
        std::snprintf(out, sizeof out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1,
                      y1, x2, y2, style);
        return out;
    }

    double x(double size) const { return x_ + sizes_.at(size); }
    double y(double cost) const { return y_ + k_plot_height - costs_.at(std::max(1.0, cost)); }

    std::string grid() const {
        std::string out;
        for (double decade = costs_.low; decade <= costs_.high + 1e-9; ++decade) {
            const double cost = std::pow(10, decade);
            out += segment(x_, y(cost), x_ + k_plot_width, y(cost), "g") +
                   text(x_ - 8, y(cost) + 4, "r", decade_text(cost));
        }
        for (double decade = std::ceil(sizes_.low - 1e-9); decade <= sizes_.high + 1e-9; ++decade) {
            const double size = std::pow(10, decade);
            out += segment(x(size), y_, x(size), y_ + k_plot_height, "g") +
                   text(x(size), y_ + k_plot_height + 18, "m", size_text(size));
        }
        return out;
    }

    std::string line(const Curve& curve, const char* colour, std::size_t row) const {
        std::string points;
        std::string dots;
        for (const auto& [size, cost] : curve.points) {
            points += format("%.1f", x(size)) + "," + format("%.1f", y(cost)) + " ";
            dots += "<circle cx=\"" + format("%.1f", x(size)) + "\" cy=\"" + format("%.1f", y(cost)) +
                    "\" r=\"3\" fill=\"" + colour + "\"/>\n";
        }
        std::string out;
        if (const auto fit = curve.fit()) {
            const double first = curve.points.front().first;
            const double last = curve.points.back().first;
            out += "<line x1=\"" + format("%.1f", x(first)) + "\" y1=\"" +
                   format("%.1f", y(fit->factor * std::pow(first, fit->exponent))) + "\" x2=\"" +
                   format("%.1f", x(last)) + "\" y2=\"" +
                   format("%.1f", y(fit->factor * std::pow(last, fit->exponent))) + "\" class=\"f\" stroke=\"" +
                   colour + "\"/>\n";
        }
        out += "<polyline points=\"" + points + "\" class=\"c\" stroke=\"" + colour + "\"/>\n" + dots;
        const double legend_x = x_ + k_plot_width + 18;
        const double legend_y = y_ + 8 + static_cast<double>(row) * 26;
        out += "<circle cx=\"" + format("%.1f", legend_x) + "\" cy=\"" + format("%.1f", legend_y - 4) +
               "\" r=\"4\" fill=\"" + colour + "\"/>\n";
        out += text(legend_x + 9, legend_y, "l", curve.spec.title);
        out += text(legend_x + 9, legend_y + 12, curve.failed() ? "x" : "s", curve.verdict());
        return out;
    }

    std::vector<const Curve*> curves_;
    double x_;
    double y_;
    Axis sizes_{};
    Axis costs_{};
};

}  // namespace scale_report_impl

using namespace scale_report_impl;

std::string scale_table(const std::vector<Curve>& curves) {
    std::string out;
    for (const auto& group : grouped(curves)) {
        out += "against " + group.front()->spec.axis +
               (group_of(*group.front()).ends_with("_limited") ? ", under a limit of memory" : "") + "\n";
        for (const Curve* curve : group) {
            char name[64];
            std::snprintf(name, sizeof name, "  %-32s", curve->spec.name.c_str());
            out += name;
            for (const auto& [size, cost] : curve->points) out += "  " + size_text(size) + ": " + time_text(cost);
            out += "  " + curve->verdict() + "\n";
        }
    }
    return out;
}

std::string scale_markdown(const std::vector<Curve>& curves, const Json& machine, const ScaleOptions& options) {
    std::string out =
        "# What grows with what\n\nWritten by `make scale`; `spec/performance.md` says how it is measured.\n\n"
        "Machine: " +
        machine["processor"].string() + ", " + format("%.0f", machine["processors"].number()) + " processors, " +
        format("%.0f", machine["memory_mib"].number()) + " MiB, " + machine["file_system"].string() + ", " +
        machine["system"].string() + "; " + machine["compiler"].string() + ", " + machine["build"].string() +
        "; load at the start " + format("%.1f", machine["load_at_start"].number()) + ".\n\nMedians of " +
        format("%.0f", options.rounds) + " slices of " + format("%.2f", options.seconds) + " s, seed " +
        format("%.0f", static_cast<double>(options.seed)) +
        ". Costs are processor time of the working thread, or time on the clock where a star stands. Under a limit, "
        "the "
        "private memory of the process is at most " +
        format("%.0f", static_cast<double>(options.memory_limit_mib)) +
        " MiB (ulimit -d), the overlay an eighth of that.\n\n![costs against sizes](scale.svg)\n\n";
    for (const auto& group : grouped(curves)) {
        out += "## Against " + group.front()->spec.axis +
               (group_of(*group.front()).ends_with("_limited") ? ", under a limit of memory" : "") +
               "\n\n| operation |";
        std::string rule = "|---|";
        for (const auto& [size, cost] : group.front()->points) {
            out += " " + size_text(size) + " |";
            rule += "---|";
        }
        out += " verdict |\n" + rule + "---|\n";
        for (const Curve* curve : group) {
            out += "| " + curve->spec.title + (curve->spec.by_cpu ? "" : " *") +
                   (curve->spec.note.empty() ? "" : " (" + curve->spec.note + ")") + " |";
            for (const auto& [size, cost] : curve->points) out += " " + time_text(cost) + " |";
            out += " " + curve->verdict() + " |\n";
        }
        out += "\n";
    }
    out.pop_back();
    return out;
}

std::string scale_svg(const std::vector<Curve>& curves) {
    const auto groups = grouped(curves);
    const double rows = std::ceil(static_cast<double>(groups.size()) / 2);
    std::string body;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        body += Panel(groups[i], static_cast<double>(i % 2) * k_panel_width,
                      40 + std::floor(static_cast<double>(i) / 2) * k_panel_height)
                    .svg();
    }
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + format("%.0f", 2 * k_panel_width) + " " +
           format("%.0f", 50 + rows * k_panel_height) +
           "\" font-family=\"system-ui, sans-serif\">\n"
           "<style>text{font-size:11px;fill:#444}.t{font-size:17px;fill:#111}.h{font-size:13px;fill:#111;font-weight:"
           "600}"
           ".r{text-anchor:end}.m{text-anchor:middle}.l{fill:#222}.s{font-size:10px;fill:#888}"
           ".x{font-size:10px;fill:#c22;font-weight:600}.g{stroke:#e6e6e6}.c{fill:none;stroke-width:2}"
           ".f{stroke-width:1;stroke-dasharray:3 4;opacity:.6}</style>\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
           "<text x=\"8\" y=\"26\" class=\"t\">What one operation costs as something grows (dashed: the power that "
           "fits best)</text>\n" +
           body + "</svg>\n";
}

}  // namespace bench
