// Keepers and what the GPUs do.
#include <array>
#include <cstdlib>
#include <optional>

#include "embed/c/arguments.hpp"
#include "embed/open_keeper.hpp"

namespace gpukeeper::embed::c {
namespace {

KeeperOptions options_of(const gk_options& c) {
  KeeperOptions options;
  options.source = text(c.source);
  options.host = text(c.host);
  options.config = text(c.config);
  options.state_dir = text(c.state_dir);
  options.ledger = c.ledger == GK_LEDGER_MEMORY ? LedgerPlace::memory : LedgerPlace::machine;
  options.monitoring = c.monitoring != 0;
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): only read
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  return options;
}

gk_result no_such_device(const View& view, std::uint32_t index) {
  const std::size_t count = view.readings.size();
  if (count == 0) return fail_with(GK_NOT_FOUND, fmt::format("there is no GPU {}: none is there", index));
  if (count == 1) return fail_with(GK_NOT_FOUND, fmt::format("there is no GPU {}: the only one is 0", index));
  return fail_with(GK_NOT_FOUND, fmt::format("there is no GPU {}: they are 0 to {}", index, count - 1));
}

gk_result give_reading(const View& view, std::uint32_t index, gk_reading* reading) {
  if (view.snapshot->sequence == 0) {
    return fail_with(GK_UNAVAILABLE, "the GPUs have not been looked at yet: try again in a moment");
  }
  const gk_reading* const found = view.find(index);
  if (!found) return no_such_device(view, index);
  give(*found, reading);
  return GK_OK;
}

// What a throttle answer may rest on: with monitoring off a look of now.
Result<std::shared_ptr<const View>> recent(Keeper& keeper) {
  return keeper.monitoring() ? keeper.view() : keeper.look();
}

}  // namespace
}  // namespace gpukeeper::embed::c

using namespace gpukeeper::embed;
using namespace gpukeeper::embed::c;

extern "C" {

uint32_t gk_abi(void) {
  return GK_ABI;
}

const char* gk_version(void) {
  return GPUKEEPER_VERSION;
}

const char* gk_last_error(void) {
  return last_error();
}

const char* gk_last_problem(void) {
  return last_problem();
}

void gk_free(char* text) {
  std::free(text);  // NOLINT(cppcoreguidelines-no-malloc): C may have none of our operators
}

gk_result gk_open(const gk_options* options, gk_keeper** keeper) {
  return guarded([&] {
    if (!keeper) return invalid("keeper is NULL: give the address of a gk_keeper*");
    if (options && !has_size(options)) return no_size(options, "gk_options");
    const gk_options given = options ? taken(options) : gk_options{};
    if (given.ledger != GK_LEDGER_MACHINE && given.ledger != GK_LEDGER_MEMORY) {
      return invalid(
          fmt::format("gk_options.ledger is {}: it takes GK_LEDGER_MACHINE or GK_LEDGER_MEMORY", given.ledger));
    }
    auto opened = open_keeper(options_of(given));
    if (!opened) return fail_with(opened.error());
    *keeper = make_handle(std::move(*opened));
    return GK_OK;
  });
}

void gk_close(gk_keeper* keeper) {
  if (!keeper) return;
  static_cast<void>(guarded([&] {
    if (is_calling_listener(*keeper)) {
      return invalid(
          "gk_close() was called by a listener of this keeper, which it would have to wait for: call it from "
          "another thread");
    }
    c::close(*keeper);
    return GK_OK;
  }));
}

const char* gk_host(gk_keeper* keeper) {
  const char* host = "";
  static_cast<void>(with(keeper, [&](Keeper&) {
    host = keeper->host.c_str();
    return GK_OK;
  }));
  return host;
}

uint32_t gk_device_count(gk_keeper* keeper) {
  uint32_t count = 0;
  static_cast<void>(with(keeper, [&](Keeper& k) {
    count = static_cast<uint32_t>(k.view()->readings.size());
    return GK_OK;
  }));
  return count;
}

gk_result gk_read(gk_keeper* keeper, uint32_t index, gk_reading* reading) {
  return with(keeper, [&](Keeper& k) {
    if (!has_size(reading)) return no_size(reading, "gk_reading");
    const auto view = k.look();
    return view ? give_reading(**view, index, reading) : fail_with(view.error());
  });
}

gk_result gk_latest(gk_keeper* keeper, uint32_t index, gk_reading* reading) {
  return with(keeper, [&](Keeper& k) {
    if (!has_size(reading)) return no_size(reading, "gk_reading");
    return give_reading(*k.view(), index, reading);
  });
}

gk_result gk_throttle(gk_keeper* keeper, int32_t index, gk_throttling* throttling) {
  return with(keeper, [&](Keeper& k) {
    if (!has_size(throttling)) return no_size(throttling, "gk_throttling");
    if (index < GK_ALL_DEVICES) {
      return invalid(fmt::format("index is {}: it takes that of a GPU, or GK_ALL_DEVICES (-1)", index));
    }
    const auto view = recent(k);
    if (!view) return fail_with(view.error());
    gk_throttling ours{};
    if (!fill_throttling(*(*view)->snapshot, index, ours)) {
      return no_such_device(**view, static_cast<uint32_t>(index));
    }
    give(ours, throttling);
    return GK_OK;
  });
}

gk_result gk_judge(gk_keeper* keeper, double temperature_celsius, double memory_percent, int32_t* state) {
  return with(keeper, [&](Keeper& k) {
    if (!state) return invalid("state is NULL: give the address of an int32_t");
    const auto judged = k.judge(temperature_celsius, memory_percent);
    if (!judged) return fail_with(judged.error());
    *state = state_in_c(*judged);
    return GK_OK;
  });
}

gk_result gk_monitor(gk_keeper* keeper, int32_t on) {
  return with(keeper, [&](Keeper& k) {
    const auto done = k.monitor(on != 0);
    return done ? GK_OK : fail_with(done.error());
  });
}

int32_t gk_is_monitoring(gk_keeper* keeper) {
  int32_t on = 0;
  static_cast<void>(with(keeper, [&](Keeper& k) {
    on = k.monitoring() ? 1 : 0;
    return GK_OK;
  }));
  return on;
}

}  // extern "C"
