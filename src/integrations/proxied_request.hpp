// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "integrations/http_proxy.hpp"

namespace sluice::integrations {

/// One request on its way through HTTP_PROXY: writes the head for the backend and the one for the
/// client, and keeps what the cache wants to store.
class ProxiedRequest final : public upstream::Forwarded {
public:
    ProxiedRequest(Exchange& x, const HttpProxy& proxy) : x_{x}, proxy_{proxy} {}

    bool write_request_head(ByteWriter&, const upstream::Target&, http::Framing,
                            std::uint64_t length) override;
    bool on_response_head(const http::ResponseHead&, http::Framing body, std::uint64_t length,
                          ByteWriter& client_head) override;
    void on_response_body(std::string_view piece) override;
    /// The response is complete: what was captured may be stored.
    void finish();

    std::string_view method() const;
    /// The path and query that the backend sees. False: they cannot be written faithfully.
    bool write_target(ByteWriter&) const;

private:
    void write_forwarding_fields(ByteWriter&) const;
    bool is_https() const;
    void write_ids(ByteWriter&) const;
    void write_fields_for_client(const http::ResponseHead&, const gateway::ConnectionTokens&,
                                 ByteWriter&);
    void store_field(const http::HeaderField&, gateway::Fate);
    void plan_storage(const http::ResponseHead&);

    Exchange& x_;
    const HttpProxy& proxy_;
    gateway::StoreDecision storage_{};
    std::string stored_fields_{};
    int status_ = 0;
};

}  // namespace sluice::integrations
