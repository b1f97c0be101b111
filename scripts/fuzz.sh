#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every libFuzzer program of the fuzz preset for the given number of seconds each.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

found=0
for fuzzer in build/fuzz/tests/fuzz/*; do
    [[ -f $fuzzer && -x $fuzzer ]] || continue
    found=1
    name=$(basename "$fuzzer")
    grown=build/fuzz/corpus/$name # what is found goes here, not into the repository
    mkdir -p "$grown"
    seeds=()
    [[ -d tests/fuzz/corpus/${name%_fuzz} ]] && seeds=("tests/fuzz/corpus/${name%_fuzz}")
    printf '== %s, %s s\n' "$name" "$seconds"
    "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$grown/" "$grown" "${seeds[@]}"
done
((found)) || { echo "sluice: no fuzzer was built" >&2; exit 1; }
