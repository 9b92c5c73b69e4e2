# shellcheck shell=bash disable=SC2154,SC2034
# Where an instance's things lie and what is remembered between commands; sourced by
# scripts/instance. DIR/instance.env is the memory; only the owner of DIR may read it.

state_names='data run log front port fixed_port service_user build_dir token admin_token'

shell_line() { # NAME VALUE: an assignment that a shell can eval
	printf '%s=%q\n' "$1" "$2"
}

# One command at a time changes an instance.
layout_lock() {
	exec 9>"$dir/.lock"
	flock -w 120 9 || die "$dir: another command holds $dir/.lock"
}

layout_load() {
	[ -f "$dir/instance.env" ] || return 1
	# shellcheck source=/dev/null
	. "$dir/instance.env"
	service_setup
}

layout_need() {
	layout_load || die "$dir: no instance here (scripts/instance start $dir)"
}

layout_save() {
	local name
	(
		umask 077
		for name in $state_names; do
			shell_line "$name" "${!name:-}"
		done >"$dir/instance.env.new"
	)
	mv "$dir/instance.env.new" "$dir/instance.env"
}

# Who runs the servers, and how to become that user.
service_setup() {
	if [ "$(id -u)" -ne 0 ]; then
		service_user=$(id -un)
		service_group=$(id -gn)
		as_service=()
		return
	fi
	if [ -z "${service_user:-}" ]; then
		service_user=${SLUICE_SERVICE_USER:-www-data}
		id "$service_user" >/dev/null 2>&1 || service_user=nobody
	fi
	service_group=$(id -gn "$service_user")
	as_service=(setpriv --reuid "$service_user" --regid "$service_group" --clear-groups
		env "HOME=$data" "USER=$service_user" "LOGNAME=$service_user")
}

# Is there something in the path that the configuration files would have to quote?
layout_odd_path() {
	[[ $dir == *[[:space:]\"\'\\\$\`\|\&\;\{\}\#%]* ]]
}

# Makes the directories; for root, in a place where the service user can get at them.
layout_make() {
	local sub
	if [ -z "${data:-}" ]; then
		data=$dir/data
		service_setup
		if layout_odd_path ||
			{ [ "$(id -u)" -eq 0 ] && ! (cd / && "${as_service[@]}" test -x "$dir"); }; then
			data=$(mktemp -d /var/tmp/sluice-instance-XXXXXX)
			rm -rf "$dir/data"
			ln -s "$data" "$dir/data"
		fi
		run=$data/run
		# a socket's path holds 107 bytes, and Apache takes 95 of sluice.sock's
		if [ ${#run} -gt 70 ]; then
			run=$(mktemp -d /tmp/sluice-XXXXXX)
		fi
	fi
	service_setup
	log=$data/log
	for sub in bin etc/sluice/conf.d lib/sluice share log tmp; do
		mkdir -p "$data/$sub"
	done
	# the short directory may have gone with /tmp at a reboot
	mkdir -p "$run/sluice"
	[ "$run" = "$dir/run" ] || ln -sfn "$run" "$dir/run"
	# bin and share are for every user (the decoders' too), the rest is for one
	chmod 0711 "$data" "$data/lib"
	chmod 0700 "$run" "$data/etc" "$data/lib/sluice" "$data/log" "$data/tmp"
	if [ "$(id -u)" -eq 0 ]; then
		chown "$service_user:$service_group" "$data" "$data/etc" "$data/lib/sluice" \
			"$data/log" "$data/tmp" "$run" "$run/sluice"
	fi
}

layout_remove() {
	case $data in
	"$dir"/data | /var/tmp/sluice-instance-*) rm -rf "$data" ;;
	*) die "$data: not a place of ours" ;;
	esac
	case $run in
	"$data"/run) ;;
	/tmp/sluice-*) rm -rf "$run" ;;
	*) die "$run: not a place of ours" ;;
	esac
	rm -f "$dir/data" "$dir/run" "$dir/instance.env" "$dir/.lock"
	rmdir "$dir" 2>/dev/null || true
}
