// SPDX-License-Identifier: Apache-2.0
#include "net/transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/reactor_thread.hpp"

namespace sluice::net {
namespace {

using ::test::Pair;
using ::test::Peer;
using ::test::ReactorThread;

class PlainTransportTest : public testing::Test {
protected:
    PlainTransportTest() {
        thread_.run([&] { transport_ = make_plain(thread_.reactor(), pair_.near); });
        EXPECT_TRUE(thread_.until([&] { return transport_->channel().writable; }));
    }
    ~PlainTransportTest() override {
        thread_.run([&] { transport_.reset(); });
    }
    IoResult read(std::size_t most = 100) {
        return thread_.run([&] {
            std::string into(most, '\0');
            const IoResult r = transport_->read(into.data(), into.size());
            if (r.state == Io::done) last_ = into.substr(0, r.bytes);
            return r;
        });
    }
    IoResult write(std::string_view bytes) {
        return thread_.run([&] {
            const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
            return transport_->write({&part, 1});
        });
    }
    bool is_readable() {
        return thread_.run([&] { return transport_->channel().readable; });
    }
    bool is_writable() {
        return thread_.run([&] { return transport_->channel().writable; });
    }
    bool is_quiet() {
        return thread_.run([&] { return transport_->is_quiet(); });
    }
    bool becomes_readable() {
        return thread_.until([&] { return transport_->channel().readable; });
    }

    ReactorThread thread_;
    Pair pair_ = Pair::make();
    std::unique_ptr<Transport> transport_{};
    std::string last_{};
};

TEST_F(PlainTransportTest, ReadsWhatThePeerSent) {
    EXPECT_EQ(read().state, Io::would_block);
    EXPECT_TRUE(is_quiet());
    pair_.far.send("hello");
    ASSERT_TRUE(becomes_readable());
    EXPECT_FALSE(is_quiet());
    EXPECT_EQ(read(3).bytes, 3U);
    EXPECT_EQ(last_, "hel");
    EXPECT_TRUE(is_readable()) << "a full read says nothing about what is left";
    EXPECT_EQ(read().state, Io::done);
    EXPECT_EQ(last_, "lo");
    EXPECT_FALSE(is_readable()) << "a short read emptied the socket";
    EXPECT_EQ(read().state, Io::would_block);
    EXPECT_FALSE(transport_->is_secure());
}

TEST_F(PlainTransportTest, ReadsEverythingBeforeTheEnd) {
    pair_.far.send("last words");
    pair_.far.finish_writing();
    ASSERT_TRUE(thread_.until([&] { return transport_->channel().peer_closed; }));
    EXPECT_EQ(read().state, Io::done);
    EXPECT_EQ(last_, "last words");
    EXPECT_EQ(read().state, Io::eof);
}

TEST_F(PlainTransportTest, ReportsAResetAsAnError) {
    pair_.far.reset();
    ASSERT_TRUE(thread_.until([&] { return transport_->channel().peer_closed; }));
    EXPECT_EQ(read().state, Io::error);
    EXPECT_EQ(write("x").state, Io::error);
}

TEST_F(PlainTransportTest, WritesSeveralPartsInOrder) {
    std::string a = "one ";
    std::string b = "two ";
    std::string c = "three";
    const IoResult r = thread_.run([&] {
        const std::array<iovec, 3> parts{iovec{a.data(), a.size()}, iovec{b.data(), b.size()},
                                         iovec{c.data(), c.size()}};
        return transport_->write(parts);
    });
    EXPECT_EQ(r.state, Io::done);
    EXPECT_EQ(r.bytes, 13U);
    EXPECT_EQ(pair_.far.read(13), "one two three");
}

TEST_F(PlainTransportTest, TakesWhatFitsAndBlocksUntilThePeerReads) {
    const std::string block(1 << 20, 'x');
    std::size_t taken = 0;
    IoResult r;
    while ((r = write(block)).state == Io::done)
        taken += r.bytes;
    EXPECT_EQ(r.state, Io::would_block);
    EXPECT_FALSE(is_writable());
    EXPECT_EQ(pair_.far.read(taken).size(), taken);
    EXPECT_TRUE(thread_.until([&] { return transport_->channel().writable; }));
    EXPECT_EQ(write("y").state, Io::done);
    EXPECT_EQ(pair_.far.read(1), "y");
}

TEST_F(PlainTransportTest, GoesOnReadingAfterItsOwnEnd) {
    thread_.run([&] { transport_->shutdown_write(); });
    EXPECT_EQ(pair_.far.read_all(), "");
    EXPECT_EQ(pair_.far.end(), Peer::End::fin);
    pair_.far.send("still here");
    ASSERT_TRUE(becomes_readable());
    EXPECT_EQ(read().state, Io::done);
    EXPECT_EQ(last_, "still here");
}

TEST_F(PlainTransportTest, ClosesWithAnEndOrOnRequestWithAReset) {
    thread_.run([&] {
        transport_->reset_on_close();
        transport_.reset();
    });
    EXPECT_EQ(pair_.far.read_all(), "");
    EXPECT_EQ(pair_.far.end(), Peer::End::reset);
    Pair other = Pair::make();
    thread_.run([&] { make_plain(thread_.reactor(), other.near).reset(); });
    EXPECT_EQ(other.far.read_all(), "");
    EXPECT_EQ(other.far.end(), Peer::End::fin);
}

}  // namespace
}  // namespace sluice::net
