// SPDX-License-Identifier: Apache-2.0
//
// The words of the files for the enumerations of the model; reading, dump and schema share them.
#pragma once

#include "config/reader.hpp"
#include "sluice/config/model.hpp"

namespace sluice::config {

inline constexpr Name<Compatibility> kCompatibilities[] = {{"standard", Compatibility::standard},
                                                           {"aws", Compatibility::aws}};
inline constexpr Name<TlsVersion> kTlsVersions[] = {{"TLSv1.2", TlsVersion::tls1_2},
                                                    {"TLSv1.3", TlsVersion::tls1_3}};
inline constexpr Name<LogLevel> kLogLevels[] = {
    {"trace", LogLevel::trace}, {"debug", LogLevel::debug}, {"info", LogLevel::info},
    {"warn", LogLevel::warn},   {"error", LogLevel::error}, {"off", LogLevel::off}};
inline constexpr Name<LogFormat> kLogFormats[] = {{"text", LogFormat::text},
                                                  {"json", LogFormat::json}};
inline constexpr Name<LoggingLevel> kLoggingLevels[] = {
    {"OFF", LoggingLevel::off}, {"ERROR", LoggingLevel::error}, {"INFO", LoggingLevel::info}};
inline constexpr Name<TraceSampler> kTraceSamplers[] = {
    {"xray", TraceSampler::xray},
    {"always_on", TraceSampler::always_on},
    {"always_off", TraceSampler::always_off},
    {"traceidratio", TraceSampler::traceidratio},
    {"parentbased_xray", TraceSampler::parentbased_xray},
    {"parentbased_always_on", TraceSampler::parentbased_always_on},
    {"parentbased_always_off", TraceSampler::parentbased_always_off},
    {"parentbased_traceidratio", TraceSampler::parentbased_traceidratio}};
inline constexpr Name<TraceTrust> kTraceTrusts[] = {{"all", TraceTrust::all},
                                                    {"trustedProxies", TraceTrust::trusted_proxies},
                                                    {"none", TraceTrust::none}};
inline constexpr Name<StoreKind> kStores[] = {
    {"memory", StoreKind::memory}, {"sqlite", StoreKind::sqlite}, {"redis", StoreKind::redis}};
inline constexpr Name<RedisFailure> kRedisFailures[] = {
    {"local", RedisFailure::local}, {"closed", RedisFailure::closed}, {"open", RedisFailure::open}};
inline constexpr Name<UnauthorizedCacheControl> kCacheControlStrategies[] = {
    {"FAIL_WITH_403", UnauthorizedCacheControl::fail_with_403},
    {"SUCCEED_WITH_RESPONSE_HEADER", UnauthorizedCacheControl::succeed_with_response_header},
    {"SUCCEED_WITHOUT_RESPONSE_HEADER", UnauthorizedCacheControl::succeed_without_response_header}};
inline constexpr Name<Period> kPeriods[] = {
    {"DAY", Period::day}, {"WEEK", Period::week}, {"MONTH", Period::month}};
inline constexpr Name<MeterBy> kMeterBys[] = {{"apiKey", MeterBy::api_key},
                                              {"sourceIp", MeterBy::source_ip}};
inline constexpr Name<bool> kUnderscores[] = {{"drop", false}, {"pass", true}};

/// aws-semantics 1.3, in the order of AWS's own message.
inline constexpr std::string_view kVerbs[] = {"GET",   "PUT",     "POST", "DELETE",
                                              "PATCH", "OPTIONS", "HEAD", "ANY"};

}  // namespace sluice::config
