#include "embed/listener_thread.hpp"

#include <utility>

#include "embed/no_signals.hpp"

namespace gpukeeper::embed {
namespace {

std::jthread start(ListenerThread::Body body, Listener listener) {
  const NoSignals it_gets_none;
  return std::jthread([body = std::move(body), listener = std::move(listener)](const std::stop_token& stop) {
    body(stop, [&](const ToldEvent& event) {
      if (stop.stop_requested()) return;
      try {
        listener(event);
      } catch (...) {  // a mistake of the listener's, which must not end the program
      }
    });
  });
}

}  // namespace

ListenerThread::ListenerThread(Body body, Listener listener) : thread_(start(std::move(body), std::move(listener))) {}

}  // namespace gpukeeper::embed
