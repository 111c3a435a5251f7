#include "cloud/event_log.h"
#include "rds.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engines' logs in CloudWatch, for those that export them. */

#define PIECE_MAX ((size_t)1 << 20)

static str path_of(arena *a, str folder)
{
	return arena_fmt(a, "%.*s/%.*s/log/postgresql.log", STR_ARG(db_engines_root()), STR_ARG(folder));
}

int64_t db_log_size(arena *a, str folder)
{
	struct stat st;
	return stat(path_of(a, folder).p, &st) == 0 ? (int64_t)st.st_size : 0;
}

static bool exported(const rds_LogTypeList *types)
{
	for (size_t k = 0; k < types->n; k++)
		if (str_eq(types->v[k], S("postgresql")))
			return true;
	return false;
}

static str piece_of(arena *a, str folder, int64_t from)
{
	int fd = open(path_of(a, folder).p, O_RDONLY | O_CLOEXEC);
	char *p = fd < 0 ? NULL : arena_bytes(a, PIECE_MAX);
	ssize_t n = fd < 0 ? 0 : pread(fd, p, PIECE_MAX, from);
	if (fd >= 0)
		close(fd);
	while (n > 0 && p[n - 1] != '\n')
		n--;
	return n > 0 ? str_of(p, (size_t)n) : STR_NONE;
}

int64_t db_log_export(arena *a, const rds_instance *i, const rds_cluster *c, str folder, int64_t from,
                      int64_t now)
{
	int64_t size = db_log_size(a, folder);
	if (!exported(c ? &c->It->EnabledCloudwatchLogsExports : &i->It->EnabledCloudwatchLogsExports))
		return size;
	if (size <= from)
		return size < from ? 0 : from;
	str rest = piece_of(a, folder, from), group;
	int64_t to = from + (int64_t)rest.n;
	group = c ? arena_fmt(a, "/aws/rds/cluster/%.*s/postgresql", STR_ARG(c->Id))
			  : arena_fmt(a, "/aws/rds/instance/%.*s/postgresql", STR_ARG(i->Id));
	while (str_is(rest)) {
		str line = str_cut(&rest, '\n');
		if (!str_empty(line))
			log_later(i->Account, i->Region, group, i->Id, now, line);
	}
	return to;
}

static bool among(const rds_LogTypeList *list, str type)
{
	for (size_t k = 0; k < list->n; k++)
		if (str_eq(list->v[k], type))
			return true;
	return false;
}

static err known(req *rq, const rds_LogTypeList *types, str engine, str version)
{
	for (size_t k = 0; k < types->n; k++)
		if (!str_eq(types->v[k], S("postgresql")) && !str_eq(types->v[k], S("upgrade")))
			return fail(
				rq, &rds_InvalidParameterCombination,
				"You cannot use the log types '%.*s' with engine version %.*s %.*s. For supported log "
				"types, see the documentation.",
				STR_ARG(types->v[k]), STR_ARG(engine), STR_ARG(version));
	return OK;
}

err db_log_types(req *rq, const rds_LogTypeList *add, const rds_LogTypeList *drop, str engine, str version,
                 rds_LogTypeList *now)
{
	TRY(known(rq, add, engine, version));
	str *all = arena_array(rq->mem, str, now->n + add->n + 1);
	size_t n = 0;
	for (size_t k = 0; k < now->n + add->n; k++) {
		str type = k < now->n ? now->v[k] : add->v[k - now->n];
		if (!among(drop, type) && !among(&(rds_LogTypeList){ all, n }, type))
			all[n++] = type;
	}
	*now = (rds_LogTypeList){ all, n };
	return OK;
}
