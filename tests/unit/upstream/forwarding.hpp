// SPDX-License-Identifier: Apache-2.0
//
// A client, a stream and what an integration does between them, for tests of forwarding.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "support/reactor_thread.hpp"
#include "upstream/forwarder.hpp"

namespace sluice::upstream {

/// Passes on what it gets, with as few fields as possible.
class TestJob final : public Forwarded {
public:
    explicit TestJob(http::Stream& client) : client_{client} {}

    bool write_request_head(ByteWriter& out, const Target& target, http::Framing framing,
                            std::uint64_t length) override {
        if (!writes_requests) return false;
        out.text("SEND / HTTP/1.1\r\n").field("Host", target.authority);
        write_framing(out, framing, length);
        return true;
    }
    bool on_response_head(const http::ResponseHead& head, http::Framing framing,
                          std::uint64_t length, ByteWriter& out) override {
        if (!takes_heads) return false;
        if (framing == http::Framing::until_close) framing = http::Framing::chunked;
        const bool empty = client_.is_head() || head.status == 204;
        client_.start_response(head.status, empty ? http::Framing::none : framing);
        out.text("HTTP/1.1 ").number(static_cast<std::uint64_t>(head.status)).text(" X\r\n");
        out.text(more_fields);
        write_framing(out, head.status == 204 ? http::Framing::none : framing, length);
        return true;
    }
    void on_response_body(std::string_view piece) override { captured += piece; }

    bool writes_requests = true;
    bool takes_heads = true;
    std::string captured{};
    std::string more_fields{};  ///< for the client

private:
    static void write_framing(ByteWriter& out, http::Framing framing, std::uint64_t length) {
        if (framing == http::Framing::length) {
            out.text("Content-Length: ").number(length).text("\r\n");
        }
        if (framing == http::Framing::chunked) out.text("Transfer-Encoding: chunked\r\n");
        out.text("\r\n");
    }
    http::Stream& client_;
};

/// What TestJob makes of a request without a body for a target with this authority.
inline std::string sent_to(const std::string& authority) {
    return "SEND / HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
}

class ForwardingTest : public testing::Test {
protected:
    ForwardingTest() : client_{std::move(pair_.far)} {
        thread_.run([&] {
            transport_ = net::make_plain(thread_.reactor(), pair_.near);
            stream_ = std::make_unique<http::Stream>(*transport_, draining_);
            job_ = std::make_unique<TestJob>(*stream_);
        });
        EXPECT_TRUE(thread_.until([&] { return transport_->channel().writable; }));
        begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    ~ForwardingTest() override {
        thread_.run([&] {
            job_.reset();
            stream_.reset();
            transport_.reset();
        });
    }
    /// The client has sent these bytes: a head and perhaps a part of the body.
    void begin(const std::string& bytes, std::uint64_t body_limit = 1 << 30) {
        text_ = bytes;
        thread_.run([&] {
            const auto r = http::read_request_head(text_, {}, head_);
            ASSERT_EQ(r.state, http::HeadResult::State::complete) << r.reason;
            stream_->input.clear();
            stream_->input.append(std::string_view{text_}.substr(r.consumed));
            stream_->begin(head_, body_limit);
        });
    }
    telemetry::BackendCells& cells() { return series_.cells(0); }
    std::uint64_t errors(telemetry::UpstreamError e) {
        return thread_.run([&] { return cells().errors[static_cast<std::size_t>(e)].value(); });
    }
    /// Nothing more comes for the client.
    void end_client() {
        thread_.run([&] {
            stream_.reset();
            transport_.reset();
        });
    }

    ::test::ReactorThread thread_;
    ::test::Pair pair_ = ::test::Pair::make();
    ::test::Peer client_;
    bool draining_ = false;
    std::unique_ptr<net::Transport> transport_{};
    std::unique_ptr<http::Stream> stream_{};
    std::unique_ptr<TestJob> job_{};
    telemetry::BackendSeries series_{"b", 1};
    std::string text_{};
    http::RequestHead head_{};
};

}  // namespace sluice::upstream
