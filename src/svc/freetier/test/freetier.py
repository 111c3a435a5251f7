from scenario import Server, check, refused, same


def test_usage_and_plan(_):
    server = Server()
    try:
        free, kms = server.client("freetier"), server.client("kms")
        server.to_next_month()
        same(free.get_free_tier_usage()["freeTierUsages"], [])
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        for _ in range(3):
            kms.encrypt(KeyId=key, Plaintext=b"x")
        usage = free.get_free_tier_usage()["freeTierUsages"]
        same([(u["service"], u["unit"], u["limit"], u["freeTierType"]) for u in usage],
             [("AWS Key Management Service", "Requests", 20000.0, "Always Free")])
        check(usage[0]["actualUsageAmount"] >= 3 and
              usage[0]["forecastedUsageAmount"] >= usage[0]["actualUsageAmount"], usage)
        dimension = {"Key": "SERVICE", "Values": ["AWS Lambda"], "MatchOptions": ["EQUALS"]}
        same(free.get_free_tier_usage(filter={"Dimensions": dimension})["freeTierUsages"], [])
        same(len(free.get_free_tier_usage(filter={"Not": {"Dimensions": dimension}})["freeTierUsages"]), 1)
        percent = {"Key": "USAGE_PERCENTAGE", "Values": ["50"], "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}
        same(free.get_free_tier_usage(filter={"Dimensions": percent})["freeTierUsages"], [])
        refused("ValidationException", free.get_free_tier_usage, filter={})
        same(free.get_account_plan_state()["accountPlanType"], "PAID")
        today = server.run("clock", "show").stdout[:10]
        done = server.run("bill", "--profile", "credits", "--opened", today, "--credits", "7", "--keep")
        same(done.returncode, 0)
        plan = free.get_account_plan_state()
        same((plan["accountPlanType"], plan["accountPlanStatus"]), ("FREE", "ACTIVE"))
        check(6.9 < plan["accountPlanRemainingCredits"]["amount"] <= 7, plan)
    finally:
        server.remove()
