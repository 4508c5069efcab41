// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <span>

#include "database/database.hpp"
#include "database/migration.hpp"
#include "database/sqlite/connection.hpp"

namespace clouddocs::database {

// Creates what the driver itself needs: the list of applied migrations and the identity of the database.
void create_driver_tables(Connection& writer);

// Applies what is missing, each migration in a transaction of its own. Other processes may do the same at the same time.
// Throws DatabaseError (broken) when the database is newer than this program can serve: by more than one migration.
void apply_migrations(Connection& writer, std::span<const Migration> migrations);

inline constexpr Statement find_newest_migration{"find_newest_migration",
                                                 "SELECT coalesce(max(number), 0) FROM schema_migrations"};
inline constexpr Statement get_identity{"get_identity", "SELECT id FROM database_identity"};

}  // namespace clouddocs::database
