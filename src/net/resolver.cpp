// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <map>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace sluice::net {
namespace {

namespace asio = boost::asio;

using InfoPtr = std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })>;

template <class SocketAddress>
SocketAddress as(const Endpoint& e) {
    SocketAddress out{};
    std::memcpy(&out, &e.address, sizeof out);
    return out;
}

Result<Endpoints> look_up(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int why = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (why != 0) {
        const char* const text = why == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(why);
        return Error{Origin::upstream, "unresolvable", text, Retry::never};
    }
    const InfoPtr list{found};
    Endpoints out;
    for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
        Endpoint e{.size = a->ai_addrlen};
        std::memcpy(&e.address, a->ai_addr, a->ai_addrlen);
        if (std::ranges::find(out, e) == out.end()) out.push_back(e);  // /etc/hosts may repeat
    }
    if (out.empty()) return Error{Origin::upstream, "unresolvable", "no addresses", Retry::never};
    return out;
}

/// Name servers rotate their answers: another order is no change.
bool same_set(const Endpoints& a, const Endpoints& b) {
    return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

/// The way back from lookup threads, which may outlive the resolver and the io_context.
struct Gate {
    std::mutex mutex{};
    asio::io_context* io = nullptr;

    template <class F>
    void post(F work) {
        const std::lock_guard lock{mutex};
        if (io != nullptr) asio::post(*io, std::move(work));
    }
    void close() {
        const std::lock_guard lock{mutex};
        io = nullptr;
    }
};

}  // namespace

bool operator==(const Endpoint& a, const Endpoint& b) {
    if (a.family() != b.family()) return false;
    if (a.family() == AF_INET) {
        const auto x = as<sockaddr_in>(a);
        const auto y = as<sockaddr_in>(b);
        return x.sin_port == y.sin_port && x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    const auto x = as<sockaddr_in6>(a);
    const auto y = as<sockaddr_in6>(b);
    return x.sin6_port == y.sin6_port && x.sin6_scope_id == y.sin6_scope_id &&
           std::memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0;
}

bool is_loopback(const Endpoint& e) {
    if (e.family() == AF_INET) {
        return ntohl(as<sockaddr_in>(e).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const auto a = as<sockaddr_in6>(e);
    return IN6_IS_ADDR_LOOPBACK(&a.sin6_addr);
}

std::string to_string(const Endpoint& e) {
    char text[INET6_ADDRSTRLEN] = "";
    if (e.family() == AF_INET) {
        const auto a = as<sockaddr_in>(e);
        ::inet_ntop(AF_INET, &a.sin_addr, text, sizeof text);
        return std::string{text} + ":" + std::to_string(ntohs(a.sin_port));
    }
    const auto a = as<sockaddr_in6>(e);
    ::inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text);
    char scope[IF_NAMESIZE] = "";
    const bool scoped = a.sin6_scope_id != 0 && ::if_indextoname(a.sin6_scope_id, scope) != nullptr;
    return "[" + std::string{text} + (scoped ? "%" : "") + scope +
           "]:" + std::to_string(ntohs(a.sin6_port));
}

std::shared_ptr<const Endpoints> Addresses::get() const {
    const std::lock_guard lock{mutex_};
    return list_;
}

void Addresses::publish(Endpoints endpoints) {
    auto list = std::make_shared<const Endpoints>(std::move(endpoints));
    const std::lock_guard lock{mutex_};
    list_.swap(list);
    version_.fetch_add(1, std::memory_order_release);
}

std::optional<Endpoint> parse_literal(const std::string& host, std::uint16_t port) {
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
    if (bare.empty()) return std::nullopt;  // getaddrinfo would take it for the loopback
    const auto found = look_up(bare, port, AI_NUMERICHOST);
    if (!found || (bracketed && found->front().family() != AF_INET6)) return std::nullopt;
    return found->front();
}

Result<Endpoints> system_lookup(const std::string& host, std::uint16_t port) {
    if (host.empty()) return Error{Origin::upstream, "unresolvable", "no name", Retry::never};
    // Only address families this machine has: the others would each cost a failed connect.
    return look_up(host, port, AI_ADDRCONFIG);
}

struct Resolver::Impl : std::enable_shared_from_this<Impl> {
    struct Name {
        Name(asio::io_context& io, std::string h, std::uint16_t p)
            : host{std::move(h)}, port{p}, timer{io} {}

        const std::string host;
        const std::uint16_t port;
        const std::shared_ptr<Addresses> addresses = std::make_shared<Addresses>();
        std::map<std::uint64_t, Changed> watches{};
        asio::steady_timer timer;
        unsigned failures = 0;  ///< in a row
    };
    using Key = std::pair<std::string, std::uint16_t>;

    Impl(asio::io_context& context, Settings s) : io{context}, settings{std::move(s)} {
        gate->io = &io;
        if (!settings.lookup) settings.lookup = &system_lookup;
    }

    void look_up_soon(const std::shared_ptr<Name>&);
    void take(const std::shared_ptr<Name>&, Result<Endpoints>);
    void failed(Name&, const std::string& why);
    void succeeded(const std::shared_ptr<Name>&, Endpoints);
    void tell(const std::shared_ptr<Name>&);
    void notice(const Name&, bool failing, const std::string& detail) const;
    Duration pause_after(unsigned failures) const;

    asio::io_context& io;
    Settings settings;
    const std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    std::map<Key, std::shared_ptr<Name>> names{};
    std::map<std::uint64_t, Key> watches{};
    std::uint64_t last_id = 0;
};

void Resolver::Impl::look_up_soon(const std::shared_ptr<Name>& name) {
    // The thread holds weak references only, so that nothing is ever destroyed on it.
    auto work = [lookup = settings.lookup, back = gate, self = weak_from_this(),
                 weak = std::weak_ptr{name}, host = name->host, port = name->port]() noexcept {
        Result<Endpoints> found = lookup(host, port);
        back->post([self, weak, found = std::move(found)]() mutable {
            const auto impl = self.lock();
            const auto still_watched = weak.lock();
            if (impl && still_watched) impl->take(still_watched, std::move(found));
        });
    };
    try {
        std::thread{std::move(work)}.detach();
    } catch (const std::system_error& e) {  // no more threads
        take(name, Error{Origin::internal, "unresolvable", e.what(), Retry::always});
    }
}

void Resolver::Impl::take(const std::shared_ptr<Name>& name, Result<Endpoints> found) {
    if (name->watches.empty()) return;
    if (found && found->empty()) found = Error{Origin::upstream, "unresolvable", "no addresses"};
    if (!found) failed(*name, found.error().detail);
    name->timer.expires_after(found ? settings.period : pause_after(name->failures));
    name->timer.async_wait(
        [self = weak_from_this(), weak = std::weak_ptr{name}](boost::system::error_code stopped) {
            const auto impl = self.lock();
            const auto again = weak.lock();
            if (!stopped && impl && again) impl->look_up_soon(again);
        });
    if (found) succeeded(name, std::move(*found));
}

void Resolver::Impl::failed(Name& name, const std::string& why) {
    name.addresses->note_failure();
    if (name.failures++ == 0) notice(name, true, why);
}

void Resolver::Impl::succeeded(const std::shared_ptr<Name>& name, Endpoints found) {
    const bool recovered = std::exchange(name->failures, 0) > 0;
    const bool changed = !same_set(*name->addresses->get(), found);
    if (changed) name->addresses->publish(std::move(found));
    if (recovered) notice(*name, false, {});
    if (changed) tell(name);
}

void Resolver::Impl::tell(const std::shared_ptr<Name>& name) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, changed] : name->watches)
        ids.push_back(id);
    const auto list = name->addresses->get();
    for (const std::uint64_t id : ids) {
        const auto found = name->watches.find(id);
        if (found == name->watches.end()) continue;  // unwatched by one of the others
        const Changed call = found->second;
        if (call) call(*list);
    }
}

void Resolver::Impl::notice(const Name& name, bool failing, const std::string& detail) const {
    if (!settings.on_notice) return;
    settings.on_notice({name.host, failing, detail, name.addresses->get()->size()});
}

Duration Resolver::Impl::pause_after(unsigned failures) const {
    Duration pause = settings.first_retry;
    for (unsigned i = 1; i < failures && pause < settings.last_retry; ++i)
        pause *= 2;
    return std::min(pause, settings.last_retry);
}

Resolver::Resolver(asio::io_context& io) : Resolver{io, Settings{}} {}

Resolver::Resolver(asio::io_context& io, Settings settings)
    : impl_{std::make_shared<Impl>(io, std::move(settings))} {}

Resolver::~Resolver() {
    impl_->gate->close();
    // A name in somebody's hands (a callback under way) must not start another lookup.
    for (auto& [key, name] : impl_->names)
        name->watches.clear();
}

Resolver::Watch Resolver::watch(std::string host, std::uint16_t port, Changed on_change) {
    const Impl::Key key{host, port};
    const std::uint64_t id = ++impl_->last_id;
    auto& slot = impl_->names[key];
    const bool fresh = slot == nullptr;
    if (fresh) slot = std::make_shared<Impl::Name>(impl_->io, std::move(host), port);
    const auto name = slot;
    name->watches.emplace(id, on_change);
    impl_->watches.emplace(id, key);

    if (fresh) {
        if (const auto literal = parse_literal(name->host, port)) {
            name->addresses->publish({*literal});
        } else {
            impl_->look_up_soon(name);
        }
    }
    if (on_change && name->addresses->version() > 0) on_change(*name->addresses->get());
    return {id, name->addresses};
}

void Resolver::unwatch(std::uint64_t id) {
    const auto watch = impl_->watches.find(id);
    if (watch == impl_->watches.end()) return;
    const auto name = impl_->names.find(watch->second);
    name->second->watches.erase(id);
    if (name->second->watches.empty()) {
        name->second->timer.cancel();
        impl_->names.erase(name);
    }
    impl_->watches.erase(watch);
}

std::size_t Resolver::unresolved() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        impl_->names, [](const auto& entry) { return entry.second->addresses->version() == 0; }));
}

}  // namespace sluice::net
