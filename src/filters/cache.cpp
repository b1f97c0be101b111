// SPDX-License-Identifier: Apache-2.0
#include "filters/cache.hpp"

#include "gateway/cache_rules.hpp"

namespace sluice::filters {
namespace {

using gateway::CacheUse;
using gateway::Invalidation;

/// One waiting request. The store may resolve it from any thread; the request itself is only
/// touched on its own.
class Waiter final : public state::CacheWaiter, public std::enable_shared_from_this<Waiter> {
public:
    explicit Waiter(net::Channel& channel) : channel_{&channel}, reactor_{channel.reactor()} {}

    void resolved(state::CachedPtr answer) noexcept override {
        reactor_.post([self = shared_from_this(), answer = std::move(answer)] {
            self->done_ = true;
            self->answer_ = answer;
            if (self->channel_ != nullptr) self->channel_->kick();
        });
    }
    bool is_done() const { return done_; }
    state::CachedPtr take_answer() { return std::move(answer_); }
    /// The request no longer waits.
    void leave() { channel_ = nullptr; }

private:
    net::Channel* channel_;
    net::Reactor& reactor_;
    state::CachedPtr answer_{};
    bool done_ = false;
};

/// Nobody is authorised to invalidate yet: policies and authorizers come later (contract [2]).
constexpr bool kIsAuthorized = false;

}  // namespace

FilterPtr Cache::make(const gateway::MethodBuild& build) {
    if (!build.settings.caching || !build.stage.cache) return nullptr;
    if (build.settings.cache_ttl.count() == 0) return nullptr;
    const config::Integration& integration = build.method_config.integration;
    const std::string& name_space =
        integration.cache_namespace.empty() ? build.resource.path : integration.cache_namespace;
    auto key =
        gateway::CacheKey::compile({.api_id = build.api.id,
                                    .stage = build.stage_config.stage_name,
                                    .cache_namespace = name_space},
                                   integration.cache_key_parameters, integration.request_parameters,
                                   build.stage_config.variables, build.config.compatibility);
    if (!key) throw std::invalid_argument(key.error().detail);  // config::check has seen to it
    return std::make_unique<Cache>(std::move(*key), build.settings,
                                   build.method_config.http_method == "ANY", integration.timeout);
}

void Cache::build_key(std::string& out, const Exchange& x) const {
    key_.build(out, x.request.head.method,
               {.params = x.params, .query = x.target.query, .fields = x.request.head.fields});
}

Verdict Cache::on_request(Exchange& x) const {
    if (only_get_ && x.request.head.verb != http::Verb::get) return Verdict::pass;
    const auto invalidation = gateway::client_invalidation(
        x.request.head.fields, settings_.require_authorization_for_cache_control,
        settings_.unauthorized_cache_control, kIsAuthorized);
    if (invalidation == Invalidation::refused) return x.reply(Reply::access_denied_cache);
    x.cache_warning = invalidation == Invalidation::ignored_with_warning;

    x.cache_use = gateway::cache_use(x.request.head, key_, x.snapshot.compatibility);
    if (x.cache_use == CacheUse::bypass) {
        x.cache = CacheStatus::bypass;
        return Verdict::pass;
    }
    x.caching = this;
    thread_local std::string key;
    build_key(key, x);
    const std::uint64_t hash = state::CacheStore::hash(key);
    state::CacheStore& store = *x.stage->cache;
    if (invalidation == Invalidation::refresh) {
        x.cache = CacheStatus::miss;
        x.fill = store.refresh(key, hash);
        return Verdict::pass;
    }
    if (auto hit = store.find(key, hash, x.started, x.worker.index)) {
        if (may_use(x, *hit)) return answer(x, std::move(hit));
        x.cache = CacheStatus::bypass;
        return Verdict::pass;
    }
    // A request with cookies may get an answer of its own: nobody shall wait for it.
    if (x.cache_use == CacheUse::shared_only) {
        x.cache = CacheStatus::miss;
        x.fill = store.refresh(key, hash);
        return Verdict::pass;
    }
    return Verdict::wait;
}

Task<Verdict> Cache::on_request_async(Exchange& x) const {
    std::string key;
    build_key(key, x);
    const auto waiter = std::make_shared<Waiter>(x.client.channel());
    auto found = x.stage->cache->join(key, state::CacheStore::hash(key), x.started, waiter);
    if (found.hit) co_return answer(x, std::move(found.hit));
    if (found.fill) {
        x.cache = CacheStatus::miss;
        x.fill = std::move(found.fill);
        co_return Verdict::pass;
    }
    const TimePoint began = std::chrono::steady_clock::now();
    const TimePoint deadline = x.worker.reactor.now() + patience_;
    while (!waiter->is_done()) {
        const net::Wake wake = co_await net::wait(x.client.channel(), deadline);
        x.waited = std::chrono::steady_clock::now() - began;
        if (wake == net::Wake::event) continue;
        waiter->leave();
        x.cache = CacheStatus::miss;
        co_return x.reply(Reply::integration_timeout);
    }
    waiter->leave();
    state::CachedPtr shared = waiter->take_answer();
    if (shared && may_use(x, *shared)) co_return answer(x, std::move(shared));
    x.cache = CacheStatus::miss;  // the leader had nothing to share
    co_return Verdict::pass;
}

Verdict Cache::answer(Exchange& x, state::CachedPtr entry) const {
    x.cache = CacheStatus::hit;
    x.cached = std::move(entry);
    return Verdict::reply;
}

bool Cache::may_use(const Exchange& x, const state::CachedResponse& entry) const {
    return x.cache_use != CacheUse::shared_only || gateway::is_for_everyone(entry.fields);
}

}  // namespace sluice::filters
