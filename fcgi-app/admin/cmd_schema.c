#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "data/schema.h"

static void
tell(const char *file, void *arg)
{
	(void)arg;
	printf("applied %s\n", file);
}

int
cmd_schema_apply(struct admin *a, struct err *e)
{
	const char *dir = admin_option(a, "--sql");
	struct db *db = admin_db_raw(a);

	if (schema_apply(db, dir ? dir : SLUICE_SQLDIR, tell, NULL, e) < 0)
		return -1;
	printf("schema version %u\n", (unsigned)SCHEMA_VERSION);
	return print_flush(e);
}

/* Exit 0 when the schema fits this program, 1 when not. */
int
cmd_schema_status(struct admin *a, struct err *e)
{
	struct db *db = admin_db_raw(a);
	unsigned version;
	bool fits;

	if (schema_version(db, &version, e) < 0)
		return -1;
	fits = version == SCHEMA_VERSION;
	if (a->json)
		printf("{\"version\":%u,\"needed\":%u,\"fits\":%s}\n", version,
		    (unsigned)SCHEMA_VERSION, fits ? "true" : "false");
	else
		printf("schema version %u, needed %u: %s\n", version, (unsigned)SCHEMA_VERSION,
		    fits                       ? "fits"
		    : version < SCHEMA_VERSION ? "run `sluice-admin schema apply`"
					       : "this sluice is too old");
	if (print_flush(e) < 0)
		return -1;
	return fits ? 0 : EXIT_FAILURE;
}
