#include "service/lease_waits.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

namespace gpukeeper::service {
namespace {

// How soon an end is seen of which nobody tells, and how often a clock is asked that a test moves.
constexpr std::chrono::milliseconds kLook{500};

}  // namespace

struct LeaseWaits::State {
  struct Entry {
    Wait wait;
    std::string note;
  };
  std::mutex mutex;
  std::condition_variable_any news;
  bool rung = false;  // guarded by mutex, as all below
  std::map<Token, Entry> waits;
  std::deque<std::function<void()>> errands;
  Token last = 0;

  void ring() {
    {
      std::scoped_lock lock(mutex);
      if (waits.empty() && errands.empty()) return;
      rung = true;
    }
    news.notify_one();
  }
  void heard(const LedgerEvent& event) {
    {
      std::scoped_lock lock(mutex);
      if (waits.empty()) return;
      rung = true;
      for (auto& [token, entry] : waits) {
        const auto& leases = entry.wait.leases;
        const bool is_it = !leases.empty() && leases.front() == event.id;
        if (is_it && event.kind == LedgerEvent::Kind::granted) entry.note = event.note;
      }
    }
    news.notify_one();
  }
};

LeaseWaits::LeaseWaits(Bookkeeper& book, std::size_t most)
    : book_(book), most_(most), state_(std::make_shared<State>()) {
  book_.listen([state = state_](const LedgerEvent& event, const Lease&) { state->heard(event); });
}

LeaseWaits::~LeaseWaits() {
  stop();
}

void LeaseWaits::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void LeaseWaits::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  {
    std::scoped_lock lock(state_->mutex);
    state_->waits.clear();
  }
  look();
}

std::optional<LeaseWaits::Token> LeaseWaits::add(Wait wait) {
  Token token = 0;
  {
    std::scoped_lock lock(state_->mutex);
    if (state_->waits.size() >= most_) return std::nullopt;
    token = ++state_->last;
    state_->waits.emplace(token, State::Entry{std::move(wait), {}});
  }
  ring();  // it may have happened already
  return token;
}

bool LeaseWaits::drop(Token token) {
  std::scoped_lock lock(state_->mutex);
  return state_->waits.erase(token) > 0;
}

bool LeaseWaits::anyone_waits_for(LeaseId lease) const {
  std::scoped_lock lock(state_->mutex);
  return std::ranges::any_of(state_->waits, [&](const auto& each) {
    const auto& leases = each.second.wait.leases;
    return std::ranges::find(leases, lease) != leases.end();
  });
}

void LeaseWaits::post(std::function<void()> errand) {
  {
    std::scoped_lock lock(state_->mutex);
    state_->errands.push_back(std::move(errand));
  }
  ring();
}

void LeaseWaits::ring() {
  state_->ring();
}

void LeaseWaits::look() {
  struct Question {
    Token token;
    std::vector<LeaseId> leases;
    LeaseState state;
    bool over;
  };
  std::deque<std::function<void()>> errands;
  {
    std::scoped_lock lock(state_->mutex);
    errands.swap(state_->errands);
  }
  for (const auto& errand : errands) errand();
  std::vector<Question> questions;
  const MonotonicTime now = book_.clock().now();
  {
    std::scoped_lock lock(state_->mutex);
    for (const auto& [token, entry] : state_->waits) {
      questions.push_back({token, entry.wait.leases, entry.wait.state, now >= entry.wait.until});
    }
  }
  if (questions.empty()) return;
  book_.look([&](const Ledger& ledger) {
    for (Question& question : questions) {
      const bool holds = std::ranges::any_of(question.leases, [&](LeaseId id) {
        const Lease* lease = ledger.find(id);
        return lease && lease->state == question.state;
      });
      if (!holds) question.over = true;
    }
  });
  for (const Question& question : questions) {
    if (!question.over) continue;
    State::Entry entry;
    {
      std::scoped_lock lock(state_->mutex);
      const auto found = state_->waits.find(question.token);
      if (found == state_->waits.end()) continue;
      entry = std::move(found->second);
      state_->waits.erase(found);
    }
    entry.wait.over(entry.note);
  }
}

void LeaseWaits::run(const std::stop_token& stop) {
  const auto happened = [this] { return state_->rung || !state_->errands.empty(); };
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(state_->mutex);
      if (state_->waits.empty()) {
        state_->news.wait(lock, stop, happened);
      } else {
        state_->news.wait_for(lock, stop, kLook, happened);
      }
      state_->rung = false;
    }
    look();
  }
}

}  // namespace gpukeeper::service
