#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/published.hpp"
#include "device/backend.hpp"
#include "telemetry/runner.hpp"
#include "telemetry/self_cost.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

struct SamplerOptions {
  std::chrono::nanoseconds period = std::chrono::seconds(1);
  bool processes = true;                                               ///< false: no device is asked who uses it
  std::chrono::nanoseconds process_period = std::chrono::seconds(3);   ///< process lists cost the most calls
  std::chrono::nanoseconds list_period = std::chrono::seconds(5);      ///< how soon a hot-plugged device is seen
  std::chrono::nanoseconds deadline = std::chrono::milliseconds(500);  ///< then the device is unavailable
  std::chrono::nanoseconds slack = std::chrono::microseconds(500);  ///< granted on top of what a device usually takes
  /// NVIDIA's GPUs start up one by one, about 1.5 s each, where nothing keeps the driver loaded: eight take 12 s.
  std::chrono::nanoseconds first_list_deadline = std::chrono::seconds(15);
  Thresholds thresholds;
  std::string host;
  /// Adds to each snapshot, before it is published, what others than the sources know: who the processes are, what the
  /// fault journal counts. Runs on the sampler's thread.
  std::function<void(Snapshot&)> finish = [](Snapshot&) {};
};

/// Reads every device of every backend, once a tick, into an immutable snapshot.
///
/// A device that is slow or hangs delays no other. A tick waits for a device as long as that device usually takes,
/// twice over, and then publishes its previous reading, which says how old it is. Past its deadline the device is
/// unavailable until it answers; it is tried again with growing pauses. What else makes a device unavailable: it left
/// the bus or cannot be read (at once), it returned any other error three times in a row, it sleeps.
///
/// Threads: tick() and run() belong to one thread; snapshots go to any.
class Sampler {
 public:
  /// The first backend that lists a PCI address or UUID owns it for as long as it lists it; later ones that list it
  /// too are not asked about it.
  Sampler(std::vector<std::shared_ptr<Backend>> backends, Clock& clock, Runner& runner, Published<Snapshot>& out,
          SamplerOptions options = {});

  /// As above, and with sources of events; each is asked once a tick.
  Sampler(std::vector<std::shared_ptr<Backend>> backends, std::vector<std::shared_ptr<EventSource>> events,
          Clock& clock, Runner& runner, Published<Snapshot>& out, SamplerOptions options);
  ~Sampler();

  /// Lists what is due, reads every device once and publishes the next snapshot. The whole behaviour; tests call this.
  void tick();

  /// Ticks once a period until stopped. A late tick is skipped, not made up for.
  void run(std::stop_token stop);

 private:
  struct ListTask;
  struct ReadTask;
  struct ProcessTask;
  struct EventTask;
  struct Source;
  struct Events;
  struct Entry;

  void list_first_time();
  void start_lists(std::vector<std::shared_ptr<Task>>& tasks);
  void start_reads(std::vector<std::shared_ptr<Task>>& tasks);
  void start_events(std::vector<std::shared_ptr<Task>>& tasks);
  void harvest();
  void harvest_events();
  void adopt_list(std::size_t source);
  void adopt_device(std::size_t source, const Device& device, std::vector<Device> partitions);
  void take_results(Entry& entry);
  void take_error(Entry& entry, const Error& error);
  void take_processes(Entry& entry);
  void note_hang(Entry& entry);
  std::chrono::nanoseconds patience(std::chrono::nanoseconds typical) const;
  void publish();

  Clock& clock_;
  Runner& runner_;
  Published<Snapshot>& out_;
  const SamplerOptions options_;
  std::vector<std::unique_ptr<Source>> sources_;  // in order of precedence
  std::vector<std::unique_ptr<Entry>> entries_;   // in PCI order; lost devices stay
  std::vector<std::unique_ptr<Events>> events_;
  std::vector<DeviceEvent> reported_;  // since the last snapshot
  SelfMeter self_;
  std::uint64_t sequence_ = 0;
};

}  // namespace gpukeeper
