#include "rds.h"

const fault_kind rds_InvalidParameterCombination = { .name = "InvalidParameterCombination",
	                                                 .code = "InvalidParameterCombination",
	                                                 .query_code = "InvalidParameterCombination",
	                                                 .status = 400 };
const fault_kind rds_InvalidParameterValue = { .name = "InvalidParameterValue",
	                                           .code = "InvalidParameterValue",
	                                           .query_code = "InvalidParameterValue",
	                                           .status = 400 };
const fault_kind rds_MissingParameter = { .name = "MissingParameter",
	                                      .code = "MissingParameter",
	                                      .query_code = "MissingParameter",
	                                      .status = 400 };
