#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "busy_machine.hpp"
#include "documented_service.hpp"
#include "engine/playback.hpp"

// The answers to clients of the documented systems, byte for byte but for times. The files under tests/service/golden
// are what is promised; with GPUKEEPER_REWRITE_GOLDEN=1 in the environment they are written anew instead of compared.
namespace gpukeeper::service::documented {
namespace {

using namespace std::chrono_literals;

struct Question {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query = {};
  std::string body = {};
};

// examples/scenarios/two-gpus.yaml after half a minute.
DocumentedService& two_gpus() {
  static const auto service = [] {
    std::shared_ptr<const History> history;
    Snapshot last;
    const std::vector<std::string> source = {"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml"};
    PlayOptions options;
    options.engine.attribute = true;
    options.length = 30s;
    const auto played = play(source, options, [&](const Snapshot& snapshot, Session& session) {
      last = snapshot;
      history = session.engine().history();
      return true;
    });
    EXPECT_TRUE(played) << played.error().message;
    last.host = "gpu-box";
    auto made = std::make_unique<DocumentedService>(std::move(last), std::move(history));
    made->set_machine(busy_machine());
    return made;
  }();
  return *service;
}

// Without times; of floats three digits, as a sine's last ones are another library's.
std::string masked(std::string text) {
  text = std::regex_replace(text, std::regex(R"((\.[0-9]{3})[0-9]+)"), "$1");
  text = std::regex_replace(text, std::regex(R"("timestamp":("[^"]*"|[0-9.e+]+))"), R"("timestamp":"<time>")");
  text = std::regex_replace(text, std::regex(R"("taken_at":"[^"]*")"), R"("taken_at":"<time>")");
  return std::regex_replace(text, std::regex(R"("runtime_seconds":[0-9.]+)"), R"("runtime_seconds":"<seconds>")");
}

std::string shown(const Question& question) {
  std::string target = question.path;
  for (const auto& [name, value] : question.query) {
    target += fmt::format("{}{}={}", target.find('?') == std::string::npos ? '?' : '&', name, value);
  }
  return fmt::format("{} {}{}", question.method, target, question.body.empty() ? "" : " " + question.body);
}

std::string answers(DocumentedService& service, const std::vector<Question>& questions) {
  std::string text;
  for (const Question& question : questions) {
    const bool changes = question.method != "GET";
    const Response response = service.ask(question.method, question.path, question.query, question.body,
                                          {{"Content-Type", "application/json"}},
                                          changes ? std::optional(DocumentedService::kOwner) : std::nullopt);
    text += fmt::format("{}\n{} {}\n{}\n", shown(question), response.status, response.content_type,
                        masked(response.body ? *response.body : ""));
  }
  return text;
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(GPUKEEPER_SOURCE_DIR "/tests/service/golden/") + name;
  if (std::getenv("GPUKEEPER_REWRITE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe): only read
    std::ofstream(path) << text;
    return;
  }
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(golden.str(), text) << "what is promised stands in " << path;
}

const std::vector<Question> kReads = {
    {"GET", "/api/gpu/status"},
    {"GET", "/api/gpu/status/all"},
    {"GET", "/api/gpu/metrics"},
    {"GET", "/api/gpu/metrics/history", {{"limit", "3"}}},
    {"GET", "/api/gpu/temperature/trend"},
    {"GET", "/api/gpu/memory/available"},
    {"GET", "/api/gpu/throttle/status"},
    {"GET", "/api/gpu/config"},
    {"GET", "/api/gpu/summary"},
    {"GET", "/api/gpu/processes"},
    {"GET", "/health"},
    {"GET", "/ready"},
    {"GET", "/api/health"},
    {"GET", "/api/status"},
    {"GET", "/api/system/status"},
    {"GET", "/api/system/overview"},
    {"GET", "/api/system/cpu"},
    {"GET", "/api/system/memory"},
    {"GET", "/api/system/disk"},
    {"GET", "/api/system/network"},
    {"GET", "/api/monitoring/stats"},
};

const std::vector<Question> kChanges = {
    {"POST", "/api/gpu/memory/allocate", {}, R"({"allocation_id":"llm_model","required_mb":2048,"gpu_id":0})"},
    {"POST", "/api/gpu/memory/allocate", {}, R"({"allocation_id":"llm_model","required_mb":1})"},
    {"POST", "/api/gpu/memory/allocate", {}, R"({"allocation_id":"more","required_mb":4097})"},
    {"GET", "/api/gpu/memory/available"},
    {"POST", "/api/gpu/memory/deallocate", {}, R"({"allocation_id":"llm_model","gpu_id":0})"},
    {"POST", "/api/gpu/memory/deallocate", {}, R"({"allocation_id":"llm_model"})"},
    {"POST", "/api/gpu/monitoring/start"},
    {"POST", "/api/gpu/monitoring/stop"},
    {"PUT", "/api/gpu/config", {}, R"({"memory_limit_mb":7168,"no_such_key":1})"},
    {"PUT", "/api/gpu/config", {}, R"({"memory_limit_mb":6144})"},
};

std::vector<Question> all() {
  std::vector<Question> questions = kReads;
  questions.insert(questions.end(), kChanges.begin(), kChanges.end());
  return questions;
}

TEST(GoldenTest, TwoGpus) {
  expect_golden("two-gpus.txt", answers(two_gpus(), all()));
}

TEST(GoldenTest, NoGpu) {
  DocumentedService none(machine({}));
  expect_golden("no-gpu.txt", answers(none, all()));
}

TEST(GoldenTest, UnknownId) {
  std::vector<Question> questions;
  for (const std::string id : {"7", "-1"}) {
    for (const std::string path : {"status", "metrics", "metrics/history", "temperature/trend", "memory/available"}) {
      questions.push_back({"GET", "/api/gpu/" + path, {{"gpu_id", id}}});
    }
  }
  for (const std::string id : {"7", "-1"}) {
    questions.push_back(
        {"POST", "/api/gpu/memory/allocate", {}, R"({"allocation_id":"a","required_mb":1,"gpu_id":)" + id + "}"});
    questions.push_back({"POST", "/api/gpu/memory/deallocate", {}, R"({"allocation_id":"a","gpu_id":)" + id + "}"});
  }
  DocumentedService one(simulated_gpu());
  expect_golden("unknown-id.txt", answers(one, questions));
}

TEST(GoldenTest, BadInput) {
  std::vector<Question> questions = {
      {"GET", "/api/gpu/memory/available", {{"gpu_id", "abc"}}},
      {"GET", "/api/gpu/metrics/history", {{"limit", "many"}}},
      {"GET", "/api/gpu/temperature/trend", {{"duration", "1.5"}}},
      {"GET", "/api/gpu/status/"},
      {"GET", "/api/gpu/nothing"},
      {"POST", "/api/gpu/status"},
  };
  for (const std::string body :
       {"{}", "null", "[1]", "{", R"({"allocation_id":"a"})", R"({"allocation_id":"a","required_mb":-1})",
        R"({"allocation_id":"a","required_mb":true})", R"({"allocation_id":"","required_mb":1})",
        R"({"allocation_id":"a","required_mb":1,"gpu_id":"0"})"}) {
    questions.push_back({"POST", "/api/gpu/memory/allocate", {}, body});
  }
  for (const std::string body : {"{}", "NaN", R"({"allocation_id":"nobody"})"}) {
    questions.push_back({"POST", "/api/gpu/memory/deallocate", {}, body});
  }
  for (const std::string body : {"{}", "null", "[1]", "80", R"({"temp_throttle":"hot"})", R"({"temp_throttle":60})",
                                 R"({"temp_throttle":null})", R"({"monitor_interval":-1,"history_size":0})"}) {
    questions.push_back({"PUT", "/api/gpu/config", {}, body});
  }
  DocumentedService one(simulated_gpu());
  expect_golden("bad-input.txt", answers(one, questions));
}

}  // namespace
}  // namespace gpukeeper::service::documented
