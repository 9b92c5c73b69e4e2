/*
 * replay.c: main of a fuzz target that is built without libFuzzer.
 *
 * Runs every file that is named, or stands in a directory that is named; by default those of
 * $srcdir/tests/fuzz/corpus/<name of the program>. One TAP line tells how many there were.
 */
#include "base/sys.h"

#include "base/fdio.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

static int
run_file(const char *path)
{
	struct stat st;
	uint8_t *data;
	ssize_t n = -1;
	int fd = fdio_openat(AT_FDCWD, path, O_RDONLY, 0);

	if (fd < 0 || fstat(fd, &st) < 0) {
		fdio_drop(&fd);
		return -1;
	}
	/* Exactly as long as the input, so that the address sanitizer sees one byte too many. */
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (data)
		n = fdio_read_full(fd, data, (size_t)st.st_size);
	fdio_drop(&fd);
	if (n >= 0) {
		LLVMFuzzerTestOneInput(data, (size_t)n);
		inputs++;
	}
	free(data);
	return n < 0 ? -1 : 0;
}

static int
run_path(const char *path)
{
	struct strbuf file;
	struct dirent *d;
	DIR *dir = opendir(path);
	int rc = 0;

	if (!dir)
		return errno == ENOTDIR ? run_file(path) : -1;
	strbuf_init(&file);
	while (rc == 0 && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		strbuf_reset(&file);
		strbuf_addf(&file, "%s/%s", path, d->d_name);
		rc = run_path(file.s);
		if (rc < 0)
			printf("# %s: %s\n", file.s, strerror(errno));
	}
	strbuf_release(&file);
	closedir(dir);
	return rc;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *name = program_invocation_short_name;
	struct strbuf corpus;
	int rc = 0;

	strbuf_init(&corpus);
	strbuf_addf(&corpus, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
	if (argc < 2)
		rc = run_path(corpus.s);
	for (int i = 1; i < argc && rc == 0; i++)
		rc = run_path(argv[i]);
	strbuf_release(&corpus);
	printf(
	    "%sok 1 - %s: %zu inputs\n1..1\n", rc == 0 && inputs > 0 ? "" : "not ", name, inputs);
	return rc == 0 && inputs > 0 ? 0 : 1;
}
