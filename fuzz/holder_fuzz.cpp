#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "reclaim/holder_json.hpp"
#include "sinks/address.hpp"

// A holder as a client sends it. Whatever is taken for one is the same after it was written and read again, and what
// check() lets pass is of this machine.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpukeeper;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return 0;
  const auto holder = reclaim::holder_of(document);
  if (!holder) {
    if (holder.error().message.empty()) std::abort();
    return 0;
  }
  if (!reclaim::check(*holder, {})) return 0;
  const auto again = reclaim::holder_of(Json::parse(dump(reclaim::to_json(*holder), false)));
  if (!again || *again != *holder) std::abort();
  const auto address = parse_address(holder->url);
  if (!holder->url.empty() && (!address || !address->is_this_machine())) std::abort();
  return 0;
}
