#!/usr/bin/env python3
"""Imports the facts of AWS services from an installed botocore into src/svc/NAME/NAME.api.

    tools/import-api.py            all services below
    tools/import-api.py ssm sqs    these (any name botocore knows)

Developers only: nobody needs botocore, or Python, to build or to run. The grammar of what is written
is in docs/definitions.md. Names, types, constraints and bindings are taken; documentation text is not.
Source: botocore (Apache-2.0), https://github.com/boto/botocore.
"""
import json
import os
import re
import sys

import botocore
from botocore.loaders import Loader

SERVICES = """
acm apigateway apigatewaymanagementapi apigatewayv2 application-autoscaling appsync athena autoscaling
bcm-pricing-calculator budgets ce cloudformation cloudfront cloudwatch cognito-identity cognito-idp
dynamodb dynamodbstreams ec2 ecr ecs elasticache elasticbeanstalk elbv2 events freetier glue iam kms
lambda logs pricing rds rds-data resourcegroupstaggingapi route53 s3 s3control scheduler
secretsmanager service-quotas ses sns sqs ssm stepfunctions sts wafv2 xray
""".split()

PROTOCOLS = {'smithy-rpc-v2-cbor': 'cbor', 'json': 'json', 'rest-json': 'rest-json',
             'rest-xml': 'rest-xml', 'query': 'query', 'ec2': 'ec2'}
TIMES = {'iso8601': 'iso', 'rfc822': 'http', 'unixTimestamp': 'epoch'}
PLACES = {'header': 'header', 'headers': 'headers', 'querystring': 'query', 'uri': 'path'}
SCALARS = {'integer', 'long', 'float', 'double', 'boolean', 'timestamp', 'blob'}
BARE = re.compile(r'^[^\s"\\#\x00-\x20]+$')
IDENTIFIER = re.compile(r'^[A-Za-z_][A-Za-z0-9_]*$')


def quoted(text):
    out = ['"']
    for c in text:
        if c in '"\\':
            out.append('\\' + c)
        elif c == '\n':
            out.append('\\n')
        elif c == '\t':
            out.append('\\t')
        elif ord(c) < 32:
            raise ValueError('control character in %r' % text)
        else:
            out.append(c)
    return ''.join(out) + '"'


def word(text):
    return text if BARE.match(text) else quoted(text)


def attr(name, value):
    return '%s=%s' % (name, word(str(value)))


def number(value):
    return str(int(value)) if float(value).is_integer() else repr(value)


def bounds(shape):
    return [attr(k, number(shape[k])) for k in ('min', 'max') if k in shape]


class Service:
    def __init__(self, loader, folder):
        self.folder = folder
        self.model = loader.load_service_model(folder, 'service-2')
        self.shapes = self.model['shapes']
        self.endpoints = loader.load_data('endpoints')
        self.inputs = {}
        self.streams = set()
        self.lines = []
        for name, shape in self.shapes.items():
            for member in shape.get('members', {}).values():
                if member.get('streaming'):
                    self.streams.add(member['shape'])

    def merged(self, ref):
        """A reference's traits, falling back to those of the shape it names, as botocore reads them."""
        shape = self.shapes[ref['shape']]
        return {k: ref.get(k, shape.get(k))
                for k in ('locationName', 'flattened', 'timestampFormat', 'xmlNamespace', 'xmlAttribute')
                if ref.get(k, shape.get(k)) is not None}

    def global_region(self):
        prefix = self.model['metadata']['endpointPrefix']
        for partition in self.endpoints['partitions']:
            if partition['partition'] != 'aws':
                continue
            entry = partition['services'].get(prefix, {})
            if entry.get('isRegionalized') is False:
                where = entry['endpoints'][entry['partitionEndpoint']]
                return where['credentialScope']['region']
        return None

    def service(self):
        m = self.model['metadata']
        protocols = [PROTOCOLS[p] for p in m.get('protocols', [m['protocol']])]
        words = ['service', self.folder, attr('id', m['serviceId']),
                 'title=' + quoted(m['serviceFullName']), attr('protocol', PROTOCOLS[m['protocol']]),
                 attr('protocols', ','.join(protocols)), attr('version', m['apiVersion']),
                 attr('endpoint', m['endpointPrefix']),
                 attr('signing', m.get('signingName', m['endpointPrefix']))]
        if 'targetPrefix' in m:
            words.append(attr('target', m['targetPrefix']))
        if 'jsonVersion' in m:
            words.append(attr('json', m['jsonVersion']))
        if 'xmlNamespace' in m:
            ns = m['xmlNamespace']
            words.append(attr('xmlns', ns['uri'] if isinstance(ns, dict) else ns))
        region = self.global_region()
        if region:
            words.append(attr('global', region))
        if 'awsQueryCompatible' in m:
            words.append('query-compatible')
        self.lines.append(' '.join(words))

    def operation(self, name, op):
        http = op.get('http', {})
        words = ['op', name, http.get('method', 'POST'), word(http.get('requestUri', '/'))]
        if 'input' in op:
            words.append(attr('in', op['input']['shape']))
            traits = (op['input'].get('locationName'), op['input'].get('xmlNamespace'))
            if self.inputs.setdefault(op['input']['shape'], traits) != traits:
                raise ValueError('%s: input shape with two names' % name)
        if 'output' in op:
            words.append(attr('out', op['output']['shape']))
            if 'resultWrapper' in op['output']:
                words.append(attr('wrapper', op['output']['resultWrapper']))
        if http.get('responseCode', 200) != 200:
            words.append(attr('status', http['responseCode']))
        if 'hostPrefix' in op.get('endpoint', {}):
            words.append(attr('host', op['endpoint']['hostPrefix']))
        if op.get('authtype') == 'none':
            words.append('no-auth')
        if op.get('unsignedPayload') or op.get('authtype') == 'v4-unsigned-body':
            words.append('unsigned-payload')
        if op.get('httpChecksumRequired') or op.get('httpChecksum', {}).get('requestChecksumRequired'):
            words.append('checksum')
        if op.get('errors'):
            words.append(attr('errors', ','.join(e['shape'] for e in op['errors'])))
        self.lines.append(' '.join(words))

    def member(self, owner, name, ref, required):
        if not IDENTIFIER.match(name):
            raise ValueError('%s: member %r' % (owner, name))
        traits = self.merged(ref)
        words = ['\t' + name, ref['shape']]
        if required:
            words.append('!')
        wire = traits.get('locationName')
        place = ref.get('location')
        if place == 'statusCode':
            words.append('at=status')
        elif place:
            where = '' if place == 'querystring' and not wire else wire or name
            words.append(attr('at', '%s:%s' % (PLACES[place], where)))
        elif wire is not None and wire != name:
            words.append(attr('wire', wire))
        if ref.get('jsonvalue') and place:
            raise ValueError('%s.%s: JSON in a header' % (owner, name))
        if 'queryName' in ref:
            words.append(attr('query', ref['queryName']))
        if 'timestampFormat' in ref:
            words.append(attr('ts', TIMES[ref['timestampFormat']]))
        for trait, flag in (('flattened', 'flat'), ('xmlAttribute', 'attr'), ('hostLabel', 'host-label'),
                            ('idempotencyToken', 'token'), ('eventheader', 'eventheader'),
                            ('eventpayload', 'eventpayload')):
            if ref.get(trait):
                words.append(flag)
        self.lines.append(' '.join(words + self.namespace(ref)))

    @staticmethod
    def namespace(traits):
        ns = traits.get('xmlNamespace')
        if not ns:
            return []
        if not isinstance(ns, dict):
            return [attr('ns', ns)]
        return [attr('ns', ns['uri'])] + ([attr('nsprefix', ns['prefix'])] if 'prefix' in ns else [])

    def structure(self, name, shape):
        wire, ns = self.inputs.get(name, (None, None))
        if shape.get('exception'):
            error = shape.get('error', {})
            status = error.get('httpStatusCode', 500 if shape.get('fault') else 400)
            words = ['error', name, str(status)]
            if error.get('code', name) != name:
                words.append(attr('code', error['code']))
            if error.get('senderFault'):
                words.append('sender')
            elif shape.get('fault') or status >= 500:
                words.append('server')
        else:
            words = ['struct', name]
        if shape.get('union'):
            words.append('union')
        if shape.get('eventstream'):
            words.append('eventstream')
        if shape.get('sensitive'):
            words.append('sensitive')
        if 'payload' in shape:
            words.append(attr('payload', shape['payload']))
        if wire or shape.get('locationName'):
            words.append(attr('xml', wire or shape['locationName']))
        words += self.namespace({'xmlNamespace': ns} if ns else shape)
        self.lines.append(' '.join(words))
        required = set(shape.get('required', []))
        for member, ref in shape['members'].items():
            self.member(name, member, ref, member in required)

    def shape(self, name, shape):
        kind = shape['type']
        if not IDENTIFIER.match(name):
            raise ValueError('shape %r' % name)
        if kind == 'structure' and shape.get('document'):
            self.lines.append('document ' + name)
            return
        if kind == 'structure':
            self.structure(name, shape)
            return
        if kind == 'string' and 'enum' in shape:
            self.lines.append(' '.join(['enum', name] + [word(v) for v in shape['enum']]))
            return
        words = [kind, name]
        if kind == 'list':
            words.append(shape['member']['shape'])
            wire = self.merged(shape['member']).get('locationName')
            words += [attr('wire', wire)] if wire else []
        elif kind == 'map':
            words += [shape['key']['shape'], shape['value']['shape']]
            for end, label in (('key', 'key'), ('value', 'value')):
                wire = self.merged(shape[end]).get('locationName')
                words += [attr(label, wire)] if wire else []
        elif kind != 'string' and kind not in SCALARS:
            raise ValueError('%s: type %s' % (name, kind))
        words += bounds(shape)
        if 'pattern' in shape:
            words.append('pattern=' + quoted(shape['pattern']))
        if 'timestampFormat' in shape:
            words.append(attr('ts', TIMES[shape['timestampFormat']]))
        for trait, flag in (('flattened', 'flat'), ('requiresLength', 'needs-length'),
                            ('sensitive', 'sensitive')):
            if shape.get(trait):
                words.append(flag)
        if shape.get('streaming') or name in self.streams:
            words.append('streaming')
        self.lines.append(' '.join(words))

    def reachable(self):
        """Names of the shapes an operation or an error reaches."""
        todo = [n for n, s in self.shapes.items() if s.get('exception')]
        for op in self.model['operations'].values():
            todo += [op[k]['shape'] for k in ('input', 'output') if k in op]
            todo += [e['shape'] for e in op.get('errors', [])]
        seen = set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            shape = self.shapes[name]
            todo += [m['shape'] for m in shape.get('members', {}).values()]
            todo += [shape[k]['shape'] for k in ('member', 'key', 'value') if k in shape]
        return seen

    def text(self):
        self.lines = ['# Facts imported from botocore %s by tools/import-api.py; not edited by hand.'
                      % botocore.__version__]
        self.service()
        for name in sorted(self.model['operations']):
            self.operation(name, self.model['operations'][name])
        wanted = self.reachable()
        for name, shape in self.shapes.items():
            if name in wanted:
                self.shape(name, shape)
        return '\n'.join(self.lines) + '\n'


def main(names):
    root = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'src', 'svc')
    loader = Loader()
    loader.search_paths.append(os.path.join(os.path.dirname(botocore.__file__), 'data'))
    total = 0
    for folder in names or SERVICES:
        text = Service(loader, folder).text()
        path = os.path.join(root, folder, folder + '.api')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        size = len(text.encode())
        total += size
        print('%-28s %7d bytes' % (folder, size))
    print('%-28s %7d bytes' % ('total', total))


if __name__ == '__main__':
    main(sys.argv[1:])
