#include "calculator.h"

/*
 * Reservations and Savings Plans cannot be bought here, so that there are none that a scenario could add or
 * take away: adding one is refused, and there is none to be changed or listed.
 */

err bcm_pricing_calculator_BatchUpdateBillScenarioCommitmentModification(
	req *rq, const txn *tx, const bcm_pricing_calculator_BatchUpdateBillScenarioCommitmentModification_in *in,
	bcm_pricing_calculator_BatchUpdateBillScenarioCommitmentModification_out *out)
{
	scenario_row *s;
	size_t n = in->commitmentModifications.n;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_BillScenarioCommitmentModificationItem, 1);
	out->errors.v =
		arena_array(rq->mem, bcm_pricing_calculator_BatchUpdateBillScenarioCommitmentModificationError, n);
	for (; out->errors.n < n; out->errors.n++)
		out->errors.v[out->errors.n] =
			(bcm_pricing_calculator_BatchUpdateBillScenarioCommitmentModificationError){
				.id = in->commitmentModifications.v[out->errors.n].id, .errorCode = S("NOT_FOUND"),
				.errorMessage = S("The scenario has no such commitment.") };
	return OK;
}

err bcm_pricing_calculator_BatchDeleteBillScenarioCommitmentModification(
	req *rq, const txn *tx, const bcm_pricing_calculator_BatchDeleteBillScenarioCommitmentModification_in *in,
	bcm_pricing_calculator_BatchDeleteBillScenarioCommitmentModification_out *out)
{
	scenario_row *s;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	out->errors.v = arena_array(
		rq->mem, bcm_pricing_calculator_BatchDeleteBillScenarioCommitmentModificationError, in->ids.n);
	for (; out->errors.n < in->ids.n; out->errors.n++)
		out->errors.v[out->errors.n] =
			(bcm_pricing_calculator_BatchDeleteBillScenarioCommitmentModificationError){
				.id = in->ids.v[out->errors.n], .errorCode = S("BAD_REQUEST"),
				.errorMessage = S("The scenario has no such commitment.") };
	return OK;
}

err bcm_pricing_calculator_ListBillScenarioCommitmentModifications(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillScenarioCommitmentModifications_in *in,
	bcm_pricing_calculator_ListBillScenarioCommitmentModifications_out *out)
{
	scenario_row *s;
	int64_t after;
	TRY(scenario_find(rq, tx, in->billScenarioId, &s));
	TRY(calculator_page(rq, in->nextToken, &after));
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_BillScenarioCommitmentModificationItem, 1);
	return OK;
}

err bcm_pricing_calculator_ListBillEstimateInputCommitmentModifications(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillEstimateInputCommitmentModifications_in *in,
	bcm_pricing_calculator_ListBillEstimateInputCommitmentModifications_out *out)
{
	bill_row *b;
	int64_t after;
	TRY(bill_find(rq, tx, in->billEstimateId, &b));
	TRY(calculator_page(rq, in->nextToken, &after));
	out->items.v =
		arena_array(rq->mem, bcm_pricing_calculator_BillEstimateInputCommitmentModificationSummary, 1);
	return OK;
}

err bcm_pricing_calculator_ListBillEstimateCommitments(
	req *rq, const txn *tx, const bcm_pricing_calculator_ListBillEstimateCommitments_in *in,
	bcm_pricing_calculator_ListBillEstimateCommitments_out *out)
{
	bill_row *b;
	int64_t after;
	TRY(bill_find(rq, tx, in->billEstimateId, &b));
	TRY(calculator_page(rq, in->nextToken, &after));
	out->items.v = arena_array(rq->mem, bcm_pricing_calculator_BillEstimateCommitmentSummary, 1);
	return OK;
}
