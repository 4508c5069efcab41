// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "client/apply/round.hpp"
#include "client/remote/remote.hpp"
#include "core/random.hpp"

namespace clouddocs::client {

// Tells the server what the plan says, in batches. A batch is kept in the state until its answer has been taken in, so that after a crash or a lost
// answer the very same one is sent again and nothing happens twice.
class Committer {
 public:
  Committer(Remote& remote, State& state, const SpaceId& space, core::Random& random)
      : remote_(remote), state_(state), space_(space), random_(random) {}

  // Carries out the remote steps. Throws net::NetworkError.
  void run(Round& round);
  // Sends the batch that a crash left open. Its effects show in the mirror.
  void resume();

 private:
  void add(Round& round, const Step& step);
  bool depends_on_batch(const Step& step, const Outcome& outcome) const;
  bool fill(Round& round, const Step& step, Operation& operation);
  bool fill_content(Round& round, const Outcome& outcome, Operation& operation);
  void flush(Round& round);
  BatchResult send(const Batch& batch);
  void take_in(const BatchResult& result);

  Remote& remote_;
  State& state_;
  SpaceId space_;
  core::Random& random_;
  Batch batch_;
  std::unordered_set<NodeId> in_batch_;
};

// Puts what the server says about a row into the mirror.
void mirror(State& state, const Item& item);

}  // namespace clouddocs::client
