#!/usr/bin/env python3
"""The codecs against botocore, for every operation of every service in src/svc, and against protocol vectors.

    test/wire/wire.py PROGRAM [--seed N] [--inputs N] [--service NAME] [--operation NAME]

For each operation random valid inputs are serialised by botocore and must be routed to the operation and
decoded to equal values; random outputs and errors encoded by PROGRAM must be parsed by botocore to equal
values. A case is an operation and a direction.
"""
import argparse
import collections
import copy
import io
import json
import os
import random
import re
import shlex
import struct
import subprocess
import sys
import urllib.parse

import values
import vectors

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
REQUEST_ID = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'
BOTOCORE = {'cbor': 'smithy-rpc-v2-cbor'}  # protocol names that differ from ours

# Operations that nothing in a request tells apart: the old name of a pair, and a list with its own host.
SAME_ROUTE = {
    's3': {'GetBucketLifecycle': 'GetBucketLifecycleConfiguration',
           'PutBucketLifecycle': 'PutBucketLifecycleConfiguration',
           'GetBucketNotification': 'GetBucketNotificationConfiguration',
           'PutBucketNotification': 'PutBucketNotificationConfiguration',
           'ListDirectoryBuckets': 'ListBuckets'},
}

try:
    import botocore
    import botocore.session
    from botocore import parsers, serialize
    from botocore.awsrequest import create_request_object, prepare_request_dict
    from botocore.model import ServiceModel
    from botocore.awsrequest import HeadersDict
except ImportError:
    botocore = None


class Program:
    """The C side behind its pipe."""

    def __init__(self, path):
        self.child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *fields):
        out = [struct.pack('<I', len(fields))]
        for f in fields:
            f = f.encode() if isinstance(f, str) else f
            out += [struct.pack('<I', len(f)), f]
        self.child.stdin.write(b''.join(out))
        self.child.stdin.flush()
        n, = struct.unpack('<I', self.read(4))
        return [self.read(struct.unpack('<I', self.read(4))[0]) for _ in range(n)]

    def read(self, n):
        data = self.child.stdout.read(n)
        if len(data) != n:
            raise SystemExit('the program under test died')
        return data

    def reply(self, *fields):
        """The answer to encode or fault: status, body, headers."""
        got = self.ask(*fields)
        headers = {got[i].decode(): got[i + 1].decode() for i in range(2, len(got) - 1, 2)}
        return int(got[0]), got[1] if len(got) > 1 else b'', headers


class Tally:
    def __init__(self):
        self.passed = self.failed = 0
        self.notes = collections.Counter()
        self.shown = collections.Counter()

    def case(self, name, why):
        if why is None:
            self.passed += 1
            return
        self.failed += 1
        group = name.split()[0]
        self.shown[group] += 1
        if self.shown[group] <= 8:
            print('FAIL %s: %s' % (name, why[:1500]))


def sqs_as_query(data):
    """SQS's names as a query service, which its model lost when it became JSON."""
    shapes = data['shapes']
    lists = {'AWSAccountIdList': 'AWSAccountId', 'ActionNameList': 'ActionName',
             'AttributeNameList': 'AttributeName', 'MessageAttributeNameList': 'MessageAttributeName',
             'MessageSystemAttributeList': 'MessageSystemAttributeName', 'MessageList': 'Message',
             'QueueUrlList': 'QueueUrl', 'TagKeyList': 'TagKey', 'StringList': 'StringListValue',
             'BinaryList': 'BinaryListValue'}
    for name, shape in shapes.items():
        if shape['type'] == 'list' and name.endswith('EntryList') and 'MoveTask' not in name:
            lists[name] = name[:-4]
        if shape['type'] == 'map':
            tags = name == 'TagMap'
            shape['key']['locationName'] = 'Key' if tags else 'Name'
            shape['value']['locationName'] = 'Value'
    for name, element in lists.items():
        shapes[name]['member']['locationName'] = element
    maps = {'QueueAttributeMap': 'Attribute', 'MessageSystemAttributeMap': 'Attribute',
            'MessageBodyAttributeMap': 'MessageAttribute', 'TagMap': 'Tag',
            'MessageBodySystemAttributeMap': 'MessageSystemAttribute'}
    for shape in shapes.values():
        for name, member in shape.get('members', {}).items():
            if member['shape'] in maps:
                member['locationName'] = maps[member['shape']]
            elif member['shape'] in lists:
                member['locationName'] = lists[member['shape']]
    for name, op in data['operations'].items():
        if 'output' in op:
            op['output']['resultWrapper'] = name + 'Result'


def patched(data, name):
    """The plain shapes and the bounds of lists that NAME.patch declares anew, in botocore's model too."""
    path = os.path.join(ROOT, 'src', 'svc', name, name + '.patch')
    for line in open(path, encoding='utf-8') if os.path.exists(path) else ():
        words = shlex.split(line, comments=True) if not line.startswith('\t') else []
        bounds = dict(w.split('=', 1) for w in words if re.match(r'(min|max|pattern)=', w))
        bounds.update({k: int(v) for k, v in bounds.items() if k != 'pattern'})
        if words and words[0] in ('string', 'integer', 'long', 'boolean', 'timestamp'):
            data['shapes'][words[1]] = {'type': words[0], **bounds}
        elif words and words[0] == 'list' and words[1] in data['shapes']:
            data['shapes'][words[1]].update(bounds)


class Service:
    """One service in one protocol: botocore's model and our tables."""

    def __init__(self, program, loader, name, protocol, options, tally, codes):
        self.program, self.name, self.protocol = program, name, protocol
        self.rnd = random.Random('%d %s %s' % (options.seed, name, protocol))
        self.options, self.tally, self.codes = options, tally, codes
        data = copy.deepcopy(loader.load_service_model(name, 'service-2'))
        patched(data, name)
        if name == 'sqs' and protocol == 'query':
            sqs_as_query(data)
        self.model = ServiceModel(data, name)
        self.own = BOTOCORE.get(protocol, protocol)
        precision = 'default' if protocol == 'cbor' else 'millisecond'
        self.serializer = serialize.create_serializer(self.own, True, precision)
        self.parser = parsers.create_parser(self.own)
        self.patterns = {}
        self.loose = protocol in ('query', 'ec2', 'rest-xml')

    def label(self, op, direction):
        return '%s %s %s.%s' % (direction, self.protocol, self.name, op)

    def same(self, got, want):
        return pruned_equal(got, want, self.loose)

    def run(self, op, tally):
        model = self.model.operation_model(op)
        tally.case(self.label(op, 'input'), self.inputs(model))
        tally.case(self.label(op, 'output'), self.outputs(model))
        if model.error_shapes:
            tally.case(self.label(op, 'error'), self.errors(model))

    def request(self, params, model):
        made = self.serializer.serialize_to_request(params, model)
        made.setdefault('context', {})
        prepare_request_dict(made, 'http://host.local')
        request = create_request_object(made).prepare()
        url = urllib.parse.urlsplit(request.url)
        body = request.body or b''
        body = body.encode() if isinstance(body, str) else body.read() if hasattr(body, 'read') else body
        headers = []
        for name, value in request.headers.items():
            headers += [name, value]
        return request.method, url.path, url.query, body, headers

    def inputs(self, model):
        """None, or what is wrong with the first input that is not decoded to what it was."""
        for _ in range(self.options.inputs):
            make = values.Values(self.rnd, self.protocol, self.patterns, False)
            shape = model.input_shape
            params = make.make(shape) if shape else {}
            try:
                method, path, query, body, headers = self.request(params, model)
            except Exception as e:  # botocore's own refusal of a value of ours
                return 'botocore: %s: %r' % (e, params)
            got = [f.decode('utf-8', 'replace') for f in self.program.ask(
                'decode', self.name, self.protocol, method, path, query, body, *headers)]
            alias = SAME_ROUTE.get(self.name, {}).get(model.name, model.name)
            where = '%s %s?%s %r' % (method, path, query, body[:600])
            if got[0] not in (model.name, alias):
                return 'taken for %r: %s' % (got[0], where)
            if got[0] != model.name:
                self.tally.notes['inputs of operations that share their route with another'] += 1
                continue
            if got[1]:
                return '%s: %s' % (got[1], where)
            want = values.canonical(shape, params) if shape else {}
            found = self.said_only(shape, json.loads(got[2]), want) if shape else {}
            if not self.same(self.body_of(model, found), self.body_of(model, want)):
                return 'got %s, want %s, from %s' % (got[2][:500], dumps(want)[:500], where)
            rpc = self.protocol in ('json', 'cbor')
            if got[3] and not make.unchecked and (rpc or not self.loose_limits(got[3])):
                return 'refused: %s' % got[3]
            if got[3] and make.unchecked:
                self.tally.notes['inputs with a value whose pattern could not be followed'] += 1
        return None

    @staticmethod
    def loose_limits(violations):
        """Empty lists and structures that a protocol cannot send are missing at the other end."""
        return 'must not be null' in violations or 'exactly one member' in violations

    def body_of(self, model, value):
        """An empty payload of bytes and none look the same in HTTP."""
        shape = model.input_shape
        payload = shape.serialization.get('payload') if shape else None
        if payload and value.get(payload) in ('', None, {}):
            value = {k: v for k, v in value.items() if k != payload}
        if shape and self.protocol.startswith('rest'):
            value = {k: v for k, v in value.items()
                     if v not in ([], {}) or 'location' not in shape.members[k].serialization}
        return value

    def outputs(self, model):
        if (self.name, model.name) == ('s3', 'GetBucketNotification'):
            self.tally.notes['outputs not compared: two members of the model have one name'] += 1
            return None
        for _ in range(self.options.outputs):
            make = values.Values(self.rnd, self.protocol, self.patterns, True)
            shape = model.output_shape
            params = make.make(shape) if shape else {}
            self.adapt_output(shape, params, model)
            want = values.canonical(shape, params) if shape else {}
            status, body, headers = self.program.reply('encode', self.name, self.protocol, model.name,
                                                       dumps(want))
            if status == 0:
                return 'our tables cannot hold %s' % dumps(want)[:500]
            try:
                got = self.parsed(model, shape, status, body, headers)
            except Exception as e:
                return 'botocore: %s: %r %r' % (e, headers, body[:800])
            if got.pop('ResponseMetadata', {}).get('RequestId') != REQUEST_ID and shape:
                return 'no request identifier: %r %r' % (headers, body[:300])
            got = self.said_only(shape, values.canonical(shape, got), want) if shape else {}
            if not self.same(self.reply_of(shape, got), self.reply_of(shape, want)):
                return 'got %s, want %s, from %r %r' % (dumps(got)[:500], dumps(want)[:500], headers,
                                                       body[:800])
        return None

    @staticmethod
    def said_only(shape, got, want):
        """Without what every message has anyway: its status, its content type and length."""
        def always(name):
            traits = shape.members[name].serialization
            return traits.get('location') == 'statusCode' or (
                traits.get('name', '').lower() in ('content-type', 'content-length'))
        return {k: v for k, v in got.items() if k in want or not always(k)}

    def adapt_output(self, shape, params, model):
        """What cannot travel, or what botocore's parser cannot take, is not sent."""
        for name, member in (shape.members.items() if shape else ()):
            if name not in params:
                continue
            location = member.serialization.get('location')
            if location == 'statusCode':
                params[name] = self.rnd.choice([200, 201, 202, 206])
            if shape.serialization.get('payload') == name and member.type_name == 'blob':
                params[name] = b'ascii only: the parser decodes it'
            if location == 'header' and member.type_name == 'string' and params[name] == '':
                params[name] = 'x'
        if (self.name, model.name) == ('s3', 'GetBucketLocation') and not params.get('LocationConstraint'):
            params.pop('LocationConstraint', None)  # an empty element is none

    def parsed(self, model, shape, status, body, headers):
        if self.name == 's3' and model.name == 'GetBucketLocation':
            root = parsers.ETree.fromstring(body)
            found = {'LocationConstraint': root.text} if root.text else {}
            return {**found, 'ResponseMetadata': {'RequestId': headers['x-amz-request-id']}}
        if shape is not None and model.has_event_stream_output:
            body = Stream(body)
        elif shape is not None and model.has_streaming_output:
            body = io.BytesIO(body)
        return self.parser.parse({'status_code': status, 'headers': HeadersDict(headers), 'body': body,
                                  'context': {'operation_name': model.name}}, shape)

    def reply_of(self, shape, value):
        if not shape:
            return value
        out = {}
        for name, v in value.items():
            member = shape.members[name]
            located = 'location' in member.serialization
            if values.Values.is_stream(member):
                continue
            if (located or shape.serialization.get('payload') == name) and v in ([], {}, '', None):
                continue
            if member.serialization.get('location') == 'headers':
                v = {k.lower(): w for k, w in v.items()}
            out[name] = v
        return out

    def errors(self, model):
        shapes = list(model.error_shapes)
        self.rnd.shuffle(shapes)
        for shape in shapes[:3]:
            make = values.Values(self.rnd, self.protocol, self.patterns, True)
            params = make.make(shape)
            message = 'It is <not> "so" \u00e9.'
            key = next((k for k in ('message', 'Message', 'errorMessage', 'ErrorMessage')
                        if k in shape.members), None)
            params.pop(key, None)
            want = values.canonical(shape, params)
            if key and shape.members[key].type_name == 'string':
                want[key] = message
            status, body, headers = self.program.reply('fault', self.name, self.protocol, model.name,
                                                       shape.name, message, dumps(want))
            why = self.one_error(model, shape, want, message, status, body, headers)
            if why:
                return '%s: %s: %r %r' % (shape.name, why, headers, body[:600])
        return None

    def one_error(self, model, shape, want, message, status, body, headers):
        if status < 400:
            return 'status %d' % status
        response = {'status_code': status, 'headers': HeadersDict(headers), 'body': body,
                    'context': {'operation_name': model.name}}
        got = self.parser.parse(response, model.output_shape)
        code = shape.name
        if self.loose or self.model.is_query_compatible:
            code = self.codes[shape.name]
        if got['Error']['Code'] != code:
            return 'code %r, want %r' % (got['Error']['Code'], code)
        if got['Error'].get('Message') != message:
            return 'message %r' % got['Error'].get('Message')
        if got['ResponseMetadata'].get('RequestId') != REQUEST_ID:
            return 'no request identifier'
        modelled = values.canonical(shape, self.parser.parse(response, shape))
        if 'Type' in modelled and 'Type' not in want:
            modelled.pop('Type')
        if self.loose:  # always <Message>, however the model spells it
            for value in (modelled, want):
                for key in ('message', 'Message', 'errorMessage', 'ErrorMessage'):
                    value.pop(key, None)
        if not self.same(self.reply_of(shape, modelled), self.reply_of(shape, want)):
            return 'members %s, want %s' % (dumps(modelled), dumps(want))
        return None


class Stream:
    """A body that botocore's event streams can read."""

    def __init__(self, body):
        self.body = body

    def stream(self):
        yield self.body

    def close(self):
        pass


def dumps(value):
    return json.dumps(value, default=str)


def pruned_equal(got, want, loose):
    if loose:
        got, want = values.pruned(got), values.pruned(want)
    return equal(got, want)


def equal(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    return a == b


def declared(path):
    """What an .api file and its .patch say: protocols, operations, and the codes of errors."""
    found, operations, codes = None, [], {}
    for name in (path, path[:-4] + '.patch'):
        if not os.path.exists(name):
            continue
        for line in open(name, encoding='utf-8'):
            if line.startswith('service '):
                m = re.search(r' protocols=(\S+)', line)
                found = m.group(1).split(',') if m else found
            elif line.startswith('op '):
                operations.append(line.split()[1])
            elif line.startswith('error '):
                m = re.search(r' code=(\S+)', line)
                codes[line.split()[1]] = m.group(1) if m else line.split()[1]
    return found, sorted(set(operations)), codes


def patterns_agree(program, tally, known):
    """Every pattern of the models against Python's own matcher, on texts that fit and texts that nearly do."""
    rnd = random.Random(7)
    for source, text in sorted(known.items()):
        if not text.regex:
            answer = program.ask('pattern', source, 'x')[0]
            if answer == b'?':
                tally.notes['patterns taken as satisfied because they cannot be compiled'] += 1
                print('not compiled: %s' % source[:160])
            else:
                tally.notes['patterns compared with nothing: Python cannot compile them'] += 1
            continue
        tries = ['', 'a', '-', 'A b', 'é', '0', '/', 'aws:x', 'x' * 70]
        for _ in range(6):
            fit = text.make(rnd, most=rnd.choice([1, 4, 30]))
            if fit is None:
                continue
            at = rnd.randint(0, len(fit))
            tries += [fit, fit + ' ', fit[:at] + rnd.choice('-_.é/A0 ') + fit[at:], fit[:at] + fit[at + 1:]]
        tries = [t for t in tries if not re.search('[\ud800-\udfff]', t)]
        got = program.ask('pattern', source, *tries)
        truth = {True: b'1', False: b'0'}
        wrong = [t for t, g in zip(tries, got) if g != truth.get(text.matches(t), g)]
        if got[0] == b'?':
            tally.notes['patterns taken as satisfied because they cannot be compiled'] += 1
            print('not compiled: %s' % source[:160])
        else:
            tally.case('pattern %s' % source[:200], 'differs on %r' % wrong[:3] if wrong else None)


def services(options):
    for name in sorted(os.listdir(os.path.join(ROOT, 'src', 'svc'))):
        path = os.path.join(ROOT, 'src', 'svc', name, name + '.api')
        if os.path.exists(path) and options.service in (None, name):
            yield name, path


def against_botocore(program, options, tally):
    session = botocore.session.get_session()
    loader = session.get_component('data_loader')
    known = {}
    for name, path in services(options):
        loaded = program.ask('load', path)[0].decode()
        if loaded != name:
            tally.case('load %s' % name, loaded)
            continue
        protocols, operations, codes = declared(path)
        try:
            data = loader.load_service_model(name, 'service-2')
        except botocore.exceptions.UnknownServiceError:
            tally.notes['operations SKIPPED: this botocore does not know the service'] += len(operations)
            continue
        for protocol in protocols:
            service = Service(program, loader, name, protocol, options, tally, codes)
            for op in operations:
                if options.operation not in (None, op):
                    continue
                if op not in data['operations']:
                    tally.notes['operations SKIPPED: this botocore is older than the facts'] += 1
                    continue
                service.run(op, tally)
            known.update(service.patterns)
    for source in all_patterns(options):
        known.setdefault(source, values.PatternText(source))
    patterns_agree(program, tally, known)


def all_patterns(options):
    found = set()
    for _, path in services(options):
        for line in open(path, encoding='utf-8'):
            m = re.search(r' pattern="((?:[^"\\]|\\.)*)"', line)
            if m:
                found.add(re.sub(r'\\(["\\nt])', lambda k: {'n': '\n', 't': '\t'}.get(k.group(1), k.group(1)),
                                 m.group(1)))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('--seed', type=int, default=20261121)
    parser.add_argument('--inputs', type=int, default=4)
    parser.add_argument('--outputs', type=int, default=3)
    parser.add_argument('--service')
    parser.add_argument('--operation')
    options = parser.parse_args()
    tally = Tally()
    program = Program(options.program)
    print('seed %d' % options.seed)
    vectors.run(program, tally, os.path.join(HERE, 'vectors'))
    if botocore is None:
        print('SKIPPED: botocore is not installed, so no operation has been tried')
    else:
        against_botocore(program, options, tally)
    for note, n in sorted(tally.notes.items()):
        print('%6d %s' % (n, note))
    print('%d passed, %d failed' % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
