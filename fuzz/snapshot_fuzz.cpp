// A daemon's snapshot, whoever says it is one: what is read is written and read again as it was, and what is made of it
// for people holds no control character.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/ps_table.hpp"
#include "cli/status_table.hpp"
#include "cli/why.hpp"
#include "format/columns_text.hpp"
#include "format/snapshot_json.hpp"
#include "format/snapshot_reader.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_harmless(std::string_view page) {
  require(std::ranges::none_of(page, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == 0x7f; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const auto snapshot = parse_snapshot({reinterpret_cast<const char*>(data), size});
  if (!snapshot) return 0;
  const std::string written = snapshot_json(*snapshot, false);
  const auto again = parse_snapshot(written);
  require(again && snapshot_json(*again, false) == written);

  const cli::RenderOptions render{.width = 120, .now = snapshot->taken_at};
  require_harmless(cli::render_status(*snapshot, {}, render));
  require_harmless(cli::render_ps(*snapshot, {}, {}, render));
  require_harmless(cli::render_why(*snapshot, diagnose(*snapshot), {}, render));
  static_cast<void>(csv_rows(*snapshot));
  return 0;
}
