#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/result.hpp"
#include "engine/engine.hpp"
#include "service/http.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {

/// Hands the engine a command; whether it was taken (EngineThread::post).
using Post = std::function<bool(std::function<void(Engine&)>)>;

/// An answer that somebody waits for: who is gone without giving one has dropped it, and that is said.
class OwedAnswer {
 public:
  OwedAnswer(std::shared_ptr<Later> later, Response dropped) : later_(std::move(later)), dropped_(std::move(dropped)) {}
  ~OwedAnswer() { later_->give(std::move(dropped_)); }  // the first that was given counts
  OwedAnswer(const OwedAnswer&) = delete;
  OwedAnswer& operator=(const OwedAnswer&) = delete;

  void give(Later::Make make) { later_->give(std::move(make)); }

 private:
  const std::shared_ptr<Later> later_;
  Response dropped_;
};

/// Asks on the engine's thread and answers later, with what `respond` makes of the engine's word: while a driver hangs
/// nobody else's answer is held up. Between two looks at the devices the engine answers at once. What it says too late
/// for the server's patience may have been done nevertheless. `respond` gets unavailable, too, when the engine takes no
/// commands, or ends before it came to this one.
template <class T>
Response ask_engine(const Post& post, std::function<Result<T>(Engine&)> question,
                    std::function<Response(const Result<T>&)> respond) {
  const auto later = std::make_shared<Later>(
      "the engine is busy and has not answered yet; look whether it was done before you ask again");
  const auto owed = std::make_shared<OwedAnswer>(later, respond(fail(Errc::unavailable, "gpukeeper is stopping")));
  const bool taken = post([owed, question = std::move(question), respond](Engine& engine) {
    owed->give([respond, answer = question(engine)] { return respond(answer); });
  });
  if (!taken) return respond(fail(Errc::unavailable, "the engine takes no commands now; try again in a moment"));
  Response response;
  response.later = later;
  return response;
}

}  // namespace gpukeeper::service
