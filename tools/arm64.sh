#!/usr/bin/env bash
# Builds the functions for arm64, and runs tests on them under QEMU: arm64.sh [build|test]
#
# Needs a Debian (bookworm or newer) on x86_64 and its package archive: from there come a second rustc with the libraries of both
# processors, QEMU, and the C library that the programs need. They are unpacked into .tools/arm64; nothing of the system changes. zig, which
# cargo-lambda brings, compiles and links C. Where rustup has the target, `make build ARCHITECTURE=arm64` needs none of this.
set -euo pipefail
cd "$(dirname "$0")/.."
step=${1:-all}
tools=$PWD/.tools/arm64
root=$tools/root
target=aarch64-unknown-linux-gnu
programs=$tools/programs
export CARGO_TARGET_DIR=${ARM64_TARGET_DIR:-$PWD/target/arm64}

toolchain() {
    [ -e "$tools/.ready" ] && return
    command -v apt-get > /dev/null && command -v dpkg > /dev/null || {
        echo "this takes a Debian's apt-get; elsewhere: rustup target add $target, and make build ARCHITECTURE=arm64" >&2
        exit 1
    }
    rm -rf "$tools"
    mkdir -p "$tools/lists/partial" "$tools/packages" "$root"
    local options=(-qq -oAPT::Architectures=amd64,arm64 -oDir::State::Lists="$tools/lists" -oAPT::Sandbox::User=root)
    apt-get "${options[@]}" update
    local std llvm
    std=$(depends libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
    llvm=$(depends "$std" 'libllvm[0-9]*')
    (cd "$tools/packages" && apt-get "${options[@]}" download rustc-web "$std:amd64" "$llvm:amd64" \
        libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64 qemu-user-static libc6:arm64 libgcc-s1:arm64)
    for package in "$tools"/packages/*.deb; do
        dpkg -x "$package" "$root"
    done
    rm -r "$tools/packages" "$tools/lists"
    touch "$tools/.ready"
}

# The one dependency of a package whose name is of that form.
depends() {
    apt-cache -oAPT::Architectures=amd64,arm64 -oDir::State::Lists="$tools/lists" depends "$1" \
        | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -1
}

# Programs that cargo and cc-rs start in place of a compiler, a linker and an archiver.
wrappers() {
    local python=$PWD/.venv/local/bin/python
    mkdir -p "$tools/bin"
    cat > "$tools/bin/rustc" << END
#!/bin/sh
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu exec $root/usr/bin/rustc "\$@"
END
    # zig has names of its own for processors.
    cat > "$tools/bin/cc" << END
#!/usr/bin/env bash
arguments=()
for argument in "\$@"; do
    case \$argument in --target=*) ;; *) arguments+=("\$argument") ;; esac
done
exec $python -m ziglang cc -target aarch64-linux-gnu.2.34 "\${arguments[@]}"
END
    printf '#!/bin/sh\nexec %s -m ziglang ar "$@"\n' "$python" > "$tools/bin/ar"
    chmod +x "$tools"/bin/*
}

build() {
    toolchain
    wrappers
    RUSTC=$tools/bin/rustc CC_aarch64_unknown_linux_gnu=$tools/bin/cc AR_aarch64_unknown_linux_gnu=$tools/bin/ar \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$tools/bin/cc \
        cargo build --locked --target "$target" --bin authorizer --bin revoker --bin enricher
    # What a test starts: the program in an emulated processor, with the C library of that processor.
    mkdir -p "$programs"
    for program in authorizer revoker enricher; do
        printf '#!/bin/sh\nexec %s -L %s %s "$@"\n' "$root/usr/bin/qemu-aarch64-static" "$root" \
            "$CARGO_TARGET_DIR/$target/debug/$program" > "$programs/$program"
        chmod +x "$programs/$program"
    done
}

# The black-box tests, built for this machine as ever; only the programs that they start are the others.
check() {
    unset CARGO_TARGET_DIR
    file -b "${ARM64_TARGET_DIR:-target/arm64}/$target/debug/authorizer" 2> /dev/null || true
    TESTED_PROGRAMS=$programs cargo test --locked ${DEVELOPMENT:---features cedar} --test it --test vectors -- ${TESTS:-}
}

[ "$step" = test ] || build
[ "$step" = build ] || check
