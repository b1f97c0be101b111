// SPDX-License-Identifier: Apache-2.0
//
// Responses the gateway writes itself, and the lines it adds to those of backends.
#pragma once

#include "gateway/exchange.hpp"
#include "sluice/base/byte_writer.hpp"

namespace sluice::gateway {

/// "HTTP/1.1 200 OK\r\n"
void write_status_line(ByteWriter&, int status, std::string_view reason);

/// x-amzn-RequestId, x-amz-apigw-id and Connection; the framing line; the empty line.
/// `length` is written for Framing::length.
void end_head(ByteWriter&, const Exchange&, http::Framing framing, std::uint64_t length);

/// "Date: ...\r\n"; formatted once per second and thread.
void write_date(ByteWriter&, WallTime now);

/// Sends the gateway response of x.reply_type (contract 5).
void send_reply(Exchange&);

/// Sends a complete response: `fields` are ready lines, `body` everything.
void send_whole(Exchange&, int status, std::string_view fields, std::string_view body);

/// Sends x.cached.
void send_cached(Exchange&);

/// For what never became an exchange: malformed or too large requests.
void send_refusal(http::Stream&, Reply, config::Compatibility, Random&, WallTime now);

}  // namespace sluice::gateway
