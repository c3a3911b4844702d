#include "sql/session/notifications.hpp"

#include "api/access.hpp"
#include "sql/jsonb.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace northstar::inline v0::sql {

namespace notifications_file {

constexpr std::size_t k_channel_bytes = 63;
constexpr std::size_t k_payload_bytes = 7999;
constexpr std::size_t k_transaction_bytes = std::size_t{64} << 20;  ///< of all that one transaction tells

/// Neither can have the byte between.
std::string key_of(std::string_view channel, std::string_view payload) {
    std::string key(channel);
    key += '\0';
    return key += payload;
}

/// What the text of an annotation says.
struct Annotation final : JsonTextEvents {
    std::int32_t process = 0;
    std::vector<std::pair<std::string, std::string>> told;
    bool malformed = false;

    void begin_object() override { malformed |= depth_++ != 0; }
    void end_object() override { --depth_; }
    void key(std::string_view name) override { key_ = name; }
    void begin_array() override {
        ++depth_;
        pair_.clear();
    }
    void end_array() override {
        if (--depth_ != 2 || key_ != "notify") return;
        if (pair_.size() == 2) told.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
        else malformed = true;
    }
    void string(std::string_view text) override { pair_.emplace_back(text); }
    void number(std::string_view digits) override {
        if (depth_ == 1 && key_ == "process")
            std::from_chars(digits.data(), digits.data() + digits.size(), process);
    }

private:
    int depth_ = 0;
    std::string key_;
    std::vector<std::string> pair_;
};

}  // namespace notifications_file

void Notifications::notify(std::string_view channel, std::string_view payload) {
    using namespace notifications_file;
    if (channel.empty()) raise(sqlstate::invalid_parameter_value, "channel name cannot be empty");
    if (channel.size() > k_channel_bytes) raise(sqlstate::invalid_parameter_value, "channel name too long");
    if (payload.size() > k_payload_bytes) raise(sqlstate::invalid_parameter_value, "payload string too long");
    std::string key = key_of(channel, payload);
    if (sent_keys_.contains(key)) return;
    if (sent_bytes_ + key.size() > k_transaction_bytes)
        raise(sqlstate::program_limit_exceeded, "too many notifications in the NOTIFY queue",
              "A transaction tells 64 MB at most.");
    sent_.emplace_back(channel, payload);
    sent_bytes_ += key.size();
    sent_keys_.insert(std::move(key));
}

std::string Notifications::annotation(std::int32_t process) const {
    std::string text = "{\"process\": " + std::to_string(process) + ", \"notify\": [";
    for (std::size_t i = 0; i < sent_.size(); ++i) {
        text += i == 0 ? "[" : ", [";
        json_escape(sent_[i].first, text);
        text += ", ";
        json_escape(sent_[i].second, text);
        text += ']';
    }
    return text += "]}";
}

void Notifications::return_to(const Mark& mark) {
    for (; sent_.size() > mark.sent; sent_.pop_back()) {
        const std::string key = notifications_file::key_of(sent_.back().first, sent_.back().second);
        sent_bytes_ -= key.size();
        sent_keys_.erase(key);
    }
    changes_.resize(std::min(changes_.size(), mark.changes));
}

void Notifications::prepare() {
    if (changes_.empty()) return;
    next_channels_ = channels_;
    for (const auto& [listens, channel] : changes_) {
        const auto found = std::find(next_channels_.begin(), next_channels_.end(), channel);
        if (listens && found == next_channels_.end()) next_channels_.push_back(channel);
        if (!listens && channel.empty()) next_channels_.clear();
        else if (!listens && found != next_channels_.end()) next_channels_.erase(found);
    }
    if (reader_) read();
    else if (!next_channels_.empty()) reader_.emplace(detail::CoreAccess::core(database_), k_notify_annotation);
}

void Notifications::committed() noexcept {
    if (!changes_.empty()) channels_.swap(next_channels_);
    rolled_back();
}

void Notifications::rolled_back() noexcept {
    sent_.clear();
    sent_keys_.clear();
    sent_bytes_ = 0;
    changes_.clear();
    if (channels_.empty()) reader_.reset();
}

void Notifications::look() {
    if (reader_ && !problem_) read();
}

void Notifications::read() {
    const auto missed =
        reader_->read([this](Txn txn, std::string_view annotation) { receive(txn, annotation); });
    if (!missed || problem_) return;
    problem_.emplace();
    problem_->state = sqlstate::snapshot_too_old;
    problem_->message = "notifications were lost";
    problem_->detail = "The log does not keep commits " + std::to_string(missed->first) + " to " +
                       std::to_string(missed->last) + " any more.";
    problem_->hint = "Look at the data as if all channels had been notified, and ask for notifications more often.";
}

void Notifications::receive(Txn txn, std::string_view annotation) {
    notifications_file::Annotation said;
    try {
        read_json(annotation, said);
    } catch (const SqlError&) {
        said.malformed = true;
    }
    if (said.malformed) {
        if (problem_) return;
        problem_.emplace();
        problem_->state = sqlstate::data_corrupted;
        problem_->message = "annotation \"" + std::string(k_notify_annotation) + "\" of commit " +
                            std::to_string(txn) + " is not what NOTIFY writes";
        return;
    }
    for (auto& [channel, payload] : said.told) {
        if (std::find(channels_.begin(), channels_.end(), channel) == channels_.end()) continue;
        arrived_.push_back({std::move(channel), std::move(payload), said.process, txn});
    }
}

SqlNotification Notifications::take() {
    SqlNotification oldest = std::move(arrived_.front());
    arrived_.pop_front();
    return oldest;
}

void Notifications::raise_problem() {
    if (problem_) throw SqlError(*std::exchange(problem_, std::nullopt));
}

void Notifications::wait(std::uint64_t timeout_us) {
    if (!reader_) {
        std::this_thread::sleep_for(std::chrono::microseconds(timeout_us));
        return;
    }
    const std::uint64_t told = reader_->told();
    look();
    if (!arrived() && !problem_) reader_->wait(told, timeout_us);
}

}  // namespace northstar::inline v0::sql
