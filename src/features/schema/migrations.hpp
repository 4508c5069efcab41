// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <span>

#include "database/migration.hpp"

namespace clouddocs::schema {

// Every step of the schema for SQLite, in order. A step is never changed after a release: expand first, contract one release later, so that
// the program before runs on the schema after.
std::span<const database::Migration> sqlite_migrations();

}  // namespace clouddocs::schema
