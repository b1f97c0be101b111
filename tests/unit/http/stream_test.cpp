// SPDX-License-Identifier: Apache-2.0
#include "http/stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "support/reactor_thread.hpp"

namespace sluice::http {
namespace {

using ::test::Pair;
using ::test::Peer;
using ::test::ReactorThread;

class StreamTest : public testing::Test {
protected:
    StreamTest() {
        thread_.run([&] {
            transport_ = net::make_plain(thread_.reactor(), pair_.near);
            stream_ = std::make_unique<Stream>(*transport_, draining_);
        });
        EXPECT_TRUE(thread_.until([&] { return transport_->channel().writable; }));
    }
    ~StreamTest() override {
        thread_.run([&] {
            stream_.reset();
            transport_.reset();
        });
    }
    /// Begins the exchange of a request with this head; what follows the head is in the input.
    void begin(const std::string& bytes, std::uint64_t limit = 1'000'000) {
        text_ = bytes;
        thread_.run([&] {
            RequestHead head;
            const HeadResult r = read_request_head(text_, {}, head);
            ASSERT_EQ(r.state, HeadResult::State::complete) << r.reason;
            stream_->input.clear();
            stream_->input.append(std::string_view{text_}.substr(r.consumed));
            stream_->begin(head, limit);
        });
    }
    /// Reads the body until it is no longer data; waits where it blocks.
    Stream::Body read_to_end() {
        Stream::Body state = Stream::Body::blocked;
        EXPECT_TRUE(thread_.until([&] {
            Stream::BodyPiece piece;
            while ((piece = stream_->read_body()).state == Stream::Body::data)
                body_ += piece.data;
            state = piece.state;
            return state != Stream::Body::blocked;
        }));
        return state;
    }
    bool send(std::string_view head, std::string_view body, bool end) {
        return thread_.run([&] { return stream_->send(head, body, end); });
    }
    void start(int status, Framing framing) {
        thread_.run([&] { stream_->start_response(status, framing); });
    }

    ReactorThread thread_;
    Pair pair_ = Pair::make();
    bool draining_ = false;
    std::unique_ptr<net::Transport> transport_{};
    std::unique_ptr<Stream> stream_{};
    std::string text_{};
    std::string body_{};
};

TEST_F(StreamTest, HasNoBodyWithoutFraming) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET");
    EXPECT_FALSE(stream_->has_body());
    EXPECT_EQ(read_to_end(), Stream::Body::end);
    EXPECT_EQ(stream_->input.view(), "GET") << "the next request stays";
}

TEST_F(StreamTest, ReadsABodyFromInputAndConnectionAndLeavesTheNextRequest) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123");
    pair_.far.send("456789GET /next");
    EXPECT_EQ(read_to_end(), Stream::Body::end);
    EXPECT_EQ(body_, "0123456789");
    EXPECT_TRUE(stream_->has_body());
    EXPECT_EQ(stream_->body_bytes(), 10U);
    EXPECT_EQ(stream_->input.view(), "GET /next");
}

TEST_F(StreamTest, DecodesAChunkedBody) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    pair_.far.send("2\r\nde\r\n0\r\n\r\nGET");
    EXPECT_EQ(read_to_end(), Stream::Body::end);
    EXPECT_EQ(body_, "abcde");
    EXPECT_EQ(stream_->input.view(), "GET");
}

TEST_F(StreamTest, RefusesABrokenBody) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    EXPECT_EQ(read_to_end(), Stream::Body::broken);
}

TEST_F(StreamTest, TakesAnEarlyEndForBroken) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123");
    pair_.far.finish_writing();
    EXPECT_EQ(read_to_end(), Stream::Body::broken);
}

TEST_F(StreamTest, RefusesALengthBeyondTheLimitBeforeReading) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", 10);
    EXPECT_EQ(read_to_end(), Stream::Body::too_large);
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", 10);
    EXPECT_EQ(read_to_end(), Stream::Body::end);
}

TEST_F(StreamTest, RefusesAChunkedBodyThatGrowsBeyondTheLimit) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", 10);
    pair_.far.send("6\r\n012345\r\n0\r\n\r\n");
    EXPECT_EQ(read_to_end(), Stream::Body::too_large);
}

TEST_F(StreamTest, AsksAWaitingClientToGoOnOnceAndOnlyWhenTheBodyIsRead) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    thread_.run([&] {
        EXPECT_EQ(stream_->read_body().state, Stream::Body::blocked);
        EXPECT_EQ(stream_->read_body().state, Stream::Body::blocked);
    });
    pair_.far.send("abc");
    EXPECT_EQ(read_to_end(), Stream::Body::end);
    start(200, Framing::length);
    send("HEAD", "", true);
    thread_.run([&] { transport_->shutdown_write(); });
    EXPECT_EQ(pair_.far.read_all(), "HTTP/1.1 100 Continue\r\n\r\nHEAD");
}

TEST_F(StreamTest, DoesNotAskAClientThatHasBegunToSend) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(read_to_end(), Stream::Body::end);
    thread_.run([&] { transport_->shutdown_write(); });
    EXPECT_EQ(pair_.far.read_all(), "");
}

TEST_F(StreamTest, SendsHeadAndBodyAsTheyAre) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_FALSE(stream_->response_started());
    start(200, Framing::length);
    EXPECT_TRUE(send("head|", "body", false));
    EXPECT_FALSE(stream_->response_complete());
    EXPECT_TRUE(send("", "more", true));
    EXPECT_TRUE(stream_->response_complete());
    EXPECT_TRUE(stream_->flushed());
    EXPECT_EQ(pair_.far.read(13), "head|bodymore");
    EXPECT_EQ(stream_->response_body_bytes(), 8U);
    EXPECT_EQ(stream_->sent_bytes(), 13U);
    EXPECT_EQ(stream_->status(), 200);
}

TEST_F(StreamTest, FramesChunks) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    start(200, Framing::chunked);
    send("head|", "", false);
    send("", "0123456789abcdef", false);
    send("", "", false);
    send("", "z", true);
    const std::string expected = "head|10\r\n0123456789abcdef\r\n1\r\nz\r\n0\r\n\r\n";
    EXPECT_EQ(pair_.far.read(expected.size()), expected);
    EXPECT_EQ(stream_->response_body_bytes(), 17U);
}

TEST_F(StreamTest, EndsChunksWithoutALastPiece) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    start(200, Framing::chunked);
    send("h", "ab", false);
    send("", "", true);
    EXPECT_EQ(pair_.far.read(13), "h2\r\nab\r\n0\r\n\r\n");
}

TEST_F(StreamTest, SendsNoBodyWhereThereMayBeNone) {
    begin("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(stream_->is_head());
    start(200, Framing::none);
    send("head", "body", true);
    thread_.run([&] { transport_->shutdown_write(); });
    EXPECT_EQ(pair_.far.read_all(), "head");
    EXPECT_EQ(stream_->response_body_bytes(), 0U);
}

TEST_F(StreamTest, KeepsWhatTheClientDoesNotTake) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string body(16 << 20, 'x');
    start(200, Framing::length);
    EXPECT_TRUE(send("", body, true));
    EXPECT_FALSE(thread_.run([&] { return stream_->flushed(); }));
    std::string got;
    std::thread reader{[&] { got = pair_.far.read(body.size()); }};
    EXPECT_TRUE(thread_.until([&] { return stream_->flush() && stream_->flushed(); }));
    reader.join();
    EXPECT_TRUE(got == body);
    EXPECT_EQ(stream_->sent_bytes(), body.size());
}

TEST_F(StreamTest, StartsEveryExchangeWithFreshCounts) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_FALSE(stream_->keep_alive());
    read_to_end();
    start(404, Framing::length);
    send("h", "b", true);
    begin("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(stream_->keep_alive());
    EXPECT_EQ(stream_->minor_version(), 0);
    EXPECT_FALSE(stream_->response_started());
    EXPECT_FALSE(stream_->response_complete());
    EXPECT_FALSE(stream_->has_body());
    EXPECT_EQ(stream_->sent_bytes() + stream_->response_body_bytes() + stream_->body_bytes(), 0U);
}

TEST_F(StreamTest, ResetsTheClientWhenAborted) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    start(200, Framing::length);
    send("head", "half", false);
    EXPECT_EQ(pair_.far.read(8), "headhalf");
    thread_.run([&] {
        stream_->abort();
        EXPECT_FALSE(stream_->keep_alive());
        EXPECT_TRUE(stream_->client_gone());
        EXPECT_FALSE(stream_->send("", "more", true));
        transport_.reset();
    });
    EXPECT_EQ(pair_.far.read_all(), "");
    EXPECT_EQ(pair_.far.end(), Peer::End::reset);
}

TEST_F(StreamTest, NoticesThatTheClientIsGone) {
    begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    start(200, Framing::length);
    pair_.far.reset();
    ASSERT_TRUE(thread_.until([&] { return transport_->channel().peer_closed; }));
    EXPECT_FALSE(send("head", "body", true));
    EXPECT_TRUE(stream_->client_gone());
}

}  // namespace
}  // namespace sluice::http
