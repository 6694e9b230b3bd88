#include "backend/tool/tool_backend.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::size_t kLargestRecording = std::size_t{8} << 20;
constexpr auto kLongestPause = std::chrono::milliseconds(60s);
// A document is served for this long past the moment when the next was due: while the program runs. Older than that, it
// would pass for the present.
constexpr auto kServedWhileRunning = 5s;

bool in_use(const ToolGpu& gpu) {
  return (gpu.reading.utilization && gpu.reading.utilization->value() > 0) ||
         (gpu.processes && !gpu.processes->empty());
}

Device known_from_pci(const Tool& tool, const PciAddress& address, const std::string& pci_id) {
  Device device;
  device.id.text = "PCI-" + address.to_string();
  device.vendor = tool.vendor;
  device.name = fmt::format("{} GPU [{}]", tool.vendor == Vendor::nvidia ? "NVIDIA" : "AMD", pci_id);
  device.source = tool.name;
  device.pci = address;
  device.driver = tool.driver;
  device.pci_id = pci_id;
  return device;
}

// A device's place in a document.
struct Found {
  const ToolGpu* gpu = nullptr;
  const ToolPartition* partition = nullptr;
};

Found find(const ToolDocument& document, const DeviceId& id) {
  for (const ToolGpu& gpu : document.gpus) {
    if (gpu.device.id == id) return {&gpu, nullptr};
    for (const ToolPartition& partition : gpu.partitions) {
      if (partition.device.id == id) return {&gpu, &partition};
    }
  }
  return {};
}

}  // namespace

ToolBackend::ToolBackend(Tool tool, ToolOptions options, ToolWorld world)
    : tool_(std::move(tool)),
      options_(std::move(options)),
      world_(world),
      bus_(world.files),
      gate_(world.files, world.clock, options_.wake) {}

ToolBackend::~ToolBackend() = default;  // the thread is the last member: it is stopped and joined first

Result<std::unique_ptr<Backend>> ToolBackend::open(Tool tool, ToolOptions options, ToolWorld world) {
  std::unique_ptr<ToolBackend> backend(new ToolBackend(std::move(tool), std::move(options), world));
  if (!backend->options_.file.empty()) {
    auto document = backend->read_recording();
    if (!document) return fail(document.error().code, document.error().message);
    State state;
    state.document = std::make_shared<const ToolDocument>(std::move(*document));
    backend->state_.publish(std::make_shared<const State>(std::move(state)));
    return std::unique_ptr<Backend>(std::move(backend));
  }

  auto path = world.programs.find(backend->tool_.program, backend->tool_.also_in);
  if (!path) return fail(Errc::unavailable, fmt::format("{}; {}", path.error().message, backend->tool_.remedy));
  backend->path_ = std::move(*path);
  backend->refresh();
  if (const auto state = backend->state_.read(); state->error) return fail(state->error->code, state->error->message);
  if (backend->options_.background) {
    backend->thread_ = std::jthread([raw = backend.get()](std::stop_token stop) { raw->serve(std::move(stop)); });
  }
  return std::unique_ptr<Backend>(std::move(backend));
}

Result<ToolDocument> ToolBackend::read_recording() const {
  const auto text = read_file(options_.file, kLargestRecording);
  if (!text) return fail(text.error().code, text.error().message);
  auto document = tool_.parse(*text);
  if (!document) return fail(document.error().code, fmt::format("{}: {}", options_.file, document.error().message));
  put_in_order(*document, tool_.name);
  for (ToolGpu& gpu : document->gpus) {
    gpu.device.recorded = true;
    for (ToolPartition& partition : gpu.partitions) partition.device.recorded = true;
  }
  return document;
}

void ToolBackend::look_at(Functions& functions) {
  for (const PciGpu& gpu : bus_.gpus(tool_.pci_vendor)) {
    // The tool wakes what its driver holds. What another driver holds is none of its business, and may sleep for ever:
    // vfio-pci, for a virtual machine, suspends a GPU that nobody uses.
    if (gpu.driver && *gpu.driver != tool_.driver) continue;
    Function& function = functions[gpu.address];
    function.folder = gpu.folder;
    function.pci_id = fmt::format("{:04x}:{:04x}", gpu.vendor, gpu.device);
    function.attention = gate_.look(function.folder);
    function.runtime_state = gate_.runtime_state(function.folder);
  }
}

void ToolBackend::note_use(const Functions& functions, const ToolDocument& document) {
  for (const ToolGpu& gpu : document.gpus) {
    if (!gpu.device.pci) continue;
    const auto function = functions.find(*gpu.device.pci);
    if (function != functions.end()) gate_.note(function->second.folder, in_use(gpu));
  }
}

// One attempt at a new document. Whoever holds refresh_mutex_ is the only one that runs the program.
void ToolBackend::refresh(std::stop_token stop) {
  std::scoped_lock only(refresh_mutex_);
  const auto before = state_.read();
  if (before->attempted != MonotonicTime{} && world_.clock.now() - before->attempted < pause_after(before->failures)) {
    return;  // another reader was first
  }
  began_ = world_.clock.now().time_since_epoch().count();
  State next;
  next.document = before->document;
  look_at(next.functions);
  next.left_alone = std::any_of(next.functions.begin(), next.functions.end(),
                                [](const auto& entry) { return entry.second.attention != Attention::awake; });
  if (!next.left_alone) {
    ProgramCall call{path_, tool_.arguments, options_.deadline};
    const auto started = world_.clock.now();
    const auto output = world_.programs.run(call, std::move(stop));
    ++runs_;
    run_nanoseconds_ += std::chrono::nanoseconds(world_.clock.now() - started).count();
    Result<ToolDocument> document =
        output ? tool_.understand(*output) : Result<ToolDocument>(fail(Errc::unavailable, output.error().message));
    if (document) {
      put_in_order(*document, tool_.name);
      note_use(next.functions, *document);
      next.document = std::make_shared<const ToolDocument>(std::move(*document));
    } else {
      next.error = document.error();
      next.failures = before->failures + 1;
    }
  }
  next.attempted = world_.clock.now();
  state_.publish(std::make_shared<const State>(std::move(next)));
  began_ = kNotRunning;
}

std::chrono::milliseconds ToolBackend::pause_after(std::uint32_t failures) const {
  return std::min(options_.min_interval * (1 << std::min(failures, 6u)),
                  std::max(kLongestPause, options_.min_interval));
}

Result<std::shared_ptr<const ToolBackend::State>> ToolBackend::current() {
  auto state = state_.read();
  if (!options_.file.empty()) return state;
  const auto age = world_.clock.now() - state->attempted;
  const auto pause = pause_after(state->failures);
  if (age < pause) return state;
  if (thread_.joinable() && age < pause + kServedWhileRunning) {
    std::scoped_lock lock(wanted_mutex_);
    wanted_ = true;
    wanted_signal_.notify_one();
    return state;
  }
  // Nobody asked for so long that the last document is too old to be served: all readers wait for one new run.
  const auto began = began_.load();
  if (thread_.joinable() && began != kNotRunning &&
      world_.clock.now().time_since_epoch().count() - began >= nanoseconds(kServedWhileRunning).count()) {
    return fail(
        Errc::unavailable,
        fmt::format("{} has not answered for {} s: the driver hangs. Look for GPU errors in the kernel log (dmesg)",
                    tool_.name, std::chrono::duration_cast<std::chrono::seconds>(age).count()));
  }
  refresh();
  return state_.read();
}

void ToolBackend::serve(std::stop_token stop) {
  std::unique_lock lock(wanted_mutex_);
  while (wanted_signal_.wait(lock, stop, [this] { return wanted_; })) {
    lock.unlock();
    refresh(stop);
    lock.lock();
    wanted_ = false;  // asked for while it ran: that is what it brought
  }
}

Result<std::vector<Device>> ToolBackend::list() {
  const auto now = current();
  if (!now) return fail(now.error().code, now.error().message);
  const State& state = **now;
  std::vector<std::vector<Device>> found;  // a device and its partitions
  Functions unlisted = state.functions;
  if (state.document) {
    for (const ToolGpu& gpu : state.document->gpus) {
      if (gpu.device.pci) {
        const bool there = unlisted.erase(*gpu.device.pci) > 0;
        // An old document may name a GPU that has left since.
        if (!there && (state.left_alone || state.error) && !state.functions.empty()) continue;
      }
      auto& devices = found.emplace_back(1, gpu.device);
      for (const ToolPartition& partition : gpu.partitions) devices.push_back(partition.device);
    }
  }
  // What PCI shows and a fresh document does not is bound to another driver (vfio for a virtual machine, nouveau): not
  // ours.
  if (state.left_alone || state.error) {
    for (const auto& [address, function] : unlisted) {
      found.push_back({known_from_pci(tool_, address, function.pci_id)});
    }
  }
  if (found.empty() && state.error) return fail(state.error->code, state.error->message);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    if (!a.front().pci || !b.front().pci) return a.front().pci.has_value() && !b.front().pci;
    return *a.front().pci < *b.front().pci;
  });
  std::vector<Device> devices;
  for (auto& group : found) std::move(group.begin(), group.end(), std::back_inserter(devices));
  return devices;
}

Result<Reading> ToolBackend::read(const DeviceId& id) {
  const auto now = current();
  if (!now) return fail(now.error().code, fmt::format("read {}: {}", id.text, now.error().message));
  const State& state = **now;
  const Found found = state.document ? find(*state.document, id) : Found{};

  const Function* function = nullptr;
  for (const auto& [address, one] : state.functions) {
    const bool is_it =
        found.gpu != nullptr ? found.gpu->device.pci == address : "PCI-" + address.to_string() == id.text;
    if (is_it) function = &one;
  }
  if (found.gpu == nullptr && function == nullptr) {
    return fail(Errc::not_found, fmt::format("read {}: {} shows no such device", id.text, tool_.name));
  }
  if (state.left_alone) {
    if (function == nullptr && !state.functions.empty() && found.gpu->device.pci) {
      return fail(Errc::not_found, fmt::format("read {}: the device has left the PCI bus", id.text));
    }
    const bool asleep = function != nullptr && function->attention == Attention::asleep;
    Reading reading{asleep ? Missing::asleep : Missing::not_yet_read};
    reading.attention = asleep ? Attention::asleep : Attention::resting;
    if (function != nullptr) reading.runtime_power_state = function->runtime_state;
    return reading;
  }
  if (state.error) return fail(state.error->code, fmt::format("read {}: {}", id.text, state.error->message));
  if (found.gpu == nullptr) {
    return fail(Errc::not_found, fmt::format("read {}: {} shows no such device", id.text, tool_.name));
  }
  if (found.gpu->trouble) {
    return fail(Errc::unavailable, fmt::format("read {}: {}", id.text, *found.gpu->trouble));
  }
  Reading reading = found.partition != nullptr ? found.partition->reading : found.gpu->reading;
  if (function != nullptr && function->runtime_state) reading.runtime_power_state = function->runtime_state;
  return reading;
}

Result<std::vector<GpuProcess>> ToolBackend::processes(const DeviceId& id) {
  const auto now = current();
  if (!now) return fail(now.error().code, fmt::format("processes on {}: {}", id.text, now.error().message));
  const State& state = **now;
  const Found found = state.document ? find(*state.document, id) : Found{};
  if (found.gpu == nullptr) {
    return fail(Errc::not_found, fmt::format("processes on {}: {} shows no such device", id.text, tool_.name));
  }
  if (state.left_alone) {
    return fail(Errc::unavailable,
                fmt::format("processes on {}: {} is not run while a GPU sleeps", id.text, tool_.name));
  }
  if (state.error) return fail(state.error->code, fmt::format("processes on {}: {}", id.text, state.error->message));
  if (found.gpu->trouble)
    return fail(Errc::unavailable, fmt::format("processes on {}: {}", id.text, *found.gpu->trouble));
  if (!found.gpu->processes) {
    const Error& error = found.gpu->processes.error();
    return fail(error.code, fmt::format("processes on {}: {}", id.text, error.message));
  }
  if (found.partition == nullptr) return *found.gpu->processes;
  std::vector<GpuProcess> inside;
  for (const GpuProcess& process : *found.gpu->processes) {
    if (process.partition == found.partition->device.id) inside.push_back(process);
  }
  return inside;
}

DriverCost ToolBackend::cost() const {
  return DriverCost{runs_.load(), std::chrono::nanoseconds(run_nanoseconds_.load())};
}

}  // namespace gpukeeper
