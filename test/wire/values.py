"""Random valid values for botocore shapes, as Python values, and their canonical JSON form.

The canonical form is what json_encode_value writes: the model's names, seconds since 1970, base64.
"""
import base64
import datetime
import math
import re
import signal
import unicodedata

try:
    import re._parser as sre_parse
except ImportError:  # before 3.11
    import sre_parse

ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
ODD = ['é', 'ß', '€', '漢', '\U0001f600', '&', '<', '>', '"', "'", '\\', '/', '+', '%', ' ', '=', '?', '#',
       ';', ':', '.', '{', '}', '[', ']', '\n', '\t', '~', '\u2028', 'ÿ']
CONTROL = ['\x00', '\x01', '\x1f', '\x7f', '\r', '\b']

CATEGORIES = {'ASCII': '\\x00-\\x7f', 'Print': ' -~'}


def category(name):
    """The inside of a class of all characters of a general category."""
    if name not in CATEGORIES:
        out, start = [], None
        for code in range(0x110001):
            inside = code < 0x110000 and unicodedata.category(chr(code))[0] == name
            if inside and start is None:
                start = code
            elif not inside and start is not None:
                out.append('\\U%08x-\\U%08x' % (start, code - 1))
                start = None
        CATEGORIES[name] = ''.join(out)
    return CATEGORIES[name]


def without_categories(pattern):
    """\\p{..} written out, inside and outside of classes."""
    out, in_class = '', False
    for token in re.findall(r'\\p\{\w+\}|\\.|.', pattern, re.S):
        if token.startswith('\\p{'):
            text = category(token[3:-1])
            out += text if in_class else '[' + text + ']'
            continue
        if token == '[' and not in_class:
            in_class = True
        elif token == ']' and in_class:
            in_class = False
        out += token
    return out


def to_python_pattern(pattern):
    """Java's dialect as these models use it, in Python's words; None where that is not possible."""
    if re.search(r'\\[1-9]|\\G|&&', pattern):
        return None
    def surrogates(m):
        high, low = int(m.group(1), 16), int(m.group(2), 16)
        return '\\U%08x' % (0x10000 + ((high - 0xd800) << 10) + low - 0xdc00)
    pattern = re.sub(r'\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)', surrogates, pattern)
    return pattern


class PatternText:
    """Strings that a pattern matches, from Python's own parse of it."""

    def __init__(self, pattern):
        self.source = pattern
        self.regex = self.tree = None
        python = to_python_pattern(pattern)
        if python is None or re.search(r'\\P', python):
            return
        try:
            python = without_categories(python)
            flags = re.ASCII
            moved = re.sub(r'\(\?([is])\)', '', python)
            if moved != python:
                flags |= (re.I if '(?i)' in python else 0) | (re.S if '(?s)' in python else 0)
            self.regex = re.compile(moved, flags)
            self.tree = sre_parse.parse(moved, flags)
        except (re.error, OverflowError, RecursionError):
            self.regex = self.tree = None

    def matches(self, text):
        """None when Python, which backtracks, does not find out within a moment."""
        def give_up(*_):
            raise TimeoutError
        before = signal.signal(signal.SIGALRM, give_up)
        found = None
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                found = self.regex.fullmatch(text) is not None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeoutError:  # in the match, or just behind it
            pass
        signal.signal(signal.SIGALRM, before)
        return found

    def make(self, rnd, tries=6, most=12):
        if not self.tree:
            return None
        for _ in range(tries):
            text = self.node(rnd, self.tree, most)
            if self.matches(text):
                return text
        return None

    def node(self, rnd, tree, most):
        return ''.join(self.item(rnd, op, arg, most) for op, arg in tree)

    def item(self, rnd, op, arg, most):
        name = str(op)
        if name == 'LITERAL':
            return chr(arg)
        if name == 'NOT_LITERAL':
            return 'b' if arg == ord('a') else 'a'
        if name == 'ANY':
            return rnd.choice(ALPHABET + '-_.: ')
        if name == 'IN':
            return self.one_of(rnd, arg)
        if name == 'BRANCH':
            return self.node(rnd, rnd.choice(arg[1]), most)
        if name == 'SUBPATTERN':
            return self.node(rnd, arg[3], most)
        if name in ('MAX_REPEAT', 'MIN_REPEAT', 'POSSESSIVE_REPEAT'):
            low, high, inside = arg
            high = min(int(high), int(low) + most) if int(high) > int(low) else int(low)
            return ''.join(self.node(rnd, inside, max(1, most // 2))
                           for _ in range(rnd.randint(int(low), high)))
        return ''

    def one_of(self, rnd, items):
        items = list(items)
        negated = str(items[0][0]) == 'NEGATE'
        if not negated:
            op, arg = rnd.choice(items)
            name = str(op)
            if name == 'LITERAL':
                return chr(arg)
            if name == 'RANGE':
                return chr(rnd.randint(arg[0], min(arg[1], arg[0] + 200)))
            if name == 'CATEGORY':
                kind = str(arg)
                return {'CATEGORY_DIGIT': rnd.choice('0123456789'), 'CATEGORY_SPACE': ' ',
                        'CATEGORY_WORD': rnd.choice(ALPHABET + '_')}.get(kind, rnd.choice('aZ'))
        for _ in range(20):
            c = rnd.choice(ALPHABET + '-_.:/@= ')
            if re.fullmatch(self.class_text(items), c):
                return c
        return 'a'

    @staticmethod
    def class_text(items):
        out = '['
        for op, arg in items:
            name = str(op)
            if name == 'NEGATE':
                out += '^'
            elif name == 'LITERAL':
                out += re.escape(chr(arg))
            elif name == 'RANGE':
                out += re.escape(chr(arg[0])) + '-' + re.escape(chr(arg[1]))
            elif name == 'CATEGORY':
                out += {'CATEGORY_DIGIT': r'\d', 'CATEGORY_SPACE': r'\s', 'CATEGORY_WORD': r'\w',
                        'CATEGORY_NOT_DIGIT': r'\D', 'CATEGORY_NOT_SPACE': r'\S',
                        'CATEGORY_NOT_WORD': r'\W'}[str(arg)]
        return out + ']'


class Values:
    """Makes values for one protocol's possibilities."""

    def __init__(self, rnd, protocol, patterns, reply):
        self.rnd = rnd
        self.protocol = protocol
        self.xml = protocol in ('rest-xml', 'query', 'ec2')
        self.form = protocol in ('query', 'ec2') and not reply
        self.reply = reply
        self.patterns = patterns
        self.unchecked = False  # a value was made whose pattern nobody could follow

    def make(self, shape, depth=0, place=None):
        kind = shape.type_name
        return getattr(self, 'make_' + kind)(shape, depth, place)

    def full(self):
        """One value in four has all its members."""
        return self.rnd.random() < 0.25

    def make_structure(self, shape, depth, place):
        if getattr(shape, 'is_document_type', False):
            return self.document(depth)
        rnd, members = self.rnd, shape.members
        names = [n for n in members if not self.is_stream(members[n])]
        required = set(shape.required_members)
        if getattr(shape, 'is_tagged_union', False):
            simple = [n for n in names if members[n].type_name not in ('structure', 'list', 'map')]
            names = [rnd.choice(simple if depth > 3 and simple else names)]
            required = set(names)
        chance = 1.0 if depth == 0 and self.full() else (0.5, 0.4, 0.3, 0.2, 0.1, 0.05)[min(depth, 5)]
        out = {}
        for name in names:
            member = members[name]
            nested = member.type_name in ('structure', 'list', 'map')
            if name not in required and (rnd.random() >= chance or (depth > 5 and nested)):
                continue
            location = member.serialization.get('location')
            out[name] = self.make(member, depth + 1, location if depth == 0 else None)
        if not out and names and self.xml and depth:
            # XML and forms cannot tell an empty structure from none everywhere: give it something.
            simple = [n for n in names if members[n].type_name not in ('structure', 'list', 'map')]
            name = rnd.choice(simple or names)
            if simple or depth < 12:
                out[name] = self.make(members[name], depth + 1, None)
        return out

    @staticmethod
    def is_stream(shape):
        return shape.serialization.get('eventstream') or (
            shape.type_name == 'structure' and getattr(shape, 'event_stream_name', None) is not None)

    def count(self, shape, depth):
        low = int(shape.metadata.get('min', 0))
        high = int(shape.metadata.get('max', 1 << 30))
        most = (4, 3, 2, 1, 1)[min(depth, 4)] if depth <= 5 else 0
        return max(low, min(high, self.rnd.randint(0, most)))

    def make_list(self, shape, depth, place):
        inner = place if place in ('header', 'querystring') else None
        count = self.count(shape, depth)
        return [self.make(shape.member, depth + 1, inner and 'list-' + inner) for _ in range(count)]

    def make_map(self, shape, depth, place):
        out = {}
        for _ in range(self.count(shape, depth) + 20):
            if len(out) >= max(self.count(shape, depth), int(shape.metadata.get('min', 0))):
                break
            if place == 'headers':
                key = self.token(1, 12)
            else:
                key = self.make(shape.key, depth + 1, 'querystring' if place == 'querystring' else 'key')
            inner = {'headers': 'header', 'querystring': 'querystring'}.get(place)
            out[key] = self.make(shape.value, depth + 1, inner)
        return out

    def token(self, low, high):
        return ''.join(self.rnd.choice(ALPHABET) for _ in range(self.rnd.randint(low, high)))

    def make_string(self, shape, depth, place):
        rnd = self.rnd
        if shape.enum:
            return rnd.choice(shape.enum)
        low = int(shape.metadata.get('min', 0))
        high = min(int(shape.metadata.get('max', 1 << 30)), max(low, 24))
        host = shape.serialization.get('hostLabel')
        pattern = shape.metadata.get('pattern')
        if pattern:
            if pattern not in self.patterns:
                self.patterns[pattern] = PatternText(pattern)
            for _ in range(4):
                text = self.patterns[pattern].make(rnd)
                if text is not None and low <= len(text) <= int(shape.metadata.get('max', 1 << 30)) and \
                        self.fits(text, place) and not (host and not re.fullmatch(r'[A-Za-z0-9.-]+', text)):
                    return text
            self.unchecked = True
        plain = host or place in ('uri', 'header', 'headers', 'list-header')
        if place == 'uri' or host:
            low = max(low, 1)
        if high < low:
            high = low
        n = rnd.randint(low, high)
        if place == 'key' and n == 0 and high > 0:
            n = 1
        letters = []
        for _ in range(n):
            if plain and not (place == 'uri' and not host):
                letters.append(rnd.choice(ALPHABET))
            elif rnd.random() < 0.8:
                letters.append(rnd.choice(ALPHABET))
            elif not self.xml and place is None and rnd.random() < 0.1:
                letters.append(rnd.choice(CONTROL))
            else:
                letters.append(rnd.choice(ODD))
        text = ''.join(letters)
        if place == 'uri' and not self.fits(text, place):
            text = 'x' + text[1:].replace('/', '_')
        return text

    @staticmethod
    def fits(text, place):
        if re.search('[\x00-\x08\x0b\x0c\x0e-\x1f\r\ud800-\udfff\ufffe\uffff]', text):
            return False
        if place == 'uri':
            return bool(text) and text not in ('.', '..') and not text.startswith('/') and '//' not in text
        if place in ('header', 'headers', 'list-header'):
            return text.isascii() and text.isprintable() and text == text.strip() and ',' not in text
        if place == 'list-header':
            return bool(text)
        return True

    make_character = make_string

    def make_blob(self, shape, depth, place):
        low = int(shape.metadata.get('min', 0))
        high = min(int(shape.metadata.get('max', 1 << 30)), max(low, 40))
        n = self.rnd.randint(low, max(low, high))
        return bytes(self.rnd.getrandbits(8) for _ in range(n))

    def make_integer(self, shape, depth, place, bits=31):
        low = int(shape.metadata.get('min', -(1 << bits)))
        high = int(shape.metadata.get('max', (1 << bits) - 1))
        if self.rnd.random() < 0.2:
            return self.rnd.choice([low, high])
        return self.rnd.randint(max(low, -1000) if low < 1000 < high else low,
                                min(high, 1000000) if high > 1000000 > low else high)

    def make_long(self, shape, depth, place):
        return self.make_integer(shape, depth, place, 63)

    def make_float(self, shape, depth, place):
        low = float(shape.metadata.get('min', -1000))
        high = float(shape.metadata.get('max', 1000))
        if 'min' not in shape.metadata and 'max' not in shape.metadata and self.rnd.random() < 0.1:
            return self.rnd.choice([math.inf, -math.inf, math.nan])
        steps = int((high - low) * 64)
        return low + self.rnd.randint(0, max(0, steps)) / 64

    def make_double(self, shape, depth, place):
        value = self.make_float(shape, depth, place)
        if math.isfinite(value) and self.rnd.random() < 0.3 and 'max' not in shape.metadata:
            value += self.rnd.random()
        return value

    def make_boolean(self, shape, depth, place):
        return self.rnd.random() < 0.5

    def make_timestamp(self, shape, depth, place):
        seconds = self.rnd.choice([0, 1, 951782399, 1700000000, 4102444800, self.rnd.randint(0, 1 << 31)])
        stamp = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        form = shape.serialization.get('timestampFormat')
        text = place not in ('header', 'list-header') and (
            form == 'iso8601' or (form is None and (self.xml or place == 'querystring')))
        if text and self.rnd.random() < 0.5:
            stamp = stamp.replace(microsecond=self.rnd.randint(0, 999) * 1000)
        return stamp

    def document(self, depth):
        rnd = self.rnd
        if depth > 4:
            return rnd.choice(['x', 1, True])
        return {self.token(1, 5): rnd.choice([1, 2.5, 'é"', None, False, [1, {'a': []}], {}])
                for _ in range(rnd.randint(0, 3))}


def number(value):
    if isinstance(value, float):
        if math.isnan(value):
            return 'NaN'
        if math.isinf(value):
            return 'Infinity' if value > 0 else '-Infinity'
        if value.is_integer():
            return int(value)
    return value


def canonical(shape, value):
    """The value as json_encode_value has it, read back by Python's json."""
    kind = shape.type_name
    if value is None:
        return None
    if kind == 'structure':
        if getattr(shape, 'is_document_type', False):
            return value
        return {name: canonical(shape.members[name], v) for name, v in value.items()
                if name in shape.members and not Values.is_stream(shape.members[name])}
    if kind == 'list':
        return [canonical(shape.member, v) for v in value]
    if kind == 'map':
        return {k: canonical(shape.value, v) for k, v in value.items()}
    if kind == 'blob':
        if hasattr(value, 'read'):
            value = value.read()
        if isinstance(value, str):
            value = value.encode()
        return base64.b64encode(value).decode()
    if kind == 'timestamp':
        milliseconds = round(value.timestamp() * 1000)
        return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
    if kind in ('float', 'double', 'integer', 'long'):
        return number(value)
    return value


def pruned(value):
    """Without what some protocols cannot tell from absence: empty lists, maps and structures."""
    if isinstance(value, dict):
        inside = {k: pruned(v) for k, v in value.items()}
        return {k: v for k, v in inside.items() if v not in ({}, [], None)}
    if isinstance(value, list):
        return [v for v in map(pruned, value) if v not in ({}, [])]
    return value
