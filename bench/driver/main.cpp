// SPDX-License-Identifier: AGPL-3.0-or-later
// The load driver of bench/run: bench_driver posts|upload|download|fan_out|idle --name value ...
#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <map>

#include "commands.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::map<std::string_view, void (*)(const bench::Options&)> commands{{"posts", bench::posts},
                                                                             {"upload", bench::upload},
                                                                             {"download", bench::download},
                                                                             {"fan_out", bench::fan_out},
                                                                             {"idle", bench::idle}};
  const auto command = commands.find(argc > 1 ? argv[1] : "");
  if (command == commands.end()) {
    std::cerr << "usage: bench_driver posts|upload|download|fan_out|idle --name value ...\n";
    return 2;
  }
  try {
    command->second(bench::Options(argc, argv, 2));
  } catch (const std::exception& error) {
    std::cerr << "bench_driver " << argv[1] << ": " << error.what() << "\n";
    return 1;
  }
  return 0;
}
