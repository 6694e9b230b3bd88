#include "service/metrics_answer.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

using prometheus::FamilySet;
using prometheus::Syntax;

// One of the kinds of content that an Accept header lists (RFC 9110, 12.5.1).
struct Wish {
  std::string type;
  std::string version;  // empty: any
  double quality = 1;
};

Wish wish_of(std::string_view item) {
  const auto parts = split(item, ';');
  Wish wish{.type = to_lower(trim(parts.front())), .version = {}};
  for (const std::string_view part : std::span(parts).subspan(1)) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = to_lower(trim(part.substr(0, equals)));
    const std::string_view value = trim(part.substr(equals + 1));
    if (name == "version") wish.version = value;
    if (name == "q") wish.quality = std::clamp(parse_double(value).value_or(0), 0.0, 1.0);
  }
  return wish;
}

bool is_openmetrics(const Wish& wish) {
  return wish.type == "application/openmetrics-text" &&
         (wish.version.empty() || wish.version == "1.0.0" || wish.version == "0.0.1");
}

bool is_text(const Wish& wish) {
  return wish.type == "text/plain" && (wish.version.empty() || wish.version == "0.0.4");
}

// A family that is configured away stays away: whoever turned it off may have another exporter of these names.
std::optional<std::string> not_configured(const FamilySet& wanted, const FamilySet& configured) {
  for (const auto& [name, family] : prometheus::kFamilies) {
    if (wanted.contains(family) && !configured.contains(family)) {
      return fmt::format("the family of metrics '{}' is turned off: metrics.families has not got it", name);
    }
  }
  return std::nullopt;
}

Response bad_parameter(std::string_view detail) {
  return problem(400, "invalid", detail);
}

}  // namespace

Syntax wanted_syntax(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  for (const std::string_view item : split(accept, ',')) {
    const Wish wish = wish_of(item);
    if (is_openmetrics(wish)) openmetrics = std::max(openmetrics, wish.quality);
    if (is_text(wish)) text = std::max(text, wish.quality);
  }
  return openmetrics > 0 && openmetrics >= text ? Syntax::openmetrics : Syntax::text;
}

Response metrics_answer(const Request& request, const prometheus::MetricFacts& facts, const FamilySet& configured) {
  FamilySet wanted = configured;
  for (const auto& [name, value] : request.query) {
    if (name != "family") return bad_parameter("the one parameter known here is family: ?family=gpukeeper");
    auto named = prometheus::parse_families(value);
    if (!named) return bad_parameter(named.error().message);
    wanted = std::move(*named);
  }
  if (const auto off = not_configured(wanted, configured)) return bad_parameter(*off);
  const Syntax syntax = wanted_syntax(request.header("Accept").value_or(""));
  Response response;
  response.content_type = prometheus::content_type(syntax);
  response.body = std::make_shared<const std::string>(metrics_text(facts, wanted, syntax));
  response.headers = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
  return response;
}

}  // namespace gpukeeper::service
