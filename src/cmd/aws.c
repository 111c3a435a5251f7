#include "cmd/cmd.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The stock aws CLI pointed at us; nothing of the user's own AWS configuration reaches it. */
static int aws_run(arena *mem, int argc, char **argv)
{
	running r;
	str data = default_data(mem);
	const char *endpoint = getenv("AWS_ENDPOINT_URL");
	if (running_find(mem, data, &r))
		endpoint = arena_str(mem, r.endpoint).p;
	else if (!endpoint)
		return complain("no server runs on %.*s. Start one with: farthing up", STR_ARG(data));
	char **words = arena_array(mem, char *, (size_t)argc + 4);
	words[0] = "aws";
	words[1] = "--endpoint-url";
	words[2] = (char *)endpoint;
	for (int i = 0; i < argc; i++)
		words[3 + i] = argv[i];
	setenv("AWS_ENDPOINT_URL", endpoint, 1);
	setenv("AWS_ACCESS_KEY_ID", "test", 0);
	setenv("AWS_SECRET_ACCESS_KEY", "test", 0);
	setenv("AWS_DEFAULT_REGION", "us-east-1", 0);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	execvp("aws", words);
	return complain(errno == ENOENT ? "the aws CLI is not installed: apt-get install awscli" :
			"the aws CLI cannot be started");
}
VERB(aws, "aws SERVICE OPERATION ...", "The stock aws CLI, pointed at Farthing", aws_run);
