// Which endpoints are near a node, by their hints.
import { expect, test } from "vitest";
import { nearest } from "../../../network/proxy/topology.ts";

const at = (address: string, zones?: readonly string[], nodes?: readonly string[]) => ({
  endpoint: {
    addresses: [address],
    hints: {
      ...(zones && { forZones: zones.map((name) => ({ name })) }),
      ...(nodes && { forNodes: nodes.map((name) => ({ name })) }),
    },
  },
});
const [a, b] = [at("a", ["east"], ["n1"]), at("b", ["west"], ["n2"])];

test.each([
  ["its node", [a, b], { nodeName: "n2", zone: "east" }, "b"],
  ["its zone, without an endpoint for its node", [a, b], { nodeName: "n3", zone: "east" }, "a"],
  [
    "its zone, where one endpoint has no hint for a node",
    [at("c", ["east"]), b],
    { nodeName: "n2", zone: "east" },
    "c",
  ],
  ["all, where one endpoint has no hint", [a, at("c")], { nodeName: "n1", zone: "east" }, "ac"],
  ["all, in a zone without endpoints", [a, b], { nodeName: "n3", zone: "north" }, "ab"],
  ["all, on a node without a zone", [a, b], { nodeName: "n3" }, "ab"],
] as const)("traffic goes to the endpoints of %s", (_, all, from, expected) =>
  expect(
    nearest(all, from)
      .map(({ endpoint }) => endpoint.addresses[0])
      .join(""),
  ).toBe(expected),
);
