# shellcheck shell=bash disable=SC2154
# The web server in front, on a port of 127.0.0.1; sourced by scripts/instance.

front_program() { # NAME
	command -v "$1" || command -v "/usr/sbin/$1" || die "$1 not found: install it (scripts/packages)"
}

port_inode() { # PORT: the inode of the socket that listens there, or nothing
	local hex fields
	printf -v hex ':%04X' "$1"
	while read -r -a fields; do
		if [[ ${fields[1]} == *$hex ]] && [ "${fields[3]}" = 0A ]; then
			echo "${fields[9]}"
		fi
	done </proc/net/tcp
}

port_is_free() { # PORT
	[ -z "$(port_inode "$1")" ]
}

# A fixed port is used as it is; otherwise the one of the last start, or any that is free. The
# range lies below the one from which the kernel takes ports of connections.
port_choose() {
	if [ "$fixed_port" = yes ]; then
		port_is_free "$port" || die "port $port is taken"
		return
	fi
	[ "${port:-0}" = 0 ] || ! port_is_free "$port" || return 0
	port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
	until port_is_free "$port"; do
		port=$((20000 + (port - 19999) % 12000))
	done
}

# Between choosing a port and taking it somebody else may take it: then another is tried.
front_start() {
	local try
	! process_pid front >/dev/null || return 0
	for try in 1 2 3 4 5; do
		port_choose
		case $front in
		nginx*) nginx_start ;;
		apache*) apache_start ;;
		esac
		if front_listens; then
			return
		fi
		process_stop front TERM 5
		if [ "$fixed_port" = yes ] || port_is_free "$port" || [ "$try" -eq 5 ]; then
			break
		fi
		port=0
	done
	tail -n 20 "$log"/front.log >&2
	[ ! -s "$log/front-error.log" ] || tail -n 20 "$log/front-error.log" >&2
	die "the web server did not start on port $port"
}

# Waits until the socket that listens on the port is one of ours.
front_listens() {
	local left=100 pid inode
	while pid=$(process_pid front) && [ "$left" -gt 0 ]; do
		inode=$(port_inode "$port")
		if [ -n "$inode" ] && [[ $(ls -l "/proc/$pid/fd" 2>/dev/null) == *"socket:[$inode]"* ]]; then
			return 0
		fi
		left=$((left - 1))
		sleep 0.05
	done
	return 1
}

front_ready() {
	local status
	status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://127.0.0.1:$port/ready") ||
		return 1
	[ "$status" = 200 ]
}

nginx_start() {
	local program
	program=$(front_program nginx)
	nginx_configure >"$data/etc/nginx/nginx.conf"
	process_start front self "$program" -e "$log/front-error.log" -p "$data" \
		-c "$data/etc/nginx/nginx.conf"
}

nginx_configure() {
	cat <<-CONF
		daemon off;
		worker_processes 2;
		pid $run/nginx.pid;
		error_log $log/front-error.log;
	CONF
	[ "$(id -u)" -ne 0 ] || echo "user $service_user $service_group;"
	cat <<-CONF
		events {
			worker_connections 2048;
		}
		http {
			log_format sluice '\$remote_addr - \$remote_user [\$time_iso8601] "\$request" '
				'\$status \$body_bytes_sent \$request_time \$request_id';
			access_log $log/front-access.log sluice;
			default_type application/octet-stream;
			client_body_temp_path $data/tmp/body;
			fastcgi_temp_path $data/tmp/fastcgi;
			proxy_temp_path $data/tmp/proxy;
			uwsgi_temp_path $data/tmp/uwsgi;
			scgi_temp_path $data/tmp/scgi;
			server {
				listen 127.0.0.1:$port;
				include snippets/sluice-streamed.conf;
	CONF
	[ "$front" != nginx-handoff ] || echo "		include snippets/sluice-handoff.conf;"
	printf '\t}\n}\n'
}

apache_start() {
	local program
	program=$(front_program apache2)
	mkdir -p "$run/apache" "$data/share/www"
	[ "$(id -u)" -ne 0 ] || chown "$service_user:$service_group" "$run/apache"
	apache_configure >"$data/etc/apache2/apache2.conf"
	# left by a kill -9: once the number is somebody else's, Apache thinks that it runs already
	rm -f "$run/apache/apache2.pid"
	process_start front self "$program" -d "$data/etc/apache2" -f "$data/etc/apache2/apache2.conf" \
		-DFOREGROUND
}

apache_configure() {
	local include module modules=(mpm_event unixd:unixd_module authz_core alias env headers reqtimeout
		unique_id xsendfile)
	case $front in
	apache-proxy) modules+=(proxy proxy_fcgi) ;;
	apache-fcgid) modules+=(fcgid) ;;
	esac
	for module in "${modules[@]}"; do
		module=${module%:*}
		if [ -f "/usr/lib/apache2/modules/mod_$module.so" ]; then
			echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
		fi
	done
	cat <<-CONF
		ServerRoot $data/etc/apache2
		ServerName 127.0.0.1
		Listen 127.0.0.1:$port
		PidFile $run/apache/apache2.pid
		DefaultRuntimeDir $run/apache
		Mutex default:$run/apache
		DocumentRoot $data/share/www
		LogLevel warn
		ErrorLog $log/front-error.log
		LogFormat "%h - %u %t \"%r\" %>s %B %D %{UNIQUE_ID}e" sluice
		CustomLog $log/front-access.log sluice
		ServerTokens Prod
		TraceEnable Off
		Timeout 60
		ThreadsPerChild 25
		MaxRequestWorkers 150
	CONF
	[ "$(id -u)" -ne 0 ] || printf 'User %s\nGroup %s\n' "$service_user" "$service_group"
	if [ "$front" = apache-fcgid ]; then
		cat <<-CONF
			FcgidIPCDir $run/apache
			FcgidProcessTableFile $run/apache/fcgid_shm
		CONF
	fi
	case $front in
	apache-proxy) include=proxy-fcgi ;;
	*) include=fcgid ;;
	esac
	# where an operator puts it: not everything is allowed in a virtual host
	cat <<-CONF
		<VirtualHost 127.0.0.1:$port>
			Include conf-available/sluice-$include.conf
		</VirtualHost>
	CONF
}
