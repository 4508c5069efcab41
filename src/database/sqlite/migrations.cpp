// SPDX-License-Identifier: AGPL-3.0-or-later
#include "database/sqlite/migrations.hpp"

#include <array>

#include "core/encoding.hpp"
#include "core/log.hpp"

namespace clouddocs::database {
namespace {

constexpr Statement insert_identity{"insert_identity",
                                    "INSERT INTO database_identity (only, id) VALUES (1, $1) ON CONFLICT DO NOTHING"};
constexpr Statement insert_migration{"insert_migration",
                                     "INSERT INTO schema_migrations (number, name, applied_at) VALUES ($1, $2, $3)"};
constexpr Statement find_foreign_key_violation{"find_foreign_key_violation",
                                               "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1"};

std::int64_t newest_applied(Connection& writer) { return writer.execute(find_newest_migration).front().int64(0); }

// REQUIRES: in a transaction.
void apply(Connection& writer, const Migration& migration) {
  writer.run_script(migration.sql);
  const Rows violations = writer.execute(find_foreign_key_violation);
  if (!violations.empty()) {
    throw DatabaseError(DatabaseError::Kind::constraint,
                        std::string("migration ") + migration.name + " leaves rows of " +
                            std::string(violations.front().text(0)) + " without their parent");
  }
  const std::array values{to_value(migration.number), to_value(migration.name), to_value(core::system_clock().now())};
  writer.execute(insert_migration, values);
}

void apply_missing(Connection& writer, std::span<const Migration> migrations) {
  for (const Migration& migration : migrations) {
    writer.run_script("BEGIN IMMEDIATE");
    if (newest_applied(writer) < migration.number) {
      apply(writer, migration);
      core::log_info("migration_applied", {{"number", migration.number}, {"name", migration.name}});
    }
    writer.run_script("COMMIT");
  }
}

}  // namespace

void create_driver_tables(Connection& writer) {
  writer.run_script(
      "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at "
      "INTEGER NOT NULL);"
      "CREATE TABLE IF NOT EXISTS database_identity (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);");
  std::array<std::byte, 16> random{};
  core::system_random().fill(random);
  const std::string id = core::to_hex(random);
  const std::array values{to_value(id)};
  writer.execute(insert_identity, values);
}

void apply_migrations(Connection& writer, std::span<const Migration> migrations) {
  const std::int64_t known = migrations.empty() ? 0 : migrations.back().number;
  const std::int64_t applied = newest_applied(writer);
  if (applied > known + 1) {
    throw DatabaseError(DatabaseError::Kind::broken, "the database has schema " + std::to_string(applied) +
                                                         ", this program knows " + std::to_string(known) +
                                                         " and runs on at most one newer: use a newer program");
  }
  // Tables are rebuilt by dropping and renaming them, which must not fire foreign keys; the result is checked instead.
  writer.run_script("PRAGMA foreign_keys = OFF");
  try {
    apply_missing(writer, migrations);
  } catch (...) {
    if (writer.in_transaction()) writer.run_script("ROLLBACK");
    writer.run_script("PRAGMA foreign_keys = ON");
    throw;
  }
  writer.run_script("PRAGMA foreign_keys = ON");
}

}  // namespace clouddocs::database
