#pragma once

#include <functional>
#include <memory>
#include <string>

#include "embed/asked_leases.hpp"
#include "embed/daemon_link.hpp"
#include "embed/leases.hpp"
#include "embed/own_leases.hpp"

namespace gpukeeper::embed {

/// Leases of this machine's one ledger: a running daemon's, else that of the state directory, from call to call.
class MachineLeases final : public Leases {
 public:
  /// `own` and `daemon` outlive this; `daemon` is null where none may be asked.
  MachineLeases(OwnLeases& own, LedgerDaemon* daemon, std::shared_ptr<Interrupt> interrupt)
      : own_(own), daemon_(daemon), interrupt_(std::move(interrupt)) {}

  Answered<GrantedLease> allocate(const LeaseWishes& wishes) override {
    return choose([&](Leases& leases) { return leases.allocate(wishes); });
  }
  Answered<void> release(std::uint64_t id) override {
    return choose([&](Leases& leases) { return leases.release(id); });
  }
  Answered<void> release_named(const std::string& name, std::uint32_t device) override {
    return choose([&](Leases& leases) { return leases.release_named(name, device); });
  }
  Answered<void> renew(std::uint64_t id) override {
    return choose([&](Leases& leases) { return leases.renew(id); });
  }
  Answered<void> resize(std::uint64_t id, Bytes bytes) override {
    return choose([&](Leases& leases) { return leases.resize(id, bytes); });
  }
  Answered<Bytes> available(std::uint32_t device) override {
    return choose([&](Leases& leases) { return leases.available(device); });
  }

 private:
  // Twice: the daemon that was there may have gone, and one that was not may have come.
  template <class Call>
  std::invoke_result_t<Call, Leases&> choose(const Call& call) {
    if (!daemon_) return call(own_);
    for (bool again = false;; again = true) {
      const auto daemon = daemon_->find();
      if (!daemon) return refused(daemon.error());
      bool reached = true;
      auto answer = *daemon ? ask(**daemon, call, reached) : call(own_);
      const bool locked = !*daemon && !answer && answer.error().error.code == Errc::unavailable;
      if (again || (reached && !locked)) return answer;
      daemon_->look_again();
    }
  }

  template <class Call>
  std::invoke_result_t<Call, Leases&> ask(const client::Daemon& daemon, const Call& call, bool& reached) {
    AskedLeases asked(
        [&](const Question& question, std::chrono::nanoseconds wait) {
          auto answer = ask_daemon(daemon, question, wait, *interrupt_);
          if (!answer && is_gone(answer.error().code)) reached = false;
          return answer;
        },
        interrupt_);
    return call(asked);
  }
  // It took no connection; what broke off may have been done.
  static bool is_gone(Errc code) { return code == Errc::not_found; }

  OwnLeases& own_;
  LedgerDaemon* const daemon_;
  const std::shared_ptr<Interrupt> interrupt_;
};

}  // namespace gpukeeper::embed
