// SPDX-License-Identifier: Apache-2.0
//
// This node's leases of token buckets. One thread; workers spend the stock of a bucket without
// knowing of this.
//
// What all nodes hold together is what the limit may be exceeded by within a window, so it is
// kept at what the limit admits in one lease: each of n nodes holds up to an n-th of that, and
// where that is less than a token, only what requests are waiting for.
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "state/lease_source.hpp"
#include "state/local_share.hpp"

namespace sluice::state {

class BucketLeases {
public:
    BucketLeases(LeaseSource& source, LeaseSettings settings)
        : source_{source}, settings_{settings}, share_{} {}
    BucketLeases(const BucketLeases&) = delete;
    BucketLeases& operator=(const BucketLeases&) = delete;

    void ask(BucketNeed, const PendingPtr&, TimePoint now);
    /// Renews, shrinks and gives back what is due. When to look again; nullopt = nothing is held.
    std::optional<TimePoint> look(TimePoint now);
    /// Gives everything back.
    void close(TimePoint now);
    void came_back() { share_.clear(); }

    std::size_t size() const { return leases_.size(); }
    std::uint64_t grants() const { return grants_; }
    std::uint64_t tokens() const { return tokens_; }

private:
    struct Lease {
        std::string name{};
        TokenBucket* bucket = nullptr;
        BucketShape shape;
        std::shared_ptr<const void> owner{};
        std::vector<PendingPtr> waiting{};  ///< to be asked for
        std::vector<PendingPtr> asked{};    ///< of the request under way
        bool is_asking = false;
        std::int64_t stock = 0;  ///< when last looked at
        std::int64_t owed = 0;   ///< admitted while the store was away
        SpendRate rate{};
        TimePoint looked{};
        TimePoint spent{};      ///< when something was last spent
        TimePoint dry_until{};  ///< the store said so
        double available = -1;  ///< in the shared bucket, when last heard; -1 = never
        TimePoint due{};
    };

    void send(Lease&, TimePoint now);
    void answered(const TokenBucket*, std::int64_t want, const BucketAnswer&);
    void answer_while_away(Lease&, std::int64_t want, TimePoint now);
    void take(Lease&, std::int64_t granted, std::chrono::nanoseconds retry, TimePoint now);
    void observe(Lease&, TimePoint now);
    void schedule(Lease&, TimePoint now);
    void look_at(Lease&, TimePoint now);
    void give_back(Lease&, std::int64_t tokens);
    std::int64_t most(const Lease&) const;

    LeaseSource& source_;
    const LeaseSettings settings_;
    LocalShare share_;
    std::unordered_map<const TokenBucket*, Lease> leases_;
    std::set<std::pair<TimePoint, const TokenBucket*>> due_;
    std::uint64_t grants_ = 0;
    std::uint64_t tokens_ = 0;
};

}  // namespace sluice::state
