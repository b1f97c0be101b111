// SPDX-License-Identifier: Apache-2.0
#include "upstream/exchange_pump.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "unit/upstream/forwarding.hpp"

namespace sluice::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using telemetry::UpstreamError;
using ::test::Peer;
using End = Forwarding::End;

class ExchangePumpTest : public ForwardingTest {
protected:
    ExchangePumpTest() : origin_{std::move(upstream_pair_.far)} {
        thread_.run([&] {
            connection_ = std::make_unique<Connection>(
                net::make_plain(thread_.reactor(), upstream_pair_.near), 0, cells());
        });
        EXPECT_TRUE(thread_.until([&] { return connection_->channel().writable; }));
    }
    ~ExchangePumpTest() override {
        EXPECT_TRUE(thread_.until([&] { return !running_; }));
        thread_.run([&] { connection_.reset(); });
    }
    void start() {
        running_ = true;
        thread_.run([&] { run(); });
    }
    Detached run() {
        const ForwardRequest request{.backend = backend_,
                                     .framing = head_.framing,
                                     .content_length = head_.content_length,
                                     .is_head = head_.verb == http::Verb::head};
        BackendBudget budget{patience_};
        ExchangePump pump{request, *job_, *stream_, *connection_, budget};
        result_ = co_await pump.run(target_, client_patience_);
        clean_ = pump.is_clean();
        heard_nothing_ = pump.heard_nothing();
        running_ = false;
    }
    Forwarding result() {
        EXPECT_TRUE(thread_.until([&] { return !running_; }));
        return result_;
    }
    void expect_failure(UpstreamError error) {
        const Forwarding r = result();
        EXPECT_EQ(r.end, End::failed);
        EXPECT_EQ(telemetry::to_string(r.error), telemetry::to_string(error));
        EXPECT_FALSE(clean_);
    }
    bool response_started() {
        return thread_.run([&] { return stream_->response_started(); });
    }

    ::test::Pair upstream_pair_ = ::test::Pair::make();
    Peer origin_;
    std::unique_ptr<Connection> connection_{};
    Backend backend_{};
    Target target_{.authority = "pets"};
    Duration patience_ = seconds{20};
    ExchangePump::Patience client_patience_{seconds{20}, seconds{20}};
    Forwarding result_{};
    bool running_ = false;
    bool clean_ = false;
    bool heard_nothing_ = false;
};

TEST_F(ExchangePumpTest, CarriesARequestAndItsResponse) {
    start();
    EXPECT_EQ(origin_.read_message(), sent_to("pets"));
    origin_.send("HTTP/1.1 201 Y\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 201 X\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_EQ(result_.status, 201);
    EXPECT_TRUE(clean_);
    EXPECT_EQ(job_->captured, "hello");
}

TEST_F(ExchangePumpTest, WritesAHeadThatIsMuchLongerThanTheBackends) {
    for (const std::size_t size : {900U, 1100U, 20'000U}) {
        job_->more_fields = "X-Long: " + std::string(size, 'f') + "\r\n";
        start();
        origin_.read_message();
        origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 5\r\n\r\nhello");
        EXPECT_EQ(client_.read_message(),
                  "HTTP/1.1 200 X\r\n" + job_->more_fields + "Content-Length: 5\r\n\r\nhello");
        EXPECT_EQ(result().end, End::complete);
        begin("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
}

TEST_F(ExchangePumpTest, SendsABodyOfKnownLengthWithItsHead) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyGET");
    start();
    EXPECT_EQ(origin_.read_message(),
              "SEND / HTTP/1.1\r\nHost: pets\r\nContent-Length: 4\r\n\r\nbody");
    origin_.send("HTTP/1.1 204 Y\r\n\r\n");
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 204 X\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_TRUE(clean_);
}

TEST_F(ExchangePumpTest, FramesAChunkedBodyAnew) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n");
    start();
    const std::string head = "SEND / HTTP/1.1\r\nHost: pets\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(origin_.read_until("a\r\n"), head + "1\r\na\r\n");
    client_.send("2\r\nbc\r\n");
    EXPECT_EQ(origin_.read_until("bc\r\n"), "2\r\nbc\r\n");
    client_.send("0\r\nTrailer: dropped\r\n\r\n");
    EXPECT_EQ(origin_.read_until("0\r\n\r\n"), "0\r\n\r\n");
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_TRUE(clean_);
}

TEST_F(ExchangePumpTest, CarriesChunksBack) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n");
    EXPECT_EQ(client_.read_until("abc\r\n"),
              "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    origin_.send("0\r\n\r\n");
    EXPECT_EQ(client_.read_until("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_TRUE(clean_);
}

TEST_F(ExchangePumpTest, ReadsAResponseThatComesByteByByte) {
    start();
    for (const char c : std::string{"HTTP/1.1 200 Y\r\nContent-Length: 2\r\n\r\nok"}) {
        origin_.send({&c, 1});
        thread_.run([] {});
    }
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(result().end, End::complete);
}

TEST_F(ExchangePumpTest, TakesTheEndOfTheConnectionForTheEndOfABodyWithoutFraming) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\n\r\nall of it");
    origin_.finish_writing();
    EXPECT_EQ(client_.read_until("0\r\n\r\n"),
              "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_FALSE(clean_);
}

TEST_F(ExchangePumpTest, ExpectsNoBodyAfterAHeadRequest) {
    begin("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    start();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(client_.read_until("\r\n\r\n"), "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_TRUE(clean_);
}

TEST_F(ExchangePumpTest, PassesOverInterimResponses) {
    start();
    origin_.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client_.read_until("\r\n\r\n"), "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
}

TEST_F(ExchangePumpTest, DoesNotListenToInterimResponsesForEver) {
    start();
    for (int i = 0; i < 20; ++i)
        origin_.send("HTTP/1.1 102 Busy\r\n\r\n");
    expect_failure(UpstreamError::malformed);
}

TEST_F(ExchangePumpTest, RefusesToSwitchProtocols) {
    start();
    origin_.send("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    expect_failure(UpstreamError::malformed);
    EXPECT_FALSE(response_started());
}

TEST_F(ExchangePumpTest, RefusesWhatIsNotHttp) {
    start();
    origin_.send("SSH-2.0-OpenSSH\r\n\r\n");
    expect_failure(UpstreamError::malformed);
    EXPECT_FALSE(response_started());
    EXPECT_FALSE(heard_nothing_);
}

TEST_F(ExchangePumpTest, RefusesAHeadBeyondTheLimit) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nA: " + std::string(100'000, 'a'));
    expect_failure(UpstreamError::head_too_large);
}

TEST_F(ExchangePumpTest, TakesBackAResponseWhoseFirstBytesAreBroken) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n");
    expect_failure(UpstreamError::malformed);
    EXPECT_FALSE(response_started()) << "the client can still be answered";
}

TEST_F(ExchangePumpTest, AbortsAResponseThatBreaksLater) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    client_.read_until("ab\r\n");
    origin_.send("zzz\r\n");
    expect_failure(UpstreamError::malformed);
    end_client();
    client_.read_all();
    EXPECT_EQ(client_.end(), Peer::End::reset);
}

TEST_F(ExchangePumpTest, LeavesTheClientAloneWhenTheHeadIsNotAcceptable) {
    job_->takes_heads = false;
    start();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 2\r\n\r\nok");
    expect_failure(UpstreamError::malformed);
    EXPECT_FALSE(response_started());
}

TEST_F(ExchangePumpTest, KnowsAResetFromAnAnswerThatWasCut) {
    start();
    origin_.read_message();
    origin_.reset();
    expect_failure(UpstreamError::reset);
    EXPECT_TRUE(heard_nothing_);
    EXPECT_FALSE(response_started());
}

TEST_F(ExchangePumpTest, FailsWhenTheHeadIsCut) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nConte");
    origin_.close();
    expect_failure(UpstreamError::closed_early);
    EXPECT_FALSE(response_started());
}

TEST_F(ExchangePumpTest, AbortsTheClientWhenTheBodyIsCut) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 10\r\n\r\nhalf");
    client_.read_until("half");
    origin_.finish_writing();
    expect_failure(UpstreamError::closed_early);
    end_client();
    client_.read_all();
    EXPECT_EQ(client_.end(), Peer::End::reset);
}

TEST_F(ExchangePumpTest, DoesNotReuseAConnectionWithBytesBehindTheResponse) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 Injected\r\n\r\n");
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_FALSE(clean_);
}

TEST_F(ExchangePumpTest, DoesNotReuseAConnectionThatTheOriginCloses) {
    start();
    origin_.send("HTTP/1.1 200 Y\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_FALSE(clean_);
}

TEST_F(ExchangePumpTest, GivesAnAnswerThatComesBeforeTheBodyIsSent) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nfirst");
    start();
    origin_.read_until("first");
    origin_.send("HTTP/1.1 413 Y\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client_.read_until("\r\n\r\n"), "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(result().end, End::complete);
    EXPECT_FALSE(clean_) << "the origin still expects the rest of the body";
}

TEST_F(ExchangePumpTest, GivesUpWhenTheFirstByteDoesNotCome) {
    patience_ = milliseconds{20};
    start();
    expect_failure(UpstreamError::first_byte_timeout);
    EXPECT_FALSE(response_started());
}

TEST_F(ExchangePumpTest, GivesUpWhenTheRestDoesNotCome) {
    patience_ = milliseconds{200};
    start();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 10\r\n\r\nhalf");
    expect_failure(UpstreamError::timeout);
    EXPECT_TRUE(response_started());
    EXPECT_TRUE(thread_.run([&] { return stream_->client_gone(); }));
}

TEST_F(ExchangePumpTest, GivesUpOnAClientThatStopsSending) {
    client_patience_.body = seconds{0};
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nfirst");
    start();
    EXPECT_EQ(result().end, End::client_timeout);
}

TEST_F(ExchangePumpTest, GivesUpOnAClientThatStopsReading) {
    client_patience_.write = seconds{0};
    start();
    const std::string body(64 << 20, 'x');
    std::thread sender{[&] {
        origin_.send("HTTP/1.1 200 Y\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n\r\n");
        origin_.send(body);
    }};
    EXPECT_EQ(result().end, End::client_gone);
    thread_.run([&] { connection_.reset(); });
    sender.join();
}

TEST_F(ExchangePumpTest, EndsWhenTheClientGoesAway) {
    start();
    origin_.read_message();
    client_.reset();
    EXPECT_EQ(result().end, End::client_gone);
}

TEST_F(ExchangePumpTest, StillAnswersAClientThatOnlyEndedItsOwnSide) {
    client_.finish_writing();
    start();
    origin_.read_message();
    origin_.send("HTTP/1.1 200 Y\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(result().end, End::complete);
}

TEST_F(ExchangePumpTest, StopsWhenTheClientsBodyIsNotAcceptable) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    start();
    EXPECT_EQ(result().end, End::body_malformed);
    EXPECT_FALSE(clean_);
}

TEST_F(ExchangePumpTest, StopsWhenTheClientsBodyIsTooLarge) {
    begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890", 10);
    start();
    EXPECT_EQ(result().end, End::body_too_large);
}

TEST_F(ExchangePumpTest, StopsWhenTheRequestCannotBeWritten) {
    job_->writes_requests = false;
    start();
    EXPECT_EQ(result().end, End::body_malformed);
}

TEST_F(ExchangePumpTest, NeitherLosesNorReordersLargeBodies) {
    std::string body(16 << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
        body[i] = static_cast<char>('a' + i * 7 % 23);
    const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    begin("POST / HTTP/1.1\r\nHost: h\r\n" + length);
    start();
    std::thread sender{[&] { client_.send(body); }};
    EXPECT_TRUE(origin_.read_message() == "SEND / HTTP/1.1\r\nHost: pets\r\n" + length + body);
    sender.join();
    std::thread answerer{[&] { origin_.send("HTTP/1.1 200 Y\r\n" + length + body); }};
    EXPECT_TRUE(client_.read_message() == "HTTP/1.1 200 X\r\n" + length + body);
    answerer.join();
    EXPECT_EQ(result().end, End::complete);
    EXPECT_TRUE(clean_);
}

}  // namespace
}  // namespace sluice::upstream
