"""GraphQL APIs: schemas, data sources, JavaScript resolvers, what a query may ask, who may ask."""
import http.client
import json
import os
import sys
import threading
import time

from scenario import check, refused, same, until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../apigatewayv2/test"))
from http_apis import function  # noqa: E402

JS = {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"}
ROLE = "arn:aws:iam::000000000000:role/r"
SCHEMA = """
type Note { group: ID! id: ID! text: String! stars: Int author: Author }
type Author @aws_api_key { name: String secret: String @aws_iam }
interface Pet { name: String! }
type Cat implements Pet { name: String! lives: Int }
type Dog implements Pet { name: String! barks: Boolean }
input New { group: ID! id: ID! text: String! stars: Int = 3 }
enum Order { UP DOWN }
type Page { items: [Note!]! next: String }
type Query {
  notes(group: ID!, order: Order = UP, limit: Int, next: String): Page
  one(group: ID!, id: ID!): Note
  echo(text: String, list: [Int!], order: Order): AWSJSON
  steps(n: Int!): Int
  pets: [Pet!]!
  lambda(text: String): AWSJSON
  broken: String!
  now: AWSDateTime
}
type Mutation { add(input: New!): Note star(group: ID!, id: ID!): Note drop(group: ID!, id: ID!): Note }
"""
UTIL = "import { util, runtime } from '@aws-appsync/utils';\nimport * as ddb from '@aws-appsync/utils/dynamodb';\n"


def code(request, response="return ctx.result;"):
    return f"{UTIL}export function request(ctx) {{ {request} }}\nexport function response(ctx) {{ {response} }}\n"


class Api:
    def __init__(self, server, schema=SCHEMA, **more):
        self.server, self.k = server, server.client("appsync")
        a = self.k.create_graphql_api(**{"name": "notes", "authenticationType": "API_KEY", **more})["graphqlApi"]
        self.id, self.arn, self.uris = a["apiId"], a["arn"], a["uris"]
        self.key = self.k.create_api_key(apiId=self.id)["apiKey"]["id"]
        self.k.start_schema_creation(apiId=self.id, definition=schema.encode())
        same(self.k.get_schema_creation_status(apiId=self.id)["status"], "SUCCESS")

    def source(self, name, kind, **more):
        self.k.create_data_source(apiId=self.id, name=name, type=kind, **more)

    def table(self, name):
        d = self.server.client("dynamodb")
        d.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                       AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("group", "id")],
                       KeySchema=[{"AttributeName": "group", "KeyType": "HASH"},
                                  {"AttributeName": "id", "KeyType": "RANGE"}])
        self.source("table", "AMAZON_DYNAMODB", serviceRoleArn=ROLE,
                    dynamodbConfig={"tableName": name, "awsRegion": "us-east-1"})

    def resolver(self, field, source, text=None, **more):
        kind, name = field.split(".")
        if text:
            more.update(runtime=JS, code=text)
        if source:
            more["dataSourceName"] = source
        return self.k.create_resolver(apiId=self.id, typeName=kind, fieldName=name, **more)

    def post(self, body, headers=None, path="/graphql"):
        host, port = self.server.endpoint.split("//")[1].split(":")
        c = http.client.HTTPConnection(host, int(port), timeout=300)
        c.request("POST", path, body, {"Host": f"{self.id}.appsync-api.us-east-1.localhost",
                                       **({"x-api-key": self.key} if headers is None else headers)})
        r = c.getresponse()
        return r.status, json.loads(r.read())

    def __call__(self, query, variables=None, **more):
        status, answer = self.post(json.dumps({"query": query, "variables": variables, **more}))
        same(status, 200)
        return answer

    def data(self, query, variables=None):
        answer = self(query, variables)
        check("errors" not in answer, answer)
        return answer["data"]


def notes(server, name):
    api = Api(server)
    api.table(name)
    api.source("none", "NONE")
    api.resolver("Mutation.add", "table", code(
        "const { group, id, ...rest } = ctx.args.input;"
        "return ddb.put({ key: { group, id }, item: rest, condition: { id: { attributeExists: false } } });",
        "if (ctx.error) util.error(ctx.error.message, ctx.error.type); return ctx.result;"))
    api.resolver("Mutation.star", "table", code(
        "return ddb.update({ key: ctx.args, update: { stars: ddb.operations.increment(2) } });"))
    api.resolver("Mutation.drop", "table", code("return ddb.remove({ key: ctx.args });"))
    api.resolver("Query.one", "table", code("return ddb.get({ key: ctx.args });"))
    api.resolver("Query.notes", "table", code(
        "return { operation: 'Query', scanIndexForward: ctx.args.order === 'UP', limit: ctx.args.limit,"
        " nextToken: ctx.args.next, query: { expression: '#g = :g', expressionNames: { '#g': 'group' },"
        " expressionValues: util.dynamodb.toMapValues({ ':g': ctx.args.group }) } };",
        "return { items: ctx.result.items, next: ctx.result.nextToken };"))
    return api


def test_dynamodb(server):
    api = notes(server, "notes-a")
    for i in "12":
        same(api.data("mutation ($n: New!) { add(input: $n) { id text stars } }",
                      {"n": {"group": "g", "id": i, "text": f"t{i}"}}),
             {"add": {"id": i, "text": f"t{i}", "stars": 3}})
    item = server.client("dynamodb").get_item(TableName="notes-a", Key={"group": {"S": "g"}, "id": {"S": "1"}})["Item"]
    same(item, {"group": {"S": "g"}, "id": {"S": "1"}, "text": {"S": "t1"}, "stars": {"N": "3"}})
    again = api('mutation { add(input: {group: "g", id: "1", text: "x"}) { id } }')
    same(again["data"], {"add": None})
    same(again["errors"][0]["errorType"], "DynamoDB:ConditionalCheckFailedException")
    same((again["errors"][0]["path"], again["errors"][0]["locations"]),
         (["add"], [{"line": 1, "column": 12, "sourceName": None}]))
    same(api.data('mutation { star(group: "g", id: "1") { stars } }'), {"star": {"stars": 5}})
    same(api.data('{ one(group: "g", id: "1") { stars } none: one(group: "g", id: "9") { id } }'),
         {"one": {"stars": 5}, "none": None})
    same([n["id"] for n in api.data('{ notes(group: "g", order: DOWN) { items { id } } }')["notes"]["items"]],
         ["2", "1"])
    page = api.data('{ notes(group: "g", limit: 1) { items { id } next } }')["notes"]
    same([n["id"] for n in page["items"]], ["1"])
    rest = api.data('query ($t: String) { notes(group: "g", next: $t) { items { id } next } }', {"t": page["next"]})
    same(rest, {"notes": {"items": [{"id": "2"}], "next": None}})
    same(api.data('mutation { drop(group: "g", id: "2") { text } }'), {"drop": {"text": "t2"}})
    bill = until(lambda: (b := server.run("bill", "--csv").stdout) and "appsync.query" in b and b)
    check("appsync.query" in bill, bill)


def test_attributes_with_signs(server):
    """Attributes whose names differ in a sign only are not taken for one another."""
    api = Api(server, "type Query { filter: AWSJSON get: AWSJSON far: String } type Mutation { put: AWSJSON set: AWSJSON }")
    api.table("notes-signs")
    key = "key: { group: 'g', id: '1' }"
    for field, request, response in (
            ("Mutation.put", f"return ddb.put({{ {key}, item: {{ 'a-b': 1, a_b: 2 }} }});", "return ctx.result;"),
            ("Mutation.set", f"return ddb.update({{ {key}, update: {{ 'a-b': 3, a_b: 4 }} }});", "return ctx.result;"),
            ("Query.get", f"return ddb.get({{ {key}, projection: ['a-b', 'a_b'] }});", "return ctx.result;"),
            ("Query.filter", "return ddb.scan({ filter: { 'a-b': { eq: 3 }, a_b: { eq: 4 } } });", "return ctx.result.items.length;")):
        api.resolver(field, "table", code(request, response))
    api.data("mutation { put }")
    api.data("mutation { set }")
    same(json.loads(api.data("{ get }")["get"]), {"a-b": 3, "a_b": 4})
    same(json.loads(api.data("{ filter }")["filter"]), 1)
    api.source("http", "HTTP", httpConfig={"endpoint": server.endpoint})
    api.resolver("Query.far", "http", code("return { method: 'GET', resourcePath: '/', params: { query: { a: 'a'.repeat(20000) } } };",
                                           "return ctx.error ? ctx.error.message : ctx.result;"))
    same(api.data("{ far }")["far"], "The request's query is too long.")


def test_language(server):
    api = Api(server)
    api.source("none", "NONE")
    api.resolver("Query.echo", "none", code("return { payload: ctx.args };"))
    api.resolver("Query.pets", "none", code(
        "return { payload: [{ __typename: 'Cat', name: 'a', lives: 9 }, { __typename: 'Dog', name: 'b', barks: true }] };"))
    api.resolver("Query.broken", "none", code("return { payload: null };"))
    api.resolver("Query.one", "none", code("return { payload: { id: '1', author: { name: 'n', secret: 's' } } };"))
    got = api.data("query ($t: String = \"d\", $on: Boolean!, $l: [Int!]) { a: echo(text: $t) b: echo(list: $l, order: UP) "
                   "@include(if: $on) c: echo @skip(if: $on) __typename }", {"on": True, "l": 4})
    same(json.loads(got["a"]), {"text": "d"})
    same(json.loads(got["b"]), {"list": [4], "order": "UP"})
    same(set(got), {"a", "b", "__typename"})
    same(api.data("{ pets { ...P ... on Cat { lives } ... on Dog { barks } } } fragment P on Pet { name __typename }"),
         {"pets": [{"name": "a", "__typename": "Cat", "lives": 9}, {"name": "b", "__typename": "Dog", "barks": True}]})
    null = api("{ broken }")
    same(null["data"], None)
    same(null["errors"][0]["message"],
         "Cannot return null for non-nullable type: 'String' within parent 'Query' (/broken)")
    hidden = api('{ one(group: "g", id: "1") { author { name secret } } }')
    same(hidden["data"], {"one": {"author": {"name": "n", "secret": None}}})
    same((hidden["errors"][0]["errorType"], hidden["errors"][0]["message"]),
         ("Unauthorized", "Not Authorized to access secret on type Author"))
    for query, words in (
            ("{ nope }", "FieldUndefined: Field 'nope' in type 'Query' is undefined @ 'nope'"),
            ("{ one(group: 1) { id } }", "MissingFieldArgument: Missing field argument id @ 'one'"),
            ("{ steps(n: \"a\") }", "WrongType: argument 'n' with value 'StringValue{value='a'}' is not a valid 'Int!'"),
            ("{ echo(a: 1) }", "UnknownArgument: Unknown field argument a @ 'echo'"),
            ("{ pets }", "SubSelectionRequired: Sub selection required for type [Pet!]! of field pets @ 'pets'"),
            ("{ echo { a } }", "SubSelectionNotAllowed: Sub selection not allowed on leaf type AWSJSON of field echo"),
            ("{ ...F }", "UndefinedFragment: Undefined fragment F"),
            ("{ echo(text: $x) }", "UndefinedVariable: Undefined variable x"),
            ("query ($n: Int) { steps(n: $n) }", "VariableTypeMismatch: Variable type 'Int' doesn't match expected type"),
            ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "FragmentCycle"),
            ("subscription { a }", "Schema is not configured for subscriptions.")):
        answer = api(query)
        same(answer["data"], None)
        check(words in answer["errors"][0]["message"], (query, answer))
    same(api("query ($n: Int!) { steps(n: $n) }")["errors"][0]["message"],
         "Variable 'n' has coerced Null value for type 'Int!'")
    same(api.post("{")[0], 400)
    same(api.post('{"query": "{ echo("}')[1],
         {"errors": [{"errorType": "MalformedHttpRequestException", "message": "Unable to parse GraphQL query."}]})
    kinds = api.data('{ __type(name: "Note") { kind fields { name type { kind ofType { name } } } } '
                     '__schema { queryType { name } } }')
    same(kinds["__type"]["fields"][0], {"name": "group", "type": {"kind": "NON_NULL", "ofType": {"name": "ID"}}})


def test_hostile_queries(server):
    """Small documents that mean much are refused or cut off; the server goes on."""
    api = Api(server)
    same(api.post(json.dumps({"query": "{" * 5000}))[0], 400)
    same(api.post(json.dumps({"query": "{ echo(list: " + "[" * 5000 + ") }"}))[0], 400)
    same(api.post(json.dumps({"query": "{ " + "a " * 30000 + "}"}))[0], 400)
    chain = "".join(f"fragment F{i} on __Type {{ a: ofType {{ ...F{i + 1} }} b: ofType {{ ...F{i + 1} }} }} " for i in range(40))
    answer = api('{ __type(name: "Note") { ...F0 } } ' + chain + "fragment F40 on __Type { name }")
    check("data" in answer, answer)
    answer = api('{ __type(name: "Query") ' + "{ fields { type " * 20 + "{ name }" + " } }" * 20 + " }")
    check("data" in answer, answer)
    same(api.data("{ __typename }"), {"__typename": "Query"})


def test_little_that_means_much(server):
    """Initial values, variables and fragments that multiply: each is told to be too much, and soon."""
    api = Api(server, "input A { a: A = {} b: [Int] } type Q { q: Q s: String } "
              "type Query { f(x: A): String g(x: [[Int]]): String h: Q }")
    words = "The values are too many or nested too deeply."
    for query, variables in (("{ f(x: {}) }", {}), ("query ($v: A) { f(x: $v) }", {"v": {"b": [1]}}),
                             ("query ($v: [Int]) { g(x: [" + "$v " * 5000 + "]) }", {"v": [1] * 100000})):
        answer = api(query, variables)
        same((answer["errors"][0]["message"], (answer["data"] or {}).get("f")), (words, None))
    api.source("none", "NONE")
    api.resolver("Query.h", "none", code("return { payload: {} };"))
    many = " ".join(f"fragment F{i} on Q {{ {f'...F{i + 1} ' * 40} }}" for i in range(20))
    same(api.data("{ h { ...F0 } } " + many + " fragment F20 on Q { s }"), {"h": {"s": None}})
    deep = "".join(f"fragment F{i + 1} on __Type {{ {'fields { type { ' * 20} ...F{i} {'} } ' * 20} }} " for i in range(60))
    answer = api("{ " + " ".join(f'a{i}: __type(name: "A") @skip(if: true) {{ ...F{i} }}' for i in range(61))
                 + ' __type(name: "Q") { ...F60 } } fragment F0 on __Type { name } ' + deep)
    same(answer["errors"][0]["message"], "The response is nested too deeply.")
    same(api.data("{ __typename }"), {"__typename": "Query"})


def test_hostile_schemas(server):
    """What is named again and again costs no more for that: 60 KB would be read for hours otherwise."""
    k = server.client("appsync")
    fields = " ".join(f"a{i}: Int" for i in range(2500))
    api = k.create_graphql_api(name="x", authenticationType="API_KEY")["graphqlApi"]["apiId"]
    for schema, words in (
            (f"type T implements {'I & ' * 50000} I {{ {fields} }} interface I {{ {fields} }} type Query {{ t: T }}", "named twice near 'I'"),
            ("type Query { u: U } type T { a: Int } union U = T | T", "named twice near 'T'"),
            (f"type Query {{ t: Int }} type Mutation {{ {fields} }} type Subscription {{ s: Int @aws_subscribe(mutations: ["
             + '"a2499" ' * 100000 + "]) }", "Successfully"),
            ("type Query { t: Int }" + "".join(f"extend type Query{{a{i}:Int}}" for i in range(30000)), "Successfully")):
        k.start_schema_creation(apiId=api, definition=schema.encode())
        check(words in (details := k.get_schema_creation_status(apiId=api)["details"]), details)


def test_code(server):
    api = Api(server)
    api.source("none", "NONE")
    api.resolver("Query.echo", "none", code(
        "if (ctx.args.text === 'loop') for (;;); if (ctx.args.text === 'early') runtime.earlyReturn({ early: 1 });"
        "if (ctx.args.text === 'many') util.appendError('one', 'A', { a: 1 });"
        "if (ctx.args.text === 'not') util.unauthorized(); return { payload: { f: ctx.info.fieldName,"
        " h: ctx.request.headers['x-mine'], s: ctx.info.selectionSetList, e: ctx.env } };"))
    api.k.put_graphql_api_environment_variables(apiId=api.id, environmentVariables={"NAME": "v"})
    status, got = api.post(json.dumps({"query": "{ echo }"}), {"x-api-key": api.key, "X-Mine": "m"})
    same(json.loads(got["data"]["echo"]), {"f": "echo", "h": "m", "s": [], "e": {"NAME": "v"}})
    same(json.loads(api.data('{ echo(text: "early") }')["echo"]), {"early": 1})
    many = api('{ echo(text: "many") }')
    check(many["data"]["echo"] is not None and many["errors"][0]["errorType"] == "A", many)
    same(api('{ echo(text: "not") }')["errors"][0]["message"], "Not Authorized to access echo on type Query")
    loop = api('{ echo(text: "loop") }')
    same((loop["data"], loop["errors"][0]["message"]), ({"echo": None}, "Code evaluation timed out."))
    check("echo" in api.data("{ echo }"))
    step = lambda n: api.k.create_function(apiId=api.id, name=f"f{n}", dataSourceName="none", runtime=JS, code=code(  # noqa: E731
        f"ctx.stash.sum = (ctx.stash.sum || 0) + {n}; return {{ payload: ctx.prev.result + {n} }};",
        "if (ctx.result > 100) runtime.earlyReturn(-1, { skipTo: 'END' }); return ctx.result;"))["functionConfiguration"]["functionId"]
    ids = [step(1), step(10)]
    api.resolver("Query.steps", None, code("return ctx.args.n;", "return ctx.prev.result * 1000 + ctx.stash.sum;"),
                 kind="PIPELINE", pipelineConfig={"functions": ids})
    same(api.data("{ steps(n: 5) }"), {"steps": 16011})
    refused("BadRequestException", api.k.delete_function, apiId=api.id, functionId=ids[0])
    same([r["fieldName"] for r in api.k.list_resolvers_by_function(apiId=api.id, functionId=ids[0])["resolvers"]], ["steps"])
    api.resolver("Query.now", "none", code("return { payload: util.time.nowISO8601() };"))
    check("T" in api.data("{ now }")["now"])


def test_one_that_asks_itself(server):
    """An API whose data source is itself ends, and leaves room for others."""
    api, other = Api(server, "type Query { f: String }"), Api(server, "type Query { f: String }")
    api.source("self", "HTTP", httpConfig={"endpoint": server.endpoint})
    api.resolver("Query.f", "self", code(
        f"return {{ method: 'POST', resourcePath: '/_appsync-api/{api.id}/graphql', params: {{ headers: {{ 'x-api-key': '{api.key}' }},"
        " body: JSON.stringify({ query: '{ f }' }) } };", "return ctx.result ? ctx.result.body : 'broken';"))
    got = []
    asking = threading.Thread(target=lambda: got.append(api("{ f }")))
    asking.start()
    while asking.is_alive():
        same(other.data("{ f }"), {"f": None})
        time.sleep(0.2)
    check(got, "no answer")


def test_lambda(server):
    api = Api(server)
    arn = function(server, "sync-f", code="def handler(e, c):\n    if e.get('arguments', e).get('text') == 'bad': raise ValueError('no good')\n"
                   "    return {'got': e.get('arguments', e)}\n")
    api.source("f", "AWS_LAMBDA", serviceRoleArn=ROLE, lambdaConfig={"lambdaFunctionArn": arn})
    api.resolver("Query.lambda", "f")
    same(json.loads(api.data('{ lambda(text: "x") }')["lambda"]), {"got": {"text": "x"}})
    bad = api('{ lambda(text: "bad") }')
    same((bad["errors"][0]["errorType"], bad["errors"][0]["message"]), ("Lambda:Unhandled", "no good"))
    api.resolver("Query.echo", "f", code("return { operation: 'Invoke', payload: ctx.args };",
                                         "return ctx.error ? { said: ctx.error.message } : ctx.result;"))
    same(json.loads(api.data('{ echo(text: "y") }')["echo"]), {"got": {"text": "y"}})
    same(json.loads(api.data('{ echo(text: "bad") }')["echo"]), {"said": "no good"})


def test_who_may_ask(server):
    api = Api(server)
    body = json.dumps({"query": "{ __typename }"})
    for headers, words in (({"x-api-key": "da2-wrong"}, "You are not authorized to make this call."),
                           ({}, "Valid authorization header not provided."),
                           ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, "You are not authorized to make this call."),
                           ({"Authorization": "tok.en.x"}, "You are not authorized to make this call.")):
        status, answer = api.post(body, headers)
        same((status, answer["errors"][0]), (401, {"errorType": "UnauthorizedException", "message": words}))
    server.advance("10d")
    same(api.post(body)[0], 401)
    arn = function(server, "sync-auth", code="def handler(e, c):\n    return {'isAuthorized': e['authorizationToken'] == 'let',"
                   " 'resolverContext': {'who': 'me'}, 'deniedFields': ['Query.now']}\n")
    server.client("lambda").add_permission(FunctionName="sync-auth", StatementId="s", Action="lambda:InvokeFunction",
                                           Principal="appsync.amazonaws.com", SourceArn=api.arn)
    api.k.update_graphql_api(apiId=api.id, name="notes", authenticationType="AWS_LAMBDA",
                             lambdaAuthorizerConfig={"authorizerUri": arn})
    api.source("none", "NONE")
    api.resolver("Query.echo", "none", code("return { payload: ctx.identity };"))
    status, answer = api.post(json.dumps({"query": "{ echo now }"}), {"Authorization": "let"})
    same(status, 200)
    check(answer["data"] and answer["data"]["echo"], answer)
    same((status, json.loads(answer["data"]["echo"])), (200, {"resolverContext": {"who": "me"}}))
    same(answer["errors"][0]["errorType"], "Unauthorized")
    same(api.post(body, {"Authorization": "else"})[0], 401)
    arn = function(server, "sync-nobody", code="def handler(e, c):\n    return {'isAuthorized': False}\n")
    server.client("lambda").add_permission(FunctionName="sync-nobody", StatementId="s", Action="lambda:InvokeFunction",
                                           Principal="appsync.amazonaws.com", SourceArn=api.arn)
    same(api.post(body, {"Authorization": "let"})[0], 200)
    api.k.update_graphql_api(apiId=api.id, name="notes", authenticationType="AWS_LAMBDA",
                             lambdaAuthorizerConfig={"authorizerUri": arn})
    same(api.post(body, {"Authorization": "let"})[0], 401)


def test_control_plane(server):
    api, k = Api(server), server.client("appsync")
    same(k.get_graphql_api(apiId=api.id)["graphqlApi"]["uris"], api.uris)
    check(api.id in [a["apiId"] for a in k.list_graphql_apis()["graphqlApis"]])
    refused("NotFoundException", k.get_graphql_api, apiId="a" * 26)
    refused("BadRequestException", k.create_graphql_api, name="x", authenticationType="OPENID_CONNECT")
    k.start_schema_creation(apiId=api.id, definition=b"type Query { a: Nope }")
    state = k.get_schema_creation_status(apiId=api.id)
    same(state["status"], "FAILED")
    check("Nope" in state["details"], state)
    same(k.get_introspection_schema(apiId=api.id, format="SDL")["schema"].read().decode(), SCHEMA)
    check("__schema" in json.loads(k.get_introspection_schema(apiId=api.id, format="JSON")["schema"].read())["data"])
    refused("NotFoundException", api.resolver, "Query.echo", "nope", code("return 1;"))
    api.source("none", "NONE")
    refused("BadRequestException", api.source, "none", "NONE")
    refused("NotFoundException", api.resolver, "Query.nope", "none", code("return 1;"))
    refused("BadRequestException", api.resolver, "Query.echo", "none")
    made = api.resolver("Query.echo", "none", code("return 1;"))["resolver"]
    same(made["resolverArn"], f"{api.arn}/types/Query/resolvers/echo")
    refused("BadRequestException", api.resolver, "Query.echo", "none", code("return 1;"))
    same([r["fieldName"] for r in k.list_resolvers(apiId=api.id, typeName="Query")["resolvers"]], ["echo"])
    refused("BadRequestException", k.delete_data_source, apiId=api.id, name="none")
    k.delete_resolver(apiId=api.id, typeName="Query", fieldName="echo")
    k.delete_data_source(apiId=api.id, name="none")
    refused("ApiKeyValidityOutOfBoundsException", k.create_api_key, apiId=api.id, expires=1)
    k.tag_resource(resourceArn=api.arn, tags={"a": "b"})
    same(k.list_tags_for_resource(resourceArn=api.arn)["tags"], {"a": "b"})
    k.untag_resource(resourceArn=api.arn, tagKeys=["a"])
    same(k.list_tags_for_resource(resourceArn=api.arn).get("tags"), {})
    check("type Note" in k.get_type(apiId=api.id, typeName="Note", format="SDL")["type"]["definition"])
    k.delete_graphql_api(apiId=api.id)
    refused("NotFoundException", k.list_api_keys, apiId=api.id)
