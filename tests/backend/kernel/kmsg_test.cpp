#include "backend/kernel/kmsg.hpp"

#include <cerrno>
#include <fstream>

#include <gtest/gtest.h>

#include "backend/kernel/kmsg_file.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

TEST(KmsgTest, ARecordIsTakenApart) {
  const auto record = parse_kmsg(
      "3,1234,98765432,-;amdgpu 0000:03:00.0: amdgpu: GPU reset begin!\n SUBSYSTEM=pci\n DEVICE=+pci:0000:03:00.0\n");
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->from_kernel);
  EXPECT_EQ(record->sequence, 1234u);
  EXPECT_EQ(record->since_boot, std::chrono::microseconds(98765432));
  EXPECT_EQ(record->text, "amdgpu 0000:03:00.0: amdgpu: GPU reset begin!");
  EXPECT_EQ(record->device, PciAddress::parse("0000:03:00.0"));
}

TEST(KmsgTest, FurtherFieldsBeforeTheTextAreAllowed) {
  const auto record = parse_kmsg("6,1,2,-,caller=T1,more;text; with a semicolon");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->text, "text; with a semicolon");
  EXPECT_FALSE(record->device);
}

TEST(KmsgTest, WhatAProgramWroteIsNotTheKernels) {
  EXPECT_FALSE(parse_kmsg("12,5,6,-;NVRM: Xid (PCI:0000:01:00): 79")->from_kernel);  // facility 1, priority 4
  EXPECT_TRUE(parse_kmsg("7,5,6,-;text")->from_kernel);
}

TEST(KmsgTest, EscapedBytesAreReadBack) {
  EXPECT_EQ(parse_kmsg("6,1,2,-;a\\x0ab\\xc3\\xa4\\x5cx41\\x4")->text, "a\nb\xc3\xa4\\x41\\x4");
}

TEST(KmsgTest, WhatIsNoRecordIsNone) {
  for (const auto* text : {"", ";", "6,1;x", "6,1,2,-", "a,1,2,-;x", "6,b,2,-;x", "6,1,c,-;x", "6,1,-2,-;x",
                           "99999999999999999999,1,2,-;x"}) {
    EXPECT_FALSE(parse_kmsg(text)) << text;
  }
}

TEST(KmsgFileTest, WithoutTheFileAContainerIsToldHowToGetIt) {
  KmsgFile file("/nowhere/kmsg");
  const auto next = file.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error(), (Error{Errc::unavailable,
                                 "open the kernel's log /nowhere/kmsg: No such file or directory; in a container, give "
                                 "it the host's: `--device /dev/kmsg --cap-add SYSLOG`"}));
}

TEST(KmsgFileTest, WithoutPermissionItSaysWhatToGrant) {
  EXPECT_EQ(kmsg_error("open", "/dev/kmsg", EPERM),
            (Error{Errc::not_permitted,
                   "open the kernel's log /dev/kmsg: Operation not permitted; run as root, grant CAP_SYSLOG, or allow "
                   "everybody to read it with `sudo sysctl kernel.dmesg_restrict=0`"}));
}

TEST(KmsgFileTest, AnOrdinaryFileIsNoLog) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "kmsg").string();
  std::ofstream(path) << "6,1,2,-;text\n";
  KmsgFile file(path);
  const auto next = file.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error(), (Error{Errc::unavailable, "open the kernel's log " + path + ": it is no character device"}));
}

// Any character device whose reads end at once stands for a log without news.
TEST(KmsgFileTest, ALogWithoutNewsAnswersNothing) {
  KmsgFile file("/dev/null");
  const auto next = file.next();
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_FALSE(*next);
}

}  // namespace
}  // namespace gpukeeper
