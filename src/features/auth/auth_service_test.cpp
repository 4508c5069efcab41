// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/auth_service.hpp"

#include <gtest/gtest.h>

#include "features/auth/auth_fixture.hpp"

namespace clouddocs::auth {
namespace {

using namespace std::chrono_literals;
using storage::Account;

// The storage world's own account would be the first one: it goes.
class AuthServiceTest : public ::testing::Test, protected AuthWorld {
 protected:
  AuthServiceTest() {
    static constexpr database::Statement no_files{"test_no_files", "DELETE FROM files"};
    static constexpr database::Statement no_spaces{"test_no_spaces", "DELETE FROM spaces"};
    static constexpr database::Statement no_users{"test_no_users", "DELETE FROM users"};
    query(no_files);
    query(no_spaces);
    query(no_users);
  }
};

TEST_F(AuthServiceTest, TheFirstAccountIsTheAdministrators) {
  const SignIn first = sign_up("Ann@example.org");
  EXPECT_EQ(first.user.email, "ann@example.org");
  EXPECT_EQ(first.user.role, "admin");
  EXPECT_EQ(sign_up("bob@example.org").user.role, "user");
  EXPECT_TRUE(is_taken(first.access_token));
}

TEST_F(AuthServiceTest, ANewAccountHasAPersonalSpaceWithARoot) {
  const SignIn in = sign_up("ann@example.org");
  const auto caller = run(api.authenticate(in.access_token)).value()->caller;
  EXPECT_FALSE(caller.personal_space.is_nil());
  EXPECT_EQ(caller.device_name, "Laptop");
  EXPECT_EQ(caller.role, "admin");
  const auto listing = run(service.list(caller, std::nullopt, {.limit = 10}));
  EXPECT_EQ(listing.value().folder.kind, storage::NodeKind::folder);
}

TEST_F(AuthServiceTest, AnEmailHasOneAccount) {
  sign_up("ann@example.org");
  EXPECT_EQ(code_of(run(auth.register_user(login_of(" ANN@example.org")))), Errc::email_taken);
  EXPECT_EQ(code_of(run(auth.add_user("ann@example.org", password, "free", "user"))), Errc::email_taken);
}

TEST_F(AuthServiceTest, RegistrationMayBeClosed) {
  AuthService closed(*database, tokens, refresh_signer, hasher, registry, plans, clock, random, {false, "free"});
  EXPECT_EQ(code_of(run(closed.register_user(login_of("ann@example.org")))), Errc::registration_closed);
  EXPECT_TRUE(run(closed.add_user("ann@example.org", password, "tiny", "user")).has_value());
  EXPECT_EQ(code_of(run(closed.add_user("bob@example.org", password, "huge", "user"))), Errc::invalid_request);
  EXPECT_EQ(code_of(run(closed.add_user("bob@example.org", "1234", "free", "user"))), Errc::password_weak);
  EXPECT_EQ(code_of(run(closed.add_user("bob", password, "free", "user"))), Errc::invalid_request);
}

TEST_F(AuthServiceTest, AWeakPasswordOrNoEmailIsRefused) {
  NewLogin login = login_of("ann@example.org");
  login.password = "12345678";
  EXPECT_EQ(code_of(run(auth.register_user(login))), Errc::password_weak);
  EXPECT_EQ(code_of(run(auth.register_user(login_of("ann")))), Errc::invalid_request);
}

TEST_F(AuthServiceTest, AWrongPasswordAndAnUnknownAccountLookAlike) {
  sign_up("ann@example.org");
  NewLogin wrong = login_of("ann@example.org");
  wrong.password = "wrong horse";
  const auto a = run(auth.login(wrong));
  const auto b = run(auth.login(login_of("nobody@example.org")));
  const auto c = run(auth.login(login_of("not an address")));
  EXPECT_EQ(code_of(a), Errc::credentials_invalid);
  EXPECT_EQ(code_of(b), Errc::credentials_invalid);
  EXPECT_EQ(code_of(c), Errc::credentials_invalid);
  EXPECT_EQ(a.error().detail, b.error().detail);
  EXPECT_EQ(sign_in(" Ann@EXAMPLE.org ").user.email, "ann@example.org");
}

TEST_F(AuthServiceTest, ARefreshGivesNewTokensAndSpendsTheOldOne) {
  const SignIn first = sign_up("ann@example.org");
  clock.advance(10min);
  const SignIn second = run(auth.refresh(first.refresh_token)).value();
  EXPECT_NE(second.refresh_token, first.refresh_token);
  EXPECT_EQ(second.session.id, first.session.id);
  EXPECT_EQ(second.session.expires_at, clock.now() + session_lifetime);
  EXPECT_TRUE(is_taken(second.access_token));
}

TEST_F(AuthServiceTest, ASpentTokenIsTakenFor30SecondsAndGivesTheSameSuccessor) {
  const SignIn first = sign_up("ann@example.org");
  const SignIn second = run(auth.refresh(first.refresh_token)).value();
  clock.advance(30s);
  const SignIn again = run(auth.refresh(first.refresh_token)).value();
  EXPECT_EQ(again.refresh_token, second.refresh_token);
  EXPECT_TRUE(run(auth.refresh(second.refresh_token)).has_value()) << "the family lives";
}

TEST_F(AuthServiceTest, ASpentTokenAfter30SecondsEndsTheFamily) {
  const SignIn first = sign_up("ann@example.org");
  const SignIn second = run(auth.refresh(first.refresh_token)).value();
  clock.advance(31s);
  EXPECT_EQ(code_of(run(auth.refresh(first.refresh_token))), Errc::token_invalid);
  EXPECT_EQ(code_of(run(auth.refresh(second.refresh_token))), Errc::token_invalid);
  EXPECT_FALSE(is_taken(second.access_token));
  EXPECT_FALSE(is_taken(first.access_token));
}

TEST_F(AuthServiceTest, ASpentTokenWhoseSuccessorWasUsedEndsTheFamilyAtOnce) {
  const SignIn first = sign_up("ann@example.org");
  const SignIn second = run(auth.refresh(first.refresh_token)).value();
  const SignIn third = run(auth.refresh(second.refresh_token)).value();
  EXPECT_EQ(code_of(run(auth.refresh(first.refresh_token))), Errc::token_invalid);
  EXPECT_FALSE(is_taken(third.access_token));
  EXPECT_EQ(code_of(run(auth.refresh(third.refresh_token))), Errc::token_invalid);
}

TEST_F(AuthServiceTest, AForgedRefreshTokenHarmsNobody) {
  const SignIn first = sign_up("ann@example.org");
  for (std::size_t i = 0; i < first.refresh_token.size(); i += 3) {
    std::string forged = first.refresh_token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code_of(run(auth.refresh(forged))), Errc::token_invalid);
    EXPECT_EQ(code_of(run(auth.logout_by_refresh(forged))), Errc::token_invalid);
  }
  for (const std::string text : {"", "x", "AAAA"}) EXPECT_EQ(code_of(run(auth.refresh(text))), Errc::token_invalid);
  EXPECT_TRUE(is_taken(first.access_token));
  EXPECT_TRUE(run(auth.refresh(first.refresh_token)).has_value());
}

TEST_F(AuthServiceTest, ASessionEndsWhenItIsNotRefreshed) {
  const SignIn first = sign_up("ann@example.org");
  clock.advance(session_lifetime);
  EXPECT_EQ(code_of(run(auth.refresh(first.refresh_token))), Errc::token_invalid);
}

TEST_F(AuthServiceTest, LogoutEndsTheSessionAndNoOther) {
  const SignIn first = sign_up("ann@example.org");
  const SignIn other = sign_in("ann@example.org");
  EXPECT_TRUE(is_taken(first.access_token));
  EXPECT_TRUE(run(auth.logout(first.user.id, first.session.id)).has_value());
  EXPECT_FALSE(is_taken(first.access_token));
  EXPECT_EQ(code_of(run(auth.refresh(first.refresh_token))), Errc::token_invalid);
  EXPECT_TRUE(is_taken(other.access_token));
  EXPECT_TRUE(run(auth.logout_by_refresh(other.refresh_token)).has_value());
  EXPECT_FALSE(is_taken(other.access_token));
}

// TASK-101: tokens outlived a password change.
TEST_F(AuthServiceTest, APasswordChangeEndsEveryOtherSessionAndKeepsThisOne) {
  const SignIn here = sign_up("ann@example.org");
  const SignIn there = sign_in("ann@example.org");
  const auto there_known = run(api.authenticate(there.access_token)).value();
  EXPECT_TRUE(is_taken(here.access_token));
  const SignIn changed = run(auth.change_password(caller_of(here), password, "battery staple")).value();
  EXPECT_FALSE(is_taken(there.access_token));
  EXPECT_TRUE(there_known->revoked->load()) << "running uploads and sockets of the other session end";
  EXPECT_EQ(code_of(run(auth.refresh(there.refresh_token))), Errc::token_invalid);
  EXPECT_FALSE(is_taken(here.access_token)) << "the old access token ends as well";
  EXPECT_TRUE(is_taken(changed.access_token));
  EXPECT_EQ(changed.session.id, here.session.id);
  EXPECT_TRUE(run(auth.refresh(changed.refresh_token)).has_value());
  EXPECT_EQ(code_of(run(auth.login(login_of("ann@example.org")))), Errc::credentials_invalid);
}

TEST_F(AuthServiceTest, APasswordChangeNeedsTheCurrentOneAndAGoodNewOne) {
  const SignIn here = sign_up("ann@example.org");
  EXPECT_EQ(code_of(run(auth.change_password(caller_of(here), "wrong", "battery staple"))), Errc::credentials_invalid);
  EXPECT_EQ(code_of(run(auth.change_password(caller_of(here), password, "12345678"))), Errc::password_weak);
  EXPECT_TRUE(is_taken(here.access_token));
}

TEST_F(AuthServiceTest, APasswordResetEndsEverySession) {
  const SignIn here = sign_up("ann@example.org");
  EXPECT_TRUE(is_taken(here.access_token));
  EXPECT_TRUE(run(auth.reset_password("ANN@example.org", "battery staple")).has_value());
  EXPECT_FALSE(is_taken(here.access_token));
  EXPECT_EQ(code_of(run(auth.reset_password("nobody@example.org", "battery staple"))), Errc::not_found);
  EXPECT_EQ(code_of(run(auth.reset_password("ann@example.org", "short"))), Errc::password_weak);
}

TEST_F(AuthServiceTest, APlanLimitsTheDevices) {
  sign_up("ann@example.org");
  EXPECT_TRUE(run(auth.set_plan("ann@example.org", "tiny")).has_value());  // two devices
  const SignIn second = sign_in("ann@example.org");
  EXPECT_EQ(code_of(run(auth.login(login_of("ann@example.org")))), Errc::device_limit);
  NewLogin web = login_of("ann@example.org");
  web.kind = "web";
  web.device_name = "";
  const auto browser = run(auth.login(web));
  EXPECT_EQ(browser.value().session.device_name, "Web browser") << "browsers are no devices";
  EXPECT_TRUE(run(auth.logout(second.user.id, second.session.id)).has_value());
  EXPECT_TRUE(run(auth.login(login_of("ann@example.org"))).has_value());
  EXPECT_EQ(code_of(run(auth.set_plan("ann@example.org", "huge"))), Errc::invalid_request);
  EXPECT_EQ(code_of(run(auth.set_plan("nobody@example.org", "free"))), Errc::not_found);
}

TEST_F(AuthServiceTest, SessionsAreListedAndEndedOneByOne) {
  const SignIn here = sign_up("ann@example.org");
  const SignIn there = sign_in("ann@example.org");
  const SignIn bob = sign_up("bob@example.org");
  EXPECT_EQ(run(auth.sessions(here.user.id)).value().size(), 2U);
  EXPECT_EQ(code_of(run(auth.end_session(caller_of(here), bob.session.id))), Errc::not_found);
  EXPECT_TRUE(run(auth.end_session(caller_of(here), there.session.id)).has_value());
  EXPECT_EQ(code_of(run(auth.end_session(caller_of(here), there.session.id))), Errc::not_found);
  EXPECT_EQ(run(auth.sessions(here.user.id)).value().size(), 1U);
  const SignIn third = sign_in("ann@example.org");
  EXPECT_TRUE(run(auth.end_other_sessions(caller_of(here))).has_value());
  EXPECT_FALSE(is_taken(third.access_token));
  EXPECT_TRUE(is_taken(here.access_token));
  EXPECT_TRUE(is_taken(bob.access_token));
}

TEST_F(AuthServiceTest, OldRevocationsAreDropped) {
  static constexpr database::Statement count{"test_count_revocations", "SELECT COUNT(*) FROM revocations"};
  const SignIn here = sign_up("ann@example.org");
  run(auth.logout(here.user.id, here.session.id));
  EXPECT_TRUE(run(auth.clean()).has_value());
  EXPECT_EQ(query(count), 1);
  clock.advance(2h);
  EXPECT_TRUE(run(auth.clean()).has_value());
  EXPECT_EQ(query(count), 0);
  EXPECT_FALSE(is_taken(here.access_token));
}

// A second node on the same database, which learns of revocations by reading them.
class SecondNode {
 public:
  SecondNode(database::Database& db, const AccessTokens& tokens, const core::Clock& clock)
      : registry(db), tokens_(tokens), clock_(clock) {
    registry.add_listener([this](core::SessionId session) { ended.push_back(session); });
  }
  core::Result<SessionRegistry::Entry> find(const std::string& token) {
    const auto claims = tokens_.verify(token, clock_.now()).value();
    return run(registry.find(claims.user, claims.session, claims.epoch));
  }
  // One or two turns of the poll.
  void poll() {
    auto body = [&]() -> core::Task<> {
      try {
        co_await core::with_timeout(registry.poll(), 50ms);
      } catch (const core::TimeoutError&) {
      }
    };
    run(body);
  }
  SessionRegistry registry;
  std::vector<core::SessionId> ended;

 private:
  const AccessTokens& tokens_;
  const core::Clock& clock_;
};

TEST_F(AuthServiceTest, ARevocationIsReadByTheOtherNode) {
  const SignIn here = sign_up("ann@example.org");
  const SignIn there = sign_in("ann@example.org");
  SecondNode node(*database, tokens, clock);
  node.poll();
  const auto known = node.find(here.access_token).value();
  EXPECT_TRUE(node.find(there.access_token).has_value());
  run(auth.logout(here.user.id, here.session.id));
  node.poll();
  EXPECT_EQ(code_of(node.find(here.access_token)), Errc::token_invalid);
  EXPECT_TRUE(known.revoked->load());
  EXPECT_EQ(node.ended, std::vector{here.session.id});
  EXPECT_TRUE(node.find(there.access_token).has_value());
}

TEST_F(AuthServiceTest, ARevocationBeforeTheFirstPollIsNotMissed) {
  const SignIn here = sign_up("ann@example.org");
  SecondNode node(*database, tokens, clock);
  EXPECT_TRUE(node.find(here.access_token).has_value()) << "known to the node before it has polled";
  run(auth.logout(here.user.id, here.session.id));
  node.poll();
  EXPECT_EQ(code_of(node.find(here.access_token)), Errc::token_invalid);
}

TEST_F(AuthServiceTest, TheSocketOfASessionThatChangedThePasswordIsStillEndedLater) {
  const SignIn here = sign_up("ann@example.org");
  SecondNode node(*database, tokens, clock);
  node.poll();
  const auto socket = node.find(here.access_token).value();  // held by a WebSocket
  const SignIn changed = run(auth.change_password(caller_of(here), password, "battery staple")).value();
  node.poll();
  EXPECT_FALSE(socket.revoked->load());
  EXPECT_TRUE(node.ended.empty());
  // No request in between: the socket alone is open when the session is ended from elsewhere.
  run(auth.logout(here.user.id, here.session.id));
  node.poll();
  EXPECT_TRUE(socket.revoked->load());
  EXPECT_EQ(node.ended, std::vector{here.session.id});
  EXPECT_EQ(code_of(node.find(changed.access_token)), Errc::token_invalid);
}

TEST_F(AuthServiceTest, APasswordChangeElsewhereGivesTheSessionItsNewEpochHere) {
  const SignIn here = sign_up("ann@example.org");
  SecondNode node(*database, tokens, clock);
  node.poll();
  const auto before = node.find(here.access_token).value();
  const SignIn changed = run(auth.change_password(caller_of(here), password, "battery staple")).value();
  node.poll();
  EXPECT_EQ(code_of(node.find(here.access_token)), Errc::token_invalid);
  const auto after = node.find(changed.access_token);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after.value().revoked, before.revoked) << "one flag for everything of the session";
}

}  // namespace
}  // namespace clouddocs::auth
