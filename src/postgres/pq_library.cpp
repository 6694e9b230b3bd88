#include "postgres/pq_library.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

namespace gpukeeper::postgres::pq {
namespace {

constexpr const char* kUsualName = "libpq.so.5";

std::string last_loader_error() {
  const char* text = ::dlerror();
  return text ? text : "unknown loader error";
}

template <class Function>
bool bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool bind_connecting(void* so, Library& table) {
  return bind(so, "PQconninfoParse", table.conninfo_parse) && bind(so, "PQconninfoFree", table.conninfo_free) &&
         bind(so, "PQfreemem", table.free_memory) && bind(so, "PQconnectStartParams", table.connect_start) &&
         bind(so, "PQconnectPoll", table.connect_poll) && bind(so, "PQstatus", table.status) &&
         bind(so, "PQsocket", table.socket) && bind(so, "PQerrorMessage", table.error_message) &&
         bind(so, "PQfinish", table.finish) && bind(so, "PQsetnonblocking", table.set_nonblocking) &&
         bind(so, "PQsetNoticeProcessor", table.set_notice_processor) && bind(so, "PQlibVersion", table.version);
}

bool bind_asking(void* so, Library& table) {
  return bind(so, "PQsendQueryParams", table.send_query) && bind(so, "PQflush", table.flush) &&
         bind(so, "PQconsumeInput", table.consume_input) && bind(so, "PQisBusy", table.is_busy) &&
         bind(so, "PQgetResult", table.get_result) && bind(so, "PQresultStatus", table.result_status) &&
         bind(so, "PQresultErrorField", table.result_field) && bind(so, "PQntuples", table.rows) &&
         bind(so, "PQnfields", table.columns) && bind(so, "PQgetvalue", table.value) &&
         bind(so, "PQgetisnull", table.is_null) && bind(so, "PQclear", table.clear) &&
         bind(so, "PQputCopyData", table.put_copy_data) && bind(so, "PQputCopyEnd", table.put_copy_end);
}

}  // namespace

Result<std::shared_ptr<const Library>> load_library(const std::string& path) {
  auto table = std::make_shared<Library>();
  const std::string name = path.empty() ? kUsualName : path;
  table->loaded = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!table->loaded) {
    return fail(Errc::not_supported, fmt::format("libpq cannot be loaded ({}); install the package libpq5 (Debian, "
                                                 "Ubuntu) or libpq (Fedora)",
                                                 last_loader_error()));
  }
  if (!bind_connecting(table->loaded, *table) || !bind_asking(table->loaded, *table)) {
    return fail(Errc::not_supported, fmt::format("{} is not libpq: {}", name, last_loader_error()));
  }
  return table;
}

}  // namespace gpukeeper::postgres::pq
