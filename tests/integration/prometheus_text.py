"""Reads Prometheus text 0.0.4 and OpenMetrics 1.0 as strictly as their specifications let one. Written from these alone:
prometheus.io, exposition formats; github.com/OpenMetrics/OpenMetrics, specification 1.0.

parse(text, openmetrics) gives {family: Family}; what is wrong raises Wrong with its line.
"""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|\+Inf|-Inf|NaN")
TEXT_TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
OPEN_TYPES = {"counter", "gauge", "histogram", "gaugehistogram", "stateset", "info", "summary", "unknown"}
# What may stand after a family's name on its lines.
TEXT_SUFFIXES = {"histogram": {"_bucket", "_sum", "_count"}, "summary": {"", "_sum", "_count"}}
OPEN_SUFFIXES = {"counter": {"_total", "_created"}, "info": {"_info"}, "gauge": {""}, "unknown": {""}, "stateset": {""},
                 "histogram": {"_bucket", "_sum", "_count", "_created"},
                 "gaugehistogram": {"_bucket", "_gsum", "_gcount"}, "summary": {"", "_sum", "_count", "_created"}}


class Wrong(Exception):
    pass


class Family:
    def __init__(self, name):
        self.name, self.type, self.help, self.unit = name, None, None, None
        self.samples = {}  # (name, labels as a sorted tuple of pairs): value


class Parser:
    def __init__(self, text, openmetrics):
        self.open = openmetrics
        self.families, self.family, self.done = {}, None, set()
        self.number, self.line = 0, ""
        if "\r" in text:
            raise Wrong("a carriage return")
        if text and not text.endswith("\n"):
            raise Wrong("the last line has no end")
        lines = text.split("\n")[:-1]
        if openmetrics:
            if not lines or lines[-1] != "# EOF":
                raise Wrong("there is no # EOF at the end")
            lines.pop()
        for self.number, self.line in enumerate(lines, 1):
            self.read_line()
        for family in self.families.values():
            self.check(family)

    def wrong(self, what):
        raise Wrong(f"line {self.number}: {what}: {self.line!r}")

    def read_line(self):
        if self.line == "":
            self.wrong("an empty line")
        if self.line.startswith("#"):
            self.read_head()
        else:
            self.read_sample()

    def begin(self, name):
        if self.family and self.family.name == name:
            return self.family
        if name in self.families:
            self.wrong(f"the family {name} stands in two places")
        self.family = self.families[name] = Family(name)
        return self.family

    def read_head(self):
        found = re.fullmatch(r"# (HELP|TYPE|UNIT) (\S+)(?: (.*))?", self.line)
        if not found:
            self.wrong("a comment")
        word, name, rest = found.groups()
        if not NAME.fullmatch(name):
            self.wrong("a name that is none")
        family = self.begin(name)
        if family.samples:
            self.wrong("a head after its lines")
        if word == "UNIT" and not self.open:
            self.wrong("a unit, which this format has not")
        if getattr(family, word.lower()) is not None:
            self.wrong(f"a second {word}")
        if word == "TYPE" and rest not in (OPEN_TYPES if self.open else TEXT_TYPES):
            self.wrong("a type that there is not")
        if word == "UNIT" and not name.endswith("_" + rest):
            self.wrong("a unit in which the name does not end")
        if word == "HELP":
            self.unescape(rest or "", "\\n\"" if self.open else "\\n", self.open)
        setattr(family, word.lower(), rest or "")

    def unescape(self, text, allowed, quotes):
        result, i = "", 0
        while i < len(text):
            if text[i] == "\\":
                if i + 1 == len(text) or text[i + 1] not in allowed:
                    self.wrong("an escape that there is not")
                result += {"n": "\n"}.get(text[i + 1], text[i + 1])
                i += 1
            elif text[i] == '"' and quotes:
                self.wrong("a quote that is not escaped")
            else:
                result += text[i]
            i += 1
        return result

    def read_labels(self, text):
        labels, i = {}, 0
        while True:
            found = LABEL.match(text, i)
            if not found:
                self.wrong("no label's name")
            name, i = found.group(), found.end()
            if not text.startswith('="', i):
                self.wrong("a label without a quoted value")
            i, begin = i + 2, i + 2
            while i < len(text) and text[i] != '"':
                i += 2 if text[i] == "\\" else 1
            if i >= len(text):
                self.wrong("a value without its end")
            if name in labels:
                self.wrong(f"the label {name} stands twice")
            if name.startswith("__"):
                self.wrong("a label that is Prometheus' own")
            labels[name] = self.unescape(text[begin:i], "\\n\"", True)
            i += 1
            if text.startswith("}", i):
                return labels, i + 1
            if not text.startswith(",", i):
                self.wrong("no comma between labels")
            i += 1

    def read_sample(self):
        found = NAME.match(self.line)
        if not found:
            self.wrong("no name")
        name, i, labels = found.group(), found.end(), {}
        if self.line.startswith("{", i):
            if self.line.startswith("{}", i):
                self.wrong("empty braces")
            labels, i = self.read_labels_from(i + 1)
        if not self.line.startswith(" ", i):
            self.wrong("no blank before the value")
        value = self.line[i + 1:]
        if not NUMBER.fullmatch(value):
            self.wrong("a value that is no number, or a timestamp, which we do not write")
        family = self.family_of(name)
        key = (name, tuple(sorted(labels.items())))
        if key in family.samples:
            self.wrong("a series that stands twice")
        family.samples[key] = float(value)

    def read_labels_from(self, i):
        labels, end = self.read_labels(self.line[i:])
        return labels, i + end

    def family_of(self, name):
        family = self.family
        if family is None or family.type is None:
            self.wrong("a line without its TYPE before it")
        suffixes = OPEN_SUFFIXES[family.type] if self.open else TEXT_SUFFIXES.get(family.type, {""})
        if not name.startswith(family.name) or name[len(family.name):] not in suffixes:
            self.wrong(f"a name that is not of the family {family.name}, {family.type}")
        return family

    def check(self, family):
        if family.help is None or family.type is None or not family.samples:
            raise Wrong(f"{family.name}: no HELP, no TYPE or no lines")
        if len({tuple(name for name, _ in labels if name != "le") for _, labels in family.samples}) > 1:
            raise Wrong(f"{family.name}: several sets of labels")
        if family.type == "counter" and any(value != value or value < 0 for value in family.samples.values()):
            raise Wrong(f"{family.name}: a counter below zero")
        if family.type == "info" and any(value != 1 for value in family.samples.values()):
            raise Wrong(f"{family.name}: an info that is not 1")
        if family.type == "histogram":
            self.check_histogram(family)

    @staticmethod
    def check_histogram(family):
        series = {}
        for (name, labels), value in family.samples.items():
            rest = tuple(pair for pair in labels if pair[0] != "le")
            kind = name[len(family.name):]
            series.setdefault(rest, {}).setdefault(kind, []).append((dict(labels).get("le"), value))
        for labels, kinds in series.items():
            buckets = [(float(le), count) for le, count in kinds["_bucket"]]
            if buckets != sorted(buckets) or buckets[-1][0] != float("inf"):
                raise Wrong(f"{family.name}{labels}: buckets out of order, or none for +Inf")
            if [count for _, count in buckets] != sorted(count for _, count in buckets):
                raise Wrong(f"{family.name}{labels}: buckets that shrink")
            if len(kinds["_sum"]) != 1 or kinds["_count"] != [(None, buckets[-1][1])]:
                raise Wrong(f"{family.name}{labels}: a count that is not that of +Inf, or no sum")


def parse(text, openmetrics=False):
    return Parser(text, openmetrics).families
