#include "recording/gzip.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::recording {
namespace {

std::string packed(MemberHead head, std::string_view text) {
  MemberWriter writer;
  writer.begin(head);
  writer.add(text);
  writer.finish();
  return writer.take();
}

TEST(GzipTest, WhatIsPackedIsUnpacked) {
  const auto result = unpack(packed({MemberKind::frames, 7}, "line\n"), 1000);
  EXPECT_EQ(result.end, Unpacked::End::whole);
  EXPECT_EQ(result.text, "line\n");
}

TEST(GzipTest, AMemberSaysWhatItHolds) {
  const auto bytes = packed({MemberKind::index, 0x0102030405060708}, "x");
  const auto head = read_head(bytes);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->kind, MemberKind::index);
  EXPECT_EQ(head->value, 0x0102030405060708u);
  EXPECT_FALSE(read_head(std::string_view(bytes).substr(1)));
  EXPECT_FALSE(read_head(std::string_view(bytes).substr(0, kHeadBytes - 1)));
}

TEST(GzipTest, MembersBehindEachOtherAreOneText) {
  const auto result = unpack(packed({}, "one\n") + packed({}, "two\n"), 1000);
  EXPECT_EQ(result.end, Unpacked::End::whole);
  EXPECT_EQ(result.text, "one\ntwo\n");
}

TEST(GzipTest, WhatWasFlushedCanBeUnpackedBeforeTheEnd) {
  MemberWriter writer;
  writer.begin({});
  writer.add("first\n");
  writer.flush();
  const auto bytes = writer.take();
  writer.add("second\n");
  const auto result = unpack(bytes, 1000);
  EXPECT_EQ(result.end, Unpacked::End::cut_off);
  EXPECT_EQ(result.text, "first\n");
}

TEST(GzipTest, AWriterMakesOneMemberAfterTheOther) {
  MemberWriter writer;
  std::string bytes;
  for (const char* text : {"a", "b", "c"}) {
    writer.begin({});
    writer.add(text);
    writer.finish();
    bytes += writer.take();
  }
  EXPECT_EQ(unpack(bytes, 1000).text, "abc");
}

TEST(GzipTest, EveryChangedByteBehindTheHeadIsNoticed) {
  const auto whole = packed({}, "some text that is long enough to be packed, packed, packed\n");
  for (std::size_t at = kHeadBytes; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    const auto result = unpack(bytes, 1000);
    EXPECT_NE(result.end, Unpacked::End::whole) << at;
    if (result.end == Unpacked::End::damaged) {
      EXPECT_FALSE(result.message.empty()) << at;
    }
  }
}

TEST(GzipTest, ABombIsNotUnpackedInFull) {
  MemberWriter writer;
  writer.begin({});
  const std::string zeros(1 << 20, '\0');
  for (int i = 0; i < 64; ++i) writer.add(zeros);
  writer.finish();
  const auto result = unpack(writer.take(), 1 << 20);
  EXPECT_EQ(result.end, Unpacked::End::bomb);
  EXPECT_LT(result.text.size(), (1 << 20) + 20000u);
}

TEST(GzipTest, NoBytesAreNoMember) {
  EXPECT_EQ(unpack("", 10).end, Unpacked::End::cut_off);
  EXPECT_EQ(unpack("plain text", 10).end, Unpacked::End::damaged);
}

}  // namespace
}  // namespace gpukeeper::recording
