#include "cmd/cmd.h"
#include "sys/file.h"
#include <stdio.h>
#include <stdlib.h>

int complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("farthing: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return 1;
}

int complain_fault(err e)
{
	return complain("%.*s", STR_ARG(e->message));
}

int usage_error(const char *about, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("farthing: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry: farthing help%s%s\n", about ? " " : "", about ? about : "");
	va_end(args);
	return 2;
}

static option *option_find(option *options, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(str_c(options[i].name), name))
			return &options[i];
	return NULL;
}

bool options_read(option *options, size_t n, int argc, char **argv, str *rest, size_t *n_rest)
{
	*n_rest = 0;
	for (int i = 0; i < argc; i++) {
		str word = str_c(argv[i]);
		if (!str_starts(word, S("--"))) {
			rest[(*n_rest)++] = word;
			continue;
		}
		str value = str_sub(word, 2, word.n), name = str_cut(&value, '=');
		option *o = option_find(options, n, name);
		if (!o) {
			usage_error(NULL, "there is no option --%.*s", STR_ARG(name));
			return false;
		}
		if (o->takes_value && !str_is(value) && i + 1 < argc)
			value = str_c(argv[++i]);
		if (o->takes_value != str_is(value)) {
			usage_error(NULL, "--%s %s", o->name,
			            o->takes_value ? "needs a value" : "takes no value");
			return false;
		}
		o->given = true;
		o->value = str_is(value) ? value : S("");
	}
	return true;
}

str default_data(arena *mem)
{
	const char *chosen = getenv("FARTHING_DATA"), *share = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	if (chosen && *chosen)
		return str_c(chosen);
	if (share && *share)
		return path_join(mem, str_c(share), S("farthing"));
	return path_join(mem, str_c(home && *home ? home : "/tmp"), S(".local/share/farthing"));
}
