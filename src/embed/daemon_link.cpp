#include "embed/daemon_link.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "client/exchange.hpp"
#include "core/display_text.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr client::Limits kOfThisMachine{.connect = 1s};
constexpr auto kLookPause = 1s;

}  // namespace

Result<Answer> ask_daemon(const client::Daemon& daemon, const Question& question, std::chrono::nanoseconds wait,
                          const Interrupt& interrupt) {
  if (interrupt.raised()) return fail(Errc::unavailable, "the keeper is being closed");
  client::Limits limits;
  limits.answer += std::chrono::ceil<std::chrono::milliseconds>(wait);
  auto reply = client::exchange(daemon.address(),
                                {.method = question.method,
                                 .target = question.target,
                                 .json = question.body,
                                 .token = daemon.token(),
                                 .trust = daemon.trust().get()},
                                limits, interrupt.token());
  if (reply) return Answer{reply->status, std::move(reply->body)};
  if (interrupt.raised()) return fail(Errc::unavailable, "the keeper is being closed");
  return fail(reply.error().code, fmt::format("the gpukeeper daemon at {}: {}", harmless(daemon.address().to_string()),
                                              reply.error().message));
}

LedgerDaemon::LedgerDaemon(const KeeperOptions::Variable& environment)
    : environment_([environment](std::string_view name) -> std::optional<std::string> {
        if (name == "GPUKEEPER_HOST" || name == "GPUKEEPER_DAEMON") return std::nullopt;
        return environment(name);
      }) {}

Result<std::optional<client::Daemon>> LedgerDaemon::find() {
  std::scoped_lock lock(mutex_);
  if (known_ || (looked_ && clock_.now() - *looked_ < kLookPause)) return known_;
  auto found = client::Daemon::find("", environment_, kOfThisMachine);
  looked_ = clock_.now();
  if (found) {
    known_ = std::move(*found);
  } else if (found.error().code == Errc::not_permitted) {
    looked_.reset();
    return tl::make_unexpected(found.error());
  }
  return known_;
}

void LedgerDaemon::look_again() {
  std::scoped_lock lock(mutex_);
  known_.reset();
  looked_.reset();
}

}  // namespace gpukeeper::embed
