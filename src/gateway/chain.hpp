// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gateway/filter.hpp"

namespace sluice::gateway {

/// The filters of one method, in the order of filters/registry.cpp.
class Chain {
public:
    void add(FilterPtr filter) { filters_.push_back(std::move(filter)); }

    /// Runs filters until one does not pass. No coroutine, no allocation (docs/adr/0003).
    Verdict advance(Exchange& x) const {
        while (x.filters_run < filters_.size()) {
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
    std::vector<FilterPtr> filters_;
};

}  // namespace sluice::gateway
