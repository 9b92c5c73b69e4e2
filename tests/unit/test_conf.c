#include "base/sys.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "data/conf.h"
#include "tap.h"

static char dir[] = "/tmp/sluice-test-conf.XXXXXX";
static struct err e;

static const char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *
write_file(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	return path;
}

static struct conf *
load(const char *text)
{
	err_clear(&e);
	return conf_load(write_file("sluice.conf", text), NULL, &e);
}

/* The text is refused with "sluice.conf:" and want in the reason. */
static void
refused(const char *text, const char *want)
{
	struct conf *c = load(text);

	tap_ok(!c && e.kind == ERR_INPUT && strstr(e.text, want), "refused: %s", want);
	if (c || !strstr(e.text, want))
		printf("# %s\n", c ? "accepted" : e.text);
	conf_free(&c);
}

static void
test_defaults(void)
{
	struct conf *c = load("");

	tap_ok(c != NULL, "an empty file is a configuration");
	if (!c)
		return;
	tap_ok(strstr(c->upload.allow, "image/jpeg") && strstr(c->upload.allow, "text/csv") &&
		   !strstr(c->upload.allow, "svg"),
	    "allow");
	tap_is(c->upload.mismatch, MISMATCH_REJECT, "mismatch");
	tap_is((long long)c->upload.max_size, 10LL << 30, "max_size");
	tap_ok(c->upload.allow_empty && !c->upload.anonymous, "allow_empty, anonymous");
	tap_is((long long)c->upload.body_grace, 60000, "durations are milliseconds");
	tap_is(c->pool.pm, PM_DYNAMIC, "pm");
	tap_is(c->pool.listen_mode, 0660, "listen_mode is octal");
	tap_ok(c->worker.children >= 1 && c->worker.batch == c->worker.children,
	    "automatic values are settled");
	tap_ok(c->worker.total_memory >= c->worker.memory, "total_memory has room for one");
	tap_is((long long)c->renditions, 1, "one rendition is built in");
	tap_str(c->rendition[0].name, "small", "its name");
	tap_ok(c->rendition[0].width == 256 && c->rendition[0].height == 256 &&
		   c->rendition[0].quality == 80 && c->rendition[0].format == FORMAT_JPEG,
	    "what it is");
	conf_free(&c);
	tap_ok(c == NULL, "free leaves NULL");
	conf_free(&c);

	c = load("[pool]\nmax_children = 1\n");
	tap_ok(c && c->pool.min_spare == 1, "min_spare is at most max_children");
	conf_free(&c);
}

static void
test_file(void)
{
	struct conf *c = load("\xef\xbb\xbf# comment\r\n"
			      "[upload]\r\n"
			      "  max_size = 5M ; why\n"
			      "allow: */*\n"
			      "mismatch=warn\n"
			      "\n"
			      "[pool] pm = static\n"
			      "listen = 127.0.0.1:9000\n"
			      "[database]\n"
			      "conninfo = host=/run/pg dbname=x password=p=q\n"
			      "[worker]\n"
			      "poll = 250ms\n");

	tap_ok(c != NULL, "a file with everything: %s", e.text);
	if (!c)
		return;
	tap_is((long long)c->upload.max_size, 5 << 20, "indented, with a comment behind");
	tap_str(c->upload.allow, "*/*", "a colon separates, too");
	tap_is(c->upload.mismatch, MISMATCH_WARN, "choice");
	tap_is(c->pool.pm, PM_STATIC, "a key behind its [section] is not lost");
	tap_str(c->pool.listen, "127.0.0.1:9000", "a value may hold colons");
	tap_str(c->database.conninfo, "host=/run/pg dbname=x password=p=q", "and equal signs");
	tap_is((long long)c->worker.poll, 250, "milliseconds");
	conf_free(&c);
}

static void
test_long_line(void)
{
	struct strbuf b;
	struct conf *c;

	strbuf_init(&b);
	strbuf_adds(&b, "[upload]\nallow = image/png");
	for (int i = 0; i < 2000; i++)
		strbuf_addf(&b, ", x/y%d", i);
	strbuf_adds(&b, "\n[store]\nbad = 1\n");
	refused(b.s, "sluice.conf:4: store.bad: unknown key");
	b.len = (size_t)(strstr(b.s, "[store]") - b.s);
	b.s[b.len] = '\0';
	c = load(b.s);
	tap_ok(c && strstr(c->upload.allow, "x/y1999"), "a line of 20 KB is one line");
	conf_free(&c);
	strbuf_release(&b);
}

static void
test_refused(void)
{
	refused("[upload]\nmax_sice = 1\n", "sluice.conf:2: upload.max_sice: unknown key");
	refused("\n[uploads]\n", "sluice.conf:2: [uploads]: unknown section");
	refused("[uploads]\nx = 1\n", "sluice.conf:1: [uploads]: unknown section");
	refused("max_size = 1\n", "sluice.conf:1: max_size: stands before");
	refused("[upload]\nmax_size = 1\nmax_size = 2\n",
	    "sluice.conf:3: upload.max_size: given twice");
	refused("[upload]\nmax_size\n", "sluice.conf:2: not a [section]");
	refused("[upload\nmax_size = 1\n", "sluice.conf:1: not a [section]");
	refused(
	    "[upload]\nmax_size = -1\n", "sluice.conf:2: upload.max_size: \"-1\" is not a size");
	refused("[upload]\nmax_size = 10X\n", "\"10X\" is not a size");
	refused("[upload]\nmax_size = 99999999999T\n", "is not a size");
	refused("[upload]\nallow = image\n", "upload.allow: \"image\" is not a media type");
	refused("[upload]\nmismatch = maybe\n", "\"maybe\" is not one of reject|warn|off");
	refused("[upload]\nanonymous = perhaps\n", "\"perhaps\" is not yes or no");
	refused("[pool]\nmax_children = 0\n", "not a number of 1 to 4096");
	refused("[pool]\nlisten = 0.0.0.0:9000\n", "pool.listen: \"0.0.0.0:9000\" is neither");
	refused("[pool]\nlisten_mode = 0999\n", "is not an octal mode");
	refused("[store]\ndir = relative\n", "store.dir: \"relative\" is not an absolute path");
	refused("[store]\ndir =\n", "is not an absolute path");
	refused("[worker]\npoll = 5 s\n", "\"5 s\" is not a duration");
	refused("[worker]\ntotal_memory = 64M\n", "worker.total_memory: less than");
	refused("[download]\naccel_prefix = x\n", "download.accel_prefix");
	refused("[log]\nlevel = loud\n", "\"loud\" is not one of");
	refused("[rendition Big]\n", "sluice.conf:1: rendition \"Big\": a name is");
	refused("[rendition a]\nfit = 0x5\n", "sluice.conf:2: rendition.a.fit: \"0x5\" is not");
	refused("[rendition a]\nfit = 5\n", "is not WIDTHxHEIGHT");
	refused("[rendition a]\nformat = svg\n", "\"svg\" is not one of");
	refused("[rendition a]\nquality = 0\n", "not a number of 1 to 100");
	refused("[rendition a]\nfoo = 1\n", "rendition.a.foo: unknown key");
	refused("[rendition a]\nfit = 5x5, foo\n", "\"foo\" is not key = value");
	tap_ok(!conf_load(path_of("none.conf"), NULL, &e) && strstr(e.text, "none.conf"),
	    "a named file must exist");
	tap_is(e.kind, ERR_INPUT, "and the kind is always the same");
}

static void
test_renditions(void)
{
	struct conf *c = load("[rendition large]\nfit = 1600x1200\nformat = webp\n"
			      "[rendition tiny] fit = 64x64, format = png, quality = 9\n"
			      "[rendition square]\ncrop = 128x128\n"
			      "[rendition.dotted]\nquality = 70\n");

	tap_ok(c && c->renditions == 4, "four renditions: %s", e.text);
	if (!c)
		return;
	tap_str(c->rendition[0].name, "large", "in the order of the file");
	tap_ok(c->rendition[0].width == 1600 && c->rendition[0].height == 1200 &&
		   c->rendition[0].format == FORMAT_WEBP && !c->rendition[0].crop,
	    "keys on lines of their own");
	tap_ok(c->rendition[1].width == 64 && c->rendition[1].format == FORMAT_PNG &&
		   c->rendition[1].quality == 9,
	    "all on the line of the section");
	tap_ok(c->rendition[2].crop && c->rendition[2].width == 128, "crop");
	tap_ok(c->rendition[3].quality == 70 && c->rendition[3].width == 256, "dotted name");
	conf_free(&c);
}

static void
test_overrides(void)
{
	const char *good[] = { "upload.max_size=7", "rendition.small.fit=32x16",
		"database.conninfo=a=b", NULL };
	const char *bad[] = { "upload.nothing=7", NULL };
	const char *worse[] = { "nonsense", NULL };
	struct conf *c = conf_load(write_file("sluice.conf", "[upload]\nmax_size=5\n"), good, &e);

	tap_ok(c && c->upload.max_size == 7, "an override wins over the file");
	tap_ok(c && c->renditions == 1 && c->rendition[0].height == 16, "for renditions, too");
	tap_str(c ? c->database.conninfo : "", "a=b", "the first equal sign separates");
	conf_free(&c);
	tap_ok(!conf_load(path_of("sluice.conf"), bad, &e) &&
		   strstr(e.text, "override \"upload.nothing\": upload.nothing: unknown key"),
	    "a bad one is named");
	tap_ok(!conf_load(path_of("sluice.conf"), worse, &e) &&
		   strstr(e.text, "not section.key=value"),
	    "so is nonsense");
}

static void
test_environment(void)
{
	struct conf *c;

	write_file("secret", "dbname=fromfile\n");
	setenv("SLUICE_UPLOAD_MAX_SIZE", "3K", 1);
	setenv("SLUICE_DATABASE_CONNINFO_FILE", path_of("secret"), 1);
	setenv("SLUICE_RENDITION_MY_ICON_FIT", "16x16", 1);
	setenv("SLUICE_POOL_NOTHING", "ignored", 1);
	c = load("[upload]\nmax_size = 1\n");
	tap_ok(c && c->upload.max_size == 3072, "a variable wins over the file: %s", e.text);
	tap_str(c ? c->database.conninfo : "", "dbname=fromfile", "_FILE reads a file");
	tap_str(c ? c->rendition[0].name : "", "my_icon", "a rendition by variable");
	conf_free(&c);
	setenv("SLUICE_DATABASE_CONNINFO", "x", 1);
	c = load("");
	tap_ok(!c && strstr(e.text, "both SLUICE_DATABASE_CONNINFO and"), "not both forms");
	unsetenv("SLUICE_DATABASE_CONNINFO");
	unsetenv("SLUICE_DATABASE_CONNINFO_FILE");
	unsetenv("SLUICE_RENDITION_MY_ICON_FIT");
	setenv("SLUICE_UPLOAD_MAX_SIZE", "lots", 1);
	c = load("");
	tap_ok(!c && strstr(e.text, "environment: SLUICE_UPLOAD_MAX_SIZE: \"lots\""), "bad value");
	unsetenv("SLUICE_UPLOAD_MAX_SIZE");
	write_file("database.conninfo", "dbname=credential\n");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	c = load("[database]\nconninfo = dbname=file\n");
	tap_str(c ? c->database.conninfo : "", "dbname=credential", "systemd's credential");
	conf_free(&c);
	unsetenv("CREDENTIALS_DIRECTORY");
	setenv("SLUICE_CONF", path_of("sluice.conf"), 1);
	c = conf_load(NULL, NULL, &e);
	tap_str(c ? c->database.conninfo : "", "dbname=file", "SLUICE_CONF names the file");
	conf_free(&c);
	unsetenv("SLUICE_CONF");
}

static void
test_directory(void)
{
	struct conf *c;

	if (mkdir(path_of("conf.d"), 0700) < 0)
		abort();
	write_file("conf.d/20.conf", "[upload]\nmax_size = 20\n");
	write_file("conf.d/10.conf", "[upload]\nmax_size = 10\nmin_rate = 10\n");
	write_file("conf.d/30.conf~", "[upload]\nmax_size = 30\n");
	c = load("[upload]\nmax_size = 1\n");
	tap_ok(c && c->upload.max_size == 20 && c->upload.min_rate == 10,
	    "conf.d in name order, only *.conf");
	conf_free(&c);
	write_file("conf.d/20.conf", "[upload]\n\nmax_size = x\n");
	c = load("");
	tap_ok(
	    !c && strstr(e.text, "conf.d/20.conf:3: upload.max_size"), "its errors have a place");
	unlink(path_of("conf.d/10.conf"));
	unlink(path_of("conf.d/20.conf"));
	unlink(path_of("conf.d/30.conf~"));
	rmdir(path_of("conf.d"));
}

static char *
dump(const struct conf *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_dump(c, f);
	fclose(f);
	return text;
}

static void
masks(const char *conninfo, const char *want)
{
	const char *set[] = { mem_printf("database.conninfo=%s", conninfo), NULL };
	char *line = mem_printf("\nconninfo = %s\n", want);
	struct conf *c = conf_load(write_file("sluice.conf", ""), set, &e);
	char *text = c ? dump(c) : mem_strdup("");

	tap_ok(strstr(text, line) != NULL, "masked: %s", want);
	conf_free(&c);
	free(text);
	mem_free(line);
	free((char *)(uintptr_t)set[0]);
}

static void
test_dump(void)
{
	struct conf *c = load("[upload]\nmax_size = 1536\nbody_grace = 90s\n[pool]\npm = static\n"
			      "listen_mode = 600\n[rendition a]\ncrop = 5x6\n");
	char *text = c ? dump(c) : mem_strdup("");
	struct conf *again = load(text);
	char *text2 = again ? dump(again) : mem_strdup("?");

	tap_ok(strstr(text, "\nmax_size = 1536\n") && strstr(text, "\nbody_grace = 90s\n") &&
		   strstr(text, "\npm = static\n") && strstr(text, "\nlisten_mode = 0600\n") &&
		   strstr(text, "\n[rendition a]\ncrop = 5x6\nformat = jpeg\nquality = 80\n"),
	    "the dump shows what is effective");
	tap_str(text2, text, "a dump read back gives the same dump");
	conf_free(&c);
	conf_free(&again);
	free(text);
	free(text2);
	masks("host=x password=s3cret dbname=y", "host=x password=******** dbname=y");
	masks("password = 'a \\' b' dbname=y", "password=******** dbname=y");
	masks("sslPASSWORD=zz", "sslPASSWORD=********");
	masks("postgresql://u:p@ss@h/db?password=q&x=1",
	    "postgresql://u:********@h/db?password=********&x=1");
	masks("postgresql://u@h/db", "postgresql://u@h/db");
}

/* The sample shows every default as it is: with all keys switched on, nothing changes. */
static void
test_sample(void)
{
	const char *build = getenv("SLUICE_BUILDDIR");
	char *path = mem_printf("%s/conf/sluice.conf", build ? build : ".");
	FILE *f = fopen(path, "r");
	struct conf *defaults, *sample;
	char line[4096], *want, *got;
	struct strbuf b;

	mem_free(path);
	if (!f) {
		tap_skip("the sample", "conf/sluice.conf is not built");
		return;
	}
	strbuf_init(&b);
	while (fgets(line, sizeof(line), f))
		strbuf_adds(
		    &b, line[0] == '#' && line[1] != ' ' && line[1] != '\n' ? line + 1 : line);
	fclose(f);
	defaults = load("[rendition small]\n[rendition square]\ncrop = 128x128\n");
	sample = load(b.s);
	if (!sample)
		printf("# %s\n", e.text);
	want = dump(defaults);
	got = sample ? dump(sample) : mem_strdup("");
	tap_str(got, want, "the sample shows the defaults");
	conf_free(&defaults);
	conf_free(&sample);
	free(want);
	free(got);
	strbuf_release(&b);
}

int
main(void)
{
	unsetenv("SLUICE_CONF");
	if (!mkdtemp(dir))
		abort();
	test_defaults();
	test_file();
	test_long_line();
	test_refused();
	test_renditions();
	test_overrides();
	test_environment();
	test_directory();
	test_dump();
	test_sample();
	unlink(path_of("sluice.conf"));
	unlink(path_of("secret"));
	unlink(path_of("database.conninfo"));
	rmdir(dir);
	return tap_done();
}
