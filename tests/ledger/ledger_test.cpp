#include "ledger/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "booked_machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

LeaseRequest request(std::string service, std::uint64_t mib) {
  return BookedMachine::request(std::move(service), mib);
}
LeaseRequest of_process(std::int64_t pid, std::uint64_t mib) {
  return BookedMachine::of_process(pid, mib);
}
LeaseRequest patient(LeaseRequest r, std::chrono::nanoseconds wait = 30s) {
  r.wait = wait;
  return r;
}

// What can be granted.

TEST(LedgerTest, WhatIsGrantedIsNoLongerAvailableAndWhatIsReleasedIs) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(request("embedding", 4096));
  EXPECT_EQ(machine.available(), 4096u);
  EXPECT_EQ(machine.release(id).state, LeaseState::ended);
  EXPECT_EQ(machine.available(), 8192u);
}

TEST(LedgerTest, ARequestThatTakesExactlyTheRestIsGranted) {
  BookedMachine machine({8192});
  machine.book(request("a", 4096));
  machine.book(request("b", 4096));
  EXPECT_EQ(machine.available(), 0u);
}

TEST(LedgerTest, WhatTheDriverReservesAndTheHeadroomAreNotGranted) {
  BookedMachine machine({80000}, LedgerSettings{});
  machine.reality.devices[0].reserved = 500_MiB;
  machine.look();
  EXPECT_EQ(machine.available(), 80000u - 500 - 1600);  // 2 % are more than 256 MiB
}

TEST(LedgerTest, OfMemoryThatIsTheProcessorsTooFortyPercentAreLeft) {
  BookedMachine machine({10000}, LedgerSettings{});
  machine.reality.devices[0].unified = true;
  machine.look();
  EXPECT_EQ(machine.available(), 6000u);
}

TEST(LedgerTest, AGpuThatIsSmallerThanItsHeadroomHasNothingAndNotLess) {
  BookedMachine machine({128}, LedgerSettings{});
  EXPECT_EQ(machine.available(), 0u);
}

TEST(LedgerTest, ProcessesWithoutALeaseCount) {
  BookedMachine machine({8192});
  machine.use(0, 4711, 3000);
  machine.look();
  EXPECT_EQ(machine.available(), 5192u);
}

TEST(LedgerTest, ALeaseCostsWhatIsGuaranteedOrObservedWhicheverIsMore) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 2048));
  machine.use(0, 10, 1000);
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::active);
  EXPECT_EQ(machine.available(), 6144u);
  machine.use(0, 10, 3000);
  machine.look();
  EXPECT_EQ(machine.available(), 5192u);
  EXPECT_EQ(machine.ledger.find(id)->observed, 3000_MiB);
}

TEST(LedgerTest, BookedObservedAndUnmanagedAddUpToWhatTheDriverSays) {
  BookedMachine machine({8192});
  machine.book(of_process(10, 2048));
  machine.use(0, 10, 1000);
  machine.use(0, 11, 700);
  machine.look();
  const DeviceAccount& account = *machine.ledger.device("GPU-0");
  EXPECT_EQ(account.booked(), 2048_MiB);
  EXPECT_EQ(account.observed(), 1000_MiB);
  EXPECT_EQ(account.unmanaged(), 700_MiB);
  EXPECT_EQ(account.observed() + *account.unmanaged(), 1700_MiB);
}

TEST(LedgerTest, UnknownUseIsNotNone) {
  BookedMachine machine({8192});
  machine.reality.devices[0].used = missing(Missing::failed);
  machine.look();
  EXPECT_EQ(machine.refusal(request("a", 1)),
            "a asks for 1 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) cannot say what it has free: its used memory (the driver answered with an error)");
}

TEST(LedgerTest, AGpuThatSleepsUsesWhatItUsedWhenItFellAsleep) {
  BookedMachine machine({8192});
  machine.use(0, 4711, 1000);
  machine.look();
  machine.reality.devices[0].used = missing(Missing::asleep);
  machine.look();
  EXPECT_EQ(machine.available(), 7192u);
}

// Where nobody says which process uses what, what a device uses more since a grant is believed to be the grant's.
TEST(LedgerTest, WithoutAListOfProcessesGrowthIsThatOfTheLeases) {
  BookedMachine machine({8192});
  machine.reality.devices[0].processes.reset();
  machine.reality.devices[0].used = 1000_MiB;
  machine.look();
  const LeaseId id = machine.book(of_process(10, 2048));
  EXPECT_EQ(machine.available(), 8192u - 1000 - 2048);
  machine.reality.devices[0].used = 3500_MiB;
  machine.look();
  EXPECT_EQ(machine.ledger.device("GPU-0")->unmanaged(), 1452_MiB);  // 2048 of the growth are the lease's
  EXPECT_EQ(machine.available(), 8192u - 3500);
  EXPECT_EQ(machine.release(id).state, LeaseState::ended);
  EXPECT_EQ(machine.available(), 8192u - 3500);  // until the driver shows the drop
}

TEST(LedgerTest, ByTheBooksAloneNobodyLooksAtTheDevice) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.bookkeeping_only = true;
  BookedMachine machine({8192}, settings);
  machine.use(0, 4711, 8000);
  machine.look();
  const LeaseId id = machine.book(of_process(10, 6144));
  machine.use(0, 10, 100);
  machine.look();
  EXPECT_EQ(machine.available(), 2048u);
  EXPECT_EQ(machine.release(id).state, LeaseState::ended);
  EXPECT_EQ(machine.available(), 8192u);
}

TEST(LedgerTest, ALimitBoundsWhatIsBookedAndAutomaticItIsEightyPercent) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.limit.most = 4096_MiB;
  settings.limits["GPU-1"] = {.headroom = Bytes(0), .most_is_auto = true};
  const BookedMachine machine({8192, 10000}, settings);
  EXPECT_EQ(machine.available(0), 4096u);
  EXPECT_EQ(machine.available(1), 8000u);
}

TEST(LedgerTest, TheDocumentedSurfaceHasLimitsOfItsOwn) {
  BookedMachine machine({24000});
  LeaseRequest r = request("gpu_manager", 6000);
  r.surface = Surface::documented;
  r.name = "model";
  machine.book(r);
  const DeviceAccount& account = *machine.ledger.device("GPU-0");
  EXPECT_EQ(account.documented_limit(), 6144_MiB);
  EXPECT_EQ(account.documented_available(), 144_MiB);
  r.name = "other";
  r.min = 200_MiB;
  EXPECT_EQ(machine.refusal(r),
            "gpu_manager asks for 200 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) has 144 MiB left within memory_limit_mb and memory_reserve_mb, 56 MiB short: "
            "lease 1 of gpu_manager has 6000 MiB");
  machine.book(request("native", 16000));
}

TEST(LedgerTest, ALimitIsChangedForWhatComesNotForWhatIsBooked) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(request("a", 6144));
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.limit.most = 4096_MiB;
  machine.ledger.configure(settings, machine.at());
  EXPECT_EQ(machine.available(), 0u);
  EXPECT_EQ(machine.state(id), LeaseState::starting);
  settings.limit.most = 7168_MiB;
  machine.ledger.configure(settings, machine.at());
  EXPECT_EQ(machine.available(), 1024u);
}

TEST(LedgerTest, MaximaMayExceedTheDeviceOnlyAsFarAsItIsConfigured) {
  LedgerSettings settings = BookedMachine::without_headroom();
  LeaseRequest burst = request("a", 1024);
  burst.max = 6144_MiB;
  {
    BookedMachine machine({8192}, settings);
    machine.book(burst);
    EXPECT_EQ(machine.refusal(burst),
              "a asks for 1024 MiB, and no GPU has room for it now\n"
              "GPU 0 (GPU-0) has promised too much at most to others: 4096 MiB short: lease 1 of a has 1024 MiB");
  }
  settings.limit.burst_ratio = 1.5;
  BookedMachine machine({8192}, settings);
  machine.book(burst);
  machine.book(burst);
}

TEST(LedgerTest, AnExclusiveLeaseIsAlone) {
  BookedMachine machine({8192});
  LeaseRequest alone = request("training", 1024);
  alone.exclusive = true;
  const LeaseId id = machine.book(alone);
  EXPECT_EQ(machine.refusal(request("a", 1)),
            "a asks for 1 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) is taken by one lease alone: lease 1 of training has 1024 MiB");
  machine.release(id);
  machine.book(request("a", 1));
  EXPECT_EQ(machine.refusal(alone),
            "training asks for 1024 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) is not empty, and it is wanted alone: lease 2 of a has 1 MiB");
}

TEST(LedgerTest, ADeviceIsNotEmptyWhileSomebodyComputesThereWithoutALeaseButMayDraw) {
  BookedMachine machine({8192});
  machine.use(0, 900, 200, "Xorg");
  machine.process(0, 900).compute = false;
  machine.look();
  LeaseRequest alone = request("training", 1024);
  alone.exclusive = true;
  machine.release(machine.book(alone));
  machine.use(0, 4711, 500);
  machine.look();
  EXPECT_EQ(machine.refusal(alone),
            "training asks for 1024 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) is used by processes without a lease, and it is wanted alone: "
            "process 4711 (python3) uses 500 MiB without a lease; process 900 (Xorg) uses 200 MiB without a lease");
}

// What is refused for good.

TEST(LedgerTest, ARequestThatIsWrongByItselfIsRefusedWithWhatWouldBeRight) {
  BookedMachine machine({8192});
  const auto changed = [](auto change) {
    LeaseRequest r = request("a", 100);
    change(r);
    return r;
  };
  EXPECT_EQ(machine.refusal(request("", 100)), "the request names no service");
  EXPECT_EQ(machine.refusal(request("a\nb", 100)), "the service's name holds a control character (0x0a); leave it out");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.request_id = std::string("7\0", 2); })),
            "the request id holds a control character (0x00); leave it out");
  EXPECT_EQ(machine.refusal(request("a", 0)), "the request is for no memory at all; ask for more than 0");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.max = 50_MiB; })),
            "the most, 50 MiB, is less than the least, 100 MiB");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.name = std::string(257, 'x'); })),
            "the lease's name is 257 bytes long; 256 are allowed");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.devices = 0; })),
            "the request is for no device; ask for 1 or more");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.require_device = true; })),
            "a device is required, but none is named");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.priority = 101; })),
            "priority 101 is out of range; it is between -100 and 100");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) { r.owner = ProcessOwner{0, 0}; })), "0 is no process");
  EXPECT_EQ(machine.refusal(changed([](LeaseRequest& r) {
    r.metadata = {{"k", std::string(20'000, 'x')}};
  })),
            "the metadata is 20001 bytes long; 16384 are allowed");
}

TEST(LedgerTest, WhatNoDeviceCouldEverGiveIsRefusedAndDoesNotWait) {
  BookedMachine machine({8192, 4096});
  EXPECT_EQ(machine.refusal(patient(request("a", 999999))),
            "a asks for 999999 MiB, and no GPU could ever give that\n"
            "GPU 0 (GPU-0) could give 8192 MiB at most, when it is empty\n"
            "GPU 1 (GPU-1) could give 4096 MiB at most, when it is empty");
  EXPECT_THAT(machine.ledger.waiting(), IsEmpty());
}

TEST(LedgerTest, WithoutAGpuAndForAnUnknownOneItSaysSo) {
  BookedMachine none({});
  EXPECT_EQ(none.refusal(request("a", 1)), "a asks for 1 MiB, but there is no GPU");
  BookedMachine machine({8192, 8192});
  LeaseRequest r = request("a", 1);
  r.device = "GPU-7";
  EXPECT_EQ(machine.refusal(r), "a asks for 1 MiB on GPU-7, but there is no such GPU; there are GPU-0, GPU-1");
}

TEST(LedgerTest, ALostAndAHotGpuGetNothingNewAndKeepWhatTheyHave) {
  BookedMachine machine({8192, 8192});
  const LeaseId id = machine.book(of_process(10, 1024));
  machine.reality.devices[0].available = false;
  machine.reality.devices[0].unavailable_because = "it fell off the bus";
  machine.reality.devices[1].closed_because = "is too hot (91 °C)";
  machine.look();
  EXPECT_EQ(machine.refusal(request("a", 1)),
            "a asks for 1 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) is not available: it fell off the bus\n"
            "GPU 1 (GPU-1) is too hot (91 °C)");
  EXPECT_EQ(machine.state(id), LeaseState::starting);
}

// Refusals explain themselves.

TEST(LedgerTest, ARefusalSaysHowMuchIsShortAndWhoStandsInTheWay) {
  BookedMachine machine({8192});
  LeaseRequest timed = request("reranking", 2048);
  timed.lifetime = 60s;
  machine.book(timed);
  machine.book(of_process(10, 1024));
  machine.use(0, 10, 3000);
  machine.use(0, 4711, 1000, "evil\x1b[31m");
  machine.look();
  EXPECT_EQ(machine.refusal(request("embedding", 4096)),
            "embedding asks for 4096 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) has 2144 MiB available, 1952 MiB short: "
            "lease 2 of training (process 10) has 3000 MiB; "
            "lease 1 of reranking has 2048 MiB and expires in 60 s; "
            "process 4711 (evil?[31m) uses 1000 MiB without a lease; "
            "1976 MiB are used beyond what is guaranteed and could be asked back");
}

// Quotas.

TEST(LedgerTest, AServiceIsBoundByItsQuotaWithADashOrAnUnderscore) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services = {{.service = "embedding_service",
                        .min_request = 2048_MiB,
                        .max_request = 8192_MiB,
                        .total = 12288_MiB,
                        .leases = 3,
                        .devices = {"GPU-1"}}};
  BookedMachine machine({24000, 24000}, settings);
  EXPECT_EQ(machine.refusal(request("embedding-service", 1024)),
            "service embedding_service asks for 1024 MiB, but its requests are of 2048 MiB at least");
  EXPECT_EQ(machine.refusal(request("embedding-service", 9000)),
            "service embedding_service asks for 9000 MiB, but its requests are of 8192 MiB at most");
  const LeaseId id = machine.book(request("embedding-service", 8192));
  EXPECT_EQ(machine.device_of(id), "GPU-1");
  EXPECT_EQ(machine.ledger.find(id)->service.text(), "embedding_service");
  EXPECT_EQ(machine.refusal(request("embedding_service", 6000)),
            "service embedding_service asks for 6000 MiB, but of the 12288 MiB that it may have, 8192 MiB are booked");
  machine.book(request("embedding_service", 2048));
  machine.book(request("embedding_service", 2048));
  EXPECT_EQ(machine.refusal(request("embedding_service", 2048)),
            "service embedding_service asks for 2048 MiB, but of the 12288 MiB that it may have, 12288 MiB are booked");
}

TEST(LedgerTest, AQuotaOfNothingIsNothing) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services = {{.service = "guest", .total = Bytes(0)}};
  BookedMachine machine({24000}, settings);
  EXPECT_EQ(machine.refusal(request("guest", 1)), "service guest asks for 1 MiB on 1 GPUs, but may have 0 MiB in all");
}

TEST(LedgerTest, WhoWaitsForHisOwnServiceHoldsUpNobody) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services = {{.service = "a", .total = 1024_MiB}};
  BookedMachine machine({8192}, settings);
  const LeaseId first = machine.book(request("a", 1024));
  const LeaseId second = machine.book(patient(request("a", 1024)));
  EXPECT_EQ(machine.state(second), LeaseState::waiting);
  machine.book(request("b", 7168));
  machine.release(first);
  EXPECT_EQ(machine.state(second), LeaseState::starting);
}

// Where it goes.

TEST(LedgerTest, EqualRequestsSpreadOverEqualGpus) {
  BookedMachine machine({8192, 8192, 8192, 8192});
  for (int i = 0; i < 10; ++i) machine.book(request("a", 100));
  std::vector<std::uint32_t> leases;
  for (const DeviceAccount& device : machine.ledger.devices()) leases.push_back(device.leases());
  EXPECT_THAT(leases, ElementsAre(3, 3, 2, 2));
}

TEST(LedgerTest, APreferredGpuIsTakenAndElseItIsSaidWhyNot) {
  BookedMachine machine({8192, 24000});
  LeaseRequest r = request("a", 6000);
  r.device = "GPU-0";
  EXPECT_EQ(machine.device_of(machine.book(r)), "GPU-0");
  const auto booking = machine.ledger.reserve(r, machine.at());
  ASSERT_TRUE(booking);
  EXPECT_EQ(machine.device_of(booking->id), "GPU-1");
  EXPECT_EQ(booking->note,
            "GPU 1 was taken instead of the preferred one: GPU 0 (GPU-0) has 2192 MiB available, 3808 MiB short: "
            "lease 1 of a has 6000 MiB");
  r.require_device = true;
  EXPECT_EQ(machine.refusal(r),
            "a asks for 6000 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) has 2192 MiB available, 3808 MiB short: lease 1 of a has 6000 MiB");
}

TEST(LedgerTest, AServiceGoesNearThoseItWantsAndApartFromOthers) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.services = {{.service = "decoder", .near = {"encoder"}}, {.service = "batch", .apart = {"encoder"}}};
  BookedMachine machine({8192, 24000}, settings);
  LeaseRequest encoder = request("encoder", 1000);
  encoder.device = "GPU-0";
  machine.book(encoder);
  EXPECT_EQ(machine.device_of(machine.book(request("decoder", 1000))), "GPU-0");
  EXPECT_EQ(machine.device_of(machine.book(request("batch", 1000))), "GPU-1");
}

TEST(LedgerTest, SeveralGpusAreTakenTogetherOrNotAtAll) {
  BookedMachine machine({8192, 8192, 8192, 8192});
  machine.reality.topology = Topology(4);
  machine.reality.topology.set(1, 3, Topology::Nearness::linked);
  machine.look();
  LeaseRequest pair = request("training", 6000);
  pair.devices = 2;
  const LeaseId id = machine.book(pair);
  EXPECT_EQ(machine.device_of(id), "GPU-1");
  EXPECT_EQ(machine.device_of(LeaseId{number(id) + 1}), "GPU-3");
  machine.book(pair);
  EXPECT_EQ(machine.refusal(pair).substr(0, 82),
            "training asks for 6000 MiB on 2 GPUs at once, and not enough GPUs have room for it");
  machine.release(LeaseId{number(id) + 1});
  EXPECT_EQ(machine.state(id), LeaseState::ended);
  EXPECT_EQ(machine.available(1), 8192u);
  EXPECT_EQ(machine.available(3), 8192u);
}

TEST(LedgerTest, ANameIsUniqueOnAGpu) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.name = "model";
  const LeaseId id = machine.book(r);
  EXPECT_EQ(machine.refusal(r),
            "a asks for 100 MiB, and no GPU has room for it now\n"
            "GPU 0 (GPU-0) has a lease of that name already: lease 1 of a has 100 MiB");
  EXPECT_EQ(machine.ledger.find("GPU-0", "model")->id, id);
  machine.release(id);
  machine.book(r);
}

// Asking twice.

TEST(LedgerTest, ARepeatedRequestGetsTheLeaseItGot) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.request_id = "7f3a";
  const LeaseId id = machine.book(r);
  const auto again = machine.ledger.reserve(r, machine.at());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, id);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(machine.available(), 8092u);
  machine.release(id);
  EXPECT_EQ(machine.ledger.reserve(r, machine.at())->state, LeaseState::ended);  // that it is over, not a new one
  LeaseRequest of_another_service = r;
  of_another_service.service = "b";
  EXPECT_FALSE(machine.ledger.reserve(of_another_service, machine.at())->repeated);
  LeaseRequest of_another_user = r;
  of_another_user.uid = 1000;
  EXPECT_FALSE(machine.ledger.reserve(of_another_user, machine.at())->repeated);
}

TEST(LedgerTest, WhoWasCutOffWhileItWaitedMayAskAgainWithTheSameId) {
  BookedMachine machine({1024});
  const LeaseId first = machine.book(request("a", 1024));
  LeaseRequest r = request("b", 512);
  r.request_id = "7f3a";
  r.wait = std::chrono::seconds(30);
  const auto waiting = machine.ledger.reserve(r, machine.at());
  EXPECT_EQ(machine.ledger.reserve(r, machine.at())->id, waiting->id);  // it waits once
  machine.release(waiting->id);
  EXPECT_EQ(machine.reason(waiting->id), EndReason::cancelled);
  machine.release(first);
  const auto again = machine.ledger.reserve(r, machine.at());
  EXPECT_FALSE(again->repeated);
  EXPECT_EQ(machine.state(again->id), LeaseState::starting);
  EXPECT_EQ(machine.ledger.reserve(r, machine.at())->id, again->id);
}

TEST(LedgerTest, ARequestIdIsNotUsedForSomethingElse) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.request_id = "7f3a";
  machine.book(r);
  r.min = 200_MiB;
  EXPECT_EQ(machine.refusal(r),
            "the request id '7f3a' belongs to another request of service a, which got lease 1; give each request its "
            "own");
}

// How it ends.

TEST(LedgerTest, ReleasingTwiceIsNoErrorAndFreesOnce) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(request("a", 100));
  EXPECT_FALSE(machine.release(id).already);
  EXPECT_TRUE(machine.release(id).already);
  EXPECT_EQ(machine.available(), 8192u);
  const auto never = machine.ledger.release(LeaseId{99}, std::nullopt, machine.at());
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error(), (Error{Errc::not_found, "there is no lease 99"}));
}

TEST(LedgerTest, WhoSpeaksOfOldTermsIsTold) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(request("a", 100));
  ASSERT_TRUE(machine.ledger.resize(id, 1, 200_MiB, std::nullopt, machine.at()));
  const auto stale = machine.ledger.release(id, 1, machine.at());
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().message,
            "generation 1 of lease 1 is over: its terms changed, and it is at generation 2; look at it again");
  EXPECT_TRUE(machine.ledger.release(id, 2, machine.at()));
}

TEST(LedgerTest, AReleasedLeaseDrainsUntilTheDriverShowsTheDrop) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 4096));
  machine.use(0, 10, 4000);
  machine.look();
  EXPECT_EQ(machine.release(id).state, LeaseState::draining);
  machine.wait(2s);
  EXPECT_EQ(machine.available(), 4096u);
  machine.use(0, 10, 300);  // its context stays
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::ended);
  EXPECT_EQ(machine.reason(id), EndReason::released);
  EXPECT_EQ(machine.available(), 7892u);  // what stays is memory that nobody manages from now on
}

TEST(LedgerTest, MemoryThatDoesNotComeBackIsALeak) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 4096));
  machine.use(0, 10, 4000);
  machine.look();
  machine.release(id);
  machine.wait(11s);
  EXPECT_EQ(machine.state(id), LeaseState::leaked);
  EXPECT_EQ(machine.available(), 4192u);
  const auto events = machine.ledger.take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, LedgerEvent::Kind::leaked);
  machine.use(0, 10, 0);
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::ended);
  EXPECT_EQ(machine.available(), 8192u);
}

TEST(LedgerTest, TheLeasesOfADeadProcessDrainAndItsRequestsWaitNoLonger) {
  BookedMachine machine({8192});
  const LeaseId held = machine.book(of_process(10, 6000));
  const LeaseId of_another = machine.book(of_process(11, 100));
  const LeaseId waits = machine.book(patient(of_process(10, 6000)));
  machine.use(0, 10, 5000);
  machine.look();
  EXPECT_EQ(machine.ledger.owner_gone({10, 100}, machine.at()), 2u);
  EXPECT_EQ(machine.state(held), LeaseState::draining);
  EXPECT_EQ(machine.reason(held), EndReason::owner_died);
  EXPECT_EQ(machine.reason(waits), EndReason::owner_died);
  EXPECT_EQ(machine.state(of_another), LeaseState::starting);
  EXPECT_EQ(machine.available(), 8192u - 6000 - 100);
  machine.use(0, 10, 0);
  machine.look();
  EXPECT_EQ(machine.state(held), LeaseState::ended);
  EXPECT_EQ(machine.available(), 8092u);
}

// A process that died between two looks may have allocated after the first: its booking stays until the second.
TEST(LedgerTest, ADeadProcessThatWasNeverSeenDrainsUntilTheNextLook) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 4096));
  machine.ledger.owner_gone({10, 100}, machine.at());
  EXPECT_EQ(machine.state(id), LeaseState::draining);
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::ended);
}

TEST(LedgerTest, AnotherProcessWithTheSamePidIsAnother) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 4096));
  EXPECT_EQ(machine.ledger.owner_gone({10, 999}, machine.at()), 0u);
  machine.use(0, 10, 1000);
  machine.process(0, 10).start_ticks = 999;
  machine.look();
  EXPECT_EQ(machine.ledger.find(id)->observed, Bytes(0));
  EXPECT_EQ(machine.ledger.device("GPU-0")->unmanaged(), 1000_MiB);
}

TEST(LedgerTest, AHeartbeatKeepsALeaseAndWithoutOneItExpires) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.owner = HeartbeatOwner{10s};
  const LeaseId id = machine.book(r);
  machine.wait(8s);
  ASSERT_TRUE(machine.ledger.heartbeat(id, machine.at()));
  machine.wait(8s);
  EXPECT_EQ(machine.state(id), LeaseState::starting);
  machine.wait(2s);
  EXPECT_EQ(machine.state(id), LeaseState::ended);
  EXPECT_EQ(machine.reason(id), EndReason::expired);
  EXPECT_EQ(machine.ledger.heartbeat(id, machine.at()).error(), (Error{Errc::not_found, "nobody holds lease 1"}));
}

TEST(LedgerTest, AHeartbeatIsForAllThatWasGrantedTogether) {
  BookedMachine machine({8192, 8192});
  LeaseRequest r = request("a", 100);
  r.owner = HeartbeatOwner{10s};
  r.devices = 2;
  const LeaseId id = machine.book(r);
  machine.wait(8s);
  ASSERT_TRUE(machine.ledger.heartbeat(id, machine.at()));
  machine.wait(8s);
  EXPECT_EQ(machine.ledger.size(), 2u);
}

TEST(LedgerTest, WhileNobodyListenedNoHeartbeatWasMissed) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.owner = HeartbeatOwner{10s};
  const LeaseId id = machine.book(r);
  machine.now += 10min;  // the machine slept
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::starting);
  machine.wait(10s);
  EXPECT_EQ(machine.reason(id), EndReason::expired);
}

TEST(LedgerTest, WhoWasHeardAfterASilenceHasNoMoreTimeThanAnybody) {
  BookedMachine machine({8192});
  machine.now += 10min;  // the machine slept, and the first that happens is a request
  LeaseRequest r = request("a", 100);
  r.owner = HeartbeatOwner{10s};
  const LeaseId id = machine.book(r);
  machine.look();
  machine.wait(10s);
  EXPECT_EQ(machine.reason(id), EndReason::expired);
}

TEST(LedgerTest, ALifetimeEndsWhateverTheHeartbeatSays) {
  BookedMachine machine({8192});
  LeaseRequest r = request("a", 100);
  r.owner = HeartbeatOwner{10s};
  r.lifetime = 12s;
  const LeaseId id = machine.book(r);
  machine.wait(8s);
  EXPECT_EQ(machine.ledger.heartbeat(id, machine.at()), MonotonicTime(1h + 12s));
  machine.wait(4s);
  EXPECT_EQ(machine.reason(id), EndReason::expired);
}

TEST(LedgerTest, AServiceIsReleasedFromADeviceWithAllItsLeases) {
  BookedMachine machine({8192, 8192});
  machine.book(request("embedding_service", 100));
  machine.book(request("embedding_service", 100));
  machine.book(request("embedding_service", 100));
  machine.book(request("other", 100));
  EXPECT_EQ(machine.ledger.release_all("embedding-service", "GPU-0", machine.at(), 1000), 0u);  // they are root's
  EXPECT_EQ(machine.ledger.release_all("embedding-service", "GPU-0", machine.at()), 2u);
  EXPECT_EQ(machine.ledger.release_all("embedding-service", "GPU-0", machine.at()), 0u);
  EXPECT_EQ(machine.ledger.size(), 2u);
}

TEST(LedgerTest, WhatEndedIsRememberedUpToABound) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.history = 2;
  BookedMachine machine({8192}, settings);
  for (int i = 0; i < 3; ++i) machine.release(machine.book(request("a", 100)));
  ASSERT_EQ(machine.ledger.history().size(), 2u);
  EXPECT_EQ(machine.ledger.history().front().id, LeaseId{2});
  EXPECT_EQ(machine.ledger.history().back().reason, EndReason::released);
  EXPECT_TRUE(machine.release(LeaseId{1}).already);  // forgotten, but given out once
}

// Who uses it.

TEST(LedgerTest, WhatAProcessStartsUsesItsLeaseAlsoWhenItIsLeftAlone) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 4096));
  machine.use(0, 20, 2000);
  machine.process(0, 20).forebears = {15, 10, 1};
  machine.look();
  EXPECT_EQ(machine.ledger.find(id)->observed, 2000_MiB);
  machine.ledger.owner_gone({10, 100}, machine.at());
  machine.process(0, 20).forebears = {1};
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::draining);
  machine.use(0, 20, 0);
  machine.look();
  EXPECT_EQ(machine.state(id), LeaseState::ended);
}

TEST(LedgerTest, AServicesProcessesAndThoseThatNameALeaseUseIt) {
  BookedMachine machine({8192});
  const LeaseId standing = machine.book(request("embedding-service", 2048));
  const LeaseId named = machine.book(request("other", 1024));
  machine.use(0, 20, 1500);
  machine.process(0, 20).service = "embedding_service";
  machine.use(0, 21, 700);
  machine.process(0, 21).lease = named;
  machine.process(0, 21).uid = 0;
  machine.look();
  EXPECT_EQ(machine.ledger.find(standing)->observed, 1500_MiB);
  EXPECT_EQ(machine.ledger.find(named)->observed, 700_MiB);
  EXPECT_EQ(machine.available(), 8192u - 2048 - 1024);
}

TEST(LedgerTest, NobodyNamesALeaseOfAnotherUser) {
  BookedMachine machine({8192});
  LeaseRequest maras = request("maras", 1024);
  maras.uid = 1000;
  const LeaseId lease = machine.book(maras);
  machine.use(0, 21, 700);
  machine.process(0, 21).lease = lease;
  machine.look();
  EXPECT_EQ(machine.ledger.find(lease)->observed, Bytes(0));  // of that process nobody knows whose it is
  machine.process(0, 21).uid = 1001;
  machine.look();
  EXPECT_EQ(machine.ledger.find(lease)->observed, Bytes(0));
  machine.process(0, 21).uid = 1000;
  machine.look();
  EXPECT_EQ(machine.ledger.find(lease)->observed, 700_MiB);
  EXPECT_THAT(machine.ledger.processes_of(lease), testing::ElementsAre(ProcessOwner{21, 210}));
}

TEST(LedgerTest, WhoNamesALeaseUsesThoseThatWereGrantedWithIt) {
  BookedMachine machine({8192, 8192});
  LeaseRequest both = request("training", 1024);
  both.devices = 2;
  const LeaseId first = machine.book(both);
  for (const std::size_t device : {0u, 1u}) {
    machine.use(device, 20, 500);
    machine.process(device, 20).lease = first;
    machine.process(device, 20).uid = 0;
  }
  machine.look();
  EXPECT_EQ(machine.ledger.find(first)->observed, 500_MiB);
  EXPECT_EQ(machine.ledger.find(LeaseId{number(first) + 1})->observed, 500_MiB);
}

TEST(LedgerTest, ThePidOfAnotherMachineIsNoOwnersPid) {
  BookedMachine machine({8192});
  const LeaseId lease = machine.book(of_process(10, 1024));
  machine.use(0, 10, 700);
  machine.process(0, 10).elsewhere = true;
  machine.process(0, 10).forebears = {10};
  machine.look();
  EXPECT_EQ(machine.state(lease), LeaseState::starting);
  EXPECT_EQ(machine.ledger.devices().front().facts().foreign.size(), 1u);
  EXPECT_THAT(machine.ledger.processes_of(lease), testing::IsEmpty());
}

TEST(LedgerTest, OfAProcessWithTwoLeasesTheOneThatIsOverGivesBackFirst) {
  BookedMachine machine({8192});
  const LeaseId over = machine.book(of_process(10, 1000));
  const LeaseId held = machine.book(of_process(10, 2000));
  machine.use(0, 10, 3000);
  machine.look();
  machine.release(over);
  machine.look();
  EXPECT_EQ(machine.state(over), LeaseState::draining);
  machine.use(0, 10, 2000);
  machine.look();
  EXPECT_EQ(machine.state(over), LeaseState::ended);
  EXPECT_EQ(machine.ledger.find(held)->observed, 2000_MiB);
}

TEST(LedgerTest, OveruseIsToldOnceAndItsEndToo) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 1024));
  machine.use(0, 10, 1080);  // a context stands beside what was asked for
  machine.look();
  EXPECT_THAT(machine.ledger.take_events(), IsEmpty());
  machine.use(0, 10, 1500);
  machine.look();
  machine.look();
  auto events = machine.ledger.take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, LedgerEvent::Kind::overused);
  EXPECT_TRUE(machine.ledger.find(id)->overused);
  machine.use(0, 10, 1000);
  machine.look();
  events = machine.ledger.take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, LedgerEvent::Kind::overuse_over);
}

// Waiting.

TEST(LedgerTest, WhoWaitsIsServedWhenThereIsRoom) {
  BookedMachine machine({8192});
  const LeaseId first = machine.book(request("a", 6000));
  const LeaseId waits = machine.book(patient(request("b", 4000)));
  EXPECT_EQ(machine.state(waits), LeaseState::waiting);
  EXPECT_EQ(machine.available(), 2192u);
  machine.release(first);
  EXPECT_EQ(machine.state(waits), LeaseState::starting);
  EXPECT_EQ(machine.device_of(waits), "GPU-0");
  const auto events = machine.ledger.take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, LedgerEvent::Kind::granted);
  EXPECT_EQ(events[0].id, waits);
}

TEST(LedgerTest, EveryWaitEndsAtItsDeadline) {
  BookedMachine machine({8192});
  machine.book(request("a", 6000));
  const LeaseId waits = machine.book(patient(request("b", 4000), 5s));
  EXPECT_EQ(machine.ledger.next_deadline(), MonotonicTime(1h + 5s));
  machine.wait(5s);
  EXPECT_EQ(machine.reason(waits), EndReason::timed_out);
  EXPECT_THAT(machine.ledger.waiting(), IsEmpty());
}

TEST(LedgerTest, WhoGoesAwayNoLongerWaits) {
  BookedMachine machine({8192});
  machine.book(request("a", 6000));
  const LeaseId waits = machine.book(patient(request("b", 4000)));
  EXPECT_EQ(machine.release(waits).state, LeaseState::ended);
  EXPECT_EQ(machine.reason(waits), EndReason::cancelled);
}

TEST(LedgerTest, AHigherPriorityGoesFirstUntilTheOtherHasWaitedLongEnough) {
  BookedMachine machine({8192});
  const LeaseId holder = machine.book(request("a", 8000));
  const auto wait_with = [&](std::int32_t priority) {
    LeaseRequest r = patient(request("b", 6000), 1h);
    r.priority = priority;
    return machine.book(r);
  };
  const LeaseId low = wait_with(0);
  machine.wait(29s);
  const LeaseId passes = wait_with(1);
  machine.wait(2s);
  const LeaseId comes_too_late = wait_with(1);
  EXPECT_THAT(machine.ledger.waiting(), ElementsAre(passes, low, comes_too_late));
  machine.release(holder);
  EXPECT_EQ(machine.state(passes), LeaseState::starting);
  EXPECT_EQ(machine.state(low), LeaseState::waiting);
}

TEST(LedgerTest, NobodyTakesWhatSomebodyBeforeHimWaitsForHoweverSmall) {
  BookedMachine machine({8192});
  machine.book(request("a", 6000));
  const LeaseId waits = machine.book(patient(request("b", 4000)));
  EXPECT_EQ(
      machine.refusal(request("c", 100)),
      "c asks for 100 MiB, and no GPU has room for it now\n"
      "GPU 0 (GPU-0) has 2192 MiB available, but lease 2 waits for it and came before: lease 1 of a has 6000 MiB");
  machine.release(waits);
  machine.book(request("c", 100));
}

TEST(LedgerTest, WhatNobodyBeforeHimCanUseIsTakenAtOnce) {
  BookedMachine machine({8192, 4096});
  machine.book(request("a", 8000));
  machine.book(patient(request("b", 6000)));  // GPU 1 is too small for it for ever
  const LeaseId id = machine.book(patient(request("c", 4096)));
  EXPECT_EQ(machine.state(id), LeaseState::starting);
  EXPECT_EQ(machine.device_of(id), "GPU-1");
}

TEST(LedgerTest, TheQueueIsBounded) {
  LedgerSettings settings = BookedMachine::without_headroom();
  settings.queue = 1;
  BookedMachine machine({8192}, settings);
  machine.book(request("a", 8192));
  machine.book(patient(request("b", 1)));
  EXPECT_EQ(machine.refusal(patient(request("c", 1))).substr(0, 42), "1 requests wait already, and no more may\nG");
}

// New terms.

TEST(LedgerTest, ALeaseGrowsWhereThereIsRoomAndShrinksAlways) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(request("a", 2048));
  machine.book(request("b", 2048));
  const auto grown = machine.ledger.resize(id, std::nullopt, 6144_MiB, std::nullopt, machine.at());
  EXPECT_TRUE(grown) << grown.error().text();
  EXPECT_EQ(machine.available(), 0u);
  const auto refused = machine.ledger.resize(id, std::nullopt, 6145_MiB, std::nullopt, machine.at());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, RefusalCause::no_room);
  ASSERT_TRUE(machine.ledger.resize(id, std::nullopt, 1024_MiB, std::nullopt, machine.at()));
  EXPECT_EQ(machine.available(), 5120u);
  EXPECT_EQ(machine.ledger.find(id)->generation, 3u);
}

TEST(LedgerTest, WhatIsSuspendedCostsWhatIsStillSeenAndComesBackWhereThereIsRoom) {
  BookedMachine machine({8192});
  const LeaseId id = machine.book(of_process(10, 6000));
  machine.use(0, 10, 6000);
  machine.look();
  ASSERT_TRUE(machine.ledger.suspend(id, machine.at()));
  EXPECT_EQ(machine.available(), 2192u);
  machine.use(0, 10, 100);
  machine.look();
  EXPECT_EQ(machine.available(), 8092u);
  const auto token = machine.ledger.find(id)->fencing_token;
  const LeaseId other = machine.book(request("b", 4000));
  EXPECT_EQ(machine.ledger.resume(id, machine.at()).error().cause, RefusalCause::no_room);
  machine.release(other);
  ASSERT_TRUE(machine.ledger.resume(id, machine.at()));
  EXPECT_EQ(machine.state(id), LeaseState::starting);
  EXPECT_GT(machine.ledger.find(id)->fencing_token, token);
  EXPECT_EQ(machine.available(), 2192u);
}

// Closed.

TEST(LedgerTest, AClosedLedgerGrantsNothingAndSaysWhy) {
  BookedMachine machine({8192});
  const LeaseId standing = machine.book(request("a", 100));
  const LeaseId bound = machine.book(of_process(10, 100));
  machine.ledger.close({Errc::resource_exhausted, "the disk is full"}, false);
  EXPECT_EQ(machine.refusal(request("b", 1)), "the disk is full");
  EXPECT_EQ(machine.ledger.release(standing, std::nullopt, machine.at()).error(),
            (Error{Errc::resource_exhausted, "the disk is full"}));
  EXPECT_EQ(machine.release(bound).state, LeaseState::ended);  // should it come back, its dead owner ends it again
  machine.ledger.open(machine.at());
  machine.book(request("b", 1));
}

}  // namespace
}  // namespace gpukeeper
