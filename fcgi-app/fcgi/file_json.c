#include "base/sys.h"

#include "fcgi/file_json.h"

#include "base/codec.h"
#include "base/mem.h"

/* Takes s. */
static json_t *
take_string(char *s)
{
	json_t *j = json_str(s);

	mem_free(s);
	return j;
}

static json_t *
metadata_json(const char *text)
{
	json_t *j = text ? json_parse(text, strlen(text), NULL) : NULL;

	return j ? j : json_object();
}

static json_t *
rendition_json(const struct rendition *r, const char *id, const char *prefix)
{
	json_t *j = json_object();

	json_object_set_new(j, "rendition", json_str(r->name));
	json_object_set_new(
	    j, "url", take_string(mem_printf("%s/api/files/%s/thumbnail/%s", prefix, id, r->name)));
	json_object_set_new(j, "contentType", json_str(r->type));
	json_object_set_new(j, "width", json_integer(r->width));
	json_object_set_new(j, "height", json_integer(r->height));
	json_object_set_new(j, "size", json_integer((json_int_t)r->size));
	return j;
}

json_t *
file_json(const struct file *f, const char *prefix)
{
	json_t *j = json_object(), *list = json_array();
	char id[ID_TEXT], hex[DIGEST_HEX];

	id_text(&f->id, id);
	for (size_t i = 0; i < f->nrenditions; i++)
		json_array_append_new(list, rendition_json(&f->renditions[i], id, prefix));

	json_object_set_new(j, "id", json_string(id));
	json_object_set_new(j, "name", json_str(f->name));
	json_object_set_new(j, "size", json_integer((json_int_t)f->size));
	json_object_set_new(j, "contentType", json_str(f->type));
	json_object_set_new(
	    j, "declaredType", *f->declared_type ? json_str(f->declared_type) : json_null());
	json_object_set_new(j, "sha256", json_string(codec_hex(f->sha256, DIGEST_SIZE, hex)));
	json_object_set_new(j, "metadata", metadata_json(f->metadata));
	json_object_set_new(j, "createdAt", json_str(f->created));
	json_object_set_new(j, "thumbnailStatus", json_string(thumbnail_status_name(f->thumbnail)));
	if (f->thumbnail == THUMBNAIL_FAILED && f->thumbnail_error)
		json_object_set_new(j, "thumbnailError", json_str(f->thumbnail_error));
	json_object_set_new(j, "scanStatus", json_str(f->scan));
	json_object_set_new(j, "thumbnails", list);
	json_object_set_new(
	    j, "downloadUrl", take_string(mem_printf("%s/api/download/%s", prefix, id)));
	return j;
}
