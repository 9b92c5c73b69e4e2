#include "base/sys.h"

#include "base/codec.h"
#include "data/digest.h"
#include "tap.h"

static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static const char *
hex(const unsigned char *p)
{
	static char text[DIGEST_HEX];

	return codec_hex(p, DIGEST_SIZE, text);
}

/* A hash that is carried on by another one, at any place in a block of 64 bytes. */
static void
test_state(void)
{
	unsigned char text[300], whole[DIGEST_SIZE], parts[DIGEST_SIZE];
	struct digest *a = digest_new(), *b = digest_new();
	struct digest_state state;
	bool same = true;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)i;
	digest_once(text, sizeof(text), whole);
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		digest_reset(a);
		digest_add(a, text, cut);
		digest_save(a, &state);
		digest_add(a, "not saved", 9);
		digest_add(b, "not kept", 8);
		digest_load(b, &state);
		digest_add(b, text + cut, sizeof(text) - cut);
		digest_final(b, parts);
		same &= digest_equal(whole, parts, sizeof(whole));
	}
	tap_ok(same, "saved and loaded at any byte");
	digest_free(&a);
	digest_free(&b);
}

int
main(void)
{
	struct digest *d = digest_new();
	unsigned char out[DIGEST_SIZE], other[DIGEST_SIZE];
	char as[1000];

	digest_final(d, out);
	tap_str(hex(out), empty, "nothing");
	digest_reset(d);
	digest_add(d, "a", 1);
	digest_add(d, "", 0);
	digest_add(d, "bc", 2);
	digest_final(d, out);
	tap_str(hex(out), abc, "abc in pieces (FIPS 180-4)");
	digest_reset(d);
	digest_add(d, "forgotten", 9);
	digest_reset(d);
	memset(as, 'a', sizeof(as));
	for (int i = 0; i < 1000; i++)
		digest_add(d, as, sizeof(as));
	digest_final(d, out);
	tap_str(hex(out), million, "a million times a, after a reset");
	digest_once("abc", 3, out);
	tap_str(hex(out), abc, "in one go");
	memcpy(other, out, sizeof(out));
	tap_ok(digest_equal(out, other, sizeof(out)), "equal");
	other[DIGEST_SIZE - 1] ^= 1;
	tap_ok(!digest_equal(out, other, sizeof(out)), "not equal in the last bit");
	digest_free(&d);
	tap_ok(d == NULL, "free leaves NULL");
	digest_free(&d);
	test_state();
	return tap_done();
}
