# shellcheck shell=bash disable=SC2154,SC2034
# sluice itself: its programs, configuration, schema, store and accounts; sourced by
# scripts/instance.

find_build() { # DIR
	local program
	build_dir=$(cd "$1" 2>/dev/null && pwd) || die "$1: no such directory; build first"
	for program in sluice-fcgi sluice-worker sluice-admin; do
		[ -x "$build_dir/$program" ] || die "$build_dir/$program is missing: build first"
	done
}

# Copies what the service user must be able to read: the source tree may be closed to it.
sluice_install() {
	local program template
	for program in sluice-fcgi sluice-worker sluice-admin; do
		install -m 0755 "$build_dir/$program" "$data/bin/$program.new"
		mv "$data/bin/$program.new" "$data/bin/$program"
	done
	rm -rf "$data/share/sql" "$data/share/magick" "$data/etc/nginx" "$data/etc/apache2"
	mkdir -p "$data/share/sql" "$data/share/magick" "$data/etc/nginx/snippets" \
		"$data/etc/apache2/conf-available"
	cp "$src"/sql/*.sql "$data/share/sql/"
	cp -r "$src/conf/magick/." "$data/share/magick/"
	# the very files that an operator installs, with the paths of this instance
	for template in "$src"/conf/nginx/*.conf* "$src"/conf/apache/*.conf*; do
		case $template in
		*/nginx/*) set -- "$data/etc/nginx/snippets" ;;
		*) set -- "$data/etc/apache2/conf-available" ;;
		esac
		program=${template##*/}
		sed -e "s|@localstatedir@|$data|g" -e "s|@runstatedir@|$run|g" \
			-e "s|@confdir@|$data/etc/sluice|g" -e "s|@sbindir@|$data/bin|g" \
			"$template" >"$1/${program%.in}"
	done
}

# Arguments: section.key=value
sluice_configure() {
	local set name section=''
	sluice_install
	{
		echo "# Made by scripts/instance; your own settings go into conf.d/."
		echo "[store]"
		echo "dir = $data/lib/sluice"
		[ "$front" != nginx-handoff ] || echo "spool = $data/lib/sluice/spool"
		echo "[database]"
		echo "conninfo = $(postgres_dsn sluice)"
		echo "[pool]"
		echo "listen = $run/sluice/sluice.sock"
		echo "[download]"
		case $front in
		nginx*) echo "method = accel" ;;
		apache*) echo "method = sendfile" ;;
		esac
		echo "[worker]"
		echo "magick_dir = $data/share/magick"
		if [ "$(id -u)" -eq 0 ]; then
			echo "[process]"
			echo "user = $service_user"
			echo "group = $service_group"
		fi
	} >"$data/etc/sluice/sluice.conf"
	for set; do
		[[ $set == *?.?*=* ]] || die "--set $set: section.key=value expected"
		name=${set%%=*}
		[ "${name%.*}" = "$section" ] || echo "[${name%.*}]"
		section=${name%.*}
		echo "${name##*.} = ${set#*=}"
	done >"$data/etc/sluice/conf.d/50-set.conf"
}

# Runs sluice-admin as the service user.
sluice_admin() {
	(cd "$data" && "${as_service[@]}" "$data/bin/sluice-admin" \
		-c "$data/etc/sluice/sluice.conf" "$@" </dev/null)
}

# Schema, store and, once, two accounts with a token each.
sluice_prepare() {
	sluice_admin schema apply --sql "$data/share/sql" >&2
	sluice_admin store init >&2
	[ "$front" != nginx-handoff ] || "${as_service[@]}" mkdir -p "$data/lib/sluice/spool"
	if [ -z "${token:-}" ]; then
		sluice_admin account add user >&2
		token=$(sluice_admin token add user)
		sluice_admin account add admin --admin >&2
		admin_token=$(sluice_admin token add admin)
	fi
}

# The pool and the worker start as the one who calls and, as root, drop to the service user.
sluice_start() { # sluice-fcgi|sluice-worker
	! process_pid "$1" >/dev/null || return 0
	process_start "$1" self "$data/bin/$1" -c "$data/etc/sluice/sluice.conf"
}
