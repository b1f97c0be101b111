// SPDX-License-Identifier: Apache-2.0
#include "upstream/directory.hpp"

#include <charconv>

namespace sluice::upstream {
namespace {

struct Origin {
    bool secure = false;
    std::string host{};
    std::uint16_t port = 0;
};

/// "https://pets.internal:8443"; config::check has seen that it has this form.
Origin parse_origin(std::string_view url) {
    Origin origin;
    origin.secure = url.starts_with("https://");
    url.remove_prefix(origin.secure ? 8 : 7);
    url = url.substr(0, url.find('/'));
    origin.port = origin.secure ? 443 : 80;
    const auto colon = url.rfind(':');
    const bool has_port = colon != url.npos && url.find(']', colon) == url.npos;
    if (has_port) {
        std::from_chars(url.data() + colon + 1, url.data() + url.size(), origin.port);
        url = url.substr(0, colon);
    }
    if (url.starts_with('[')) url = url.substr(1, url.size() - 2);
    origin.host = url;
    return origin;
}

std::string authority_of(const std::string& host, std::uint16_t port, bool secure) {
    const bool v6 = host.find(':') != std::string::npos;
    std::string text = v6 ? "[" + host + "]" : host;
    if (port != (secure ? 443 : 80)) text += ":" + std::to_string(port);
    return text;
}

}  // namespace

std::uint32_t Directory::number(std::map<std::string, std::uint32_t>& numbers,
                                const std::string& identity) {
    return numbers.emplace(identity, static_cast<std::uint32_t>(numbers.size())).first->second;
}

Target Directory::target(const std::string& host, std::uint16_t port, bool secure,
                         std::shared_ptr<const net::ClientTls> tls, std::string_view tls_identity) {
    const std::string name = host + '|' + std::to_string(port);
    Watched& watched = watched_[name];
    if (!watched.watch.addresses) watched.watch = resolver_.watch(host, port);
    watched.generation = generation_;
    const std::string identity =
        name + (secure ? "|tls|" : "|plain|") + std::string{secure ? tls_identity : ""};
    return {.id = number(target_numbers_, identity),
            .host = host,
            .port = port,
            .authority = authority_of(host, port, secure),
            .tls = secure ? std::move(tls) : nullptr,
            .addresses = watched.watch.addresses};
}

Result<Backend> Directory::make(const config::Backend& c) {
    Backend backend{.id = number(backend_numbers_, c.name),
                    .name = c.name,
                    .connect_timeout = c.connect_timeout,
                    .max_idle = c.max_idle_connections,
                    .preserve_host = c.preserve_host,
                    .series = &metrics_.backend(c.name)};
    std::shared_ptr<const net::ClientTls> tls;
    for (const config::Target& t : c.targets) {
        const Origin origin = parse_origin(t.url);
        if (origin.secure && !tls) {
            auto made = net::ClientTls::make(c.tls);
            if (!made) return made.error();
            tls = *made;
        }
        const std::string tls_identity = c.tls.ca_file.string() + '|' + c.tls.server_name +
                                         (c.tls.insecure_skip_verification ? "|any" : "|verified");
        backend.targets.push_back(
            target(origin.host, origin.port, origin.secure, tls, tls_identity));
    }
    return backend;
}

Result<void> Directory::begin(const config::Config& config) {
    ++generation_;
    backends_.clear();
    for (const config::Backend& c : config.backends) {
        auto backend = make(c);
        if (!backend) return backend.error();
        backends_[c.name] = std::make_shared<const Backend>(std::move(*backend));
    }
    if (!default_tls_) {
        auto made = net::ClientTls::make(config::BackendTls{});
        if (!made) return made.error();
        default_tls_ = *made;
    }
    return {};
}

std::shared_ptr<const Backend> Directory::find(std::string_view authority, std::string_view host,
                                               std::uint16_t port, bool secure) {
    if (const auto it = backends_.find(authority); it != backends_.end()) return it->second;
    const std::uint16_t actual = port != 0 ? port : secure ? 443 : 80;
    const std::string name = authority_of(std::string{host}, actual, secure);
    const std::string key = (secure ? "https://" : "http://") + name;
    auto& slot = backends_[key];
    if (slot) return slot;
    Backend backend{
        .id = number(backend_numbers_, key), .name = name, .series = &metrics_.backend(name)};
    backend.targets.push_back(target(std::string{host}, actual, secure, default_tls_, "default"));
    slot = std::make_shared<const Backend>(std::move(backend));
    return slot;
}

void Directory::finish() {
    for (auto it = watched_.begin(); it != watched_.end();) {
        if (it->second.generation == generation_) {
            ++it;
            continue;
        }
        resolver_.unwatch(it->second.watch.id);
        it = watched_.erase(it);
    }
}

}  // namespace sluice::upstream
