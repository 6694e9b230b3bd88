#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "core/result.hpp"
#include "engine/engine.hpp"

namespace gpukeeper::service {

/// Hands the engine a command; whether it was taken (EngineThread::post).
using Post = std::function<bool(std::function<void(Engine&)>)>;

/// How long a client waits for the engine's word. Between two looks at the devices it answers at once.
inline constexpr auto kEnginePatience = std::chrono::seconds(2);

/// What the engine answers to a question that is asked on its thread.
/// Errors: those of the answer; unavailable when there is no engine or it is too busy to answer in time, and then the
/// command may still be done later.
template <class T>
Result<T> ask_engine(const Post& post, std::function<Result<T>(Engine&)> question) {
  auto answer = std::make_shared<std::promise<Result<T>>>();  // the command's alone: broken when that is dropped
  auto future = answer->get_future();
  const bool taken = post([answer = std::move(answer), question = std::move(question)](Engine& engine) {
    answer->set_value(question(engine));
  });
  if (!taken) return fail(Errc::unavailable, "the engine takes no commands now; try again in a moment");
  if (future.wait_for(kEnginePatience) == std::future_status::ready) {
    try {
      return future.get();
    } catch (const std::future_error&) {  // it ended before it came to this
      return fail(Errc::unavailable, "gpukeeper is stopping");
    }
  }
  return fail(Errc::unavailable,
              "the engine is busy and has not answered yet; look whether it was done before you ask again");
}

}  // namespace gpukeeper::service
