// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

namespace clouddocs::database {

// One step of the schema, applied once, in a transaction of its own. A list of them is in ascending order of `number`; numbers
// are never reused and steps that were released never change. `sql` may hold several statements.
// Migrations expand before they contract: a program runs on the schema it knows and on the next one.
struct Migration {
  int number;
  const char* name;
  const char* sql;
};

}  // namespace clouddocs::database
