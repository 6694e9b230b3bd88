#include "backend/sysfs/drm_processes.hpp"

#include <condition_variable>
#include <ctime>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <utility>

#include "core/published.hpp"

namespace gpukeeper {
namespace {

constexpr auto kTooOld = std::chrono::seconds(10);  // a scan of a second ago still speaks of now; this one does not

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

DrmProcesses::Options by_effort(DrmProcesses::Options options) {
  if (options.sweep.holders.effort == nullptr) options.sweep.holders.effort = &thread_cpu_time;
  return options;
}

// Refers to what somebody else owns.
template <class T>
std::shared_ptr<T> borrow(T& object) {
  return {std::shared_ptr<void>(), &object};
}

}  // namespace

// Owned by the object and by its thread, so that one which is let go finds it still there.
struct DrmProcesses::State {
  State(std::shared_ptr<const Files> f, std::shared_ptr<const Clock> c, Options o)
      : files(std::move(f)), clock(std::move(c)), options(o), sweep(*files, *clock, o.sweep) {}

  void run(Clock& pace);
  void look(std::unique_lock<std::mutex>& lock);
  void wait_for_news(std::unique_lock<std::mutex>& lock);
  bool speaks_of_now() const;

  const std::shared_ptr<const Files> files;
  const std::shared_ptr<const Clock> clock;
  const Options options;
  Published<DrmScan> last;
  std::stop_source stop;

  std::mutex mutex;  // never held while looking
  std::condition_variable asked_again;
  std::condition_variable news;  // a scan was finished, or the thread has ended
  bool looking = false;
  bool ended = false;
  MonotonicTime began{};     // the look that is going on
  MonotonicTime due{};       // the next one
  MonotonicTime asked_at{};  // the last time
  bool finished_one = false;

  DrmSweep sweep;  // touched only by the one who set `looking`
};

DrmProcesses::DrmProcesses(const Files& files, const Clock& clock, Options options)
    : state_(std::make_shared<State>(borrow(files), borrow(clock), options)) {}

DrmProcesses::DrmProcesses(std::shared_ptr<const Files> files, std::shared_ptr<Clock> clock, Options options,
                           MakeThread make_thread)
    : state_(std::make_shared<State>(std::move(files), clock, by_effort(options))),
      clock_(std::move(clock)),
      make_thread_(std::move(make_thread)) {}

DrmProcesses::~DrmProcesses() {
  {
    std::unique_lock lock(state_->mutex);
    state_->stop.request_stop();
    state_->asked_again.notify_all();
    // A look that is going on stops at the next process, unless it hangs in a driver: then it cannot be joined.
    const bool ends = !thread_.joinable() ||
                      state_->news.wait_for(lock, std::chrono::milliseconds(50), [this] { return state_->ended; });
    if (!ends) thread_.detach();
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const DrmScan> DrmProcesses::scan() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.asked_at = state.clock->now();
  if (start_thread()) {
    state.asked_again.notify_one();
  } else if (!state.looking && state.clock->now() >= state.due) {
    state.look(lock);
    return state.last.read();
  }
  state.wait_for_news(lock);

  if (state.looking && state.clock->now() - state.began >= kTooOld) {
    auto stuck = std::make_shared<DrmScan>();
    stuck->error.message = "the kernel does not finish telling about the processes: a GPU driver hangs";
    return stuck;
  }
  return state.speaks_of_now() ? state.last.read() : std::make_shared<const DrmScan>();
}

// Says whether there is one.
bool DrmProcesses::start_thread() {
  if (!make_thread_ || thread_.joinable()) return thread_.joinable();
  try {
    thread_ = make_thread_([state = state_, clock = clock_] { state->run(*clock); });
  } catch (const std::system_error&) {
    // It is tried again the next time.
  }
  return thread_.joinable();
}

bool DrmProcesses::State::speaks_of_now() const {
  return finished_one && clock->now() - last.read()->taken_at < kTooOld;
}

// Waits for the first scan, and for the first one after a rest; but not again for a look that takes longer than that.
void DrmProcesses::State::wait_for_news(std::unique_lock<std::mutex>& lock) {
  if (speaks_of_now()) return;
  const auto waited = looking ? clock->now() - began : std::chrono::nanoseconds(0);
  if (waited < options.patience) news.wait_for(lock, options.patience - waited, [this] { return speaks_of_now(); });
}

void DrmProcesses::State::look(std::unique_lock<std::mutex>& lock) {
  looking = true;
  began = clock->now();
  lock.unlock();  // from here on it may take long, or for ever
  auto scan = std::make_shared<const DrmScan>(sweep.look(stop.get_token()));
  lock.lock();
  last.publish(std::move(scan));
  looking = false;
  finished_one = true;
  due = sweep.due();
  news.notify_all();
}

// The thread.
void DrmProcesses::State::run(Clock& pace) {
  std::unique_lock lock(mutex);
  const auto wanted = [this] { return stop.stop_requested() || clock->now() - asked_at < options.interest; };
  for (;;) {
    asked_again.wait(lock, wanted);
    if (stop.stop_requested()) break;
    if (clock->now() >= due) {
      look(lock);
      continue;
    }
    const auto until = due;
    lock.unlock();
    pace.sleep_until(until, stop.get_token());
    lock.lock();
  }
  ended = true;
  news.notify_all();
}

}  // namespace gpukeeper
