// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "state/cache_store_impl.hpp"

namespace sluice::state {

CacheFill::CacheFill() = default;
CacheFill::CacheFill(CacheFill&&) noexcept = default;
CacheFill& CacheFill::operator=(CacheFill&&) noexcept = default;
CacheFill::~CacheFill() = default;

CacheFill::operator bool() const { return state_ != nullptr; }

bool CacheFill::append(std::string_view bytes) {
    if (state_ == nullptr) {
        return false;
    }
    if (state_->body.size() + bytes.size() > state_->store->max_entry) {
        // The answer outgrew the cache: an older one that is still stored is out of date.
        state_->finish(CacheShard::End::drop, nullptr, {});
        state_.reset();
        return false;
    }
    if (!state_->reserve(bytes.size())) {
        state_.reset();
        return false;
    }
    state_->body.append(bytes);
    return true;
}

void CacheFill::commit(int status, std::string fields, TimePoint stored, TimePoint expires,
                       std::uint32_t initial_age) {
    if (state_ == nullptr) {
        return;
    }
    const auto entry = std::make_shared<CacheEntry>();
    entry->hash = state_->flight->hash;
    // Exact sizes: a string that grew may hold twice what it needs.
    entry->key = std::string(state_->flight->key);
    fields.shrink_to_fit();
    state_->body.shrink_to_fit();
    entry->response = {.status = status,
                       .fields = std::move(fields),
                       .body = std::move(state_->body),
                       .stored = stored,
                       .expires = expires,
                       .initial_age = initial_age};
    const CachedResponse& made = entry->response;
    entry->cost =
        cache_entry_cost(entry->key.capacity(), made.fields.capacity(), made.body.capacity());
    // aws-semantics 5.1: body and header bytes count against the limit of one entry.
    const bool storable = made.fields.size() + made.body.size() <= state_->store->max_entry &&
                          entry->is_fresh(stored);
    state_->finish(storable ? CacheShard::End::store : CacheShard::End::drop, entry, stored);
    state_.reset();
}

void CacheFill::abandon() { state_.reset(); }

CacheFill::State::~State() {
    if (flight != nullptr) {
        finish(CacheShard::End::keep, nullptr, {});
    }
    store->filling.fetch_sub(reserved, std::memory_order_relaxed);
}

bool CacheFill::State::reserve(std::size_t bytes) {
    reserved += bytes;
    const auto before = store->filling.fetch_add(bytes, std::memory_order_relaxed);
    return before + bytes <= store->max_filling;
}

void CacheFill::State::finish(CacheShard::End end, const std::shared_ptr<CacheEntry>& entry,
                              TimePoint now) noexcept {
    const auto ended = std::move(flight);
    const auto waiters = store->shard(ended->hash).finish(*ended, end, entry, now);
    const CachedPtr answer =
        entry != nullptr ? CachedPtr(entry, &entry->response) : CachedPtr(nullptr);
    for (const auto& waiter : waiters) {
        waiter->resolved(answer);
    }
}

}  // namespace sluice::state
