# SPDX-License-Identifier: Apache-2.0
"""The tables: each module has a list CASES."""
