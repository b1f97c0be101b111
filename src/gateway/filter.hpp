// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gateway/exchange.hpp"
#include "sluice/base/task.hpp"

namespace sluice {

/// One step of a method's chain. Built once per snapshot and shared by every worker: hooks are
/// const and never block; whatever belongs to one request lives in its Exchange.
class Filter {
public:
    virtual ~Filter() = default;

    virtual Verdict on_request(Exchange&) const { return Verdict::pass; }

    /// Called only after `on_request` said `wait`, and must not say it again.
    virtual Task<Verdict> on_request_async(Exchange&) const { co_return Verdict::pass; }
};
namespace gateway {
/// What the integration must know to store a response: the cache filter of the method.
class StoragePolicy {
public:
    virtual const CacheKey& key() const = 0;
    virtual std::chrono::seconds ttl() const = 0;

protected:
    ~StoragePolicy() = default;
};
}  // namespace gateway

/// Shared, because one without settings serves every method.
using FilterPtr = std::shared_ptr<const Filter>;

/// The last step of a chain: answers what no filter answered.
class Integration {
public:
    virtual ~Integration() = default;
    /// Sends the response, or sets Exchange::reply_type.
    virtual Task<void> call(Exchange&) const = 0;
};
using IntegrationPtr = std::unique_ptr<const Integration>;

}  // namespace sluice
