// Which IPAddress objects of a service are created and deleted.
import { expect, test } from "vitest";
import type { Service } from "../../../api/core/services.ts";
import type { IPAddress } from "../../../api/generated/types.ts";
import { instant, timestamp } from "../../../api/meta.ts";
import { decide } from "../../../controllers/serviceaddresses/controller.ts";
import { describeAction } from "../../../machinery/action.ts";

const now = instant(Date.UTC(2026, 0, 1));
const service = (spec: object): Service =>
  ({ metadata: { name: "web", namespace: "default" }, spec: { type: "ClusterIP", ...spec } }) as never;
const address = (name: string, secondsAgo: number): IPAddress =>
  ({ metadata: { name, creationTimestamp: timestamp(instant(now - secondsAgo * 1000)) } }) as never;
const web = service({ clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"] });

test.each([
  ["an address that is recorded", web, [address("10.96.0.9", 0)], []],
  ["an address that is not recorded", web, [], ["create ipaddresses 10.96.0.9"]],
  ["a former address", web, [address("10.96.0.9", 0), address("10.96.0.8", 61)], ["delete ipaddresses 10.96.0.8"]],
  ["an address whose service may not be seen yet", undefined, [address("10.96.0.9", 59)], []],
  ["an address whose service is gone", undefined, [address("10.96.0.9", 61)], ["delete ipaddresses 10.96.0.9"]],
  ["a headless service", service({ clusterIP: "None", clusterIPs: ["None"] }), [], []],
  ["a service with a name elsewhere", service({ type: "ExternalName" }), [], []],
] as const)("%s", (_, observed, addresses, actions) =>
  expect(decide({ service: observed, addresses }, now).actions.map(describeAction)).toEqual(actions),
);

test("addresses that are too young to delete are looked at again when the oldest of them is not", () => {
  const addresses = [address("10.96.0.9", 1), address("10.96.0.8", 50), address("10.96.0.7", 90)];
  expect(decide({ service: undefined, addresses }, now).requeueAfter).toBe(10_000);
});
