// Truncation of DNS responses that exceed the datagram limit.
import { type Answer, decode, encode, type Packet, TRUNCATED_RESPONSE } from "dns-packet";
import { expect, test } from "vitest";
import { encodeWithin } from "../../../network/dns/server.ts";

const name = `_http._tcp.${"x".repeat(20)}.default.svc.cluster.local`;
const target = (n: number): string => `10-244-0-${n}.${"x".repeat(20)}.default.svc.cluster.local`;
const srv = (n: number): Answer => ({
  type: "SRV",
  name,
  ttl: 5,
  data: { priority: 0, weight: 100, port: 80, target: target(n) },
});
const a = (n: number): Answer => ({ type: "A", name: target(n), ttl: 5, data: `10.244.0.${n}` });
const reply = (count: number): Packet => {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  return {
    id: 1,
    type: "response",
    flags: 0x0480,
    questions: [{ type: "SRV", name }],
    answers: all.map(srv),
    additionals: all.map(a),
  };
};
const summaryOf = (packet: Packet, limit: number): string => {
  const bytes = encodeWithin(packet, limit);
  const { answers, additionals, flags } = decode(bytes);
  expect(bytes.length).toBeLessThanOrEqual(limit);
  return `${answers?.length} answers, ${additionals?.length} additional, ${((flags ?? 0) & TRUNCATED_RESPONSE) > 0 ? "truncated" : "complete"}`;
};

const table: readonly (readonly [what: string, answers: number, limit: number, expected: string])[] = [
  ["a fitting response is unchanged", 1, 512, "1 answers, 1 additional, complete"],
  ["additional records are dropped first", 3, 512, "3 answers, 0 additional, complete"],
  ["answers are dropped next, with the truncation flag", 9, 512, "3 answers, 0 additional, truncated"],
  ["a larger limit of the client", 9, 4096, "9 answers, 9 additional, complete"],
];
for (const [what, answers, limit, expected] of table)
  test(`datagrams: ${what}`, () => expect(summaryOf(reply(answers), limit)).toBe(expected));

test("a single answer above the limit is dropped", () => {
  const long: Packet = {
    id: 1,
    type: "response",
    flags: 0,
    answers: [{ type: "TXT", name: "a", data: "y".repeat(250) }],
  };
  expect(decode(encodeWithin(long, 100)).answers).toEqual([]);
  expect(encode(long).length).toBeGreaterThan(100);
});
