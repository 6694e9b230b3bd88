// A configuration of any bytes is refused with file, line and column, or taken; a taken one listens where it may.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/text.hpp"
#include "service/config.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::service;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_error(const Error& error, std::string_view file) {
  require(error.code == Errc::invalid_argument, "a refused configuration is an invalid argument");
  const std::string_view message = error.message;
  require(message.starts_with(file), "the message begins with the file");
  const auto parts = split(message.substr(file.size()), ':');
  require(parts.size() >= 4, "the message has line, column and words");
  require(parse_u64(parts[1]).value_or(0) >= 1 && parse_u64(parts[2]).value_or(0) >= 1, "places count from 1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kFile = "fuzz.yaml";
  const auto config = parse_config({reinterpret_cast<const char*>(data), size}, kFile);
  if (!config) {
    check_error(config.error(), kFile);
    return 0;
  }
  for (const ListenAddress& address : config->listen) {
    const auto again = parse_listen_address(address.to_string());
    require(again && *again == address, "an address is read as it is written");
  }
  require(merged(*config, Config()) == *config, "nothing below changes nothing");
  require(merged(Config(), *config) == *config, "nothing above changes nothing");
  require(changes_for_restart(*config, *config).empty(), "what is the same has not changed");
  require(http_options(*config).connections > 0, "somebody may connect");
  return 0;
}
