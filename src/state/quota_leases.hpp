// SPDX-License-Identifier: Apache-2.0
//
// This node's leases of quota. One thread. What the store granted counts as used there at once,
// so a quota is never exceeded; what is not spent goes back, and only a crash loses it.
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "state/lease_source.hpp"

namespace sluice::state {

class QuotaLeases {
public:
    QuotaLeases(LeaseSource& source, LeaseSettings settings)
        : source_{source}, settings_{settings} {}
    QuotaLeases(const QuotaLeases&) = delete;
    QuotaLeases& operator=(const QuotaLeases&) = delete;

    void ask(QuotaNeed, const PendingPtr&, TimePoint now);
    std::optional<TimePoint> look(TimePoint now);
    void close(TimePoint now);
    /// Tells the store what was taken while it was away; `forgot`: it came back without its data,
    /// so it hears all that this node took.
    void came_back(bool forgot, TimePoint now);

    std::size_t size() const { return active_.size(); }
    std::uint64_t grants() const { return grants_; }

    /// Accounts remembered for the rest of their window; beyond it the least useful are dropped.
    static constexpr std::size_t kMostAccounts = 200'000;

private:
    /// What this node took of one quota. Outlives the lease: it is what can be restored should
    /// the store lose its data, and what tells a lost answer from a grant.
    struct Account {
        std::string plan{};
        std::string key{};
        QuotaRule rule{};
        std::int32_t window = 0;
        std::int64_t net = -1;        ///< as the store knows it; -1 = not known
        std::int64_t owed = 0;        ///< taken while it was away
        std::int64_t remaining = -1;  ///< of all nodes, when last heard
        std::int64_t share = -1;      ///< of this node while the store is away; -1 = not divided
        // While somebody uses it:
        QuotaCounter* counter = nullptr;
        std::shared_ptr<const void> owner{};
        std::vector<PendingPtr> waiting{};
        std::vector<PendingPtr> asked{};
        bool is_asking = false;
        int refusals = 0;  ///< in a row
        std::int64_t stock = 0;
        SpendRate rate{};
        TimePoint looked{};
        TimePoint spent{};
        TimePoint due{};
    };

    Account& account_of(QuotaNeed&);
    void send(Account&, TimePoint now);
    void answered(Account&, std::int64_t want, const QuotaAnswer&);
    void answer_while_away(Account&, std::int64_t want, TimePoint now);
    void take(Account&, std::int64_t granted, TimePoint now);
    void refuse(Account&, TimePoint now);
    void enter_window(Account&, std::int32_t window);
    void observe(Account&, TimePoint now);
    void schedule(Account&, TimePoint now);
    void look_at(Account&, TimePoint now);
    void give_back(Account&, std::int64_t requests);
    void tell(Account&);
    void rest(Account&);
    void make_room();

    LeaseSource& source_;
    const LeaseSettings settings_;
    std::unordered_map<std::string, Account> accounts_;  ///< "plan|key"
    std::unordered_map<const QuotaCounter*, Account*> active_;
    std::set<std::pair<TimePoint, Account*>> due_;
    std::uint64_t grants_ = 0;
};

}  // namespace sluice::state
