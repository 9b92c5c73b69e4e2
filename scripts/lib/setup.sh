# shellcheck shell=bash
# Packages and building, for scripts/quickstart and scripts/check. The caller stands in the root of
# the source tree.

step() {
	echo "== $*"
}

fail() {
	echo "$0: $*" >&2
	exit 1
}

case $PWD in
*[[:space:]\"\'\\\$\`\&\#]*)
	fail "configure takes no path with spaces or quotes in it: move $PWD elsewhere"
	;;
esac

# need_packages PURPOSE...: installs what is missing of scripts/packages PURPOSE...
need_packages() {
	local package missing=() sudo=()
	for package in $(scripts/packages "$@"); do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		sudo=(sudo)
		if ! command -v sudo >/dev/null || ! sudo_works; then
			fail "packages are missing and this user may not install them; as root:
	apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
		fi
	fi
	echo "installing: ${missing[*]}"
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive sh -ec '
		apt-get -o DPkg::Lock::Timeout=300 update -qq || echo "apt-get update failed" >&2
		apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" \
			>/dev/null' install "${missing[@]}" ||
		fail "apt-get could not install: ${missing[*]}"
}

# With a terminal sudo may ask for a password, without one it must not need any.
sudo_works() {
	if [ -t 0 ]; then
		sudo -v
	else
		sudo -n true 2>/dev/null
	fi
}

# build DIR LOG [configure switches]: out of tree, shows the end of the log on failure
build() {
	local dir=$1 log=$2
	shift 2
	mkdir -p "$dir"
	log=$(cd "$(dirname "$log")" && pwd)/${log##*/}
	if ! build_steps "$dir" "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		fail "the build failed; all of it is in $log"
	fi
}

build_steps() {
	local dir=$1
	shift
	if [ ! -x configure ] || [ configure.ac -nt configure ]; then
		autoreconf -i || return
	fi
	if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/.switches" 2>/dev/null)" != "$*" ]; then
		(cd "$dir" && "$OLDPWD/configure" "$@") || return
		echo "$*" >"$dir/.switches"
	fi
	make -C "$dir" -j"$(nproc)"
}
