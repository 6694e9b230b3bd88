// Records of the kernel's log of any bytes make events whose texts are bounded, printable and on one line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/kernel/kmsg.hpp"
#include "backend/kernel/messages.hpp"
#include "backend/kernel/pci_errors.hpp"
#include "core/display_text.hpp"

namespace {

using namespace gpukeeper;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_text(const std::string& text, std::size_t width) {
  require(harmless(text) == text, "what is shown is harmless");
  require(text.find('\n') == std::string::npos, "it stands on one line");
  require(display_width(text) <= width && text.size() <= 4096, "it is bounded");
}

void check_message(std::string_view text) {
  const auto found = read_message(text);
  if (!found) return;
  check_text(found->event.detail, kMaxDetail);
  check_text(found->event.process, kMaxProcessName);
  require(!found->event.pid || *found->event.pid > 0, "a pid is positive");
  require(found->event.count >= 1, "an event happened at least once");
  require(found->event.process.empty() || found->event.pid, "who has a name has a pid");
  require(!found->of_pci || found->event.pci, "what the PCI core says is of a function");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_message(input);
  if (const auto record = parse_kmsg(input)) check_message(record->text);
  for (const auto& [row, count] : parse_aer_counters(input)) require(harmless(row, false) == row, "rows are harmless");
  return 0;
}
