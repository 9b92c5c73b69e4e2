-- Accounts, tokens, files, their renditions, and the job queue.
--
-- Applied by `sluice-admin schema apply` inside one transaction. Every name is written with its
-- schema, because nothing may depend on a search_path.

create schema if not exists sluice;

create table sluice.migration (
	version    integer primary key,
	name       text not null,
	applied_at timestamptz not null default clock_timestamp()
);

create table sluice.account (
	id          bigint generated always as identity primary key,
	name        text not null unique check (octet_length(name) between 1 and 64),
	admin       boolean not null default false,
	disabled_at timestamptz,
	created_at  timestamptz not null default clock_timestamp()
);

-- The secret itself is never stored.
create table sluice.token (
	key_id        text primary key check (key_id ~ '^[0-9a-f]{16}$'),
	account_id    bigint not null references sluice.account on delete cascade,
	secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
	label         text,
	created_at    timestamptz not null default clock_timestamp(),
	expires_at    timestamptz,
	revoked_at    timestamptz
);
create index token_account on sluice.token (account_id);

-- One row per stored file. The bytes lie under the id and are durable before the row is written;
-- `deleting` is committed before the first byte goes away.
create table sluice.file (
	id               uuid primary key,
	account_id       bigint references sluice.account,
	name             text not null check (octet_length(name) between 1 and 255),
	size             bigint not null check (size >= 0),
	content_type     text not null,
	declared_type    text not null default '',
	sha256           bytea not null check (octet_length(sha256) = 32),
	metadata         jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
	state            text not null default 'ready' check (state in ('ready', 'deleting')),
	thumbnail_status text not null default 'none'
		check (thumbnail_status in ('none', 'generating', 'ready', 'failed')),
	thumbnail_error  text check (thumbnail_error is null or thumbnail_status = 'failed'),
	scan_status      text not null default 'off'
		check (scan_status in ('off', 'pending', 'clean', 'infected', 'unscanned', 'error')),
	created_at       timestamptz not null default clock_timestamp()
);
-- Newest-first pages: of one account, and of all (administrators).
create index file_newest_of_account on sluice.file (account_id, created_at desc, id desc)
	where state = 'ready';
create index file_newest on sluice.file (created_at desc, id desc) where state = 'ready';
create index file_deleting on sluice.file (id) where state = 'deleting';

create table sluice.rendition (
	file_id      uuid not null references sluice.file on delete cascade,
	name         text not null check (name ~ '^[a-z0-9_-]{1,32}$'),
	content_type text not null,
	width        integer not null check (width > 0),
	height       integer not null check (height > 0),
	size         bigint not null check (size > 0),
	created_at   timestamptz not null default clock_timestamp(),
	primary key (file_id, name)
);

-- The queue. Only work that is still to be done lies here; what has ended moves to job_history.
-- file_id is no foreign key: a job may outlive its file, and its end is recorded all the same.
-- attempt never goes back, because finishing is fenced by (id, attempt).
create table sluice.job (
	id           bigint generated always as identity primary key,
	kind         text not null check (octet_length(kind) between 1 and 31),
	file_id      uuid,
	state        text not null default 'queued' check (state in ('queued', 'running')),
	priority     smallint not null default 1 check (priority between 0 and 2), -- 2 is first
	run_at       timestamptz not null default clock_timestamp(),
	attempt      integer not null default 0 check (attempt >= 0),
	max_attempts integer not null default 5 check (max_attempts > 0),
	lease_until  timestamptz,
	worker       text,
	last_error   text,
	created_at   timestamptz not null default clock_timestamp(),
	check (state <> 'running' or (lease_until is not null and attempt > 0))
) with (
	-- Rows are updated a few times and then deleted: room for updates in the same page, and a
	-- vacuum that comes by the number of dead rows, not by the size of the table.
	fillfactor = 70,
	autovacuum_vacuum_threshold = 200,
	autovacuum_vacuum_scale_factor = 0.01,
	autovacuum_analyze_threshold = 200,
	autovacuum_analyze_scale_factor = 0.05,
	autovacuum_vacuum_cost_delay = 0
);
create index job_queued on sluice.job (priority, run_at, id) where state = 'queued';
-- lease_until is left out so that renewing a lease touches no index.
create index job_running on sluice.job (id) where state = 'running';
create index job_file on sluice.job (file_id);

create table sluice.job_history (
	id          bigint primary key, -- that of the job
	kind        text not null,
	file_id     uuid,
	state       text not null check (state in ('done', 'dead', 'cancelled')),
	attempts    integer not null,
	worker      text,
	last_error  text,
	created_at  timestamptz not null,
	finished_at timestamptz not null default clock_timestamp()
);
create index job_history_finished on sluice.job_history (finished_at);
create index job_history_dead on sluice.job_history (finished_at) where state = 'dead';
