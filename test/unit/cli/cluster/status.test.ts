// Rows of `orrery status`, readiness of nodes, and formatted log lines.
import { describe, expect, test } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { componentOf, readable } from "../../../../cli/cluster/logs.ts";
import { readySince } from "../../../../cli/cluster/readiness.ts";
import { parseComponents, statusRow } from "../../../../cli/cluster/status.ts";

const at = (text: string) => instant(Date.parse(text));
const noon = at("2026-06-01T12:00:00Z");
const api = { serverReady: true, readyNodes: ["orrery-node-1"] };

const rows = [
  [
    "an engine that answers",
    "dockerd 40 1780315140 0 - 119000 yes",
    { health: "healthy", uptimeSeconds: 60, restarts: 0, residentBytes: 119_000 * 1024 },
  ],
  ["an engine that hangs", "dockerd 40 1780315140 0 - 119000 no", { health: "unhealthy" }],
  [
    "an agent whose node is Ready",
    "agent 41 1780315190 2 137 70000 -",
    { health: "healthy", uptimeSeconds: 10, restarts: 2 },
  ],
  ["a server the API answers for", "server 42 1780315190 0 - 90000 -", { health: "healthy" }],
  [
    "a component that died",
    "server - 1780315190 5 1 - no",
    { health: "not running", uptimeSeconds: undefined, residentBytes: undefined },
  ],
  ["a component that never was", "etcd - - 0 - - no", { health: "not running" }],
] as const;

describe("status of", () => {
  for (const [what, line, expected] of rows) {
    test(what, () => {
      const [component] = parseComponents("orrery-node-1", `${line}\n`);
      expect(statusRow(component!, api, noon)).toMatchObject(expected);
    });
  }
  test("an agent whose node is not Ready", () => {
    const [component] = parseComponents("orrery-node-2", "agent 41 1780315190 0 - 70000 -\n");
    expect(statusRow(component!, api, noon).health).toBe("unhealthy");
  });
});

const node = (name: string, status: string, heard?: string) => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status, lastHeartbeatTime: heard }] },
});

describe("a node counts as Ready", () => {
  const renewed = [{ metadata: { name: "a" }, spec: { renewTime: "2026-06-01T12:00:00.500000Z" } }];
  const table = [
    ["when it says so and nobody asks since when", node("a", "True"), [], instant(0), ["a"]],
    [
      "when it was heard of in the same second",
      node("a", "True", "2026-06-01T12:00:00Z"),
      [],
      instant(noon + 900),
      ["a"],
    ],
    [
      "when its lease was renewed since",
      node("a", "True", "2026-06-01T11:00:00Z"),
      renewed,
      instant(noon + 400),
      ["a"],
    ],
    ["not when it was last heard of before", node("a", "True", "2026-06-01T11:59:50Z"), [], noon, []],
    ["not when it says it is not", node("a", "Unknown", "2026-06-01T12:00:00Z"), renewed, instant(0), []],
  ] as const;
  for (const [what, of, leases, since, expected] of table)
    test(what, () => expect(readySince([of], leases, since)).toEqual(expected));
});

describe("log lines", () => {
  const ours =
    '{"level":40,"time":1780315200123,"pid":7,"hostname":"n","component":"scheduler","msg":"no node fits","pod":"default/web 1","tries":3}';
  test("our own become readable", () => {
    expect(readable(ours)).toBe('12:00:00.123 warn  scheduler no node fits pod="default/web 1" tries=3');
    expect(componentOf(ours)).toBe("scheduler");
  });
  test("foreign and broken ones pass as they are", () => {
    for (const line of [
      'time="2026-06-01" level=info msg="API listen"',
      '{"level":40,"time":17',
      '{"level":"info","msg":"etcd"}',
    ]) {
      expect(readable(line)).toBe(line);
      expect(componentOf(line)).toBeUndefined();
    }
  });
});
