#include "push/push_export.hpp"

#include <random>
#include <utility>

namespace gpukeeper::push {

PushExport::PushExport(PushSettings settings, std::string host, Protocol protocol, Secrets::Environment environment,
                       Log& log, std::function<std::string()> metrics)
    : secrets_(files_, std::move(environment)),
      pusher_(
          std::move(settings), std::move(host), std::move(protocol),
          {.transport = transport_, .secrets = secrets_, .clock = clock_, .log = log, .metrics = std::move(metrics)},
          std::random_device()()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PushExport::~PushExport() {
  thread_.request_stop();
  broken_off_.request_stop();
}

void PushExport::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) clock_.sleep_until(pusher_.step(broken_off_.get_token()), stop);
  pusher_.end();
  ended_ = true;
}

void PushExport::begin_stop() {
  stop_by_ = clock_.now() + kStopPatience;
  thread_.request_stop();
}

bool PushExport::ended() {
  if (!ended_ && clock_.now() >= stop_by_) broken_off_.request_stop();
  return ended_;
}

}  // namespace gpukeeper::push
