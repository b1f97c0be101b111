// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"
#include "sluice/base/result.hpp"

namespace sluice::integrations {

/// Answers with a fixed status, fields and body (contract 10). No backend is called.
class Mock final : public Integration {
public:
    static Result<IntegrationPtr> make(const gateway::MethodBuild&);

    Mock(int status, std::string fields, std::string body)
        : status_{status}, fields_{std::move(fields)}, body_{std::move(body)} {}

    Task<void> call(Exchange&) const override;

private:
    int status_;
    std::string fields_;  ///< ready lines
    std::string body_;
};

}  // namespace sluice::integrations
