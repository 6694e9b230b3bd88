// Work that slows down with its GPUs: it takes as much at once as the governor lets it, and rests while that is
// nothing.
//
//   throttle [STEPS]
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

constexpr int kFullBatch = 256;

int main(int argc, char** argv) try {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 10;
  const Keeper keeper({.monitoring = true});
  // Told at once when a GPU becomes too hot or has cooled down, on a thread of the keeper's.
  const auto told = keeper.subscribe("throttle,resume,critical", [](const Event& event) {
    std::cerr << "GPU " << event.device.value_or(0) << ": " << event.type << '\n';
  });
  for (int step = 0; step < steps; ++step) {
    const Throttling now = keeper.throttling();  // of all GPUs, as one job on them has to take it
    const int batch = static_cast<int>(kFullBatch * now.speed_multiplier);
    std::cout << "step " << step << ": batch of " << batch << " at speed " << now.speed_multiplier << '\n';
    if (batch == 0) std::this_thread::sleep_for(std::chrono::seconds(1));  // critical: let it cool down
    std::this_thread::sleep_for(std::chrono::milliseconds(50));            // the work
  }
} catch (const std::exception& error) {
  std::cerr << "throttle: " << error.what() << '\n';
  return 1;
}
