// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice {

/// Who caused a failure.
enum class Origin { client, upstream, store, internal };

/// May the operation be tried again? `if_reused`: only when it failed on a pooled connection.
enum class Retry { never, if_reused, always };

/// A failure at run time. `code` is a stable word for metric labels and log fields
/// ("connect_timeout"); `detail` is for the operator's log and never reaches a client.
struct Error {
    Origin origin = Origin::internal;
    std::string_view code{};
    std::string detail{};
    Retry retry = Retry::never;
};

/// What `value()` throws on an Error: asking without checking is a bug in the caller.
[[noreturn]] BOOST_NOINLINE inline void throw_exception_from_error(const Error& e,
                                                                   const boost::source_location&) {
    throw std::logic_error("unchecked error " + std::string{e.code} + ": " + e.detail);
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace sluice
