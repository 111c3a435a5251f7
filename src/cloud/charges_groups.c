#include "cloud/charges_groups.h"

/* The first that fits: AWS's code of the service, and the usage type without its region. */
static const char *const groups[][3] = {
	{ "AmazonEC2", "BoxUsage*", "EC2: Running Hours" },
	{ "AmazonEC2", "SpotUsage*", "EC2: Running Hours" },
	{ "AmazonEC2", "EBS:VolumeUsage", "EC2: EBS - Magnetic" },
	{ "AmazonEC2", "EBS:VolumeUsage.gp2", "EC2: EBS - SSD(gp2)" },
	{ "AmazonEC2", "EBS:VolumeUsage.gp3", "EC2: EBS - SSD(gp3)" },
	{ "AmazonEC2", "EBS:VolumeUsage.piops", "EC2: EBS - SSD(io1)" },
	{ "AmazonEC2", "EBS:VolumeUsage.io2", "EC2: EBS - SSD(io2)" },
	{ "AmazonEC2", "EBS:VolumeUsage.sc1", "EC2: EBS - HDD(sc1)" },
	{ "AmazonEC2", "EBS:VolumeUsage.st1", "EC2: EBS - HDD(st1)" },
	{ "AmazonEC2", "EBS:VolumeIOUsage", "EC2: EBS - I/O Requests" },
	{ "AmazonEC2", "EBS:VolumeP-IOPS.io2*", "EC2: EBS - Provisioned IOPS(io2)" },
	{ "AmazonEC2", "EBS:VolumeP-IOPS.piops", "EC2: EBS - Provisioned IOPS" },
	{ "AmazonEC2", "EBS:SnapshotUsage*", "EC2: EBS - Snapshots" },
	{ "AmazonEC2", "ElasticIP:IdleAddress", "EC2: Elastic IP - Idle Address" },
	{ "AmazonEC2", "NatGateway-Bytes", "EC2: NAT Gateway - Data Processed" },
	{ "AmazonEC2", "NatGateway-Hours", "EC2: NAT Gateway - Running Hours" },
	{ "AWSELB", "LCUUsage", "EC2: ELB - LCU Running Hours" },
	{ "AWSELB", "LoadBalancerUsage", "EC2: ELB - Running Hours" },
	{ "AWSDataTransfer", "DataTransfer-In-Bytes", "EC2: Data Transfer - Internet (In)" },
	{ "AWSDataTransfer", "DataTransfer-Out-Bytes", "EC2: Data Transfer - Internet (Out)" },
	{ "AWSDataTransfer", "DataTransfer-Regional-Bytes", "EC2: Data Transfer - Inter AZ" },
	{ "AmazonCloudWatch", "CW:*AlarmMonitorUsage", "EC2: CloudWatch - Alarms" },
	{ "AmazonCloudWatch", "CW:MetricMonitorUsage", "EC2: CloudWatch - Metrics" },
	{ "AmazonCloudWatch", "CW:Requests", "EC2: CloudWatch - Requests" },
	{ "AmazonRDS", "InstanceUsage:*", "RDS: Running Hours" },
	{ "AmazonRDS", "Multi-AZUsage:*", "RDS: Running Hours" },
	{ "AmazonRDS", "*PIOPS", "RDS: Provisioned IOPS" },
	{ "AmazonRDS", "*StorageIOUsage", "RDS: I/O Requests" },
	{ "AmazonRDS", "RDS:*Storage", "RDS: Storage" },
	{ "AmazonRDS", "*:StorageUsage", "RDS: Storage" },
	{ "AmazonElastiCache", "NodeUsage:*", "ElastiCache: Running Hours" },
	{ "AmazonDynamoDB", "TimedStorage-ByteHrs", "DDB: Indexed Data Storage" },
	{ "AmazonDynamoDB", "ReadCapacityUnit-Hrs", "DDB: Provisioned Throughput Capacity - Read" },
	{ "AmazonDynamoDB", "WriteCapacityUnit-Hrs", "DDB: Provisioned Throughput Capacity - Write" },
	{ "AmazonS3", "Requests-Tier*", "S3: API Requests - Standard" },
	{ "AmazonS3", "TimedStorage-ByteHrs", "S3: Storage - Standard" },
};

str charges_usage_type_group(const charge *c)
{
	const price_name *n = c->item ? c->item->name : NULL;
	for (size_t i = 0; n && i < sizeof groups / sizeof *groups; i++)
		if (str_eq(n->service, str_c(groups[i][0])) && str_glob(str_c(groups[i][1]), n->usage_type))
			return str_c(groups[i][2]);
	return S("NoUsageTypeGroup");
}
