/* Where a page of events ends, as clients see it: f/TTTT..SSSS/s or b/TTTT..SSSS/s (forwards, backwards). */
#pragma once
#include "scan.h"

str place_token(req *rq, char direction, place p);
bool place_read(str token, bool *back, place *p);
