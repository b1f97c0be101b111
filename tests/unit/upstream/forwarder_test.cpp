// SPDX-License-Identifier: Apache-2.0
#include "upstream/forwarder.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "unit/upstream/forwarding.hpp"

namespace sluice::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using telemetry::UpstreamError;
using ::test::Peer;
using ::test::Port;
using End = Forwarding::End;

constexpr const char* kOk = "HTTP/1.1 200 Y\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class ForwarderTest : public ForwardingTest {
protected:
    ForwarderTest() { backend_.series = &series_; }
    ~ForwarderTest() override {
        EXPECT_TRUE(thread_.until([&] { return !running_; }));
        thread_.run([&] {
            forwarder_.reset();
            pool_.reset();
        });
    }
    /// One more target, at this port of 127.0.0.1.
    void add_target(std::uint16_t port) {
        const auto addresses = std::make_shared<net::Addresses>();
        addresses->publish({*net::parse_literal("127.0.0.1", port)});
        const auto id = static_cast<std::uint32_t>(backend_.targets.size());
        backend_.targets.push_back({.id = id,
                                    .host = "127.0.0.1",
                                    .port = port,
                                    .authority = "t" + std::to_string(id),
                                    .addresses = addresses});
    }
    /// Begins to forward a request for the client.
    void start(const std::string& request = kGet) {
        begin(request);
        running_ = true;
        thread_.run([&] { run(); });
    }
    Detached run() {
        const bool may_repeat = head_.verb == http::Verb::get;
        const ForwardRequest request{.backend = backend_,
                                     .framing = head_.framing,
                                     .content_length = head_.content_length,
                                     .may_repeat = may_repeat,
                                     .timeout = timeout_};
        result_ = co_await forwarder_->forward(request, *job_, *stream_, seconds{20}, seconds{20});
        running_ = false;
    }
    Forwarding result() {
        EXPECT_TRUE(thread_.until([&] { return !running_; }));
        return result_;
    }
    /// Forwards, and answers as the origin at the other end of `connection`.
    void exchange(Peer& connection, const std::string& authority = "t0") {
        start();
        EXPECT_EQ(connection.read_message(), sent_to(authority));
        connection.send(kOk);
        EXPECT_EQ(client_.read_message(), "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok");
        EXPECT_EQ(result().end, End::complete);
    }
    void expect_failure(UpstreamError error) {
        EXPECT_EQ(result().end, End::failed);
        EXPECT_EQ(telemetry::to_string(result_.error), telemetry::to_string(error));
    }

    Backend backend_{};
    std::optional<Pool> pool_{thread_.reactor()};
    std::optional<Forwarder> forwarder_{std::in_place, thread_.reactor(), *pool_, 0U};
    milliseconds timeout_{20'000};
    Forwarding result_{};
    bool running_ = false;
};

TEST_F(ForwarderTest, KeepsTheConnectionForTheNextRequest) {
    const Port port;
    add_target(port.number());
    start();
    Peer origin = port.accept();
    EXPECT_EQ(origin.read_message(), sent_to("t0"));
    origin.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    EXPECT_EQ(result_.status, 200);
    EXPECT_GT(result_.latency, Duration::zero());
    client_.read_message();
    exchange(origin);
    exchange(origin);
}

TEST_F(ForwarderTest, OpensAConnectionForEachRequestWhenNoneMayStayIdle) {
    backend_.max_idle = 0;
    const Port port;
    add_target(port.number());
    for (int i = 0; i < 2; ++i) {
        start();
        Peer origin = port.accept();
        origin.read_message();
        origin.send(kOk);
        EXPECT_EQ(result().end, End::complete);
        EXPECT_EQ(origin.read_all(), "") << "closed";
        client_.read_message();
    }
}

TEST_F(ForwarderTest, RepeatsAGetOnAFreshConnectionWhenThePooledOneWasStale) {
    const Port port;
    add_target(port.number());
    start();
    Peer first = port.accept();
    first.read_message();
    first.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    client_.read_message();

    start();
    EXPECT_EQ(first.read_message(), sent_to("t0"));
    first.close();  // as an origin does that closed at the same moment
    Peer second = port.accept();
    EXPECT_EQ(second.read_message(), sent_to("t0"));
    second.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    EXPECT_EQ(client_.read_message(), "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(errors(UpstreamError::reset), 1U);
}

TEST_F(ForwarderTest, NeverRepeatsAPostThatWasDelivered) {
    const Port port;
    add_target(port.number());
    start();
    Peer first = port.accept();
    first.read_message();
    first.send(kOk);
    EXPECT_EQ(result().end, End::complete);

    start("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    first.read_message();
    first.close();
    expect_failure(UpstreamError::reset);
}

TEST_F(ForwarderTest, DoesNotRepeatWhatFailedOnAFreshConnection) {
    const Port port;
    add_target(port.number());
    start();
    {
        Peer origin = port.accept();
        origin.read_message();
    }
    expect_failure(UpstreamError::reset);
}

TEST_F(ForwarderTest, DoesNotRepeatAnAnswerThatHasBegun) {
    const Port port;
    add_target(port.number());
    start();
    Peer origin = port.accept();
    origin.read_message();
    origin.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    client_.read_message();
    start();
    origin.read_message();
    origin.send("HTTP/1.1 200 Y\r\nContent-Length: 10\r\n\r\nhalf");
    client_.read_until("half");
    origin.close();
    expect_failure(UpstreamError::closed_early);
}

TEST_F(ForwarderTest, TakesTurnsBetweenTargets) {
    backend_.max_idle = 0;
    const Port a;
    const Port b;
    add_target(a.number());
    add_target(b.number());
    for (const Port* port : {&a, &b, &a}) {
        start();
        Peer origin = port->accept();
        EXPECT_EQ(origin.read_message(), sent_to(port == &a ? "t0" : "t1"));
        origin.send(kOk);
        EXPECT_EQ(result().end, End::complete);
        client_.read_message();
    }
}

TEST_F(ForwarderTest, GoesToTheNextTargetWhenOneRefusesAndPassesItOverForAWhile) {
    Port dead;
    const Port alive;
    add_target(dead.number());
    add_target(alive.number());
    dead.close();
    start();
    Peer origin = alive.accept();
    EXPECT_EQ(origin.read_message(), sent_to("t1"));
    origin.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    client_.read_message();
    exchange(origin, "t1");
    exchange(origin, "t1");  // the turn of the dead one
    EXPECT_EQ(errors(UpstreamError::connect_refused), 1U);
}

TEST_F(ForwarderTest, HasNoTargetLeftWhenAllAreDown) {
    Port a;
    Port b;
    add_target(a.number());
    add_target(b.number());
    a.close();
    b.close();
    start();
    expect_failure(UpstreamError::connect_refused);
    EXPECT_EQ(errors(UpstreamError::connect_refused), 2U);
    start();
    expect_failure(UpstreamError::no_target);
}

TEST_F(ForwarderTest, AsksTheOnlyTargetThereIsEvenWhenItWasDown) {
    Port port;
    add_target(port.number());
    port.close();
    for (std::uint64_t i = 1; i <= 3; ++i) {
        start();
        expect_failure(UpstreamError::connect_refused);
        EXPECT_EQ(result_.status, 0);
        EXPECT_EQ(errors(UpstreamError::connect_refused), i);
    }
}

TEST_F(ForwarderTest, FailsWhenANameCannotBeResolved) {
    const auto addresses = std::make_shared<net::Addresses>();
    addresses->note_failure();
    backend_.targets.push_back({.authority = "t0", .addresses = addresses});
    start();
    expect_failure(UpstreamError::resolve_failed);
}

TEST_F(ForwarderTest, WaitsForTheFirstLookupOfAName) {
    const Port port;
    const auto addresses = std::make_shared<net::Addresses>();
    backend_.targets.push_back({.authority = "t0", .addresses = addresses});
    start();
    EXPECT_TRUE(thread_.run([&] { return running_; }));
    addresses->publish({*net::parse_literal("127.0.0.1", port.number())});
    Peer origin = port.accept();
    EXPECT_EQ(origin.read_message(), sent_to("t0"));
    origin.send(kOk);
    EXPECT_EQ(result().end, End::complete);
}

TEST_F(ForwarderTest, WaitsForALookupNoLongerThanForAConnection) {
    backend_.connect_timeout = milliseconds{20};
    backend_.targets.push_back({.addresses = std::make_shared<net::Addresses>()});
    start();
    expect_failure(UpstreamError::resolve_failed);
}

TEST_F(ForwarderTest, TriesEveryAddressOfATarget) {
    Port dead;
    const Port alive;
    const auto addresses = std::make_shared<net::Addresses>();
    addresses->publish({*net::parse_literal("127.0.0.1", dead.number()),
                        *net::parse_literal("127.0.0.1", alive.number())});
    backend_.targets.push_back({.authority = "t0", .addresses = addresses});
    dead.close();
    start();
    Peer origin = alive.accept();
    EXPECT_EQ(origin.read_message(), sent_to("t0"));
    origin.send(kOk);
    EXPECT_EQ(result().end, End::complete);
    EXPECT_EQ(errors(UpstreamError::connect_refused), 0U);
}

TEST_F(ForwarderTest, FailsWhenTheHandshakeDoes) {
    const Port port;
    add_target(port.number());
    backend_.targets[0].tls =
        *net::ClientTls::make(net::ClientTlsSettings{.insecure_skip_verification = true});
    start();
    Peer origin = port.accept();
    origin.send("HTTP/1.1 400 This is not TLS\r\n\r\n");
    expect_failure(UpstreamError::tls_failed);
}

TEST_F(ForwarderTest, CountsASilentConnectAgainstTheConnectTimeout) {
    const Port port;
    add_target(port.number());
    backend_.targets[0].tls =
        *net::ClientTls::make(net::ClientTlsSettings{.insecure_skip_verification = true});
    backend_.connect_timeout = milliseconds{20};
    start();
    Peer origin = port.accept();  // accepts, and never answers the hello
    expect_failure(UpstreamError::connect_timeout);
}

TEST_F(ForwarderTest, GivesUpAfterTheTimeOfTheIntegration) {
    timeout_ = milliseconds{50};
    const Port port;
    add_target(port.number());
    start();
    Peer origin = port.accept();
    origin.read_message();
    expect_failure(UpstreamError::first_byte_timeout);
    EXPECT_EQ(errors(UpstreamError::first_byte_timeout), 1U);
    EXPECT_EQ(origin.read_all(), "") << "not kept";
}

}  // namespace
}  // namespace sluice::upstream
