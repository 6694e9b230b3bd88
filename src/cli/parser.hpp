#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_tree.hpp"
#include "cli/record.hpp"

namespace gpukeeper::cli {

/// What is said to the commands about leases.
struct LeaseArguments {
  std::string service;
  std::string memory;
  std::string most;
  std::string device;
  bool require = false;
  std::string name;
  bool exclusive = false;
  std::string timeout;
  std::string lifetime;
  std::string priority;
  std::string gpus;
  std::string request_id;
  std::string strategy;
  std::string id;
  std::string file;
  bool governed = false;
  bool summary = false;
  bool scrub = false;
  bool verbose = false;
  std::string interval;
  std::vector<std::string> command;
};

/// What is said to `token`.
struct TokenArguments {
  std::string id;
  std::string role;
  std::string service;
  std::string name;
  std::string expires;
};

/// What the command line said, as it stands there: a member for each option, empty or false where it was not given.
struct Arguments {
  std::vector<std::string> sources;
  std::string root;
  std::string colour = "auto";
  bool version = false;
  bool json = false;
  bool csv = false;
  bool schema = false;
  bool markdown = false;
  bool wake = false;
  std::vector<std::string> query;
  std::vector<std::string> devices;
  std::string watch;
  std::string shell;
  std::string page;
  std::string rules;
  std::string check;
  std::string severity;
  std::vector<std::string> kinds;
  std::string since;
  std::string until;
  std::string by = "user";
  std::string html;
  std::string pdf;
  std::string limit;
  std::string length;
  std::string state_dir;
  std::vector<std::string> metrics;
  std::string minutes;
  std::string step;
  bool database = false;
  std::string database_url;
  std::string database_host;
  bool database_hosts = false;
  std::string comment;
  bool all = false;
  std::string config;
  std::vector<std::string> set;
  std::string daemon;
  std::string action;
  std::vector<std::string> words;
  bool origin = false;
  bool save = false;
  std::vector<std::string> listen;
  bool insecure_listen = false;
  std::vector<std::string> metrics_listen;
  std::string metrics_prefix;
  std::string log_file;
  std::string log_level;
  std::string log_format;
  bool check_serve = false;
  bool restore = false;
  bool without_config = false;
  bool sign_in_link = false;
  bool check_lamp = false;
  bool follow = false;
  std::string sort;
  bool reversed = false;
  bool wide = false;
  std::string user;
  std::string container;
  std::string process_class;
  std::string pod;
  std::string job;
  std::string topic;
  std::string speed;
  std::string at;
  std::string record_for;
  std::string record_period;
  std::string record_format;
  std::string rotate_size;
  std::string rotate_every;
  std::string keep;
  RecordOptions record;
  std::string multiplier;
  bool ascii = false;
  std::string theme;
  bool wait = false;
  LeaseArguments lease;
  TokenArguments token;
};

/// Seconds ("90", "0.5") or a duration ("1h30m"); nothing for what is none, or is longer than thirty years.
std::optional<std::chrono::nanoseconds> duration(const std::string& text);

/// The declared command line: reads one into Arguments, and knows all there is, for help texts and completion.
class Parser {
 public:
  /// `arguments` are filled by parse().
  explicit Parser(Arguments& arguments);
  ~Parser();

  struct Answer {
    std::string text;
    int status = 0;
  };
  /// Nothing when all is well; what to print and the exit status when the command line is answered or wrong.
  std::optional<Answer> parse(int argc, const char* const* argv, std::size_t width);

  /// The subcommand that was given; empty when none was.
  std::string command() const;

  CommandTree tree() const;

 private:
  class Declared;
  const std::unique_ptr<Declared> declared_;
};

}  // namespace gpukeeper::cli
