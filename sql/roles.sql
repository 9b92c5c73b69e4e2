-- Least privilege, one role per program. Optional: a single role that owns everything works too.
--
--	sluice-admin schema apply            as the owner of the schema
--	psql -d DATABASE -f roles.sql        as that owner, with CREATEROLE for the first time
--
-- To be run again after every `schema apply`; running it twice changes nothing. The roles may log
-- in, but have no password: use peer authentication, or set one with \password.
--
--	sluice_fcgi     reads accounts and tokens, makes accounts for REMOTE_USER, adds, lists and
--	                deletes files, queues their jobs; cannot make an administrator or a token,
--	                cannot change a stored file's name, size, type, digest or owner
--	sluice_worker   claims and ends jobs, records renditions and a file's thumbnail status; sees
--	                neither accounts nor tokens, adds and deletes no file
--	sluice_admin    everything in the schema but its definition (schema apply needs the owner)

do $$
declare
	wanted text;
begin
	foreach wanted in array array['sluice_fcgi', 'sluice_worker', 'sluice_admin'] loop
		if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
			execute pg_catalog.format('create role %I login', wanted);
		end if;
	end loop;
end
$$;

revoke all on schema sluice from public;
revoke all on all tables in schema sluice from public, sluice_fcgi, sluice_worker, sluice_admin;
grant usage on schema sluice to sluice_fcgi, sluice_worker, sluice_admin;
grant select on sluice.migration to sluice_fcgi, sluice_worker, sluice_admin;

grant select on sluice.account, sluice.token to sluice_fcgi;
grant insert (name) on sluice.account to sluice_fcgi;
grant select, insert, delete on sluice.file to sluice_fcgi;
grant update (state) on sluice.file to sluice_fcgi;
grant select on sluice.rendition to sluice_fcgi;
grant select, insert, delete on sluice.job to sluice_fcgi;
grant select, insert on sluice.job_history to sluice_fcgi;

grant select on sluice.file to sluice_worker;
grant update (thumbnail_status, thumbnail_error) on sluice.file to sluice_worker;
grant select, insert, update on sluice.rendition to sluice_worker;
grant select, insert, update, delete on sluice.job to sluice_worker;
grant select, insert on sluice.job_history to sluice_worker;

grant select, insert, update, delete
	on sluice.account, sluice.token, sluice.file, sluice.rendition, sluice.job, sluice.job_history
	to sluice_admin;
