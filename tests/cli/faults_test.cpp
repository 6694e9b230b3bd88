#include "cli/faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "cli/faults_page.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

FaultRecord fault(std::uint64_t id, EventKind kind, std::string device, WallTime last, std::uint64_t code = 0,
                  std::string detail = "") {
  DeviceEvent event;
  event.kind = kind;
  event.code = code;
  event.detail = detail;
  FaultRecord r;
  r.id = id;
  r.kind = kind;
  r.code = code;
  r.device.text = std::move(device);
  r.first = last;
  r.last = last;
  r.count = 1;
  r.detail = std::move(detail);
  r.sources = {"nvml"};
  r.severity = explain(event).severity;
  fill_explanation(r);
  return r;
}

class FaultsTest : public testing::Test {
 protected:
  void add(FaultRecord record) { list_.records.push_back(std::make_shared<const FaultRecord>(std::move(record))); }
  void add_usual() {
    add(fault(1, EventKind::xid, "GPU-aaaa", now_ - 26h, 31));
    add(fault(2, EventKind::xid, "GPU-dddd", now_ - 12s, 79, "GPU has fallen off the bus."));
    add(fault(3, EventKind::returned, "GPU-aaaa", now_ - 1h, 0, "it can be read again"));
    add(fault(4, EventKind::lost, "GPU-long-gone", now_ - 2h, 0, "gone from the bus"));
  }
  std::vector<std::uint64_t> choose(const FaultQuery& query) {
    const auto chosen = choose_faults(list_, snapshot_, query);
    std::vector<std::uint64_t> ids;
    if (!chosen) {
      error_ = chosen.error();
      return ids;
    }
    for (const auto& record : *chosen) ids.push_back(record->id);
    return ids;
  }
  std::string page(bool all = false, std::size_t width = 100) {
    FaultsView view;
    view.faults = choose_faults(list_, snapshot_, {}).value();
    return render_faults(view, snapshot_, all, {.width = width, .now = now_});
  }

  Snapshot snapshot_ = four_gpus();
  const WallTime now_ = snapshot_.taken_at;
  FaultList list_;
  std::optional<Error> error_;
};

TEST_F(FaultsTest, TheNewestComesFirst) {
  add_usual();
  EXPECT_THAT(choose({}), ElementsAre(2, 3, 4, 1));
  EXPECT_THAT(choose({.limit = 2}), ElementsAre(2, 3));
}

TEST_F(FaultsTest, FiltersLeaveOutWhatWasNotAskedFor) {
  add_usual();
  EXPECT_THAT(choose({.severity = Severity::critical}), ElementsAre(2, 4));
  EXPECT_THAT(choose({.kinds = {EventKind::xid}}), ElementsAre(2, 1));
  EXPECT_THAT(choose({.since = "24h"}), ElementsAre(2, 3, 4));
  EXPECT_THAT(choose({.since = "2026-05-28T20:26:00Z"}), ElementsAre(2));
  EXPECT_THAT(choose({.devices = {"0"}}), ElementsAre(3, 1));
  EXPECT_THAT(choose({.devices = {"GPU-dddd", "0"}}), ElementsAre(2, 3, 1));
  EXPECT_THAT(choose({.devices = {"GPU-long-gone"}}), ElementsAre(4)) << "the journal remembers it";
  EXPECT_THAT(choose({.devices = {"9"}}), IsEmpty());
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::not_found);
  EXPECT_EQ(error_->message,
            "there is no GPU '9': there are the GPUs 0 to 3; gpukeeper devices lists their UUIDs and PCI addresses");
}

TEST_F(FaultsTest, TimesAgoAreWrittenAsPeopleDo) {
  EXPECT_EQ(parse_since("90s", now_), now_ - 90s);
  EXPECT_EQ(parse_since("30m", now_), now_ - 30min);
  EXPECT_EQ(parse_since("7d", now_), now_ - 168h);
  for (const auto* wrong : {"", "h", "-1h", "1w", "yesterday", "99999999999999999999s", "100001d"}) {
    const auto parsed = parse_since(wrong, now_);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error(), (Error{Errc::invalid_argument,
                                     "since takes a time ago such as 90s, 30m, 24h or 7d, or a date such as "
                                     "2026-05-28T20:26:40.250Z, not '" +
                                         std::string(wrong) + "'"}));
  }
}

TEST_F(FaultsTest, APageIsATableAndTheWorstExplained) {
  FaultRecord lost = fault(2, EventKind::xid, "GPU-dddd", now_ - 12s, 79, "GPU has fallen off the bus.");
  lost.processes = {{.pid = 4242, .name = "python3", .user = "alice", .container = "c0ffee00c0ffee00", .blamed = true}};
  lost.count = 3;
  add(lost);
  add(fault(3, EventKind::returned, "", now_ - 1h));
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("gpukeeper · gpu-box · 4 faults: 3 critical, 1 info\n"));
  EXPECT_THAT(text, HasSubstr("2026-05-28 20:26:28  3    critical      3  XID 79: the GPU has fallen off the bus"));
  EXPECT_THAT(text, HasSubstr("2026-05-28 19:26:40  all  info"));
  EXPECT_THAT(text, HasSubstr("\nXID 79: the GPU has fallen off the bus  GPU 3, 3 times, the last 12 s ago\n"));
  EXPECT_THAT(text, HasSubstr("\n  To do: "));
  EXPECT_THAT(text, HasSubstr("\n  Said: GPU has fallen off the bus.\n"));
  EXPECT_THAT(text, HasSubstr("\n  There: python3 (4242, alice, in c0ffee00c0ff, blamed)\n"));
  EXPECT_LT(text.find("\nXID 79"), text.find("\nthe GPU is there again"));
}

TEST_F(FaultsTest, ManyFaultsAreCutUnlessAllAreWanted) {
  for (std::uint64_t id = 1; id <= 30; ++id) {
    add(fault(id, EventKind::xid, "GPU-aaaa", now_ - std::chrono::seconds(id), id));
  }
  EXPECT_THAT(page(), HasSubstr("\n10 more: gpukeeper faults --all\n"));
  EXPECT_THAT(page(true), Not(HasSubstr("more: gpukeeper")));
  EXPECT_THAT(page(true), HasSubstr("\n  To do: "));
}

TEST_F(FaultsTest, MadeUpFaultsAreLabelledWhereverTheyStand) {
  FaultRecord made_up = fault(1, EventKind::xid, "GPU-sim", now_, 79);
  made_up.simulated = true;
  add(made_up);
  FaultRecord recorded = fault(2, EventKind::xid, "GPU-rec", now_, 31);
  recorded.recorded = true;
  add(recorded);
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("  simulated  critical"));
  EXPECT_THAT(text, HasSubstr("  recorded   "));
  EXPECT_THAT(text, HasSubstr("off the bus  simulated  GPU"));
}

TEST_F(FaultsTest, TextsOfProcessesAndDriversAreMadeHarmless) {
  FaultRecord hostile = fault(1, EventKind::driver, "GPU-\x1b[2J", now_, 0, "\x1b]0;owned\a\xff");
  hostile.processes = {{.pid = 1, .name = "\x1b[31mroot\n", .user = "\x9b", .container = "\x1b"}};
  add(hostile);
  const std::string text = page(true, 300);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\a'), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST_F(FaultsTest, APageWithoutFaultsSaysSoAndWhatCouldNotBeRead) {
  snapshot_.event_sources = {{"nvml", true, ""}, {"kernel log", false, "/dev/kmsg: Permission denied; run as root"}};
  FaultsView view;
  view.journal_note = "no journal is kept in /var/lib/gpukeeper";
  EXPECT_EQ(render_faults(view, snapshot_, false, {.width = 100, .now = now_}),
            "gpukeeper · gpu-box · no faults\n"
            "\n"
            "Nothing was found.\n"
            "\n"
            "no journal is kept in /var/lib/gpukeeper\n"
            "kernel log: /dev/kmsg: Permission denied; run as root\n");
}

// A machine on which an XID happens between the first look and the second, and again before the third.
class FollowTest : public testing::Test {
 protected:
  FollowTest() {
    for (int i = 0; i < 4; ++i) {
      Snapshot& snapshot = snapshots_.emplace_back(four_gpus());
      snapshot.sequence = static_cast<std::uint64_t>(i) + 1;
      snapshot.taken_at += std::chrono::seconds(i);
      snapshot.monotonic = MonotonicTime(100s + std::chrono::seconds(i));
      if (i == 1 || i == 2) snapshot.events = {xid(snapshot, 79)};
    }
  }
  static DeviceEvent xid(const Snapshot& snapshot, std::uint64_t code) {
    DeviceEvent event;
    event.kind = EventKind::xid;
    event.code = code;
    event.id = DeviceId{"GPU-aaaa"};
    event.source = "nvml";
    event.at = snapshot.taken_at;
    return event;
  }
  std::string follow(FaultsOptions options) {
    using enum Interrupts::Event;
    Captured world(snapshots_, {due, resized, due, suspend, due});
    world.screen.width = 120;
    world.context.remark = [&](std::string_view sentence) { remarks_.emplace_back(sentence); };
    options.follow = true;
    options.state_dir = (folder_.path() / "none").string();
    const auto exit = faults(options, world.context);
    EXPECT_EQ(exit, 0);
    return world.out.text;
  }

  const TemporaryFolder folder_;
  std::vector<Snapshot> snapshots_;
  std::vector<std::string> remarks_;
};

TEST_F(FollowTest, EachFaultIsToldWhenItHappensAndWhenItHappensAgain) {
  const auto text = follow({});
  const std::string first = "2026-05-28 20:26:41  critical  GPU 0  XID 79: the GPU has fallen off the bus\n";
  const std::string again = "2026-05-28 20:26:42  critical  GPU 0  2 times  XID 79: the GPU has fallen off the bus\n";
  EXPECT_EQ(text.find(first), 0U) << text;
  EXPECT_NE(text.find(again), std::string::npos) << text;
  EXPECT_EQ(text.find("XID 79", text.find(again) + again.size()), std::string::npos) << "and that was all";
  EXPECT_THAT(text, HasSubstr("\n  To do: "));
  ASSERT_EQ(remarks_.size(), 1U);
  EXPECT_THAT(remarks_[0], HasSubstr("no journal is kept in " + (folder_.path() / "none").string()));
}

TEST_F(FollowTest, WhatIsNotAskedForIsNotTold) {
  EXPECT_EQ(follow({.query = {.devices = {"1"}}}), "");
  EXPECT_EQ(follow({.query = {.kinds = {EventKind::lost}}}), "");
}

TEST_F(FollowTest, OfWhatWasBeforeTheNewestAreShownAndTheRestIsNoNews) {
  for (std::uint64_t code = 1; code <= 12; ++code) {
    snapshots_[0].events.push_back(xid(snapshots_[0], code));
    snapshots_[0].events.back().at -= std::chrono::minutes(30 - code);
  }
  const auto text = follow({.query = {.kinds = {EventKind::xid}, .limit = 3}});
  EXPECT_EQ(text.find("XID 9:"), std::string::npos) << text;
  EXPECT_LT(text.find("XID 10"), text.find("XID 12"));
  EXPECT_LT(text.find("XID 12"), text.find("XID 79"));
}

TEST_F(FollowTest, AsJsonALineIsADocumentOfWhatIsNew) {
  const auto text = follow({.form = FaultsOptions::Form::json});
  std::vector<std::size_t> found;
  for (const auto line : lines(text)) {
    if (!line.empty()) found.push_back(Json::parse(line)["faults"].size());
  }
  EXPECT_THAT(found, ElementsAre(0, 1, 1)) << "the first says that there is nothing yet, and what could be read";
}

}  // namespace
}  // namespace gpukeeper::cli
