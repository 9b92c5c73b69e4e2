# shellcheck shell=bash disable=SC2154
# The private PostgreSQL cluster: no TCP, a socket in a directory that is closed to others, fsync
# on; sourced by scripts/instance.

postgres_bin() { # PROGRAM: the newest of at least version 13
	local version
	for version in 18 17 16 15 14 13; do
		if [ -x "/usr/lib/postgresql/$version/bin/$1" ]; then
			echo "/usr/lib/postgresql/$version/bin/$1"
			return
		fi
	done
	command -v "$1" || die "$1 not found: install postgresql"
}

postgres_dsn() { # USER
	echo "host=$run port=5432 dbname=sluice user=$1"
}

# Makes the cluster once. Where many are made, as in the tests, SLUICE_PG_TEMPLATE names a directory
# that keeps the first as the model of the next: copying is quicker than initdb.
postgres_cluster() {
	local model=${SLUICE_PG_TEMPLATE:-} copy
	rm -rf "$data/pg"
	if [ -n "$model" ] && [ -f "$model/PG_VERSION" ]; then
		cp -a "$model" "$data/pg"
		return
	fi
	"${as_service[@]}" "$(postgres_bin initdb)" -D "$data/pg" -U postgres --auth=trust \
		--encoding=UTF8 --locale=C.UTF-8 >>"$log/postgres.log" 2>&1 ||
		{
			tail -n 20 "$log/postgres.log" >&2
			die "initdb failed"
		}
	echo "include_if_exists = 'instance.conf'" >>"$data/pg/postgresql.conf"
	if [ -n "$model" ]; then
		# whole or not at all, whoever is first
		copy=$model.$$
		cp -a "$data/pg" "$copy"
		mv -T "$copy" "$model" 2>/dev/null || rm -rf "$copy"
	fi
}

# Writes the cluster's configuration. Arguments: key=value
postgres_init() {
	local set
	[ -f "$data/pg/PG_VERSION" ] || postgres_cluster
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$run'"
		echo "unix_socket_permissions = 0700"
		echo "max_connections = 100"
		echo "log_line_prefix = '%m [%p] %q%u '"
		for set; do
			[[ $set == ?*=* ]] || die "--pg $set: key=value expected"
			echo "${set%%=*} = '${set#*=}'"
		done
	} >"$data/pg/instance.conf"
}

postgres_start() {
	local left=300
	! process_pid postgres >/dev/null || return 0
	postgres_unlock
	process_start postgres service "$(postgres_bin postgres)" -D "$data/pg"
	until postgres_query -d postgres -c 'SELECT 1' >/dev/null 2>&1; do
		left=$((left - 1))
		if ! process_pid postgres >/dev/null || [ "$left" -eq 0 ]; then
			tail -n 20 "$log/postgres.log" >&2
			die "PostgreSQL did not start"
		fi
		sleep 0.1
	done
	postgres_database
}

# After a kill -9 the server refuses to start while its old number is in use, be it by a zombie.
postgres_unlock() {
	local file pid stat
	for file in "$data/pg/postmaster.pid" "$run/.s.PGSQL.5432.lock"; do
		{ read -r pid <"$file"; } 2>/dev/null || continue
		if process_stat "$pid" && [ "${stat[0]}" = Z ]; then
			rm -f "$file"
		fi
	done
}

postgres_query() { # psql's arguments
	PGOPTIONS='' "$(postgres_bin psql)" -X -q -A -t -v ON_ERROR_STOP=1 -h "$run" -p 5432 \
		-U postgres "$@" </dev/null
}

postgres_database() {
	[ -z "$(postgres_query -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'sluice'")" ] ||
		return 0
	[ -n "$(postgres_query -d postgres -c "SELECT 1 FROM pg_roles WHERE rolname = 'sluice'")" ] ||
		postgres_query -d postgres -c 'CREATE ROLE sluice LOGIN'
	postgres_query -d postgres -c 'CREATE DATABASE sluice OWNER sluice'
}
