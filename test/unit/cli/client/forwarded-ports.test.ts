// The ports of port-forward, as kubectl 1.36 understands them.
import { describe, expect, test } from "vitest";
import type { Pod, Service } from "../../../../api/generated/types.ts";
import { checkPorts, forwardedPorts, listenAddresses } from "../../../../cli/client/forwarded-ports.ts";

const pod = {
  metadata: { name: "web" },
  spec: {
    containers: [
      {
        ports: [
          { name: "http", containerPort: 8080, protocol: "TCP" },
          { name: "dns", containerPort: 53, protocol: "UDP" },
        ],
      },
    ],
  },
} as unknown as Pod;
const service = {
  metadata: { name: "svc" },
  spec: {
    clusterIP: "10.96.0.7",
    ports: [
      { name: "web", port: 80, targetPort: "http", protocol: "TCP" },
      { name: "num", port: 81, targetPort: 8080, protocol: "TCP" },
      { name: "udp", port: 53, targetPort: 53, protocol: "UDP" },
    ],
  },
} as unknown as Service;
const headless = { ...service, spec: { ...service.spec, clusterIP: "None" } } as Service;

test.each([
  ["8080", [8080, 8080]],
  ["18080:80", [18_080, 80]],
  [":80", [0, 80]],
  ["0:80", [0, 80]],
  ["http", [8080, 8080]],
  ["8888:http", [8888, 8080]],
  [":http", [0, 8080]],
])("pod: %s", (text, [local, remote]) => expect(forwardedPorts([text], pod)).toEqual([{ local, remote }]));

test.each([
  ["18081:web", service, [18_081, 8080]],
  ["18081:80", service, [18_081, 8080]],
  ["18081:81", service, [18_081, 8080]],
  ["web", service, [80, 8080]],
  ["80", service, [80, 8080]],
  [":web", service, [0, 8080]],
  ["18081:80", headless, [18_081, 80]],
] as const)("service: %s", (text, from, [local, remote]) =>
  expect(forwardedPorts([text], pod, from)).toEqual([{ local, remote }]),
);

describe("refused when the pod is known", () => {
  test.each([
    ["abc", undefined, "Pod 'web' does not have a named port 'abc'"],
    ["dns", undefined, "UDP protocol is not supported for dns"],
    ["53", undefined, "UDP protocol is not supported for 53"],
    ["18081:99", service, "Service svc does not have a service port 99"],
    ["18081:nope", service, "Service 'svc' does not have a named port 'nope'"],
    ["53", service, "UDP protocol is not supported for 53"],
  ])("%s", (text, from, message) => expect(() => forwardedPorts([text], pod, from)).toThrow(message));
});

describe("refused before", () => {
  test.each([
    ["99999:80", `error parsing local port '99999': strconv.ParseUint: parsing "99999": value out of range`],
    ["x:80", `error parsing local port 'x': strconv.ParseUint: parsing "x": invalid syntax`],
    ["x:http", `error parsing local port 'x': strconv.ParseUint: parsing "x": invalid syntax`],
    ["80:99999", `error parsing remote port '99999': strconv.ParseUint: parsing "99999": value out of range`],
    ["18080:0", "remote port must be > 0"],
    ["18080:", "remote port cannot be empty"],
    ["80:80:80", "invalid port format '80:80:80'"],
  ])("%s", (text, message) => expect(() => checkPorts([text])).toThrow(message));
  test.each(["http", "8080", ":http", "8080:http"])("%s is not", (text) => checkPorts([text]));
});

test.each([
  [["localhost"], ["127.0.0.1", "::1"]],
  [
    ["localhost", "127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "127.0.0.2", "::1"],
  ],
  [["0.0.0.0"], ["0.0.0.0"]],
])("%j", (texts, addresses) => expect(listenAddresses(texts).map(({ address }) => address)).toEqual(addresses));
test.each([
  [["foo"], "foo is not a valid IP"],
  [[], "you must specify at least 1 address"],
])("%j is refused", (texts, message) => expect(() => listenAddresses(texts)).toThrow(message));
