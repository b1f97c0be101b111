// SPDX-License-Identifier: Apache-2.0
#include "support/load.hpp"

#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace test {

std::int64_t LoadResult::count(int status) const {
    const auto found = by_status.find(status);
    return found == by_status.end() ? 0 : found->second;
}

std::int64_t LoadResult::answers() const {
    std::int64_t all = 0;
    for (const auto& [status, number] : by_status)
        all += number;
    return all;
}

LoadResult run_load(const LoadPlan& plan) {
    LoadResult total;
    std::mutex mutex;
    std::atomic<std::int64_t> left{plan.requests};
    const auto begin = Clock::now();
    const auto deadline = begin + plan.duration;
    const auto go_on = [&] {
        if (plan.stop != nullptr) return !plan.stop->load();
        if (plan.requests > 0) return left.fetch_sub(1) > 0;
        return Clock::now() < deadline;
    };
    Clock::time_point first_answer = Clock::time_point::max();
    Clock::time_point last_answer = begin;
    const auto one_connection = [&] {
        LoadResult mine;
        Clock::time_point first = Clock::time_point::max();
        Clock::time_point last = begin;
        Client client{plan.port};
        while (go_on()) {
            try {
                const Response r = client.get(plan.target, plan.headers);
                ++mine.by_status[r.status];
                last = Clock::now();
                first = std::min(first, last);
                if (!r.complete) throw std::runtime_error("incomplete body");
            } catch (const std::exception& e) {
                if (mine.failed++ == 0) mine.first_failure = e.what();
                client.close();
            }
        }
        const std::lock_guard lock{mutex};
        for (const auto& [status, number] : mine.by_status)
            total.by_status[status] += number;
        first_answer = std::min(first_answer, first);
        last_answer = std::max(last_answer, last);
        if (total.failed == 0) total.first_failure = mine.first_failure;
        total.failed += mine.failed;
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < plan.connections; ++i)
        threads.emplace_back(one_connection);
    threads.clear();
    total.took = Clock::now() - begin;
    if (first_answer < last_answer) total.inner = last_answer - first_answer;
    return total;
}

}  // namespace test
