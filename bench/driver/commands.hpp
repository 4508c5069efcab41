// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "options.hpp"

namespace bench {

// Each measures one thing and prints one line of JSON.
void posts(const Options& options);     // many small files, one request each, over a few connections
void upload(const Options& options);    // one large file, or parts of it in several streams at once
void download(const Options& options);  // the same in the other direction, whole or in ranges, plain or TLS
void fan_out(const Options& options);   // events published, each awaited on all of many WebSockets
void idle(const Options& options);      // many WebSockets that do nothing, until standard input ends

}  // namespace bench
