#pragma once

#include <string>
#include <utility>

#include "gpukeeper/gpukeeper.h"

/// What a test opens a keeper with: two simulated GPUs and a ledger of its own where it says nothing else.
struct Wanted {
  std::string source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";
  std::string host = {};
  std::string config = {};
  std::string state_dir = {};
  int ledger = GK_LEDGER_MEMORY;
  int monitoring = 0;
};

/// A keeper, closed at its end.
class Opened {
 public:
  explicit Opened(const Wanted& wanted = {}) {
    const auto or_null = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
    const gk_options options{.size = sizeof options,
                             .source = or_null(wanted.source),
                             .host = or_null(wanted.host),
                             .config = or_null(wanted.config),
                             .state_dir = or_null(wanted.state_dir),
                             .ledger = wanted.ledger,
                             .monitoring = wanted.monitoring};
    result_ = gk_open(&options, &keeper_);
    error_ = gk_last_error();
  }
  ~Opened() { close(); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  void close() { gk_close(std::exchange(keeper_, nullptr)); }
  operator gk_keeper*() const { return keeper_; }  // NOLINT(google-explicit-constructor): it is one
  gk_result result() const { return result_; }
  const std::string& error() const { return error_; }

 private:
  gk_keeper* keeper_ = nullptr;
  gk_result result_ = GK_FAILED;
  std::string error_;
};
