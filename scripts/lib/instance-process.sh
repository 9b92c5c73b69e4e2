# shellcheck shell=bash disable=SC2154
# Starting and stopping programs by pid file; sourced by scripts/instance.
#
# NAME.pid holds the process id, NAME.start the time the kernel says it started: a process is ours
# only when both agree, so a number that went to somebody else is never signalled. Each program
# leads its own session, so what it leaves behind is found by its session.

# process_stat PID: fills stat[] from /proc/PID/stat, stat[0] is the state
process_stat() {
	local line
	{ read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
	# the name may hold spaces and parentheses: cut at the last one
	read -r -a stat <<<"${line##*) }"
}

# process_known NAME: its pid if that number is still ours, dead or alive; fills stat[]
process_known() {
	local pid start
	{ read -r pid <"$run/$1.pid" && read -r start <"$run/$1.start"; } 2>/dev/null || return 1
	process_stat "$pid" && [ "${stat[19]}" = "$start" ] || return 1
	echo "$pid"
}

# process_pid NAME: its pid if it runs and is ours
process_pid() {
	local stat
	process_known "$1" >/dev/null && [ "${stat[0]}" != Z ] || return 1
	cat "$run/$1.pid"
}

# process_start NAME service|self COMMAND...: as the service user, or as the one who calls
process_start() {
	local name=$1 as=$2 pid stat=()
	shift 2
	[ "$as" = self ] || set -- "${as_service[@]}" "$@"
	# the caller's SLUICE_* and PG* variables are not meant for the instance
	set -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "HOME=$data" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:-}" "UBSAN_OPTIONS=${UBSAN_OPTIONS:-}" "$@"
	# the subshell becomes setsid becomes the program: one process, one start time
	(cd "$data" && exec setsid "$@" </dev/null >>"$log/$name.log" 2>&1 9>&-) &
	pid=$!
	process_stat "$pid" || true
	echo "${stat[19]:-0}" >"$run/$name.start"
	echo "$pid" >"$run/$name.pid"
}

# process_members NAME: what runs in its session
process_members() {
	local pid dir stat=()
	{ read -r pid <"$run/$1.pid"; } 2>/dev/null || return 0
	# the number went to somebody else: then nothing of ours is left
	if [ -e "/proc/$pid" ] && ! process_known "$1" >/dev/null; then
		return 0
	fi
	for dir in /proc/[0-9]*; do
		process_stat "${dir#/proc/}" || continue
		[ "${stat[3]}" = "$pid" ] && [ "${stat[0]}" != Z ] && echo "${dir#/proc/}"
	done
	return 0
}

# process_stop NAME SIGNAL SECONDS: asks, waits, then kills; what is not there is stopped already
process_stop() {
	local name=$1 signal=$2 left=$(($3 * 20)) pid members
	if pid=$(process_pid "$name"); then
		kill -"$signal" "$pid" 2>/dev/null || true
		while process_pid "$name" >/dev/null && [ "$left" -gt 0 ]; do
			sleep 0.05
			left=$((left - 1))
		done
		if process_pid "$name" >/dev/null; then
			say "$name (pid $pid) did not stop in $3 s: killed"
		fi
	fi
	left=20
	members=$(process_members "$name")
	while [ -n "$members" ] && [ "$left" -gt 0 ]; do
		# a second to leave by themselves, unless the leader is still there
		if [ "$left" -le 5 ] || process_pid "$name" >/dev/null; then
			# shellcheck disable=SC2086
			kill -KILL $members 2>/dev/null || true
		fi
		sleep 0.05
		left=$((left - 1))
		members=$(process_members "$name")
	done
	rm -f "$run/$name.pid" "$run/$name.start"
}
