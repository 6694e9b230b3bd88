#include "backend/nvml/codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::nvml {
namespace {

using ::testing::HasSubstr;

TEST(NvmlCodesTest, AMetricIsAbsentForTheReasonThatTheCodeGives) {
  EXPECT_EQ(missing_from(abi::kNotSupported), Missing::not_supported);
  EXPECT_EQ(missing_from(abi::kFunctionNotFound), Missing::not_supported);
  EXPECT_EQ(missing_from(abi::kArgumentVersionMismatch), Missing::not_supported);
  EXPECT_EQ(missing_from(abi::kNoPermission), Missing::not_permitted);
  EXPECT_EQ(missing_from(abi::kNoData), Missing::not_yet_read);
  EXPECT_EQ(missing_from(abi::kUnknown), Missing::failed);
  EXPECT_EQ(missing_from(12345), Missing::failed);
}

TEST(NvmlCodesTest, EveryCodeHasWordsOfItsOwn) {
  for (int code = 0; code <= 29; ++code) {
    if (code == 22 || code == 24) continue;  // about vGPUs and setting clocks: nothing here asks that
    EXPECT_THAT(std::string(describe(code)), ::testing::Not(HasSubstr("does not know"))) << code;
  }
  EXPECT_EQ(describe(12345), "an error code this program does not know");
}

TEST(NvmlCodesTest, AMismatchNamesBothVersionsAndTheWayOut) {
  const Error error = driver_error(abi::kVersionMismatch, {"13.590.48", "580.105.08"});
  EXPECT_EQ(error.code, Errc::unavailable);
  EXPECT_EQ(error.message,
            "the NVIDIA library and the loaded kernel module have different versions (library 13.590.48, kernel module "
            "580.105.08), as after an update; reboot, or stop what uses the GPUs and reload the module (`sudo rmmod "
            "nvidia_uvm nvidia && sudo modprobe nvidia`)");
}

TEST(NvmlCodesTest, EveryFailureSaysWhatToDo) {
  for (const auto code : {abi::kDriverNotLoaded, abi::kNoPermission, abi::kOperatingSystem, abi::kGpuNotFound, 999}) {
    const Error error = driver_error(code, {});
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_THAT(error.message, ::testing::ContainsRegex("modprobe|check|start|see")) << code;
  }
  for (const auto code : {abi::kGpuIsLost, abi::kResetRequired, abi::kOperatingSystem, abi::kNoPermission, 999}) {
    const Error error = device_error(code, "GPU 0000:01:00.0");
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_THAT(error.message, HasSubstr("GPU 0000:01:00.0")) << code;
    EXPECT_THAT(error.message, ::testing::ContainsRegex("reboot|reset|allow|check")) << code;
  }
}

}  // namespace
}  // namespace gpukeeper::nvml
