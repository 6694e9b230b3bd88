// A training that watches its GPUs and itself: it pauses while a GPU is critical and stops when the loss is no number.
//
//   training_loop [STEPS]
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include <gpukeeper/gpukeeper.hpp>

using namespace gpukeeper;

double train_a_step(int step) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return 2 * std::exp(-0.05 * step);
}

int main(int argc, char** argv) try {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 50;
  AndonSystem line;  // stops on errors; says what it is told on standard error
  auto gpus = GpuMonitorCallback()
                  .with_interval(std::chrono::milliseconds(200))
                  .with_thermal_threshold(80)
                  .with_pause_while_critical()
                  .on_alert([&](const GpuAlert& alert) { line.warning(message(alert)); });

  double loss = 0;
  for (int step = 0; step < steps && gpus.keep_going() && !line.should_stop(); ++step) {
    loss = train_a_step(step);
    line.check_loss(loss);
    if (step % 10 == 0) std::cout << "step " << step << ": loss " << loss << '\n';
  }
  if (!gpus.trouble().empty()) line.warning(gpus.trouble());
  std::cout << (line.should_stop() ? "stopped" : "done") << " at loss " << loss << " on " << gpus.metrics().size()
            << " GPUs\n";
} catch (const std::exception& error) {
  std::cerr << "training_loop: " << error.what() << '\n';
  return 1;
}
