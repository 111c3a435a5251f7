#include "rds.h"
#include "store/due.h"

TASK(rds_reload)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(s);
	rds_instance *i = rds_instance_get(tx, mem, account, region, rest);
	store_read_end(s, tx);
	if (i && str_empty(i->Job))
		db_engines_reload(mem, s, i);
	return TASK_DONE;
}
