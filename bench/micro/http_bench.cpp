// SPDX-License-Identifier: Apache-2.0
//
// What reading one message head costs, beside Boost.Beast's parser doing the same (views only),
// and what normalising a target costs. Head storage is reused, as a session reuses it.
#include <benchmark/benchmark.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <string_view>

#include "sluice/http/chunked.hpp"
#include "sluice/http/head.hpp"
#include "sluice/http/target.hpp"

namespace {

using namespace sluice;
using namespace sluice::http;

constexpr std::string_view kSmall =
    "GET /prod/pets/17?type=dog HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: wrk/4\r\n"
    "Accept: */*\r\n"
    "X-Api: 123\r\n"
    "\r\n";
static_assert(kSmall.size() == 105);

constexpr std::string_view kBrowser =
    "GET /prod/shop/catalogue/items/42?sort=price&dir=asc&page=2 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "sec-ch-ua: \"Chromium\";v=\"118\", \"Google Chrome\";v=\"118\", \"Not=A?Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/118.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://api.example.com/prod/shop/catalogue\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=8f2b6c1e0d9a4b7c; theme=dark; _ga=GA1.2.1234567890.1697000000; consent=yes; "
    "last=01234567890123; "
    "ab=7\r\n"
    "\r\n";
static_assert(kBrowser.size() == 870);

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Date: Tue, 10 Oct 2023 12:00:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 1024\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void request_head(benchmark::State& state, std::string_view bytes) {
    RequestHead head;
    const HeadLimits limits;
    for (auto _ : state) {
        benchmark::DoNotOptimize(bytes);
        HeadResult result = read_request_head(bytes, limits, head);
        benchmark::DoNotOptimize(result);
        if (result.state != HeadResult::State::complete) state.SkipWithError("refused");
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(request_head, small_105B, kSmall);
BENCHMARK_CAPTURE(request_head, browser_15_fields, kBrowser);

void response_head(benchmark::State& state) {
    ResponseHead head;
    const HeadLimits limits;
    for (auto _ : state) {
        HeadResult result = read_response_head(kResponse, limits, head);
        benchmark::DoNotOptimize(result);
        if (result.state != HeadResult::State::complete) state.SkipWithError("refused");
    }
}
BENCHMARK(response_head);

/// Beast's parser keeping views, the alternative that was measured against.
class BeastViews : public boost::beast::http::basic_parser<true> {
public:
    FieldList fields{};

private:
    using View = boost::beast::string_view;
    using Error = boost::beast::error_code;
    void on_request_impl(Verb, View, View, int, Error&) override {}
    void on_response_impl(int, View, int, Error&) override {}
    void on_field_impl(Field id, View name, View value, Error&) override {
        fields.push({id, {name.data(), name.size()}, {value.data(), value.size()}});
    }
    void on_header_impl(Error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(View body, Error&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, Error&) override {
        return body.size();
    }
    void on_finish_impl(Error&) override {}
};

void beast_head(benchmark::State& state, std::string_view bytes) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(bytes);
        BeastViews parser;
        parser.eager(false);
        boost::beast::error_code error;
        std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
        benchmark::DoNotOptimize(used);
        benchmark::DoNotOptimize(parser.fields.size());
        if (!parser.is_header_done()) state.SkipWithError("refused");
    }
}
BENCHMARK_CAPTURE(beast_head, small_105B, kSmall);
BENCHMARK_CAPTURE(beast_head, browser_15_fields, kBrowser);

void target(benchmark::State& state, std::string_view origin_form) {
    std::string scratch;
    for (auto _ : state) {
        benchmark::DoNotOptimize(origin_form);
        NormalTarget result = normalise(origin_form, config::Compatibility::standard, scratch);
        benchmark::DoNotOptimize(result);
        if (!result.ok) state.SkipWithError("refused");
    }
}
BENCHMARK_CAPTURE(target, plain, "/prod/pets/17?type=dog");
BENCHMARK_CAPTURE(target, escaped, "/prod/caf%C3%A9%20bar/%7Euser//x?y=%2e");

void chunked(benchmark::State& state) {
    std::string body;
    for (int i = 0; i < 16; ++i)
        body += "1000\r\n" + std::string(4096, 'x') + "\r\n";
    body += "0\r\n\r\n";
    for (auto _ : state) {
        ChunkedDecoder decoder;
        std::string_view rest = body;
        while (!decoder.done())
            rest.remove_prefix(decoder.next(rest).consumed);
        benchmark::DoNotOptimize(rest.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(chunked);

}  // namespace

BENCHMARK_MAIN();
