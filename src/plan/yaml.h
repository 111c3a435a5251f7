/*
 * The part of YAML that usage files use: maps nested by indentation, whose values are numbers, words, quoted
 * text or maps again; comments; an empty file. Anything else (lists, anchors, blocks of text, tabs) is
 * refused with its line.
 */
#pragma once
#include "base/err.h"
#include "base/json.h"

/* As the JSON that says the same. */
err yaml_read(arena *mem, str text, const json_value **out);
