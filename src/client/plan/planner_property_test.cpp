// SPDX-License-Identifier: AGPL-3.0-or-later
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "client/plan/model_tree.hpp"
#include "client/plan/planner.hpp"

namespace clouddocs::client {
namespace {

// A device and a server whose trees start equal, are changed at random on both sides, and are then brought together by plans.
class TwoSides {
 public:
  explicit TwoSides(unsigned seed) : random_(seed) {}

  void run(int rounds) {
    perturb(base_, 25);
    for (int round = 0; round < rounds; ++round) {
      auto local = base_;
      auto remote = base_;
      const auto before = base_.contents();
      perturb(local, 1 + static_cast<int>(random_() % 20));
      perturb(remote, 1 + static_cast<int>(random_() % 20));
      settle(local, remote, before);
      if (testing::Test::HasFailure()) return;
    }
  }

 private:
  NodeId fresh() {
    NodeId id;
    for (auto& b : id.bytes) b = static_cast<std::byte>(random_());
    return id;
  }
  template <class Items>
  auto pick(const Items& items) {
    return *std::next(items.begin(), static_cast<std::ptrdiff_t>(random_() % items.size()));
  }

  void perturb(ModelTree& tree, int count) {
    for (int i = 0; i < count; ++i) change_once(tree);
  }
  void change_once(ModelTree& tree) {
    const auto folders = tree.folders();
    const auto all = tree.ids();
    const auto parent = pick(folders);
    const auto name = std::string(1, static_cast<char>('a' + random_() % 6));  // few names: they meet often
    const auto action = random_() % 10;
    if (action < 4 || all.empty()) {
      const bool is_folder = random_() % 3 == 0;
      tree.add(fresh(), parent, name, is_folder ? Kind::folder : Kind::file,
               is_folder ? "" : std::to_string(random_() % 50));
    } else if (action < 6) {
      tree.edit(pick(all), "edit " + std::to_string(random_() % 1000));
    } else if (action < 9) {
      tree.move(pick(all), parent, name);
    } else {
      tree.remove(pick(all));
    }
  }

  void settle(ModelTree& local, ModelTree& remote, const std::set<std::string>& before) {
    auto must_stay = changed_since(local, before);
    must_stay.merge(changed_since(remote, before));
    const PlanOptions options{base_.root(), "laptop", {}, [this] { return fresh(); }};
    int steps_left = 5;
    while (true) {
      const auto out = plan(base_, local.difference_from(base_), remote.difference_from(base_), options);
      local.rename(out);
      for (const auto& step : out.remote) ASSERT_NO_THROW(remote.apply(step, out, true)) << "remote";
      for (const auto& step : out.local) ASSERT_NO_THROW(local.apply(step, out, false)) << "local";
      base_ = remote;
      if (out.is_empty()) break;
      ASSERT_GT(steps_left--, 0) << "does not come to an end";
    }
    ASSERT_EQ(local.listing(), remote.listing());
    const auto now = local.contents();
    for (const auto& content : must_stay) EXPECT_TRUE(now.contains(content)) << "lost: " << content;
  }

  // Contents that did not exist before: nobody can have deleted them, so they must survive.
  static std::set<std::string> changed_since(const ModelTree& tree, const std::set<std::string>& before) {
    std::set<std::string> out;
    for (const auto& content : tree.contents()) {
      if (!before.contains(content)) out.insert(content);
    }
    return out;
  }

  std::mt19937 random_;
  ModelTree base_;
};

TEST(PlannerProperty, RandomChangesOnBothSidesConvergeWithoutLoss) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TwoSides(seed).run(4);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace clouddocs::client
