#include "service/snapshot_answer.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "format/columns.hpp"
#include "format/snapshot_json.hpp"
#include "service/authority.hpp"
#include "service/entity_tag.hpp"

namespace gpukeeper::service {
namespace {

Response document(std::shared_ptr<const std::string> text) {
  Response response;
  response.content_type = "application/json";
  response.body = std::move(text);
  response.headers = {{"Cache-Control", "private, no-cache"}};
  return response;
}

std::shared_ptr<const std::string> written(const Snapshot& snapshot, bool command_lines) {
  const auto policy = command_lines ? CommandLines::given : CommandLines::left_out;
  return std::make_shared<const std::string>(snapshot_json(snapshot, false, policy) + "\n");
}

}  // namespace

Response SnapshotAnswer::answer(const Request& request, const std::shared_ptr<const Snapshot>& snapshot) {
  if (snapshot->sequence == 0) return starting();
  const bool command_lines = may_read_command_lines(request.who);
  if (!request.query.empty()) {
    const auto& [name, value] = *request.query.begin();
    if (name != "device" || request.query.size() > 1) {
      return problem(400, "unknown_parameter", "the one parameter known here is device: ?device=INDEX or UUID");
    }
    const std::string selector = value;
    const auto selected = select_devices(*snapshot, {&selector, 1});
    if (!selected) return problem(404, "not_found", harmless(selected.error().message));
    return document(written(*selected, command_lines));
  }

  const std::string tag = fmt::format("\"{}-{}-{}\"", instance_, snapshot->sequence, command_lines ? 1 : 0);
  Cached& cached = cached_.at(command_lines ? 1 : 0);
  if (cached.snapshot != snapshot) cached = {snapshot, written(*snapshot, command_lines)};
  Response response = document(cached.text);
  response.headers.emplace_back("ETag", tag);
  if (const auto known = request.header("If-None-Match"); known && has_tag(*known, tag)) {
    response.status = 304;
    response.body.reset();
  }
  return response;
}

}  // namespace gpukeeper::service
