// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <stdexcept>

#include "gateway/filter.hpp"
#include "sluice/base/prefetch.hpp"

namespace sluice::gateway {

/// The filters of one method, in the order of filters/registry.cpp. Nothing but pointers, so that
/// it lies in the cache line of its method; the stage owns the filters.
class Chain {
public:
    static constexpr std::size_t kMost = 4;  ///< the registry has three

    /// The filter outlives the chain. Throws std::logic_error beyond kMost.
    void add(const Filter& filter) {
        const auto free = std::find(filters_.begin(), filters_.end(), nullptr);
        if (free == filters_.end()) throw std::logic_error("more filters than a chain holds");
        *free = &filter;
    }

    /// The method of this chain has been found: its filters will be called.
    void prefetch() const {
        for (const Filter* filter : filters_) {
            if (filter == nullptr) break;
            sluice::prefetch(filter, kFilterStart);
        }
    }

    /// Runs filters until one does not pass. No coroutine, no allocation (docs/adr/0003).
    Verdict advance(Exchange& x) const {
        while (x.filters_run < kMost && filters_[x.filters_run] != nullptr) {
            const Verdict verdict = filters_[x.filters_run++]->on_request(x);
            if (verdict != Verdict::pass) return verdict;
        }
        return Verdict::pass;
    }

    /// Takes over when `advance` returned `wait`.
    Task<Verdict> resume(Exchange& x) const {
        Verdict verdict = Verdict::wait;
        while (verdict == Verdict::wait) {
            verdict = co_await filters_[x.filters_run - 1U]->on_request_async(x);
            if (verdict == Verdict::pass) verdict = advance(x);
        }
        co_return verdict;
    }

private:
    static constexpr std::size_t kFilterStart = 128;  // what a request reads of one

    std::array<const Filter*, kMost> filters_{};  // null behind the last
};

}  // namespace sluice::gateway
