#include "base/sys.h"

#include "fcgi/auth.h"

#include "fcgi/reply.h"

const char *
auth_bearer(const char *value)
{
	if (!value || strncasecmp(value, "Bearer", 6) != 0 || (value[6] != ' ' && value[6] != '\0'))
		return NULL;
	value += 6;
	return value + strspn(value, " ");
}

/* Servers differ in what they call the field. */
static const char *
token_sent(const struct request *req)
{
	static const char *const names[] = { "HTTP_AUTHORIZATION", "AUTHORIZATION",
		"REDIRECT_HTTP_AUTHORIZATION" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *token = auth_bearer(request_param(req, names[i]));

		if (token)
			return token;
	}
	return NULL;
}

static int
refuse(struct call *c, const char *detail)
{
	reply_problem(c, "unauthorized", detail, NULL, NULL);
	return -1;
}

static int
by_token(struct call *c, const char *token)
{
	struct err e = { 0 };

	if (token_check(c->app->db, token, &c->caller, &e) == 0)
		return 0;
	if (e.kind == ERR_DENIED)
		return refuse(c, "the token is not valid");
	reply_error(c, &e);
	return -1;
}

static int
by_remote_user(struct call *c, const char *user)
{
	bool create = c->app->conf->auth.remote_user == REMOTE_USER_CREATE;
	struct err e = { 0 };

	if (!account_name_valid(user)) {
		reply_problem(c, "forbidden", "the user name cannot be an account", NULL, NULL);
		return -1;
	}
	if (account_by_name(c->app->db, user, create, &c->caller, &e) == 0)
		return 0;
	if (e.kind == ERR_NOTFOUND)
		reply_problem(c, "forbidden", "the user has no account here", NULL, NULL);
	else
		reply_error(c, &e);
	return -1;
}

static int
as_nobody(struct call *c)
{
	struct err e = { 0 };

	if (db_read(c->app->db, NULL, "SELECT 1", NULL, 0, &e) < 0) {
		reply_error(c, &e);
		return -1;
	}
	return 0;
}

int
auth_check(struct call *c, enum auth_need need)
{
	const struct conf *conf = c->app->conf;
	const char *token, *user;

	if (need == AUTH_NONE)
		return 0;
	token = token_sent(c->req);
	if (token)
		return by_token(c, token);
	user = request_param(c->req, "REMOTE_USER");
	if (user && conf->auth.remote_user != REMOTE_USER_OFF)
		return by_remote_user(c, user);
	if (need == AUTH_ANONYMOUS && conf->upload.anonymous)
		return as_nobody(c);
	return refuse(c, "send an API token: Authorization: Bearer slu_...");
}
