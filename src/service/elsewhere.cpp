#include "service/elsewhere.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "service/later.hpp"

namespace gpukeeper::service {

Answer elsewhere(Answer answer, Run run) {
  if (!run) return answer;
  return [answer = std::move(answer), run = std::move(run)](const Request& request) {
    const auto later = std::make_shared<Later>();
    const bool taken = run([answer, request, later] {
      try {
        later->give(answer(request));
      } catch (...) {
        later->give([thrown = std::current_exception()]() -> Response { std::rethrow_exception(thrown); });
      }
    });
    if (!taken) {
      auto response = problem(503, "busy", "too many long questions wait for their answers: try again in a second");
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
    Response response;
    response.later = later;
    return response;
  };
}

}  // namespace gpukeeper::service
