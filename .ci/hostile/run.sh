#!/usr/bin/env bash
# Runs dsnlint over hostile inputs: run.sh [--strict] [--run REGEXP] BINARY
set -euo pipefail
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT
go build -o "$program/hostile" "$(dirname "$0")"/*.go
"$program/hostile" "$@"
