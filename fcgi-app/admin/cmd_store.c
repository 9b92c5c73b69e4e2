#include "base/sys.h"
#include "admin/admin.h"
#include "admin/print.h"
#include "data/store.h"

int
cmd_store_init(struct admin *a, struct err *e)
{
	if (store_init(a->conf->store.dir, e) < 0)
		return -1;
	printf("store %s is ready\n", a->conf->store.dir);
	return print_flush(e);
}
