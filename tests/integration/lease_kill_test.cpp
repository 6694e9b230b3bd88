// A daemon that is killed at any moment while clients book: what it acknowledged it keeps, and nothing else is there.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/json_text.hpp"
#include "integration/http_client.hpp"
#include "integration/served.hpp"
#include "integration/sleeping_child.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;

/// An answer of the daemon; none when the connection broke before it was whole.
struct Answer {
  unsigned status = 0;
  Json body;
};

/// One connection, over which questions are asked one after the other.
class Connection {
 public:
  explicit Connection(const std::string& socket) : http_({.path = socket, .host = {}, .port = 0}) {}

  std::optional<Answer> ask(const std::string& method, const std::string& target, const Json& body = {}) {
    const std::string text = body.is_null() ? "" : body.dump();
    const bool sent = http_.connected() && http_.send(fmt::format("{} {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n"
                                                                  "Content-Type: application/json\r\n\r\n{}",
                                                                  method, target, text.size(), text));
    if (!sent) return std::nullopt;
    const std::string reply = http_.receive();
    Answer answer;
    answer.body = Json::parse(service::body_of(reply), nullptr, false);
    if (reply.size() < 12 || answer.body.is_discarded()) return std::nullopt;
    answer.status = static_cast<unsigned>(parse_u64(std::string_view(reply).substr(9, 3)).value_or(0));
    return answer;
  }

 private:
  service::HttpClient http_;
};

std::uint64_t id_of(const Json& lease) {
  return parse_u64(lease.at("id").get<std::string>()).value();
}

/// What a client was told, told apart from the daemon's own books: the independent model.
struct Booked {
  std::uint64_t bytes = 0;
  std::shared_ptr<SleepingChild> owner;  // null for a standing lease

  bool over() const { return owner && !owner->lives(); }
};

/// Books, resizes and releases by chance, and remembers what it was told. Of the one question that was not answered
/// when the daemon died it asks again afterwards.
class Client {
 public:
  Client(std::string name, std::uint32_t seed) : name_(std::move(name)), random_(seed) {
    for (auto& child : children_) child = std::make_shared<SleepingChild>();
  }

  /// Until the daemon is gone.
  void work(const std::string& socket) {
    Connection daemon(socket);
    while (act(daemon)) {
    }
  }

  /// Brings what was not answered to its end.
  void settle(const std::string& socket) {
    Connection daemon(socket);
    const bool still_ours = asked_ && (asked_->what == Asked::What::book || books_.contains(asked_->id));
    if (still_ours) {
      EXPECT_TRUE(finish(*asked_, daemon));
    }
    asked_.reset();
  }

  /// Some of those that own leases die while no daemon looks.
  void lose_children() {
    for (auto& child : children_) {
      if (random_() % 4 != 0 || (asked_ && asked_->owner == child)) continue;
      child->kill();
      child = std::make_shared<SleepingChild>();
    }
    std::erase_if(books_, [](const auto& item) { return item.second.over(); });
  }

  const std::map<std::uint64_t, Booked>& books() const { return books_; }
  const std::set<std::uint64_t>& ids() const { return ids_; }

 private:
  struct Asked {
    enum class What { book, release, resize } what = What::book;
    std::uint64_t id = 0;  // of what is released or resized
    std::uint64_t bytes = 0;
    std::shared_ptr<SleepingChild> owner;
    std::string request_id;
  };

  bool act(Connection& daemon) {
    Asked next;
    const auto pick = random_() % 10;
    if (books_.empty() || (pick < 5 && books_.size() < 12)) {
      next.bytes = (random_() % 200 + 1) * kMiB;
      if (random_() % 2 == 0) next.owner = children_[random_() % children_.size()];
      next.request_id = fmt::format("{}-{}", name_, ++requests_);
    } else {
      const auto chosen = std::next(books_.begin(), static_cast<std::ptrdiff_t>(random_() % books_.size()));
      next.what = pick < 8 ? Asked::What::release : Asked::What::resize;
      next.id = chosen->first;
      next.bytes = (random_() % 200 + 1) * kMiB;
    }
    asked_ = next;
    if (!finish(next, daemon)) return false;
    asked_.reset();
    return true;
  }

  // Whether there was an answer.
  bool finish(const Asked& asked, Connection& daemon) {
    const std::string target = fmt::format("/api/v1/leases/{}", asked.id);
    switch (asked.what) {
      case Asked::What::book: return book(asked, daemon);
      case Asked::What::release: {
        const auto answer = daemon.ask("DELETE", target);
        if (!answer) return false;
        EXPECT_EQ(answer->status, 200u) << answer->body.dump();
        books_.erase(asked.id);
        return true;
      }
      case Asked::What::resize: {
        const auto answer = daemon.ask("PATCH", target, {{"min_bytes", asked.bytes}});
        if (!answer) return false;
        if (answer->status == 200) books_.at(asked.id).bytes = asked.bytes;
        EXPECT_TRUE(answer->status == 200 || answer->status == 409) << answer->body.dump();
        return true;
      }
    }
    return false;
  }

  bool book(const Asked& asked, Connection& daemon) {
    Json body = {{"service", name_}, {"min_bytes", asked.bytes}, {"request_id", asked.request_id}};
    if (asked.owner) {
      body["owner"] = "process";
      body["pid"] = asked.owner->pid();
    }
    const auto answer = daemon.ask("POST", "/api/v1/leases", body);
    if (!answer) return false;
    if (answer->status == 409) return true;  // no room
    EXPECT_TRUE(answer->status == 200 || answer->status == 201) << answer->body.dump();
    if (answer->status >= 300) return true;
    const Json& lease = answer->body.at("leases").at(0);
    EXPECT_EQ(lease.at("min_bytes"), asked.bytes);
    const std::uint64_t id = id_of(lease);
    EXPECT_TRUE(ids_.insert(id).second) << "lease " << id << " was given out twice";
    books_[id] = {asked.bytes, asked.owner};
    return true;
  }

  const std::string name_;
  std::mt19937 random_;
  std::map<std::uint64_t, Booked> books_;
  std::set<std::uint64_t> ids_;
  std::optional<Asked> asked_;
  std::array<std::shared_ptr<SleepingChild>, 3> children_;
  std::uint64_t requests_ = 0;
};

class LeaseKillTest : public testing::Test {
 protected:
  LeaseKillTest() {
    std::ofstream(path("machine.yaml")) << "name: Two GPUs without work\ndevices:\n"
                                           "  - {name: NVIDIA L4, vendor: nvidia, uuid: SIM-0, memory: 8GiB}\n"
                                           "  - {name: NVIDIA L4, vendor: nvidia, uuid: SIM-1, memory: 8GiB}\n";
    for (std::uint32_t i = 0; i < 4; ++i) {
      clients_.push_back(std::make_unique<Client>("service-" + std::to_string(i), i));
    }
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string socket() const { return path("gk.sock"); }

  std::unique_ptr<Served> serve() {
    auto daemon =
        std::make_unique<Served>(std::vector<std::string>{"--source", "simulated:" + path("machine.yaml"), "--listen",
                                                          "unix:" + socket(), "--state-dir", path("state")},
                                 path("log"));
    // It grants nothing before it has looked at the GPUs.
    const bool open = eventually([&] {
      const auto answer = Connection(socket()).ask("GET", "/api/v1/leases");
      return answer && answer->status == 200 && answer->body.at("closed").is_null();
    });
    EXPECT_TRUE(open) << daemon->log();
    return daemon;
  }

  std::map<std::uint64_t, std::uint64_t> told() const {
    std::map<std::uint64_t, std::uint64_t> all;
    for (const auto& client : clients_) {
      for (const auto& [id, booked] : client->books()) all[id] = booked.bytes;
    }
    return all;
  }

  // What it says that is held; nothing when its own sums contradict that.
  std::optional<std::map<std::uint64_t, std::uint64_t>> held() const {
    const auto answer = Connection(socket()).ask("GET", "/api/v1/leases");
    if (!answer || answer->status != 200) return std::nullopt;
    std::map<std::uint64_t, std::uint64_t> leases;
    std::map<std::string, std::uint64_t> sums;
    for (const Json& lease : answer->body.at("leases")) {
      const std::string state = lease.at("state");
      if (state != "starting" && state != "active") continue;
      leases[id_of(lease)] = lease.at("min_bytes");
      sums[lease.at("device")] += lease.at("min_bytes").get<std::uint64_t>();
    }
    for (const Json& device : answer->body.at("devices")) {
      const std::uint64_t sum = sums[device.at("id")];
      EXPECT_EQ(device.at("booked_bytes"), sum);
      EXPECT_LE(sum, device.at("capacity_bytes").get<std::uint64_t>()) << "memory was promised twice";
    }
    return leases;
  }

  const TemporaryFolder folder_;
  std::vector<std::unique_ptr<Client>> clients_;
};

// GPUKEEPER_KILLS says how often; ./test --thorough takes 2,000.
TEST_F(LeaseKillTest, NothingAcknowledgedIsLostNothingIsThereTwiceAndTheDeadHoldNothing) {
  const char* asked = std::getenv("GPUKEEPER_KILLS");
  const auto kills = asked ? parse_u64(asked).value() : 50;
  std::mt19937 random(5);
  for (std::uint64_t round = 0; round < kills && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    auto daemon = serve();
    for (const auto& client : clients_) client->settle(socket());
    EXPECT_TRUE(eventually([&] { return held() == told(); }))
        << "told " << Json(told()).dump() << "\nheld " << Json(held().value_or(decltype(told())())).dump();
    std::vector<std::thread> threads;
    for (const auto& client : clients_) threads.emplace_back([&] { client->work(socket()); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 50'000));
    EXPECT_EQ(daemon->stop(SIGKILL), 128 + SIGKILL);
    for (std::thread& thread : threads) thread.join();
    for (const auto& client : clients_) client->lose_children();
  }
  std::set<std::uint64_t> ids;
  for (const auto& client : clients_) {
    for (const std::uint64_t id : client->ids()) EXPECT_TRUE(ids.insert(id).second) << id << " was given out twice";
  }
  EXPECT_GT(ids.size(), kills);
}

}  // namespace
}  // namespace gpukeeper
