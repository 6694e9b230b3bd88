#include "postgres/database_url.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::postgres {
namespace {

TEST(DatabaseUrlTest, ShowsNoPasswordWhereverItStands) {
  struct Case {
    const char* url;
    const char* shown;
  };
  for (const auto& [url, shown] :
       {Case{"postgresql://db.example/metrics", "postgresql://db.example/metrics"},
        Case{"postgres://me@db:5432/x", "postgres://me@db:5432/x"},
        Case{"postgresql://me:secret@db:5432/x", "postgresql://me:…@db:5432/x"},
        Case{"postgresql://me:s@cr@et@db/x", "postgresql://me:…@db/x"},
        Case{"postgresql://:secret@db/x", "postgresql://:…@db/x"},
        Case{"postgresql://db/x?user=me&password=secret", "postgresql://db/x"},
        Case{"postgresql://db?password=secret", "postgresql://db"},
        Case{"postgresql://[::1]:5432/x", "postgresql://[::1]:5432/x"},
        Case{"postgresql://me:secret@[::1]:5432/x", "postgresql://me:…@[::1]:5432/x"},
        Case{"postgresql://me:sec?secret@db/x", "postgresql://me:…"},
        Case{"postgresql://me:secret", "postgresql://me:…"}, Case{"postgresql://me:secret/x", "postgresql://me:…"},
        Case{"postgresql://a:5432,b:5433/x", "postgresql://a:5432,b:5433/x"},
        Case{"postgresql://db/x?user=me&password=a@secret", "postgresql://db/x"}, Case{"mysql://me:secret@db", "…"},
        Case{"", "…"}}) {
    EXPECT_EQ(shown_database(url), shown) << url;
    EXPECT_EQ(shown_database(url).find("secret"), std::string::npos);
  }
}

TEST(DatabaseUrlTest, RefusesWhatIsNoneWithoutQuotingIt) {
  EXPECT_EQ(refusal_of_url("postgresql://db/x"), std::nullopt);
  EXPECT_EQ(refusal_of_url("postgres://db/x"), std::nullopt);
  EXPECT_EQ(refusal_of_url("host=db password=secret"), "it must begin with postgresql:// or postgres://");
  EXPECT_EQ(refusal_of_url("postgresql://a b"), "blanks and control characters must be written as %20 and the like");
  EXPECT_EQ(refusal_of_url("postgresql://" + std::string(5000, 'a')), "it must not be longer than 4096 bytes");
}

TEST(DatabaseUrlTest, LeavesOutADriverOfPython) {
  EXPECT_EQ(without_driver("postgresql+psycopg2://me:a+b@db/x"), "postgresql://me:a+b@db/x");
  EXPECT_EQ(without_driver("postgresql://me:a+b@db/x"), "postgresql://me:a+b@db/x");
  EXPECT_EQ(without_driver("a+b"), "a+b");
}

TEST(DatabaseUrlTest, IsMadeOfItsPartsEscaped) {
  EXPECT_EQ(make_database_url({.host = "db", .port = "5433", .name = "gpu", .user = "me", .password = "a/b@c:d é"}),
            "postgresql://me:a%2Fb%40c%3Ad%20%C3%A9@db:5433/gpu");
  EXPECT_EQ(make_database_url({.host = "::1"}), "postgresql://[::1]");
  EXPECT_EQ(make_database_url({.host = "db", .password = "nobody's"}), "postgresql://db");
}

}  // namespace
}  // namespace gpukeeper::postgres
