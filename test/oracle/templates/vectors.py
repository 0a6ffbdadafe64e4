"""The template vectors: every filter, macro, operator, method and directive over plain and odd input."""

import itertools

CONTEXTS = {
    "c": {
        "config": {
            "name": "airbyte",
            "n": 3,
            "zero": 0,
            "f": 2.5,
            "neg": -7,
            "big": 12345678901234567890,
            "yes": True,
            "no": False,
            "none": None,
            "empty": "",
            "zip": "007",
            "num": "123",
            "list": [3, 1, 2],
            "words": ["beta", "Alpha", "gamma", "alpha"],
            "d": {"a": 1, "b": {"c": [10, {"d": "deep"}]}, "items": "key", "_private": 5},
            "users": [
                {"id": 1, "name": "Zoe", "on": True, "tag": {"x": "p"}},
                {"id": 2, "name": "adam", "on": False, "tag": {"x": "q"}},
                {"id": 3, "name": "Bob", "on": True, "tag": {"x": "p"}},
            ],
            "start_date": "2024-02-29T12:34:56.789Z",
            "uni": "h\u00e9llo \u4e16\u754c \U0001f600!",
            "quote": "it's \"q\"",
            "nl": "a\nb\tc",
            "url": "https://x.io/a b?c=d&e=\u00e9+f",
            "link": '<https://api.x.io/p?page=2>; rel="next", <https://api.x.io/p?page=9>; rel="last"',
            "empty_list": [],
            "empty_dict": {},
        },
        "record": {"id": "42", "zip": "01234", "val": 9007199254740993, "price": 1.10, "n": None},
        "response": {"next": None, "data": [{"id": 5}], "has_more": False, "items": [1]},
        "headers": {"X-Next": "abc", "link": {"next": {"url": "https://x.io/2"}}},
        "last_page_size": 2,
        "stream_slice": {
            "partition": {"id": 7, "parent_slice": {"p": 1}},
            "cursor_slice": {"start_time": "2024-01-01", "end_time": "2024-01-31"},
            "extra_fields": {"a.b": "x"},
        },
    },
}

# Values that meet every filter and test.
ODD = [
    "0", "1", "-1", "3", "2.5", "2.0", "-2.5", "0.5", "1e20", "1e-7", "0.1 + 0.2", "10 ** 20",
    "true", "false", "none", "''", "'a'", "'Hello World'", "'  pad  '", "'12'", "'12.7'", "'-5'",
    "'0x1f'", "'abc 123 def'", "'true'", "'None'", "'[1, 2]'", "config.uni", "config.quote",
    "config.nl", "config.url", "[]", "[1, 2, 3]", "['b', 'a', 'C']", "[3, 1.5, 2]", "[[1, 2], [3]]",
    "[none, 1]", "(1, 2)", "()", "{}", "{'a': 1, 'b': 2}", "{'z': [1, {'y': none}], 'a': 'q'}",
    "{1: 'x', true: 'y'}", "config.users", "config.words", "config.missing", "config.big",
    "now_utc()", "today_utc()", "duration('P1DT2H')", "duration('P1M')", "config",
]  # fmt: skip

FILTERS = [
    "abs", "base64encode", "base64decode", "base64binascii_decode", "capitalize", "center(11)",
    "count", "default", "default('d')", "default('d', true)", "d(none)", "dictsort", "escape", "first",
    "float", "float(9)", "hash", "hash('sha256')", "hash('sha1', 'salt')", "hmac('key')", "indent",
    "int", "int(9)", "int(base=16)", "items", "items | list", "join", "join('-')", "last", "length",
    "list", "lower", "max", "min", "replace('a', 'X')", "replace('l', 'L', 1)", "reverse",
    "reverse | list", "round", "round(1)", "round(2, 'floor')", "select | list", "reject | list",
    "sort", "sort(reverse=true)", "string", "striptags", "sum", "title", "tojson", "tojson(2)",
    "trim", "trim('a ')", "truncate(5)", "truncate(8, true, '~', 0)", "unique | list", "upper",
    "urlencode", "wordcount", "regex_search('([a-z]+)')", "regex_search('[a-z]')",
    "regex_replace('[aeiou]', '_')", "map('string') | list", "map('int') | list", "batch(2) | list",
    "slice(2) | list", "attr('a')", "map(attribute='id') | list", "selectattr('on') | list",
    "format('x')", "safe", "e",
]  # fmt: skip

TESTS = [
    "defined", "undefined", "none", "not none", "true", "false", "boolean", "integer", "float",
    "number", "string", "mapping", "sequence", "iterable", "odd", "even", "divisibleby(3)",
    "divisibleby 3", "in [1, 'a', 2.5]", "lower", "upper", "sameas none", "eq 1", "ne 'a'", "gt 1",
    "lt 2", "ge 1", "le 1", "equalto('a')", "callable", "escaped",
]  # fmt: skip

BINARY = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">=", "in", "not in", "and", "or", "~"]
OPERANDS = [
    "0", "1", "3", "-7", "2.5", "2.0", "true", "none", "''", "'ab'", "'3'", "[]", "[1, 'ab']", "(1,)",
    "{}", "{'ab': 1}", "config.missing", "9007199254740993", "today_utc()", "now_utc()",
    "duration('P1D')", "duration('P1M')",
]  # fmt: skip

LITERALS = """0|00|007|1|-1|+1|--1|1.|.5|1.5|1e5|1E-3|1_000|1__0|_1|1_|0x10|0XfF|0o17|0b101|0b2|017|09.5|10j|1+2j|1+2|1-2|3*4|
True|true|TRUE|False|false|None|null|none|nan|inf|-inf|Infinity|NaN|-None|-True|+False|
'a'|"a"|'a' 'b'|"a" "b"|'a'b'|'it''s'|''|""|"\\n"|r"\\n"|u'x'|R'x'|'\\x41\\u0042'|'\\q'|'\\'|'\\x4'|'\\101'|
[]|[1]|[1,]|[,]|[1 2]|[1, [2, [3]]]|[True, None]|['a', "b"]|[1|1]|(1)|(1,)|()|(,)|((1))|(1, 2)|1,|1, 2|1,2,3|,1|1,,2|
{}|{1}|{1: 2}|{'a': 1}|{"a": 1}|{'a': {'b': []}}|{a: 1}|{'a': 1,}|{'a'}|{'a': }|{[]: 1}|{(1, 2): 3}|{'a': 1, 'a': 2}|{1: 'a', True: 'b'}|
{"a": true}|{"a": null}|{"a": 1.0}|[1.0, 2]|(-1)|-(1)|-(-1)|-'a'|- 1|+ 1.5|1 .real|1.real|1 if True else 2|not True|1 == 1|
 12|12 |  12  |12#|12 # c|# c|#|12; 13|1\\|a|abc|a b|hello world|2024-01-01|2024-01-01T00:00:00Z|12:30|1.2.3|1,234.5|$5|5%|50 %|
https://x.io|a@b.c|/path|+491234567|+49 123|(555) 123|-|+|.|..|...|*|1*|1e|1e+|e5|0x|0xg|1f|1L|1l|٣|１２|é|'é'|"日本"|[é]|
lambda: 1|print(1)|__import__('os')|f'a'|f'{1}'|b'a'|rb'a'|br'a'|{1, 2}|{'x', 'y'}|set()|[1, 2][0]|'a'.upper()|[*[1]]|{**{}}|
9007199254740992|9007199254740993|-9007199254740993|123456789012345678901234567890|1e308|1e309|-1e309|5e-324|0.1|100.0|1e15|1e16|1e22|123456789.123456789|
\"\"\"a\"\"\"|\"\"\"a"b\"\"\"|'''x'''|\"\"\"{"a": 1}\"\"\"|\"\"\"\"\"\"|\"\"\"a|"a|'a|"a'|[1, 2|{"a": 1|(1|1)|]|}|1]|
[ 1 , 2 ]|{ 'a' : 1 }|( 1 , )|[1, 'a b', None, -2.5e3]|{'k': (1, 2), 'l': [{}]}|True, False|'a', 'b'|"1", 2|-1, -2|
TrueFalse|True1|None.x|True False|None None|1 2|1.5 2|'a' 1|1 'a'|[1] [2]|{} {}""".split("|")
LITERALS = [text.lstrip("\n") for text in LITERALS] + [
    "1\n", "\n1", " \n1", "1\n2", "1\n ", "[1,\n2]", "[1, # c\n2]", "(1\n)", "'a\nb'", "'''a\nb'''",
    "\t1", "1\t", "\x0c1", "1\x00", "a\\\nb", "1\\\n", "[1\\\n]", "\"a\\\nb\"", "1\r\n", "'''a\r\nb'''",
    "{'a':1}\n\n", "\u00a01", "1\u00a0", "[" * 150 + "]" * 150, "[" * 250 + "]" * 250, "(" * 90 + "1" + ")" * 90,
    "9" * 400, "'" + "x" * 300 + "'", "0" * 20, "1" + "0" * 25 + ".0", "\"\\N{BULLET}\"",
]  # fmt: skip

TRUTH = [
    "False", "false", "FALSE", "True", "true", "0", "0.0", "-0.0", "00", "0.00", "1", "", " ", "None", "none",
    "null", "{}", "[]", "()", "{ }", "[0]", "[[]]", "no", "No", "off", "'0'", "''", "'False'", "\"\"", "0x0", "0e5",
    "{{ none }}", "{{ false }}", "{{ 0 }}", "{{ 0.0 }}", "{{ '' }}", "{{ [] }}", "{{ {} }}", "{{ () }}",
    "{{ response.next }}", "{{ response.missing }}", "{{ response.missing.deeper }}", "{{ response.has_more }}",
    "{{ response['data'] }}", "{{ record.id }}", "{{ record['n'] }}", "{{ not response.next }}",
    "{{ response.next is none }}", "{{ response.get('next') }}", "{{ response.get('x', {}) }}",
    "{{ last_page_size < 10 }}", "{{ last_page_size == 0 }}", "{{ 'a' in config.name }}",
    "{{ config.zero }}", "{{ config.yes and config.n }}", "{{ config.no or config.empty }}", "{{ 1 + 'a' }}",
    "{{ config.name }}", "{{ ' ' }}", "{{ 'False' }}", "{{ '0.0' }}", "{{ '0' }}", "{{ 'no' }}", "{{ 0 == false }}",
    "{{ now_utc() }}", "{{ [none] }}", "{{ config.empty_list }}", "{{ config.empty_dict }}", "{{ headers['link'] }}",
    "{{ headers.link.next.url }}", "{{ headers.link.last.url }}", "{{ unknown }}", "{{ record }}", "{{ 1 == 1.0 }}",
]  # fmt: skip

DIRECTIVES = [f"%{c}" for c in "aAbBcCdDeFgGhHIjklmMnpPrRsSTtuUVwWxXyYzZ%fqQiNLE"] + [
    "%-d", "%_d", "%-m/%-d", "%-H", "%-I", "%-j", "%05d", "%_5Y", "%^a", "%^B", "%Ey", "%Od", "%ms", "%_ms", "%s_as_float",
    "%epoch_microseconds", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.%_msZ", "%Y-%m-%dT%H:%M:%S%z", "date %Y!", "%Y%%%m",
    "%", "a%", "%s%s", "%s.%f", "%H:%M %p", "modified_since:gte:%Y-%m-%d", "",
]  # fmt: skip

DATES = [
    "now_utc()", "today_utc()", "str_to_datetime('2024-02-29T23:59:59.000001+02:00')", "str_to_datetime('0099-01-02')",
    "str_to_datetime('1969-12-31T23:59:59.5Z')", "str_to_datetime('2026-01-01')",
]  # fmt: skip

ISO_TEXTS = [
    "2024", "2024-02", "202402", "2024-02-29", "20240229", "2024-02-30", "2023-02-29", "2024-13-01", "2024-W05", "2024-W05-3",
    "2024W053", "2024-060", "2024060", "2024-366", "2023-366", "2024-02-29T12", "2024-02-29T12:34", "2024-02-29T1234",
    "2024-02-29T12:34:56", "2024-02-29T123456", "2024-02-29 12:34:56", "2024-02-29T12:34:56Z", "2024-02-29T12:34:56z",
    "2024-02-29T12:34:56.7", "2024-02-29T12:34:56,789", "2024-02-29T12:34:56.123456789Z", "2024-02-29T12:34:56+02",
    "2024-02-29T12:34:56+0230", "2024-02-29T12:34:56-02:30", "2024-02-29T12:34:56 Z", "2024-02-29T24:00:00", "2024-02-29T24:00:01",
    "2024-02-29T25:00", "2024-02-29T12:60", "2024-02-29T12:34:60", "2024-02-29T", "2024-02-29Tx", "2024-2-9", "24-02-29", "abc", "",
    "2024-02-29T12:34:56+24:00", "2024-02-29T12:34:56+23:59", "2024-02-29T12:34:56-00:00", "2024-02-29T12:34:56GMT", "1704067200",
    " 2024-02-29", "2024-02-29 ", "2024/02/29", "0001-01-01", "9999-12-31T23:59:59Z", "0000-01-01", "2024-02-29T12:34Z", "20240229T123456Z",
    "2024-02-29T12:34:56.Z", "2024-02-29X12:34", "2024-W53-7", "2024-W54", "2024-000", "2024-02-29T12Z", "2024-02-29T12:3456",
]  # fmt: skip

STRPTIME = [
    ("'2024-02-29'", "%Y-%m-%d"), ("'2024-2-9'", "%Y-%m-%d"), ("'29/02/24'", "%d/%m/%y"), ("'29/02/69'", "%d/%m/%y"),
    ("'Feb 9, 2024'", "%b %d, %Y"), ("'february 9 2024'", "%B %d %Y"), ("'Thu Feb 29 2024'", "%a %b %d %Y"),
    ("'12:34 PM'", "%I:%M %p"), ("'12:34 am'", "%I:%M %p"), ("'1:05 pm'", "%I:%M %p"), ("'2024060'", "%Y%j"),
    ("'1704067200'", "%s"), ("1704067200", "%s"), ("1704067200123", "%ms"), ("'1704067200123'", "%ms"),
    ("1704067200", None), ("-1", None), ("0", None), ("true", None), ("1704067200.5", None), ("none", None), ("'x'", None),
    ("20240229", "%Y%m%d"), ("'2024-02-29T12:34:56.123Z'", "%Y-%m-%dT%H:%M:%S.%fZ"), ("'2024-02-29T12:34:56.123'", "%Y-%m-%dT%H:%M:%S.%_ms"),
    ("'2024-02-29T12:34:56+0200'", "%Y-%m-%dT%H:%M:%S%z"), ("'2024-02-29T12:34:56+02:00'", "%Y-%m-%dT%H:%M:%S%z"),
    ("'2024-02-29T12:34:56Z'", "%Y-%m-%dT%H:%M:%S%z"), ("'2024-02-29T12:34:56z'", "%Y-%m-%dT%H:%M:%S%z"),
    ("'2024-02-29T12:34:56-0330'", "%Y-%m-%dT%H:%M:%S%z"), ("'x2024'", "%Y"), ("'2024x'", "%Y"), ("'2024'", "%Y"), ("'2024  02'", "%Y %m"),
    ("'2024-02-30'", "%Y-%m-%d"), ("'2024-02-29 25'", "%Y-%m-%d %H"), ("'12'", "%d"), ("'29 Feb'", "%d %b"), ("'2024 09 1'", "%Y %W %w"),
    ("'2024 09 0'", "%Y %U %w"), ("'2024 09 1'", "%G %V %u"), ("'2024 1'", "%Y %q"), ("'a.b'", "a.b"), ("'2024'", "%Y%Y"),
    ("'UTC 2024'", "%Z %Y"), ("'2024-02-29 12:34:61'", "%Y-%m-%d %H:%M:%S"), ("1704067200123456", "%epoch_microseconds"),
    ("'1704067200.25'", "%s_as_float"), ("1704067200", "%s_as_float"), ("99999999999999", None), ("'0'", "%s"), ("'1.5'", "%s"),
]  # fmt: skip

DURATIONS = [
    "P1D", "P1W", "P1M", "P1Y", "PT1H", "PT1M", "PT1S", "P1DT2H3M4S", "P1Y2M3DT4H5M6S", "PT0.5S", "P0.5D", "PT36H", "-P1D", "+P1D", "-P1M",
    "P", "PT", "P1", "1D", "", "P1H", "P1,5D", "P0D", "P0M", "P2M", "P13M", "P1M1D", "PT1.000001S", "P1DT", "p1d", " P1D", "P1.5M", "P10000D",
]  # fmt: skip

UNDEFINED = [
    "config.x", "config['x']", "config.get('x')", "config.get('x', 'y')", "config.x.y", "config['x']['y']", "config.x()", "config.x | int",
    "config.x | default('z')", "config.x.y | default('z')", "config.x + 1", "1 + config.x", "config.x ~ 'a'", "config.x == config.y",
    "config.x == none", "config.x is none", "config.x is defined", "config.x.y is defined", "config.x in [1]", "1 in config.x", "config.x[0]",
    "config.x[0:1]", "config.x | length", "config.x | list", "config.x | join", "config.x or 'z'", "config.x and 'z'", "not config.x",
    "config.x if config.x else 'none'", "config.x < 1", "1 < config.x", "-config.x", "x", "x.y", "x | default('z')", "x is defined", "config",
    "config.list[9]", "config.list[-9]", "config.list['a']", "config.name[99]", "config.name['upper']()", "config.n.x", "config.none.x",
    "config.none['x']", "config.none.x.y", "(1).x", "config.d._private", "config.d.__class__", "config.d['__class__']", "''.__class__",
    "''.__class__.__mro__", "config.__init__", "stream_slice._partition", "stream_slice._cursor_slice", "stream_partition.id",
    "stream_interval.start_time", "stream_interval['end_time']", "stream_slice.extra_fields['a.b']", "stream_slice.partition.id",
    "stream_slice.cursor_slice.start_time", "stream_slice", "stream_slice.parent_slice.p", "stream_slice.nope", "stream_slice.get('id')",
    "stream_partition.items()", "stream_slice | length", "'id' in stream_slice", "stream_state", "stream_state.x", "range(3)", "loop",
    "lipsum()", "dict(a=1)", "dict([['a', 1]])", "namespace(a=1).a", "self", "config.d.items", "config.d['items']", "config.d.items()",
    "config.d.keys()", "config.d.values()", "config.d.b.c[1].d", "config.d.b.c.1.d", "config.d.b.c.0", "headers['X-Next']", "headers.link.next.url",
    "headers['x-next']", "max", "now_utc", "config.list.append", "response.items", "response['items']", "config.d.get", "'a'.join", "1.real",
]  # fmt: skip

STRINGS = ["'Hello World'", "'  a b  c '", "''", "'a,b,,c'", "config.uni", "'\u00df\u0130x'", "'x=1;y=2'", "'ab12'"]
STRING_METHODS = [
    "lower()", "upper()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "lstrip()", "rstrip()", "strip('aH ')",
    "split()", "split(',')", "split(',', 1)", "rsplit(',', 1)", "rsplit(None, 1)", "split(maxsplit=1)", "split('')", "splitlines()", "join(['a', 'b'])",
    "join('xyz')", "join([1])", "replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '-')", "replace('a', '', 0)", "startswith('He')",
    "startswith(('a', 'H'))", "startswith('l', 2)", "endswith('c ')", "endswith('')", "find('o')", "find('o', 5)", "find('zz')", "rfind('o')",
    "index('b')", "count('l')", "count('')", "partition(',')", "rpartition(',')", "removeprefix('He')", "removesuffix('c')", "zfill(14)",
    "ljust(14, '.')", "rjust(14, '.')", "center(14)", "center(15, '*')", "expandtabs()", "isdigit()", "isalpha()", "isalnum()", "isspace()",
    "islower()", "isupper()", "isnumeric()", "istitle()", "isascii()", "format(1)", "encode", "nope()", "[0]", "[-1]", "[1:3]", "[::-1]", "[::2]",
    "[5:1:-1]", "[-3:]", "[:99]", "[9]", "strip(1)", "lower(1)", "split(1)",
]  # fmt: skip

OTHER_METHODS = [
    "[3,1,2].append(4)", "[1,2,1].index(1)", "[1,2,1].index(9)", "[1,2,1].count(1)", "[1,2].pop()", "[].pop()", "[1,2].pop(0)", "[1,2].pop(5)",
    "[1,2].reverse()", "[2,1].sort()", "[1].extend([2])", "[1].insert(0, 2)", "[1,2].remove(1)", "[1].remove(9)", "[1].copy()", "[1].clear()",
    "(1,2).index(2)", "(1,2).count(1)", "{'a':1}.get('a')", "{'a':1}.get('b')", "{'a':1}.get('b', 2)", "{'a':1}.get()", "{'a':1}.get('b', default=2)",
    "{'a':1}.update({'b':2})", "{'a':1}.pop('a')", "{'a':1}.pop('z')", "{'a':1}.pop('z', 0)", "{'a':1}.setdefault('b', 3)", "{'a':1}.copy()",
    "{'a':1}.items() | list", "{'a':1}.keys() | list", "{'a':1}.values() | list", "{1:2}[1]", "{1:2}[true]", "{1:2}[1.0]", "{1:2}['1']", "{'a':1}['b']",
    "[1,2,3][1:]", "[1,2,3][::-1]", "[1,2,3][-1]", "[1,2,3][1.0]", "[1,2,3][true]", "(1,2,3)[:2]", "[1,2,3][5]", "[1,2,3]['x']", "[1][0:1:0]", "5[0]",
    "'%s-%s' % (1, 'a')", "'%s' % [1, 2]", "'%d' % 3.7", "'%05.2f' % 3.14159", "'%x' % 255", "'%e' % 12345.678", "'%g' % 0.0001", "'%g' % 1e20",
    "'%%' % ()", "'%s'", "'%s %s' % 1", "'%s' % (1, 2)", "'%(a)s' % {'a': 5}", "'%(b)s' % {'a': 5}", "'%d' % 'x'", "'%-5s|' % 'a'", "'%5s|' % 'a'",
    "'%+d' % 5", "'%r' % 'a'", "'%c' % 65", "'%.3s' % 'abcdef'", "'%i' % true", "'%s' % none", "'%o' % 8", "'%#x' % 255", "'%08d' % -42",
    "'{}'.format(1)", "'{} {}'.format(1, 2)", "'{1} {0}'.format(1, 2)", "'{a}'.format(a=1)", "'{a}'.format(b=1)", "'{0}'.format()", "'{:05d}'.format(42)",
    "'{:.2f}'.format(3.14159)", "'{:>5}|'.format('a')", "'{:<5}|'.format('a')", "'{:^5}|'.format('a')", "'{:*^7}'.format('a')", "'{:,}'.format(1234567)",
    "'{:_}'.format(1234567)", "'{:x}'.format(255)", "'{:#X}'.format(255)", "'{:b}'.format(5)", "'{:e}'.format(12345.678)", "'{:g}'.format(1234567.0)",
    "'{:%}'.format(0.25)", "'{:.1%}'.format(0.255)", "'{:+}'.format(5)", "'{: }'.format(5)", "'{:s}'.format('a')", "'{:d}'.format('a')", "'{!r}'.format('a')",
    "'{{}}'.format(1)", "'{'.format(1)", "'{0[0]}'.format([5])", "'{0[a]}'.format({'a': 5})", "'{:%Y}'.format(now_utc())", "'{:}'.format(none)",
    "'{:>5}'.format(none)", "'{:5}|'.format(true)", "'{:5}|'.format(3)", "'{:,.2f}'.format(1234.5)", "'{:010.3f}'.format(-3.14159)", "'{:.3}'.format('abcdef')",
    "'{:.3}'.format(1234.5678)", "'{:n}'.format(5)", "'{:c}'.format(65)", "'{0.year}'.format(now_utc())", "'{:{}}|'.format('a', 5)",
    "(5).bit_length()", "(2.0).is_integer()", "2.5.is_integer()", "true.real", "5.0 | string", "5 | string", "none | string", "{'a': now_utc()} | string",
    "now_utc().isoformat()", "now_utc().date()", "now_utc().timestamp()", "now_utc().year", "now_utc().weekday()", "now_utc().isoweekday()",
    "now_utc().isocalendar()[1]", "now_utc().replace(hour=0)", "now_utc().replace(day=31)", "now_utc().replace(microsecond=0).isoformat()", "now_utc().hour",
    "now_utc().time", "now_utc().tzname()", "now_utc().utcoffset()", "now_utc().toordinal()", "today_utc().isoformat()", "today_utc().year", "today_utc().hour",
    "today_utc().replace(day=1)", "today_utc().weekday()", "(now_utc() - duration('P1D')).date()", "(now_utc() - now_utc()).days",
    "(now_utc() - str_to_datetime('2026-01-01')).days", "(now_utc() - str_to_datetime('2026-01-01')).total_seconds()",
    "(now_utc() - str_to_datetime('2026-01-01')).seconds", "[now_utc()]", "[today_utc()]", "[duration('P1D')]", "[duration('P1M')]", "[str_to_datetime('2024-01-01')]",
    "{'d': duration('PT1.5S')}", "now_utc() > str_to_datetime('2024-01-01')", "now_utc() == now_utc()", "today_utc() == now_utc()", "today_utc() < now_utc()",
    "duration('P1D') > duration('PT1H')", "duration('P1D') == duration('PT24H')", "duration('P1M') == duration('P1M')", "duration('P12M') == duration('P1Y')",
    "duration('P1D') * 2", "duration('P1D') / 2", "duration('P1D') / duration('PT1H')", "duration('P1D') // duration('PT7H')", "-duration('P1D')", "duration('P1M') * 3",
    "str_to_datetime('2024-01-31') + duration('P1M')", "str_to_datetime('2024-03-31') - duration('P1M')", "str_to_datetime('2024-02-29') + duration('P1Y')",
    "str_to_datetime('2024-01-31') - duration('P1Y2M3DT4H')", "today_utc() - duration('P1M')", "today_utc() + duration('PT36H')", "today_utc() - duration('PT36H')",
    "today_utc() - duration('PT1H')", "str_to_datetime('0001-01-01') - duration('P1D')", "str_to_datetime('9999-12-31') + duration('P1D')",
    "str_to_datetime('2024-01-01') - duration('P1.5M')", "config.big + 1", "config.big * config.big", "9007199254740991 + 1", "9007199254740993 * 2", "config.big / 10",
    "config.big // 1000", "config.big % 1000", "-config.big", "config.big | float", "config.big | int", "record.val", "record.val + 0", "2 ** 64", "2 ** -1", "0 ** 0",
    "(-8) ** 2", "-2 ** 2", "2 ** 3 ** 2", "7 // -2", "-7 // 2", "-7 % 3", "7 % -3", "7.5 // 2", "-7.5 % 2", "1 / 3", "1e16", "1e15", "123456789012345678.0", "1e-5", "0.0001",
    "1.0", "100 / 10", "0.1 + 0.2", "1e308 * 10", "5 // 0", "5 % 0", "5 / 0", "5.0 // 0", "0 / 5", "-0.0", "1_000", "0x1F", "0b11", "0o17", "1e3", "1.5e-3",
    "1 < 2 < 3", "1 < 3 < 2", "3 > 2 > 1 == 1", "1 == true", "0 == false", "'1' == 1", "[1] == [1.0]", "(1,) == [1]", "{'a': 1} == {'a': 1.0}", "none == false", "'a' < 'b'",
    "'a' < 1", "[1, 2] < [1, 3]", "none < 1", "not 1", "not not 0", "not 1 == 2", "1 if true", "1 if false", "1 if false else 2", "'a' 'b'", "'a' ~ 1 ~ none ~ 2.0 ~ [1]",
    "[1, 2,]", "{'a': 1,}", "(1,)", "1, 2", "()", "[[]]", "{'a': {'b': [1, 'x', none, true, 1.5]}}", "{'q': \"it's\"}", "[config.quote]", "[config.uni]", "[config.nl]",
    "['\\x00\\x7f\\xa0']", "'\\u00e9\\n\\t'", "'a\\\\b'", "\"dq\"", "'\\'", "config.users | map(attribute='name') | join(',')", "config.users | map(attribute='tag.x') | list",
    "config.users | map(attribute='nope', default='z') | list", "config.users | map(attribute='nope') | list", "config.users | selectattr('on') | map(attribute='id') | list",
    "config.users | selectattr('id', 'gt', 1) | map(attribute='id') | list", "config.users | rejectattr('on') | list", "config.users | selectattr('name', 'equalto', 'Bob') | first",
    "config.users | sort(attribute='name') | map(attribute='name') | list", "config.users | sort(attribute='name', case_sensitive=true) | map(attribute='name') | list",
    "config.users | groupby('tag.x')", "config.users | sum(attribute='id')", "config.users | max(attribute='id')", "config.users | map('upper') | list", "config.words | unique | list",
    "config.words | unique(case_sensitive=true) | list", "config.words | sort", "config.words | sort(case_sensitive=true)", "config.words | map('replace', 'a', 'o') | list",
    "config.list | select('odd') | list", "config.list | reject('gt', 1) | list", "config.list | map('nofilter') | list", "config.list | select('notest') | list", "config.list | nofilter",
    "config.list is notest", "config.list | map | list", "[1, 2, 3] | batch(2, 0) | list", "[1, 2, 3, 4, 5] | slice(3, 'x') | list", "'abc' | map('upper') | join", "[1, [2, 3]] | string",
    "{'b': 1, 'a': [1.0, none, true, 'x']} | tojson", "'<a&\\'b>' | tojson", "'\u00e9\U0001f600' | tojson", "{'a': 1} | urlencode", "[['a', 'b c'], ['d', '\u00e9/']] | urlencode", "'a b/c?d' | urlencode",
    "'x' | hash('nope')", "'x' | hmac('k', 'md5')", "'x' | hash('sha512')", "none | hash", "1.0 | hash", "'x' | hmac('')", "5 | hmac(6)", "'!!' | base64decode", "'YQ' | base64decode", "'YWI=' | base64decode",
    "'YW-I=' | base64decode", "'/w==' | base64decode", "'a' | format(1)", "'%s,%d' | format('a', 2)", "'%(a)s' | format(a=1)", "'abc' | regex_search('(b)(c)')", "'abc' | regex_search('z(b)')", "'abc' | regex_search('(z)?b')",
    "config.link | regex_search('<([^>]+)>; rel=\"next\"')", "'a1b22' | regex_replace('[0-9]+', '#')", "'ab' | regex_replace('', '-')", "'abc' | regex_replace('(a)(b)', '\\\\2\\\\1')",
    "'abc' | regex_replace('(?P<x>b)', '<\\\\g<x>>')", "'abc' | regex_replace('b', '\\\\q')", "'abc' | regex_search('(')", "'aXbX' | regex_replace('(?i)x', '.')", "'a.b' | regex_replace('\\\\.', '')", "'abab' | regex_replace('a*', '-')",
    "'foo123' | regex_search('(?P<n>\\\\d+)\\\\Z')", "'foobar' | regex_search('(?<=foo)(bar)')", "'foobar' | regex_search('(?<!x)(bar)')", "'aaa' | regex_search('(a+?)')", "'aaa' | regex_search('(a{2})')", "'a{2}' | regex_search('(a\\\\{2})')",
    "'x\\ny' | regex_search('(?m)^(y)')", "'x\\ny' | regex_search('(?s)(x.y)')", "'\u00e9t\u00e9' | regex_search('(\\\\w+)')", "'abcabc' | regex_search('(abc)\\\\1')", "'id=5' | regex_search('id=(\\\\d+)') | int", "none | regex_search('a')",
]  # fmt: skip

MACROS = [
    "now_utc()", "today_utc()", "today_with_timezone('Pacific/Tarawa')", "today_with_timezone('America/Los_Angeles')", "today_with_timezone('UTC')", "today_with_timezone('Nope/Zone')", "today_with_timezone('europe/berlin')",
    "today_with_timezone()", "now_utc(1)", "timestamp(1658505815.223235)", "timestamp(5)", "timestamp('2022-07-22T16:03:35')", "timestamp(true)", "timestamp(none)", "timestamp(now_utc())", "timestamp('1658505815')", "timestamp([])",
    "timestamp(-1.9)", "timestamp(config.missing)", "day_delta(0)", "day_delta(1)", "day_delta(-1)", "day_delta(25, '%Y-%m-%d')", "day_delta(1.5)", "day_delta(-1, format='%s')", "day_delta('1')", "day_delta(10 ** 9)", "day_delta()",
    "day_delta(0.000001)", "max(1, 2)", "max([1, 3, 2])", "max('a', 'b')", "max(1, 'a')", "max([])", "max()", "max(1)", "max(2.0, 2)", "max(2, 2.0)", "min(1, 2)", "min([3, 1])", "min('abc')", "min(config.users)", "max(now_utc(), str_to_datetime('2024-01-01'))",
    "max('2024-01-01', config.start_date)", "min({'b': 1, 'a': 2})", "max(true, 1)", "max(none, 1)", "max(1, 2, key=3)", "sanitize_url('https://x.io/a b?c=d&e=\u00e9')", "sanitize_url('')", "sanitize_url(5)", "sanitize_url(config.missing)", "sanitize_url('~-._*')",
    "sanitize_url(none)", "camel_case_to_snake_case('CamelCase')", "camel_case_to_snake_case('camelCASEValue')", "camel_case_to_snake_case('snake_case')", "camel_case_to_snake_case('')", "camel_case_to_snake_case('ID')", "camel_case_to_snake_case(1)", "generate_uuid() | length",
    "str_to_datetime(1)", "str_to_datetime(none)", "str_to_datetime()", "str_to_datetime(s='2024-01-01')", "duration(5)", "duration(none)", "duration(datestring='P1D')", "format_datetime(now_utc(), '%Y')", "format_datetime(today_utc(), '%Y')",
    "format_datetime('2024-01-01', format='%d', input_format='%Y-%m-%d')", "format_datetime('2024-01-01')", "format_datetime(config.missing, '%Y')", "format_datetime(config.start_date, '%s')", "format_datetime(config.start_date, '%ms')",
    "format_datetime([], '%Y')", "format_datetime('2024-01-01', 5)", "format_datetime(now_utc(), '%s')", "format_datetime(now_utc(), '%ms')", "format_datetime(str_to_datetime('2024-01-01T05:00:00+05:00'), '%H')", "json_loads('{}')",
]  # fmt: skip

STATEMENTS = [
    "{% if config.n == 3 %}a{% else %}b{% endif %}", "{% if config.x %}a{% endif %}", "{% if config.x %}a{% elif config.n %}b{% else %}c{% endif %}", "{% for i in config.list %}{{ i }}{% endfor %}",
    "{% for i in config.list %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for i in [] %}x{% else %}empty{% endfor %}", "{% for k, v in config.d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in config.d %}{{ k }}{% endfor %}",
    "{% for i in config.list if i > 1 %}{{ loop.index }}:{{ i }} {% endfor %}", "{% for i in config.x %}a{% endfor %}", "{% for i in config.x.y %}a{% endfor %}", "{% for i in 5 %}a{% endfor %}", "{% for i in none %}a{% endfor %}", "{% for c in 'abc' %}{{ c }}-{% endfor %}",
    "{% for i in [1,2,3] %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{% endfor %}", "{% for i in [1,2,3] %}{{ loop.cycle('a','b') }}{% endfor %}",
    "{% for i in [1,1,2] %}{{ loop.changed(i) }}{% endfor %}", "{% for i in [1,2] %}{{ loop.previtem }}|{{ loop.nextitem }};{% endfor %}", "{% for i in [[1],[2]] recursive %}{{ i if i is number else loop(i) }}{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }} {% endfor %}", "{% for a, b in [[1, 2, 3]] %}x{% endfor %}", "{% for a, b in [1] %}x{% endfor %}", "{% for i in [1,2] %}{% for j in [3,4] %}{{ loop.index }}{{ i * j }} {% endfor %}{% endfor %}",
    "{% set x = 5 %}{{ x }}", "{% set x = 5 %}{{ x + 1 }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set x = [1, 2] %}{{ x }}", "{% set x %}a{{ config.n }}b{% endset %}{{ x }}", "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}",
    "{% set ns = namespace(t=0) %}{% for i in [1,2,3] %}{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}", "{% set d = {} %}{% set _ = d.update({'a': 1}) %}{{ d }}", "{% set l = [] %}{% for i in [1,2] %}{% set _ = l.append(i * 2) %}{% endfor %}{{ l }}",
    "{% if config.yes %}{% set x = 1 %}{% endif %}{{ x }}", "{% if config.no %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "{% set x = 0 %}{% if config.yes %}{% set x = 1 %}{% endif %}{{ x }}", "{% for i in [1] %}{% set y = i %}{% endfor %}{{ y }}", "{% for i in [1] %}{% if i %}{% set y = i %}{% endif %}{{ y }}{% endfor %}",
    "{{ x }}{% set x = 1 %}", "{% set config = 5 %}{{ config }}", "{% set n = config.n %}{{ n }}", "{# comment #}a", "a{# {{ x }} #}b", "{#- c -#} a", "a {#- c -#} b", "{{- 5 -}}", "  {{- 5 -}}  ", "a {{- 5 }} b", "a {{ 5 -}} b", "{%- if true -%} a {%- endif -%} b", "{% if true %}\na\n{% endif %}\n", "a\n", "a\n\n", "\n", "{{ 5 }}\n", "\n{{ 5 }}",
    "{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {{ x }} {%- endraw -%}", "{{ '{{' }}", "{{ '}}' }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a'] }}", "{{ '%}' }}", "{% if '%}' %}a{% endif %}", "{{", "{{ }}", "{{ 1", "{{ 1 }", "{% if %}", "{% if true %}", "{% endif %}", "{% nope %}", "{% for %}", "{% set %}", "{{ 1 2 }}", "{{ a b }}", "{{ 1 + }}", "{{ (1 }}", "{{ [1 }}", "{{ 'a }}",
    "{{ 1 ) }}", "{{ ] }}", "}}", "%}", "{ { 1 } }", "{{ 'a' | }}", "{{ 1 is }}", "{{ 1 is 2 }}", "{{ a. }}", "{{ .a }}", "{{ config. name }}", "{{config.name}}", "{{  config  .  name  }}", "{{ config\n.name }}", "{{ f(a=1, 2) }}", "{{ max(*[1, 5, 3]) }}", "{{ dict(**{'a': 1}) }}", "{{ max(1, 2,) }}", "{{ $ }}", "{{ a ? b : c }}", "{{ a && b }}", "{{ !a }}", "{{ 1 = 1 }}",
    "{% with a = 1 %}{{ a }}{% endwith %}", "{% with a = 1, b = a %}{{ b }}{% endwith %}", "{% filter upper %}abc{{ config.name }}{% endfilter %}", "{% do x %}", "{% break %}", "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{%+ if true %}a{% endif %}", "{% if true -%}  a  {%- else -%} b {%- endif %}", "pre{{ config.n }}post", "{{ config.n }}{{ config.n }}", "{{ config.n }} {{ config.n }}", "{{ config.n }},{{ config.n }}", "[{{ config.n }}]", "'{{ config.n }}'", "\"{{ config.zip }}\"", "{'a': {{ config.n }}}", "{\"a\": \"{{ config.name }}\"}", "{{ config.zip }}", "{{ config.num }}", "{{ record.id }}", "{{ record.zip }}", "{{ record['price'] }}", "{{ config.yes }}", "{{ config.none }}", "{{ config.empty }}", "{{ config.list }}", "{{ config.d }}", "{{ config.f }}", "{{ config.quote }}", "{{ config.nl }}", "{{ config.uni }}", "{{ config.big }}", "plain", "", "123", "1,2", "True", "a {{ 'b' }} c", "{{ config['name'] }}/{{ stream_partition['id'] }}", "{{ ',' }}", "{{ '1' ~ '2' }}", "{{ 1 }}2", "{{ '' }}", "{{ none }}", "{{ [] }}", "{{ 'None' }}", "{{ ' 5 ' }}", "{{ '5 # x' }}", "{{ '\"x\"' }}", "{{ \"'x'\" }}", "{{ '1e3' }}", "{{ '1_0' }}", "{{ 'nan' }}",
    "{% if config.none is none and config.n > 2 %}{{ config.name | upper }}{% endif %}", "{% set parts = config.name.split('r') %}{{ parts[0] }}", "{% for u in config.users %}{% if u.on %}{{ u.name }}{% endif %}{% endfor %}", "{% if 1 < 2 %}{% if 2 < 1 %}a{% else %}b{% endif %}{% endif %}", "{% for i in [3,1,2]|sort %}{{ i }}{% endfor %}", "{% for i in [1,2,3][1:] %}{{ i }}{% endfor %}", "{% for i in [1,2] %}{{ loop }}{% endfor %}",
]  # fmt: skip

# Group 1 is what regex_search gives.
PATTERNS = [
    r"(a)", r"(a*)", r"(a+?)", r"(a|b)+", r"((a)|b)*", r"(a|ab)(c|bcd)(d*)", r"^(.*)$", r"(?m)^(\w+)$", r"(?s)(.+)", r"(?i)(HELLO)", r"(\d+)", r"(\D+)",
    r"(\w+)\s+(\w+)", r"(\S+)@(\S+)", r"([^,]+),([^,]*)", r"(?P<k>\w+)=(?P<v>[^;]*)", r"(?:x)?(y)?", r"(\w)\1", r"(?P<c>.)(?P=c)", r"(?<=,)(.)", r"(?<!a)(b)", r"(?=(\w+))", r"(?!a)(\w)",
    r"(a{2})", r"(a{2,})", r"(a{,2})", r"(a{1,2}?)", r"(a{x})", r"([a-c]+)", r"([^a-c]+)", r"([]a]+)", r"([\w-]+)", r"([\d.]+)$", r"\b(\w)", r"(\w)\B", r"\A(.)", r"(.)\Z", r"(.)$", r"(\.)", r"(\x61)", r"(\u00e9)",
    r"(a)(?#note)(b)", r"(?x) ( a ) # c", r"(a)?(?(1)b|c)", r"(?>a+)(b)", r"(a++)(b)", r"((?:a|b)*?)c", r"(a(b(c)?)?)", r"()", r"(|a)", r"(a||b)", r"(\n)", r"([\s])", r"(.{3})", r"(?i:A)(b)", r"(?-i:a)(b)", r"[z", r"(", r"a)", r"*", r"a**", r"(?P<a", r"\y", r"(?<=a+)b", r"\3", r"(a)\2",
]  # fmt: skip
SUBJECTS = ["", "a", "aab", "abcd", "hello Hello", "x=1;y=22", "a,b,,c", "me@x.io", "aaa", "1.2.3", "a\nb\n", "\u00e9t\u00e9 \U0001f600", "xyz", "cba"]

NESTED = [
    {"a": "{{ config.n }}", "b": ["{{ config.name }}", 5, None], "c": None}, {"{{ config.name }}": "x"}, {"a": {"b": "{{ config.none }}", "c": "{{ config.x }}"}}, {"a": "{{ config.zip }}", "b": "{{ config.num }}"}, {"a": "", "b": " "}, ["{{ config.x }}", "{{ none }}"], {"a": True, "b": 1.5}, {"{{ config.n }}": 1}, {"a": []}, {"a": {}},
]  # fmt: skip


# Parts of Jinja for web pages, which no manifest has.
LAYOUT = [
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1) }}", "{% block a %}x{% endblock %}", "{% autoescape true %}{{ '<' }}{% endautoescape %}", "{{ {'a': 1} | xmlattr }}", "{{ 'a b' | wordwrap(1) }}",
    "{{ 1000 | filesizeformat }}", "{{ [1] | random }}", "{{ {'a': 1} | pprint }}", "{{ 'http://a.b' | urlize }}", "{{ cycler('a').next() }}", "{{ joiner(',')() }}",
]  # fmt: skip

# As manifests have them.
TYPICAL = [
    "{{ config['start_date'] or '2020-01-01' }}", "{{ format_datetime((config.start_date if config.start_date else now_utc()), '%Y-%m-%dT%H:%M:%SZ') }}", "{{ (now_utc() - duration('P30D')).strftime('%Y-%m-%d') }}",
    "{{ now_utc().strftime('%Y-%m-%dT%H:%M:%S.%fZ') }}", "{{ response.get('next', {}).get('cursor') }}", "{{ response['data'][-1]['id'] if response['data'] else '' }}", "{{ not response.get('has_more', False) }}",
    "{{ headers['link']['next']['url'] }}", "{{ headers.link.next.url.split('/')[-1] }}", "{{ headers['link'].get('next', {}).get('url', {}) }}", "{{ 'next' not in headers['link'] }}", "{{ last_page_size == 2 }}", "{{ last_page_size < 100 }}",
    "https://{{ config['name'] }}.example.com/api/v{{ config.n }}/", "/items/{{ stream_partition['id'] }}/sub?x={{ stream_slice.start_time }}", "{{ stream_interval.get('start_time') }}", "{{ stream_slice['parent_slice']['p'] }}", "{{ ','.join(config['words']) }}",
    "{{ config['words'] | join(',') }}", "{{ record['id'] ~ '-' ~ record['zip'] }}", "{{ record.id | int + 1 }}", "{{ record['price'] * 100 }}", "{{ (record['price'] * 100) | int }}", "{{ record.get('n') or 'none' }}", "{{ record.n is none }}", "{{ record is mapping and 'id' in record }}",
    "{{ [record['id'], record['zip']] }}", "{{ {'id': record['id'], 'when': now_utc().isoformat()} }}", "{{ record['missing'] | default('x') }}", "{{ record['missing']['deeper'] | default('x') }}", "{{ timestamp(config['start_date']) | int }}", "{{ (timestamp(config.start_date) * 1000) | int }}",
    "{{ str_to_datetime(config.start_date).timestamp() | int }}", "{{ (now_utc() - str_to_datetime(config.start_date)).days }}", "{{ max(config['start_date'], day_delta(-30, format='%Y-%m-%d')) }}", "Bearer {{ config['num'] }}", "Basic {{ (config.name ~ ':' ~ config.num) | base64encode }}",
    "{{ config.users | selectattr('id', 'equalto', 2) | map(attribute='name') | first }}", "{{ config.users | map(attribute='name') | list | tojson }}", "{{ 'a' if config.n >= 3 and config.name != 'x' else 'b' }}", "{{ config['d']['b']['c'][1].d[:2] }}", "{{ stream_slice.extra_fields['a.b'] | upper }}",
    "{% set t = response.data | length %}{{ t if t else none }}", "{% if response.next %}{{ response.next }}{% endif %}", "{% for k, v in stream_slice.items() %}{{ k }}={{ v }}&{% endfor %}", "query { items(first: {{ config.n }}, id: \"{{ record.id }}\") { id } }", "{\"a\": \"{{ record.zip }}\", \"b\": {{ config.n }}}",
]  # fmt: skip


def quoted(text):
    """The text as a string literal of a template."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def all_vectors():
    for value, name in itertools.product(ODD, FILTERS):
        yield "s", "c", "{{ (" + value + ") | " + name + " }}"
    for value, name in itertools.product(ODD, TESTS):
        yield "s", "c", "{{ (" + value + ") is " + name + " }}"
    for left, operator, right in itertools.product(OPERANDS, BINARY, OPERANDS):
        if operator in ("*", "**") and "9007199254740993" in (left, right):
            continue  # would take Python for ever
        yield "s", "c", "{{ " + left + " " + operator + " " + right + " }}"
    for text in LITERALS:
        yield "l", "c", text
    for text in TRUTH + [f"{{{{ {value} }}}}" for value in ODD]:
        yield "b", "c", text
    for date, directive in itertools.product(DATES, DIRECTIVES):
        yield "t", "c", "{{ " + date + ".strftime('" + directive + "') }}"
        yield "t", "c", "{{ format_datetime(" + date + ", '" + directive + "') }}"
    for directive in DIRECTIVES:
        yield "t", "c", "{{ format_datetime('2024-02-29T03:04:05.000678-07:00', '" + directive + "') }}"
        yield "t", "c", "{{ format_datetime(1704067200, '" + directive + "') }}"
        yield "t", "c", "{{ day_delta(-1, '" + directive + "') }}"
    for text in ISO_TEXTS:
        yield "s", "c", "{{ str_to_datetime('" + text + "') }}"
        yield "s", "c", "{{ timestamp('" + text + "') }}"
    for value, pattern in STRPTIME:
        input_format = "" if pattern is None else f", '{pattern}'"
        yield "s", "c", "{{ format_datetime(" + value + ", '%Y-%m-%dT%H:%M:%S.%f%z'" + input_format + ") }}"
    for text in DURATIONS:
        yield "s", "c", "{{ duration('" + text + "') }}"
        yield "s", "c", "{{ now_utc() - duration('" + text + "') }}"
        yield "s", "c", "{{ today_utc() + duration('" + text + "') }}"
        yield "s", "c", "{{ str_to_datetime('2024-01-31') + duration('" + text + "') }}"
    for text in UNDEFINED + MACROS + OTHER_METHODS:
        for mode in "stb":
            yield mode, "c", "{{ " + text + " }}"
    for value, method in itertools.product(STRINGS, STRING_METHODS):
        yield "s", "c", "{{ " + value + ("" if method.startswith("[") else ".") + method + " }}"
    for text in STATEMENTS:
        for mode in "stb":
            yield mode, "c", text
    for value in ODD:
        for mode in "st":
            yield mode, "c", "{{ " + value + " }}"
            yield mode, "c", "x{{ " + value + " }}"
            yield mode, "c", "{{ [" + value + "] }}"
    for pattern, subject in itertools.product(PATTERNS, SUBJECTS):
        yield "t", "c", "{{ " + quoted(subject) + " | regex_search(" + quoted(pattern) + ") }}"
        yield "t", "c", "{{ " + quoted(subject) + " | regex_replace(" + quoted(pattern) + ", '<\\\\g<0>>') }}"
    for text in TYPICAL + LAYOUT:
        for mode in "stb":
            yield mode, "c", text
    for value in STATEMENTS + TYPICAL:
        if not any(tag in value for tag in ("include", "extends", "import")):
            yield "m", "c", {"key": value, "fixed": 5}
    for key in ["{{ config.name }}", "{{ config.num }}", "{{ config.n }}", "a", "007", "7", "{{ config.yes }}"]:
        yield "m", "c", {key: "x"}
    for tree in NESTED:
        yield "n", "c", tree
