// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/proxied.hpp"

namespace test {
namespace {

constexpr std::uint64_t kGiB = 1024 * 1024 * 1024;
// Buffers of both directions, sockets excluded, many times over; a body kept whole is 1 GiB.
constexpr std::uint64_t kFlat = 24 * 1024 * 1024;

TEST(BigBodies, DownloadOfOneGiBKeepsMemoryFlat) {
    Origin origin{[](const Received& r) {
        if (r.target == "/warm") return Answer::of(200, "warm");
        return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kGiB) +
                           "\r\n\r\n")
            .then_repeat(kGiB);
    }};
    Gateway gateway{kProxyEverything, {{"ORIGIN", origin.url()}}};
    gateway.get("/s/warm");
    const std::uint64_t before = gateway.resident_bytes();
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/big"));
    std::uint64_t received = 0;
    std::uint64_t peak = 0;
    std::uint64_t next_look = 0;
    const Response r = client.read("GET", [&](std::string_view part) {
        received += part.size();
        if (received >= next_look) {
            peak = std::max(peak, gateway.resident_bytes());
            next_look += kGiB / 64;
        }
    });
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(received, kGiB);
    EXPECT_TRUE(kSanitized || peak < before + kFlat) << before << " -> " << peak;
}

TEST(BigBodies, SlowReaderHoldsTheBackendBack) {
    Origin origin{[](const Received& r) {
        if (r.target == "/other") return Answer::of(200, "other");
        return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kGiB) +
                           "\r\n\r\n")
            .then_repeat(kGiB);
    }};
    Gateway gateway{kProxyEverything, {{"ORIGIN", origin.url()}}};
    gateway.get("/s/other");
    const std::uint64_t before = gateway.resident_bytes();
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/big"));
    ASSERT_TRUE(client.wire().read_head());
    // Nothing is read: what was sent waits in buffers, whose growth must end.
    std::uint64_t size = 0;
    EXPECT_TRUE(eventually([&] {
        const std::uint64_t now = gateway.resident_bytes();
        return std::exchange(size, now) == now;
    }));
    EXPECT_TRUE(kSanitized || size < before + kFlat) << before << " -> " << size;
    EXPECT_EQ(gateway.get("/s/other").status, 200) << "others are not held up";
    client.reset();
    // The pooled connection of the other request stays.
    EXPECT_TRUE(eventually([&] { return origin.open_connections() == 1; }));
}

TEST(BigBodies, UploadWithARaisedLimitKeepsMemoryFlat) {
    Origin origin{[](const Received& r) { return Answer::of(200, std::to_string(r.body_length)); },
                  {.keep_bodies = false}};
    Gateway gateway{std::string{kProxyEverything} +
                        "server: { workers: 1, limits: { bodyBytes: 2147483648 } }\n",
                    {{"ORIGIN", origin.url()}}};
    gateway.get("/s/warm");
    const std::uint64_t before = gateway.resident_bytes();
    Client client = gateway.client();
    client.send(client.text_of("POST", "/s/big", {{"Content-Length", std::to_string(kGiB)}}));
    const std::string block(1024 * 1024, 'u');
    std::uint64_t peak = 0;
    for (std::uint64_t sent = 0; sent < kGiB; sent += block.size()) {
        client.send(block);
        if (sent % (kGiB / 64) == 0) peak = std::max(peak, gateway.resident_bytes());
    }
    EXPECT_EQ(client.read().body, std::to_string(kGiB));
    EXPECT_TRUE(kSanitized || peak < before + kFlat) << before << " -> " << peak;
}

}  // namespace
}  // namespace test
