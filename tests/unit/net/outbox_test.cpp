// SPDX-License-Identifier: Apache-2.0
#include "net/outbox.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/peer.hpp"

namespace sluice::net {
namespace {

/// Takes so many bytes and then blocks.
class NarrowTransport final : public Transport {
public:
    explicit NarrowTransport(Reactor& reactor) : Transport{reactor, ::test::Pair::make().near} {}
    IoResult read(char*, std::size_t) override { return {Io::would_block}; }
    IoResult write(std::span<const iovec> parts) override {
        ++calls;
        if (gone) return {Io::error};
        std::size_t taken = 0;
        for (const iovec& part : parts) {
            const std::size_t n = std::min(part.iov_len, room);
            got.append(static_cast<const char*>(part.iov_base), n);
            room -= n;
            taken += n;
        }
        if (taken == 0) return {Io::would_block};
        return {Io::done, taken};
    }
    void shutdown_write() override {}

    std::size_t room = std::numeric_limits<std::size_t>::max();
    std::string got{};
    int calls = 0;
    bool gone = false;
};

bool write_parts(Outbox& outbox, const std::vector<std::string>& texts) {
    std::vector<iovec> parts;
    for (const std::string& text : texts) {
        parts.push_back({const_cast<char*>(text.data()), text.size()});
    }
    return outbox.write(parts);
}

class OutboxTest : public testing::Test {
protected:
    Reactor reactor_;
    NarrowTransport transport_{reactor_};
    Outbox outbox_{transport_};
};

TEST_F(OutboxTest, SendsAtOnceWhatIsTaken) {
    EXPECT_TRUE(outbox_.write("hello"));
    EXPECT_EQ(transport_.got, "hello");
    EXPECT_TRUE(outbox_.is_empty());
    EXPECT_EQ(outbox_.sent(), 5U);
}

TEST_F(OutboxTest, SendsSmallPartsAsOneWrite) {
    EXPECT_TRUE(write_parts(outbox_, {"head", "", "body"}));
    EXPECT_EQ(transport_.got, "headbody");
    EXPECT_EQ(transport_.calls, 1);
}

TEST_F(OutboxTest, SendsLargePartsInOrder) {
    const std::string large(40'000, 'x');
    EXPECT_TRUE(write_parts(outbox_, {"head", large, "tail"}));
    EXPECT_EQ(transport_.got, "head" + large + "tail");
}

TEST_F(OutboxTest, KeepsWhatIsNotTaken) {
    transport_.room = 3;
    EXPECT_TRUE(write_parts(outbox_, {"ab", "cdef"}));
    EXPECT_FALSE(outbox_.is_empty());
    EXPECT_EQ(outbox_.sent(), 3U);
    EXPECT_TRUE(outbox_.write("gh"));  // goes behind
    EXPECT_EQ(transport_.got, "abc");
    transport_.room = 100;
    EXPECT_TRUE(outbox_.flush());
    EXPECT_TRUE(outbox_.is_empty());
    EXPECT_EQ(transport_.got, "abcdefgh");
    EXPECT_EQ(outbox_.sent(), 8U);
}

TEST_F(OutboxTest, StaysWhereItIsWhileThePeerBlocks) {
    transport_.room = 0;
    EXPECT_TRUE(outbox_.write("abc"));
    EXPECT_TRUE(outbox_.flush());
    EXPECT_FALSE(outbox_.is_empty());
    EXPECT_EQ(outbox_.sent(), 0U);
}

TEST_F(OutboxTest, SaysThatThePeerIsGone) {
    transport_.gone = true;
    EXPECT_FALSE(outbox_.write("abc"));
    transport_.gone = false;
    transport_.room = 0;
    EXPECT_TRUE(outbox_.write("abc"));
    transport_.gone = true;
    EXPECT_FALSE(outbox_.flush());
}

TEST_F(OutboxTest, CountsPerResponse) {
    outbox_.write("abc");
    outbox_.reset_count();
    outbox_.write("de");
    EXPECT_EQ(outbox_.sent(), 2U);
}

TEST_F(OutboxTest, NeitherLosesNorReordersBytes) {
    std::mt19937 random{3};
    std::string expected;
    transport_.room = 0;
    for (int step = 0; step < 3000; ++step) {
        transport_.room = random() % 300;
        if (random() % 3 == 0) {
            EXPECT_TRUE(outbox_.flush());
            continue;
        }
        std::vector<std::string> parts(1 + random() % 4);
        for (std::string& part : parts) {
            part.assign(random() % 10 == 0 ? random() % 9000 : random() % 60,
                        static_cast<char>('a' + random() % 26));
            expected += part;
        }
        ASSERT_TRUE(write_parts(outbox_, parts));
        ASSERT_EQ(transport_.got, expected.substr(0, transport_.got.size()));
    }
    transport_.room = std::numeric_limits<std::size_t>::max();
    EXPECT_TRUE(outbox_.flush());
    EXPECT_EQ(transport_.got, expected);
    EXPECT_EQ(outbox_.sent(), expected.size());
}

}  // namespace
}  // namespace sluice::net
