// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>

#include "client/remote/remote.hpp"

namespace clouddocs::client {

// The JSON of docs/sync-protocol.md, both ways. parse_* throw ProtocolError.
Item parse_item(const boost::json::value& json);
ChangesPage parse_changes(std::string_view text);
std::vector<Space> parse_spaces(std::string_view text);
std::vector<VersionContent> parse_manifests(std::string_view text);
std::vector<content::ChunkName> parse_missing(std::string_view text);
BatchResult parse_batch_result(std::string_view text);
std::string batch_to_json(const Batch& batch);
Batch parse_batch(std::string_view text);
std::string chunks_to_json(const SpaceId& space, const std::vector<content::ChunkName>& names);
std::string manifests_to_json(const SpaceId& space, const std::vector<VersionOf>& files);

// The stable text of an error, back to its code; `internal` when unknown.
core::Errc errc_of(std::string_view code);

}  // namespace clouddocs::client
