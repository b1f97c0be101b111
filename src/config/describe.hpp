// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/read.hpp"

namespace sluice::config {

/// The shape of a whole configuration, as the read() functions tell it.
Shape describe_config();

}  // namespace sluice::config
