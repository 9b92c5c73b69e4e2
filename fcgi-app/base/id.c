#include "base/sys.h"

#include "base/id.h"
#include "base/log.h"

#include <sys/random.h>
#include <uuid.h>

void
id_random(void *p, size_t n)
{
	unsigned char *s = p;

	while (n > 0) {
		ssize_t r = getrandom(s, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			log_error("getrandom: %s", strerror(errno));
			_exit(EXIT_TEMPORARY);
		}
		s += r;
		n -= (size_t)r;
	}
}

void
id_new(struct id *id)
{
	id_random(id->b, sizeof id->b);
	id->b[6] = (id->b[6] & 0x0f) | 0x40; /* version 4 */
	id->b[8] = (id->b[8] & 0x3f) | 0x80; /* variant of RFC 9562 */
}

const char *
id_text(const struct id *id, char out[ID_TEXT])
{
	uuid_unparse_lower(id->b, out);
	return out;
}

int
id_parse(const char *s, struct id *id)
{
	struct id parsed;

	if (strnlen(s, ID_TEXT) != ID_TEXT - 1 || uuid_parse(s, parsed.b) != 0)
		return -1;
	*id = parsed;
	return 0;
}

bool
id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}
