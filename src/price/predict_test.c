#include "price/predict.h"
#include "test/test.h"

#define NOVEMBER INT64_C(1793491200000)

static err read_table(arena *mem, use_list *l, const char *rows)
{
	*l = (use_list){ .mem = mem };
	str text = arena_fmt(mem, "sku,quantity,per,resource,why\n%s", rows);
	return predict_read(mem, price_book(), text, S("table"), NOVEMBER, l);
}

TEST(predicted_usage_is_of_the_whole_month)
{
	use_list l;
	CHECK_OK(read_table(mem, &l, "ec2.linux.t4g.nano,1,hour,x,\"runs, always\"\nebs.gp3,0.5,month,x,\n"
	                             "lambda.x86.requests,1500,month,,\n"));
	CHECK(l.n == 3 && predict_has(&l, S("ebs.gp3")) && !predict_has(&l, S("ebs.gp2")));
	CHECK_I64(l.at[0].quantity, 720 * QTY_ONE);
	CHECK_I64(l.at[1].quantity, 360 * QTY_ONE); /* half a GB in every hour */
	CHECK_I64(l.at[2].quantity, 1500 * QTY_ONE);
	CHECK(l.at[1].predicted && l.at[1].resident && l.at[1].when == NOVEMBER);
}

TEST(predicted_usage_that_makes_no_sense_is_refused)
{
	static const char *const wrong[] = {
		"no.such.sku,1,month,x,", "ebs.gp3,1,hour,x,", "ebs.gp3,1,day,x,", "ebs.gp3,-1,month,x,",
		"ebs.gp3,much,month,x,", "ebs.gp3,9000000000000,month,x,", "ebs.gp3,1,month", "ebs.gp3,1,month,x,y,z",
	};
	use_list l;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(read_table(mem, &l, wrong[i]) != OK);
	CHECK(predict_read(mem, price_book(), S("a,b\n"), S("table"), NOVEMBER, &l) != OK);
}
