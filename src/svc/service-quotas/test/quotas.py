"""What Service Quotas tells is what is enforced."""
from scenario import check, refused, same


def test_quotas(server):
    quotas = server.client("service-quotas")
    codes = [s["ServiceCode"] for page in quotas.get_paginator("list_services").paginate(PaginationConfig={"PageSize": 2})
             for s in page["Services"]]
    same(codes, sorted(set(codes)))
    check({"ec2", "iam", "lambda", "rds", "s3"} <= set(codes), codes)
    for code in codes:
        listed = [q for page in quotas.get_paginator("list_service_quotas").paginate(
            ServiceCode=code, PaginationConfig={"PageSize": 3}) for q in page["Quotas"]]
        check(listed, code)
        for q in listed:
            same(quotas.get_service_quota(ServiceCode=code, QuotaCode=q["QuotaCode"])["Quota"], q)
            default = quotas.get_aws_default_service_quota(ServiceCode=code, QuotaCode=q["QuotaCode"])["Quota"]
            same(default["Value"], q["Value"])
            check(":000000000000:" in q["QuotaArn"] and "::" in default["QuotaArn"], default)
        same(len(quotas.list_aws_default_service_quotas(ServiceCode=code)["Quotas"]), len(listed))
    runs = quotas.get_service_quota(ServiceCode="lambda", QuotaCode="L-B99A9384")["Quota"]
    limits = server.client("lambda").get_account_settings()["AccountLimit"]
    same((runs["Value"], runs["Unit"], runs["Adjustable"], runs["GlobalQuota"], runs["QuotaArn"]),
         (limits["ConcurrentExecutions"], "None", True, False,
          "arn:aws:servicequotas:us-east-1:000000000000:lambda/L-B99A9384"))
    same(quotas.get_service_quota(ServiceCode="iam", QuotaCode="L-FE177D64")["Quota"]["QuotaArn"],
         "arn:aws:servicequotas::000000000000:iam/L-FE177D64")
    same(refused("NoSuchResourceException", quotas.list_service_quotas, ServiceCode="nothing"),
         "The request failed because the specified service does not exist.")
    refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode="s3", QuotaCode="L-00000000")
    refused("InvalidPaginationTokenException", quotas.list_services, NextToken="x")
    elsewhere = server.client("service-quotas", region="eu-west-1")
    refused("NoSuchResourceException", elsewhere.list_service_quotas, ServiceCode="iam")


def test_enforced(server):
    most = server.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode="L-0263D0A3")["Quota"]
    ec2 = server.client("ec2")
    for _ in range(int(most["Value"])):
        ec2.allocate_address(Domain="vpc")
    refused("AddressLimitExceeded", ec2.allocate_address, Domain="vpc")


def test_requests(server):
    quotas = server.client("service-quotas")
    ask = {"ServiceCode": "s3", "QuotaCode": "L-DC2B2D3D"}
    now = quotas.get_service_quota(**ask)["Quota"]["Value"]
    refused("IllegalArgumentException", quotas.request_service_quota_increase, DesiredValue=now, **ask)
    refused("IllegalArgumentException", quotas.request_service_quota_increase, ServiceCode="iam",
            QuotaCode="L-F55AF5E4", DesiredValue=6000)
    made = quotas.request_service_quota_increase(DesiredValue=now + 1, **ask)["RequestedQuota"]
    same((made["Status"], made["DesiredValue"], made["ServiceCode"]), ("PENDING", now + 1, "s3"))
    refused("ResourceAlreadyExistsException", quotas.request_service_quota_increase, DesiredValue=now + 2, **ask)
    same(quotas.get_requested_service_quota_change(RequestId=made["Id"])["RequestedQuota"], made)
    server.advance("1h")
    other = quotas.request_service_quota_increase(ServiceCode="lambda", QuotaCode="L-B99A9384",
                                                  DesiredValue=2000)["RequestedQuota"]
    history = quotas.list_requested_service_quota_change_history()["RequestedQuotas"]
    same([h["Id"] for h in history], [other["Id"], made["Id"]])
    same([h["Id"] for h in quotas.list_requested_service_quota_change_history_by_quota(**ask)["RequestedQuotas"]],
         [made["Id"]])
    same(quotas.list_requested_service_quota_change_history(Status="APPROVED")["RequestedQuotas"], [])
    same(quotas.get_service_quota(**ask)["Quota"]["Value"], now)
    refused("NoSuchResourceException", quotas.get_requested_service_quota_change, RequestId="none-such")
    same(server.client("service-quotas", key="111111111111").list_requested_service_quota_change_history()[
        "RequestedQuotas"], [])
