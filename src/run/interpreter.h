/*
 * Which program runs a function of a given runtime: python3.11, nodejs20.x, provided.al2023.
 *
 * Interpreters are looked for in PATH, the system's folders and the usual version managers (pyenv, uv, asdf,
 * nvm); a wrapper script is passed over. Among several of the wanted version the one with the newest boto3
 * wins, because functions on AWS have it. Each is asked once per server what it is, which also compiles our
 * bootstrap for it.
 */
#pragma once
#include "base/err.h"

typedef struct interpreter {
	bool own;        /* provided.*: the code's own `bootstrap`; nothing below is set */
	str path;        /* of the program */
	str prefix;      /* its installation, when that lies outside /usr; else empty */
	str runtime;     /* our folder on the machine that becomes /var/runtime */
	str script;      /* inside: /var/runtime/bootstrap.pyc */
	str site;        /* Python: folders of installed packages, with ':' between */
	str version;     /* 3.11.7, v20.19.0 */
	bool python;
} interpreter;

/* Where bootstraps are written. Once, before the first find. */
err interpreter_start(str folder);

/* A fault is a sentence that names what to install. `out` lives as long as the server. */
err interpreter_find(arena *mem, str runtime, const interpreter **out);
/* Whether AWS has, or had, this runtime at all. */
bool interpreter_known(str runtime);
