/* Everything in an account and a region that bears tags, gathered from all services. */
#pragma once
#include "cloud/tagged.h"
#include "gen/resourcegroupstaggingapi.h"

typedef struct found_resource {
	str arn;
	const char *type;
	tag_list tags;
} found_resource;

typedef struct found {
	arena *mem;
	const str *types;    /* SERVICE or SERVICE:KIND; none: all */
	size_t n_types;
	found_resource *v;   /* sorted by ARN once gathered */
	size_t n, capacity;
} found;

err found_gather(req *rq, found *f);

/* Whether it is the ARN of something that can bear tags; AWS's words when it is not. */
err arn_check(req *rq, str arn);
/* An ARN that names no account or no region may be of this one. */
bool arn_of_request(const req *rq, str arn);

/* A token says after what to go on and until when it may be asked; a page's position is STR_NONE at first. */
str found_token(req *rq, str position);
err found_position(req *rq, str token, str *position);
