/* Images of containers: looked up in ECR when a task starts. */
#pragma once
#include "ecs.h"

typedef struct ecs_image {
	str digest, architecture, directory, user;
	str *layers;             /* files, the lowest first */
	size_t n_layers;
	ecs_StringList entry, command, environment;
} ecs_image;

/* `rq` is the execution role's, or one of ours. A fault's message is what the task's stoppedReason says. */
err ecs_image_find(req *rq, str uri, ecs_image *out);
