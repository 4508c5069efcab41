// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_bus.hpp"

#include "bus/bus_contract.hpp"

namespace clouddocs::bus {
namespace {

INSTANTIATE_TEST_SUITE_P(Local, BusContract, ::testing::Values(MakeBus(make_local_bus)));

}  // namespace
}  // namespace clouddocs::bus
