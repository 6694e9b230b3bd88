#include "embed/local_answers.hpp"

#include <chrono>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "classify/classifier.hpp"
#include "core/display_text.hpp"
#include "service/later.hpp"
#include "service/own_request.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 20s;  // as that of a look: a driver may take its time

// Of which no server is here that would carry it.
bool never_ends(std::string_view path) {
  return path.starts_with("/api/v1/events") || path.starts_with("/socket.io");
}

}  // namespace

LocalAnswers::LocalAnswers(World world, std::shared_ptr<Interrupt> interrupt)
    : world_(std::move(world)), interrupt_(std::move(interrupt)), started_(world_.time->now()) {}

service::Sights LocalAnswers::sights() {
  auto& engine = world_.engine;
  return {
      .snapshot = [&engine] { return engine.snapshot(); },
      .faults = [&engine] { return engine.faults(); },
      .faults_kept_in = [&engine] { return engine.faults_kept_in(); },
      .silences = [&engine] { return engine.silences(); },
      .post = [&engine](auto command) { return engine.post(std::move(command)); },
      .sinks = [] { return std::vector<SinkStatus>(); },
      .changes = [] { return std::vector<ActuatorReport>(); },
      .health =
          [this] {
            const std::chrono::nanoseconds stalled_after = std::max<std::chrono::nanoseconds>(20s, 5 * world_.period());
            return service::HealthFacts{world_.version, started_, stalled_after, started_};
          },
      .clock = world_.time,
      .instance = fmt::format("{:x}", world_.clock->wall().time_since_epoch().count()),
      .own_uid = ::geteuid(),
      .past = {[&engine] { return engine.history(); }, [&engine] { return engine.leak_suspects(); }},
      .trouble = [&engine] { return engine.trouble(); },
      .book = world_.book,
      .machine = [this]() -> std::shared_ptr<const MachineFacts> {
        if (!machine_) {
          machine_.emplace(std::make_shared<const RealFiles>(world_.machine_root),
                           std::make_shared<const RealKernelCalls>(world_.machine_root), world_.clock,
                           std::shared_ptr<const Classifier>(std::shared_ptr<const void>(), &Classifier::built_in()));
        }
        return machine_->facts();
      },
      .metrics = world_.metrics};
}

service::Hands LocalAnswers::hands() {
  auto& engine = world_.engine;
  auto& configuration = world_.configuration;
  return {.configuration = [&configuration] { return configuration.answer(); },
          .change_configuration =
              [&configuration](const service::Request& request) { return configuration.change(request); },
          .set_configuration = [&configuration](
                                   const std::string& json,
                                   auto respond) { return configuration.set(json, false, std::move(respond)); },
          .monitoring = [&engine] { return engine.monitoring(); },
          .monitor = [&engine](bool on) { return engine.monitor(on); },
          .lives = world_.time == world_.clock,
          .opened = [&engine] { return engine.opened().has_value(); },
          .period = world_.period,
          .when_fresh = [&engine](std::function<void()> done) { return engine.when_fresh(std::move(done)); }};
}

service::Response LocalAnswers::make(const std::function<service::Response()>& maker) {
  std::scoped_lock lock(mutex_);
  return maker();
}

// What comes later is waited for here, without holding up who asks meanwhile.
service::Response LocalAnswers::settle(service::Response response) {
  while (const auto later = std::move(response.later)) {
    const auto given = std::make_shared<bool>(false);
    later->on_given([given, interrupt = interrupt_] { interrupt->tell([&] { *given = true; }); });
    do_what_was_posted();
    interrupt_->wait(later->patience().value_or(kPatience), [&] { return *given; });
    later->on_given(nullptr);
    const auto made = later->take();
    if (!made) {
      later->abandon();
      if (interrupt_->raised()) return service::problem(503, "closing", "the keeper is being closed");
      return service::problem(503, "no_answer_yet", later->overdue());
    }
    response = make(*made);
  }
  return response;
}

// A change of the configuration waits for whoever does it.
void LocalAnswers::do_what_was_posted() {
  std::scoped_lock lock(mutex_);
  world_.configuration.look(world_.clock->now());
}

Result<Answer> LocalAnswers::answer(const Question& question) {
  auto request = service::own_request(question.method, question.target, question.body, "this program");
  if (!request) return tl::make_unexpected(request.error());
  if (never_ends(request->path)) {
    return fail(Errc::invalid_argument,
                fmt::format("{} never ends: gk_subscribe() tells what happens", harmless(request->path)));
  }
  const auto response = settle(make([&] {
    if (!router_) router_.emplace(service::routes(sights(), hands()));
    return router_->answer(std::move(*request));
  }));
  return Answer{response.status, response.body ? *response.body : std::string()};
}

// It is kept in the routes, once a look at the devices.
void LocalAnswers::forget_allocations() {
  std::scoped_lock lock(mutex_);
  router_.reset();
}

std::vector<service::Route> LocalAnswers::routes_for_scrapers() {
  return service::public_routes(service::routes(sights(), hands()));
}

}  // namespace gpukeeper::embed
