// SPDX-License-Identifier: Apache-2.0
#include "app/listeners.hpp"

#include <algorithm>

#include "sluice/telemetry/log.hpp"

namespace sluice::app {
namespace {

/// Two configurations mean the same socket when this is equal.
std::string listener_id(const config::Listener& c) {
    const std::string place = c.address + ':' + std::to_string(c.port);
    return c.port == 0 ? place + ' ' + c.name : place;
}

}  // namespace

Result<std::vector<Listeners::Opened>> Listeners::open(const config::Config& config) {
    std::vector<Opened> opened;
    for (const config::Listener& c : config.listeners) {
        if (open_.contains(listener_id(c))) continue;
        Opened o{.config = c, .sockets = {}, .tls = {}};
        if (c.tls) {
            auto made = net::ServerTls::make(*c.tls);
            if (!made) return made.error();
            for (const std::string& warning : (*made)->warnings())
                log::warn("{}", warning);
            o.tls = *made;
        }
        auto alone = http::ListenSocket::probe(c.address, c.port);
        if (!alone) return alone.error();
        std::uint16_t port = c.port;
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            auto socket = http::ListenSocket::bind(c.address, port);
            if (!socket) return socket.error();
            port = socket->port();
            o.sockets.push_back(std::move(*socket));
        }
        opened.push_back(std::move(o));
    }
    return opened;
}

void Listeners::serve(std::vector<Opened> opened) {
    for (Opened& o : opened) {
        const std::string id = listener_id(o.config);
        log::info("listening on {}:{} ({})", o.config.address, o.sockets.front().port(),
                  o.config.name);
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            workers_[i]->listen(id, std::move(o.sockets[i]), o.tls);
        }
        open_[id] = std::move(o.tls);
    }
}

void Listeners::close_others(const config::Config& config) {
    std::erase_if(open_, [&](const auto& entry) {
        const std::string& id = entry.first;
        const bool wanted = std::any_of(config.listeners.begin(), config.listeners.end(),
                                        [&](const auto& c) { return listener_id(c) == id; });
        if (wanted) return false;
        for (auto& worker : workers_)
            worker->close_listener(id);
        log::info("no longer listening on {}", id);
        return true;
    });
}

void Listeners::renew_tls(const config::Config& config) {
    for (const config::Listener& c : config.listeners) {
        const std::string id = listener_id(c);
        std::shared_ptr<const net::ServerTls> tls;
        if (c.tls) {
            auto made = net::ServerTls::make(*c.tls);
            if (!made) {
                // Tried again every second: say it once.
                if (failing_.insert(id).second) {
                    log::error("listener {}: {}; the old certificate goes on", c.name,
                               made.error().detail);
                }
                continue;
            }
            tls = *made;
            log::info("listener {}: certificates read", c.name);
        }
        failing_.erase(id);
        open_[id] = tls;
        for (auto& worker : workers_)
            worker->use_tls(id, tls);
    }
}

bool Listeners::has_changed_certificate() const {
    return std::any_of(open_.begin(), open_.end(), [](const auto& entry) {
        return entry.second && entry.second->certificate_changed();
    });
}

}  // namespace sluice::app
