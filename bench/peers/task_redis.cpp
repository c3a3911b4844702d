// A queue of tasks in Redis as its documentation describes a reliable queue: two lists, LMOVE to claim, LREM to end. No
// types, priorities or leases, so it does less than the others. A server of its own on a socket in the file system,
// append only: appendfsync always for durable keeping; for lazy, which survives the death of the process, the same file
// is flushed once a second. Talked to in its own protocol, so that no library is needed; needs redis-server in the
// PATH.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <thread>

#include "task_engine.hpp"

namespace bench {
namespace task_redis {

class Connection {
public:
    explicit Connection(const std::string& path) {
        socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (socket_ < 0) throw std::runtime_error("redis: no socket");
        ::sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) throw std::runtime_error("redis: too long a path for a socket");
        path.copy(address.sun_path, path.size());
        if (::connect(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
            ::close(socket_);
            throw std::runtime_error("redis: cannot connect");
        }
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    static void append(std::string& out, std::initializer_list<std::string_view> words) {
        out += "*" + std::to_string(words.size()) + "\r\n";
        for (const std::string_view word : words) {
            out += "$" + std::to_string(word.size()) + "\r\n";
            out.append(word).append("\r\n");
        }
    }
    void send(const std::string& bytes) const {
        for (std::size_t at = 0; at < bytes.size();) {
            const ::ssize_t sent = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("redis: the server is gone");
            at += static_cast<std::size_t>(sent);
        }
    }
    /// A number, or the size of the string that is put into `text`; -1: nothing.
    std::int64_t answer(std::string& text) {
        const std::string line = read_line();
        if (line.empty() || line[0] == '-') throw std::runtime_error("redis: " + line);
        if (line[0] == '+') return 0;
        const std::int64_t number = std::strtoll(line.c_str() + 1, nullptr, 10);
        if (line[0] != '$' || number < 0) return number;
        while (buffer_.size() < static_cast<std::size_t>(number) + 2) receive();
        text = buffer_.substr(0, static_cast<std::size_t>(number));
        buffer_.erase(0, static_cast<std::size_t>(number) + 2);
        return number;
    }
    std::int64_t ask(std::initializer_list<std::string_view> words, std::string& text) {
        std::string bytes;
        append(bytes, words);
        send(bytes);
        return answer(text);
    }

private:
    void receive() {
        char bytes[4096];
        const ::ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) throw std::runtime_error("redis: the server is gone");
        buffer_.append(bytes, static_cast<std::size_t>(got));
    }
    std::string read_line() {
        std::size_t end;
        while ((end = buffer_.find("\r\n")) == std::string::npos) receive();
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
    }
    int socket_ = -1;
    std::string buffer_;
};

class Worker final : public TaskWorker {
public:
    Worker(const std::string& socket, std::size_t agents) : connection_(socket), held_(agents) {}
    bool claim(std::size_t agent) override {
        return connection_.ask({"LMOVE", "ready", "leased", "LEFT", "RIGHT"}, held_[agent]) >= 0;
    }
    bool complete(std::size_t agent) override {
        return connection_.ask({"LREM", "leased", "1", held_[agent]}, ignored_) == 1;
    }
    bool give_back(std::size_t agent) override {
        std::string bytes;
        Connection::append(bytes, {"LREM", "leased", "1", held_[agent]});
        Connection::append(bytes, {"RPUSH", "ready", held_[agent]});
        connection_.send(bytes);
        const bool held = connection_.answer(ignored_) == 1;
        connection_.answer(ignored_);
        return held;
    }

private:
    Connection connection_;
    std::vector<std::string> held_;
    std::string ignored_;
};

class Engine final : public TaskEngine {
public:
    // The server makes the directory its own, so names are whole ones.
    Engine(const std::string& relative, Keeping keeping) : Engine(std::filesystem::absolute(relative), keeping) {}
    Engine(const std::filesystem::path& directory, Keeping keeping) : socket_(directory.string() + "/socket") {
        const std::string path = directory.string();
        ::mkdir(path.c_str(), 0700);
        server_ = ::fork();
        if (server_ < 0) throw std::runtime_error("redis: no process");
        if (server_ == 0) {
            const char* const fsync = keeping == Keeping::full ? "always" : "everysec";
            ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_.c_str(), "--save", "",
                     "--appendonly", "yes", "--appendfsync", fsync, "--dir", path.c_str(), "--logfile", "log",
                     static_cast<char*>(nullptr));
            ::_exit(127);
        }
        // It says that it is there by answering.
        for (int attempt = 0;; ++attempt) {
            try {
                const Connection connection(socket_);
                return;
            } catch (const std::runtime_error&) {
                if (attempt == 1000) {
                    stop();
                    throw;
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
        }
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine() override { stop(); }
    void add(std::uint64_t count, std::string_view payload) override {
        Connection connection(socket_);
        std::string ignored;
        while (count != 0) {
            const std::uint64_t some = std::min<std::uint64_t>(count, 1000);
            std::string bytes;
            for (std::uint64_t i = 0; i < some; ++i) {
                const std::string task = std::to_string(next_++) + ":" + std::string(payload);
                Connection::append(bytes, {"RPUSH", "ready", task});
            }
            connection.send(bytes);
            for (std::uint64_t i = 0; i < some; ++i) connection.answer(ignored);
            count -= some;
        }
    }
    std::unique_ptr<TaskWorker> worker(std::size_t agents) override {
        return std::make_unique<Worker>(socket_, agents);
    }
    TaskTotals totals() override {
        Connection connection(socket_);
        std::string ignored;
        TaskTotals totals;
        totals.ready = static_cast<std::uint64_t>(connection.ask({"LLEN", "ready"}, ignored));
        totals.held = static_cast<std::uint64_t>(connection.ask({"LLEN", "leased"}, ignored));
        return totals;
    }

private:
    void stop() const {
        ::kill(server_, SIGTERM);
        ::waitpid(server_, nullptr, 0);
    }
    std::string socket_;
    ::pid_t server_ = -1;
    std::uint64_t next_ = 0;
};

bool installed() {
    const char* const path = std::getenv("PATH");
    std::string rest = path != nullptr ? path : "";
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        if (::access((rest.substr(0, end) + "/redis-server").c_str(), X_OK) == 0) return true;
        rest.erase(0, end + 1);
    }
    return false;
}

const RegisterTaskEngine registered({"redis", installed,
                                     [](const std::string& path, Keeping keeping) -> std::unique_ptr<TaskEngine> {
                                         return std::make_unique<Engine>(path, keeping);
                                     }});

}  // namespace task_redis
}  // namespace bench
