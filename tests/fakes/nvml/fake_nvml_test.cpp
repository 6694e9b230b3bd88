#include "fakes/nvml/fake_nvml.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "fakes/nvml/abi.hpp"

namespace gpukeeper {
namespace {

using namespace fake_nvml;
using namespace fake_nvml::abi;

/// The library opened as a client does. Calls a function by its name, with the types that nvml.h gives it.
class Client {
 public:
  explicit Client(const std::filesystem::path& library = FakeNvml::library_path())
      : library_(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  ~Client() { dlclose(library_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool has(const char* name) const { return dlsym(library_, name) != nullptr; }

  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, name));
    return function ? function(arguments...) : kFunctionNotFound;
  }

  Device device(unsigned index) const {
    Device found = nullptr;
    EXPECT_EQ(call("nvmlDeviceGetHandleByIndex_v2", index, &found), kSuccess);
    return found;
  }

 private:
  void* library_;
};

TEST(FakeNvmlTest, WithoutAStateThereIsNoDriver) {
  const Client client;
  EXPECT_EQ(client.call("nvmlInit_v2"), kDriverNotLoaded);
  unsigned count = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kUninitialized);
}

TEST(FakeNvmlTest, InitialisationsAreCounted) {
  FakeNvml nvml;
  nvml.add_gpu();
  const Client client;
  ASSERT_EQ(client.call("nvmlInit_v2"), kSuccess);
  ASSERT_EQ(client.call("nvmlInit"), kSuccess);
  EXPECT_EQ(nvml.open_sessions(), 1U);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
  unsigned count = 0;
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kSuccess);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(client.call("nvmlShutdown"), kSuccess);
  EXPECT_EQ(client.call("nvmlDeviceGetCount_v2", &count), kUninitialized);
  EXPECT_EQ(client.call("nvmlShutdown"), kUninitialized);
}

TEST(FakeNvmlTest, AValueChangedByTheTestIsSeenByTheNextCall) {
  FakeNvml nvml;
  const int gpu = nvml.add_gpu();
  const Client client;
  ASSERT_EQ(client.call("nvmlInit_v2"), kSuccess);
  unsigned celsius = 0;
  ASSERT_EQ(client.call("nvmlDeviceGetTemperature", client.device(0), 0, &celsius), kSuccess);
  EXPECT_EQ(celsius, 40U);
  nvml.gpu(gpu).temperature = 71;
  ASSERT_EQ(client.call("nvmlDeviceGetTemperature", client.device(0), 0, &celsius), kSuccess);
  EXPECT_EQ(celsius, 71U);
  EXPECT_EQ(nvml.calls(Symbol::nvmlDeviceGetTemperature, gpu), 2U);
  client.call("nvmlShutdown");
}

}  // namespace
}  // namespace gpukeeper
