// Rules: the life of an alert, templates, and files with mistakes.
import { expect, test } from "vitest";
import { builtInRules } from "../../../monitoring/rules/built-in.ts";
import { type ActiveAlert, type AlertRule, alertChanges, nextAlerts } from "../../../monitoring/rules/groups.ts";
import { parseRules } from "../../../monitoring/rules/rule-file.ts";
import { expandTemplate } from "../../../monitoring/rules/template.ts";
import { Labels } from "../../../monitoring/series/labels.ts";

const rule = (fields: Partial<AlertRule> = {}): AlertRule => ({
  ...{ type: "alert", name: "Down", query: "up == 0", labels: {}, annotations: {}, forMs: 60_000, keepFiringForMs: 0 },
  ...fields,
});
const sample = (pod: string, value = 0) => ({ labels: Labels.ofRecord({ __name__: "up", pod }), value });
const shown = (alerts: readonly ActiveAlert[]): string =>
  alerts.map(({ labels, state, activeAt }) => `${labels.get("pod")} ${state} since ${activeAt / 1000}`).join(", ");

interface Step {
  readonly at: number;
  readonly pods: readonly string[];
  readonly expected: string;
}
const lives: readonly (readonly [string, Partial<AlertRule>, readonly Step[]])[] = [
  [
    "it is pending, then fires, then is gone",
    {},
    [
      { at: 0, pods: ["a"], expected: "a pending since 0" },
      { at: 30, pods: ["a"], expected: "a pending since 0" },
      { at: 60, pods: ["a"], expected: "a firing since 0" },
      { at: 75, pods: [], expected: "" },
    ],
  ],
  [
    "a condition that ends in between begins again",
    {},
    [
      { at: 0, pods: ["a"], expected: "a pending since 0" },
      { at: 30, pods: [], expected: "" },
      { at: 60, pods: ["a"], expected: "a pending since 60" },
    ],
  ],
  ["without `for` it fires at once", { forMs: 0 }, [{ at: 5, pods: ["a"], expected: "a firing since 5" }]],
  [
    "it is kept for a time after its end",
    { forMs: 0, keepFiringForMs: 30_000 },
    [
      { at: 0, pods: ["a"], expected: "a firing since 0" },
      { at: 20, pods: [], expected: "a firing since 0" },
      { at: 40, pods: [], expected: "" },
    ],
  ],
  [
    "each series is an alert of its own",
    {},
    [
      { at: 0, pods: ["a"], expected: "a pending since 0" },
      { at: 60, pods: ["a", "b"], expected: "a firing since 0, b pending since 60" },
    ],
  ],
];
for (const [what, fields, steps] of lives)
  test(`an alert: ${what}`, () => {
    let alerts: readonly ActiveAlert[] = [];
    for (const { at, pods, expected } of steps) {
      alerts = nextAlerts(
        rule(fields),
        alerts,
        pods.map((pod) => sample(pod)),
        at * 1000,
      );
      expect(shown(alerts)).toBe(expected);
    }
  });

test("an alert that was active before a restart keeps its beginning", () => {
  const [before] = nextAlerts(rule(), [], [sample("a")], 0);
  const since = new Map([[before!.labels.key, 0]]);
  expect(shown(nextAlerts(rule(), [], [sample("a")], 90_000, since))).toBe("a firing since 0");
});

test("what fired and what was resolved is reported once", () => {
  const firing = nextAlerts(rule({ forMs: 0 }), [], [sample("a"), sample("b")], 0);
  const next = nextAlerts(rule({ forMs: 0 }), firing, [sample("b"), sample("c")], 1_000);
  const { fired, resolved } = alertChanges(firing, next);
  expect([shown(fired), shown(resolved)]).toEqual(["c firing since 1", "a firing since 0"]);
});

const labels = Labels.ofRecord({ pod: "web-1" });
const templates: readonly (readonly [template: string, value: number, expected: string])[] = [
  ["pod {{ $labels.pod }} of {{$labels.none}}.", 1, "pod web-1 of ."],
  ["{{ $value }}", 0.5, "0.5"],
  ["{{ $value | humanizePercentage }}", 0.1234, "12.34%"],
  ["{{ $value | humanize1024 }}B", 3 * 1024 ** 2, "3MiB"],
  ["{{ $value | humanize }}", 1_234_567, "1.235M"],
  ["{{ $value | humanizeDuration }}", 3_725, "1h 2m 5s"],
  ['{{ printf "%.1f" $value }}', 2.25, "2.3"],
  ["{{ unknown }}", 1, "<error expanding template: unknown>"],
];
for (const [template, value, expected] of templates)
  test(`a template: ${template}`, () => expect(expandTemplate(template, labels, value)).toBe(expected));

const file = (rules: string): string => `groups: [{name: g, rules: [${rules}]}]`;
const mistakes: readonly (readonly [string, string])[] = [
  ["x: 1", 'the file has an unknown field "x"; known are groups'],
  ["groups: {", "Flow map"],
  [file("{alert: A}"), "groups[0].rules[0].expr must be a text that is not empty"],
  [file("{alert: A, record: b, expr: x}"), "groups[0].rules[0] must have one of alert and record"],
  [file("{alert: A, expr: 'sum('}"), "groups[0].rules[0].expr: 1:5: parse error: unclosed left parenthesis"],
  [file("{alert: A, expr: x, for: soon}"), "groups[0].rules[0].for must be a duration such as 30s or 5m"],
  [file("{record: a b, expr: x}"), 'groups[0].rules[0].record: "a b" is no name of a metric'],
  [file("{alert: A, exp: x}"), 'groups[0].rules[0] has an unknown field "exp"'],
  ["groups: [{name: g, rules: []}, {name: g, rules: []}]", 'there are two groups with the name "g"'],
];
for (const [text, message] of mistakes)
  test(`a file with a mistake: ${message}`, () => expect(() => parseRules(text, 15_000)).toThrow(message));

test("the built-in rules are a valid file", () => {
  const groups = parseRules(builtInRules, 15_000);
  expect(groups.map(({ name }) => name)).toEqual(["services", "pods", "nodes"]);
  expect(
    groups.flatMap(({ rules }) => rules).every((each) => each.type === "alert" && each.annotations["summary"]),
  ).toBe(true);
});
