"""What a VPC does to the connections of functions in it; the world outside is a listener of the test."""
import json
import os
import socket
import sys
import threading

import scenario
from scenario import check, same, until

sys.path.insert(0, os.path.dirname(__file__))
from functions import call, make  # noqa: E402

ANY = "0.0.0.0/0"
SCOPE = "GET / HTTP/1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/%s/aws4_request\r\n\r\n"
# Dials, asks and says what came; both kinds of socket, for they wait in different ways.
DIALS = """
import socket, errno
def handler(event, context):
    host, port, kind = event["host"], event["port"], event.get("kind", "limit")
    for i in range(event.get("before", 0)):
        with socket.create_connection((host, port), 5) as s:
            s.sendall(event["first"].encode())
    s = socket.socket()
    try:
        if kind == "limit":
            s.settimeout(event.get("wait", 25))
        elif kind == "sndtimeo":
            import struct
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", event.get("wait", 25), 0))
        s.connect((host, port))
        s.sendall(event.get("text", "ask").encode())
        s.shutdown(socket.SHUT_WR)
        got = b""
        while piece := s.recv(65536):
            got += piece
        return [len(got), got[:100].decode("latin-1")]
    except socket.timeout:
        return "timeout"
    except OSError as e:
        return errno.errorcode[e.errno]
"""


class Outside:
    """A service somewhere: answers every connection with how much it was sent and `more` bytes."""

    def __init__(self, more=0):
        self.listener, self.more, self.seen = socket.create_server(("127.0.0.1", 0)), more, 0
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(s,), daemon=True).start()

    def answer(self, s):
        self.seen += 1
        n = 0
        while piece := s.recv(65536):
            n += len(piece)
        s.sendall(f"got {n} ".encode() + b"x" * self.more)
        s.close()


class Account:
    """The server as one account sees it: an account has five VPCs at most."""
    number = 300000000000

    def __init__(self, server):
        Account.number += 1
        self.key, self.server = str(Account.number), server

    def client(self, service, **more):
        return self.server.client(service, key=self.key, **more)

    def bill(self):
        """Quantities by sku."""
        lines = json.loads(self.server.run("bill", "--account", self.key, "--json").stdout)["lines"]
        return {l["sku"]: float(l["quantity"]) for l in lines}


class Network:
    """A VPC with a public and a private subnet, and a function in the private one."""

    def __init__(self, server, name, block="10.20"):
        """`server`: or an Account that has another network already."""
        server = self.server = server if isinstance(server, Account) else Account(server)
        self.name = name
        self.ec2 = ec2 = server.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
        self.public, self.private = (ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"{block}.{n}.0/24")["Subnet"]["SubnetId"]
                                     for n in (0, 1))
        self.igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
        self.outer, self.inner = self.table(self.public), self.table(self.private)
        ec2.create_route(RouteTableId=self.outer, DestinationCidrBlock=ANY, GatewayId=self.igw)
        self.group = self.new_group("function")
        make(server, name, DIALS, VpcConfig={"SubnetIds": [self.private], "SecurityGroupIds": [self.group]})

    def table(self, subnet):
        t = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=t, SubnetId=subnet)
        return t

    def new_group(self, name):
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def gateway(self):
        e = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        g = self.ec2.create_nat_gateway(SubnetId=self.public, AllocationId=e)["NatGateway"]["NatGatewayId"]
        until(lambda: self.ec2.describe_nat_gateways(NatGatewayIds=[g])["NatGateways"][0]["State"] == "available")
        return g

    def dial(self, port, host="127.0.0.1", wait=25, **more):
        return call(self.server.client("lambda"), self.name, dict(more, host=host, port=port, wait=wait))[0]

    def dropped(self, port, **more):
        got = self.dial(port, wait=1, **more)
        check(got in ("timeout", "EINPROGRESS"), got)


def test_nothing_leaves_without_a_route(server):
    n, out = Network(server, "closed"), Outside()
    for kind in ("limit", "sndtimeo"):
        n.dropped(out.port, kind=kind)
    same(out.seen, 0)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    same(n.dial(port), "ECONNREFUSED")  # its own localhost, where nobody listens
    # An internet gateway is of no use to what has no public address.
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock=ANY, GatewayId=n.igw)
    n.dropped(out.port)
    same(out.seen, 0)


def test_a_function_that_waits_ends_with_its_own_limit(server):
    n, out = Network(server, "waits", block="10.21"), Outside()
    client = n.server.client("lambda")
    client.update_function_configuration(FunctionName="waits", Timeout=3)
    client.get_waiter("function_updated_v2").wait(FunctionName="waits")
    got, r = call(client, "waits", {"host": "127.0.0.1", "port": out.port, "kind": "forever"})
    check("Task timed out after 3.00 seconds" in got["errorMessage"], got)
    same(out.seen, 0)


def test_nat_gateway(server):
    n, out = Network(server, "natted", block="10.22"), Outside(more=300000)
    g = n.gateway()
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock=ANY, NatGatewayId=g)
    got = n.dial(out.port, text="a" * 200000)
    check(got[1].startswith("got 200000 "), got)
    same(got[0], 300000 + len("got 200000 "))
    sent, both = 200000 / 2**30, (500000 + len("got 200000 ")) / 2**30
    until(lambda: abs(n.server.bill().get("vpc.nat.gb", 0) - both) < 2e-6, "bytes of the gateway")
    until(lambda: abs(n.server.bill().get("dt.out.internet", 0) - sent) < 2e-6, "bytes that leave AWS")
    # The public subnet's way out is the gateway's.
    n.ec2.delete_route(RouteTableId=n.outer, DestinationCidrBlock=ANY)
    n.dropped(out.port)
    n.ec2.create_route(RouteTableId=n.outer, DestinationCidrBlock=ANY, GatewayId=n.igw)
    same(n.dial(out.port)[1][:6], "got 3 ")
    n.ec2.delete_route(RouteTableId=n.inner, DestinationCidrBlock=ANY)
    n.dropped(out.port)
    # A longer prefix counts first, a route that leads nowhere as well.
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock="127.0.0.0/8", NatGatewayId=g)
    same(n.dial(out.port)[1][:6], "got 3 ")
    n.ec2.delete_nat_gateway(NatGatewayId=g)
    until(lambda: n.ec2.describe_nat_gateways(NatGatewayIds=[g])["NatGateways"][0]["State"] == "deleted")
    n.dropped(out.port)


def test_security_group_and_acl_of_the_function(server):
    n, out = Network(server, "guarded", block="10.23"), Outside()
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock=ANY, NatGatewayId=n.gateway())
    same(n.dial(out.port)[1][:6], "got 3 ")
    all_out = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]}]
    n.ec2.revoke_security_group_egress(GroupId=n.group, IpPermissions=all_out)
    n.dropped(out.port)
    one = [{"IpProtocol": "tcp", "FromPort": out.port, "ToPort": out.port, "IpRanges": [{"CidrIp": ANY}]}]
    n.ec2.authorize_security_group_egress(GroupId=n.group, IpPermissions=one)
    same(n.dial(out.port)[1][:6], "got 3 ")
    n.dropped(Outside().port)
    acl = n.ec2.create_network_acl(VpcId=n.vpc)["NetworkAcl"]["NetworkAclId"]
    old = next(a for a in n.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [n.private]}])
               ["NetworkAcls"][0]["Associations"] if a["SubnetId"] == n.private)
    n.ec2.replace_network_acl_association(AssociationId=old["NetworkAclAssociationId"], NetworkAclId=acl)
    n.dropped(out.port)
    allow = dict(NetworkAclId=acl, Protocol="6", RuleAction="allow", CidrBlock=ANY)
    n.ec2.create_network_acl_entry(RuleNumber=100, Egress=True, PortRange={"From": out.port, "To": out.port}, **allow)
    n.dropped(out.port)  # no answer comes in
    n.ec2.create_network_acl_entry(RuleNumber=100, Egress=False, PortRange={"From": 1024, "To": 65535}, **allow)
    same(n.dial(out.port)[1][:6], "got 3 ")
    n.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=90, Egress=True, Protocol="-1", RuleAction="deny",
                                   CidrBlock=ANY)
    n.dropped(out.port)


def test_nat_instance(server):
    n, out = Network(server, "by-instance", block="10.24"), Outside()
    nat = n.new_group("nat")
    image = n.ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "architecture", "Values": ["arm64"]}])["Images"][0]
    i = n.ec2.run_instances(ImageId=image["ImageId"], InstanceType="t4g.nano", MinCount=1, MaxCount=1,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": n.public, "Groups": [nat], "AssociatePublicIpAddress": True}])[
        "Instances"][0]["InstanceId"]
    until(lambda: n.ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running")
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock=ANY, InstanceId=i)
    n.dropped(out.port)
    n.ec2.modify_instance_attribute(InstanceId=i, SourceDestCheck={"Value": False})
    n.dropped(out.port)  # its group lets nobody in
    n.ec2.authorize_security_group_ingress(GroupId=nat, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": n.group}]}])
    same(n.dial(out.port)[1][:6], "got 3 ")
    n.ec2.stop_instances(InstanceIds=[i])
    n.dropped(out.port)


def test_endpoints(server):
    n = Network(server, "endpoints", block="10.25")
    port = int(server.endpoint.rsplit(":", 1)[1])
    ask, queue, plain = ({"text": t} for t in (SCOPE % "dynamodb", SCOPE % "sqs", "GET / HTTP/1.0\r\n\r\n"))
    n.dropped(port, **ask)
    e = n.ec2.create_vpc_endpoint(VpcId=n.vpc, ServiceName="com.amazonaws.us-east-1.dynamodb", RouteTableIds=[n.inner])
    check(n.dial(port, **ask)[0] > 0)
    n.dropped(port, **queue)  # an endpoint is one service's
    n.dropped(port, **plain)
    n.ec2.delete_vpc_endpoints(VpcEndpointIds=[e["VpcEndpoint"]["VpcEndpointId"]])
    until(lambda: n.dial(port, wait=1, **ask) == "timeout")
    closed = n.new_group("closed")
    e = n.ec2.create_vpc_endpoint(VpcId=n.vpc, ServiceName="com.amazonaws.us-east-1.sqs", VpcEndpointType="Interface",
                                  SubnetIds=[n.private], SecurityGroupIds=[closed], PrivateDnsEnabled=False)
    n.dropped(port, **queue)
    n.ec2.authorize_security_group_ingress(GroupId=closed, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.25.0.0/16"}]}])
    until(lambda: n.dial(port, wait=5, **queue) != "timeout")
    n.dropped(port, **ask)
    until(lambda: n.server.bill().get("vpc.endpoint.gb", 0) > 0, "bytes of the endpoint")
    # By a gateway to all of it; what has an endpoint does not go that way.
    before = n.server.bill().get("vpc.nat.gb", 0)
    n.ec2.create_route(RouteTableId=n.inner, DestinationCidrBlock=ANY, NatGatewayId=n.gateway())
    n.ec2.create_vpc_endpoint(VpcId=n.vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[n.inner])
    check(n.dial(port, text=SCOPE % "s3")[0] > 0)
    check(n.dial(port, **queue)[0] > 0)
    same(n.server.bill().get("vpc.nat.gb", 0), before)
    check(n.dial(port, **plain)[0] > 0)
    until(lambda: n.server.bill().get("vpc.nat.gb", 0) > before, "bytes of the gateway")


def test_what_stands_in_the_vpc(server):
    if not os.path.exists("/usr/bin/redis-server"):
        raise scenario.Skip("redis-server is not installed")
    n = Network(server, "inside", block="10.26")
    cache, group = n.server.client("elasticache"), n.new_group("cache")
    cache.create_cache_subnet_group(CacheSubnetGroupName="s", CacheSubnetGroupDescription="s", SubnetIds=[n.private, n.public])
    cache.create_cache_cluster(CacheClusterId="c", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
                               CacheSubnetGroupName="s", SecurityGroupIds=[group])
    def there():
        c = cache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"][0]
        return c["CacheClusterStatus"] == "available" and c["CacheNodes"][0]["Endpoint"]
    at = until(there, "a cache", 120)
    ask = dict(port=at["Port"], host=at["Address"], text="PING\r\n")
    n.dropped(**ask)
    rule = [{"IpProtocol": "tcp", "FromPort": at["Port"], "ToPort": at["Port"], "UserIdGroupPairs": [{"GroupId": n.group}]}]
    n.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    same(n.dial(**ask), [7, "+PONG\r\n"])
    n.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    n.dropped(**ask)
    for block, answered in (("10.27.0.0/16", False), ("10.26.1.0/24", True)):
        n.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": block}]}])
        same(n.dial(**ask), [7, "+PONG\r\n"]) if answered else n.dropped(**ask)
    # From a network that is no peer nothing comes in, whatever its group says.
    n.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]}])
    other = Network(server, "stranger", block="10.27")
    other.dropped(**ask)
    # A peer has routes there and back.
    peer = Network(n.server, "peer", block="10.28")
    peer.dropped(**ask)
    c = n.ec2.create_vpc_peering_connection(VpcId=n.vpc, PeerVpcId=peer.vpc)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    n.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=c)
    n.ec2.create_route(RouteTableId=peer.inner, DestinationCidrBlock="10.26.0.0/16", VpcPeeringConnectionId=c)
    peer.dropped(**ask)
    for table in (n.inner, n.outer):
        n.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.28.0.0/16", VpcPeeringConnectionId=c)
    same(peer.dial(**ask), [7, "+PONG\r\n"])
    n.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=c)
    peer.dropped(**ask)
    cache.delete_cache_cluster(CacheClusterId="c")


def test_without_a_vpc_nothing_changes(server):
    out = Outside()
    client = make(server, "free", DIALS)
    same(call(client, "free", {"host": "127.0.0.1", "port": out.port})[0][1], "got 3 ")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    same(call(client, "free", {"host": "127.0.0.1", "port": port})[0], "ECONNREFUSED")


# A socket that was given in the place of another one, and is asked to connect again: by itself, without being asked.
AGAIN = """
import ctypes, errno, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
def address(family, port):
    return struct.pack("=HH", family, socket.htons(port)) + socket.inet_aton("127.0.0.1") + bytes(8)
def handler(event, context):
    s, got = socket.socket(), []
    s.setblocking(False)
    got.append(errno.errorcode.get(s.connect_ex(("127.0.0.1", event["port"]))))
    if event["how"] == "shutdown":
        s.shutdown(socket.SHUT_RDWR)
    else:
        libc.connect(s.fileno(), address(0, 0), 16)
    if event["how"] == "fastopen":
        n = libc.sendto(s.fileno(), b"ask", 3, 0x20000040, address(2, event["port"]), 16)
    else:
        n = libc.connect(s.fileno(), address(2, event["port"]), 16)
    time.sleep(0.3)
    got.append(n)
    return got
"""


def test_no_socket_gets_around_the_judge(server):
    n, out = Network(server, "again", block="10.29"), Outside()
    client = make(n.server, "again-again", AGAIN, VpcConfig={"SubnetIds": [n.private], "SecurityGroupIds": [n.group]})
    for how in ("unspecified", "shutdown", "fastopen"):
        got = call(client, "again-again", {"port": out.port, "how": how})[0]
        check(got[0] == "EINPROGRESS", got)
        same((how, out.seen), (how, 0))


def test_who_is_gone_does_not_count_as_waiting(server):
    n, port = Network(server, "gone", block="10.31"), int(server.endpoint.rsplit(":", 1)[1])
    n.ec2.create_vpc_endpoint(VpcId=n.vpc, ServiceName="com.amazonaws.us-east-1.dynamodb", RouteTableIds=[n.inner])
    got = n.dial(port, before=600, first=SCOPE % "sqs", text=SCOPE % "dynamodb")
    check(got != "timeout" and got[0] > 0, got)
