"""Protocol vectors: test/wire/vectors/*.json, each about the service of one .api file.

A case with `body`, `base64` or `uri` is a request: it must be routed to `op` and decoded to `params`, or be
`refused` or found in `violations` with these words. A case with `response` is a reply: encoding `result`
(of the error `error`, if named) must give that body, `status` and at least these `headers`. The ids are
Smithy's (smithy-aws-protocol-tests, Apache-2.0) where the case is one of its.
"""
import base64
import glob
import json
import os
import struct
import xml.etree.ElementTree as ET

REQUEST_ID = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'
IDENTIFIERS = ('ResponseMetadata', 'RequestId', 'requestId', 'RequestID', 'HostId')


def run(program, tally, folder):
    for path in sorted(glob.glob(os.path.join(folder, '*.json'))):
        with open(path, encoding='utf-8') as f:
            group = json.load(f)
        loaded = program.ask('load', os.path.normpath(os.path.join(folder, group['api'])))[0].decode()
        if loaded != group['service']:
            tally.case('vectors %s' % path, loaded)
            continue
        for case in group['cases']:
            case = {**group['defaults'], **case}
            check = reply if 'response' in case else request
            tally.case('vector %s %s' % (group['service'], case['id']), check(program, group, case))


def request(program, group, case):
    path, _, query = case['uri'].replace('OP', case['op']).partition('?')
    body = base64.b64decode(case['base64']) if 'base64' in case else case.get('body', '').encode()
    headers = dict(case.get('send', {}))
    if 'target' in case:
        headers['X-Amz-Target'] = case['target'] + '.' + case['op']
    if 'form' in case:
        body = case['form'].replace('OP', case['op']).encode() + body
    flat = [x for pair in headers.items() for x in pair]
    got = [x.decode() for x in program.ask('decode', group['service'], group['protocol'], case['method'],
                                           path, query, body, *flat)]
    if got[0] != case['op']:
        return 'taken for %r' % got[0]
    if 'refused' in case:
        return None if got[1] == case['refused'] else 'said %r' % got[1]
    if got[1]:
        return got[1]
    if 'violations' in case:
        return None if got[3] == case['violations'] else 'said %r' % got[3]
    params = json.loads(got[2])
    return None if params == case['params'] else 'params %s' % got[2]


def reply(program, group, case):
    result = json.dumps(case['result'])
    if 'error' in case:
        status, body, headers = program.reply('fault', group['service'], group['protocol'], case['op'],
                                              case['error'], case['message'], result)
    else:
        status, body, headers = program.reply('encode', group['service'], group['protocol'], case['op'], result)
    if status != case.get('status', 200):
        return 'status %d' % status
    lower = {k.lower(): v for k, v in headers.items()}
    for name, value in case.get('headers', {}).items():
        if lower.get(name.lower()) != value.replace('RID', REQUEST_ID):
            return '%s is %r' % (name, lower.get(name.lower()))
    want = case['response'].replace('RID', REQUEST_ID)
    kind = case['as']
    if kind == 'json':
        same = json.loads(body) == json.loads(want)
    elif kind == 'cbor':
        same = cbor(body) == cbor(base64.b64decode(want))
    elif kind == 'xml':
        whole = case.get('whole', False)
        same = tree(ET.fromstring(body), whole) == tree(ET.fromstring(want), whole)
    else:
        same = body.decode() == want
    return None if same else 'body %r' % body


def tree(node, whole):
    children = [tree(c, whole) for c in node if whole or c.tag.split('}')[-1] not in IDENTIFIERS]
    text = node.text or ''
    return node.tag, sorted(node.attrib.items()), text if not children else text.strip(), children


def cbor(data):
    value, at = cbor_item(data, 0)
    assert at == len(data)
    return value


def cbor_item(data, at):
    first, at = data[at], at + 1
    major, info = first >> 5, first & 31
    n = info
    if 24 <= info <= 27:
        size = 1 << (info - 24)
        n, at = int.from_bytes(data[at:at + size], 'big'), at + size
        if major == 7:
            return struct.unpack({2: '>e', 4: '>f', 8: '>d'}[size], data[at - size:at])[0], at
    if major == 0:
        return n, at
    if major == 1:
        return -1 - n, at
    if major in (2, 3):
        text = data[at:at + n]
        return (text if major == 2 else text.decode()), at + n
    if major == 6:
        value, at = cbor_item(data, at)
        return ('tag', n, value), at
    if major == 7:
        return {20: False, 21: True, 22: None}[info], at
    items, count = [], n * (2 if major == 5 else 1)
    while data[at] != 0xff if info == 31 else len(items) < count:
        value, at = cbor_item(data, at)
        items.append(value)
    at += info == 31
    return (dict(zip(items[::2], items[1::2])) if major == 5 else items), at
