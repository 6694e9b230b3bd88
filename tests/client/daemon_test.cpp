#include "client/daemon.hpp"

#include <map>

#include <gtest/gtest.h>

namespace gpukeeper::client {
namespace {

Daemon::Variable variables(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

std::vector<std::string> texts(const std::vector<ListenAddress>& addresses) {
  std::vector<std::string> result;
  for (const auto& address : addresses) result.push_back(address.to_string());
  return result;
}

TEST(DaemonTest, AUsersOwnDaemonIsAskedBeforeTheMachinesAndBothBeforeTcp) {
  EXPECT_EQ(texts(usual_addresses(variables({{"XDG_RUNTIME_DIR", "/run/user/1000"}}), 1000)),
            (std::vector<std::string>{"unix:/run/user/1000/gpukeeper.sock", "unix:/run/gpukeeper/gpukeeper.sock",
                                      "127.0.0.1:8737"}));
  EXPECT_EQ(texts(usual_addresses(variables({}), 1000)),
            (std::vector<std::string>{"unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:8737"}));
  EXPECT_EQ(texts(usual_addresses(variables({}), 0)),
            (std::vector<std::string>{"unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:8737"}));
}

TEST(DaemonTest, AHostThatIsNoneIsRefusedByTheNameOfWhoSaidIt) {
  struct Case {
    std::string option, variable, older, message;
  };
  const std::string forms = " takes unix:PATH, HOST[:PORT] or https://HOST[:PORT], not ";
  for (const Case& each : {
           Case{"/run/s", "", "", "--host" + forms + "'/run/s'"},
           Case{"", "a b", "c d", "GPUKEEPER_HOST" + forms + "'a b'"},
           Case{"", "", "c d", "GPUKEEPER_DAEMON" + forms + "'c d'"},
           Case{"127.0.0.1:0", "a b", "", "--host" + forms + "'127.0.0.1:0'"},
           Case{"\x1b[31m", "", "", "--host" + forms + "'?[31m'"},
       }) {
    const auto environment = variables({{"GPUKEEPER_HOST", each.variable}, {"GPUKEEPER_DAEMON", each.older}});
    EXPECT_TRUE(Daemon::is_named(each.option, environment));
    const auto daemon = Daemon::find(each.option, environment);
    ASSERT_FALSE(daemon);
    EXPECT_EQ(daemon.error(), (Error{Errc::invalid_argument, each.message}));
  }
  EXPECT_FALSE(Daemon::is_named("", variables({{"GPUKEEPER_HOST", ""}})));
}

}  // namespace
}  // namespace gpukeeper::client
