#include "classify/pool.hpp"

#include <algorithm>
#include <span>

#include "classify/fold.hpp"
#include "core/text.hpp"

// Options and schemes are those of the miners' own manuals: XMRig, T-Rex, lolMiner, GMiner, NBMiner, TeamRedMiner,
// PhoenixMiner, Claymore, nanominer, bminer, ethminer, miniZ, SRBMiner, Rigel.
namespace gpukeeper::classify {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kPoolOptions[] = {"-o",     "--url",     "-url",   "--pool",   "-pool",   "--pool1",
                                             "-pool1", "-epool",    "-zpool", "--server", "-server", "-s",
                                             "-p",     "--stratum", "-uri",   "--uri",    "--host"};
constexpr std::string_view kPortOptions[] = {"--port", "-port", "-n"};
constexpr std::string_view kUserOptions[] = {"-u",    "--user", "-user", "--wallet",  "-wallet", "-wal",
                                             "-ewal", "-zwal",  "--wal", "--address", "--login"};
constexpr std::string_view kSchemes[] = {"ethproxy", "ethash", "etchash", "kawpow",    "beam",
                                         "zhash",    "raven",  "conflux", "autolykos2"};

bool contains(Words words, std::string_view word) {
  return std::ranges::any_of(words,
                             [&](std::string_view each) { return std::ranges::equal(each, word, {}, {}, fold); });
}

bool only_of(std::string_view text, auto allowed) {
  return !text.empty() && std::ranges::all_of(text, allowed);
}

bool is_port(std::string_view text) {
  const auto port = only_of(text, is_digit) ? parse_u64(text) : std::nullopt;
  return port && *port > 0 && *port < 65536;
}

// A name with a dot or an address: what a shell word such as "out.txt" is not, stands before a port.
bool is_host(std::string_view text) {
  const auto allowed = [](char c) {
    return is_digit(c) || (is_letter(c) && static_cast<unsigned char>(c) < 0x80) || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
  };
  return text.size() <= 253 && only_of(text, allowed) &&
         (text.find('.') != std::string_view::npos || text == "localhost");
}

bool is_address(std::string_view text) {
  const auto colon = text.rfind(':');
  return colon != std::string_view::npos && is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1));
}

// Coins' addresses have 26 (Bitcoin) to 106 (Monero, integrated) characters, and digits among them. A coin's name may
// stand before, a worker's behind: "RVN:RXa…", "0x12…ab.rig1", "47x…/rig1".
bool is_wallet(std::string_view text) {
  constexpr std::size_t kShortest = 25;
  constexpr std::size_t kLongest = 120;
  if (const auto colon = text.find(':'); colon < 12) text.remove_prefix(colon + 1);
  text = text.substr(0, text.find_first_of("./:+%"));
  if (text.starts_with("nano_")) text.remove_prefix(5);
  const auto plain = [](char c) { return is_digit(c) || (is_letter(c) && static_cast<unsigned char>(c) < 0x80); };
  return text.size() >= kShortest && text.size() <= kLongest && only_of(text, plain) &&
         std::ranges::any_of(text, is_digit);
}

bool is_scheme_of_miners(std::string_view scheme) {
  return scheme.find("stratum") != std::string_view::npos ||
         std::ranges::any_of(kSchemes, [&](std::string_view each) { return scheme.starts_with(each); });
}

// "scheme://user:password@host:port/path" in its pieces.
struct Url {
  std::string scheme;
  std::string_view user;
  std::string_view address;
};

Url url_in(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return {{}, {}, text};
  auto begin = colon;
  const auto of_scheme = [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '.' || c == '-'; };
  while (begin > 0 && of_scheme(text[begin - 1])) --begin;
  auto rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find_first_of("/?# ,\"'"));
  const auto at = rest.rfind('@');
  const bool named = at != std::string_view::npos;
  return {folded(text.substr(begin, colon - begin)), named ? rest.substr(0, at) : "",
          named ? rest.substr(at + 1) : rest};
}

struct Option {
  std::string_view name;
  std::string_view value;
};

// "-o value" and "--url=value"; an option without value has an empty one.
Option option_at(Words arguments, std::size_t at) {
  const auto word = arguments[at];
  if (!word.starts_with('-')) return {};
  const auto equals = word.find('=');
  if (equals != std::string_view::npos) return {word.substr(0, equals), word.substr(equals + 1)};
  return {word, at + 1 < arguments.size() ? arguments[at + 1] : ""};
}

void look_at_option(const Option& option, PoolFacts& facts, std::string_view& host, std::string_view& port) {
  if (contains(kUserOptions, option.name)) facts.wallet = facts.wallet || is_wallet(option.value);
  if (contains(kPortOptions, option.name) && is_port(option.value)) port = option.value;
  if (!contains(kPoolOptions, option.name)) return;
  const Url url = url_in(option.value);
  facts.wallet = facts.wallet || is_wallet(url.user);
  if (is_address(url.address) && facts.address.empty()) facts.address = url.address;
  if (is_host(url.address)) host = url.address;
}

}  // namespace

PoolFacts find_pool(const std::vector<std::string_view>& arguments) {
  PoolFacts facts;
  std::string_view host;
  std::string_view port;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    if (const Url url = url_in(arguments[at]); is_scheme_of_miners(url.scheme) && is_address(url.address)) {
      facts.stratum = true;
      facts.address = url.address;
      facts.wallet = facts.wallet || is_wallet(url.user);
    }
    look_at_option(option_at(arguments, at), facts, host, port);
  }
  if (facts.address.empty() && !host.empty() && !port.empty()) {
    facts.address.append(host).append(":").append(port);  // GMiner: --server eth.example --port 2020
  }
  return facts;
}

}  // namespace gpukeeper::classify
