#include "cmd/cmd.h"
#include <stdio.h>

extern const verb *const __start_farthing_verbs[], *const __stop_farthing_verbs[];

static const verb *verb_find(const char *name)
{
	for (const verb *const *v = __start_farthing_verbs; v < __stop_farthing_verbs; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

static void help(FILE *to)
{
	fputs("Farthing: AWS's own APIs on one port, and what they cost.\n\n", to);
	for (const verb *const *v = __start_farthing_verbs; v < __stop_farthing_verbs; v++)
		fprintf(to, "  farthing %-9s %s\n", (*v)->name, (*v)->summary);
	fputs("\nfarthing help VERB says more. A first session:\n\n"
	      "  farthing up --detach\n"
	      "  farthing aws ssm put-parameter --name /hello --value world --type String\n"
	      "  farthing bill\n"
	      "  farthing down\n",
	      to);
}

static int help_verb(const char *name)
{
	const verb *v = verb_find(name);
	if (!v)
		return usage_error(NULL, "there is no verb \"%s\"", name);
	printf("%s.\n\nusage: farthing %s\n", v->summary, v->usage);
	return 0;
}

static int run_verb(const verb *v, int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(v->name, "aws"); i++)
		if (strcmp(argv[i], "--help") == 0)
			return help_verb(v->name);
	arena *mem = arena_open(1 << 16);
	int status = v->run(mem, argc, argv);
	arena_close(mem);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		if (argc > 2)
			return help_verb(argv[2]);
		help(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		printf("farthing %s\n", FARTHING_VERSION);
		return 0;
	}
	const verb *v = verb_find(name);
	if (!v)
		return usage_error(NULL, "there is no verb \"%s\"", name);
	return run_verb(v, argc - 2, argv + 2);
}
