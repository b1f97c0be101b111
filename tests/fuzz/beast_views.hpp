// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/http/head.hpp"

namespace sluice::fuzz {

/// Boost.Beast's opinion on a head: the second, independent reading that ours is held against.
template <bool isRequest>
class BeastViews : public boost::beast::http::basic_parser<isRequest> {
public:
    std::string_view target{};
    int status = 0;
    std::vector<std::pair<std::string_view, std::string_view>> fields{};

    explicit BeastViews(std::string_view head) {
        this->eager(false);
        this->header_limit(1U << 20U);
        this->body_limit(boost::none);
        this->put(boost::asio::buffer(head.data(), head.size()), error_);
    }
    bool accepts() const { return this->is_header_done(); }
    /// Beast refuses a list of connection options or protocols that is not one; we look at fewer.
    bool refuses_a_list() const { return error_ == boost::beast::http::error::bad_value; }

private:
    using View = boost::beast::string_view;
    using Error = boost::beast::error_code;
    static std::string_view std_view(View v) { return {v.data(), v.size()}; }

    void on_request_impl(http::Verb, View, View t, int, Error&) override { target = std_view(t); }
    void on_response_impl(int code, View, int, Error&) override { status = code; }
    void on_field_impl(http::Field, View name, View value, Error&) override {
        fields.emplace_back(std_view(name), std_view(value));
    }
    void on_header_impl(Error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(View body, Error&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, Error&) override {
        return body.size();
    }
    void on_finish_impl(Error&) override {}

    Error error_{};
};

/// The same fields in the same order.
template <bool isRequest>
bool same_fields(const BeastViews<isRequest>& beast, const http::FieldList& ours) {
    if (beast.fields.size() != ours.size()) return false;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const http::HeaderField& field = ours.all()[i];
        if (beast.fields[i].first != field.name || beast.fields[i].second != field.value) {
            return false;
        }
    }
    return true;
}

/// Length and coding of the body as both see it.
template <bool isRequest, class Head>
bool same_framing(const BeastViews<isRequest>& beast, const Head& ours) {
    if (beast.chunked() != (ours.framing == http::Framing::chunked)) return false;
    const auto length = beast.content_length();
    if (length.has_value() != (ours.framing == http::Framing::length)) return false;
    return !length || *length == ours.content_length;
}

}  // namespace sluice::fuzz
