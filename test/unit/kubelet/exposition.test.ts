// The text in which programs expose metrics: what is read of it, what is refused, and the rates of counters.
import fc from "fast-check";
import { expect, test } from "vitest";
import { BadExposition, maxSeries, parseExposition } from "../../../kubelet/metrics/exposition.ts";
import { seriesOf } from "../../../kubelet/metrics/series.ts";

const parsed = (text: string) =>
  parseExposition(text).map((s) => [s.name, s.labels, s.value, ...(s.isCounter ? ["counter"] : [])]);

const texts: readonly (readonly [what: string, text: string, samples: readonly (readonly unknown[])[]])[] = [
  ["nothing", "", []],
  ["comments and empty lines", "# a comment\n\n#\n# HELP a b\n# EOF\n", []],
  ["a gauge", "# TYPE queue gauge\nqueue 5\n", [["queue", {}, 5]]],
  ["a value without a type", "queue 5", [["queue", {}, 5]]],
  ["a time", "queue 5 1395066363000", [["queue", {}, 5]]],
  ["labels", 'queue{a="1",b="2"} 5', [["queue", { a: "1", b: "2" }, 5]]],
  ["spaces and a last comma", 'queue { a = "1" , } 5', [["queue", { a: "1" }, 5]]],
  ["no labels in braces", "queue{} 5", [["queue", {}, 5]]],
  ["escapes, braces and quotes", String.raw`q{a="\"}\\\n{,\x"} 5`, [["q", { a: '"}\\\n{,\\x' }, 5]]],
  [
    "numbers",
    "a -1.5e3\nb +.5\nc 7.\n",
    [
      ["a", {}, -1500],
      ["b", {}, 0.5],
      ["c", {}, 7],
    ],
  ],
  ["values that are no numbers are left out", "a NaN\nb +Inf\nc -Inf\nd Inf\n", []],
  [
    "line ends of Windows",
    "a 1\r\nb 2\r\n",
    [
      ["a", {}, 1],
      ["b", {}, 2],
    ],
  ],
  ["a counter by its type", "# TYPE hits counter\nhits 5", [["hits", {}, 5, "counter"]]],
  ["a counter by its name", "hits_total 5", [["hits_total", {}, 5, "counter"]]],
  ["a gauge with the name of a counter", "# TYPE a_total gauge\na_total 5", [["a_total", {}, 5]]],
  [
    "a counter of OpenMetrics, its creation and an exemplar",
    '# TYPE a counter\na_total 5 # {t="1"} 1\na_created 9',
    [["a_total", {}, 5, "counter"]],
  ],
  [
    "a histogram without its buckets",
    '# TYPE a histogram\na_bucket{le="1"} 3\na_bucket{le="+Inf"} 4\na_sum 9\na_count 4',
    [
      ["a_sum", {}, 9, "counter"],
      ["a_count", {}, 4, "counter"],
    ],
  ],
  [
    "a summary",
    '# TYPE a summary\na{quantile="0.5"} 3\na_count 4',
    [
      ["a", { quantile: "0.5" }, 3],
      ["a_count", {}, 4, "counter"],
    ],
  ],
  [
    "the same series twice: the last",
    'a{b="1",c="2"} 1\na{c="2",b="1"} 3',
    [["a", { b: "1", c: "2" }, 3]].map(([n, , v]) => [n, { c: "2", b: "1" }, v]),
  ],
  [
    "labels that are names of objects' own",
    'a{__proto__="1",constructor="2"} 1',
    [
      [
        "a",
        Object.fromEntries([
          ["__proto__", "1"],
          ["constructor", "2"],
        ]),
        1,
      ],
    ],
  ],
];
test.each(texts)("exposition: %s", (_, text, samples) => expect(parsed(text)).toEqual(samples));

const bad: readonly (readonly [what: string, text: string, because: string])[] = [
  ["a page", "<html>", 'line 1 is no sample: "<html>"'],
  ["JSON", '{"a":1}', "line 1 is no sample"],
  ["no value", "a 1\nb\n", 'line 2 is no sample: "b"'],
  ["a value that is none", "a one", "line 1"],
  ["hexadecimal", "a 0x10", "line 1"],
  ["two values", "a 1 2 3", "line 1"],
  ["a name with a dash", "a-b 1", "line 1"],
  ["a name that begins with a digit", "1a 1", "line 1"],
  ["an open brace", 'a{b="1" 1', "line 1"],
  ["an open quote", 'a{b="1} 1', "line 1"],
  ["no comma between labels", 'a{b="1" c="2"} 1', "line 1"],
  ["a label without a value", "a{b} 1", "line 1"],
  ["a null character", "a\0 1", "line 1"],
  [
    "too many series",
    Array.from({ length: maxSeries + 1 }, (_, i) => `a{i="${i}"} 1`).join("\n"),
    "more than 2000 series",
  ],
];
test.each(bad)("exposition: %s is refused", (_, text, because) => {
  expect(() => parseExposition(text)).toThrow(BadExposition);
  expect(() => parseExposition(text)).toThrow(because);
});

test("exposition: any text is parsed or refused, in time that grows with its length", () => {
  const pieces = fc.constantFrom(
    "a",
    "_",
    "{",
    "}",
    '"',
    "\\",
    ",",
    "=",
    " ",
    "\t",
    "#",
    "\n",
    "1",
    ".",
    "e",
    "-",
    "TYPE",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      try {
        for (const { value } of parseExposition(parts.join(""))) expect(Number.isFinite(value)).toBe(true);
      } catch (e) {
        expect(e).toBeInstanceOf(BadExposition);
      }
    }),
    { numRuns: 2_000 },
  );
  const long = 300_000;
  for (const text of ["}", "{", '"', "\\", "a ", 'a{b="', "a{", "1", "#", "# TYPE ", 'a{b="\\'].map(
    (p) => `a{b="${p.repeat(long)}`,
  ))
    expect(() => parseExposition(text)).toThrow(BadExposition);
});

const scrape = (seconds: number, text: string) => ({ at: seconds * 1000, samples: parseExposition(text) });
const rates: readonly (readonly [what: string, before: string | undefined, now: string, series: readonly object[]])[] =
  [
    ["a gauge at once", undefined, "queue 5", [{ name: "queue", labels: {}, value: 5 }]],
    ["a counter not before its second scrape", undefined, "hits_total 5", []],
    [
      "the rate of a counter",
      "hits_total 5",
      "hits_total 25",
      [{ name: "hits", labels: {}, value: 2, windowSeconds: 10 }],
    ],
    [
      "a counter that began again",
      "hits_total 500",
      "hits_total 20",
      [{ name: "hits", labels: {}, value: 2, windowSeconds: 10 }],
    ],
    [
      "a counter of seconds",
      "cpu_seconds_total 1",
      "cpu_seconds_total 6",
      [{ name: "cpu", labels: {}, value: 0.5, windowSeconds: 10 }],
    ],
    [
      "by labels",
      'h_total{c="a"} 1\nh_total{c="b"} 1',
      'h_total{c="a"} 11',
      [{ name: "h", labels: { c: "a" }, value: 1, windowSeconds: 10 }],
    ],
    [
      "a counter whose short name is a gauge's keeps its own",
      "hits_total 0\nhits 1",
      "hits_total 10\nhits 1",
      [
        { name: "hits_total", labels: {}, value: 1, windowSeconds: 10 },
        { name: "hits", labels: {}, value: 1 },
      ],
    ],
    [
      "a name that is only a suffix",
      "_total 0",
      "_total 10",
      [{ name: "_total", labels: {}, value: 1, windowSeconds: 10 }],
    ],
  ];
test.each(rates)("series: %s", (_, before, now, series) =>
  expect(seriesOf(before === undefined ? undefined : scrape(10, before), scrape(20, now))).toEqual(series),
);
