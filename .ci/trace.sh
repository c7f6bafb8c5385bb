#!/usr/bin/env bash
# Runs the built command over all fixtures, and over inputs that try to reach
# something, under strace. Fails on any use of the network, any program but its
# own worker, and any file outside of those it may open.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v strace > /dev/null; then
  apt-get update -qq
  apt-get install -qq --no-install-recommends strace > /dev/null
fi

work=$(cd "$(mktemp -d)" && pwd -P)
listener=
trap '[ -z "$listener" ] || kill "$listener"; rm -rf "$work"' EXIT
mkdir "$work/scratch" "$work/reports" "$work/hostile"
binary=$work/dsnlint
go build -o "$binary" ./cmd/dsnlint

node .ci/listen.js "$work/port" "$work/seen" &
listener=$!
for _ in $(seq 100); do
  [ ! -s "$work/port" ] || break
  sleep 0.1
done
port=$(cat "$work/port")

# trace COMMAND... writes what a command does to $work/traces.
trace() {
  rm -rf "$work/traces"
  mkdir "$work/traces"
  strace -ff -y -s 4096 -o "$work/traces/t" \
    -e trace=%network,execve,execveat,open,openat,openat2,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,io_uring_setup \
    -e signal=none "$@"
}

# judge EXECUTABLE READ WRITE fails on what the last command did and may not do.
judge() { node .ci/trace.js "$work/traces" "$@"; }

# First the test itself: what it must not miss.
if ! trace true > "$work/log" 2>&1; then
  cat "$work/log"
  echo "this system does not permit tracing, so that nothing is known of what the command does"
  exit 1
fi
self_check() {
  local executable
  executable=$(command -v "$1")
  trace "$executable" "${@:2}" > /dev/null 2>&1 || true
  if judge "$executable" "" "" > /dev/null; then
    echo "the test misses: $*"
    exit 1
  fi
}
self_check cat /etc/hostname
self_check touch "$work/touched"
self_check mkdir "$work/made"
self_check env true
self_check bash -c "echo > /dev/tcp/127.0.0.1/$port"
self_check bash -c "echo > /dev/udp/127.0.0.1/$port"
sleep 0.2
if ! grep -q tcp "$work/seen" || ! grep -q udp "$work/seen"; then
  echo "the listener misses what is sent to it"
  exit 1
fi
: > "$work/seen"

# check NAME WRITABLE ARGS... runs the command and judges it.
check() {
  local name=$1 writable=$2 status=0
  shift 2
  TMPDIR=$work/scratch trace "$binary" "$@" > "$work/log" 2>&1 || status=$?
  if [ "$status" -gt 2 ]; then
    echo "$name: exit code $status"
    tail -n 20 "$work/log"
    exit 1
  fi
  if ! judge "$binary" "$PWD:$work/hostile" "$work/scratch:$writable"; then
    echo "$name: it did what it may not do"
    exit 1
  fi
  if [ -s "$work/seen" ]; then
    echo "$name: the listener was reached"
    exit 1
  fi
  if [ -n "$(ls -A "$work/scratch")" ]; then
    echo "$name: it left files behind"
    exit 1
  fi
  echo "$name: ok"
}

# Inputs that name a place on the network, a file elsewhere or a program.
put() {
  mkdir -p "$(dirname "$work/hostile/$1")"
  cat > "$work/hostile/$1"
}
mkdir -p "$work/hostile/.git"
for kind in http file; do
  case $kind in
    http) reference=http://127.0.0.1:$port/schema.json ;;
    file) reference=file:///etc/hostname ;;
  esac
  put "schema-$kind/Chart.yaml" <<< $'apiVersion: v2\nname: c\nversion: 0.1.0'
  put "schema-$kind/values.yaml" <<< 'a: 1'
  put "schema-$kind/values.schema.json" <<< "{\"properties\": {\"a\": {\"\$ref\": \"$reference\"}}}"
  put "schema-$kind/templates/pod.yaml" <<< $'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: app, image: x}]}'
done
put functions/Chart.yaml <<< $'apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies: [{name: d, version: 1.0.0, repository: "http://127.0.0.1:'"$port"$'/"}]'
put functions/templates/pod.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: p
  annotations:
    a: {{ getHostByName "localhost" | quote }}
    b: {{ .Files.Get "/etc/hostname" | quote }}
    c: {{ (lookup "v1" "Secret" "default" "s") | toJson | quote }}
    d: {{ env "HOME" | quote }}
spec: {containers: [{name: app, image: x}]}
EOF
put "scp/kustomization.yaml" <<< 'resources: ["evil@127.0.0.1:org/repo", "github.com:org/repo"]'
put "scp/evil@127.0.0.1:org/repo/kustomization.yaml" <<< 'resources: []'
put "scp/github.com:org/repo/kustomization.yaml" <<< 'resources: []'
put remote/kustomization.yaml <<EOF
resources: ["http://127.0.0.1:$port/x.yaml", "https://127.0.0.1:$port/org/repo?ref=main", "git::ssh://127.0.0.1:$port/org/repo"]
configMapGenerator: [{name: c, files: [/etc/hostname, "x=../../../../../../etc/hostname"], envs: ["http://127.0.0.1:$port/env"]}]
helmCharts: [{name: c, repo: "http://127.0.0.1:$port/", version: 1.0.0}]
transformers: [function.yaml]
openapi: {path: /etc/hostname}
EOF
put remote/function.yaml <<'EOF'
apiVersion: x/v1
kind: X
metadata:
  name: x
  annotations: {config.kubernetes.io/function: "exec: {path: ./program.sh}"}
EOF
put remote/program.sh <<< $'#!/bin/sh\ntouch ran'
chmod +x "$work/hostile/remote/program.sh"
ln -s /etc/hostname "$work/hostile/remote/link.yaml"
put compose/compose.yaml <<EOF
include: ["http://127.0.0.1:$port/compose.yaml", "oci://127.0.0.1:$port/x", {path: included.yaml}]
services:
  app:
    extends: {file: /etc/hostname, service: x}
    env_file: [/etc/hostname, ../../../../../../etc/hostname]
    build: "http://127.0.0.1:$port/x.git"
    provider: {type: ./program.sh}
secrets: {s: {file: /etc/hostname}}
EOF
put compose/included.yaml <<< $'services: {web: {image: x, environment: {A: b}}}'
put compose/.env <<< 'COMPOSE_FILE=compose.yaml:http://127.0.0.1:'"$port"'/x.yaml:/etc/hostname'
cp -r "$work/hostile" "$work/fixed"

check fixtures "$work/reports" --fail-on never --format text --format "sarif=$work/reports/fixtures.sarif" fixtures/...
check "changes since a commit" "" --changed-since HEAD fixtures/...
for dir in "$work"/hostile/*/; do
  check "hostile: $(basename "$dir")" "" --root "$dir" "$dir"
done
check "hostile: all" "" --root "$work/hostile" "$work/hostile"
check fix "$work/fixed" fix --root "$work/fixed" "$work/fixed"
check baseline "$work/reports" baseline --root "$work/hostile" -o "$work/reports/baseline.sarif" "$work/hostile"
