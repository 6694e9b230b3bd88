#include "service/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "format/json_text.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::string_view kComponents = "#/components/schemas/";

constexpr std::pair<std::string_view, std::string_view> kTags[] = {
    {kDevices, "The GPUs now: what they are, how they are, who uses them, and why."},
    {kPast, "What they did until now."},
    {kAlerts, "What needs a person, and what went wrong."},
    {kLeases, "Memory that is booked."},
    {kReclaim, "Memory that comes back."},
    {kEvents, "What happens, as it happens."},
    {kDaemon, "gpukeeper itself."},
    {kGpuManager, "For clients of a GPU manager whose interface was documented before gpukeeper."},
    {kSystemMonitor, "For clients of a system monitor whose interface was documented before gpukeeper."},
};

Json reference(std::string_view schema) {
  return {{"$ref", std::string(kComponents) + std::string(schema)}};
}

// "#/$defs/time" of status.json is status.time here, "status.json" is status.
std::string moved(std::string_view reference, std::string_view file) {
  constexpr std::string_view kDefinitions = "#/$defs/";
  const auto hash = reference.find('#');
  std::string_view document = reference.substr(0, hash);
  if (document.ends_with(".json")) document.remove_suffix(5);
  std::string name(document.empty() ? file : document);
  if (hash != reference.npos && reference.substr(hash).starts_with(kDefinitions)) {
    name += fmt::format(".{}", reference.substr(hash + kDefinitions.size()));
  }
  return std::string(kComponents) + name;
}

void move_references(Json& schema, std::string_view file) {
  if (schema.is_object() && schema.contains("$ref")) {
    schema["$ref"] = moved(schema["$ref"].get<std::string>(), file);
  }
  for (Json& part : schema) {
    if (part.is_structured()) move_references(part, file);
  }
}

// Each file is a component, and so is each of its definitions. One that has nothing but definitions is none.
Json schemas() {
  Json result = Json::object();
  for (const std::string_view file : schema_names()) {
    Json schema = Json::parse(schema_text(file));
    Json definitions = schema.value("$defs", Json::object());
    for (const char* key : {"$defs", "$schema", "$id"}) schema.erase(key);
    move_references(schema, file);
    move_references(definitions, file);
    if (schema.contains("type") || schema.contains("oneOf")) result[std::string(file)] = std::move(schema);
    for (auto& [name, definition] : definitions.items()) {
      result[fmt::format("{}.{}", file, name)] = std::move(definition);
    }
  }
  return result;
}

Json schema_of(std::string_view takes) {
  if (takes == "text") return {{"type", "string"}};
  if (takes == "number") return {{"type", "number"}};
  if (takes == "count") return {{"type", "integer"}, {"minimum", 1}};
  if (takes == "flag") return {{"type", "boolean"}};
  Json words = Json::array();
  for (const std::string_view word : split(takes, '|')) words.push_back(word);
  return {{"type", "string"}, {"enum", std::move(words)}};
}

Json content(std::string_view type, std::string_view schema) {
  const Json what = schema == "text" ? schema_of(schema) : reference(schema);
  return {{std::string(type), {{"schema", what}}}};
}

Json parameters(const Route& route) {
  Json list = Json::array();
  for (const std::string_view piece : split(route.pattern, '/')) {
    if (!piece.starts_with('{')) continue;
    list.push_back({{"name", piece.substr(1, piece.size() - 2)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", schema_of("text")}});
  }
  for (const Parameter& each : route.about.query) {
    list.push_back({{"name", each.name},
                    {"in", "query"},
                    {"description", each.summary},
                    {"required", each.needed},
                    {"schema", schema_of(each.takes)}});
  }
  if (route.about.creates) {
    list.push_back({{"name", "Idempotency-Key"},
                    {"in", "header"},
                    {"description", "Asking again with the same one does nothing twice."},
                    {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}}});
  }
  return list;
}

// Clients of the documented systems know errors in an envelope.
Json errors_of(const Route& route) {
  Json types = content("application/problem+json", "api.problem");
  if (route.about.tag == kGpuManager || route.about.tag == kSystemMonitor) {
    types.update(content("application/json", "documented.failure"));
  }
  return types;
}

Json responses(const Route& route) {
  const Description& about = route.about;
  const bool switches = about.status == 101;
  Json good = {{"description", switches ? "It is a WebSocket from now on." : reason_phrase(about.status)}};
  if (!about.gives.empty()) good["content"] = content(about.content_type, about.gives);
  for (const std::string_view type : about.also) good["content"].update(content(type, "text"));
  const bool in_pages = std::ranges::find(about.query, kCursor.name, &Parameter::name) != about.query.end();
  if (in_pages) {
    good["headers"] = {
        {"Link", {{"description", "The next page (rel=next), where there is one."}, {"schema", schema_of("text")}}}};
  }
  Json result = {{std::to_string(about.status), good}};
  if (about.creates && about.status == 201) result["200"] = good;  // it was there already
  if (about.tagged) result["304"] = {{"description", "The client has it already (If-None-Match)."}};
  result["4XX"] = {{"description", "It was not done; detail says what was wrong and what would be right."},
                   {"content", errors_of(route)}};
  result["503"] = {{"description", "Not now: Retry-After says when to ask again."}, {"content", errors_of(route)}};
  return result;
}

// "get_api_v1_leases_id" of GET /api/v1/leases/{id}.
std::string operation_id(const Route& route) {
  std::string id = to_lower(route.method);
  for (const char c : route.pattern) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      id += c;
    } else if (id.back() != '_' && c != '}') {
      id += '_';
    }
  }
  return id.back() == '_' ? id + "index" : id;
}

Json operation(const Route& route) {
  const Description& about = route.about;
  Json result = {{"operationId", operation_id(route)},
                 {"summary", route.summary},
                 {"tags", Json::array({about.tag.empty() ? kDaemon : about.tag})},
                 {"x-role", auth::to_string(route.role())},
                 {"security", Json::array({{{"bearer", Json::array()}}, Json::object()})}};
  if (Json list = parameters(route); !list.empty()) result["parameters"] = std::move(list);
  if (!about.takes.empty()) {
    result["requestBody"] = {{"required", about.body_needed}, {"content", content("application/json", about.takes)}};
    if (about.takes == "api.config_patch" && route.method == "PATCH") {
      result["requestBody"]["content"].update(content("application/merge-patch+json", about.takes));
    }
  }
  result["responses"] = responses(route);
  return result;
}

void check(const Route& route, const Json& components) {
  for (const std::string_view name : {route.about.takes, route.about.gives}) {
    if (name.empty() || name == "text" || components.contains(name)) continue;
    throw std::logic_error(
        fmt::format("{} {}: there is no schema '{}' in docs/schema", route.method, route.pattern, name));
  }
}

}  // namespace

std::string openapi(std::span<const Route> routes, const std::string& version) {
  Json components = schemas();
  Json paths = Json::object();
  for (const Route& route : routes) {
    check(route, components);
    paths[std::string(route.pattern)][to_lower(route.method)] = operation(route);
  }
  Json tags = Json::array();
  for (const auto& [name, words] : kTags) tags.push_back({{"name", name}, {"description", words}});
  const Json security = {
      {"type", "http"},
      {"scheme", "bearer"},
      {"description", "Over TCP: what 'gpukeeper token create' made. Over the unix socket the kernel says who asks."}};
  return dump({{"openapi", "3.1.0"},
               {"info",
                {{"title", "gpukeeper"},
                 {"version", version},
                 {"summary", "Watches the GPUs of a machine, books their memory, keeps them cool, and says why."},
                 {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
               {"servers", Json::array({{{"url", "/"}, {"description", "The gpukeeper that this came from."}}})},
               {"tags", std::move(tags)},
               {"paths", std::move(paths)},
               {"components", {{"schemas", std::move(components)}, {"securitySchemes", {{"bearer", security}}}}}},
              true) +
         "\n";
}

}  // namespace gpukeeper::service
