// What becomes of answers that are too long for a datagram.
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
const say = (packet: Packet, limit: number): string => {
  const bytes = encodeWithin(packet, limit);
  const { answers, additionals, flags } = decode(bytes);
  expect(bytes.length).toBeLessThanOrEqual(limit);
  return `${answers?.length} answers, ${additionals?.length} helpful, ${((flags ?? 0) & TRUNCATED_RESPONSE) > 0 ? "come back" : "whole"}`;
};

const table: readonly (readonly [what: string, answers: number, limit: number, expected: string])[] = [
  ["what fits is sent as it is", 1, 512, "1 answers, 1 helpful, whole"],
  ["what is merely helpful goes first", 3, 512, "3 answers, 0 helpful, whole"],
  ["then answers go, and the asker hears of it", 9, 512, "3 answers, 0 helpful, come back"],
  ["who takes more gets more", 9, 4096, "9 answers, 9 helpful, whole"],
];
for (const [what, answers, limit, expected] of table)
  test(`datagrams: ${what}`, () => expect(say(reply(answers), limit)).toBe(expected));

test("a single answer that cannot fit leaves none", () => {
  const long: Packet = {
    id: 1,
    type: "response",
    flags: 0,
    answers: [{ type: "TXT", name: "a", data: "y".repeat(250) }],
  };
  expect(decode(encodeWithin(long, 100)).answers).toEqual([]);
  expect(encode(long).length).toBeGreaterThan(100);
});
