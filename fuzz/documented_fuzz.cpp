// The bodies that clients of the documented GPU manager send: whatever they hold, the answer is one of theirs, and no
// mistake of ours. The first byte chooses where the rest is sent.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "service/documented/gpu_api.hpp"
#include "service/documented/refusals.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::service;

void require(bool holds) {
  if (!holds) std::abort();
}

// The three that read a body, over one GPU and without a ledger.
Router made() {
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.devices.emplace_back();
  const auto published = std::make_shared<const Snapshot>(std::move(snapshot));
  const auto sights = std::make_shared<const Sights>(Sights{.snapshot = [published] { return published; }});
  const auto hands = std::make_shared<const Hands>(
      Hands{.configuration = [] { return json_answer(200, R"({"keys": []})"); },
            .set_configuration =
                [](const std::string& keys, const std::function<Response(const Result<std::string>&)>& respond) {
                  const auto document = nlohmann::json::parse(keys);  // it is handed on as JSON
                  require(document.is_object() && !document.empty() && document.size() <= 13);
                  return respond(std::string("{}"));
                }});
  const auto memory = std::make_shared<documented::GpuMemory>(sights);
  return Router(documented::gpu_api_routes(sights, hands, memory));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Router router = made();
  if (size == 0) return 0;
  Request request;
  request.method = data[0] % 3 == 2 ? "PUT" : "POST";
  request.path = data[0] % 3 == 0   ? "/api/gpu/memory/allocate"
                 : data[0] % 3 == 1 ? "/api/gpu/memory/deallocate"
                                    : "/api/gpu/config";
  request.body = std::string(reinterpret_cast<const char*>(data) + 1, size - 1);
  request.headers = {{"Content-Type", "application/json"}};
  auto peer = std::make_shared<Peer>();
  peer->credentials = Credentials{1, 0, 0};
  request.peer = std::move(peer);
  request.who = {.role = auth::Role::admin, .name = "root", .known = true};
  const std::string path = request.path;
  const Response response = documented::in_their_words("POST", path, router.answer(std::move(request)));
  require(response.status < 500 || response.status == 503);
  const auto document = nlohmann::json::parse(*response.body);
  require(document["success"] == (response.status == 200));
  require(document["success"] || !document["error"].get<std::string>().empty());
  return 0;
}
