// SPDX-License-Identifier: Apache-2.0
//
// Traffic to compare eviction policies with, and the plain LRU that S3-FIFO has to beat. Used by
// the unit test and by bench/micro/cache_bench.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "state/cache_s3fifo.hpp"

namespace sluice::test {

/// `requests` numbers of objects: popular ones after Zipf's law over `objects`; every
/// `scan_every` requests a scan of `scan_length` objects that are never asked for again.
struct TraceShape {
    std::size_t objects = 50'000;
    double exponent = 0.9;
    std::size_t requests = 500'000;
    std::size_t scan_every = 20'000;
    std::size_t scan_length = 5'000;
    std::uint64_t seed = 1;
};

inline std::vector<std::uint64_t> make_trace(const TraceShape& shape) {
    std::vector<double> reach(shape.objects);
    double sum = 0;
    for (std::size_t i = 0; i < shape.objects; ++i) {
        sum += 1 / std::pow(static_cast<double>(i + 1), shape.exponent);
        reach[i] = sum;
    }
    std::mt19937_64 random(shape.seed);
    std::uniform_real_distribution<double> uniform(0, sum);
    std::uint64_t unseen = shape.objects;
    std::vector<std::uint64_t> trace;
    for (std::size_t i = 0; i < shape.requests; ++i) {
        if (shape.scan_length > 0 && i % shape.scan_every == shape.scan_every - 1) {
            for (std::size_t n = 0; n < shape.scan_length; ++n) {
                trace.push_back(unseen++);
            }
        }
        const auto at = std::lower_bound(reach.begin(), reach.end(), uniform(random));
        trace.push_back(static_cast<std::uint64_t>(at - reach.begin()));
    }
    return trace;
}

/// An object's size, the same each time: 200 bytes to 8 KiB, mostly small.
inline std::size_t body_size(std::uint64_t object) {
    const auto mixed = (object + 1) * 0x9e3779b97f4a7c15;
    return (std::size_t{200} << (mixed >> 61) % 6) + (mixed >> 32) % 200;
}

inline std::uint64_t object_hash(std::uint64_t object) {
    auto h = (object + 1) * 0xbf58476d1ce4e5b9;
    h = (h ^ (h >> 31)) * 0x94d049bb133111eb;
    return h ^ (h >> 29);
}

class PlainLru {
public:
    explicit PlainLru(std::uint64_t capacity) : capacity_(capacity) {}
    bool ask(std::uint64_t object) {
        if (const auto found = places_.find(object); found != places_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return true;
        }
        bytes_ += cost(object);
        order_.push_front(object);
        places_[object] = order_.begin();
        while (bytes_ > capacity_) {
            bytes_ -= cost(order_.back());
            places_.erase(order_.back());
            order_.pop_back();
        }
        return false;
    }

private:
    static std::uint64_t cost(std::uint64_t object) {
        return state::cache_entry_cost(std::to_string(object).capacity(), 15, body_size(object));
    }
    std::uint64_t capacity_;
    std::uint64_t bytes_ = 0;
    std::list<std::uint64_t> order_{};
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_{};
};

inline std::shared_ptr<state::CacheEntry> make_entry(std::uint64_t object, TimePoint expires) {
    const auto entry = std::make_shared<state::CacheEntry>();
    entry->key = std::to_string(object);
    entry->hash = object_hash(object);
    entry->response.body = std::string(body_size(object), 'x');
    entry->response.expires = expires;
    entry->cost = state::cache_entry_cost(entry->key.capacity(), entry->response.fields.capacity(),
                                          entry->response.body.capacity());
    return entry;
}

/// S3Fifo with the same interface as PlainLru.
class AskedS3Fifo {
public:
    explicit AskedS3Fifo(std::uint64_t capacity) : policy_(capacity) {}
    bool ask(std::uint64_t object) {
        if (auto* const entry = policy_.find(std::to_string(object), object_hash(object))) {
            entry->touch();
            return true;
        }
        state::DeadEntries dead;
        policy_.insert(make_entry(object, TimePoint{std::chrono::seconds{1}}), TimePoint{}, dead);
        return false;
    }

private:
    state::S3Fifo policy_;
};

template <class Policy>
double hit_ratio(const std::vector<std::uint64_t>& trace, std::uint64_t capacity) {
    Policy policy(capacity);
    std::size_t hits = 0;
    for (const auto object : trace) {
        hits += policy.ask(object) ? 1 : 0;
    }
    return static_cast<double>(hits) / static_cast<double>(trace.size());
}

}  // namespace sluice::test
