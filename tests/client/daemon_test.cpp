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
                                      "127.0.0.1:7909"}));
  EXPECT_EQ(texts(usual_addresses(variables({}), 1000)),
            (std::vector<std::string>{"unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:7909"}));
  EXPECT_EQ(texts(usual_addresses(variables({}), 0)),
            (std::vector<std::string>{"unix:/run/gpukeeper/gpukeeper.sock", "127.0.0.1:7909"}));
}

TEST(DaemonTest, AnAddressThatIsNoneIsRefusedByTheNameOfWhoSaidIt) {
  struct Case {
    std::string option, variable, message;
  };
  for (const Case& each : {
           Case{"here", "", "--daemon takes unix:PATH or ADDRESS:PORT, not 'here'"},
           Case{"", "there", "GPUKEEPER_DAEMON takes unix:PATH or ADDRESS:PORT, not 'there'"},
           Case{"127.0.0.1:0", "there", "--daemon takes unix:PATH or ADDRESS:PORT, not '127.0.0.1:0'"},
           Case{"\x1b[31m", "", "--daemon takes unix:PATH or ADDRESS:PORT, not '?[31m'"},
       }) {
    const auto daemon = Daemon::find(each.option, variables({{"GPUKEEPER_DAEMON", each.variable}}));
    ASSERT_FALSE(daemon);
    EXPECT_EQ(daemon.error(), (Error{Errc::invalid_argument, each.message}));
  }
}

}  // namespace
}  // namespace gpukeeper::client
