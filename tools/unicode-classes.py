#!/usr/bin/env python3
"""Writes src/wire/unicode.c: the major general category of every code point, as Python's unicodedata has it.

    tools/unicode-classes.py > src/wire/unicode.c
"""
import unicodedata

LETTERS = 'CLMNPSZ'


def runs():
    before = None
    for code in range(0x110000):
        major = unicodedata.category(chr(code))[0]
        if major != before:
            yield code, LETTERS.index(major)
            before = major


def main():
    words = ['%d' % (code << 3 | major) for code, major in runs()]
    lines, line = [], ''
    for w in words:
        if len(line) + len(w) + 2 > 88:
            lines.append(line)
            line = ''
        line += (' ' if line else '') + w + ','
    lines.append(line)
    print('/* Unicode %s, by tools/unicode-classes.py: where a run of one major category begins. */'
          % unicodedata.unidata_version)
    print('#include "wire/unicode.h"\n')
    print('/* code point << 3 | index into "%s" */' % LETTERS)
    print('static const uint32_t runs[] = {')
    for line in lines:
        print('\t' + line)
    print('};\n')
    print('''char unicode_class(uint32_t code_point)
{
	size_t low = 0, high = sizeof runs / sizeof *runs;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (runs[middle] >> 3 <= code_point)
			low = middle;
		else
			high = middle;
	}
	return "%s"[runs[low] & 7];
}''' % LETTERS)


if __name__ == '__main__':
    main()
