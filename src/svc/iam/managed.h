/* The table of AWS's own policies; managed.c makes policies of its rows. */
#pragma once
#include <stddef.h>

typedef struct aws_row {
	const char *name, *path;     /* path NULL: "/" */
	const char *actions;         /* separated by blanks */
	const char *resources;       /* NULL: "*" */
} aws_row;

#define SERVICE_ROLE "/service-role/"
#define LINKED_ROLE "/aws-service-role/"
#define JOB "/job-function/"

extern const aws_row aws_rows[];
extern const unsigned n_aws_rows;
/* Of what is less common here. */
extern const aws_row aws_more_rows[];
extern const unsigned n_aws_more_rows;
