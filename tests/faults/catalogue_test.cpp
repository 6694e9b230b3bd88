#include "faults/catalogue.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "faults/xid_table.hpp"

namespace gpukeeper {
namespace {

DeviceEvent event(EventKind kind, std::string detail = "", std::uint64_t code = 0) {
  DeviceEvent made;
  made.kind = kind;
  made.detail = std::move(detail);
  made.code = code;
  return made;
}

bool is_sentence(std::string_view text) {
  return text.size() > 10 && text.front() >= 'A' && text.front() <= 'Z' && text.back() == '.' &&
         printable(text) == text;
}

// A request starts with its verb.
bool is_request(std::string_view text) {
  static const std::set<std::string_view> kVerbs = {"Check", "Copy", "Debug", "Do",     "Drain",   "Install",
                                                    "Look",  "Plan", "Read",  "Reset",  "Restart", "Search",
                                                    "Shut",  "Stop", "Take",  "Unbind", "Update",  "Watch"};
  return is_sentence(text) && kVerbs.contains(text.substr(0, text.find(' ')));
}

const EventKind kKinds[] = {EventKind::xid,          EventKind::ecc_corrected,   EventKind::ecc_uncorrected,
                            EventKind::row_remap,    EventKind::page_retirement, EventKind::ras,
                            EventKind::engine_reset, EventKind::gpu_hang,        EventKind::gpu_reset,
                            EventKind::wedged,       EventKind::devcoredump,     EventKind::pcie_error,
                            EventKind::lost,         EventKind::returned,        EventKind::driver_reload,
                            EventKind::driver};

TEST(CatalogueTest, EveryXidStandsOnceInOrderWithAllItsTexts) {
  std::uint64_t last = 0;
  for (const XidRow& row : xid_table()) {
    EXPECT_GT(row.number, last);
    last = row.number;
    EXPECT_FALSE(row.title.empty()) << row.number;
    EXPECT_TRUE(is_sentence(row.explanation)) << row.number << ": " << row.explanation;
    EXPECT_TRUE(is_request(row.action)) << row.number << ": " << row.action;
  }
}

TEST(CatalogueTest, NothingIsMissingUpToTheLastDocumentedXid) {
  EXPECT_EQ(xid_table().size(), 172u);
  EXPECT_EQ(xid_table().back().number, 172u);
}

// The ones that NVIDIA and the operators of large machines treat as reasons to stop using a GPU.
TEST(CatalogueTest, XidsThatTakeAGpuOutOfServiceAreCritical) {
  for (const std::uint64_t number : {48u, 62u, 64u, 74u, 79u, 95u, 119u, 120u, 140u, 143u}) {
    EXPECT_EQ(explain(event(EventKind::xid, "", number)).severity, Severity::critical) << number;
  }
}

TEST(CatalogueTest, FaultsOfApplicationsAreWarningsAndBlameTheApplication) {
  for (const std::uint64_t number : {13u, 31u, 43u}) {
    const Explanation found = explain(event(EventKind::xid, "", number));
    EXPECT_EQ(found.severity, Severity::warning) << number;
    EXPECT_THAT(found.explanation, testing::HasSubstr("The application is the likely cause"));
  }
}

TEST(CatalogueTest, SelfRepairAndCleanUpAreInformation) {
  for (const std::uint64_t number : {45u, 63u}) {
    EXPECT_EQ(explain(event(EventKind::xid, "", number)).severity, Severity::info) << number;
  }
}

TEST(CatalogueTest, AnXidIsExplainedUnderItsNumber) {
  const Explanation found = explain(event(EventKind::xid, "pid=1", 79));
  EXPECT_EQ(found.title, "XID 79: the GPU has fallen off the bus");
  EXPECT_EQ(found.explanation,
            "The driver can no longer reach the GPU over PCIe; all its work is lost and nothing on it can be read. The "
            "hardware is the likely cause: the card, its seat, its power or its cooling, or the PCIe link.");
  EXPECT_EQ(found.action,
            "Drain the machine and restart it; check that the card sits firmly, its power cables and supply, and its "
            "cooling; if it happens again, return the card for replacement (RMA).");
}

TEST(CatalogueTest, AnUnknownXidIsSaidToBeUnknown) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{173}, ~std::uint64_t{0}}) {
    const Explanation found = explain(event(EventKind::xid, "", number));
    EXPECT_EQ(found.title, "XID " + std::to_string(number) + ": unknown to this version");
    EXPECT_EQ(found.severity, Severity::error);
    EXPECT_TRUE(is_request(found.action));
  }
}

TEST(CatalogueTest, EveryKindHasAllTexts) {
  for (const EventKind kind : kKinds) {
    const Explanation found = explain(event(kind, "", 79));
    EXPECT_FALSE(found.title.empty()) << to_string(kind);
    EXPECT_NE(found.title, "an unknown event") << to_string(kind);
    EXPECT_TRUE(is_sentence(found.explanation)) << to_string(kind) << ": " << found.explanation;
    EXPECT_TRUE(is_request(found.action)) << to_string(kind) << ": " << found.action;
  }
}

struct Case {
  EventKind kind;
  std::string detail;
  Severity severity;
  std::string title;
};

TEST(CatalogueTest, TheDetailTellsApartWhatOneKindCanMean) {
  const Case cases[] = {
      {EventKind::row_remap, "remapping failed", Severity::critical, "memory rows could not be replaced"},
      {EventKind::row_remap, "Pending until a reset", Severity::warning, "memory rows wait to be replaced"},
      {EventKind::row_remap, "2 more rows", Severity::info, "memory rows were replaced"},
      {EventKind::page_retirement, "pending", Severity::warning, "memory pages wait to be taken out of use"},
      {EventKind::page_retirement, "", Severity::warning, "memory pages were taken out of use"},
      {EventKind::ras, "poison consumption", Severity::critical, "damaged data was about to be used"},
      {EventKind::ras, "3 uncorrectable hardware errors detected in umc block", Severity::critical,
       "hardware errors could not be corrected"},
      {EventKind::ras, "3 correctable hardware errors detected", Severity::info, "hardware errors were corrected"},
      {EventKind::ras, "RAS: something", Severity::error, "the GPU's error reporting found a hardware error"},
      {EventKind::engine_reset, "ring gfx reset failed", Severity::error, "an engine could not be reset"},
      {EventKind::engine_reset, "ring gfx timeout", Severity::warning, "an engine hung and was reset"},
      {EventKind::gpu_reset, "GPU reset end with ret = -110: FAILED", Severity::critical, "the GPU could not be reset"},
      {EventKind::gpu_reset, "GPU reset end with ret = -110", Severity::critical, "the GPU could not be reset"},
      {EventKind::gpu_reset, "GPU reset(2) succeeded!", Severity::error, "the GPU was reset"},
      {EventKind::pcie_error, "Slot(1): Link Down", Severity::critical, "the PCIe link went down"},
      {EventKind::pcie_error, "Uncorrectable (Non-Fatal)", Severity::error,
       "PCIe errors could not be corrected (non-fatal)"},
      {EventKind::pcie_error, "Uncorrectable (Fatal)", Severity::critical, "fatal PCIe errors"},
      {EventKind::pcie_error, "Correctable", Severity::warning, "PCIe errors were corrected"},
      {EventKind::driver, "API mismatch: the client has 580.1", Severity::error,
       "the driver's parts do not belong together"},
      {EventKind::driver, "[gfxhub] page fault (src_id:0)", Severity::warning, "a GPU memory page fault"},
      {EventKind::driver, "fifo: fault 00 [READ] at 0000000000a10000", Severity::warning, "a GPU memory page fault"},
      {EventKind::driver, "GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0xffff:1290)", Severity::critical,
       "the driver could not start the GPU"},
      {EventKind::driver, "Fatal error during GPU init", Severity::critical, "the driver could not start the GPU"},
      {EventKind::driver, "records were lost", Severity::warning, "messages of the kernel were lost"},
      {EventKind::driver, "anything", Severity::warning, "a message of the driver"},
  };
  for (const Case& expected : cases) {
    const Explanation found = explain(event(expected.kind, expected.detail));
    EXPECT_EQ(found.title, expected.title) << expected.detail;
    EXPECT_EQ(found.severity, expected.severity) << expected.detail;
    EXPECT_TRUE(is_sentence(found.explanation)) << found.explanation;
    EXPECT_TRUE(is_request(found.action)) << found.action;
  }
}

}  // namespace
}  // namespace gpukeeper
