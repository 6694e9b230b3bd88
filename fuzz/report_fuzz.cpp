// Names of users, services and devices, and the ledger's document, of any bytes: a page keeps its markup, a table its
// rows, and a document can be read again.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "account/account.hpp"
#include "core/text.hpp"
#include "report/report_html.hpp"
#include "report/report_json.hpp"
#include "report/report_text.hpp"

using namespace gpukeeper;
using namespace gpukeeper::report;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Half an hour of one GPU, all of whose names are this one.
Report named(const std::string& name, const std::string& leases) {
  account::Account account;
  account.since = WallTime(std::chrono::seconds(1'780'000'200));
  account.until = *account.since + std::chrono::minutes(30);
  account.devices.push_back({.id = {name}, .name = name});
  account.parties.push_back(std::make_shared<const account::Party>(
      account::Party{.user = name, .service = name, .container = name, .pod = name, .job = name}));
  for (int i = 0; i < 3; ++i) {
    auto slot = std::make_shared<account::Slot>();
    slot->begin = *account.since + std::chrono::minutes(10) * i;
    slot->length = std::chrono::minutes(10);
    slot->devices[0].watched_seconds = slot->devices[0].held_seconds = 600;
    slot->devices[0].joules = 1e5;
    slot->parties[{0, 0}] = {.gpu_seconds = 600, .busy_seconds = 300, .joules = 1e5};
    account.slots.push_back(std::move(slot));
  }
  auto report = gather(
      account, {},
      {.host = name, .basis = Basis::daemon, .tariff = {.price_per_kwh = 1.0, .currency = name}, .leases = leases});
  require(report.has_value(), "a report of what is known can be made");
  return std::move(*report);
}

std::size_t count(std::string_view text, char c) {
  return static_cast<std::size_t>(std::ranges::count(text, c));
}

// A name that is empty is "not known", and rows of it are left out.
std::string filled(std::string_view bytes) {
  return "x" + std::string(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const std::string plain = report_html(named("x", ""), std::chrono::seconds(0));
  const Report report = named(filled(bytes), "");
  const std::string page = report_html(report, std::chrono::seconds(0));
  for (const char c : {'<', '>', '"'}) require(count(page, c) == count(plain, c), "a name changes no markup");
  const std::string table = report_csv(report);
  require(lines(table).size() == 7, "a name makes no row");
  const std::string bare = report_csv(named(std::string(bytes) + "x", ""));
  for (const std::string_view line : lines(bare)) {
    for (const char* start : {",=", ",+", ",@", ",\"=", ",\"+", ",\"-", ",\"@"}) {
      const bool formula =
          line.find(start) != std::string_view::npos && bytes.find_first_of(",\"") == std::string_view::npos;
      require(!formula, "no cell is a formula");
    }
  }
  require(report_text(report, std::chrono::seconds(0)).find('\x1b') == std::string::npos, "a text has no escapes");
  require(report_json(report, false).find('\n') == std::string::npos, "a document stands on one line");

  const Report booked = named("x", std::string(bytes));
  for (const LeaseFacts& lease : booked.leases) {
    require(held_seconds(lease, booked.from, booked.to) <= 1800, "no lease is held longer than the report is");
  }
  static_cast<void>(report_html(booked, std::chrono::hours(2)));
  static_cast<void>(advice_on_memory(bytes));
  return 0;
}
