// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <regex>

#include "support/golden.hpp"

namespace test::golden {

namespace {

std::string from_base64(const std::string& text) {
    std::string bytes(text.size(), '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                  reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()));
    const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n) - padding);
    return bytes;
}

/// A value of a case: literal text, or {"re": pattern}.
bool matches(const json& wanted, const std::string& text, const Values& values) {
    if (wanted.is_object())
        return std::regex_search(text,
                                 std::regex{fill_in(wanted.at("re").get<std::string>(), values)});
    return fill_in(wanted.get<std::string>(), values) == text;
}

/// Every member of `wanted` is in `seen`, recursively; {"re"} matches text.
bool contains(const json& wanted, const json& seen, const Values& values) {
    if (wanted.is_object() && wanted.size() == 1 && wanted.contains("re"))
        return seen.is_string() && matches(wanted, seen.get<std::string>(), values);
    if (wanted.is_string())
        return seen.is_string() && fill_in(wanted.get<std::string>(), values) == seen;
    if (!wanted.is_object()) return wanted == seen;
    if (!seen.is_object()) return false;
    for (const auto& [name, value] : wanted.items())
        if (!seen.contains(name) || !contains(value, seen[name], values)) return false;
    return true;
}

std::string body_of(const json& request) {
    if (request.contains("body_b64")) return from_base64(request["body_b64"]);
    if (request.contains("body_size"))
        return std::string(request["body_size"].get<std::size_t>(), 'x');
    return request.value("body", "");
}

Headers headers_of(const json& request, const Values& values) {
    Headers headers;
    const json named = request.value("headers", json::object());
    for (const auto& [name, value] : named.items()) {
        if (value.is_array())
            for (const json& one : value)
                headers.push_back({name, fill_in(one, values)});
        else
            headers.push_back({name, fill_in(value, values)});
    }
    for (const json& pair : request.value("header_list", json::array()))
        headers.push_back({pair.at(0), fill_in(pair.at(1), values)});
    return headers;
}

void check_header(const Headers& headers, const std::string& name, const json& wanted,
                  const Values& values, std::size_t blanks_removed) {
    const auto seen = headers.get(name);
    if (!seen) {
        ADD_FAILURE() << "header " << name << " is missing";
        return;
    }
    // The length of a body that was recorded with a blank is longer than ours by that blank.
    if (same_name(name, "content-length") && wanted.is_string()) {
        EXPECT_EQ(std::stoull(*seen) + blanks_removed, std::stoull(wanted.get<std::string>()));
        return;
    }
    EXPECT_TRUE(matches(wanted, *seen, values)) << name << ": " << *seen << ", wanted " << wanted;
}

void check_headers(const json& expect, const Headers& headers, const Values& values,
                   std::size_t blanks_removed = 0) {
    const json named = expect.value("headers", json::object());
    for (const auto& [name, wanted] : named.items())
        check_header(headers, name, wanted, values, blanks_removed);
    for (const json& name : expect.value("headers_present", json::array()))
        EXPECT_TRUE(headers.has(name.get<std::string>())) << name << " is missing";
    for (const json& name : expect.value("headers_absent", json::array()))
        EXPECT_FALSE(headers.has(name.get<std::string>())) << name << " should not be there";
}

void check_body(const json& expect, const std::string& body, const Values& values) {
    if (expect.contains("body_text")) {
        EXPECT_EQ(body, without_blank(fill_in(expect["body_text"], values)));
    }
    if (expect.contains("body_b64")) {
        EXPECT_EQ(body, from_base64(expect["body_b64"]));
    }
    if (expect.contains("body_re")) {
        EXPECT_TRUE(matches({{"re", expect["body_re"]}}, body, values)) << body;
    }
    const json seen = json::parse(body, nullptr, false);
    if (expect.contains("body_json")) {
        EXPECT_EQ(seen, expect["body_json"]);
    }
    for (const char* key : {"body_json_subset", "body_json_match"})
        if (expect.contains(key)) {
            EXPECT_TRUE(contains(expect[key], seen, values)) << body;
        }
}

json query_of(const std::string& target) {
    json query = json::object();
    const std::size_t mark = target.find('?');
    if (mark == std::string::npos) return query;
    std::string rest = target.substr(mark + 1);
    while (!rest.empty()) {
        const std::string pair = rest.substr(0, rest.find('&'));
        rest.erase(0, pair.size() + 1);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        query[pair.substr(0, equals)].push_back(equals < pair.size() ? pair.substr(equals + 1)
                                                                     : std::string{});
    }
    return query;
}

/// Values of a query are given as text or as a list of texts.
bool query_has(const json& wanted, const json& query) {
    for (const auto& [name, value] : wanted.items())
        if (!query.contains(name) || query[name] != (value.is_array() ? value : json{value}))
            return false;
    return true;
}

}  // namespace

std::string without_blank(std::string body) {
    for (std::size_t at = 0; (at = body.find("\": \"", at)) != std::string::npos; ++at)
        body.erase(at + 2, 1);
    return body;
}

Response send_step(Client& client, const json& request, const std::string& stage,
                   const Values& values) {
    const std::string path = fill_in(request.at("path"), values);
    const std::string target = request.value("raw", false) ? path : "/" + stage + path;
    const Headers headers = headers_of(request, values);
    const std::string method = request.at("method");
    if (!request.value("chunked_empty", false))
        return client.request(method, target, headers, body_of(request));
    client.send(client.text_of(method, target, headers) + "0\r\n\r\n");
    return client.read(method);
}

bool matches_status(const json& expect, const Response& response) {
    return expect.at("status") == response.status;
}

void check_response(const json& expect, const Response& response, const Values& values) {
    if (expect.contains("status")) {
        EXPECT_EQ(expect["status"].get<int>(), response.status) << response.body;
    }
    const std::string recorded = expect.value("body_text", "");
    check_headers(expect, response.headers, values,
                  recorded.size() - without_blank(recorded).size());
    check_body(expect, response.body, values);
    EXPECT_TRUE(response.complete);
}

void check_upstream(const json& upstream, const std::vector<Received>& received,
                    const Values& values) {
    if (!upstream.value("called", true)) {
        EXPECT_TRUE(received.empty()) << "the backend was called";
        return;
    }
    if (received.size() != 1) {
        ADD_FAILURE() << "the backend was called " << received.size() << " times";
        return;
    }
    const Received& seen = received.front();
    if (upstream.contains("method")) {
        EXPECT_EQ(seen.method, upstream["method"]);
    }
    if (upstream.contains("path")) {
        EXPECT_EQ(seen.target.substr(0, seen.target.find('?')), fill_in(upstream["path"], values));
    }
    const json query = query_of(seen.target);
    if (upstream.contains("query")) {
        EXPECT_TRUE(query_has(upstream["query"], query)) << seen.target;
    }
    if (upstream.contains("query_exact")) {
        EXPECT_TRUE(query_has(upstream["query_exact"], query) &&
                    query.size() == upstream["query_exact"].size())
            << seen.target;
    }
    if (upstream.value("body_empty", false)) {
        EXPECT_EQ(seen.body, "");
    }
    check_headers(upstream, seen.headers, values);
    check_body(upstream, seen.body, values);
}

void check_log(const json& log, const std::filesystem::path& file, const Values& values) {
    const auto complete = [&] {
        const std::string text = read_file(file);
        std::size_t at = 0;
        for (const json& wanted : log) {
            std::smatch found;
            const std::regex pattern{fill_in(wanted.at("re").get<std::string>(), values)};
            if (!std::regex_search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                                   found, pattern))
                return false;
            at += static_cast<std::size_t>(found.position() + found.length());
        }
        return true;
    };
    EXPECT_TRUE(eventually(complete)) << log << "\nnot in\n" << read_file(file);
}

Script backend_script(const json& backend) {
    const std::string mode = backend.value("mode", "httpbin");
    Headers fixed;
    for (const json& pair : backend.value("headers", json::array()))
        fixed.push_back({pair.at(0), pair.at(1)});
    if (mode == "fixed")
        return [backend, fixed](const Received&) {
            Answer answer;
            answer.after(std::chrono::milliseconds{backend.value("delay_ms", 0)});
            return answer.then(
                Answer::text_of(backend.value("status", 200), backend.value("body", ""), fixed));
        };
    if (mode == "status-from-path")
        return [fixed](const Received& r) {
            return Answer::of(std::stoi(r.target.substr(r.target.rfind('/') + 1)), "", fixed);
        };
    if (mode == "close") return [](const Received&) { return Answer::nothing().close(); };
    if (mode == "body-echo")
        return [fixed](const Received& r) { return Answer::of(200, r.body, fixed); };
    return [fixed](const Received& r) {  // httpbin
        json headers = json::object();
        for (const Header& h : r.headers)
            headers[h.name] = h.value;
        Headers all = fixed;
        all.push_back({"Content-Type", "application/json"});
        const json body{{"args", query_of(r.target)},
                        {"headers", headers},
                        {"data", r.body},
                        {"method", r.method},
                        {"url", r.target}};
        return Answer::of(200, body.dump(), all);
    };
}

}  // namespace test::golden
