#include "cli/token.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "auth/token_file.hpp"
#include "cli/render.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

using auth::Token;
using auth::TokenFile;

// Without its hash.
Json object_of(const Token& token) {
  return {{"id", token.id},
          {"role", to_string(token.role)},
          {"name", text_or_null(token.name)},
          {"service", text_or_null(token.service)},
          {"created", rfc3339(token.created)},
          {"expires", token.expires ? Json(rfc3339(*token.expires)) : Json()}};
}

Result<Token> wanted(const TokenOptions& options, WallTime now) {
  if (auto well = auth::check_token_text("--name", options.name, auth::kLongestTokenName); !well) {
    return tl::make_unexpected(well.error());
  }
  if (auto well = auth::check_token_text("--service", options.service, auth::kLongestTokenService); !well) {
    return tl::make_unexpected(well.error());
  }
  Token token{.role = auth::parse_role(options.role).value_or(auth::Role::operator_),
              .name = options.name,
              .service = options.service,
              .created = now};
  if (!options.service.empty() && token.role == auth::Role::admin) {
    return fail(Errc::invalid_argument, "a token for one service is for its leases: take --role operator or viewer");
  }
  if (options.lifetime) token.expires = now + std::chrono::duration_cast<WallTime::duration>(*options.lifetime);
  return token;
}

Exit create(const TokenOptions& options, const TokenFile& file, Context& context) {
  const auto token = wanted(options, context.clock.wall());
  if (!token) return tl::make_unexpected(token.error());
  const auto made = auth::make_token(*token, options.random);
  if (!made) return tl::make_unexpected(made.error());
  const auto kept = file.change([&](std::vector<Token>& tokens) -> Result<void> {
    if (tokens.size() >= auth::kMostTokens) {
      return fail(Errc::resource_exhausted,
                  fmt::format("there are {} tokens already: revoke those that nobody uses", tokens.size()));
    }
    tokens.push_back(made->token);
    return {};
  });
  if (!kept) return tl::make_unexpected(kept.error());
  if (options.json) {
    Json document = {{"schema", "gpukeeper.token/1"}, {"token", made->secret}};
    document.update(object_of(made->token));
    return print(context, dump(document, true) + "\n");
  }
  context.remark(fmt::format("{}, {}, is kept as a hash in {}: it is shown this once", auth::title(made->token),
                             to_string(made->token.role), harmless(file.path())));
  return print(context, made->secret + "\n");
}

Exit list(const TokenOptions& options, const TokenFile& file, Context& context) {
  const auto tokens = file.read();
  if (!tokens) return tl::make_unexpected(tokens.error());
  if (options.json) {
    Json rows = Json::array();
    for (const Token& token : *tokens) rows.push_back(object_of(token));
    return print(context, dump({{"schema", "gpukeeper.token-list/1"}, {"tokens", std::move(rows)}}, true) + "\n");
  }
  if (tokens->empty()) return print(context, "there is no token\n");
  Table table({{.header = "ID"},
               {.header = "ROLE"},
               {.header = "NAME", .only_if_filled = true},
               {.header = "SERVICE", .only_if_filled = true},
               {.header = "CREATED", .priority = 1},
               {.header = "EXPIRES"}});
  for (const Token& token : *tokens) {
    const bool over = token.expires && *token.expires <= context.clock.wall();
    table.add_row({token.id, std::string(to_string(token.role)), harmless(token.name), harmless(token.service),
                   rfc3339(token.created),
                   Cell(token.expires ? rfc3339(*token.expires) : "never", over ? Ink::faint : Ink::plain)});
  }
  std::string page;
  for (const std::string& line : table.render(render_options(context))) page += line + "\n";
  return print(context, page);
}

Exit revoke(const TokenOptions& options, const TokenFile& file, Context& context) {
  std::string revoked;
  const auto kept = file.change([&](std::vector<Token>& tokens) -> Result<void> {
    const auto found = std::ranges::find(tokens, options.id, &Token::id);
    if (found == tokens.end()) {
      return fail(Errc::not_found, fmt::format("there is no token '{}': gpukeeper token list shows those there are",
                                               fit(harmless(options.id), 40)));
    }
    revoked = auth::title(*found);
    tokens.erase(found);
    return {};
  });
  if (!kept) return tl::make_unexpected(kept.error());
  return print(context, fmt::format("{} is revoked\n", harmless(revoked)));
}

}  // namespace

Exit token(const TokenOptions& options, Context& context) {
  if (options.folder.empty()) {
    return fail(Errc::invalid_argument, "no folder is known for tokens: name the daemon's with --state-dir");
  }
  if ((options.action == "revoke") == options.id.empty()) {
    return fail(Errc::invalid_argument, options.id.empty() ? "token revoke needs the id that gpukeeper token list shows"
                                                           : "only token revoke takes an id");
  }
  const TokenFile file(options.folder);
  if (options.action == "create") return create(options, file, context);
  return options.action == "list" ? list(options, file, context) : revoke(options, file, context);
}

}  // namespace gpukeeper::cli
