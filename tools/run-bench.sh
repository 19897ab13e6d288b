#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `make bench`: measures the release build and its peers. ROWS chooses rows or groups.
set -euo pipefail
cd "$(dirname "$0")/.."
exec /usr/bin/python3 tools/run-bench.py build/release --rows "${ROWS:-all}" --runs "${RUNS:-5}"
