/*
 * Members of one structure written over those of the same name in another: a request's over what is kept,
 * and what is kept over an answer. Models that repeat a resource's members in every request and answer (API
 * Gateway's) need no code per member.
 *
 * Absent members leave what was there. Nothing is copied deeply: strings, lists and structures are shared.
 */
#pragma once
#include "base/arena.h"
#include "wire/shape.h"

void overlay(arena *mem, const shape *from_shape, const void *from, const shape *to_shape, void *to);
